"""Several installations on a terminal: what was judged where, and the requirements that do not pass everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from jobtck.conformance.calls import call_name
from jobtck.conformance.record import NamedRun, Record, RequirementRecord, Verdict
from jobtck.reports.sentences import build_text
from jobtck.reports.terminal import VERDICT_STYLES
from jobtck.reports.texts import counted, id_ranges, one_line

STYLES = {
    Verdict.PASS: "green",
    Verdict.KNOWN: "cyan",
    Verdict.FAIL: "red",
    Verdict.UNSUPPORTED: "dim",
    Verdict.NOT_EXERCISED: "magenta",
}
ABSENT = "-"
DIFFERS = "*"


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement, and what each installation says of it; None where it was not judged."""

    id: str
    told: tuple[RequirementRecord | None, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The verdict of each in words, with the calls that deviate."""
        return tuple(ABSENT if each is None else _told(each) for each in self.told)

    @property
    def differs(self) -> bool:
        """It is not the same on all installations that were judged."""
        return len(set(self.words) - {ABSENT}) > 1

    @property
    def is_plain(self) -> bool:
        """Nothing needs to be said of it: it passes or is unsupported everywhere."""
        verdicts = {each.verdict for each in self.told if each is not None}
        quiet = verdicts <= {Verdict.PASS} or verdicts <= {Verdict.UNSUPPORTED}
        provisional = all(each.provisional for each in self.told if each is not None)
        return (quiet or provisional) and not self.differs


def print_matrix(console: Console, runs: Sequence[NamedRun]) -> None:
    """A table for each backend and design, and a verdict for each installation."""
    for pair in dict.fromkeys(_pair(record) for each in runs for record in each.run.records):
        _print_pair(console, pair, runs)
    console.print(Rule(style="dim", characters="-" if console.options.ascii_only else "─"))
    for each in runs:
        sentence = f"{one_line(each.name)}: {each.run.verdict}"
        if each.run.error:
            sentence += f": {one_line(each.run.error)}"
        console.print(Text(sentence, style=VERDICT_STYLES[each.run.verdict], overflow="fold"))


def rows_of(records: Sequence[Record | None]) -> tuple[Row, ...]:
    """A row for each requirement, in the order of the catalogue."""
    by_id = [{each.id: each for each in record.requirements} if record else {} for record in records]
    ids = dict.fromkeys(id for told in by_id for id in told)
    return tuple(Row(id, tuple(told.get(id) for told in by_id)) for id in ids)


def _pair(record: Record) -> tuple[str, str]:
    return record.target.backend, record.target.design.name


def _print_pair(console: Console, pair: tuple[str, str], runs: Sequence[NamedRun]) -> None:
    records = [next((each for each in run.run.records if _pair(each) == pair), None) for run in runs]
    characters = "-" if console.options.ascii_only else "─"
    title = Text(one_line(f"{pair[0]} as {pair[1]}"), style="bold")
    console.print(Rule(title, align="left", style="dim", characters=characters))
    rows = rows_of(records)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("", "verdict", no_wrap=True)
    for run, record in zip(runs, records, strict=True):
        table.add_column(_head(run.name, record), _foot(record), overflow="fold")
    for row in rows:
        if not row.is_plain:
            mark = DIFFERS if row.differs else " "
            cells = [_cell(each, word) for each, word in zip(row.told, row.words, strict=True)]
            table.add_row(f"{mark}{one_line(row.id)}", *cells)
    console.print(table)
    for run, record in zip(runs, records, strict=True):
        for build in record.target.builds if record else ():
            words = f"{one_line(f'{run.name}: {build.what}')}: {build_text(build)}"
            console.print(Text(words, style="dim", overflow="fold"))
    for verdict in (Verdict.PASS, Verdict.UNSUPPORTED):
        ids = [row.id for row in rows if row.is_plain and _all(row, verdict)]
        if ids:
            words = f"{verdict} everywhere ({counted(len(ids), 'requirement')}): {one_line(id_ranges(ids))}"
            console.print(Text(words, style="dim", overflow="fold"))
    if any(row.differs for row in rows):
        console.print(Text(f"{DIFFERS} it is not the same everywhere", style="dim"))
    console.print()


def _all(row: Row, verdict: Verdict) -> bool:
    return all(each is None or each.verdict is verdict for each in row.told)


def _head(name: str, record: Record | None) -> Text:
    versions = sorted(record.target.versions.items()) if record else []
    told = [one_line(f"{what} {version}") for what, version in versions if what in {"libvirt", "qemu"}]
    return Text("\n".join([one_line(name), *told]))


def _foot(record: Record | None) -> Text:
    if record is None:
        return Text("not judged", style="magenta")
    return Text(str(record.verdict), style=VERDICT_STYLES[record.verdict])


def _cell(told: RequirementRecord | None, words: str) -> Text:
    return Text(words, style=STYLES[told.verdict] if told else "dim")


def _told(requirement: RequirementRecord) -> str:
    offending = sorted({call_name(type(each.lines[-1].call)) for each in requirement.deviations})
    return "\n".join([str(requirement.verdict), *offending])
