"""What there is to judge and by what, as tables on a terminal."""

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jobtck.conformance.design import Design
from jobtck.conformance.record import TargetRecord
from jobtck.conformance.requirement import Requirement
from jobtck.reports.listings import BackendRow, CellRow, Evidence, needs_words, probe_rows
from jobtck.reports.sentences import target_text
from jobtck.reports.texts import counted, id_ranges, one_line


def print_requirements(console: Console, catalogue: Sequence[Requirement], design: Design | None) -> None:
    """The catalogue; for a design, what applies there, and then why the others do not."""
    missing = {each.id: "" if design is None else each.needs.missing_in_design(design) for each in catalogue}
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for each in catalogue:
        if not missing[each.id]:
            grid.add_row(Text(f"{each.id}\n", style="bold") + _level(each), _statement(each))
    console.print(grid)
    reasons: dict[str, list[str]] = {}
    for id, reason in missing.items():
        if reason:
            reasons.setdefault(reason, []).append(id)
    applying = sum(not reason for reason in missing.values())
    if design is not None:
        _print_others(console, design, reasons)
    told = f"{counted(applying, 'requirement')}"
    told += "" if design is None else f" of {len(catalogue)} apply to {one_line(design.name)}"
    console.print(Text(told, style="bold"))


def _level(requirement: Requirement) -> Text:
    return Text(str(requirement.level), style="yellow" if requirement.level == "SHOULD" else "")


def _statement(requirement: Requirement) -> Text:
    lines = [Text(one_line(requirement.text))]
    for name, value in (
        ("needs", ", ".join(needs_words(requirement.needs))),
        ("demands", "; ".join(filter(None, requirement.demand_names))),
        ("source", requirement.source),
        ("provisional", requirement.provisional),
    ):
        if value:
            lines.append(Text(f"{name}: {one_line(value)}", style="dim"))
    return Text("\n").join([*lines, Text()])


def _print_others(console: Console, design: Design, reasons: Mapping[str, list[str]]) -> None:
    if not reasons:
        return
    console.print(Text(f"Not for {one_line(design.name)}, for what it lacks:"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for reason, ids in reasons.items():
        grid.add_row(Text(reason), Text(id_ranges(ids), style="dim"))
    console.print(Padding(grid, (0, 0, 1, 2)))


def print_designs(console: Console, designs: Iterable[Design]) -> None:
    """The designs with their axes."""
    for design in designs:
        switches = [
            word
            for word, there in (
                ("a list of jobs", design.listing),
                ("a default job", design.default_job),
                ("block jobs with ids", design.block_ids),
            )
            if there
        ]
        axes = [
            f"jobs named by {design.handle}" if design.has_ids else "jobs without names",
            *([f"zero {design.zero}"] if design.zero else []),
            counted(design.parallel, "backup") + " at once",
            *switches,
            *([f"{design.namespace} ids"] if design.namespace else []),
            *([f"reuse {design.reuse}"] if design.reuse else []),
        ]
        console.print(Text(one_line(design.name), style="bold"))
        lines = Text(", ".join(axes)) + Text(f"\n{one_line(design.source)}", style="dim")
        console.print(Padding(lines, (0, 0, 1, 2)))


def print_backends(console: Console, rows: Iterable[BackendRow]) -> None:
    """The backends with the designs that they can play."""
    table = _table("backend", "designs", "by default")
    for name, designs, default in rows:
        table.add_row(*map(_cell, (name, ", ".join(designs), default)))
    console.print(table)


def print_cells(console: Console, rows: Iterable[CellRow]) -> None:
    """The reachable cells, each with how many calls it takes to visit it."""
    table = _table("state", "call")
    table.add_column("calls", justify="right", no_wrap=True)
    count = 0
    for state, call, length in rows:
        table.add_row(_cell(state), _cell(call), str(length))
        count += 1
    console.print(table)
    console.print(Text(counted(count, "cell"), style="bold"))


def print_probe(console: Console, target: TargetRecord, evidence: Mapping[str, Evidence]) -> None:
    """What a backend can do, with what says so."""
    console.print(Text(target_text(target), style="bold"))
    versions = [f"{name} {version}" for name, version in sorted(target.versions.items())]
    for line in (", ".join(versions), target.uri):
        if line:
            console.print(Text(one_line(line), style="dim", overflow="fold"))
    table = _table("call", "there", "evidence")
    rows = probe_rows(target, evidence)
    for name, present, told in rows:
        there = Text("yes", style="green") if present else Text("no", style="red")
        table.add_row(_cell(name), there, _cell(told))
    console.print(table)
    features = ", ".join(sorted(target.features)) or "none"
    console.print(Text(f"besides calls: {one_line(features)}"))
    found = sum(1 for _, there, _ in rows if there)
    console.print(Text(f"{found} of {counted(len(rows), 'call')}", style="bold"))


def _table(*titles: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _cell(text: str) -> Text:
    return Text(one_line(text))
