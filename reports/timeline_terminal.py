"""A timeline on a terminal: what stands otherwise than before, since when, how often, how flaky."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobtck.conformance.timeline import Followed, Timeline, Track
from jobtck.reports.texts import counted, one_line
from jobtck.reports.timeline_rows import how_often, restless_cells, restless_requirements, since_text, target_title

ROWS_MAX = 20  # of one table: a screen
WORDS_MAX = 120  # characters of one entry


def print_timeline(console: Console, timeline: Timeline) -> None:
    """Each target, then what could not be read."""
    for followed in timeline.followed.values():
        _print_target(console, followed)
    for each in timeline.damaged:
        console.print(Text(f"skipped: {one_line(each)}", style="yellow", overflow="fold"))
    told = f"{counted(timeline.read, 'result')} from {timeline.first} to {timeline.last}"
    told += f"; {timeline.damaged_count:,} could not be read" if timeline.damaged_count else ""
    console.print(Text(told, style="bold", overflow="fold"))


def _print_target(console: Console, followed: Followed) -> None:
    console.print(Text(f"{target_title(followed)}: {counted(followed.results, 'result')}", style="bold"))
    requirements, cells = restless_requirements(followed), restless_cells(followed)
    _print_rows(console, "requirement", requirements)
    _print_rows(console, "cell", cells)
    steady = len(followed.requirements) - len(requirements), len(followed.cells) - len(cells)
    console.print(Text(f"{counted(steady[0], 'requirement')} and {counted(steady[1], 'cell')} never stood otherwise"))
    if followed.left_out:
        console.print(Text(f"{followed.left_out:,} times something was beyond the limits and not followed"))
    console.print()


def _print_rows(console: Console, what: str, rows: Sequence[tuple[str, Track]]) -> None:
    if not rows:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in (what, "stands", "since", "how often", "flaky"):
        table.add_column(title, overflow="fold")
    for label, track in rows[:ROWS_MAX]:
        often = how_often(track.counts, track.told) if what == "requirement" else f"{track.told:,}"
        values = (label, track.standing, since_text(track), often, f"{track.flakiness:.1%}")
        table.add_row(*(Text(one_line(value, WORDS_MAX)) for value in values))
    console.print(table)
    if len(rows) > ROWS_MAX:
        console.print(Text(f"{len(rows) - ROWS_MAX:,} more are in the JSON"))
