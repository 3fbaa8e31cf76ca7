"""Whether a run asked as much as an earlier one: only then does it mean something that it saw nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from jobtck.conformance.cells import Cell
from jobtck.conformance.record import CellRecord, Record

# Of one build, on two processors with a load of 5 to 10, quick runs of 20 s left out up to 44 % of what another had
# visited, and default runs 5 %; one that came to 27 calls, for it was kept waiting, left out 87 %.
MISSED_MAX = 0.5


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of some cells that an earlier run visited a later one visited too."""

    again: int
    before: int

    @property
    def is_enough(self) -> bool:
        """The later run says something of the most of them."""
        return self.before - self.again <= MISSED_MAX * self.before


def reach(old: Record, new: Record) -> Reach:
    """How many of the cells of *old* were visited again."""
    return _reach(visits(old.cells), visits(new.cells))


def _reach(before: Collection[Cell], after: Collection[Cell]) -> Reach:
    return Reach(sum(cell in after for cell in before), len(before))


def visits(cells: Iterable[CellRecord]) -> Mapping[Cell, int]:
    """How often each cell was visited."""
    counts = Counter[Cell]()
    for each in cells:
        counts[Cell(each.state, each.call)] += each.count
    return counts


def asked_as_much(id: str, old: Record, new: Record) -> bool:
    """The most of the cells in which *old* saw the requirement broken were visited again.

    If it was not broken there each time, it has to be as often as before. Where no cell tells, the requirement was
    exercised as often.
    """
    broken = visits(each for each in old.cells if id in each.broken)
    if not broken:
        exercised = [next((each.exercised for each in run.requirements if each.id == id), 0) for run in (old, new)]
        return exercised[1] >= exercised[0]
    before, after = visits(old.cells), visits(new.cells)
    is_each_time = all(count == before[cell] for cell, count in broken.items())
    is_as_often = sum(after.get(cell, 0) for cell in broken) >= sum(before[cell] for cell in broken)
    return _reach(broken, after).is_enough and (is_each_time or is_as_often)
