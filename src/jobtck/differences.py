"""`jobtck diff`: two results are compared, and what became of them is told, written and tried again."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from jobtck.command import terminated_as_interrupted
from jobtck.conformance.comparison import Change, Comparison, PairComparison, compare
from jobtck.conformance.errors import BackendFailure
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.traces import change_json, trace_json
from jobtck.report import write
from jobtck.reportdir import file_name, note_file, write_whole
from jobtck.reports.diff_groups import groups, news
from jobtck.reports.diff_json import diff_json
from jobtck.reports.diff_markdown import diff_markdown
from jobtck.reports.diff_terminal import print_comparison
from jobtck.reports.result_json import dumps
from jobtck.results import read_result
from jobtck.ways import Source, made_again, with_ways

NOTHING_WORSE, WORSE, NOT_COMPARABLE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the comparison is to be written, None where it is not; and who can be asked again."""

    json: Path | None = None
    markdown: Path | None = None
    traces: Path | None = None
    old: Source | None = None
    new: Source | None = None


def diff(old: Path, new: Path, wanted: Wanted, console: Console) -> Comparison:
    """The comparison of two results, written and shown."""
    comparison = with_ways(compare(read_result(old), read_result(new)))
    if wanted.old is not None or wanted.new is not None:
        try:
            with terminated_as_interrupted(threading.Event()):
                comparison = made_again(comparison, wanted.old, wanted.new)
        except KeyboardInterrupt as error:
            raise BackendFailure("interrupted") from error
    if wanted.json is not None:
        write(wanted.json, dumps(diff_json(comparison)))
    if wanted.markdown is not None:
        write(wanted.markdown, diff_markdown(comparison))
    if wanted.traces is not None:
        _write_traces(wanted.traces, comparison)
    print_comparison(console, comparison)
    return comparison


def exit_status(comparison: Comparison) -> int:
    """Whether something is worse; where nothing is, whether all could be compared."""
    return WORSE if comparison.is_worse else NOTHING_WORSE if comparison.is_whole else NOT_COMPARABLE


def strict_exit_status(comparison: Comparison) -> int:
    """The same, where what answers otherwise is worse."""
    return WORSE if comparison.is_otherwise else exit_status(comparison)


def _write_traces(directory: Path, comparison: Comparison) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        taken: dict[str, int] = {}
        for pair in comparison.pairs:
            for words, content in _traces(pair):
                stem = file_name(pair.told.target, words)
                taken[stem] = number = taken.get(stem, 0) + 1
                name = f"{stem}{'' if number == 1 else f'-{number}'}.json"
                note_file(directory / name)
                write_whole(directory / name, json.dumps(content, indent=2) + "\n")
    except OSError as error:
        raise BackendFailure(f"{directory}: the traces could not be written: {error.strerror}") from error


def _traces(pair: PairComparison) -> Iterator[tuple[str, JsonObject]]:
    """A name and the content of a trace for each deviation that is new, and each sort of change."""
    for each in news(pair):
        side = pair.old if each.change is Change.FIXED else pair.new
        told = each.old if each.change is Change.FIXED else each.new
        if side is not None and told is not None:
            for deviation in told.deviations:
                if deviation.lines:
                    yield f"{each.change}-{each.told.id}", trace_json(deviation, side.target)
    for group in groups(pair):
        if group.shown.way and pair.new is not None:
            yield f"{group.change}-{group.call}", change_json(group.shown, pair.new.target)
