"""What deviated in a hunt: as it was met, what of it is run again, and what came of that."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from jobtck.confirm import TOO_LATE, Seen, as_seen
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.cells import Cell
from jobtck.conformance.context import Context
from jobtck.conformance.folding import folded
from jobtck.conformance.outcomes import Refusal
from jobtck.conformance.rates import are_alike
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
        self._contexts: dict[Symptom, set[Context]] = {}  # in which it was met; fewer calls may show it in another
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
        self._note_context(found, deviation)
        self.add_shown(replace(deviation, met=met, exercised=max(met, self._chances(found, tally))))

    def _chances(self, found: Found, tally: Tally) -> int:
        step = found.seen.step
        return _chances_in([step.ruling.context], step.deviations, tally)

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
                self._note_context(found, both)
                return
        self.add(found, as_seen(found.seen, not_again=TOO_LATE), tally)

    def _note_context(self, found: Found, shown: Deviation) -> None:
        for symptom in shown.symptoms:
            self._contexts.setdefault(symptom, set()).add(found.seen.step.ruling.context)

    def fold(self, tally: Tally) -> None:
        """Keeps what only follows from a deviation with it, and not beside it; what is listed explains nothing else."""
        listed = [each for each in self.deviations if self._is_listed(each.symptoms)]
        news = [each for each in self.deviations if not self._is_listed(each.symptoms)]
        joined = [self._counted(each, tally) for each in _joined(news)]
        self.deviations = [*folded(list(self._with_one_rate(joined, tally))), *listed]

    def _counted(self, deviation: Deviation, tally: Tally) -> Deviation:
        """The deviation, counted against all calls about what its symptoms are about."""
        chances = _chances_in(self._contexts_of(deviation), deviation.requirements, tally)
        return replace(deviation, exercised=max(deviation.met, deviation.exercised, chances))

    def _contexts_of(self, deviation: Deviation) -> set[Context]:
        return set[Context]().union(*(self._contexts.get(each, ()) for each in deviation.symptoms))

    def _with_one_rate(self, deviations: Sequence[Deviation], tally: Tally) -> Iterator[Deviation]:
        """Deviations from the same demands in the same call are one if they come now and then, whatever job is there.

        They are counted against all those calls, also about jobs with which none came: of these it says as much. Where
        it comes clearly more often with some jobs than with others, it is one for each, with a rate of its own.
        """
        alike: dict[tuple[object, ...], list[Deviation]] = {}
        for each in deviations:
            what = (each.requirements, *sorted({(s.demand, s.call, s.flaw) for s in each.symptoms}))
            alike.setdefault(what, []).append(each)
        for group in alike.values():
            about = {(s.call, s.flaw) for each in group for s in each.symptoms}
            anywhere = [each for each in tally.contexts if (each.call, each.flaw) in about]
            yield from _at_one_rate(self._apart(group, tally), _chances_in(anywhere, group[0].requirements, tally))

    def _apart(self, deviations: Sequence[Deviation], tally: Tally) -> list[Deviation]:
        """Those that were met in calls about the same are one."""
        apart: list[Deviation] = []
        for each in deviations:
            for other in [other for other in apart if self._contexts_of(other) & self._contexts_of(each)]:
                apart.remove(other)
                each = self._counted(_together(other, each), tally)  # noqa: PLW2901
            apart.append(each)
        return apart


def _at_one_rate(group: Sequence[Deviation], chances: int) -> Sequence[Deviation]:
    """The deviations as one, if they came with the same rate in each part of so many calls, and not every time."""
    met = sum(each.met for each in group)
    if met >= chances:
        return group
    for each in group:
        besides = met - each.met
        if not are_alike((each.met, each.exercised), (besides, max(besides, chances - each.exercised))):
            return group
    return [replace(reduce(_together, group), exercised=chances)]


def _chances_in(contexts: Collection[Context], requirements: Sequence[str], tally: Tally) -> int:
    """How often one of the requirements could have been broken there."""
    return max(sum(tally.chances_of(each, BY_ID[id]) for each in contexts) for id in requirements)


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
