"""The report directory holds what this run wrote, however it ends, and never an earlier run's files as if they were."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from tests.conftest import users_environment
from tests.deviating import PULL, record_with

from jobtck import reportdir
from jobtck.cli import main
from jobtck.conformance.calls import AbortJob
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import Deviation, RunRecord, TraceLine
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.matrices import Installation, Matrix
from jobtck.matrix import Place
from jobtck.matrix_report import judge_and_tell
from jobtck.reports.scripts import README
from jobtck.run import Order
from jobtck.supervisor import Ended
from jobtck.verdicts import target_record

RUN = ("run", "--backend", "reference", "--design", "default-job", "-o", "r")
TARGET = target_record(ReferenceTarget(presets()["default-job"]))


def deviation(*requirements: str) -> Deviation:
    lines = (TraceLine(PULL, "value"), TraceLine(AbortJob(), "refused: internal"))
    return Deviation(requirements, lines, reproduced=3, runs=3)


def a_run(*deviations: Deviation) -> RunRecord:
    return RunRecord((record_with(TARGET, deviations),), "jobtck run", 1, 1.0)


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs `jobtck` in this process and a directory with the report of an earlier run in `r`."""
    monkeypatch.setattr("jobtck.command.supervised", lambda work, *_: Ended(work()))
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "hypothesis"))
    monkeypatch.chdir(tmp_path)
    reportdir.prepare(tmp_path / "r")
    reportdir.write(a_run(deviation("END-1"), deviation("END-5")), tmp_path / "r")
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], RunRecord]], None]:
    """Puts a function in the place of what judges."""

    def put(judge: Callable[[], RunRecord]) -> None:
        def judge_all(_: Order, *__: object) -> RunRecord:
            return judge()

        monkeypatch.setattr("jobtck.command.judge_all", judge_all)

    return put


def fails_with(error: BaseException) -> Callable[[], RunRecord]:
    def fail() -> RunRecord:
        raise error

    return fail


def result_in(directory: Path) -> Any:  # noqa: ANN401
    return json.loads((directory / "result.json").read_text())


def seed_in(directory: Path) -> int | None:
    """The seed of the run whose report is there; None while there is none."""
    with suppress(FileNotFoundError):
        return int(result_in(directory)["seed"])
    return None


def visible(directory: Path) -> set[str]:
    """The files in the directory, but for what is hidden."""
    paths = [path.relative_to(directory) for path in directory.rglob("*") if path.is_file()]
    return {path.as_posix() for path in paths if not path.name.startswith(".")}


def is_told_in_all_files(directory: Path, sentence: str) -> None:
    assert visible(directory) == {"result.json", "junit.xml"}
    assert (result_in(directory)["verdict"], result_in(directory)["runs"]) == ("error", [])
    assert sentence in result_in(directory)["error"]
    assert sentence in (directory / "junit.xml").read_text()


# -- however a run ends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--known", "nowhere"], "nowhere: cannot read the known deviations"),
        (["--baseline", "nowhere"], "nowhere: cannot read the result"),
        (["--design", "zero"], "no design 'zero'"),
        (["--backend", "qemu"], "no backend 'qemu'"),
        (["--host", "libvirtd", "-c", "qemu:///system"], "--host is where guests live without -c"),
        (["--backend", "exec:/nonexistent", "--design", "zero-id"], "/nonexistent"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_wrong_before_anything_is_judged_is_in_the_report(
    arguments: list[str], told: str, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    assert invoke(*RUN, *arguments).exit_code in (2, 4)
    is_told_in_all_files(tmp_path / "r", told)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BackendFailure("the server died"), "the run was cut off"),
        (BadInput("cannot play the design"), "cannot play the design"),
        (KeyboardInterrupt(), "the run was cut off"),
        (ZeroDivisionError("oh"), "the run was cut off"),
    ],
)
def test_what_fails_later_leaves_the_report_of_this_run(
    error: BaseException,
    told: str,
    invoke: Callable[..., Result],
    judging: Callable[[Callable[[], RunRecord]], None],
    tmp_path: Path,
) -> None:
    judging(fails_with(error))
    assert invoke(*RUN).exit_code == (2 if isinstance(error, BadInput) else 4)
    is_told_in_all_files(tmp_path / "r", told)


def test_a_run_that_is_killed_leaves_its_own_report(invoke: Callable[..., Result], tmp_path: Path) -> None:
    assert invoke("report", "r", "--html", "r/page.html").exit_code == 0
    command = [sys.executable, "-m", "jobtck.cli", *RUN, "--seed", "7", "--budget", "300"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path, env=users_environment()
    ) as running:
        try:
            while seed_in(tmp_path / "r") != 7 and running.poll() is None:
                time.sleep(0.01)
        finally:
            running.kill()
    # Its child may still write, as one that was interrupted.
    assert (result_in(tmp_path / "r")["seed"], result_in(tmp_path / "r")["verdict"]) == (7, "error")
    assert not visible(tmp_path / "r") & {"page.html", "traces/reference-default-job-END-1.json"}


