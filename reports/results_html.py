"""Results as one page: what changed, why it deviates and how to see it; the matrix, the timeline and the states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from jobtck.conformance.comparison import Change, Comparison
from jobtck.conformance.record import NamedRun, RequirementRecord
from jobtck.reports import state_views
from jobtck.reports.changes import OTHERWISE, CellTurn, Succession, Turn, successions
from jobtck.reports.columns import Column, Judged, columns, rows
from jobtck.reports.deviation_cards import CARDS_MAX, Card, cards, links
from jobtck.reports.pages import page
from jobtck.reports.power_tables import power_tables
from jobtck.reports.sentences import build_text, closing
from jobtck.reports.state_graph import state_graph_svg
from jobtck.reports.state_views import STYLE_WORDS, DesignChart, StateView, states
from jobtck.reports.terminal import cost_text
from jobtck.reports.verdict_strips import SIGNS, rows_of_interest, strips_svg

CELLS_MAX = 100  # sorts of cells told of one succession: the first few say what it is about
SUCCESSIONS_MAX = 20  # told in full, the newest; the timeline shows all
GRAPHS_MAX = 6  # of the newest result: the kit's own judge two designs

Charts = Mapping[int, DesignChart]  # by the number of a column
ByPlace = Mapping[tuple[int, str], Sequence[Card]]  # by the number of a column and a requirement


class Mark(NamedTuple):
    """A verdict in the matrix."""

    column: Column
    word: str
    sign: str
    change: str
    link: str


class Row(NamedTuple):
    """A requirement in the matrix; `words` are what it can be filtered by."""

    requirement: RequirementRecord
    marks: Sequence[Mark]
    words: str


class Worse(NamedTuple):
    """A requirement that got worse, with the deviations that show it; some may be told elsewhere in the page."""

    turn: Turn
    cards: Sequence[Card]
    elsewhere: Sequence[Card]


class News(NamedTuple):
    """What is not as it was between two results."""

    between: Succession
    worse: Sequence[Worse]
    better: Sequence[Turn]
    others: Sequence[Turn]
    alone: Sequence[Turn]
    cells: Sequence[CellTurn]
    cells_more: int


class Strips(NamedTuple):
    """A timeline of one backend and design."""

    title: str
    columns: Sequence[Column]
    quiet: int
    picture: Markup


class Graph(NamedTuple):
    """The states of one design in the newest result that judged it."""

    title: str
    column: Column
    prefix: str
    picture: Markup
    states: Sequence[StateView]


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a page is made of."""

    results: Sequence[NamedRun]
    columns: Sequence[Column]
    news: Sequence[Succession]
    cards: Sequence[Card]
    rows: Sequence[RequirementRecord]


def shown_of(results: Sequence[NamedRun], comparisons: Sequence[Comparison]) -> Shown:
    """The results side by side, compared and with their deviations."""
    side_by_side = columns(results)
    news = successions(comparisons, side_by_side)
    return Shown(results, side_by_side, news, cards(side_by_side), rows(side_by_side))


def results_html(results: Sequence[NamedRun], comparisons: Sequence[Comparison], charts: Charts) -> str:
    """The page; each of the `comparisons` is of a result and the next, `charts` are the designs' of the newest."""
    shown = shown_of(results, comparisons)
    news = _news(shown)
    told = {card.anchor for each in news for worse in each.worse for card in worse.cards}
    cards_left = [card for card in shown.cards if card.anchor not in told]
    return page(
        "results.html.jinja",
        {
            "title": _title(results),
            "results": results,
            "build_text": build_text,
            "closing": closing,
            "columns": shown.columns,
            "news": news,
            "has_two": len(results) > 1,
            "cards": cards_left[:CARDS_MAX],
            "cards_more": max(len(cards_left) - CARDS_MAX, 0),
            "cost_text": cost_text,
            "signs": SIGNS,
            "style_words": STYLE_WORDS,
            "state_signs": state_views.SIGNS,
            "rows": _rows(shown),
            "chapters": list(dict.fromkeys(each.chapter for each in shown.rows)),
            "words": [word for word in SIGNS if word != "absent"],
            "timelines": _timelines(shown) if len(results) > 1 else [],
            "powers": power_tables(newest(shown.columns)),
            "graphs": _graphs(shown, charts),
        },
    )


