"""A libvirtd of the kit's own: clients in several processes, and whatever happens to it, to them and to guests."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.conftest import HANG_SECONDS, missing_for_libvirtd, pids_of

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    CrashGuest,
    Destroy,
    GetJobInfo,
    JobType,
    ListAllJobs,
    Manner,
    Mode,
    RestartServer,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Options, OwnHost
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BackendFailure, SessionLost
from jobtck.conformance.outcomes import (
    DONE,
    Description,
    Ended,
    ErrorKind,
    Events,
    Fate,
    Id,
    JobInfo,
    Listed,
    Lost,
    Outcome,
    Party,
    Refusal,
)

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if reason := missing_for_libvirtd():
    pytest.skip(reason, allow_module_level=True)

from jobtck.fixtures import numbered
from jobtck.fixtures.libvirt_backend import libvirtd
from jobtck.fixtures.libvirt_calls import LibvirtBackend
from jobtck.fixtures.libvirt_target import LibvirtTarget
from jobtck.fixtures.private_daemon import PrivateDaemon

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("libvirt")]

PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
CLIENTS = (0, SECOND_CLIENT, READ_ONLY_CLIENT)


@pytest.fixture(scope="module")
def target() -> Iterator[LibvirtTarget]:
    opened = libvirtd.open(find_design("default-job"), Options())
    assert isinstance(opened, LibvirtTarget)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def guests(target: LibvirtTarget) -> Iterator[list[LibvirtBackend]]:
    """The backend that a test may replace, because it lost its clients."""
    holder = [fresh(target)]
    yield holder
    holder[0].close()


@pytest.fixture
def backend(target: LibvirtTarget, guests: list[LibvirtBackend]) -> Iterator[LibvirtBackend]:
    yield guests[0]
    target.host.revive()
    for client in CLIENTS:
        guests[0].connect(client)
    guests[0].end_all_jobs()


@pytest.fixture
def daemon(target: LibvirtTarget) -> PrivateDaemon:
    assert target.host.daemon is not None
    return target.host.daemon


def fresh(target: LibvirtTarget) -> LibvirtBackend:
    backend = target.fresh()
    assert isinstance(backend, LibvirtBackend)
    return backend


def kind(outcome: Outcome) -> ErrorKind:
    assert isinstance(outcome, Refusal), outcome
    return outcome.kind


def running(backend: LibvirtBackend, client: int = 0) -> bool:
    told = backend.perform(GetJobInfo(client=client))
    assert isinstance(told, JobInfo)
    return told.type is not None


# -- clients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ender", [0, SECOND_CLIENT])
@pytest.mark.parametrize("beginner", [0, SECOND_CLIENT])
def test_what_one_process_begins_another_sees_and_ends(backend: LibvirtBackend, beginner: int, ender: int) -> None:
    begin = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), client=beginner)
    assert backend.perform(begin) == DONE
    for client in CLIENTS:
        told = backend.perform(BackupGetXmlDesc(client=client))
        assert isinstance(told, Description)
        assert (told.mode, told.disks) == (Mode.PULL, ("vda",))
    assert kind(backend.perform(AbortJob(client=READ_ONLY_CLIENT))) is ErrorKind.READ_ONLY
    assert running(backend)
    assert backend.perform(AbortJob(client=ender)) == DONE
    assert backend.perform(Settle()) == DONE
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, True),))
    assert kind(backend.perform(AbortJob(client=ender))) is ErrorKind.INVALID_STATE


def test_ids_are_shared_by_processes(target: LibvirtTarget) -> None:
    opened = numbered.backend.open(find_design("listed-ids"), Options(host=OwnHost.LIBVIRTD))
    assert opened.uri == target.uri
    shared = opened.fresh()
    try:
        begun = shared.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), client=SECOND_CLIENT))
        assert isinstance(begun, Id)
        number = begun.id
        assert isinstance(number, int)
        for client in CLIENTS:
            assert shared.perform(ListAllJobs(client=client)) == Listed(((number, JobType.BACKUP),))
        assert shared.perform(BackupEnd(job=number)) == Ended(1)
        assert kind(shared.perform(BackupEnd(job=number, client=SECOND_CLIENT))) is ErrorKind.NO_SUCH_JOB
        again = shared.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",)))
        assert again == Id(number + 1)
        assert shared.perform(BackupEnd(job=0, client=SECOND_CLIENT)) == Ended(1)
    finally:
        shared.close()
        opened.close()


def test_a_daemon_that_runs_already_has_clients_in_two_processes_and_stays(
    target: LibvirtTarget, daemon: PrivateDaemon
) -> None:
    opened = libvirtd.open(find_design("default-job"), Options(uri=target.uri))
    assert isinstance(opened, LibvirtTarget)
    backend = fresh(opened)
    try:
        assert backend.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), client=SECOND_CLIENT)) == DONE
        backend.kill_client(SECOND_CLIENT)
        assert running(backend, READ_ONLY_CLIENT)
        assert backend.perform(AbortJob()) == DONE
    finally:
        backend.close()
        opened.close()
    assert daemon.is_running()


def test_a_client_that_disconnects_ends_no_job_and_may_come_again(backend: LibvirtBackend) -> None:
    for client in (0, SECOND_CLIENT):
        assert backend.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), client=client)) == DONE
        backend.disconnect(client)
        other = SECOND_CLIENT - client
        assert running(backend, other)
        backend.connect(client)
        assert running(backend, client)
        assert backend.perform(AbortJob(client=client)) == DONE
        assert backend.perform(Settle()) == DONE


def test_a_client_that_is_killed_ends_no_job(backend: LibvirtBackend) -> None:
    assert backend.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), client=SECOND_CLIENT)) == DONE
    backend.kill_client(SECOND_CLIENT)
    assert running(backend)
    with pytest.raises(SessionLost, match="process ended while it was asked for abortJob"):
        backend.perform(AbortJob(client=SECOND_CLIENT))
    assert running(backend)
    backend.connect(SECOND_CLIENT)
    assert backend.perform(AbortJob(client=SECOND_CLIENT)) == DONE


def test_a_client_in_this_process_cannot_be_killed(backend: LibvirtBackend) -> None:
    with pytest.raises(BackendFailure, match="client 2 has no process of its own"):
        backend.kill_client(READ_ONLY_CLIENT)


def test_a_client_that_is_killed_in_a_call_leaves_the_job_that_ran(backend: LibvirtBackend) -> None:
    """A second begin waits for the first job's end: there its client dies."""
    assert backend.perform(PULL) == DONE
    running(backend, SECOND_CLIENT)  # its process is there
    timer = threading.Timer(0.5, backend.kill_client, (SECOND_CLIENT,))
    timer.start()
    with pytest.raises(SessionLost, match="process ended while it was asked for backupBegin"):
        backend.perform(BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",), client=SECOND_CLIENT))
    timer.join()
    told = backend.perform(BackupGetXmlDesc())
    assert isinstance(told, Description)
    assert told.disks == ("vda",)


# -- the daemon ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [PrivateDaemon.stop, PrivateDaemon.kill])
def test_a_job_outlives_the_daemon(
    target: LibvirtTarget, backend: LibvirtBackend, daemon: PrivateDaemon, end: Callable[[PrivateDaemon], None]
) -> None:
    assert backend.perform(PULL) == DONE
    end(daemon)
    assert not daemon.is_running()
    target.host.revive()
    for client in CLIENTS:
        backend.connect(client)
        told = backend.perform(BackupGetXmlDesc(client=client))
        assert isinstance(told, Description)
        assert (told.mode, told.disks) == (Mode.PULL, ("vda",))
    assert backend.perform(AbortJob()) == DONE
    assert backend.perform(Settle()) == DONE
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, True),))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_daemon_that_died_is_lost_in_the_call(
    target: LibvirtTarget, backend: LibvirtBackend, daemon: PrivateDaemon, client: int
) -> None:
    assert backend.perform(PULL) == DONE
    running(backend, client)
    daemon.kill()
    for call in (GetJobInfo(client=client), Destroy(client=client), BackupGetXmlDesc(client=client)):
        lost = backend.perform(call)
        assert isinstance(lost, Lost)
        assert (lost.party, lost.fate, lost.code) == (Party.SERVER, Fate.DIED, "SIGKILL")
        assert lost.text.startswith("libvirtd is gone: it died of SIGKILL")
    target.host.revive()
    with pytest.raises(SessionLost, match="libvirtd is gone: it died of SIGKILL"):
        backend.perform(GetJobInfo(client=client))  # the client was connected to the one before


