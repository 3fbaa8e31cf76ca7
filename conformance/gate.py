"""A run held against an earlier one: it fails of what is worse, and not of what was so before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobtck.conformance.comparison import CellChange, Change, Comparison, PairComparison, RequirementChange
from jobtck.conformance.record import Became, Gate, Record, RequirementRecord, RunRecord, Verdict

FAILING = (Change.REGRESSED,)
FAILING_STRICT = (Change.REGRESSED, Change.CHANGED, Change.FLAKY)
EXCUSES = {
    None: "so in the baseline as well",
    Change.CHANGED: "so in the baseline as well, in other calls",
    Change.FLAKY: "it does not happen every time, so that the baseline may have missed it",
    Change.NEW: "not judged in the baseline",
}


def gated(run: RunRecord, comparison: Comparison, became: Sequence[Became], baseline: str) -> RunRecord:
    """The run with what its gate says, and with excuses for what fails it alone."""
    complaints = [sentence for record in run.records for sentence in _complaints(record)]
    unjudged = [", ".join(pair.unjudged) for pair in comparison.pairs if pair.unjudged]
    gaps = [f"{ids}: judged in the baseline, and not exercised now" for ids in unjudged]
    if not any(pair.old and pair.new for pair in comparison.pairs):
        gaps.append("the baseline has no design in common with this run")
    excused = {id(pair.new): _excused(pair) for pair in comparison.pairs if pair.new is not None}
    records = tuple(excused[id(record)] for record in run.records)
    return replace(run, gate=Gate(baseline, tuple(became), tuple(complaints), tuple(gaps)), records=records)


def fails(change: RequirementChange | CellChange, record: Record | None, classes: Sequence[Change]) -> bool:
    """The change fails a run: it is of these classes, and not of requirements that are listed as known only."""
    if change.change not in classes or record is None:
        return False
    known = {each.id for each in record.requirements if each.verdict is Verdict.KNOWN}
    if isinstance(change, CellChange):
        return not change.broken or not known.issuperset(change.broken)
    return change.told.verdict is not Verdict.KNOWN


def _complaints(record: Record) -> Iterator[str]:
    """What the baseline is no excuse for: lists and declarations that are not true."""
    for known in record.stale_known:
        yield f"{known.requirement} is listed as known and did not happen: take it off the list"
    for known in record.expired_known:
        yield f"{known.requirement} is listed as known until {known.expires}, which is past, and happens still"
    for call in record.unkept_calls:
        yield f"{call} is declared, and was refused as unsupported every time"
    for call in record.never_succeeded:
        yield f"{call} never succeeded, even where nothing was in its way"


def _excused(pair: PairComparison) -> Record:
    assert pair.new is not None
    if pair.old is None:
        return pair.new
    changes = {each.told.id: each.change for each in pair.requirements}
    expired = {each.requirement for each in pair.new.expired_known}
    return replace(
        pair.new,
        requirements=tuple(
            each if each.id in expired else replace(each, excused=_excuse(each, changes.get(each.id)))
            for each in pair.new.requirements
        ),
    )


def _excuse(requirement: RequirementRecord, change: Change | None) -> str:
    if requirement.verdict not in (Verdict.FAIL, Verdict.NOT_EXERCISED):
        return ""
    return EXCUSES.get(change, "")
