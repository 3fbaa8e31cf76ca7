"""Two results compared: what is worse, better or otherwise, requirement by requirement and cell by cell."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from jobtck.conformance.answers import Answers, differ, is_worse_answer
from jobtck.conformance.asked import Reach, asked_as_much, reach
from jobtck.conformance.calls import Call
from jobtck.conformance.cells import Cell
from jobtck.conformance.record import CellRecord, Record, RequirementRecord, RunRecord, Symptom, Verdict

JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.KNOWN)
DEVIATES = (Verdict.FAIL, Verdict.KNOWN)
STANDING_WORDS = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.KNOWN: "known deviation",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.NOT_EXERCISED: "not exercised",
}


TOO_FEW = "the run was shorter, or its calls took longer"


class Change(StrEnum):
    """What became of a requirement or a cell; what is new or gone was not judged on both sides.

    A deviation that was not seen now may be there still: it does not happen every time, or less was asked than before.
    """

    REGRESSED = "regressed"
    FIXED = "fixed"
    CHANGED = "changed"
    FLAKY = "flaky"
    NOT_SEEN = "not seen"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RequirementChange:
    """A requirement that is judged otherwise than before; `symptoms` are those that only the newer result shows."""

    change: Change
    old: RequirementRecord | None
    new: RequirementRecord | None
    symptoms: tuple[Symptom, ...] = ()

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
class Gap:
    """What the old result judged and the new one did not: a requirement or a call, what it was, and why it is not."""

    what: str
    was: str
    why: str


@dataclass(frozen=True, slots=True)
class PairComparison:
    """A design on a backend in both results, or in one of them only; `gaps` are what was judged in the old one only.

    `reach` is how many of the old one's cells were visited again, where there are both.
    """

    old: Record | None
    new: Record | None
    requirements: tuple[RequirementChange, ...] = ()
    cells: tuple[CellChange, ...] = ()
    cells_same: int = 0
    gaps: tuple[Gap, ...] = ()
    reach: Reach | None = None

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
        return bool(both) and not self.error and not any(pair.gaps for pair in self.pairs)


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
    if new is None:
        assert old is not None
        return PairComparison(old, None, gaps=(Gap("all of it", f"{old.verdict}", "this run did not judge it"),))
    if old is None:
        return PairComparison(None, new)
    requirements = tuple(_requirements(old, new))
    cells, same = _cells(old.cells, new.cells)
    again = reach(old, new)
    return PairComparison(old, new, requirements, cells, same, tuple(_gaps(requirements, old, new, again)), again)


def call_of(cell: CellRecord) -> str:
    """The name of the call that is made in the cell."""
    return cell.call.partition("(")[0]


def _gaps(requirements: Iterable[RequirementChange], old: Record, new: Record, again: Reach) -> Iterator[Gap]:
    """What was judged before and not now; what a quick run leaves out it says itself."""
    if not new.cells:
        yield Gap("all of it", str(old.verdict), "this run made no call")
    elif not again.is_enough:
        missed = again.before - again.again
        yield Gap(f"the greater part of the cells ({missed:,} of {again.before:,})", "visited", TOO_FEW)
    for each in requirements:
        if each.change is Change.GONE and each.old is not None and not (each.new is not None and each.new.left_out):
            yield Gap(each.old.id, STANDING_WORDS[each.old.verdict], _why_gone(each.new))
    declared = sorted(set(old.target.calls) - set(new.target.calls))
    yield from (Gap(call, "declared", "it is not declared any more") for call in declared)


def _why_gone(new: RequirementRecord | None) -> str:
    if new is None:
        return "this release has no such requirement"
    if new.verdict in JUDGED:
        return "the call that showed it was not made"
    return f"{STANDING_WORDS[new.verdict]}: {new.reason}" if new.reason else STANDING_WORDS[new.verdict]


def _requirements(old: Record, new: Record) -> Iterator[RequirementChange]:
    before, after = ({each.id: each for each in record.requirements} for record in (old, new))
    made = {call_of(each) for each in new.cells}
    for id in dict.fromkeys([*before, *after]):
        more = _more_symptoms(after[id], before[id], old, new) if id in before and id in after else ()
        change = _requirement_change(before.get(id), after.get(id), made, more)
        if change is Change.FIXED and not asked_as_much(id, old, new):
            change = Change.NOT_SEEN
        if change is not None:
            yield RequirementChange(change, before.get(id), after.get(id), more)


def _more_symptoms(now: RequirementRecord, before: RequirementRecord, old: Record, new: Record) -> tuple[Symptom, ...]:
    """The symptoms of the newer run that the older one did not meet, whether or not it ran them again.

    A symptom that was met with another kind of job only is no other one, if the older run was in none of its cells.
    """
    met = before.symptoms | {each for cell in old.cells for each in cell.symptoms if each.requirement == before.id}
    of_any_job = {replace(each, job="") for each in met}
    visited = {(cell.state, cell.call) for cell in old.cells}
    more = [
        symptom
        for symptom in now.symptoms - met
        if replace(symptom, job="") not in of_any_job
        or any(symptom in cell.symptoms and (cell.state, cell.call) in visited for cell in new.cells)
    ]
    return tuple(sorted(more))


def _requirement_change(
    old: RequirementRecord | None, new: RequirementRecord | None, made: Collection[str], more: Sequence[Symptom]
) -> Change | None:
    """What became of it, where the newer run made calls of the names in *made*, and met *more* symptoms."""
    judged_before = old is not None and old.verdict in JUDGED
    judged_after = new is not None and new.verdict in JUDGED
    if not judged_before or not judged_after:
        return Change.NEW if judged_after else Change.GONE if judged_before else None
    assert old is not None
    assert new is not None
    match old.verdict in DEVIATES, new.verdict in DEVIATES:
        case False, True:
            return Change.REGRESSED
        case True, False if not {each.call for each in old.symptoms}.issubset(made):
            return Change.GONE
        case True, False:
            return Change.NOT_SEEN if is_flaky(old) else Change.FIXED
        case True, True if old.symptoms and more:
            return Change.REGRESSED
        case _:
            return None


def is_flaky(requirement: RequirementRecord) -> bool:
    """None of what was seen of it happens every time."""
    if not requirement.deviations:
        return all(each.flaky for each in requirement.known)
    return all(each.is_flaky for each in requirement.deviations)


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
        sides = Answers(before[cell]), Answers(after[cell])
        if not is_certain:
            change = Change.FLAKY
        elif worse or is_worse_answer(*sides):
            change = Change.REGRESSED
        elif broken_before - broken_after:
            change = Change.FIXED  # certain, so it answered otherwise each time
        else:
            change = Change.CHANGED
        found.append(CellChange(change, cell, before[cell], after[cell], worse))
    return tuple(sorted(found, key=lambda each: each.cell)), len(both) - len(changes)


def _by_cell(records: Iterable[CellRecord]) -> Mapping[Cell, tuple[CellRecord, ...]]:
    cells: defaultdict[Cell, list[CellRecord]] = defaultdict(list)
    for each in records:
        cells[Cell(each.state, each.call)].append(each)
    return {cell: tuple(told) for cell, told in cells.items()}