@pytest.mark.usefixtures("backend")
def test_what_asks_around_ids_is_lost_with_the_daemon(daemon: PrivateDaemon) -> None:
    """Where ids are remembered cannot be read then, and that is not to be taken for `no such job`."""
    opened = numbered.backend.open(find_design("listed-ids"), Options(host=OwnHost.LIBVIRTD))
    shared = opened.fresh()
    try:
        begun = shared.perform(PULL)
        assert isinstance(begun, Id)
        assert isinstance(begun.id, int)
        daemon.kill()
        for client in CLIENTS:
            assert isinstance(shared.perform(BackupGetXmlDesc(job=begun.id, client=client)), Lost)
    finally:
        shared.close()
        opened.close()


def test_a_daemon_that_dies_in_a_call_is_started_again_for_the_next_session(
    target: LibvirtTarget, backend: LibvirtBackend, daemon: PrivateDaemon
) -> None:
    assert backend.perform(PULL) == DONE
    timer = threading.Timer(0.5, daemon.kill)
    timer.start()
    assert isinstance(backend.perform(BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",), client=SECOND_CLIENT)), Lost)
    timer.join()
    another = fresh(target)
    try:
        assert another.perform(PULL) == DONE
    finally:
        another.close()
    target.host.revive()
    assert daemon.is_running()


def test_a_guest_is_not_used_again_once_a_daemon_died_ending_its_job(
    backend: LibvirtBackend, daemon: PrivateDaemon
) -> None:
    """QEMU may still serve the backup, and libvirt 9.0.0 does not know of it."""

    def guests() -> set[int]:
        return set(pids_of("qemu-system", daemon.directory.parent))

    before = guests()
    for call in (PULL, AbortJob(), RestartServer(manner=Manner.KILLED)):
        assert backend.perform(call) == DONE
    backend.end_all_jobs()
    made = guests() - before
    assert made
    assert backend.perform(PULL) == DONE
    for other in (AbortJob(), Settle(), RestartServer(manner=Manner.ORDERLY)):
        assert backend.perform(other) == DONE
    backend.end_all_jobs()
    assert made & guests()


def test_a_daemon_that_is_just_dying_is_waited_for() -> None:
    with TemporaryDirectory(prefix="jt-") as name:
        daemon = PrivateDaemon(Path(name), qemu_conf="")
        daemon.start()
        try:
            os.kill(min(pids_of("libvirtd", Path(name))), signal.SIGKILL)
            assert daemon.how_it_ended().startswith("it died of SIGKILL")
            daemon.start()
            assert daemon.is_running()
        finally:
            daemon.close()


def test_a_daemon_that_cannot_start_is_told_in_one_sentence() -> None:
    with TemporaryDirectory(prefix="jt-") as name:
        daemon = PrivateDaemon(Path(name), qemu_conf="")
        (Path(name) / "libvirtd.conf").write_text("unheard_of = 1\nmax_workers = 'many'\n")
        with pytest.raises(BackendFailure, match="cannot start libvirtd: it ended with status"):
            daemon.start()


# -- guests ----------------------------------------------------------------------------------------


def test_a_guest_whose_qemu_is_killed_has_no_job_and_starts_again(backend: LibvirtBackend) -> None:
    assert backend.perform(PULL) == DONE
    assert backend.perform(CrashGuest()) == DONE
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, False),))
    assert kind(backend.perform(GetJobInfo())) is ErrorKind.INVALID_STATE
    assert backend.perform(Start()) == DONE
    assert not running(backend)


