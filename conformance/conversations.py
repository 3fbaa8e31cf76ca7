"""Conversations that a run keeps to judge again: what was asked and answered, without what was made of it."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from jobtck.conformance.calls import Call
from jobtck.conformance.cells import Cell
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.session import HISTORY_MAX, Session

KEPT_CALLS_MAX = 10_000  # calls in all conversations that are kept, some megabytes


class Exchange(NamedTuple):
    """A call as it was judged, the backend's own answer, and the seconds it took."""

    call: Call
    outcome: Outcome
    seconds: float


Conversation = tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    exchanges: Conversation
    cells: frozenset[Cell]


@dataclass(slots=True)
class Conversations:
    """Conversations of all lanes of a run, at most so many calls: they visit as many cells as they can."""

    calls_max: int = KEPT_CALLS_MAX
    _kept: list[_Kept] = field(default_factory=list)
    _visits: Counter[Cell] = field(default_factory=Counter)
    _calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, session: Session) -> None:
        """Keeps what was said in the session since its last end, unless others visit the same cells and more.

        An answer that ended the session is left out: nothing that comes after it could show more.
        """
        length = session.length
        if not length or length >= HISTORY_MAX:  # of a longer one the beginning is forgotten
            return
        said = session.conversation
        if said[-1].step.belief is None:
            said = said[:-1]
        if not said or len(said) > self.calls_max:
            return
        cells = frozenset(each.step.ruling.cell for each in said)
        with self._lock:
            if self._calls + len(said) > self.calls_max and not self._make_room(len(said), cells):
                return
            exchanges = tuple(Exchange(each.call, each.outcome, each.seconds) for each in said)
            self._kept.append(_Kept(exchanges, cells))
            self._visits.update(cells)
            self._calls += len(exchanges)

    def _make_room(self, calls: int, cells: frozenset[Cell]) -> bool:
        """Gives up conversations that visit less of their own than the new one would."""
        new = sum(not self._visits[each] for each in cells)
        if not new:
            return False
        given_up = list[_Kept]()
        room = self.calls_max - self._calls
        for each in sorted(self._kept, key=self._own_cells):
            if room >= calls:
                break
            given_up.append(each)
            room += len(each.exchanges)
        lost = frozenset[Cell]().union(*(each.cells for each in given_up))
        if sum(self._visits[each] == sum(each in other.cells for other in given_up) for each in lost) >= new:
            return False
        for each in given_up:
            self._kept.remove(each)
            self._visits.subtract(each.cells)
            self._calls -= len(each.exchanges)
        return True

    def _own_cells(self, kept: _Kept) -> int:
        return sum(self._visits[each] == 1 for each in kept.cells)

    @property
    def calls(self) -> int:
        """How many calls are in the conversations that are kept."""
        return self._calls

    def all(self) -> tuple[Conversation, ...]:
        """The conversations, as they were kept."""
        with self._lock:
            return tuple(each.exchanges for each in self._kept)
