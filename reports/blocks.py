"""Deviations on a terminal: the few calls that show each, what was said, and what is demanded."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jobtck.conformance.record import (
    Deviation,
    KnownDeviation,
    Record,
    RequirementRecord,
    TraceLine,
    Verdict,
)
from jobtck.conformance.wording import call_text
from jobtck.reports.sentences import (
    evidence_lines,
    native_text,
    only_deviates,
    rate_text,
    replay_command,
    symptom_text,
)
from jobtck.reports.texts import counted, one_line

EVIDENCE_LINES_MAX = 5  # of each text that is kept of whoever was lost
LINES_MAX = 30  # calls shown of one trace, its last: a screen; the file has all
SHOWN_MAX = 3  # deviations shown of one requirement: a fourth says little more; the files have all

INDENT, CALL_INDENT, TOLD_INDENT = 2, 4, 8  # columns


class Block(NamedTuple):
    """A deviation with what it breaks; without one, a requirement found broken otherwise."""

    requirements: Sequence[RequirementRecord]
    deviation: Deviation | None

    @property
    def is_known(self) -> bool:
        """All that it breaks is listed."""
        deviation = self.deviation
        if deviation is None:
            return all(each.verdict is Verdict.KNOWN for each in self.requirements)
        return all(each.excuses(deviation) for each in self.requirements)

    def excuses_of(self, requirement: RequirementRecord) -> tuple[KnownDeviation, ...]:
        """The entries of the list that excuse it, as far as it breaks this requirement."""
        return requirement.known if self.deviation is None else requirement.excuses(self.deviation)


def blocks(record: Record) -> list[Block]:
    """The deviations of a record, each once, in the order of the catalogue."""
    found: dict[Deviation | str, list[RequirementRecord]] = {}
    for requirement in record.requirements:
        for deviation in requirement.deviations:
            found.setdefault(deviation, []).append(requirement)
        if not requirement.deviations and requirement.verdict in {Verdict.FAIL, Verdict.KNOWN}:
            found[requirement.id] = [requirement]
    return [Block(requirements, key if isinstance(key, Deviation) else None) for key, requirements in found.items()]


def print_blocks(console: Console, title: str, found: Sequence[Block], record: Record, report_dir: str) -> None:
    """A titled list of deviations, of which no requirement has more than a few."""
    if not found:
        return
    print_title(console, title)
    shown: dict[str, int] = {}
    left_out = 0
    for block in found:
        ids = [each.id for each in block.requirements]
        if all(shown.get(id, 0) >= SHOWN_MAX for id in ids):
            left_out += 1
            continue
        shown |= {id: shown.get(id, 0) + 1 for id in ids}
        _print_block(console, block, record, report_dir)
    if left_out:
        told = f"and {counted(left_out, 'deviation')} more of the same requirements, in result.json"
        console.print(Padding(Text(told, style="dim"), (0, 0, 1, INDENT)))


def print_title(console: Console, title: str) -> None:
    """A heading inside a run's report."""
    console.print(Text(title, style="bold underline"))
    console.print()


def _print_block(console: Console, block: Block, record: Record, report_dir: str) -> None:
    console.print(_headline(block, record))
    for requirement in block.requirements:
        demander = requirement.id if len(block.requirements) > 1 else ""
        _print_fields(console, _fields_of(requirement, demander))
        for known in block.excuses_of(requirement):
            _print_fields(console, known_fields(known))
    if block.deviation is not None:
        _print_lines(console, block.deviation.lines)
        for line in evidence_lines(block.deviation, EVIDENCE_LINES_MAX):
            console.print(Padding.indent(Text(line, style="dim", overflow="fold"), INDENT))
        if block.deviation.trace_file:
            words = replay_command(block.deviation, record.target, report_dir)
            _print_command(console, words)
    console.print()


def _headline(block: Block, record: Record) -> Table:
    requirements = block.requirements
    ids = ", ".join(f"{each.id} ({each.level})" for each in requirements)
    verb = "deviates" if len(requirements) == 1 else "deviate"
    mild = all(only_deviates(each, record) for each in requirements)
    style = "cyan" if block.is_known else "yellow" if mild else "red"
    if block.is_known:
        verb += ", as is known"
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(ratio=1)
    grid.add_column(justify="right")
    rate = "" if block.deviation is None else rate_text(block.deviation)
    grid.add_row(
        Text.assemble((one_line(ids), f"bold {style}"), (f" {verb}", style)),
        Text(rate, style="yellow" if rate.startswith("flaky") else "dim"),
    )
    return grid


def _fields_of(requirement: RequirementRecord, demander: str) -> Mapping[str, str]:
    return {
        f"{demander} demands" if demander else "demanded": requirement.text,
        "source": requirement.source,
        "reason": requirement.reason,
    }


def known_fields(known: KnownDeviation) -> Mapping[str, str]:
    """What the list of known deviations says of one."""
    where = f"{known.backend} {known.versions}".strip()
    return {"listed": f"for {where}: {symptom_text(known)}: {known.reason}", "reference": known.reference}


def _print_fields(console: Console, fields: Mapping[str, str]) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, value in fields.items():
        if value:
            grid.add_row(Text(f"{one_line(name)}:"), Text(one_line(value)))
    console.print(Padding.indent(grid, INDENT))


def _print_lines(console: Console, lines: Sequence[TraceLine]) -> None:
    left_out = len(lines) - LINES_MAX
    if left_out > 0:
        told = f"({counted(left_out, 'call')} before these, in the trace file)"
        console.print(Padding.indent(Text(told, style="dim"), CALL_INDENT + 2))
    shown = lines[-LINES_MAX:]
    calls = [Text(one_line(call_text(line.call))) for line in shown]
    # A line is an answer's width wide at least; longer calls wrap.
    room = (console.width - CALL_INDENT) * 3 // 5
    width = min(room, max((call.cell_len for call in calls), default=0) + 2)
    for place, (line, call) in enumerate(zip(shown, calls, strict=True), 1):
        _print_line(console, line, call, width, style="bold" if place == len(shown) else "")


def _print_line(console: Console, line: TraceLine, call: Text, width: int, style: str) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(width=width, overflow="fold")
    grid.add_column(overflow="fold")
    grid.add_row(">" if style else " ", call, Text(one_line(line.answer)), style=style)
    console.print(Padding.indent(grid, CALL_INDENT))
    native = native_text(line.code, line.text)
    if native:
        console.print(Padding.indent(Text(native, style="dim", overflow="fold"), TOLD_INDENT))


def _print_command(console: Console, words: Sequence[str]) -> None:
    """A command, broken between words as a shell reads it; long words stay whole, to copy."""
    lines, room = [""], console.width - INDENT - len("replay: ") - len(" \\")
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("  " + word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip() if lines[-1] else word
    label, rest = " " * INDENT + "replay: ", " " * (INDENT + len("replay: "))
    for place, line in enumerate(lines):
        start = rest if place else label
        end = " \\" if place < len(lines) - 1 else ""
        text = Text.assemble((start, "dim"), line, end)
        console.print(text, no_wrap=True, overflow="ignore", crop=False)


def print_stale(console: Console, stale: Sequence[KnownDeviation]) -> None:
    """The listed deviations that did not happen, and what to do about them."""
    if not stale:
        return
    print_title(console, "Listed as known, and did not happen")
    for known in stale:
        console.print(Text(one_line(known.requirement), style="bold red"))
        _print_fields(console, known_fields(known))
    told = "Take them off the list, or narrow its versions: a list that is too long hides news."
    console.print(Padding(Text(told), (1, 0, 1, INDENT)))
