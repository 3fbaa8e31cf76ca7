"""A timeline as a picture: a row for each requirement or cell, a column for each time, the graver the darker."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from jobtck.conformance.timeline import BUCKETS, RANKS, Followed, Timeline, Track
from jobtck.reports.texts import one_line
from jobtck.reports.timeline_rows import ROWS_MAX, restless_cells, restless_requirements, since_text, target_title

ROW, COLUMN, LABEL, TOP, MARGIN = 18, 6, 330, 46, 10
LABEL_MAX = 46  # characters that fit in a label
CELL_WORDS = ("", "as before", "varies", "changed")

STYLE = """
.timeline { --ink: #1b1f24; --soft: #6e7781; --paper: #ffffff; --good: #aceebb; --soft-fill: #eaeef2;
  --odd: #ffdf5d; --bad: #cf222e; --known: #8250df; font: 12px ui-monospace, "DejaVu Sans Mono", monospace;
  background: var(--paper); max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) {
  .timeline { --ink: #e6edf3; --soft: #8d96a0; --paper: #0d1117; --good: #1f6f3a; --soft-fill: #30363d;
    --odd: #bb8009; --bad: #ff7b72; --known: #a371f7; } }
.timeline text { fill: var(--ink); } .timeline .soft { fill: var(--soft); }
.timeline .pass, .timeline .as-before { fill: var(--good); }
.timeline .unsupported, .timeline .not-exercised { fill: var(--soft-fill); }
.timeline .varies { fill: var(--odd); } .timeline .fail, .timeline .changed { fill: var(--bad); }
.timeline .known { fill: var(--known); }
""".strip()


def timeline_svg(timeline: Timeline) -> str:
    """The picture with its own style, for a file of its own."""
    rows: list[str] = []
    y = TOP
    for followed in timeline.followed.values():
        body, y = _target(followed, y)
        rows += body
    width, height = LABEL + COLUMN * BUCKETS + 2 * MARGIN, y + MARGIN
    title = f"{timeline.read:,} results from {timeline.first} to {timeline.last}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img"><title>{_escaped(title)}</title><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" style="fill: var(--paper)"/>'
        f'<text x="{MARGIN}" y="20">{_escaped(title)}</text>{"".join(rows)}</svg>\n'
    )


def _target(followed: Followed, y: int) -> tuple[list[str], int]:
    """The rows of a target below that height, and where they end."""
    requirements, cells = restless_requirements(followed)[:ROWS_MAX], restless_cells(followed)[:ROWS_MAX]
    body = [f'<text x="{MARGIN}" y="{y + 12}" font-weight="bold">{_escaped(target_title(followed))}</text>']
    y += ROW + 4
    for rows, words in ((requirements, RANKS), (cells, CELL_WORDS)):
        for label, track in rows:
            body += _row(label, track, words, y)
            y += ROW
    if not requirements and not cells:
        body.append(f'<text class="soft" x="{MARGIN}" y="{y + 12}">all was the same all the time</text>')
        y += ROW
    return body, y + ROW // 2


def _row(label: str, track: Track, words: Sequence[str], y: int) -> Iterator[str]:
    shown = one_line(label)
    short = shown if len(shown) <= LABEL_MAX else shown[: LABEL_MAX - 1] + "…"
    told = f"{shown}: {one_line(track.standing)} since {since_text(track)}"
    yield f'<g><title>{_escaped(told)}</title><text x="{MARGIN}" y="{y + 12}">{escape(short)}</text>'
    column = 0
    for mark, run in groupby(track.marks):
        length = len(list(run))
        if mark:
            x = LABEL + MARGIN + column * COLUMN
            kind = words[mark].replace(" ", "-")
            yield f'<rect class="{kind}" x="{x}" y="{y + 2}" width="{length * COLUMN}" height="{ROW - 4}"/>'
        column += length
    yield "</g>"


def _escaped(text: str) -> str:
    return escape(one_line(text))
