"""A real libvirt with a flaw laid over it dies, hangs or loses its guest: that is told of the call which does it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.conftest import HANG_SECONDS, missing_for_libvirtd, pids_of

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    BlockCopy,
    BlockJobAbort,
    Call,
    GetJobInfo,
    Mode,
)
from jobtck.conformance.capabilities import Options, OwnHost
from jobtck.conformance.design import find_design
from jobtck.conformance.outcomes import DONE, Fate, JobInfo, Lost, Party
from jobtck.fixtures import client_process, post_mortem
from jobtck.reports.result_json import validate

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if reason := missing_for_libvirtd():
    pytest.skip(reason, allow_module_level=True)

from jobtck.fixtures.libvirt_calls import LibvirtBackend
from jobtck.fixtures.libvirt_target import LibvirtTarget, open_target

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("libvirt")]

DESIGN = find_design("default-job")
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
SOURCE = Path(__file__).with_name("flawed_libvirt.c")
Started = Callable[[str], LibvirtBackend]


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that lays flaws over libvirt."""
    library = tmp_path_factory.mktemp("flawed") / "flawed.so"
    flags = subprocess.run(["pkg-config", "--cflags", "libvirt"], capture_output=True, text=True, check=True).stdout
    command: list[str | Path] = [
        "cc",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        library,
        SOURCE,
        *flags.split(),
        "-ldl",
    ]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def started(flawed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """Starts a libvirtd with that flaw, as somebody's broken build would be: it is the one that is found in $PATH."""
    targets: list[LibvirtTarget] = []
    backends: list[LibvirtBackend] = []
    program = shutil.which("libvirtd", path=f"{os.environ['PATH']}:/usr/sbin")
    monkeypatch.setattr(post_mortem, "_kept", {})

    def start(flaw: str) -> LibvirtBackend:
        script = tmp_path / "libvirtd"
        script.write_text(f'#!/bin/sh\nLD_PRELOAD={flawed} JOBTCK_FLAW={flaw} exec {program} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        target = open_target(DESIGN, Options(host=OwnHost.LIBVIRTD))
        assert isinstance(target, LibvirtTarget)
        targets.append(target)
        backend = target.fresh()
        assert isinstance(backend, LibvirtBackend)
        backends.append(backend)
        backend.end_all_jobs()
        return backend

    yield start
    for backend in backends:
        backend.close()
    for target in targets:
        target.close()


def lost_in(backend: LibvirtBackend, call: Call) -> Lost:
    """What became of the call, in which somebody is lost."""
    outcome = backend.perform(call)
    assert isinstance(outcome, Lost)
    return outcome


def is_as_new(backend: LibvirtBackend) -> bool:
    """The next session finds all that was lost again."""
    backend.end_all_jobs()
    return backend.perform(GetJobInfo()) == JobInfo(None)


def test_a_daemon_that_dies_is_lost_in_the_call_and_leaves_a_backtrace(started: Started) -> None:
    backend = started("no-backup")
    assert backend.perform(BEGIN) == DONE
    assert not isinstance(backend.perform(BackupGetXmlDesc()), Lost)
    backend.end_all_jobs()
    for _ in range(2):
        lost = lost_in(backend, BackupGetXmlDesc())
        assert (lost.party, lost.fate, lost.code) == (Party.SERVER, Fate.DIED, "SIGSEGV")
        assert is_as_new(backend)
    if shutil.which("gdb") is not None and Path("/proc/sys/kernel/core_pattern").read_text().strip() == "core":
        assert "virDomainBackupGetXMLDesc" in lost_in(backend, BackupGetXmlDesc()).evidence[0].text


def test_a_guest_that_dies_is_lost_in_the_call_and_by_what_signal(started: Started) -> None:
    backend = started("guest-dies")
    assert backend.perform(BEGIN) == DONE
    lost = lost_in(backend, AbortJob())
    assert (lost.party, lost.fate, lost.code) == (Party.GUEST, Fate.DIED, "SIGKILL")
    assert lost.evidence[-1].title == "end of QEMU's log"
    assert is_as_new(backend)


def test_a_daemon_that_hangs_is_ended(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = started("no-return")
    assert backend.perform(BlockCopy(label=0, disk="vda")) == DONE
    monkeypatch.setattr(client_process, "ANSWER_SECONDS_MAX", 1.0)
    lost = lost_in(backend, BlockJobAbort(disk="vda"))
    assert (lost.party, lost.fate) == (Party.SERVER, Fate.HUNG)
    monkeypatch.undo()
    assert is_as_new(backend)


def test_a_driver_that_takes_the_run_down_is_named_with_the_call(flawed: Path) -> None:
    with TemporaryDirectory(prefix="jt-") as name:
        folder = Path(name)
        environment = {**os.environ, "TMPDIR": name, "LD_PRELOAD": str(flawed), "JOBTCK_FLAW": "no-backup"}
        done = subprocess.run(
            [sys.executable, "-m", "jobtck.cli", "run", "--backend", "libvirt", "--quick", "--budget", "8"],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=environment,
            timeout=HANG_SECONDS,
        )
        assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
        result = json.loads((folder / "jobtck-report" / "result.json").read_text())
        validate(result)
        [deviation] = next(each for each in result["requirements"] if each["id"] == "SANE-1")["deviations"]
        assert [call["call"] for call in deviation["calls"]] == ["backup_get_xml_desc"]
        assert deviation["calls"][0]["answer"]["code"] == "SIGSEGV"
        assert deviation["evidence"][0]["title"].startswith("backtrace of python")
        assert deviation["reproduced"] == deviation["runs"]
        assert [path.name for path in folder.iterdir()] == ["jobtck-report"]
        assert not pids_of("qemu", folder)
