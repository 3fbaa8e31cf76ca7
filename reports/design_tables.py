"""What was found of designs, as tables on a terminal."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jobtck.conformance.exploration import Answer, DesignRecord, DesignsRecord, Extent, Finding, Line, Witness
from jobtck.reports.texts import counted, one_line

MARKS = {Answer.ABSENT: ("no", "green"), Answer.NOT_PROVED: ("?", "yellow"), Answer.IMPOSSIBLE: ("-", "dim")}
LEGEND = (
    ("3", "red", "shown by a witness of that many steps, and by none with fewer"),
    ("no", "green", "proved absent: in no history within the bounds"),
    ("?", "yellow", "not proved: a limit ended the search before it was met"),
    ("-", "dim", "the design lacks what it takes"),
)


def print_designs_record(console: Console, record: DesignsRecord) -> None:
    """The hazards by design; of a single design also the witnesses."""
    console.print(hazard_table(record))
    _print_legend(console)
    console.print(cost_table(record))
    console.print(extent_table(record))
    if len(record.designs) == 1:
        _print_witnesses(console, record.designs[0])
    for design in record.designs:
        if not design.is_complete:
            reasons = ", ".join(dict.fromkeys(extent.stopped for extent in design.extents if extent.stopped))
            console.print(Text(f"{one_line(design.design.name)}: not explored to the end: {reasons}", style="yellow"))


def hazard_table(record: DesignsRecord) -> Table:
    """A row for each hazard, a column for each design."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0))
    table.add_column("hazard", no_wrap=True)
    for design in record.designs:
        table.add_column(column_title(design), justify="right", no_wrap=True)
    group = ""
    for place, hazard in enumerate(record.hazards):
        if group and hazard.group != group:
            table.add_section()
        group = hazard.group
        marks = (mark(design.findings[place]) for design in record.designs)
        table.add_row(Text(one_line(hazard.id)), *marks)
    return table


def column_title(design: DesignRecord) -> Text:
    """The design's name, broken where it can be."""
    return Text(one_line(design.design.name).replace("-", "-\n"))


def mark(finding: Finding) -> Text:
    """What was found, in a sign."""
    if finding.witness is not None:
        return Text(str(len(finding.witness.lines)), style="red")
    return Text(*MARKS[finding.answer])


def _print_legend(console: Console) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for sign, style, meaning in LEGEND:
        grid.add_row(Text(sign, style=style), Text(meaning))
    console.print(grid)
    console.print()


def cost_table(record: DesignsRecord) -> Table:
    """What the usual workflows cost: calls, and in brackets the round trips among them."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0))
    table.add_column("calls (round trips)")
    for design in record.designs:
        table.add_column(column_title(design), justify="right", no_wrap=True)
    workflows = [cost.workflow for cost in record.designs[0].costs] if record.designs else []
    for place, workflow in enumerate(workflows):
        costs = (design.costs[place] for design in record.designs)
        told = ("cannot" if cost.calls is None else f"{cost.calls} ({cost.round_trips})" for cost in costs)
        table.add_row(one_line(workflow), *told)
    return table


def extent_table(record: DesignsRecord) -> Table:
    """How far each design was looked at."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0))
    for title in ("explored", "clients", "jobs", "steps", "states", "transitions", "seconds"):
        table.add_column(title, justify="left" if title == "explored" else "right", no_wrap=title != "explored")
    for design in record.designs:
        for extent in different(design.extents):
            table.add_row(
                f"{one_line(design.design.name)} {extent.world}",
                str(extent.clients),
                str(extent.jobs),
                f"{extent.depth_reached} of {extent.depth}" if extent.stopped else str(extent.depth),
                f"{extent.states:,}",
                f"{extent.transitions:,}",
                f"{extent.seconds:.1f}",
            )
    return table


def different(extents: Iterable[Extent]) -> list[Extent]:
    """Each exploration once, where one did for two worlds."""
    found: dict[tuple[object, ...], Extent] = {}
    for extent in extents:
        found.setdefault((extent.design, extent.clients, extent.states, extent.transitions), extent)
    return list(found.values())


def _print_witnesses(console: Console, design: DesignRecord) -> None:
    for finding in design.findings:
        if finding.witness is not None:
            console.print(Text(one_line(finding.hazard.id), style="bold red") + Text(f"  {_told(finding)}"))
            console.print(Padding(witness_grid(finding.witness), (0, 0, 1, 4)))


def _told(finding: Finding) -> str:
    return f"{one_line(finding.hazard.text)} {window_words(finding.witness)}".rstrip()


def window_words(witness: Witness | None) -> str:
    """How long the window is between what was learnt and the act."""
    if witness is None or not witness.window:
        return ""
    return f"The window is {counted(witness.window, 'step')} wide."


def witness_grid(witness: Witness) -> Table:
    """The steps, one a row: who, what, what is answered, and which job is meant and hit."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for line in witness.lines:
        grid.add_row(client_name(line), one_line(line.text), one_line(line.answer), Text(aim(line), style="red"))
    for observation in witness.observations:
        told = f"{observation.backend}: {observation.observed}"
        grid.add_row("", Text(told + (f" ({one_line(observation.detail)})" if observation.detail else ""), style="dim"))
    return grid


def client_name(line: Line) -> str:
    """Who makes the step."""
    return "" if line.client is None else f"client {line.client + 1}"


def aim(line: Line) -> str:
    """Where the call did not reach the job that was meant, what it reached instead."""
    if not line.meant or line.meant == line.hit:
        return ""
    return f"meant {line.meant}, hit {line.hit}" if line.hit else f"meant {line.meant}"
