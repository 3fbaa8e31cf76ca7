"""A run on a terminal: what was judged, how it went by chapter, and each deviation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from jobtck.conformance.record import (
    Exercise,
    Gate,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    TargetRecord,
    Verdict,
)
from jobtck.reports.blocks import blocks, print_blocks, print_stale, print_title
from jobtck.reports.sentences import (
    build_text,
    call_complaints,
    closing,
    gate_text,
    power_text,
    standing,
    target_text,
)
from jobtck.reports.texts import LINE_MAX, counted, id_ranges, one_line

COLUMNS = (
    (Verdict.PASS, "pass", "green"),
    (Verdict.KNOWN, "known", "cyan"),
    (Verdict.FAIL, "fail", "red"),
    (Verdict.UNSUPPORTED, "unsup-\nported", "dim"),
    (Verdict.NOT_EXERCISED, "not ex-\nercised", "magenta"),
)
EXPLAINED_MAX = 40  # cells of one requirement
STYLES = {
    "known": "cyan",
    "fails": "bold red",
    "deviates": "yellow",
    "unsupported": "dim",
    "not exercised": "bold magenta",
    "left out": "dim",
    "provisional": "dim",
}
BECAME_STYLES = {"fixed": "green", "flaky": "magenta", "changed": "yellow"}
VERDICT_STYLES = {
    RunVerdict.CONFORMING: "bold green",
    RunVerdict.NONCONFORMING: "bold red",
    RunVerdict.INCOMPLETE: "bold magenta",
    RunVerdict.ERROR: "bold red",
}


def print_run(console: Console, run: RunRecord, report_dir: str = "") -> None:
    """The whole report; the paths of traces are told as seen from beside *report_dir*."""
    for record in run.records:
        _print_record(console, record, report_dir)
    console.print(Rule(style="dim", characters="-" if console.options.ascii_only else "─"))
    verdicts = [record.verdict for record in run.records]
    for sentence, verdict in zip(closing(run), [*verdicts, run.verdict], strict=False):
        console.print(Text(sentence, style=VERDICT_STYLES[verdict], overflow="fold"))
    if run.gate is not None:
        _print_gate(console, run.gate)


def _print_gate(console: Console, gate: Gate) -> None:
    """How the run stands beside its baseline."""
    print_title(console, "Beside the baseline")
    for each in gate.became:
        head = Text(each.change, style="bold red" if each.fails else BECAME_STYLES.get(each.change, ""))
        told = Text(f" {one_line(each.target)}: {one_line(each.what)}: {one_line(each.told)}", overflow="fold")
        console.print(Padding(head + told, (0, 0, 0, 2)))
    for sentence in (*gate.complaints, *gate.gaps):
        console.print(Padding(Text(one_line(sentence), style="bold red", overflow="fold"), (0, 0, 0, 2)))
    for sentence in gate.cells:
        console.print(Padding(Text(one_line(sentence), style="dim", overflow="fold"), (0, 0, 0, 2)))
    console.print(Text(gate_text(gate), style=VERDICT_STYLES[gate.verdict], overflow="fold"))


def _print_record(console: Console, record: Record, report_dir: str) -> None:
    _print_header(console, record.target)
    console.print(_chapters(record))
    found = blocks(record)
    news = [block for block in found if not block.is_known]
    known = [block for block in found if block.is_known]
    print_blocks(console, "Deviations", news, record, report_dir)
    print_blocks(console, "Known deviations", known, record, report_dir)
    print_stale(console, record.stale_known)
    _print_not_judged(console, record)
    for _, complaint in call_complaints(record):
        console.print(Text(one_line(complaint), style="bold red", overflow="fold"))
    for note in record.notes:
        console.print(Text(f"note: {one_line(note)}", style="yellow", overflow="fold"))
    console.print(Text(cost_text(record), style="dim"))
    if record.power is not None:
        console.print(Text(power_text(record.power)))
    _print_explained(console, record.explained)
    console.print()


def _print_explained(console: Console, explained: Sequence[Exercise]) -> None:
    """What exercised requirements, most often first."""
    for id, exercises in groupby(explained, key=lambda each: each.requirement):
        ways = list(exercises)
        times = counted(sum(each.count for each in ways), "time")
        print_title(console, f"{id} was exercised {times}, in {counted(len(ways), 'cell')}")
        for each in ways[:EXPLAINED_MAX]:
            told = f"{each.count:,} x {each.call}, in: {each.state}"
            console.print(Padding(Text(one_line(told), overflow="fold"), (0, 0, 0, 2)))
        if len(ways) > EXPLAINED_MAX:
            more = f"and {counted(len(ways) - EXPLAINED_MAX, 'cell')} more"
            console.print(Padding(Text(more, style="dim"), (0, 0, 0, 2)))


def _print_header(console: Console, target: TargetRecord) -> None:
    title = Text(target_text(target), style="bold")
    characters = "-" if console.options.ascii_only else "─"
    console.print(Rule(title, align="left", style="dim", characters=characters))
    versions = [f"{name} {version}" for name, version in sorted(target.versions.items())]
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in (
        ("versions:", ", ".join(versions)),
        ("uri:", target.uri),
        *((one_line(f"{each.what}:"), build_text(each)) for each in target.builds),
        ("design:", f"{target.design.name}, from {target.design.source}"),
    ):
        if value:
            grid.add_row(name, Text(one_line(value)))
    console.print(grid)


def _chapters(record: Record) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_footer=True)
    table.add_column("chapter", "all", no_wrap=True)
    totals = Counter(each.verdict for each in record.requirements)
    for verdict, title, style in COLUMNS:
        table.add_column(title, _number(totals[verdict]), justify="right", style=style)
    exercised = sum(each.exercised for each in record.requirements)
    table.add_column("times\nexercised", f"{exercised:,}", justify="right", no_wrap=True)
    table.add_column("not a plain pass", overflow="fold")
    for chapter in dict.fromkeys(each.chapter for each in record.requirements):
        inside = [each for each in record.requirements if each.chapter == chapter]
        counts = Counter(each.verdict for each in inside)
        table.add_row(
            one_line(chapter),
            *(_number(counts[verdict]) for verdict, _, _ in COLUMNS),
            _number(sum(each.exercised for each in inside)),
            _standing_out(inside, record),
        )
    return table


def _number(count: int) -> str:
    return f"{count:,}" if count else "-"


def _standing_out(requirements: Iterable[RequirementRecord], record: Record) -> Text:
    told = [(standing(each, record), each.id) for each in requirements]
    parts = [
        Text(f"{word} {one_line(id_ranges(ids))}", style=style)
        for word, style in STYLES.items()
        if (ids := [id for standing, id in told if standing == word])
    ]
    return Text("\n").join(parts)


def _print_not_judged(console: Console, record: Record) -> None:
    """Each reason once, with the requirements that it kept from being judged."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for word in ("not exercised", "left out", "unsupported", "provisional"):
        for each in record.requirements:
            if standing(each, record) == word:
                reasons.setdefault((word, each.reason), []).append(each.id)
    if not reasons:
        return
    print_title(console, "Not judged")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(ratio=1, overflow="fold")
    last = ""
    for (word, reason), ids in reasons.items():
        told = one_line(reason, LINE_MAX) or "no reason is given"
        title = Text("" if word == last else word, style=STYLES[word])
        grid.add_row(title, Text(told), Text(one_line(id_ranges(ids))))
        last = word
    console.print(Padding(grid, (0, 0, 1, 2)))


def cost_text(record: Record) -> str:
    """Calls, seconds, and where these went; what was reached, and with what seed."""
    cost = record.cost
    words = [f"{counted(cost.calls, 'call')} in {cost.seconds_total:,.1f} s"]
    if cost.seconds_total > 0:
        words[0] += f", {cost.seconds_in_backend / cost.seconds_total:.0%} of it in the backend"
    visited = len({(cell.state, cell.call) for cell in record.cells})
    words.append(f"{counted(visited, 'cell')} visited, {record.cells_open:,} not")
    words.append(f"seed {record.seed}")
    return "; ".join(words)
