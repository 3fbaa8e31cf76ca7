"""A target in processes of its own: one that dies is lost in the call, and the next session has another."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jobtck import isolated
from jobtck.conformance.calls import AbortJob, BackupBegin, GetJobInfo, JobType, Mode
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BadInput, SessionLost
from jobtck.conformance.outcomes import DONE, Fate, JobInfo, Lost, Party, Refusal
from jobtck.crashes import Crash, look_into, suspects
from jobtck.fixtures import post_mortem
from jobtck.hunt import Hunt, Plan
from jobtck.isolated import IsolatedBackend, IsolatedTarget, leave_nothing_of
from jobtck.journal import Life

DESIGN = find_design("default-job")
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files, of a short name."""
    with TemporaryDirectory(prefix="jt-") as name:
        monkeypatch.setattr("tempfile.tempdir", name)
        yield Path(name)


@pytest.fixture
def target(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IsolatedTarget]:
    """The reference; when it is closed nothing is left."""
    monkeypatch.setattr(post_mortem, "_kept", {})
    opened = IsolatedTarget("reference", DESIGN, Options())
    yield opened
    opened.close()
    assert list(folder.iterdir()) == []


def fresh(target: IsolatedTarget) -> IsolatedBackend:
    backend = target.fresh()
    assert isinstance(backend, IsolatedBackend)
    return backend


def send(target: IsolatedTarget, sent: signal.Signals) -> None:
    """To the process of the only guests there are."""
    [worker] = target._workers
    os.kill(worker._process.pid, sent)


def test_what_is_asked_there_is_answered_as_here(target: IsolatedTarget) -> None:
    assert (target.name, target.uri, target.party) == ("reference", "", Party.SERVER)
    backend = fresh(target)
    assert backend.perform(BEGIN) == DONE
    info = backend.perform(GetJobInfo())
    assert isinstance(info, JobInfo)
    assert info.type is JobType.BACKUP
    backend.end_all_jobs()
    assert isinstance(backend.perform(AbortJob()), Refusal)
    backend.close()


def test_a_process_that_dies_is_lost_once_and_another_takes_its_place(target: IsolatedTarget) -> None:
    backend = fresh(target)
    assert backend.perform(BEGIN) == DONE
    send(target, signal.SIGSEGV)
    lost = backend.perform(GetJobInfo())
    assert isinstance(lost, Lost)
    assert (lost.party, lost.fate, lost.code) == (Party.SERVER, Fate.DIED, "SIGSEGV")
    assert lost.evidence[0].title.startswith("backtrace of python")
    with pytest.raises(SessionLost):
        backend.perform(GetJobInfo())
    backend.end_all_jobs()
    assert backend.perform(GetJobInfo()) == JobInfo(None)
    backend.close()


def test_a_process_that_does_not_answer_is_ended(target: IsolatedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "MARGIN_SECONDS", 0.1)
    monkeypatch.setattr(isolated, "SLACK_SECONDS", 0.0)
    backend = fresh(target)
    send(target, signal.SIGSTOP)
    lost = backend.perform(GetJobInfo())
    assert isinstance(lost, Lost)
    assert (lost.party, lost.fate) == (Party.SERVER, Fate.HUNG)
    backend.close()


def test_a_process_that_dies_between_calls_is_told_by_the_end_of_the_session(target: IsolatedTarget) -> None:
    backend = fresh(target)
    send(target, signal.SIGABRT)
    with pytest.raises(SessionLost, match="SIGABRT") as caught:
        backend.end_all_jobs()
    assert caught.value.lost is not None
    backend.end_all_jobs()
    assert backend.perform(BEGIN) == DONE
    backend.close()


def test_what_cannot_be_opened_is_told_as_here() -> None:
    with pytest.raises(BadInput, match="has no use for test:///default"):
        IsolatedTarget("reference", DESIGN, Options(uri="test:///default"))


OPENS_AND_WAITS = """
import time
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import find_design
from jobtck.isolated import IsolatedTarget
target = IsolatedTarget("reference", find_design("default-job"), Options())
print("opened", flush=True)
time.sleep(1000)
"""


def test_nothing_is_left_of_a_kit_that_is_gone(folder: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-c", OPENS_AND_WAITS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as kit:
        assert kit.stdout is not None
        assert kit.stdout.readline() == b"opened\n"
        assert len(list(folder.iterdir())) == 1
        kit.kill()
    leave_nothing_of(kit.pid)
    assert list(folder.iterdir()) == []


def test_a_crash_that_does_not_come_again_is_told_with_all_its_calls(target: IsolatedTarget) -> None:
    hunt = Hunt(target, Plan(60.0, 1), threading.Event())
    lives = (
        Life("reference", "default-job", ((BEGIN,), (BEGIN, GetJobInfo())), True, 2.0),
        Life("reference", "default-job", ((GetJobInfo(),), (AbortJob(),)), False, 1.0),
        Life("another", "default-job", ((GetJobInfo(),),), True, 3.0),
    )
    look_into(Crash(Fate.DIED, "SIGSEGV", "it died of SIGSEGV", lives), hunt, lambda: False)
    [deviation] = hunt.findings.deviations
    assert deviation.requirements == ("SANE-1",)
    assert [line.call for line in deviation.lines] == [AbortJob(), BEGIN, BEGIN, GetJobInfo()]
    assert (deviation.lines[-1].answer, deviation.lines[-1].code) == ("the server died", "SIGSEGV")
    assert (deviation.reproduced, deviation.runs, deviation.is_flaky) == (0, 2, True)


@pytest.mark.parametrize(
    ("fate", "order"), [(Fate.DIED, ["new", "old", "ending", "idle"]), (Fate.HUNG, ["old", "new", "ending"])]
)
def test_calls_that_were_under_way_are_suspected_first(fate: Fate, order: list[str]) -> None:
    sessions = ((GetJobInfo(),),)
    lives = (
        Life("idle", "", sessions, is_under_way=False, since=4.0),
        Life("ending", "", sessions, is_under_way=False, since=3.0, is_ending=True),
        Life("new", "", sessions, is_under_way=True, since=2.0),
        Life("old", "", sessions, is_under_way=True, since=1.0),
        Life("nothing", "", (), is_under_way=True, since=0.0),
    )
    assert [life.backend for life in suspects(lives, fate)] == order


def test_a_crash_is_not_that_of_a_backend_that_made_no_calls(target: IsolatedTarget) -> None:
    hunt = Hunt(target, Plan(60.0, 1), threading.Event())
    lives = (Life("another", "default-job", ((GetJobInfo(),),), True, 3.0),)
    look_into(Crash(Fate.DIED, "SIGSEGV", "", lives), hunt, lambda: False)
    assert hunt.findings.deviations == []
