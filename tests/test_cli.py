"""The command line, as a user meets it: what it prints, what it leaves, and its exit status."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from junitparser import JUnitXml
from tests.conftest import HANG_SECONDS

from jobtck import reportdir
from jobtck.cli import main
from jobtck.command import CUT_OFF
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BackendFailure
from jobtck.hunt import Hunt
from jobtck.reports.result_json import validate
from jobtck.supervisor import Ended

Jobtck = Callable[..., "subprocess.CompletedProcess[str]"]
IDS = [requirement.id for requirement in CATALOGUE]
AMPLE = "300"  # seconds: the tour takes what it needs, on however busy a machine
LONG_SESSIONS_SECONDS = 0.5


# The command line with long sessions cut short.
BRIEFLY = f"""
from jobtck.cli import main
from jobtck.hunt import Hunt
run_machine = Hunt.run_machine
Hunt.run_machine = lambda hunt, progress, until: run_machine(
    hunt, progress, hunt.seconds_gone + {LONG_SESSIONS_SECONDS}
)
main(prog_name="jobtck")
"""


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs `jobtck` in this process and an empty directory, with long sessions cut short."""
    run_machine = Hunt.run_machine

    def briefly(hunt: Hunt, progress: Callable[[int, int, int], None], until: float) -> None:
        run_machine(hunt, progress, min(until, hunt.seconds_gone + LONG_SESSIONS_SECONDS))

    monkeypatch.setattr(Hunt, "run_machine", briefly)
    monkeypatch.setattr("jobtck.command.supervised", lambda work, *_: Ended(work()))
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path / "hypothesis"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def words(text: str) -> str:
    """The text on one line: the terminal folds it where it likes."""
    return " ".join(text.split())


def read(path: Path) -> Any:  # noqa: ANN401
    return json.loads(path.read_text())


# -- help and lists --------------------------------------------------------------------------------


def test_help_names_the_commands_and_the_exit_statuses(jobtck: Jobtck) -> None:
    done = jobtck("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("run", "list", "probe", "replay"):
        assert f"\n  {command} " in done.stdout
    assert "0 conforming, 1 nonconforming, 2 usage error, 3 incomplete, 4 error" in words(done.stdout)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from jobtck.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'hypothesis', 'jsonschema', 'libvirt', 'rich', 'junitparser', 'jobtck.run'}"
        " & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANG_SECONDS)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("what", "key", "expected"),
    [
        ("requirements", "id", IDS),
        ("designs", "name", list(presets())),
        ("backends", "name", ["libvirt", "libvirtd", "numbered", "qemu-jobs", "reference", "virsh"]),
    ],
)
def test_lists_are_told_as_tables_and_as_json(
    what: str, key: str, expected: list[str], invoke: Callable[..., Result]
) -> None:
    shown, told = invoke("list", what), invoke("list", what, "--json")
    assert (shown.exit_code, told.exit_code) == (0, 0)
    assert [row[key] for row in json.loads(told.output)] == expected
    assert [name for name in expected if name not in shown.output] == []


def test_requirements_of_a_design_say_which_apply(invoke: Callable[..., Result]) -> None:
    rows = json.loads(invoke("list", "requirements", "--design", "default-job", "--json").output)
    applies = {row["id"]: row["applies"] for row in rows}
    assert (applies["ZERO-1"], applies["END-6"]) == (False, True)


def test_cells_are_told_with_the_length_of_the_way_there(invoke: Callable[..., Result]) -> None:
    cells = json.loads(invoke("list", "cells", "--design", "default-job", "--json").output)
    lengths = {(cell["state"], cell["call"]): cell["length"] for cell in cells}
    assert len(lengths) == len(cells) > 1_000
    assert lengths["no job", "get_job_info()"] == 1
    assert lengths["backup-pull", "abort_job()"] == 2
    shown = invoke("list", "cells", "--design", "default-job")
    assert shown.exit_code == 0
    assert "backup-pull" in shown.output


def test_probe_tells_what_the_reference_has(invoke: Callable[..., Result]) -> None:
    probed = json.loads(invoke("probe", "--backend", "reference", "--json").output)
    present = {row["call"] for row in probed["calls"] if row["present"]}
    assert {"backup_begin", "backup_end"} <= present
    assert "list_all_jobs" not in present  # zero-id has none
    assert "backup_begin" in invoke("probe", "--backend", "reference").output


# -- runs on the reference -------------------------------------------------------------------------


