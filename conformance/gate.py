"""A run held against an earlier one: it fails of what is worse, and not of what was so before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobtck.conformance.comparison import JUDGED, CellChange, Change, Comparison, PairComparison, RequirementChange
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import Became, Gate, Record, RequirementRecord, RunRecord, Symptom, Verdict

FAILING = (Change.REGRESSED, Change.NEW)
FAILING_STRICT = (*FAILING, Change.CHANGED, Change.FLAKY)
SO_BEFORE = "so in the baseline as well"
SAME_COMMAND = "take a result of the same command as the baseline"
ON_PURPOSE = "if that is on purpose, take the result of this run as the baseline"


def refuse_useless(baseline: RunRecord, place: str, pairs: Sequence[tuple[str, str]]) -> None:
    """`BadInput` for a baseline that excuses nothing of these backends and designs, before anything is judged."""
    useful = [each for each in baseline.records if each.cells and any(is_judged(one) for one in each.requirements)]
    if not useful:
        raise BadInput(f"{place}: the baseline exercised nothing: take the result of a run that judged something")
    if not any(_is_comparable(record, *pair) for record in useful for pair in pairs):
        there = ", ".join(f"{each.target.backend} as {each.target.design.name}" for each in useful)
        here = ", ".join(f"{backend} as {design}" for backend, design in pairs)
        raise BadInput(
            f"{place}: the baseline judged {there}, and this run is to judge {here}: take a result of the same command"
        )


def is_judged(requirement: RequirementRecord) -> bool:
    """The run says whether it is kept."""
    return requirement.verdict in JUDGED


def _is_comparable(record: Record, backend: str, design: str) -> bool:
    """The record is of that design, on that backend or on another one behind a command."""
    kinds = {name.partition(":")[0] for name in (record.target.backend, backend)}
    return record.target.design.name == design and len(kinds) == 1


def gated(run: RunRecord, comparison: Comparison, became: Sequence[Became], baseline: str) -> RunRecord:
    """The run with what its gate says, and with excuses for what fails only without the baseline."""
    complaints = [sentence for record in run.records for sentence in _complaints(record)]
    gaps = tuple(sentence for pair in comparison.pairs for sentence in gap_sentences(pair))
    cells = tuple(sentence for pair in comparison.pairs for sentence in _reach_sentences(pair))
    excused = {id(pair.new): _excused(pair) for pair in comparison.pairs if pair.new is not None}
    records = tuple(excused[id(record)] for record in run.records)
    return replace(run, gate=Gate(baseline, tuple(became), tuple(complaints), gaps, cells), records=records)


def gap_sentences(pair: PairComparison) -> Iterator[str]:
    """What only one of the baseline and this run judged, with what to do."""
    if pair.old is None:
        yield f"{_title(pair)}: not judged in the baseline; {SAME_COMMAND}"
    for each in pair.gaps:
        what = f"{_title(pair)}: {each.what} was {each.was} in the baseline, and is not judged now: {each.why}"
        yield f"{what}; {ON_PURPOSE}"


def _reach_sentences(pair: PairComparison) -> Iterator[str]:
    """How much of what the baseline visited this run did too."""
    if pair.reach is not None and pair.reach.before:
        again, before = pair.reach.again, pair.reach.before
        yield f"{_title(pair)}: {again:,} of the baseline's {before:,} cells were judged, {before - again:,} were not"


def _title(pair: PairComparison) -> str:
    target = pair.told.target
    return f"{target.backend} as {target.design.name}"


def fails(change: RequirementChange | CellChange, record: Record | None, classes: Sequence[Change]) -> bool:
    """The change fails a run: it is of these classes, and some of it is not listed as known."""
    if change.change not in classes or record is None:
        return False
    if isinstance(change, CellChange):
        if change.change is Change.NEW:
            return False  # other seeds visit other cells
        if change.change is not Change.REGRESSED:
            return True
        shown = [symptom for each in change.new for symptom in each.symptoms]
        worse = [symptom for symptom in shown if symptom.requirement in change.broken] or shown
        return not worse or not _all_known(worse, record)
    told = change.new
    if change.change is Change.NEW:
        return told is not None and told.verdict is Verdict.FAIL and (told.level == "MUST" or record.strict)
    if told is None or not change.symptoms:
        return told is not None and told.verdict is not Verdict.KNOWN
    return not _all_known(change.symptoms, record)


def _all_known(symptoms: Sequence[Symptom], record: Record) -> bool:
    """Each symptom is covered by an entry that the run applied."""
    listed = [known for each in record.requirements for known in each.known]
    return all(any(known.covers(each) for known in listed) for each in symptoms)


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
    changes = {each.told.id: each for each in pair.requirements}
    worse = {id for id, each in changes.items() if each.change is Change.GONE or fails(each, pair.new, FAILING)}
    worse |= {each.requirement for each in pair.new.expired_known}
    return replace(
        pair.new,
        requirements=tuple(
            each if each.id in worse else replace(each, excused=_excuse(each, changes.get(each.id)))
            for each in pair.new.requirements
        ),
    )


def _excuse(requirement: RequirementRecord, change: RequirementChange | None) -> str:
    if requirement.verdict not in (Verdict.FAIL, Verdict.NOT_EXERCISED):
        return ""
    return SO_BEFORE if change is None or change.change is not Change.NEW else "not judged in the baseline"
