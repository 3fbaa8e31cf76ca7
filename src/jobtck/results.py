"""Results of earlier runs, read from files that anybody may have written."""

from collections.abc import Sequence
from pathlib import Path

from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import NamedRun, RunRecord
from jobtck.reportdir import RESULT
from jobtck.reports.result_reading import read_run

BYTES_MAX = 64 * 1024 * 1024  # of a result; a run of two designs writes 2 MiB


def read_result(path: Path) -> RunRecord:
    """The record in a `result.json`, or in the report directory that holds one."""
    file = path / RESULT if path.is_dir() else path
    return read_run(text_of(file, BYTES_MAX, "result"), str(file))


def read_results(paths: Sequence[Path]) -> tuple[NamedRun, ...]:
    """The results, each named as shortly as tells them apart: by its directory, else by its whole path."""
    names = [path.parent.resolve().name if path.name == RESULT else path.name or str(path) for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise BadInput(f"{paths[0]}: one result is given twice")
    return tuple(NamedRun(name, read_result(path)) for name, path in zip(names, paths, strict=True))


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


def text_of(path: Path, bytes_max: int, what: str) -> str:
    """The text of a file that is not larger than the kit's own get."""
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise BadInput(f"{path}: larger than {bytes_max >> 20} MiB: no {what} of the kit's")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot read the {what}: {error}") from error
