"""The fewest calls that lead to the cells of a comparison, drawn from the results alone, and made again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from jobtck.backends import open_target
from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Options, Target
from jobtck.conformance.cells import Cell
from jobtck.conformance.comparison import CellChange, Change, Comparison, PairComparison, Replays
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import TargetRecord
from jobtck.conformance.state import LIVE_JOBS_MAX
from jobtck.hunt import TOUR_JOBS
from jobtck.replay import told_by
from jobtck.replays import Stage, at_any_deviation
from jobtck.reports.diff_groups import groups
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw

RUNS = 3  # as often as a deviation is run again
REPLAYED_MAX = 20  # sorts of change that are made again; a build with more has changed all over

Answers = tuple[str, ...] | None
Source = Callable[[TargetRecord], Target]  # who can be asked again what a result tells of


def with_ways(comparison: Comparison) -> Comparison:
    """The comparison, each cell that answers otherwise with the fewest calls that lead there."""
    return replace(comparison, pairs=tuple(map(_with_ways, comparison.pairs)))


def _with_ways(pair: PairComparison) -> PairComparison:
    wanted = {each.cell for each in pair.cells if each.is_news}
    ways: dict[Cell, tuple[Call, ...]] = {}
    for side in (pair.new, pair.old):
        if side is not None and wanted - ways.keys():
            ways = {**_ways(side.target, wanted - ways.keys()), **ways}
    return shown_by(pair, ways)


def shown_by(pair: PairComparison, ways: Mapping[Cell, tuple[Call, ...]]) -> PairComparison:
    """The pair, each of these cells with the calls that lead there."""
    return replace(pair, cells=tuple(replace(each, way=ways.get(each.cell, ())) for each in pair.cells))


def on_chart(chart: Chart, wanted: Iterable[Cell]) -> Mapping[Cell, tuple[Call, ...]]:
    """The fewest calls that lead to each of these cells which the chart has."""
    return {cell: chart.way(cell) for cell in wanted if cell in chart.ways}


def _ways(target: TargetRecord, wanted: Iterable[Cell]) -> Mapping[Cell, tuple[Call, ...]]:
    """What the chart of that target says, first of few jobs, then of more; nothing where too little is declared."""
    if target.capabilities is None:
        return {}
    judge = Judge(target.design, target.capabilities)
    found: dict[Cell, tuple[Call, ...]] = {}
    for live_jobs in (TOUR_JOBS, LIVE_JOBS_MAX):
        left = [cell for cell in wanted if cell not in found]
        if left:
            found |= on_chart(draw(judge, Alphabet(target.design, target.capabilities, live_jobs)), left)
    return found


def source_of(backend: str | None, uri: str | None) -> Source | None:
    """Who answers again: that backend, or the one that a result names, behind that URI; None where neither is given."""
    if backend is None and uri is None:
        return None
    return lambda target: open_target(backend or target.backend, target.design, Options(uri=uri))


def made_again(comparison: Comparison, old: Source | None, new: Source | None) -> Comparison:
    """The comparison, the shortest way of each sort of change made again on the sides that are at hand."""
    return replace(comparison, pairs=tuple(_made_again(pair, old, new) for pair in comparison.pairs))


def _made_again(pair: PairComparison, old: Source | None, new: Source | None) -> PairComparison:
    chosen = [group.shown for group in groups(pair) if group.shown.way][:REPLAYED_MAX]
    if not chosen or pair.old is None or pair.new is None:
        return pair
    before = [None] * len(chosen) if old is None else _asked(old(pair.old.target), chosen)
    after = [None] * len(chosen) if new is None else _asked(new(pair.new.target), chosen)
    again = {
        each.cell: _judged_again(each, Replays(*answers)) for each, *answers in zip(chosen, before, after, strict=True)
    }
    return replace(pair, cells=tuple(again.get(each.cell, each) for each in pair.cells))


def _judged_again(change: CellChange, replays: Replays) -> CellChange:
    """The change; what answers alike on both sides after all does not happen every time."""
    return replace(change, replays=replays, change=Change.FLAKY if replays.agree else change.change)


def _asked(target: Target, changes: Sequence[CellChange]) -> list[Answers]:
    """What the last call of each way answers, some times over, on fresh guests."""
    try:
        judge = Judge(target.design, target.capabilities)
        return [_answers(target, judge, each) for each in changes]
    finally:
        target.close()


def _answers(target: Target, judge: Judge, change: CellChange) -> tuple[str, ...]:
    stage = Stage(target, judge)
    try:
        runs = [stage.replay(change.way, at_any_deviation) for _ in range(RUNS)]
    finally:
        stage.close()
    return tuple(told_by(run[-1]) if run and run[-1].step.ruling.cell == change.cell else "not reached" for run in runs)
