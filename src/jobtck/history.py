"""`jobtck history`: many results read one after the other, in the order of time, and what became of it all."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console

from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import judged_below
from jobtck.conformance.timeline import Moment, Timeline
from jobtck.report import write
from jobtck.reportdir import RESULT
from jobtck.reports.result_json import dumps
from jobtck.reports.texts import LINE_MAX, one_line
from jobtck.reports.timeline_html import timeline_html
from jobtck.reports.timeline_json import timeline_json
from jobtck.reports.timeline_svg import timeline_svg
from jobtck.reports.timeline_terminal import print_timeline
from jobtck.results import BYTES_MAX

ALL_READ, SOME_SKIPPED = 0, 3
HEAD_BYTES = 4_096  # of a result; its schema and its date come first
IS_RESULT = re.compile(rb'"schema"\s*:\s*"jobtck-result/')
DATE = re.compile(rb'"date"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"')
NAMED_MAX = 50  # damaged files that are named
PASSED_OVER = ("traces", "examples", ".hypothesis")  # of a report's directory


class _Struct(msgspec.Struct, gc=False):
    """Only what is needed of a result is read; what else it has is skipped."""


class _Design(_Struct):
    name: str


class _Target(_Struct):
    backend: str
    design: _Design
    versions: dict[str, str]


class _Deviation(_Struct):
    reproduced: int
    runs: int


class _Requirement(_Struct):
    id: str
    verdict: Literal["pass", "fail", "known", "unsupported", "not-exercised"]
    deviations: list[_Deviation] = []


class _Cell(_Struct):
    state: str
    call: str
    outcome: str
    sure: bool = False


class _Record(_Struct):
    target: _Target
    requirements: list[_Requirement]
    cells: list[_Cell]


class _Result(_Struct):
    """One record has its fields here; several are in `runs`."""

    runs: list[_Record] | None = None
    target: _Target | None = None
    requirements: list[_Requirement] = []
    cells: list[_Cell] = []


_DECODER = msgspec.json.Decoder(_Result)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where what was found is to be written; None where it is not."""

    json: Path | None = None
    html: Path | None = None
    plot: Path | None = None


def history(directory: Path, wanted: Wanted, console: Console) -> int:
    """The exit status: 0 all results were read, 3 some could not be; what was found is shown and written."""
    timeline = read(directory)
    if wanted.json is not None:
        write(wanted.json, dumps(timeline_json(timeline)))
    if wanted.html is not None:
        write(wanted.html, timeline_html(timeline))
    if wanted.plot is not None:
        write(wanted.plot, timeline_svg(timeline))
    print_timeline(console, timeline)
    return SOME_SKIPPED if timeline.damaged_count else ALL_READ


def read(directory: Path) -> Timeline:
    """All results below a directory, one after the other; damaged ones are named and skipped."""
    files = sorted(_results(directory))
    if not files:
        raise BadInput(f"{directory}: no result.json is in it or below it")
    timeline = Timeline(len(files), first=files[0][0], last=files[-1][0])
    for place, (date, path) in enumerate(files):
        name = os.path.relpath(path, directory)
        try:
            _add(timeline, Path(path), Moment(place, date, name))
        except (OSError, ValueError, RecursionError) as error:
            timeline.damaged_count += 1
            if len(timeline.damaged) < NAMED_MAX:
                timeline.damaged.append(one_line(f"{name}: {error}", LINE_MAX))
    return timeline


def _results(directory: Path) -> Iterator[tuple[str, str]]:
    """When each result was made, and where it is; where it does not say when, the time of its file tells."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(set(folders) - set(PASSED_OVER))
        for name in names:
            if name.endswith(".json"):
                path = os.path.join(folder, name)  # noqa: PTH118 (a path object each would double the time)
                date = _date(path, is_named_so=name == RESULT)
                if date is not None:
                    yield date, path


def _date(path: str, *, is_named_so: bool) -> str | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            head = file.read(HEAD_BYTES)
            seconds = os.fstat(file.fileno()).st_mtime
    except OSError:
        return "" if is_named_so else None
    if not is_named_so and not IS_RESULT.search(head):
        return None
    told = DATE.search(head)
    return told[1].decode() if told else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _add(timeline: Timeline, path: Path, now: Moment) -> None:
    if path.stat().st_size > BYTES_MAX:
        raise ValueError(f"larger than {BYTES_MAX >> 20} MiB: no result of the kit's")
    content = path.read_bytes()
    if not IS_RESULT.search(content[:HEAD_BYTES]):
        raise ValueError("not a result of jobtck")
    told = _DECODER.decode(content)
    if told.runs is None and told.target is None:
        raise ValueError("neither a record nor several are in it")
    records = told.runs or ([] if told.target is None else [_Record(told.target, told.requirements, told.cells)])
    bucket = timeline.bucket(now.place)
    for record in records:
        followed = timeline.target(record.target.backend, record.target.design.name)
        if followed is None:
            continue
        here = Moment(now.place, now.date, now.name, judged_below(record.target.versions)[1])
        verdicts = (
            (each.id, each.verdict, any(found.reproduced < found.runs for found in each.deviations))
            for each in record.requirements
        )
        followed.add_requirements(verdicts, here, bucket)
        followed.add_cells(record.cells, here, bucket)
        followed.results += 1
        followed.last = here
    timeline.read += 1