# -- what is left ----------------------------------------------------------------------------------

RUN = """
import os, pathlib, sys
from jobtck.conformance.calls import BackupBegin, Mode
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import find_design
from jobtck.fixtures.libvirt_backend import libvirtd
target = libvirtd.open(find_design("default-job"), Options(work_dir=pathlib.Path(sys.argv[1])))
guests = target.fresh()
guests.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), client=1))
print("begun", flush=True)
"""


@pytest.fixture
def work_dir() -> Iterator[Path]:
    """A directory of a short name: sockets have to fit."""
    with TemporaryDirectory(prefix="jt-") as name:
        yield Path(name)


def run(last_line: str, work_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN + last_line, str(work_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_SECONDS)


def users_of(directory: Path) -> list[str]:
    """The programs that have to do with the directory, but for those that only look, as this one."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry.name.isdecimal() and any(bytes(directory) in word for word in words):
            found.append(Path(words[0].decode()).name)
    return sorted(found)


def mounts_below(directory: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) in line]


@pytest.mark.parametrize("last_line", ["target.close()", "raise SystemExit(0)"])
def test_a_run_leaves_nothing(last_line: str, work_dir: Path) -> None:
    done = run(last_line, work_dir)
    assert (done.returncode, done.stdout, done.stderr) == (0, "begun\n", "")
    assert list(work_dir.iterdir()) == []
    assert users_of(work_dir) == []


def test_what_a_killed_run_left_is_removed_by_the_next(work_dir: Path) -> None:
    killed = run("os.kill(os.getpid(), 9)", work_dir)
    assert killed.returncode == -signal.SIGKILL
    [left] = work_dir.iterdir()
    assert users_of(left) == ["libvirtd", "qemu-system-x86_64"]
    assert mounts_below(left) == []
    stranger = work_dir / "jobtck-daemon-stranger"
    stranger.mkdir()  # of that name, but not locked by any run, ever
    done = run(f"print(os.path.exists({str(left)!r})); target.close()", work_dir)
    assert done.stdout == "begun\nFalse\n", done.stderr
    assert users_of(work_dir) == []
    assert list(work_dir.iterdir()) == [stranger]


def test_the_daemon_of_a_running_run_is_left_alone(target: LibvirtTarget, daemon: PrivateDaemon) -> None:
    parent = target.host.directory.path.parent
    with TemporaryDirectory(prefix="jt-", dir=parent) as name:
        done = run("target.close()", Path(name))
    assert done.returncode == 0, done.stderr
    assert daemon.is_running()
