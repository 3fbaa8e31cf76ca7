"""Calls as a picture: a lane for each client, the server and each job, and a bar for the life of each job."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from textwrap import wrap

from jobtck.reports.texts import one_line

TOP, BOTTOM, MARGIN = 30, 14, 8  # above the first row, below the last, at the sides
CALL_HEIGHT, ANSWER_HEIGHT, LINE_HEIGHT = 28, 12, 15  # of a call, of what comes back, and of each line of it
CLIENT_WIDTH, JOB_WIDTH, SERVER_WIDTH = 84, 46, 56
LETTER_WIDTH = 7.3  # of the widest monospaced letters there are at 12 pixels
LETTERS_MIN, LETTERS_MAX = 34, 64  # in a line: less looks lost, more is wider than a laptop's window
CALL_LINES_MAX, ANSWER_LINES_MAX = 2, 3  # the text beside the picture has more
MARKERS = "".join(
    f'<marker id="{id}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    f' markerUnits="userSpaceOnUse"><path class="{style}" d="M0 0L8 4L0 8z"/></marker>'
    for id, style in (("arrow", "tip"), ("arrow-bad", "tip bad"), ("arrow-back", "tip back"))
)


@dataclass(frozen=True, slots=True)
class Step:
    """A row: who (empty: nobody) does what, what comes back in a few lines, and which job is meant and hit.

    Jobs are called by letters; `begins` and `ends` are those that the step begins and ends. What is no call reaches
    nobody.
    """

    text: str
    actor: str = ""
    answer: tuple[str, ...] = ()
    meant: str = ""
    hit: str = ""
    begins: str = ""
    ends: tuple[str, ...] = ()
    is_call: bool = True
    is_offence: bool = False

    @property
    def is_astray(self) -> bool:
        """It was meant for a job, and did not reach that one."""
        return bool(self.meant and self.meant != self.hit)


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn; `living` are the jobs that were begun before its first step."""

    title: str
    steps: tuple[Step, ...]
    living: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A step with its place in the picture."""

    step: Step
    calls: tuple[str, ...]
    answers: tuple[str, ...]
    top: int

    @property
    def call_y(self) -> int:
        """Where the arrow of the call runs."""
        return self.top + LINE_HEIGHT * len(self.calls) + 5

    @property
    def back_y(self) -> int:
        """Where the arrow of the answer runs."""
        return self.call_y + LINE_HEIGHT * len(self.answers) + 5

    @property
    def bottom(self) -> int:
        """Where the next row begins."""
        below = ANSWER_HEIGHT + LINE_HEIGHT * len(self.answers) if self.answers else 0
        return self.top + CALL_HEIGHT + LINE_HEIGHT * (len(self.calls) - 1) + below


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where everything stands from left to right."""

    actors: dict[str, int]
    texts: int
    server: int
    jobs: dict[str, int]
    width: int


def sequence_svg(picture: Picture) -> str:
    """The picture with its own style, for a file of its own."""
    return _svg(picture, f"<style>{style()}</style><defs>{MARKERS}</defs>")


def sequence_inline(picture: Picture) -> str:
    """The picture for a page that has the style and the arrowheads once."""
    return _svg(picture, "")


def arrowheads() -> str:
    """What all pictures of a page share."""
    return f'<svg width="0" height="0" class="sequence" aria-hidden="true"><defs>{MARKERS}</defs></svg>'


@cache
def style() -> str:
    """The colours of a page and the look of the pictures."""
    shipped = files("jobtck.reports")
    return "".join((shipped / name).read_text(encoding="utf-8") for name in ("palette.css", "sequence.css"))


