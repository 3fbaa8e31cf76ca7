"""A comparison on a terminal: what became of requirements and cells, each with the fewest calls that show it."""

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from jobtck.conformance.comparison import Change, Comparison, PairComparison
from jobtck.conformance.wording import call_text
from jobtck.reports.diff_groups import CellGroup, groups, news, news_texts, pair_title, replayed_text, standing_text
from jobtck.reports.diff_sentences import verdict_text
from jobtck.reports.texts import LINE_MAX, counted, one_line

GROUPS_MAX = 30  # sorts of change shown of one design; `--json` has all
STYLES = {
    Change.REGRESSED: "bold red",
    Change.CHANGED: "yellow",
    Change.FLAKY: "magenta",
    Change.NOT_SEEN: "magenta",
    Change.FIXED: "green",
}


def print_comparison(console: Console, comparison: Comparison) -> None:
    """All pairs, then the verdict."""
    for pair in comparison.pairs:
        _print_pair(console, pair)
    style = "bold red" if comparison.is_worse else "bold green" if comparison.is_whole else "bold magenta"
    console.print(Text(verdict_text(comparison), style=style, overflow="fold"))


def _print_pair(console: Console, pair: PairComparison) -> None:
    title = Text(pair_title(pair), style="bold")
    console.print(Rule(title, align="left", style="dim", characters="-" if console.options.ascii_only else "─"))
    requirements = news(pair)
    if requirements:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for _ in range(3):
            grid.add_column(overflow="fold")
        for each in requirements:
            told = each.told
            grid.add_row(
                Text(str(each.change), style=STYLES[each.change]),
                Text(f"{one_line(told.id)} ({told.level}) {standing_text(each)}"),
                Text("; ".join([*news_texts(each), one_line(told.text)])),
            )
        console.print(Padding(grid, (1, 0, 1, 2)))
    found = groups(pair)
    for group in found[:GROUPS_MAX]:
        _print_group(console, group)
    if len(found) > GROUPS_MAX:
        console.print(Text(f"{len(found) - GROUPS_MAX} sorts of change more: see --json"))
    console.print(Text(_cells_text(pair), style="dim", overflow="fold"))
    console.print()


def _cells_text(pair: PairComparison) -> str:
    words = [f"{counted(pair.cells_same, 'cell')} as before"]
    if pair.reach is not None:
        words.append(f"{pair.reach.before - pair.reach.again:,} of {pair.reach.before:,} not judged now")
    new = sum(each.change is Change.NEW for each in pair.cells)
    return "; ".join([*words, *([f"{new:,} new"] if new else [])])


def _print_group(console: Console, group: CellGroup) -> None:
    cells = f" in {group.count:,} cells" if group.count > 1 else ""
    head = Text(str(group.change), style=STYLES[group.change]) + Text(f" {one_line(group.call)}{cells}")
    if group.broken:
        head += Text(f", breaks {one_line(', '.join(group.broken))}")
    console.print(head, overflow="fold")
    lines = [f"before: {group.old}", f"now:    {group.new}"]
    lines.append(f"as in:  {one_line(group.shown.cell.call)}, where there is {one_line(group.shown.cell.state)}")
    lines += [f"        {one_line(call_text(call), LINE_MAX)}" for call in group.shown.way]
    again = replayed_text(group.shown)
    lines += [again] if again else []
    console.print(Padding(Text("\n".join(lines), overflow="fold"), (0, 0, 1, 4)))
