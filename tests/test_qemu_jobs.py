"""QEMU's own job API, on a real qemu-storage-daemon."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from tests.conftest import HANG_SECONDS
from tests.job_ways import COPY, PULL, PUSH, TABLE, WAYS, begun

pytest.importorskip("qemu.qmp", reason="qemu.qmp is not installed")
if shutil.which("qemu-storage-daemon") is None:
    pytest.skip("qemu-storage-daemon is not installed", allow_module_level=True)

from jobtck.conformance.calls import (
    JOB_VERBS,
    BackupBegin,
    BlockPull,
    Flaw,
    Inspect,
    JobCancel,
    JobComplete,
    JobDismiss,
    JobGetStatus,
    JobPause,
    JobResume,
    JobType,
    JobVerb,
    ListAllJobs,
    Mode,
    Settle,
    TakeEvents,
    Waits,
    call_name,
)
from jobtck.conformance.capabilities import SECOND_CLIENT, Backend, Options, Target
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BackendFailure, BadInput, SessionLost
from jobtck.conformance.outcomes import (
    DONE,
    ErrorKind,
    Events,
    Fate,
    JobStatus,
    Leftovers,
    Listed,
    Lost,
    Outcome,
    Party,
    Refusal,
    StatusOf,
)
from jobtck.fixtures.qemu_backend import backend as plugin
from jobtck.fixtures.qemu_target import QemuJobsBackend, capabilities_of
from jobtck.fixtures.storage_daemon import StorageDaemon
from jobtck.hunt import Hunt, Plan

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("libvirt")]

QEMU_JOBS = presets()["qemu-jobs"]
OTHER = BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",), name="other")
# A run in a process of its own, as far as it goes before the last line.
BEGINNING = """
import os, pathlib, sys
from jobtck.conformance.calls import BackupBegin, Mode
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import find_design
from jobtck.fixtures.qemu_backend import backend
target = backend.open(find_design("qemu-jobs"), Options(work_dir=pathlib.Path(sys.argv[1])))
daemon = target.fresh()
daemon.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), name="job"))
print("begun", flush=True)
"""


@pytest.fixture
def work_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jt-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with tempfile.TemporaryDirectory(prefix="jt-") as name:
        opened = plugin.open(QEMU_JOBS, Options(work_dir=Path(name)))
        yield opened
        opened.close()
        assert list(Path(name).iterdir()) == []


@pytest.fixture(scope="module")
def shared(target: Target) -> Iterator[Backend]:
    backend = target.fresh()
    yield backend
    backend.close()


@pytest.fixture
def server(shared: Backend) -> Backend:
    """A daemon without a job."""
    shared.end_all_jobs()
    return shared


def daemons_below(directory: Path) -> list[int]:
    """Storage daemons that use a file below the directory."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdecimal() and b"qemu-storage-daemon" in command and bytes(directory) in command:
            found.append(int(entry.name))
    return found


def status(server: Backend, name: str = "job") -> Outcome:
    return server.perform(JobGetStatus(job=name))


def refused(outcome: Outcome) -> tuple[ErrorKind, str]:
    assert isinstance(outcome, Refusal), outcome
    return outcome.kind, outcome.text


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "1job", "0", "-1", "a b", "\u00e4"])
def test_an_ill_formed_name_is_refused(server: Backend, name: str) -> None:
    outcome = server.perform(replace(PULL, name=name, flaw=Flaw.ILL_FORMED_NAME))
    assert outcome == Refusal(ErrorKind.INVALID_ARGUMENT, "GenericError", f"Invalid job ID '{name}'")


def test_a_name_is_in_use_until_its_job_is_dismissed(server: Backend) -> None:
    begun(server, PULL)
    again = replace(OTHER, name="job")
    taken = (ErrorKind.INVALID_ARGUMENT, "Job ID 'job' already in use")
    assert refused(server.perform(again)) == taken
    assert server.perform(JobCancel(job="job")) == DONE
    assert refused(server.perform(again)) == taken
    assert server.perform(JobDismiss(job="job")) == DONE
    for verb in JOB_VERBS:
        assert refused(server.perform(verb(job="job"))) == (ErrorKind.NO_SUCH_JOB, "Job not found")
    assert status(server) == StatusOf(None)
    assert server.perform(again) == DONE


def test_names_differ_by_case_and_may_be_long(server: Backend) -> None:
    long = "J" * 300
    assert server.perform(PULL) == DONE
    assert server.perform(replace(OTHER, name="Job")) == DONE
    assert server.perform(replace(OTHER, disks=("vdc",), name=long)) == DONE
    assert isinstance(status(server, long), StatusOf)
    listed = server.perform(ListAllJobs())
    assert isinstance(listed, Listed)
    assert set(listed.jobs) == {(name, JobType.BACKUP) for name in ("job", "Job", long)}


