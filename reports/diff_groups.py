"""Cells that became the same in the same way are told together: by their call, and by what it tells now."""

from collections.abc import Iterable
from dataclasses import dataclass

from jobtck.conformance.comparison import (
    STANDING_WORDS,
    CellChange,
    Change,
    PairComparison,
    RequirementChange,
    is_flaky,
)
from jobtck.conformance.outcomes import Waited
from jobtck.conformance.record import CellRecord
from jobtck.reports.sentences import rate_text, symptom_text, target_text
from jobtck.reports.texts import one_line

GRAVITY = (Change.REGRESSED, Change.CHANGED, Change.FLAKY, Change.FIXED, Change.NOT_SEEN)


@dataclass(frozen=True, slots=True)
class CellGroup:
    """Cells of one call that answer otherwise in the same way; `shown` is the one that takes the fewest calls."""

    change: Change
    call: str
    old: str
    new: str
    broken: tuple[str, ...]
    shown: CellChange
    count: int


def groups(pair: PairComparison) -> list[CellGroup]:
    """The groups of a pair, the worst first, and then the largest."""
    found: dict[tuple[object, ...], list[CellChange]] = {}
    for each in pair.cells:
        if each.is_news:
            name = each.cell.call.partition("(")[0]
            key = (each.change, name, answers_text(each.old), answers_text(each.new), each.broken)
            found.setdefault(key, []).append(each)
    told = [_group(cells) for cells in found.values()]
    return sorted(told, key=lambda each: (GRAVITY.index(each.change), -each.count))


def _group(cells: list[CellChange]) -> CellGroup:
    shown = min(cells, key=lambda each: (not each.way, each.replays is None, len(each.way)))
    return CellGroup(
        change=shown.change,
        call=shown.cell.call.partition("(")[0],
        old=answers_text(shown.old),
        new=answers_text(shown.new),
        broken=shown.broken,
        shown=shown,
        count=len(cells),
    )


def answers_text(records: Iterable[CellRecord]) -> str:
    """What a cell answered, in one line without counts."""
    told = sorted({_answer(each) for each in records})
    return " or ".join(told)


def _answer(record: CellRecord) -> str:
    waited = "" if record.waited is Waited.AT_ONCE else f" ({record.waited})"
    return one_line(record.outcome) + waited


def news(pair: PairComparison) -> list[RequirementChange]:
    """The requirements that were judged on both sides and stand otherwise, the worst first."""
    return sorted((each for each in pair.requirements if each.is_news), key=lambda each: GRAVITY.index(each.change))


def standing_text(change: RequirementChange) -> str:
    """`passed, now failed`."""
    if change.change is Change.NOT_SEEN:
        rarely = change.old is not None and is_flaky(change.old)
        return f"{'does not happen every time' if rarely else 'was asked less often'}, and was not seen this time"
    old, new = ("not there" if side is None else STANDING_WORDS[side.verdict] for side in (change.old, change.new))
    return f"{old}, now {new}"


def news_texts(change: RequirementChange) -> list[str]:
    """How it deviates as it did not before, and how often: `END-6 in get_job_stats answered '…', reproduced 3 of 3`."""
    if change.new is None:
        return []
    rates = {symptom: rate_text(each) for each in change.new.deviations for symptom in each.symptoms}
    return [one_line(f"{symptom_text(each)}, {rates[each]}") for each in change.symptoms]


def pair_title(pair: PairComparison) -> str:
    """What is compared with what: both where they are called otherwise."""
    old, new = (None if side is None else target_text(side.target) for side in (pair.old, pair.new))
    if old is None or new is None:
        return f"{new} (new: nothing to compare it with)" if new else f"{old} (gone)"
    return new if old == new else f"{old} → {new}"


def replayed_text(change: CellChange) -> str:
    """What came of making the calls again; empty where nobody did."""
    if change.replays is None:
        return ""
    told = [
        f"{name} answers {' or '.join(sorted(set(map(one_line, answers))))}"
        for name, answers in (("the old", change.replays.old), ("the new", change.replays.new))
        if answers is not None
    ]
    return "made again: " + "; ".join(told)