@pytest.mark.parametrize("design", [name for name in presets() if name != "recycled-ids"])
def test_the_reference_conforms(design: str, invoke: Callable[..., Result], tmp_path: Path) -> None:
    done = invoke("run", "--backend", "reference", "--design", design, "--budget", AMPLE)
    report = tmp_path / "jobtck-report"
    result = read(report / "result.json")
    validate(result)
    assert done.exit_code == 0, done.output
    assert result["verdict"] == "conforming"
    assert result["target"]["design"]["name"] == design
    assert [each["id"] for each in result["requirements"]] == IDS
    cases = [case for suite in JUnitXml.fromfile(str(report / "junit.xml")) for case in suite]
    assert len(cases) == len(IDS)
    assert f"as {design}: {result['verdict']}" in words(done.output)
    assert 0 < result["power"]["noticed"] <= result["power"]["total"]
    told = f"noticed {result['power']['noticed']:,} of {result['power']['total']:,} changed answers"
    assert told in words(done.output)
    assert not (tmp_path / ".hypothesis").exists()


def test_what_exercised_a_requirement_is_explained(invoke: Callable[..., Result]) -> None:
    wanted = ["--explain", "TYPE-7", "--explain", "QUERY-3", "--explain", "TYPE-7"]
    told = words(invoke("run", "--backend", "reference", "--design", "default-job", "--quick", *wanted).output)
    asked, times = re.search(r"(TYPE-7 was exercised) (\d+) times?, in", told).groups()  # type: ignore[union-attr]
    assert told.count(asked) == 1
    assert int(times) >= 1
    assert re.search(r"\d+ x block_job_abort\(disk in block-copy ready, pivot\), in: block-copy", told)
    assert re.search(r"QUERY-3 was exercised [\d,]+ times, in \d+ cells", told)
    assert "and " in told.split("QUERY-3 was exercised")[1]


@pytest.fixture(scope="module")
def recycled(tmp_path_factory: pytest.TempPathFactory) -> "subprocess.CompletedProcess[str]":
    """A run in a process of its own; its working directory is in the place of its arguments."""
    folder = tmp_path_factory.mktemp("recycled")
    command = [sys.executable, "-c", BRIEFLY, "run", "--backend", "reference"]
    command += ["--design", "recycled-ids", "--budget", AMPLE, "-o", "report"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=120)
    done.args = [str(folder)]
    return done


def test_a_deviation_ends_in_one_and_is_shown(
    recycled: "subprocess.CompletedProcess[str]",
) -> None:
    assert (recycled.returncode, recycled.stderr) == (1, "")
    result = read(Path(recycled.args[0]) / "report" / "result.json")
    validate(result)
    failed = {each["id"] for each in result["requirements"] if each["verdict"] == "fail"}
    assert {"STALE-1", "STALE-2"} <= failed
    told = words(recycled.stdout)
    assert "reference as recycled-ids: tour: " in told
    assert "STALE-2" in told
    assert "jobtck replay report/traces/reference-recycled-ids-STALE-2.json" in told


def test_every_deviation_has_a_trace_that_replays(recycled: "subprocess.CompletedProcess[str]", jobtck: Jobtck) -> None:
    report = Path(recycled.args[0]) / "report"
    result = read(report / "result.json")
    named = {deviation["trace"] for each in result["requirements"] for deviation in each["deviations"]}
    assert named == {f"traces/{path.name}" for path in (report / "traces").iterdir()}
    assert len(named) >= 2
    for name in named:
        done = jobtck("replay", str(report / name))
        assert (done.returncode, done.stderr) == (1, "")
        assert "still there" in done.stdout
        assert len(read(report / name)["calls"]) <= 6


def test_the_report_holds_what_it_should_and_nothing_beside_it(
    recycled: "subprocess.CompletedProcess[str]",
) -> None:
    folder = Path(recycled.args[0])
    assert [path.name for path in folder.iterdir()] == ["report"]
    left = {path.name for path in (folder / "report").iterdir()}
    assert {"result.json", "junit.xml", "traces"} <= left
    assert left <= {"result.json", "junit.xml", "traces", reportdir.FILES, reportdir.DATABASE, reportdir.STORAGE}
    result = read(folder / "report" / "result.json")
    assert result["command"].startswith("jobtck run --backend reference --design recycled-ids ")


def test_traces_of_the_last_run_go_and_other_files_stay(
    recycled: "subprocess.CompletedProcess[str]", invoke: Callable[..., Result], tmp_path: Path
) -> None:
    report = tmp_path / "r"
    shutil.copytree(Path(recycled.args[0]) / "report", report)
    (report / "traces" / "mine.json").write_text("{}")
    assert invoke(*QUICK, "-o", str(report)).exit_code == 0
    assert [path.name for path in (report / "traces").iterdir()] == ["mine.json"]


# -- usage errors ----------------------------------------------------------------------------------