# -- verbs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", JOB_VERBS)
@pytest.mark.parametrize("way", WAYS)
def test_verbs_are_accepted_as_the_table_says(server: Backend, way: str, verb: type[JobVerb]) -> None:
    begin, calls, expected = WAYS[way]
    begun(server, begin, *calls)
    before = status(server)
    assert isinstance(before, StatusOf)
    assert before.status is expected
    outcome = server.perform(verb(job="job"))
    if expected in TABLE[verb].split():
        assert outcome == DONE
    else:
        assert refused(outcome)[0] is ErrorKind.INVALID_STATE
        assert status(server) == before


def test_a_copy_told_to_complete_in_standby_does_so_once_it_is_resumed(server: Backend) -> None:
    begun(server, COPY, Settle(), JobPause(job="job"), JobComplete(job="job"))
    assert status(server) == StatusOf(JobStatus.STANDBY)
    assert server.perform(JobResume(job="job")) == DONE
    assert status(server) == StatusOf(JobStatus.PENDING)


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        (Waits.NOTHING, StatusOf(None)),
        (Waits.FINALIZE, StatusOf(JobStatus.PENDING)),
        (Waits.DISMISS, StatusOf(JobStatus.CONCLUDED)),
    ],
)
def test_a_job_that_has_done_its_work_waits_for_what_its_client_kept(
    server: Backend, waits: Waits, expected: StatusOf
) -> None:
    assert status(begun(server, PUSH, Settle(), waits=waits)) == expected


def test_events_tell_how_backups_ended(server: Backend) -> None:
    begun(server, PUSH, Settle(), waits=Waits.NOTHING)
    begun(server, PULL, JobCancel(job="job"), waits=Waits.NOTHING)
    begun(server, COPY, JobCancel(job="job"), waits=Waits.NOTHING)
    assert server.perform(TakeEvents(due=2)) == Events(((JobType.BACKUP, True), (JobType.BACKUP, False)))
    assert server.perform(TakeEvents()) == Events(())
    assert server.perform(Inspect()) == Leftovers(())


def test_a_disk_is_as_good_as_new_for_the_next_stream(server: Backend) -> None:
    stream = BlockPull(label=0, disk="vda", name="job")
    for _ in range(4):
        begun(server, stream, waits=Waits.NOTHING)
        assert status(server) == StatusOf(JobStatus.RUNNING)
        assert server.perform(Settle()) == DONE
        assert status(server) == StatusOf(None)


def test_jobs_are_held_while_others_come_and_go(server: Backend) -> None:
    begun(server, BlockPull(label=0, disk="vda", name="job"))
    for _ in range(20):
        assert server.perform(OTHER) == DONE
        assert server.perform(JobCancel(job="other")) == DONE
    assert status(server) in (StatusOf(JobStatus.RUNNING), StatusOf(JobStatus.PAUSED))


# -- clients, domains, input -----------------------------------------------------------------------


def test_a_name_works_for_every_client(server: Backend) -> None:
    begun(server, PULL)
    assert server.perform(JobPause(job="job", client=SECOND_CLIENT)) == DONE
    assert status(server) == StatusOf(JobStatus.PAUSED)
    assert server.perform(JobGetStatus(job="job", client=SECOND_CLIENT)) == StatusOf(JobStatus.PAUSED)
    assert server.perform(JobCancel(job="job", client=SECOND_CLIENT)) == DONE
    assert status(server) == StatusOf(JobStatus.CONCLUDED, error=True)


def test_a_name_of_one_domain_is_none_of_another(server: Backend) -> None:
    begun(server, PULL)
    assert refused(server.perform(JobCancel(job="job", domain=1)))[0] is ErrorKind.NO_SUCH_JOB
    assert server.perform(replace(PULL, domain=1)) == DONE
    assert server.perform(JobCancel(job="job", domain=1)) == DONE
    assert status(server) == StatusOf(JobStatus.RUNNING)


@pytest.mark.parametrize(
    ("flaw", "text"),
    [
        (Flaw.NOT_XML, "QMP input member 'arguments' must be an object"),
        (Flaw.BAD_SCHEMA, "Parameter 'sync' does not accept value 'nosuch'"),
        (Flaw.NO_DISK, "Parameter 'device' is missing"),
        (Flaw.UNKNOWN_CHECKPOINT, "Bitmap 'nosuch' could not be found"),
        (Flaw.UNKNOWN_FLAGS, "Parameter 'flags' is unexpected"),
    ],
)
def test_bad_input_is_refused_in_qemus_words_and_leaves_nothing(server: Backend, flaw: Flaw, text: str) -> None:
    assert refused(server.perform(replace(PULL, flaw=flaw))) == (ErrorKind.INVALID_ARGUMENT, text)
    assert server.perform(ListAllJobs()) == Listed(())
    assert server.perform(Inspect()) == Leftovers(())


