"""What can be tried in a position, split by whether the requirements let it succeed."""

from dataclasses import dataclass

from jobtck.conformance.calls import Call
from jobtck.conformance.judge import POSITIONS_MAX, Judge, Option, Position
from jobtck.conformance.outcomes import Refusal
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.foresight import foresee


@dataclass(frozen=True, slots=True)
class Chances:
    """The options of a position: those that may succeed, those that must be refused, both cheap to try."""

    succeed: tuple[Option, ...]
    refused: tuple[Option, ...]


class Prospect:
    """Knows what can be tried where; asks the judge once for each position."""

    def __init__(self, judge: Judge, alphabet: Alphabet) -> None:
        self.judge = judge
        self.alphabet = alphabet
        self._chances: dict[Position, Chances] = {}

    def chances(self, position: Position) -> Chances:
        """The cheap calls of that position."""
        chances = self._chances.get(position)
        if chances is None:
            if len(self._chances) >= POSITIONS_MAX:
                self._chances.clear()
            chances = self._chances[position] = self._look(position)
        return chances

    def _look(self, position: Position) -> Chances:
        succeed: list[Option] = []
        refused: list[Option] = []
        for call in self.alphabet.calls(position):
            if self._costly(call):
                continue
            option = position.option(call)
            step = foresee(self.judge, option)
            if step is None:
                continue
            (refused if isinstance(step.outcome, Refusal) else succeed).append(option)
        return Chances(tuple(succeed), tuple(refused))

    def _costly(self, call: Call) -> bool:
        from jobtck.conformance.calls import call_name

        return call_name(type(call)) in self.alphabet.capabilities.costly_calls