def newest(shown: Sequence[Column]) -> tuple[Column, ...]:
    """Of each backend and design the column of the newest result."""
    found: dict[Judged, Column] = {column.judged: column for column in shown}
    return tuple(found.values())[:GRAPHS_MAX]


def _title(results: Sequence[NamedRun]) -> str:
    if len(results) == 1:
        return f"{results[0].name}: {results[0].run.verdict}"
    return f"From {results[0].name} to {results[-1].name}"


def _news(shown: Shown) -> Sequence[News]:
    """What changed, the newest first; each deviation is shown whole once."""
    by_place = _cards_by_place(shown.cards)
    told: set[str] = set()
    return [
        News(
            each,
            [_worse(each.newer, turn, by_place, told) for turn in each.turns(Change.REGRESSED)],
            each.turns(Change.FIXED),
            each.turns(Change.CHANGED, Change.FLAKY, Change.NOT_SEEN),
            each.turns(Change.NEW, Change.GONE),
            each.cells[:CELLS_MAX],
            sum(cell.group.count for cell in each.cells[CELLS_MAX:]),
        )
        for each in shown.news[:SUCCESSIONS_MAX]
    ]


def _worse(column: Column, turn: Turn, by_place: ByPlace, told: set[str]) -> Worse:
    made = by_place.get((column.place, turn.requirement.id), ())
    whole = [card for card in made if card.anchor not in told]
    told.update(card.anchor for card in whole)
    return Worse(turn, whole, [card for card in made if card not in whole])


def _cards_by_place(made: Sequence[Card]) -> ByPlace:
    found: dict[tuple[int, str], list[Card]] = {}
    for card in made:
        for column in card.seen:
            for id in card.ids:
                found.setdefault((column.place, id), []).append(card)
    return found


def _rows(shown: Shown) -> Sequence[Row]:
    to_card = links(shown.cards)
    changes = {
        (each.newer.place, turn.requirement.id): str(turn.change)
        for each in shown.news
        for turn in each.turns(*OTHERWISE)
    }
    made = []
    for requirement in shown.rows:
        marks = []
        for column in shown.columns:
            word = column.standing(requirement.id)
            place = (column.place, requirement.id)
            marks.append(Mark(column, word, SIGNS[word], changes.get(place, ""), to_card.get(place, "")))
        words = {mark.word for mark in marks} | {mark.change for mark in marks if mark.change}
        made.append(Row(requirement, marks, "|".join(sorted(words))))
    return made


def _timelines(shown: Shown) -> Sequence[Strips]:
    ids = [each.id for each in shown.rows]
    found = []
    for judged in dict.fromkeys(column.judged for column in shown.columns):
        side_by_side = [column for column in shown.columns if column.judged == judged]
        title = f"{judged[0]} as {judged[1]}"
        interesting = rows_of_interest(side_by_side, ids)
        picture = Markup(strips_svg(side_by_side, interesting, f"Verdicts of {title}"))  # noqa: S704
        found.append(Strips(title, side_by_side, len(ids) - len(interesting), picture))
    return found


def _graphs(shown: Shown, charts: Charts) -> Sequence[Graph]:
    changed = {each.newer.place: each.changed_places for each in shown.news}
    found = []
    for column in newest(shown.columns):
        chart = charts.get(column.place, DesignChart())
        views = states(column.record.cells, chart, changed.get(column.place, {}))
        prefix, title = f"s{column.place}-", f"{column.release} as {column.design}"
        picture = Markup(state_graph_svg(views, chart, prefix, f"States of {title}"))  # noqa: S704
        found.append(Graph(title, column, prefix, picture, views))
    return found
