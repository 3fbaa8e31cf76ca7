"""What deviated in a hunt: as it was met, what of it is run again, and what came of that."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from jobtck.confirm import TOO_LATE, Seen, as_seen
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.cells import Cell
from jobtck.conformance.context import Context
from jobtck.conformance.folding import folded
from jobtck.conformance.outcomes import Refusal
from jobtck.conformance.record import Deviation, Symptom
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.strategies.chart import Chart

FOUND_MAX = 200  # different deviations followed up; a backend with more has shown enough
CELLS_MAX = 20  # cells remembered of one sort of deviation
WAYS_MAX = 3  # of these, tried when the deviation is run again
ALIKE_MAX = 4  # sorts of deviation from one requirement that are run again, if they are not listed

Sort = tuple[tuple[Symptom, ...], str]
IsListed = Callable[[Sequence[Symptom]], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A deviation as it was met, not yet run again; `cells` are all in which its sort was met."""

    sort: Sort
    seen: Seen
    cells: set[Cell]


class Findings:
    """The findings of one hunt; its lanes report side by side what they meet."""

    def __init__(self, chart: Chart, is_listed: IsListed = lambda _: False) -> None:
        self.deviations: list[Deviation] = []
        self._chart = chart
        self._is_listed = is_listed
        self._found: dict[Sort, Found] = {}
        self._met: Counter[Sort] = Counter()
        self._shown: dict[tuple[str, ...], tuple[object, ...]] = {}  # by what was broken when it was met
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many sorts of deviation were met."""
        return len(self._found)

    def meet(self, session: Session) -> bool:
        """Remembers the deviation that the session ended in; the answer is whether its sort is new.

        Deviations of one sort have the same symptoms and the same native code.
        """
        last = session.history[-1]
        step, code = last.step, last.outcome.code if isinstance(last.outcome, Refusal) else ""
        sort = (step.symptoms_of(step.deviations), code)
        with self._lock:
            known = self._found.get(sort)
            if known is None and len(self._found) >= FOUND_MAX:
                return False
            self._met[sort] += 1
            if known is None:
                seen = Seen(step, session.conversation, tuple(session.history))
                self._found[sort] = Found(sort, seen, {step.ruling.cell})
                return True
            if len(known.cells) < CELLS_MAX:
                known.cells.add(step.ruling.cell)
            if session.length < len(known.seen.session):
                seen = Seen(step, session.conversation, tuple(session.history))
                self._found[sort] = replace(known, seen=seen)
            return False

    def news(self) -> tuple[list[Found], list[Found]]:
        """What is not listed, the shortest sessions first: what is to be run again, and what is too much alike."""
        chosen: list[Found] = []
        alike: list[Found] = []
        counted = Counter[tuple[str, ...]]()
        for found in self._sorted(listed=False):
            requirements = found.seen.requirements
            counted[requirements] += 1
            (chosen if counted[requirements] <= ALIKE_MAX else alike).append(found)
        return chosen, alike

    def listed(self) -> list[Found]:
        """What is listed as known, the shortest sessions first."""
        return self._sorted(listed=True)

    def _sorted(self, *, listed: bool) -> list[Found]:
        with self._lock:
            found = [each for each in self._found.values() if self._is_listed(each.sort[0]) is listed]
        return sorted(found, key=lambda each: len(each.seen.session))

    def with_ways(self, found: Found) -> Seen:
        """The deviation with the shortest ways that the chart knows to where it was met."""
        cells = sorted((each for each in found.cells if each in self._chart.ways), key=self._chance)
        return replace(found.seen, ways=tuple(self._chart.way(each) for each in cells[:WAYS_MAX]))

    def _chance(self, each: Cell) -> tuple[bool, int]:
        """Orders cells: a short way shows best what was met there, if it does not depend on the moment."""
        place, _ = self._chart.ways[each]
        return not place.belief.is_sure, len(place.path)

    def add(self, found: Found, deviation: Deviation, tally: Tally) -> None:
        """Keeps the deviation with its counts."""
        met = self._met[found.sort]
        if not self._is_listed(deviation.symptoms):
            self._shown.setdefault(found.seen.requirements, _sort_of(deviation))
        self.add_shown(replace(deviation, met=met, exercised=max(met, self._chances(found, tally))))

    def _chances(self, found: Found, tally: Tally) -> int:
        step = found.seen.step
        return max(tally.chances_of(step.ruling.context, BY_ID[id]) for id in step.deviations)

    def add_shown(self, deviation: Deviation) -> None:
        """Keeps the deviation; what was shown by other calls before is kept with the fewer calls."""
        for at, each in enumerate(self.deviations):
            if _sort_of(each) == _sort_of(deviation):
                self.deviations[at] = _together(each, deviation)
                return
        self.deviations.append(deviation)

    def add_alike(self, found: Found, tally: Tally) -> None:
        """Counts what was not run again with others of its requirements, or keeps it as it was seen."""
        broken = found.seen.requirements
        for at, each in enumerate(self.deviations):
            if _sort_of(each) == self._shown.get(broken):
                symptoms = tuple(dict.fromkeys((*each.symptoms, *found.sort[0])))
                met = each.met + self._met[found.sort]
                both = replace(each, met=met, exercised=max(met, each.exercised), symptoms=symptoms)
                self.deviations[at] = both
                self._shown[broken] = _sort_of(both)  # more symptoms make another sort of it
                return
        self.add(found, as_seen(found.seen, not_again=TOO_LATE), tally)

    def fold(self, tally: Tally) -> None:
        """Keeps what only follows from a deviation with it, and not beside it; what is listed explains nothing else."""
        listed = [each for each in self.deviations if self._is_listed(each.symptoms)]
        news = [each for each in self.deviations if not self._is_listed(each.symptoms)]
        joined = [replace(each, exercised=_chances_in_all(each, tally)) for each in _joined(news)]
        self.deviations = [*folded(joined), *listed]


def _chances_in_all(deviation: Deviation, tally: Tally) -> int:
    """How often the deviation could have come, in all calls about what its symptoms are about."""
    broken = deviation.requirements
    contexts = {Context(each.call, each.job, each.flaw) for each in deviation.symptoms if each.requirement in broken}
    chances = (sum(tally.chances_of(each, BY_ID[id]) for each in contexts) for id in broken)
    return max((deviation.met, deviation.exercised, *chances))


def _joined(deviations: Sequence[Deviation]) -> list[Deviation]:
    """Deviations from the same demands in calls about the same are one, with the symptoms of all of them."""
    joined: dict[tuple[object, ...], Deviation] = {}
    for each in deviations:
        what = (each.requirements, *sorted({(s.demand, s.call, s.job, s.flaw) for s in each.symptoms}))
        joined[what] = _together(joined[what], each) if what in joined else each
    return list(joined.values())


def _together(one: Deviation, other: Deviation) -> Deviation:
    """Both as one, shown by what happens more often, or as often in fewer calls; their calls are about the same."""
    met = one.met + other.met
    return replace(
        min(one, other, key=lambda each: (each.is_flaky, len(each.lines))),
        met=met,
        exercised=max(met, one.exercised, other.exercised),
        symptoms=tuple(dict.fromkeys((*one.symptoms, *other.symptoms))),
    )


def _sort_of(deviation: Deviation) -> tuple[object, ...]:
    """Deviations of one sort were shown by the same answer to the same call."""
    last = deviation.lines[-1]
    return (deviation.requirements, deviation.symptoms, type(last.call), last.answer)
