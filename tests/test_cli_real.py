"""The command line on real libvirt: what it says where there is nothing to judge, and what it leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from junitparser import JUnitXml
from tests.conftest import HANG_SECONDS

from jobtck.command import CUT_OFF
from jobtck.reports.result_json import validate

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if shutil.which("qemu-img") is None:
    pytest.skip("QEMU is not installed", allow_module_level=True)

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("libvirt")]

ALL = ("libvirt as default-job", "numbered as zero-id")
PAGE_BYTES_MAX = 3_000_000


def words(text: str) -> str:
    return " ".join(text.split())


def result_in(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "jobtck-report" / "result.json").read_text())
    validate(content)
    return content


class Place(NamedTuple):
    """A working directory, and one for the temporary files of what runs there."""

    folder: Path
    temporary: Path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "jobtck.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with self.start(*arguments) as running:
            told, complaints = running.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, running.returncode, told, complaints)

    def processes(self) -> list[str]:
        """The command lines of processes that have to do with the temporary files."""
        found: list[str] = []
        for entry in Path("/proc").iterdir():
            try:
                used = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if entry.name.isdecimal() and bytes(self.temporary) in used:
                found.append(used.split(b"\0", 1)[0].decode())
        return found

    def mounts(self) -> list[str]:
        mounted = Path("/proc/mounts").read_text().splitlines()
        return [line for line in mounted if str(self.temporary) in line]

    def left(self) -> list[str]:
        """What is left there: processes, mounts, files."""
        files = [str(path) for path in self.temporary.iterdir()]
        return [*self.processes(), *self.mounts(), *files]


@pytest.fixture(scope="module")
def new_place() -> Iterator[Callable[[], Place]]:
    """Makes places of short names: sockets have to fit."""
    with tempfile.TemporaryDirectory(prefix="jt-") as name:

        def make() -> Place:
            folder = Path(tempfile.mkdtemp(dir=name))
            (folder / "t").mkdir()
            return Place(folder, folder / "t")

        yield make


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    return new_place()


# -- where there is nothing to judge ---------------------------------------------------------------


def test_a_driver_without_jobs_is_never_green(place: Place) -> None:
    done = place.run("run", "-c", "test:///default", "--budget", "5")
    assert (done.returncode, done.stderr) == (3, "")
    told = words(done.stdout)
    assert "as default-job: incomplete" in told
    assert "as zero-id: incomplete" in told
    for record in result_in(place.folder)["runs"]:
        assert record["verdict"] == "incomplete"
        verdicts = {each["id"]: each["verdict"] for each in record["requirements"]}
        assert set(verdicts.values()) <= {"unsupported", "not-exercised"}
        assert verdicts["END-6"] == "unsupported"
        provisional = {each["id"] for each in record["requirements"] if each["provisional"]}
        exercisable = {id for id, told in verdicts.items() if told == "not-exercised"}
        assert exercisable == provisional
    junit = JUnitXml.fromfile(str(place.folder / "jobtck-report" / "junit.xml"))
    assert junit.errors + junit.failures > 0, "green for a server that reads nothing but this"  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]
    assert place.left() == []


@pytest.mark.parametrize("uri", ["qemu+unix:///system?socket=/nonexistent/sock", "nosuch:///", "qemu+nosuch:///"])
def test_a_uri_that_cannot_be_opened_ends_in_four_and_a_sentence(uri: str, place: Place) -> None:
    done = place.run("run", "-c", uri, "--budget", "5")
    assert done.returncode == 4
    assert "Traceback" not in done.stdout + done.stderr
    assert words(done.stdout).count(f"error: cannot open {uri}: VIR_ERR_") == 1
    result = result_in(place.folder)
    assert (result["verdict"], result["runs"]) == ("error", [])
    assert result["error"].startswith(f"cannot open {uri}: ")
    assert place.left() == []


@pytest.mark.parametrize("command", ["probe", "replay"])
def test_other_commands_say_so_too(command: str, place: Place) -> None:
    trace = {
        "schema": "jobtck-trace/1",
        "backend": "libvirt",
        "design": {"name": "default-job", "handle": "none", "source": "test"},
        "requirements": ["END-6"],
        "calls": [{"call": "abort_job"}],
    }
    (place.folder / "t.json").write_text(json.dumps(trace))
    more = ["t.json"] if command == "replay" else []
    done = place.run(command, *more, "-c", "nosuch:///")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("jobtck: cannot open nosuch:///: VIR_ERR_")
    assert len(done.stderr.splitlines()) == 1


# -- the embedded default --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def default_run(
    new_place: Callable[[], Place],
) -> tuple[Place, "subprocess.CompletedProcess[str]"]:
    """One run as a user makes it, without the list of known deviations."""
    place = new_place()
    return place, place.run("run", "--known", "none", "--budget", "50")


def test_the_default_finds_what_is_wrong_with_both_backends(
    default_run: tuple[Place, "subprocess.CompletedProcess[str]"],
) -> None:
    place, done = default_run
    assert (done.returncode, done.stderr) == (1, ""), done.stdout[-2000:]
    told = words(done.stdout)
    result = result_in(place.folder)
    for record, title in zip(result["runs"], ALL, strict=True):
        target = record["target"]
        assert f"{target['backend']} as {target['design']['name']}" == title
        assert {"libvirt", "qemu", "libvirt-python"} <= target["versions"].keys()
        found = {each["id"] for each in record["requirements"] if each["deviations"]}
        assert {"QUERY-2", "TYPE-2"} <= found
        assert record["cost"]["calls"] > 20
        assert f"{title}: tour: " in told
    assert "jobtck replay jobtck-report/traces/libvirt-default-job-QUERY-2" in told


def test_the_default_leaves_nothing_but_its_report(
    default_run: tuple[Place, "subprocess.CompletedProcess[str]"],
) -> None:
    place, _ = default_run
    assert place.left() == []
    assert sorted(path.name for path in place.folder.iterdir()) == ["jobtck-report", "t"]


def test_a_trace_of_real_libvirt_replays_on_it_and_on_the_reference(
    default_run: tuple[Place, "subprocess.CompletedProcess[str]"],
) -> None:
    place, _ = default_run
    [trace, *_] = sorted(place.folder.glob("jobtck-report/traces/numbered-zero-id-*TYPE-2*"))
    there = place.run("replay", str(trace))
    assert (there.returncode, there.stderr) == (1, "")
    assert "still there. TYPE-2: " in words(there.stdout)
    here = place.run("replay", str(trace), "--backend", "reference")
    assert (here.returncode, here.stderr) == (0, "")
    assert "reference as zero-id: fixed: TYPE-2 held" in words(here.stdout)
    assert place.left() == []


def test_the_page_of_a_whole_run_draws_every_deviation_and_is_light(
    default_run: tuple[Place, "subprocess.CompletedProcess[str]"],
) -> None:
    place, _ = default_run
    done = place.run("report", "jobtck-report", "--html", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.encode()) < PAGE_BYTES_MAX
    deviations = {
        (each["trace"], str(each["requirements"]))
        for record in result_in(place.folder)["runs"]
        for requirement in record["requirements"]
        for each in requirement["deviations"]
    }
    assert done.stdout.count('class="wide picture"') == len(deviations)
    assert done.stdout.count('class="offence"') == len(deviations)
    assert "jobtck replay jobtck-report/traces/libvirt-default-job-QUERY-2" in done.stdout


# -- ended from outside ----------------------------------------------------------------------------


def started(place: Place) -> "subprocess.Popen[str]":
    """A run that has guests already: it tells of its tour."""
    running = place.start("run", "--design", "default-job", "--budget", "300")
    assert running.stdout is not None
    for line in running.stdout:
        if "libvirt as default-job: tour" in line:
            break
    while not any("qemu-system" in each for each in place.processes()):
        assert running.poll() is None
        time.sleep(0.05)
    return running


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_says_so_and_leaves_nothing(sent: signal.Signals, place: Place) -> None:
    with started(place) as running:
        running.send_signal(sent)
        told, complaints = running.communicate(timeout=HANG_SECONDS)
    assert running.returncode == 4
    assert "Traceback" not in told + complaints
    assert "error: interrupted; what was found until then is in the report" in words(told)
    result = result_in(place.folder)
    assert result["verdict"] == "error"
    # libvirt 9.0.0 may die of it that its guests are destroyed; what was kept before may then be all.
    assert result["error"].startswith("interrupted") or (result["error"] == CUT_OFF and "died of" in told)
    assert place.left() == []


def test_a_run_that_is_ended_twice_leaves_nothing_either(place: Place) -> None:
    """A terminal sends Ctrl-C to the whole group, and people press it again."""
    with started(place) as running:
        for _ in range(3):
            for child in [running.pid, *children_of(running.pid)]:
                os.kill(child, signal.SIGINT)
            time.sleep(0.05)
        told, complaints = running.communicate(timeout=HANG_SECONDS)
    assert running.returncode == 4, told + complaints
    assert "Traceback" not in told + complaints
    assert place.left() == []


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()][:1]


def test_what_a_killed_run_left_is_removed_by_the_next(place: Place) -> None:
    with started(place) as running:
        children = children_of(running.pid)
        running.kill()
        for child in children:
            os.kill(child, signal.SIGKILL)
        running.wait()
    assert place.left() != []
    place.run("probe", "--backend", "libvirt")
    assert place.left() == []
    assert result_in(place.folder)["error"].startswith("the run was cut off")


def test_a_driver_that_dies_takes_nothing_with_it(place: Place) -> None:
    """What is in the child that does the work may crash, also the second time."""
    with started(place) as running:
        while not any(b'"call"' in path.read_bytes() for path in place.temporary.glob("jobtck-journals-*/*.calls")):
            assert running.poll() is None
            time.sleep(0.05)
        [first] = children_of(running.pid)
        os.kill(first, signal.SIGKILL)
        while not list(place.temporary.glob("jobtck-isolated-*")):  # the next attempt is under way
            assert running.poll() is None
            time.sleep(0.05)
        [second] = children_of(running.pid)
        os.kill(second, signal.SIGKILL)
        told, complaints = running.communicate(timeout=HANG_SECONDS)
    assert running.returncode == 4
    assert "Traceback" not in told + complaints
    assert "died of SIGKILL" in words(told)
    assert place.left() == []
    assert result_in(place.folder)["verdict"] == "error"
