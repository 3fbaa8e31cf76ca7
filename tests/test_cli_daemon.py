"""Whole runs over a libvirtd of the kit's own: as root, as a user, and when somebody kills what they need."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.conftest import missing_for_libvirtd, pids_of

from jobtck.reports.result_json import validate

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if reason := missing_for_libvirtd():
    pytest.skip(reason, allow_module_level=True)

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("libvirt")]

NOBODY = 65534
BUDGET = ("--budget", "15")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory of a short name, for sockets have to fit; anybody may write there."""
    with TemporaryDirectory(prefix="jt-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "jobtck.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
    )


def ended(running: "subprocess.Popen[str]") -> str:
    """What it told, and complained of."""
    told, complaints = running.communicate(timeout=240)
    assert "Traceback" not in told + complaints
    return " ".join((told + complaints).split())


def result_in(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "jobtck-report" / "result.json").read_text())
    validate(content)
    return content


def left(folder: Path) -> list[str]:
    """What is there besides the report: processes, mounts, files."""
    mounted = [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]
    files = [path.name for path in folder.iterdir() if path.name != "jobtck-report"]
    return [*(str(pid) for name in ("libvirtd", "qemu", "python") for pid in pids_of(name, folder)), *mounted, *files]


def wait_for_guests(folder: Path, running: "subprocess.Popen[str]") -> None:
    """Returns when sessions are held: the first guest is asked what the driver can do, more are of lanes."""
    while len(pids_of("qemu-system", folder)) < 3:
        assert running.poll() is None
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (("--backend", "libvirtd"), "libvirt as default-job"),
        (("--backend", "numbered", "--host", "libvirtd", "--design", "listed-ids"), "numbered as listed-ids"),
        (("--backend", "virsh"), "virsh as default-job"),
    ],
)
def test_a_run_judges_over_the_daemon_and_leaves_nothing(arguments: tuple[str, ...], title: str, folder: Path) -> None:
    told = ended(started(folder, "run", *arguments, "--known", "none", "--budget", "29"))
    assert f"{title}: tour: " in told
    record = result_in(folder)
    assert record["verdict"] == "nonconforming", told[-2000:]
    assert "jobtck-daemon-" in record["target"]["uri"]
    trace = next((folder / "jobtck-report" / "traces").glob("*TYPE-2*"))
    assert f"jobtck replay jobtck-report/traces/{trace.name} --host libvirtd" in told.replace("\\ ", "")
    assert left(folder) == []
    assert "still there. TYPE-2: " in ended(started(folder, "replay", str(trace), "--host", "libvirtd"))
    assert left(folder) == []


def test_a_daemon_that_dies_is_told_and_the_run_goes_on(folder: Path) -> None:
    with started(folder, "run", "--backend", "libvirtd", *BUDGET) as running:
        wait_for_guests(folder, running)
        os.kill(min(pids_of("libvirtd", folder)), signal.SIGKILL)
        told = ended(running)
    assert running.returncode != 4, told[-2000:]
    assert "the server died" in told
    assert sum(each["exercised"] for each in result_in(folder)["requirements"]) > 0
    assert left(folder) == []


def test_a_daemon_that_cannot_be_had_is_told_in_one_sentence(folder: Path) -> None:
    (folder / "libvirtd").write_text("#!/bin/sh\necho out of order >&2\nexit 7\n")
    (folder / "libvirtd").chmod(0o755)
    environment = {**os.environ, "TMPDIR": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "jobtck.cli", "probe", "--backend", "libvirtd"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "jobtck: cannot start libvirtd: it ended with status 7, and said last: out of order\n"
    assert left(folder) == ["libvirtd"]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_nothing(sent: signal.Signals, folder: Path) -> None:
    with started(folder, "run", "--backend", "libvirtd", "--budget", "300") as running:
        wait_for_guests(folder, running)
        running.send_signal(sent)
        assert "interrupted; what was found until then" in ended(running)
    assert running.returncode == 4
    assert left(folder) == []


def test_what_a_killed_run_left_is_removed_by_the_next(folder: Path) -> None:
    with started(folder, "run", "--backend", "libvirtd", "--budget", "300") as running:
        wait_for_guests(folder, running)
        tasks = Path(f"/proc/{running.pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        running.kill()
        for child in children:
            os.kill(child, signal.SIGKILL)
        running.wait()
    assert pids_of("libvirtd", folder) != []
    ended(started(folder, "probe", "--backend", "libvirtd"))
    assert left(folder) == []


def test_a_place_and_a_uri_are_one_too_many(folder: Path) -> None:
    with started(folder, "run", "--host", "libvirtd", "-c", "qemu:///system") as running:
        told = ended(running)
    assert (running.returncode, told) == (2, "jobtck: --host is where guests live without -c: give one of the two")


# -- as an ordinary user ---------------------------------------------------------------------------


def as_nobody(*words: str, folder: Path) -> list[str]:
    """The command that runs the interpreter as a user that owns nothing."""
    path = os.pathsep.join(each for each in sys.path if each)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "-i"]
    return [*user, f"PYTHONPATH={path}", f"TMPDIR={folder}", "PATH=/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1", *words]


def interpreter_of_nobody(folder: Path) -> str | None:
    """A Python that this user may run, and that finds what is installed here."""
    for python in (sys.executable, "/usr/bin/python3"):
        asked = as_nobody(python, "-c", "import jobtck, libvirt, lxml.etree, rich, hypothesis", folder=folder)
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return python
    return None


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_an_ordinary_user_has_a_daemon_of_their_own(folder: Path) -> None:
    python = interpreter_of_nobody(folder)
    if python is None:
        pytest.skip("no other user may run this interpreter")
    command = as_nobody(python, "-m", "jobtck.cli", "run", "--backend", "libvirtd", *BUDGET, folder=folder)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=240)
    assert "Traceback" not in done.stdout + done.stderr
    record = result_in(folder)
    assert record["target"]["uri"].startswith("qemu+unix:///session?socket=")
    verdicts = {each["id"]: each["verdict"] for each in record["requirements"]}
    assert verdicts["QUERY-2"] == "known", done.stdout[-2000:]
    assert verdicts["QUERY-4"] == "pass"
    assert left(folder) == []