REFERENCE = ["run", "--backend", "reference"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["run", "--backend", "qemu"],
            "no backend 'qemu': there are libvirt, libvirtd, numbered, qemu-jobs, reference, virsh",
        ),
        ([*REFERENCE, "--design", "zero"], "no design 'zero': give one of default-job, "),
        ([*REFERENCE, "--design", "bad.toml"], "bad.toml:2:1: handle = 'int': one of 'none'"),
        ([*REFERENCE, "--known", "bad.toml"], "bad.toml:1:2: 'mine' is unknown here"),
        ([*REFERENCE, "--known", "nowhere"], "nowhere: cannot read the known deviations"),
        ([*REFERENCE, "-r"], "-r needs a URI: give one with -c"),
        ([*REFERENCE, "-o", "/proc/jobtck"], "/proc/jobtck: cannot be written to: "),
        ([*REFERENCE, "-o", "bad.toml"], "Directory 'bad.toml' is a file"),
        ([*REFERENCE, "--budget", "4.9"], "4.9 is not in the range x>=5.0"),
        ([*REFERENCE, "--budget", "nan"], "nan is no number of seconds"),
        ([*REFERENCE, "--budget", "inf"], "inf is no number of seconds"),
        ([*REFERENCE, "--explain", "ANS-9"], "--explain: no requirement 'ANS-9': see 'jobtck list requirements'"),
        ([*REFERENCE, "--seed", "x"], "'x' is not a valid integer"),
        (["run", "--backend", "libvirt", "--design", "zero-id"], "cannot play the design 'zero-id'"),
        (["run", "--design", "opaque-handles"], "cannot play the design 'opaque-handles'"),
        (["run", "--frobnicate"], "No such option"),
        (["walk"], "No such command 'walk'"),
        (["list", "cells", "--design", "zero"], "no design 'zero'"),
        (["list", "requirements", "--design", "zero"], "no design 'zero'"),
        (["probe", "--backend", "qemu"], "no backend 'qemu'"),
        (["replay"], "Missing argument 'TRACE'"),
        (["replay", "nowhere.json"], "nowhere.json: cannot read the trace: "),
        (["replay", "bad.toml"], "bad.toml: not JSON: "),
        (["replay", "foreign.json"], "not a trace of jobtck: it has no 'schema'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_ends_in_two_and_a_sentence(
    arguments: list[str], told: str, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("[mine]\nhandle = 'int'\n")
    (tmp_path / "foreign.json").write_text("{}")
    done = invoke(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    report = tmp_path / "jobtck-report" / "result.json"
    assert not report.exists() or told in read(report)["error"]


# -- when things go wrong --------------------------------------------------------------------------

QUICK = ["run", "--backend", "reference", "--design", "default-job", "--budget", AMPLE]


def test_a_report_that_cannot_be_written_is_shown_all_the_same(
    invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_at_last(path: Path, content: str) -> None:
        if path.name != reportdir.FILES and CUT_OFF not in content:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(reportdir, "write_whole", full_at_last)
    done = invoke(*QUICK)
    assert done.exit_code == 4
    assert "reference" in done.stdout
    assert "as default-job: conforming" in words(done.stdout)
    told = "jobtck: jobtck-report: the report could not be written: No space left on device\n"
    assert done.stderr == told


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few pages, all used."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        with pytest.raises(OSError, match="No space left"), (folder / "blob").open("wb") as blob:
            while True:
                blob.write(bytes(4096))
                blob.flush()
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_in_a_sentence(full_disk: Path, invoke: Callable[..., Result]) -> None:
    done = invoke(*QUICK, "-o", str(full_disk))
    assert done.exit_code == 4
    assert done.stderr.startswith(f"jobtck: {full_disk}: the report could not be written: No space")
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in full_disk.iterdir() if path.is_file()] == ["blob"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (BackendFailure("the server died"), "jobtck: the server died"),
        (KeyboardInterrupt(), "jobtck: interrupted"),
        (ZeroDivisionError("oh"), "jobtck: this is a mistake in jobtck: no verdict can rest on it"),
        (OSError(5, "Input/output error"), "jobtck: [Errno 5] Input/output error"),
    ],
)
def test_no_failure_ends_in_the_exit_status_of_a_verdict(
    raised: BaseException,
    told: str,
    invoke: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("jobtck.command.pairs_for", fail)
    done = invoke(*QUICK)
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1] == told


def test_a_should_that_fails_fails_a_strict_run_only(
    invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from jobtck.conformance.calls import BlockJobSetSpeed
    from jobtck.conformance.outcomes import DONE, Outcome
    from jobtck.fixtures.reference import Reference
    from jobtck.fixtures.reference_jobs import Guest

    original = Reference.block_job_set_speed

    def retunes(backend: Reference, guest: Guest, call: BlockJobSetSpeed) -> Outcome:
        answer = original(backend, guest, call)
        on_backup = any(call.disk in job.disks for job in guest.backups)
        return DONE if on_backup and not call.flaw else answer

    monkeypatch.setattr(Reference, "block_job_set_speed", retunes)
    lenient, strict = invoke(*QUICK), invoke(*QUICK, "--strict")
    assert (lenient.exit_code, strict.exit_code) == (0, 1), lenient.output
    assert "1 deviation from a SHOULD: TYPE-2" in words(lenient.stdout)
    assert "1 failed requirement: TYPE-2" in words(strict.stdout)
    assert read(tmp_path / "jobtck-report" / "result.json")["strict"] is True
