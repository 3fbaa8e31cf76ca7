"""`jobtck report`: reports made of results that were read, each a pure function of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import click

from jobtck.charts import model_of
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import NamedRun
from jobtck.reportdir import note_file, write_whole
from jobtck.reports.badge import badge_svg
from jobtck.reports.junit import junit_of
from jobtck.reports.markdown import markdown
from jobtck.reports.results_html import results_html
from jobtck.reports.scripts import README, script_files
from jobtck.reports.tap import tap
from jobtck.results import joined, read_results

READABLE, EXECUTABLE = 0o644, 0o755


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where each report is to be written; None where it is not wanted, `-` for standard output."""

    html: Path | None = None
    junit: Path | None = None
    tap: Path | None = None
    markdown: Path | None = None
    badge: Path | None = None
    script: Path | None = None


def write_reports(paths: Sequence[Path], wanted: Wanted) -> None:
    """The wanted reports are written; `BadInput` for what is no result."""
    if wanted == Wanted():
        options = ", ".join(f"--{each.name}" for each in fields(Wanted))
        raise BadInput(f"no report is asked for: give one of {options}")
    results = read_results(paths)
    texts: Sequence[tuple[Path | None, Callable[[], str]]] = (
        (wanted.html, lambda: _page(results)),
        (wanted.junit, lambda: junit_of(results)),
        (wanted.tap, lambda: tap(results)),
        (wanted.markdown, lambda: markdown(results)),
        (wanted.badge, lambda: badge_svg(joined(results))),
    )
    for path, made in texts:
        if path is not None:
            write(path, made())
    if wanted.script is not None:
        _write_scripts(wanted.script, script_files(results))


def _page(results: Sequence[NamedRun]) -> str:
    model = model_of(results)
    return results_html(results, model.comparisons, model.charts)


def _write_scripts(directory: Path, files: Mapping[str, str]) -> None:
    """The scripts are there, to be run; what else is in the directory stays."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"{directory}: cannot be written to: {error.strerror}: give another one with --script"
        ) from error
    for name, text in files.items():
        write(directory / name, text)
        (directory / name).chmod(READABLE if name == README else EXECUTABLE)


def write(path: Path, text: str) -> None:
    """The report is in that file, or on standard output for `-`."""
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    try:
        note_file(path)
        write_whole(path, text)
    except OSError as error:
        raise BackendFailure(f"{path}: the report could not be written: {error.strerror}") from error
