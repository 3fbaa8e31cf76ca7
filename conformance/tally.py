"""What a run has counted: requirements exercised, cells visited, calls made and the time they took."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from jobtck.conformance.cells import Cell
from jobtck.conformance.context import Context
from jobtck.conformance.judge import Ruling
from jobtck.conformance.order import Fared
from jobtck.conformance.outcomes import DONE, Waited
from jobtck.conformance.record import Symptom
from jobtck.conformance.requirement import Requirement

PENDING_MAX = 20_000  # rulings counted one by one before they are folded into cells


class Answered(NamedTuple):
    """One way in which a cell answered; `symptoms` say what it breaks there."""

    cell: Cell
    told: str
    waited: Waited
    sure: bool
    symptoms: tuple[Symptom, ...]


@dataclass(slots=True)
class Visit:
    """How often a cell answered in one way, and the longest it took, in seconds."""

    count: int = 0
    seconds_max: float = 0.0


@dataclass(slots=True)
class Tally:
    """Counts by ruling while a session runs, and by cell, requirement and call once folded."""

    exercised: Counter[str] = field(default_factory=Counter)
    exercised_in: Counter[tuple[str, Cell]] = field(default_factory=Counter)
    contexts: Counter[Context] = field(default_factory=Counter)  # answers to calls about the same
    chances: Counter[tuple[Context, str]] = field(default_factory=Counter)  # of these, by requirement exercised
    fared: Counter[tuple[str, Fared]] = field(default_factory=Counter)  # by the call's name
    visits: dict[Answered, Visit] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    _pending: dict[tuple[Ruling, str], Visit] = field(default_factory=dict)

    def count(self, ruling: Ruling, code: str, seconds: float) -> None:
        """One more answer, with the backend's own error code if it was refused."""
        self.calls += 1
        self.seconds += seconds
        visit = self._pending.get((ruling, code))
        if visit is None:
            if len(self._pending) >= PENDING_MAX:
                self.fold()
            visit = self._pending[ruling, code] = Visit()
        visit.count += 1
        if seconds > visit.seconds_max:  # noqa: PLR1730
            visit.seconds_max = seconds

    def exercise(self, ruling: Ruling) -> None:
        """What the kit makes between sessions exercises requirements, and is no call of the API."""
        self._count_exercised(ruling, 1)

    def fold(self) -> None:
        """Adds what was counted by ruling to requirements and cells."""
        for (ruling, code), visit in self._pending.items():
            self._count_exercised(ruling, visit.count)
            self.fared[ruling.cell.call_name, ruling.fared] += visit.count
            told = f"{ruling.told} {code}".rstrip()
            self._add(Answered(ruling.cell, told, ruling.waited, ruling.sure, ruling.deviating), visit)
        self._pending.clear()

    def _count_exercised(self, ruling: Ruling, count: int) -> None:
        self.contexts[ruling.context] += count
        for id in ruling.exercised:
            self.exercised[id] += count
            self.exercised_in[id, ruling.cell] += count
            self.chances[ruling.context, id] += count

    def chances_of(self, context: Context, requirement: Requirement) -> int:
        """How many answers to calls about the same could have broken the requirement.

        One that speaks only of what went wrong could have been broken by each of them.
        """
        speaks_of_values = isinstance(DONE, requirement.speaks_of)
        return self.chances[context, requirement.id] if speaks_of_values else self.contexts[context]

    def exercised_ids(self) -> set[str]:
        """The requirements exercised so far; another thread may be counting."""
        rulings = [ruling for ruling, _ in list(self._pending)]
        return {*list(self.exercised), *(id for ruling in rulings for id in ruling.exercised)}

    def merge(self, other: "Tally") -> None:
        """Adds what another tally has counted."""
        other.fold()
        self.exercised.update(other.exercised)
        self.exercised_in.update(other.exercised_in)
        self.contexts.update(other.contexts)
        self.chances.update(other.chances)
        self.fared.update(other.fared)
        for key, visit in other.visits.items():
            self._add(key, visit)
        self.calls += other.calls
        self.seconds += other.seconds

    def _add(self, key: Answered, visit: Visit) -> None:
        mine = self.visits.setdefault(key, Visit())
        mine.count += visit.count
        mine.seconds_max = max(mine.seconds_max, visit.seconds_max)
