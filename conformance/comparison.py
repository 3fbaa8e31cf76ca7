"""Two results compared: what is worse, better or otherwise, requirement by requirement and cell by cell."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from jobtck.conformance.answers import Answers, differ
from jobtck.conformance.calls import Call, call_name
from jobtck.conformance.cells import Cell
from jobtck.conformance.record import CellRecord, Record, RequirementRecord, RunRecord, Verdict

JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.KNOWN)
DEVIATES = (Verdict.FAIL, Verdict.KNOWN)


class Change(StrEnum):
    """What became of a requirement or a cell; what is new or gone was not judged on both sides, and is never worse."""

    REGRESSED = "regressed"
    FIXED = "fixed"
    CHANGED = "changed"
    FLAKY = "flaky"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RequirementChange:
    """A requirement that is judged otherwise than before."""

    change: Change
    old: RequirementRecord | None
    new: RequirementRecord | None

    @property
    def is_news(self) -> bool:
        """The requirement was judged on both sides."""
        return self.change not in (Change.NEW, Change.GONE)

    @property
    def told(self) -> RequirementRecord:
        """The requirement as the newer result tells it, if it does."""
        told = self.new or self.old
        assert told is not None
        return told


@dataclass(frozen=True, slots=True)
class Replays:
    """What the last call of the shortest way answered each time it was made again; None where it was not."""

    old: tuple[str, ...] | None = None
    new: tuple[str, ...] | None = None

    @property
    def agree(self) -> bool:
        """Both were tried, and answer alike."""
        return self.old is not None and self.new is not None and set(self.old) == set(self.new)


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that answers otherwise; `broken` are the requirements that only the new answers break there.

    `way` are the fewest calls that lead there, the cell's own call last; empty where none is known.
    """

    change: Change
    cell: Cell
    old: tuple[CellRecord, ...]
    new: tuple[CellRecord, ...]
    broken: tuple[str, ...] = ()
    way: tuple[Call, ...] = ()
    replays: Replays | None = None

    @property
    def is_news(self) -> bool:
        """The cell was visited on both sides."""
        return self.change not in (Change.NEW, Change.GONE)