class OldDaemon:
    """A daemon of a release that has no job verbs."""

    def execute(self, *_: object) -> object:
        return [{"name": "query-jobs"}, {"name": "blockdev-backup"}]


def test_what_a_daemon_has_is_asked_for(target: Target) -> None:
    assert {call_name(verb) for verb in JOB_VERBS} <= target.capabilities.calls
    assert target.capabilities.reasons["job_cancel"] == "query-commands has job-cancel"
    old = capabilities_of(cast("StorageDaemon", OldDaemon()))
    assert old.calls == {"backup_begin", "list_all_jobs", "job_get_status", "settle", "take_events", "inspect"}
    assert old.reasons["job_cancel"] == "query-commands has no job-cancel"


# -- what goes wrong around it ---------------------------------------------------------------------


def test_a_daemon_that_dies_is_lost_in_the_call_and_another_takes_its_place(target: Target) -> None:
    backend = target.fresh()
    assert isinstance(backend, QemuJobsBackend)
    try:
        assert backend.perform(PULL) == DONE
        os.kill(backend.daemons[0].pid, signal.SIGSEGV)
        outcome = backend.perform(JobCancel(job="job"))
        assert isinstance(outcome, Lost)
        assert (outcome.party, outcome.fate, outcome.code) == (Party.SERVER, Fate.DIED, "SIGSEGV")
        assert outcome.text == "at job_cancel it died of SIGSEGV"
        with pytest.raises(SessionLost, match="was lost before"):
            backend.perform(PULL)
        backend.end_all_jobs()
        assert backend.perform(PULL) == DONE
    finally:
        backend.close()


def run(last_line: str, work_dir: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-c", BEGINNING + last_line, str(work_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_SECONDS)


@pytest.mark.parametrize("last_line", ["daemon.close(); target.close()", "target.close()", ""])
def test_a_run_that_ends_leaves_nothing(work_dir: Path, last_line: str) -> None:
    done = run(last_line, work_dir)
    assert (done.returncode, done.stdout) == (0, "begun\n")
    assert list(work_dir.iterdir()) == []
    assert daemons_below(work_dir) == []


def test_what_a_killed_run_left_is_removed_by_the_next(work_dir: Path) -> None:
    assert run("os.kill(os.getpid(), 9)", work_dir).returncode == -signal.SIGKILL
    assert len(daemons_below(work_dir)) == 1
    opened = plugin.open(QEMU_JOBS, Options(work_dir=work_dir))
    try:
        assert len(daemons_below(work_dir)) == 1
        assert len(list(work_dir.iterdir())) == 1
    finally:
        opened.close()
    assert daemons_below(work_dir) == []
    assert list(work_dir.iterdir()) == []


def test_a_run_beside_is_left_alone(work_dir: Path) -> None:
    first = plugin.open(QEMU_JOBS, Options(work_dir=work_dir))
    second = plugin.open(QEMU_JOBS, Options(work_dir=work_dir))
    second.close()
    backend = first.fresh()
    assert backend.perform(ListAllJobs()) == Listed(())
    backend.close()
    first.close()


def test_what_cannot_be_opened_is_told_in_one_sentence(work_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="cannot play the design 'zero-id'"):
        plugin.open(presets()["zero-id"], Options())
    with pytest.raises(BadInput, match="takes no URI"):
        plugin.open(QEMU_JOBS, Options(uri="qemu:///system"))
    monkeypatch.setenv("PATH", str(work_dir))
    with pytest.raises(BackendFailure, match=r"cannot run qemu-img: .*: is QEMU installed\?"):
        plugin.open(QEMU_JOBS, Options(work_dir=work_dir))
    assert list(work_dir.iterdir()) == []


def test_a_hunt_finds_what_is_listed_and_nothing_else(target: Target) -> None:
    hunt = Hunt(target, Plan(60.0, 1), threading.Event())
    try:
        hunt.go_on_tour(lambda *_: None, 40.0)
        hunt.confirm_all()
    finally:
        hunt.close()
    assert hunt.failure is None
    assert {id for deviation in hunt.findings.deviations for id in deviation.requirements} <= {"BEGIN-5"}
    assert hunt.counted().exercised["JOB-2"]
