"""Whatever happens to a run on real libvirt, nothing is left; failures are one sentence."""

import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conftest import HANG_SECONDS

from jobtck.conformance.calls import BackupBegin, GetJobInfo, Mode
from jobtck.conformance.capabilities import Options, Target
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BackendFailure
from jobtck.conformance.outcomes import DONE, ErrorKind, JobInfo, Outcome, Refusal

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if shutil.which("qemu-img") is None:
    pytest.skip("QEMU is not installed", allow_module_level=True)

from jobtck.fixtures.libvirt_backend import backend as plugin

pytestmark = pytest.mark.real

DEFAULT_JOB = find_design("default-job")
# A run in a process of its own, as far as it goes before the last line.
BEGINNING = """
import os, pathlib, sys
from jobtck.conformance.calls import BackupBegin, Mode
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import find_design
from jobtck.fixtures.libvirt_backend import backend
target = backend.open(find_design("default-job"), Options(work_dir=pathlib.Path(sys.argv[1])))
guests = target.fresh()
guests.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",)))
print("begun", flush=True)
"""


@pytest.fixture
def work_dir() -> Iterator[Path]:
    """A directory of a short name: sockets have to fit."""
    with tempfile.TemporaryDirectory(prefix="jt-") as name:
        yield Path(name)


def run(last_line: str, work_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BEGINNING + last_line, str(work_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_SECONDS)


def qemu_below(directory: Path) -> list[int]:
    """QEMU processes that use a file below the directory."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdecimal() and b"qemu-system" in command and bytes(directory) in command:
            found.append(int(entry.name))
    return found


def mounts_below(directory: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) in line]


def test_a_run_that_closes_leaves_nothing_and_says_nothing(work_dir: Path) -> None:
    done = run("target.close()", work_dir)
    assert (done.returncode, done.stdout, done.stderr) == (0, "begun\n", "")
    assert list(work_dir.iterdir()) == []
    assert qemu_below(work_dir) == []


def test_a_run_that_forgets_to_close_leaves_nothing(work_dir: Path) -> None:
    done = run("raise SystemExit(3)", work_dir)
    assert (done.returncode, done.stderr) == (3, "")
    assert list(work_dir.iterdir()) == []
    assert qemu_below(work_dir) == []


def test_what_a_killed_run_left_is_removed_by_the_next(work_dir: Path) -> None:
    killed = run("os.kill(os.getpid(), 9)", work_dir)
    assert killed.returncode == -signal.SIGKILL
    [left] = work_dir.iterdir()
    assert len(qemu_below(left)) == 1
    stranger = work_dir / "jobtck-embed-stranger"
    stranger.mkdir()  # of that name, but not locked by any run, ever
    done = run(f"print(os.path.exists({str(left)!r})); target.close()", work_dir)
    assert done.stdout == "begun\nFalse\n", done.stderr
    assert list(work_dir.iterdir()) == [stranger]
    assert qemu_below(work_dir) == []
    assert mounts_below(work_dir) == []


def test_a_running_run_is_left_alone(work_dir: Path) -> None:
    command = [sys.executable, "-c", BEGINNING + "input(); target.close()", str(work_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        [used] = work_dir.iterdir()
        assert run("target.close()", work_dir).returncode == 0
        assert list(work_dir.iterdir()) == [used]
        assert len(qemu_below(used)) == 1
        running.communicate("\n", timeout=HANG_SECONDS)
    assert running.returncode == 0
    assert list(work_dir.iterdir()) == []


def test_closing_releases_a_call_that_waits_for_the_lock() -> None:
    target = plugin.open(DEFAULT_JOB, Options())
    outcomes: list[Outcome] = []
    try:
        guests = target.fresh()
        begin = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
        assert guests.perform(begin) == DONE
        waiting = threading.Thread(target=lambda: outcomes.append(guests.perform(begin)))
        waiting.start()
        time.sleep(0.5)
        assert waiting.is_alive()
    finally:
        target.close()
    waiting.join(timeout=HANG_SECONDS)
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], Refusal)
    assert outcomes[0].kind is not ErrorKind.TIMED_OUT, "it waited until libvirt gave up"


@pytest.mark.parametrize("time_around", ["first", "after a close"])
def test_guests_are_made_side_by_side(time_around: str) -> None:
    target = plugin.open(DEFAULT_JOB, Options())
    try:
        with ThreadPoolExecutor(2) as pool:
            making = [pool.submit(target.fresh) for _ in range(2)]
        pairs = [each.result() for each in making]
        assert [pair.perform(GetJobInfo()) for pair in pairs] == [JobInfo(None)] * 2, time_around
    finally:
        target.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_driver_without_jobs_is_unsupported_with_the_evidence(*, read_only: bool) -> None:
    target: Target = plugin.open(DEFAULT_JOB, Options(uri="test:///default", read_only=read_only))
    try:
        assert target.capabilities.calls == frozenset()
        evidence = "VIR_ERR_OPERATION_DENIED: " if read_only else "VIR_ERR_NO_SUPPORT: "
        assert evidence in target.capabilities.reasons["backup_begin"]
        outcome = target.fresh().perform(GetJobInfo())
        assert isinstance(outcome, Refusal)
        assert outcome.kind is ErrorKind.UNSUPPORTED
    finally:
        target.close()


@pytest.mark.parametrize("uri", ["nosuch:///system", "qemu+unix:///system?socket=/nonexistent"])
def test_a_uri_that_cannot_be_opened_is_told_in_one_sentence(uri: str) -> None:
    with pytest.raises(BackendFailure, match=r"^cannot open .*: VIR_ERR_[A-Z_]+: [^\n]+$"):
        plugin.open(DEFAULT_JOB, Options(uri=uri))


def test_a_full_disk_is_told_in_one_sentence_and_leaves_nothing(work_dir: Path) -> None:
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += f"resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, {resource.RLIM_INFINITY}))\n"
    command = [sys.executable, "-c", limit + BEGINNING, str(work_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_SECONDS)
    assert done.stderr.splitlines()[-1].startswith("jobtck.conformance.errors.BackendFailure: cannot write 64 MiB to ")
    assert list(work_dir.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(work_dir: Path) -> None:
    done = run("", work_dir / "nowhere")
    assert "BackendFailure: cannot make a directory below " in done.stderr
    assert list(work_dir.iterdir()) == []
