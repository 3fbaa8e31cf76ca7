"""A timeline as one page of its own: the picture, and the same as tables."""

from collections.abc import Iterator, Sequence
from html import escape

from jobtck.conformance.timeline import Followed, Timeline, Track
from jobtck.reports.texts import counted, one_line
from jobtck.reports.timeline_rows import (
    ROWS_MAX,
    how_often,
    restless_cells,
    restless_requirements,
    since_text,
    target_title,
)
from jobtck.reports.timeline_svg import timeline_svg

STYLE = """
:root { color-scheme: light dark; } body { font: 15px/1.45 system-ui, sans-serif; margin: 1rem auto; max-width: 75rem;
  padding: 0 1rem; } .wide { overflow-x: auto; } table { border-collapse: collapse; margin: 0 0 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; }
""".strip()


def timeline_html(timeline: Timeline) -> str:
    """The page: it needs no other file, no network and no script."""
    body = "".join(part for followed in timeline.followed.values() for part in _target(followed))
    told = f"{counted(timeline.read, 'result')} from {timeline.first} to {timeline.last}"
    damaged = "".join(f"<li>{_escaped(each)}</li>" for each in timeline.damaged)
    if damaged:
        damaged = f"<h2>Not read: {timeline.damaged_count:,}</h2><ul>{damaged}</ul>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>jobtck history</title><style>{STYLE}</style></head><body><main><h1>History</h1>"
        f'<p>{_escaped(told)}</p><div class="wide">{timeline_svg(timeline)}</div>{body}{damaged}</main></body></html>\n'
    )


def _target(followed: Followed) -> Iterator[str]:
    yield f"<h2>{_escaped(target_title(followed))}</h2>"
    yield from _table("requirement", restless_requirements(followed))
    yield from _table("cell", restless_cells(followed))


def _table(what: str, rows: Sequence[tuple[str, Track]]) -> Iterator[str]:
    if not rows:
        return
    yield f'<div class="wide"><table><thead><tr><th scope="col">{what}</th><th scope="col">stands</th>'
    yield '<th scope="col">since</th><th scope="col">how often</th><th scope="col">flaky</th></tr></thead><tbody>'
    for label, track in rows[:ROWS_MAX]:
        before = f" (before: {track.before})" if track.before else ""
        often = how_often(track.counts, track.told) if what == "requirement" else f"{track.told:,}"
        values = (label, track.standing + before, since_text(track), often, f"{track.flakiness:.1%}")
        yield "<tr>" + "".join(f"<td>{_escaped(value)}</td>" for value in values) + "</tr>"
    yield "</tbody></table></div>"
    if len(rows) > ROWS_MAX:
        yield f"<p>{len(rows) - ROWS_MAX:,} more are in the JSON.</p>"


def _escaped(text: str) -> str:
    return escape(one_line(text))
