"""The report on disk: result.json, junit.xml and a trace for each deviation, each written whole or not at all."""

import json
import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import Deviation, Record, RunRecord, TargetRecord
from jobtck.conformance.traces import trace_json
from jobtck.reports.junit import junit_xml
from jobtck.reports.result_json import dumps, result

TRACES = "traces"
RESULT = "result.json"
JUNIT = "junit.xml"
DATABASE = "examples"
STORAGE = ".hypothesis"
NOT_IN_NAMES = re.compile(r"[^\w.+@=-]")  # some that files are uploaded to take no colon
NAME_MAX = 150  # characters


def prepare(directory: Path) -> None:
    """The directory is there and can be written to; `BadInput` if not."""
    try:
        (directory / TRACES).mkdir(parents=True, exist_ok=True)
        probe = directory / f".{os.getpid()}.probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise BadInput(f"{directory}: cannot be written to: {error.strerror}: give another one with -o") from error


def write(run: RunRecord, directory: Path) -> RunRecord:
    """The run with its trace files named; all files of the report are on disk."""
    named = replace(run, records=tuple(_named(record) for record in run.records))
    stale = _traces_of_last_run(directory)
    try:
        for record in named.records:
            for deviation in record.deviations:
                content = json.dumps(trace_json(deviation, record.target), indent=2) + "\n"
                write_whole(directory / deviation.trace_file, content)
                stale.discard(deviation.trace_file)
        write_whole(directory / JUNIT, junit_xml(named))
        write_whole(directory / RESULT, dumps(result(named)))
    except OSError as error:
        raise BackendFailure(f"{directory}: the report could not be written: {error.strerror}") from error
    for name in stale:
        with suppress(OSError):
            (directory / name).unlink()
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


def _traces_of_last_run(directory: Path) -> set[str]:
    """The trace files that the result there names, and nothing else that may lie beside them."""
    try:
        content = json.loads((directory / RESULT).read_text(encoding="utf-8"))
        runs = content.get("runs", [content])
        named = [d["trace"] for run in runs for each in run["requirements"] for d in each["deviations"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()
    return {name for name in named if isinstance(name, str) and Path(name).parent == Path(TRACES)}


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
