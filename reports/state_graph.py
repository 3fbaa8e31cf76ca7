"""A design as a picture: its states by the jobs that live, and the calls that lead from one to another."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from jobtck.reports.state_views import DesignChart, Edge, StateView
from jobtck.reports.texts import counted, one_line

WIDTH, HEIGHT, GAP, BAND_GAP = 196, 60, 14, 46  # of a state, between states, and between numbers of jobs
ACROSS = 5  # states in a row: with more, a picture is wider than a laptop's window
LETTERS = 31  # of a state's words in a line
BAR_MIN = 4  # of a share
LEFT = 76  # for what the rows are called


def state_graph_svg(drawn: Sequence[StateView], chart: DesignChart, prefix: str, title: str) -> str:
    """The states in rows by the number of their jobs, each a link to its cells."""
    places, bands, height = _places(drawn)
    width = LEFT + ACROSS * (WIDTH + GAP)
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="states" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="group" aria-label="{escape(one_line(title), quote=True)}">'
    )
    parts = [
        begin,
        *(f'<text class="band" x="0" y="{y + 20}">{name}</text>' for name, y in bands),
        *_edges(chart.edges, places, {view.words: view.number for view in drawn}),
        *(_node(view, *places[view.words], prefix) for view in drawn),
        "</svg>",
    ]
    return "".join(parts)


def _places(drawn: Sequence[StateView]) -> tuple[dict[str, tuple[int, int]], list[tuple[str, int]], int]:
    """Where each state stands, where each number of jobs begins, and the height of it all."""
    places: dict[str, tuple[int, int]] = {}
    bands: list[tuple[str, int]] = []
    y = 6
    by_jobs: defaultdict[int, list[StateView]] = defaultdict(list)
    for view in drawn:
        by_jobs[max(view.jobs, 0)].append(view)
    for jobs, views in sorted(by_jobs.items()):
        bands.append(("no job" if not jobs else counted(jobs, "job"), y))
        for place, view in enumerate(views):
            row, across = divmod(place, ACROSS)
            places[view.words] = (LEFT + across * (WIDTH + GAP), y + row * (HEIGHT + GAP))
        y += -(-len(views) // ACROSS) * (HEIGHT + GAP) - GAP + BAND_GAP
    return places, bands, y - BAND_GAP + 8


def _edges(edges: Iterable[Edge], places: Mapping[str, tuple[int, int]], numbers: Mapping[str, int]) -> Iterator[str]:
    for edge in edges:
        if edge.start not in places or edge.end not in places or edge.start == edge.end:
            continue
        (x, y), (to_x, to_y) = places[edge.start], places[edge.end]
        x, to_x = x + WIDTH // 2, to_x + WIDTH // 2
        y, to_y = (y + HEIGHT, to_y) if y < to_y else (y, to_y + HEIGHT) if y > to_y else (y, to_y)
        middle = (y + to_y) // 2 - (30 if y == to_y else 0)
        yield (
            f'<path class="edge" data-from="{numbers[edge.start]}" data-to="{numbers[edge.end]}"'
            f' d="M{x} {y}C{x} {middle} {to_x} {middle} {to_x} {to_y}"/>'
        )


def _node(view: StateView, x: int, y: int, prefix: str) -> str:
    first, plus, second = view.words.partition(" + ")
    lines = [first, f"+ {second}"] if plus else [first]
    middle = x + WIDTH // 2
    texts = "".join(
        f'<text x="{middle}" y="{y + 17 + 13 * place}" text-anchor="middle">{_cut(line)}</text>'
        for place, line in enumerate(lines)
    )
    told = escape(one_line(f"{view.words}: {view.count_text}"), quote=True)
    return (
        f'<a class="state {view.style}" href="#{prefix}{view.number}" data-state="{view.number}" aria-label="{told}">'
        f'<title>{told}</title><rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>{texts}'
        f'<text class="count" x="{middle}" y="{y + HEIGHT - 13}" text-anchor="middle">{_cut(view.short_text)}</text>'
        f"{''.join(_bar(view, x + 10, y + HEIGHT - 9))}</a>"
    )


def _bar(view: StateView, x: int, y: int) -> Iterator[str]:
    """The shares of its cells; one that is there is seen, however small."""
    shares = {style: count for style, count in view.shares.items() if count}
    room, whole = WIDTH - 20 - BAR_MIN * len(shares), sum(shares.values())
    start = float(x)
    for style, count in shares.items():
        width = BAR_MIN + room * count / whole
        yield f'<rect class="share {style}" x="{start:.1f}" y="{y}" width="{width:.1f}" height="5"/>'
        start += width


def _cut(text: str) -> str:
    told = one_line(text)
    return escape(told if len(told) <= LETTERS else told[: LETTERS - 1] + "…")
