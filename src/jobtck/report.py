"""`jobtck report`: reports made of results that were read, each a pure function of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import NamedRun, RunRecord
from jobtck.reportdir import write_whole
from jobtck.reports.junit import junit_xml
from jobtck.results import read_results


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where each report is to be written; None where it is not wanted, `-` for standard output."""

    junit: Path | None = None


def write_reports(paths: Sequence[Path], wanted: Wanted) -> None:
    """The wanted reports are written; `BadInput` for what is no result."""
    if wanted == Wanted():
        raise BadInput("no report is asked for: give --junit FILE")
    results = read_results(paths)
    if wanted.junit is not None:
        write(wanted.junit, junit_xml(joined(results)))


def joined(results: Sequence[NamedRun]) -> RunRecord:
    """All records as if one command had made them."""
    runs = [result.run for result in results]
    return RunRecord(
        records=tuple(record for run in runs for record in run.records),
        command=runs[0].command,
        seed=runs[0].seed,
        seconds=sum(run.seconds for run in runs),
        error="; ".join(run.error for run in runs if run.error),
    )


def write(path: Path, text: str) -> None:
    """The report is in that file, or on standard output for `-`."""
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    try:
        write_whole(path, text)
    except OSError as error:
        raise BackendFailure(f"{path}: the report could not be written: {error.strerror}") from error
