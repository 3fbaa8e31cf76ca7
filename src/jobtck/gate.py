"""`jobtck run --baseline`: a run is held against an earlier one, and what became of it is told with it."""

from collections.abc import Iterator, Sequence

from jobtck.conformance.comparison import Change, PairComparison, compare
from jobtck.conformance.gate import FAILING, FAILING_STRICT, fails, gated
from jobtck.conformance.record import Became, NamedRun, RunRecord
from jobtck.conformance.wording import call_text
from jobtck.reports.diff_groups import groups, news, news_texts, pair_title, standing_text


def held_against(run: RunRecord, baseline: NamedRun | None, *, strict: bool) -> RunRecord:
    """The run with its gate, where there is a baseline; *strict*: what answers otherwise fails it too."""
    if baseline is None:
        return run
    from jobtck.ways import with_ways

    comparison = with_ways(compare(baseline.run, run))
    classes = FAILING_STRICT if strict else FAILING
    became = [each for pair in comparison.pairs for each in _became(pair, classes)]
    return gated(run, comparison, became, baseline.name)


def _became(pair: PairComparison, classes: Sequence[Change]) -> Iterator[Became]:
    title = pair_title(pair)
    for each in news(pair):
        fatal = fails(each, pair.new, classes)
        told = "; ".join([standing_text(each), *news_texts(each)])
        yield Became(title, each.told.id, each.change, f"{told}: {each.told.text}", fatal)
    for each in pair.requirements:
        if each.change is Change.NEW and fails(each, pair.new, classes):
            told = f"not judged in the baseline, now failed: {each.told.text}"
            yield Became(title, each.told.id, each.change, told, fails=True)
    for group in groups(pair):
        calls = "; ".join(call_text(call) for call in group.shown.way)
        told = f"{group.old} before, now {group.new}" + (f", in {group.count:,} cells" if group.count > 1 else "")
        told += f"; breaks {', '.join(group.broken)}" if group.broken else ""
        told += f"; shown by: {calls}" if calls else f"; in {group.shown.cell.state}: {group.shown.cell.call}"
        yield Became(title, group.call, group.change, told, fails(group.shown, pair.new, classes))