def test_a_baseline_and_a_list_in_the_directory_are_not_lost_by_being_unreadable(
    invoke: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "r" / "result.json").write_text('{"schema": "jobtck-result/0"}')
    (tmp_path / "r" / "list.toml").write_text("[mine]")
    assert invoke(*RUN, "--baseline", "r").exit_code == 2
    assert invoke(*RUN, "--known", "r/list.toml").exit_code == 2
    assert (tmp_path / "r" / "result.json").read_text() == '{"schema": "jobtck-result/0"}'


# -- whose files they are --------------------------------------------------------------------------


def test_only_what_the_kit_wrote_is_removed(
    invoke: Callable[..., Result], judging: Callable[[Callable[[], RunRecord]], None], tmp_path: Path
) -> None:
    report = tmp_path / "r"
    for name in ("notes.html", "baseline.json", "known.toml", "traces/mine.json", "examples/example"):
        (report / name).parent.mkdir(exist_ok=True)
        (report / name).write_text((report / "result.json").read_text())
    made = ("--html", "r/page.html", "--badge", "r/badge.svg", "--tap", "r/a.tap", "--script", "r/scripts")
    assert invoke("report", "r", *made).exit_code == 0
    assert (
        invoke("diff", "r/baseline.json", "r", "--markdown", "r/diff.md", "--json", "r/diff.json").exit_code == 3
    )  # it has no cells
    assert {"page.html", "badge.svg", "a.tap", "diff.md", "diff.json", f"scripts/{README}"} <= visible(report)
    judging(lambda: a_run(deviation("ID-1")))
    assert invoke(*RUN).exit_code == 1
    mine = {"notes.html", "baseline.json", "known.toml", "traces/mine.json", "examples/example"}
    assert visible(report) == mine | {"result.json", "junit.xml", "traces/reference-default-job-ID-1.json"}


def test_what_is_made_elsewhere_of_a_result_stays(
    invoke: Callable[..., Result], judging: Callable[[Callable[[], RunRecord]], None], tmp_path: Path
) -> None:
    assert invoke("report", "r", "--html", "page.html").exit_code == 0
    judging(a_run)
    assert invoke(*RUN).exit_code in (0, 1)
    assert (tmp_path / "page.html").exists()


def test_each_stage_of_a_run_says_what_is_true_then(tmp_path: Path) -> None:
    reportdir.prepare(tmp_path)
    reportdir.write(a_run(deviation("END-1"), deviation("END-5")), tmp_path)
    reportdir.write(a_run(deviation("END-5")), tmp_path)
    assert [path.name for path in (tmp_path / "traces").iterdir()] == ["reference-default-job-END-5.json"]


def test_what_a_killed_kit_was_writing_is_removed(tmp_path: Path) -> None:
    reportdir.prepare(tmp_path)
    reportdir.write(a_run(deviation("END-1")), tmp_path)
    for name in (".result.json.4711", "traces/.reference-default-job-END-1.json.4711", ".result.json.mine"):
        (tmp_path / name).write_text("{")
    reportdir.prepare(tmp_path)
    assert {path.name for path in tmp_path.rglob("*")} == {"traces", ".result.json.mine"}


@pytest.mark.parametrize("names", ['["../outside", "/{outside}", 7, "", "traces"]', '"outside"', "{", "[[]]"])
def test_the_list_of_files_leads_nowhere_else(names: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    directory = tmp_path / "r"
    reportdir.prepare(directory)
    (directory / reportdir.FILES).write_text(names.replace("{outside}", str(tmp_path / "outside").lstrip("/")))
    reportdir.prepare(directory)
    assert (tmp_path / "outside").read_text() == "mine"
    assert (directory / "traces").is_dir()


# -- a matrix --------------------------------------------------------------------------------------


def test_a_matrix_takes_no_result_of_an_earlier_one_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*, making: bool) -> None:
        raise BackendFailure(f"no root here: {making}")

    monkeypatch.setattr("jobtck.fixtures.debian_roots.check_prerequisites", fail)
    matrix = Matrix((Installation("next", debian="sid"),), (("reference", "default-job"),), 1, 5.0)
    place = Place(tmp_path / "m", tmp_path / "cache", 1)
    directories = [tmp_path / "m/next", tmp_path / "m/next/runs/reference-default-job"]
    for directory in directories:
        reportdir.prepare(directory)
        reportdir.write(a_run(deviation("END-1")), directory)
    with pytest.raises(BackendFailure, match="no root here: True"):
        judge_and_tell(matrix, place, Console())
    assert [visible(directory) - {"root.txt"} for directory in directories] == [set(), set()]
