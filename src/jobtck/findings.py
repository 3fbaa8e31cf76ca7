"""What deviated in a hunt: as it was met, what of it is run again, and what came of that."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobtck.conformance.calls import Call, call_name
from jobtck.conformance.cells import Cell, outcome_words
from jobtck.conformance.judge import Step
from jobtck.conformance.outcomes import Refusal
from jobtck.conformance.record import Deviation, Symptom
from jobtck.conformance.session import Session
from jobtck.strategies.chart import Chart

FOUND_MAX = 60  # different deviations followed up; a backend with more has shown enough
CELLS_MAX = 20  # cells remembered of one sort of deviation
WAYS_MAX = 3  # of these, tried when the deviation is run again
ALIKE_MAX = 4  # sorts of deviation from one requirement that are run again


@dataclass(frozen=True, slots=True)
class Found:
    """A deviation as it was met, not yet confirmed; `cells` are all in which its sort was met."""

    step: Step
    code: str
    calls: tuple[Call, ...]
    cells: set[Cell]

    @property
    def sort(self) -> tuple[object, ...]:
        """Deviations of one sort differ in the state they were met in only.

        After one of form only the session goes on, and the answer itself is what is wrong: each symptom is a sort then.
        Others are told apart by their demands, for in another state an earlier call may be to blame.
        """
        step = self.step
        how: tuple[object, ...] = self.symptoms
        if step.belief is None:
            how = tuple(sorted({each.demand for each in self.symptoms}))
        return (step.deviations, how, call_name(type(step.call)), outcome_words(step.outcome, self.code))

    @property
    def symptoms(self) -> tuple[Symptom, ...]:
        """How each requirement was seen broken."""
        return self.step.symptoms_of(self.step.deviations)


class Findings:
    """The findings of one hunt; its lanes tell it side by side what they meet."""

    def __init__(self, chart: Chart) -> None:
        self.deviations: list[Deviation] = []
        self.seen: set[Symptom] = set()  # of deviations that were run again, or were to be
        self.not_run_again: dict[str, str] = {}  # why deviations from a requirement were met and not run again
        self._chart = chart
        self._found: dict[tuple[object, ...], Found] = {}
        self._taken: set[tuple[object, ...]] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many sorts were met, and how many were confirmed."""
        return len(self._found) + len(self.deviations)

    def meet(self, session: Session) -> bool:
        """Remembers the deviation that the session ended in; the answer is whether its sort is new."""
        last = session.history[-1]
        code = last.outcome.code if isinstance(last.outcome, Refusal) else ""
        found = Found(last.step, code, tuple(each.call for each in session.history), {last.step.ruling.cell})
        with self._lock:
            known = self._found.get(found.sort)
            if known is None and len(self._found) >= FOUND_MAX:
                return False
            if known is not None and len(known.cells) < CELLS_MAX:
                known.cells.update(found.cells)
            if known is None or len(found.calls) < len(known.calls):
                self._found[found.sort] = found if known is None else replace(found, cells=known.cells)
            return known is None

    def take(self) -> list[Found]:
        """Those to be run again now, the shortest first; each sort is taken once, and of many that are alike some."""
        with self._lock:
            pending = [found for found in self._found.values() if found.sort not in self._taken]
            self._taken.update(found.sort for found in pending)
            for found in pending:
                self.seen.update(found.symptoms)
        pending.sort(key=lambda found: len(found.calls))
        taken: list[Found] = []
        for found in pending:
            alike = [each for each in taken if each.step.deviations == found.step.deviations]
            if len(alike) < ALIKE_MAX:
                taken.append(found)
        return taken

    def ways(self, found: Found) -> Sequence[Sequence[Call]]:
        """Calls that may show it again: the chart's own shortest, then those that showed it."""
        cells = sorted((each for each in found.cells if each in self._chart.ways), key=self._chance)
        return (*(self._chart.way(each) for each in cells[:WAYS_MAX]), found.calls)

    def _chance(self, each: Cell) -> tuple[bool, int]:
        """Orders cells: a short way shows best what was met there, if it does not depend on the moment."""
        place, _ = self._chart.ways[each]
        return not place.belief.is_sure, len(place.path)

    def add(self, deviation: Deviation) -> None:
        """Keeps the deviation, unless the same was shown by as few calls on the way to another."""
        for at, each in enumerate(self.deviations):
            if _sort_of(each) == _sort_of(deviation):
                if len(deviation.lines) < len(each.lines):
                    self.deviations[at] = deviation
                return
        self.deviations.append(deviation)

    def leave(self, found: Found, why: str) -> str:
        """Remembers that the deviation is neither shown nor refuted; the answer is why."""
        with self._lock:
            for id in found.step.deviations:
                self.not_run_again.setdefault(id, why)
        return why


def _sort_of(deviation: Deviation) -> tuple[object, ...]:
    """Deviations of one sort were shown by the same answer to the same call."""
    last = deviation.lines[-1]
    return (deviation.requirements, deviation.symptoms, type(last.call), last.answer)
