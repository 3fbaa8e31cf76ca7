"""`jobtck report`: each format where it is wanted, and results that cannot be read."""

import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.deviating import written
from tests.test_reports import CONFORMING, RECORD, RUNS, a_run, every_run

from jobtck.conformance.record import NamedRun, RunRecord
from jobtck.reports.junit import junit_of, junit_xml
from jobtck.reports.result_json import dumps, result

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A directory with two results in it, each in a directory of its own."""
    for name, run in (("one", RUNS["one"]), ("other", a_run(CONFORMING))):
        written({"result.json": dumps(result(run))}, tmp_path / name)
    return tmp_path


def test_all_formats_are_written_at_once(jobtck: Command, results: Path) -> None:
    options = ["--junit", "j.xml", "--tap", "t.tap", "--markdown", "m.md", "--script", "s"]
    done = jobtck("report", "one", "other/result.json", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert ET.parse(results / "j.xml").getroot().tag == "testsuites"  # noqa: S314 (written here)
    assert (results / "t.tap").read_text().startswith("TAP version 14\n1..2\n# Subtest: libvirt 9.0.0")
    assert (results / "m.md").read_text().startswith("### jobtck: nonconforming\n")
    assert (results / "s" / "README.txt").is_file()


@pytest.mark.parametrize("option", ["--junit", "--tap", "--markdown"])
def test_a_dash_is_standard_output(jobtck: Command, results: Path, option: str) -> None:
    done = jobtck("report", "one", option, "-")
    assert jobtck("report", "one", option, "file").returncode == 0
    assert done.stdout == (results / "file").read_text()


@pytest.mark.usefixtures("results")
def test_without_a_format_it_says_which_there_are(jobtck: Command) -> None:
    done = jobtck("report", "one")
    assert done.returncode == 2
    assert "no report is asked for: give one of --html, --junit, --tap, --markdown, --badge, --script" in done.stderr


@pytest.mark.usefixtures("results")
def test_where_nothing_can_be_written_is_told(jobtck: Command) -> None:
    done = jobtck("report", "one", "--script", "one/result.json/scripts")
    assert done.returncode == 2
    assert "one/result.json/scripts: cannot be written to: Not a directory" in done.stderr
    assert jobtck("report", "one", "--tap", "nowhere/x.tap").returncode == 4


def test_a_pipe_is_written_to_and_stays_one(jobtck: Command, results: Path) -> None:
    pipe = results / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert jobtck("report", "one", "--tap", "pipe").returncode == 0
    reader.join()
    assert read[0].startswith("TAP version 14\n")
    assert pipe.is_fifo()


# -- JUnit of several ------------------------------------------------------------------------------

CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "testcase": {"properties", "skipped", "error", "failure"},
    "properties": {"property"},
}
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "time", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "time", "classname"},
    "property": {"name", "value"},
    "skipped": {"type", "message"},
    "error": {"type", "message"},
    "failure": {"type", "message"},
}


def named(*runs: RunRecord) -> Sequence[NamedRun]:
    return [NamedRun(f"run.{number}", run) for number, run in enumerate(runs)]


@every_run
def test_junit_has_only_what_servers_know(run: RunRecord) -> None:
    """As the schema of Jenkins has it, and properties of cases, as pytest has them, and a sum of what was skipped."""
    for text in (junit_xml(run), junit_of(named(run, run))):
        for element in ET.fromstring(text).iter():  # noqa: S314 (written here)
            assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
            assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set())
            float(element.get("time", "0"))


def test_no_two_cases_have_one_name() -> None:
    stale = tuple(replace(each, call=call) for each in RECORD.stale_known for call in ("abort_job", "destroy"))
    run = a_run(replace(RECORD, stale_known=stale), CONFORMING, error="lost")
    cases = [
        (case.get("classname"), case.get("name"))
        for case in ET.fromstring(junit_of(named(run, run))).iter("testcase")  # noqa: S314 (written here)
    ]
    assert len(set(cases)) == len(cases)
    assert (
        "jobtck.run_1.libvirt.default-job.known",
        "END-1 in destroy answered 'internal' is listed as known and did not happen",
    ) in cases


def test_one_result_is_told_as_its_run_was() -> None:
    assert junit_of(named(RUNS["two"])) == junit_xml(RUNS["two"])
