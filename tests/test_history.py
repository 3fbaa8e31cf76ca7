"""`jobtck history`: since when things stand as they do, from many results of which some may be damaged."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree as ET

import pytest
from tests.conftest import validator
from tests.test_comparison import CELL, FAILS, FLAKY, PASSES
from tests.test_reports import NASTY, RECORD

from jobtck.conformance.record import CellRecord, RequirementRecord, RunRecord
from jobtck.conformance.timeline import BUCKETS, CELLS_MAX, Followed, Moment, Timeline, Track
from jobtck.history import read
from jobtck.reports.result_json import dumps, result, validate
from jobtck.reports.timeline_html import timeline_html
from jobtck.reports.timeline_json import timeline_json
from jobtck.reports.timeline_svg import timeline_svg

Run = Callable[..., CompletedProcess[str]]
OTHERWISE = replace(CELL, outcome="busy BUSY")


def put(directory: Path, name: str, date: str, *told: RequirementRecord | CellRecord, **values: object) -> Path:
    """A result in a file, which tells these requirements and cells."""
    record = replace(
        RECORD,
        requirements=tuple(each for each in told if isinstance(each, RequirementRecord)),
        cells=tuple(each for each in told if isinstance(each, CellRecord)),
        **values,  # type: ignore[arg-type]
    )
    file = directory / name / "result.json"
    file.parent.mkdir(parents=True)
    content = result(RunRecord((record,), "jobtck run", 1, 1.0, date=date))
    validate(content)
    file.write_text(dumps(content))
    return file


def day(number: int) -> str:
    return f"2026-01-{number:02}T08:00:00Z"


def only(timeline: Timeline) -> Followed:
    (followed,) = timeline.followed.values()
    return followed


def test_since_when_how_often_and_how_flaky(tmp_path: Path) -> None:
    order = (PASSES, PASSES, FAILS, FAILS, PASSES)
    for number, requirement in reversed(list(enumerate(order, 1))):  # the order of the files' names says nothing
        put(tmp_path, f"run-{9 - number}", day(number), requirement, CELL if number < 4 else OTHERWISE)
    followed = only(read(tmp_path))
    track = followed.requirements["TYPE-2"]
    assert (track.standing, track.before, track.since.date) == ("pass", "fail", day(5))
    assert (track.since.name, track.since.version) == ("run-4/result.json", "9.0.0")
    assert (track.told, track.changes, dict(track.counts)) == (5, 2, {"pass": 3, "fail": 2})
    assert track.flakiness == 2 / 4
    cell = followed.cells[CELL.state, CELL.call]
    assert (cell.standing, cell.before, cell.since.date, cell.changes) == ("busy BUSY", "done", day(4), 1)


def test_what_varies_is_no_change(tmp_path: Path) -> None:
    put(tmp_path, "a", day(1), replace(FAILS, deviations=(FLAKY,)), CELL)
    put(tmp_path, "b", day(2), replace(FAILS, deviations=(FLAKY,)), CELL, OTHERWISE)
    put(tmp_path, "c", day(3), FAILS, CELL, replace(OTHERWISE, sure=False))
    followed = only(read(tmp_path))
    cell, requirement = followed.cells[CELL.state, CELL.call], followed.requirements["TYPE-2"]
    assert (cell.changes, cell.varied) == (0, 1)
    assert (requirement.changes, requirement.varied) == (0, 2)


def test_a_result_without_a_date_has_that_of_its_file(tmp_path: Path) -> None:
    put(tmp_path, "told", day(2), PASSES)
    old = put(tmp_path, "untold", "", FAILS)
    os.utime(old, (1_767_254_400, 1_767_254_400))  # 2026-01-01T08:00:00Z
    track = only(read(tmp_path)).requirements["TYPE-2"]
    assert (track.before, track.since.date) == ("fail", day(2))


def test_damaged_results_are_named_and_skipped(tmp_path: Path, jobtck: Run) -> None:
    whole = put(tmp_path, "a", day(1), PASSES).read_text()
    for name, text in (
        ("cut off", whole[:-100]),
        ("verdict", whole.replace('"pass"', '"perhaps"')),
        ("target", whole.replace('"backend"', '"\\u001b[31m<b>"')),
        ("empty", ""),
        ("foreign", '{"schema": "their-result/1"}'),
        ("deep", '{"schema": "jobtck-result/3", "runs": ' + "[" * 5_000),
        ("bytes", whole[:500] + "\udcff" + whole[500:]),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_bytes(text.encode(errors="surrogateescape"))
    (tmp_path / "notes.json").write_text("{}")  # somebody else's
    (tmp_path / "a" / "traces").mkdir()
    (tmp_path / "a" / "traces" / "result.json").write_text("{")
    timeline = read(tmp_path)
    assert (timeline.read, timeline.damaged_count) == (1, 7)
    assert sorted(each.split("/")[0] for each in timeline.damaged) == [
        "bytes",
        "cut off",
        "deep",
        "empty",
        "foreign",
        "target",
        "verdict",
    ]
    ran = jobtck("history", str(tmp_path))
    assert ran.returncode == 3
    assert "7 could not be read" in ran.stdout
    assert "\x1b" not in ran.stdout
    (tmp_path / "none").mkdir()
    nothing = jobtck("history", "none")
    assert (nothing.returncode, "no result.json is in it" in nothing.stderr) == (2, True)


def test_reports_of_a_history(tmp_path: Path, jobtck: Run) -> None:
    put(tmp_path, "a", day(1), PASSES, CELL)
    put(tmp_path, "b", day(2), FAILS, OTHERWISE)
    ran = jobtck("history", str(tmp_path), "--json", "-", "--html", "h.html", "--plot", "h.svg")
    assert ran.returncode == 0
    content = json.loads(ran.stdout)
    validator("jobtck.reports", "history.schema.json").validate(content)
    (target,) = content["targets"]
    assert target["cells"][0]["standing"] == "busy BUSY"
    assert target["requirements"][0]["since"] == {
        "date": day(2),
        "result": os.path.join("b", "result.json"),  # noqa: PTH118
        "version": "9.0.0",
    }
    picture = ET.parse(tmp_path / "h.svg").getroot()  # noqa: S314
    kinds = [each.attrib["class"] for each in picture.iter() if each.tag.endswith("rect") and "class" in each.attrib]
    assert kinds == ["pass", "fail", "as-before", "changed"]
    page = (tmp_path / "h.html").read_text()
    assert "<svg" in page
    assert "<script" not in page


@pytest.mark.parametrize("text", [NASTY, "</title></svg><img src=x onerror=alert(1)>"])
def test_foreign_text_is_only_text(tmp_path: Path, text: str) -> None:
    nasty = replace(CELL, state=text, call=text)
    target = replace(RECORD.target, backend=text, versions={"libvirt": text})
    for number, outcome in enumerate((text, "other", text), 1):
        put(tmp_path, str(number), day(number), FAILS, replace(nasty, outcome=outcome), target=target)
    timeline = read(tmp_path)
    assert (
        not only(timeline)
        .cells[nasty.state.replace("\udc80", "\\udc80"), nasty.call.replace("\udc80", "\\udc80")]
        .is_steady
    )
    page = timeline_html(timeline)
    assert not re.search(r"<(script|img)|\x1b|\x00|\u202e", page)
    assert ET.fromstring(timeline_svg(timeline)).tag.endswith("svg")  # noqa: S314
    validator("jobtck.reports", "history.schema.json").validate(json.loads(dumps(timeline_json(timeline))))


def test_limits_hold() -> None:
    followed = Followed("libvirt", "default-job")
    now = Moment(0, day(1), "a")
    followed.add_cells((replace(CELL, call=f"call_{number}()") for number in range(CELLS_MAX + 5)), now, 0)
    followed.add_cells([replace(CELL, state="x" * 2_000)], now, 0)
    assert (len(followed.cells), followed.left_out) == (CELLS_MAX, 6)
    assert Timeline(10).bucket(9) < BUCKETS
    assert Timeline(10_000).bucket(9_999) == BUCKETS - 1
    assert Track("pass", now).flakiness == 0