def _svg(picture: Picture, head: str) -> str:
    rows = list(_rows(picture.steps))
    lanes = _lanes(picture, rows)
    height = (rows[-1].bottom if rows else TOP) + BOTTOM
    body = "".join(
        [
            *(_band(row, lanes) for row in rows if row.step.is_offence),
            *_heads(lanes, height - BOTTOM),
            *_bars(picture, rows, lanes, height - BOTTOM),
            *(part for row in rows for part in _drawn(row, lanes)),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sequence" viewBox="0 0 {lanes.width} {height}"'
        f' width="{lanes.width}" height="{height}" role="img"><title>{_escaped(picture.title)}</title>{head}'
        f'<rect class="paper" width="{lanes.width}" height="{height}"/>{body}</svg>'
    )


def _rows(steps: Iterable[Step]) -> Iterator[Row]:
    top = TOP
    for step in steps:
        calls = _wrapped(step.text, CALL_LINES_MAX)
        answers = tuple(line for text in step.answer for line in _wrapped(text, ANSWER_LINES_MAX))
        row = Row(step, calls, answers, top)
        top = row.bottom
        yield row


def _wrapped(text: str, lines_max: int) -> tuple[str, ...]:
    return tuple(wrap(one_line(text), LETTERS_MAX, max_lines=lines_max, placeholder=" …")) or ("",)


def _lanes(picture: Picture, rows: Sequence[Row]) -> Lanes:
    actors = sorted({step.actor for step in picture.steps if step.actor})
    jobs = list(dict.fromkeys([*picture.living, *(step.begins for step in picture.steps if step.begins)]))
    letters = max([LETTERS_MIN, *(len(line) for row in rows for line in (*row.calls, *row.answers))])
    x_of = {actor: MARGIN + CLIENT_WIDTH * place + CLIENT_WIDTH // 2 for place, actor in enumerate(actors)}
    texts = max(x_of.values(), default=MARGIN) + 12
    server = texts + int(letters * LETTER_WIDTH) + 24
    first = server + SERVER_WIDTH
    return Lanes(
        actors=x_of,
        texts=texts,
        server=server,
        jobs={job: first + JOB_WIDTH * place for place, job in enumerate(jobs)},
        width=(first + JOB_WIDTH * max(len(jobs) - 1, 0) if jobs else server) + JOB_WIDTH // 2 + MARGIN,
    )


def _heads(lanes: Lanes, bottom: int) -> Iterator[str]:
    for name, x in (*lanes.actors.items(), ("server", lanes.server)):
        yield f'<text class="head" x="{x}" y="16" text-anchor="middle">{_escaped(name)}</text>'
        yield f'<path class="life" d="M{x} 24V{bottom}"/>'
    for job, x in lanes.jobs.items():
        yield f'<text class="head" x="{x}" y="16" text-anchor="middle">job {_escaped(job)}</text>'


def _bars(picture: Picture, rows: Sequence[Row], lanes: Lanes, bottom: int) -> Iterator[str]:
    """Each job as a bar for as long as it lives, once more if its letter is given again."""
    begun = dict.fromkeys(picture.living, TOP)
    for row in rows:
        for job in row.step.ends:
            if job in begun:
                yield _bar(lanes.jobs[job], begun.pop(job), row.call_y)
        if row.step.begins:
            begun.setdefault(row.step.begins, row.call_y)
    for job, top in begun.items():
        yield _bar(lanes.jobs[job], top, bottom)


def _bar(x: int, top: int, bottom: int) -> str:
    return f'<rect class="job" x="{x - 4}" y="{top}" width="8" height="{max(bottom - top, 4)}" rx="3"/>'


def _band(row: Row, lanes: Lanes) -> str:
    return f'<rect class="offence" x="0" y="{row.top}" width="{lanes.width}" height="{row.bottom - row.top}"/>'


def _drawn(row: Row, lanes: Lanes) -> Iterator[str]:
    step, y = row.step, row.call_y
    bad = " bad" if step.is_offence else ""
    if not step.actor:
        x = lanes.jobs[step.ends[0]] if step.ends and step.ends[0] in lanes.jobs else max([*lanes.jobs.values(), 0])
        yield f'<text class="soft" x="{x - 12}" y="{y}" text-anchor="end">{_escaped(row.calls[0])}</text>'
        return
    start = lanes.actors[step.actor]
    reached = next((job for job in (step.hit, step.begins, *step.ends) if job in lanes.jobs), "")
    end = lanes.jobs[reached] - 5 if reached else lanes.server
    yield from _texts(row.calls, lanes.texts, row.top + LINE_HEIGHT, bad)
    if not step.is_call:
        return
    yield f'<path class="call{bad}" d="M{start} {y}H{end}"/>'
    if reached:
        yield f'<circle class="tip{bad}" cx="{lanes.server}" cy="{y}" r="3"/>'
    if step.is_astray and step.meant in lanes.jobs and step.hit:
        x = lanes.jobs[step.meant]
        yield f'<path class="meant" d="M{x - 5} {y - 5}L{x + 5} {y + 5}M{x - 5} {y + 5}L{x + 5} {y - 5}"/>'
    if row.answers:
        yield from _texts(row.answers, lanes.texts, y + LINE_HEIGHT, bad or " answer")
        yield f'<path class="back{bad}" d="M{lanes.server} {row.back_y}H{start}"/>'


def _texts(lines: Iterable[str], x: int, y: int, style: str) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f'<text class="{style.strip()}" x="{x}" y="{y + LINE_HEIGHT * place}">{_escaped(line)}</text>'


def _escaped(text: str) -> str:
    return escape(one_line(text))
