"""The report on disk: result.json, junit.xml and a trace for each deviation, each written whole or not at all."""

import glob
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from jobtck.conformance.errors import BackendFailure, BadInput, JobtckError
from jobtck.conformance.record import Deviation, Record, RunRecord, TargetRecord
from jobtck.conformance.traces import trace_json
from jobtck.reports.junit import junit_xml
from jobtck.reports.result_json import dumps, result

TRACES = "traces"
RESULT = "result.json"
JUNIT = "junit.xml"
FILES = ".jobtck-files.json"  # what the kit wrote, so that it removes nothing else
DATABASE = "examples"
STORAGE = ".hypothesis"
NOT_IN_NAMES = re.compile(r"[^\w.+@=-]")  # some that files are uploaded to take no colon
NAME_MAX = 150  # characters


def prepare(directory: Path) -> None:
    """The directory can be written to, and nothing is left in it that an earlier run wrote; `BadInput` if not."""
    try:
        (directory / TRACES).mkdir(parents=True, exist_ok=True)
        probe = directory / f".{os.getpid()}.probe"
        probe.write_bytes(b"")
        probe.unlink()
        _remove(directory, {RESULT, JUNIT, *_listed(directory)})
        (directory / FILES).unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{directory}: cannot be written to: {error.strerror}: give another one with -o") from error


@contextmanager
def failure_reported(begun: RunRecord, directory: Path, read: Iterable[Path]) -> Iterator[None]:
    """What the block fails of is the report in the directory, where an earlier run's would be taken for this one's.

    Unless something that is *read* lies there: a result that cannot be read is not lost by being named.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        own = directory.resolve()
        if not any(own in (path.resolve(), *path.resolve().parents) for path in read):
            with suppress(JobtckError):  # the block's own failure is the one to tell
                prepare(directory)
                write(replace(begun, error=str(error) or "interrupted"), directory)
        raise


def write(run: RunRecord, directory: Path) -> RunRecord:
    """The run with its trace files named; all files of the report are on disk, and none of what it said before."""
    named = replace(run, records=tuple(_named(record) for record in run.records))
    traces = {each.trace_file: (each, record) for record in named.records for each in record.deviations}
    try:
        stale = {name for name in _listed(directory) if Path(name).parent == Path(TRACES)} - set(traces)
        note(directory, [RESULT, JUNIT, *traces])
        for name, (deviation, record) in traces.items():
            write_whole(directory / name, json.dumps(trace_json(deviation, record.target), indent=2) + "\n")
        write_whole(directory / JUNIT, junit_xml(named))
        write_whole(directory / RESULT, dumps(result(named)))
        _remove(directory, stale)
    except OSError as error:
        raise BackendFailure(f"{directory}: the report could not be written: {error.strerror}") from error
    return named


def _named(record: Record) -> Record:
    """The record whose deviations know their files."""
    names: dict[Deviation, Deviation] = {}
    taken: dict[str, int] = {}
    for deviation in record.deviations:
        stem = file_name(record.target, "+".join(deviation.requirements))
        taken[stem] = number = taken.get(stem, 0) + 1
        name = f"{TRACES}/{stem}{'' if number == 1 else f'-{number}'}.json"
        names[deviation] = replace(deviation, trace_file=name)
    requirements = tuple(
        replace(each, deviations=tuple(names[deviation] for deviation in each.deviations))
        for each in record.requirements
    )
    return replace(record, requirements=requirements)


def file_name(target: TargetRecord, words: str) -> str:
    """The name of a trace's file without its ending; of what any file may say, nothing leads out of a directory."""
    return NOT_IN_NAMES.sub("-", f"{target.backend}-{target.design.name}-{words}")[:NAME_MAX]


# -- whose files they are ---------------------------------------------------------------------------------------------


def note(directory: Path, names: Iterable[str]) -> None:
    """The next run with this report directory removes these files; they are named before they are there."""
    known = _listed(directory)
    if not known.issuperset(names):
        write_whole(directory / FILES, json.dumps(sorted(known.union(names)), indent=2) + "\n")


def note_file(path: Path) -> None:
    """A report that was made of results is the kit's, if it lies in a report directory."""
    path = path.resolve()
    for directory in path.parents:
        if (directory / FILES).is_file():
            note(directory, [path.relative_to(directory).as_posix()])
            return


def _listed(directory: Path) -> set[str]:
    """The files that the kit wrote there, of a list in which anybody may have written."""
    try:
        content = json.loads((directory / FILES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    names = {name for name in content if isinstance(name, str)} if isinstance(content, list) else set()
    return {name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts}


def _remove(directory: Path, names: Iterable[str]) -> None:
    """These files are gone, and what a kit that was killed left of writing them."""
    for name in names:
        path = directory / name
        for each in (path, *path.parent.glob(f".{glob.escape(path.name)}.[0-9]*")):
            if each.is_file() or each.is_symlink():
                each.unlink()


def write_whole(path: Path, content: str) -> None:
    """The file has that content; what it had before stays when anything fails. A device or a pipe is written to."""
    if path.exists() and not path.is_file():
        path.write_text(content, encoding="utf-8")
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(content, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