@dataclass(frozen=True, slots=True)
class PairComparison:
    """A design on a backend in both results, or in one of them only.

    `unjudged` are the MUSTs that the old result judged and the new one did not exercise.
    """

    old: Record | None
    new: Record | None
    requirements: tuple[RequirementChange, ...] = ()
    cells: tuple[CellChange, ...] = ()
    cells_same: int = 0
    unjudged: tuple[str, ...] = ()

    @property
    def told(self) -> Record:
        """The newer record, if there is one."""
        told = self.new or self.old
        assert told is not None
        return told

    @property
    def counts(self) -> Mapping[Change, int]:
        """How many requirements and cells are in each class."""
        return Counter([*(each.change for each in self.requirements), *(each.change for each in self.cells)])


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs of records of two results; `error` is why the newer one ended early, if it did."""

    pairs: tuple[PairComparison, ...]
    error: str = ""

    @property
    def counts(self) -> Mapping[Change, int]:
        """How many requirements and cells are in each class, in all pairs."""
        return sum((Counter(pair.counts) for pair in self.pairs), Counter())

    @property
    def is_worse(self) -> bool:
        """Something regressed."""
        return bool(self.counts[Change.REGRESSED])

    @property
    def is_otherwise(self) -> bool:
        """Something is worse, or answers otherwise, or not every time."""
        return any(self.counts[each] for each in (Change.REGRESSED, Change.CHANGED, Change.FLAKY))

    @property
    def is_whole(self) -> bool:
        """All that the old result judged was judged again, and there was something."""
        both = [pair for pair in self.pairs if pair.old is not None and pair.new is not None]
        return bool(both) and not self.error and not any(pair.unjudged for pair in self.pairs)


def compare(old: RunRecord, new: RunRecord) -> Comparison:
    """What became of each requirement and cell of *old* in *new*."""
    return Comparison(tuple(_pair(*each) for each in _pairs(old.records, new.records)), new.error)


def _pairs(old: Sequence[Record], new: Sequence[Record]) -> Iterator[tuple[Record | None, Record | None]]:
    """Records of the same backend and design; else, where only one on each side is left, of the same design."""
    left = list(new)
    alone: list[Record] = []
    found: dict[int, Record] = {}
    for place, each in enumerate(old):
        other = next((other for other in left if _name(other) == _name(each)), None)
        if other is None:
            alone.append(each)
        else:
            left.remove(other)
            found[place] = other
    for place, each in enumerate(old):
        if place not in found:
            alike = [other for other in left if other.target.design.name == each.target.design.name]
            rivals = [other for other in alone if other.target.design.name == each.target.design.name]
            if len(alike) == len(rivals) == 1:
                left.remove(alike[0])
                found[place] = alike[0]
        yield each, found.get(place)
    yield from ((None, other) for other in left)


def _name(record: Record) -> tuple[str, str]:
    return record.target.backend, record.target.design.name


def _pair(old: Record | None, new: Record | None) -> PairComparison:
    if old is None or new is None:
        return PairComparison(old, new)
    before, after = ({each.id: each for each in record.requirements} for record in (old, new))
    requirements = tuple(_requirements(before, after))
    unjudged = [
        each.told.id
        for each in requirements
        if each.change is Change.GONE and each.new is not None and each.new.verdict is Verdict.NOT_EXERCISED
    ]
    cells, same = _cells(old.cells, new.cells)
    musts = tuple(id for id in unjudged if after[id].level == "MUST" and not after[id].provisional)
    return PairComparison(old, new, requirements, cells, same, musts)


def _requirements(
    before: Mapping[str, RequirementRecord], after: Mapping[str, RequirementRecord]
) -> Iterator[RequirementChange]:
    for id in dict.fromkeys([*before, *after]):
        old, new = before.get(id), after.get(id)
        change = _requirement_change(old, new)
        if change is not None:
            yield RequirementChange(change, old, new)


def _requirement_change(old: RequirementRecord | None, new: RequirementRecord | None) -> Change | None:
    judged_before = old is not None and old.verdict in JUDGED
    judged_after = new is not None and new.verdict in JUDGED
    if not judged_before or not judged_after:
        return Change.NEW if judged_after else Change.GONE if judged_before else None
    assert old is not None
    assert new is not None
    match old.verdict in DEVIATES, new.verdict in DEVIATES:
        case False, True:
            return Change.FLAKY if _is_flaky(new) else Change.REGRESSED
        case True, False:
            return Change.FLAKY if _is_flaky(old) else Change.FIXED
        case True, True if not _shared(old, new) and not _is_flaky(old) and not _is_flaky(new):
            return Change.CHANGED
        case _:
            return None


def _is_flaky(requirement: RequirementRecord) -> bool:
    """None of what was seen of it happens every time."""
    if not requirement.deviations:
        return requirement.known is None or requirement.known.flaky
    return all(each.is_flaky for each in requirement.deviations)


def _shared(old: RequirementRecord, new: RequirementRecord) -> bool:
    """Both deviate in some call by the same code, as far as that is told."""
    before, after = (
        {(call_name(type(each.lines[-1].call)), each.lines[-1].code) for each in side.deviations if each.lines}
        for side in (old, new)
    )
    return not before or not after or bool(before & after)


def _cells(old: Iterable[CellRecord], new: Iterable[CellRecord]) -> tuple[tuple[CellChange, ...], int]:
    """The cells that are not as before, and how many are."""
    before, after = _by_cell(old), _by_cell(new)
    found = [
        CellChange(Change.GONE if cell in before else Change.NEW, cell, before.get(cell, ()), after.get(cell, ()))
        for cell in sorted(before.keys() ^ after.keys())
    ]
    both = [(cell, Answers(before[cell]), Answers(after[cell])) for cell in sorted(before.keys() & after.keys())]
    changes = differ(both)
    for cell, is_certain in changes.items():
        broken_before, broken_after = ({id for each in side[cell] for id in each.broken} for side in (before, after))
        worse = tuple(sorted(broken_after - broken_before))
        change = Change.REGRESSED if worse else Change.FIXED if broken_before - broken_after else Change.CHANGED
        change = change if is_certain else Change.FLAKY
        found.append(CellChange(change, cell, before[cell], after[cell], worse))
    return tuple(sorted(found, key=lambda each: each.cell)), len(both) - len(changes)


def _by_cell(records: Iterable[CellRecord]) -> Mapping[Cell, tuple[CellRecord, ...]]:
    cells: defaultdict[Cell, list[CellRecord]] = defaultdict(list)
    for each in records:
        cells[Cell(each.state, each.call)].append(each)
    return {cell: tuple(told) for cell, told in cells.items()}
