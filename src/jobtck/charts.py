"""What the model adds to results: where calls lead, what can be reached, and the fewest calls that show a change."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from jobtck.conformance.capabilities import Capabilities, Feature
from jobtck.conformance.comparison import Comparison, PairComparison, compare
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import NamedRun, Record, TargetRecord
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.hunt import TOUR_JOBS
from jobtck.reports.columns import columns
from jobtck.reports.results_html import newest
from jobtck.reports.state_views import DesignChart, Edge, base
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw
from jobtck.ways import on_chart, shown_by


@dataclass(frozen=True, slots=True)
class Model:
    """What the results come to beside one another, and the charts of the newest, by the number of their column."""

    comparisons: Sequence[Comparison]
    charts: Mapping[int, DesignChart]


def model_of(results: Sequence[NamedRun]) -> Model:
    """Each result compared with the one before it; the newest with the fewest calls that show what changed."""
    drawn = {column.place: (column.record, _drawn(column.record)) for column in newest(columns(results))}
    ways = {id(record): chart for record, chart in drawn.values()}
    comparisons = [compare(one.run, other.run) for one, other in pairwise(results)]
    return Model(
        comparisons=[*comparisons[:-1], *(_with_ways(each, ways) for each in comparisons[-1:])],
        charts={place: _design_chart(chart) for place, (_, chart) in drawn.items()},
    )


def _with_ways(comparison: Comparison, charts: Mapping[int, Chart]) -> Comparison:
    return replace(comparison, pairs=tuple(_shown(pair, charts.get(id(pair.new))) for pair in comparison.pairs))


def _shown(pair: PairComparison, chart: Chart | None) -> PairComparison:
    if chart is None:
        return pair
    return shown_by(pair, on_chart(chart, (each.cell for each in pair.cells if each.is_news)))


def _drawn(record: Record) -> Chart:
    """Every cell that the model can reach of what was judged."""
    capabilities = _capabilities(record.target)
    judge = Judge(record.target.design, capabilities)
    return draw(judge, Alphabet(record.target.design, capabilities, TOUR_JOBS))


def _design_chart(chart: Chart) -> DesignChart:
    return DesignChart(tuple(_edges(chart)), frozenset((each.state, each.call) for each in chart.ways))


def _capabilities(target: TargetRecord) -> Capabilities:
    """Those that were declared; where a result tells nothing that can be, the reference's as far as calls are there."""
    if target.capabilities is not None and target.capabilities.disks:
        return target.capabilities
    whole = ReferenceTarget(target.design).capabilities
    features = frozenset(each for each in Feature if each in target.features)
    return replace(whole, calls=whole.calls & set(target.calls), features=features)


def _edges(chart: Chart) -> Iterator[Edge]:
    """Which calls lead from the jobs of one state to those of another."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for place in chart.places.values():
        for move in place.moves:
            start, end = base(place.words), base(move.leads_to)
            if start != end:
                found[start, end].add(move.cell.call.partition("(")[0])
    for (start, end), calls in sorted(found.items()):
        yield Edge(start, end, tuple(sorted(calls)))
