"""Each requirement that was ever not passed, as a strip of verdicts over the results."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from jobtck.reports.columns import Column
from jobtck.reports.texts import one_line

QUIET = frozenset({"pass", "unsupported", "left out", "provisional", "absent"})  # in which nothing is amiss
SIGNS: Mapping[str, str] = {
    "pass": "✓",
    "fails": "✗",
    "deviates": "✗",
    "known": "≈",
    "not exercised": "?",
    "left out": "…",
    "provisional": "…",
    "unsupported": "-",
    "absent": "",
}
LABEL, ROW, TOP = 110, 26, 26  # what a strip is called, its height, and above the first
BROAD, NARROW, WHOLE = 120, 5, 900  # of one verdict, and of all together
SIGN_MIN = 12  # a verdict that is narrower shows its colour only
WORD_MIN = 110  # a verdict that is broader has its word too
LETTER_WIDTH = 7


def rows_of_interest(shown: Sequence[Column], ids: Sequence[str]) -> tuple[str, ...]:
    """The requirements that something was ever amiss with."""
    return tuple(id for id in ids if any(column.standing(id) not in QUIET for column in shown))


def strips_svg(shown: Sequence[Column], ids: Sequence[str], title: str) -> str:
    """The strips, the oldest result on the left; what is clicked leads to the requirement."""
    step = max(NARROW, min(BROAD, WHOLE // len(shown)))
    width, height = LABEL + step * len(shown) + 10, TOP + ROW * len(ids) + 4
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="group" aria-label="{escape(one_line(title), quote=True)}">'
    )
    return "".join(
        [
            begin,
            *_heads(shown, step),
            *(part for place, id in enumerate(ids) for part in _strip(shown, id, TOP + ROW * place, step)),
            "</svg>",
        ]
    )


def _heads(shown: Sequence[Column], step: int) -> Iterator[str]:
    """As many names as there is room for; every one is told where it is pointed at."""
    letters = step // LETTER_WIDTH
    for place, column in enumerate(shown):
        name = column.name if len(column.name) <= letters else str(column.result + 1)
        if step >= SIGN_MIN or place in (0, len(shown) - 1):
            x = LABEL + step * place + step // 2
            yield f'<text class="head" x="{x}" y="16" text-anchor="middle">{escape(one_line(name))}</text>'


def _strip(shown: Sequence[Column], id: str, y: int, step: int) -> Iterator[str]:
    standings = [column.standing(id) for column in shown]
    spoken = escape(one_line(f"{id}: " + ", ".join(standings)), quote=True)
    yield f'<a href="#r-{escape(one_line(id), quote=True)}" aria-label="{spoken}">'
    yield f'<text x="0" y="{y + 17}">{escape(one_line(id))}</text></a>'
    for place, (column, standing) in enumerate(zip(shown, standings, strict=True)):
        x = LABEL + step * place
        title = escape(one_line(f"{id}, {column.name}, {column.release}: {standing}"))
        yield (
            f'<rect class="{standing.replace(" ", "-")}" x="{x}" y="{y}" width="{max(step - 2, 2)}" height="{ROW - 4}"'
            f' rx="2"><title>{title}</title></rect>'
        )
        if step >= SIGN_MIN and SIGNS[standing]:
            told = f"{SIGNS[standing]} {standing}" if step >= WORD_MIN else SIGNS[standing]
            yield (
                f'<text class="sign {standing.replace(" ", "-")}" x="{x + (step - 2) // 2}" y="{y + 16}"'
                f' text-anchor="middle" aria-hidden="true">{told}</text>'
            )
