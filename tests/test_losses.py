"""Who is lost in a call is judged; what somebody else did is proved, and what is left of the dead is harmless."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from jobtck.conformance.calls import AbortJob, BackupBegin, Call, CrashGuest, Destroy, GetJobInfo, Mode, Settle
from jobtck.conformance.design import presets
from jobtck.conformance.errors import SessionLost
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import Evidence, Fate, Lost, Outcome, Party
from jobtck.conformance.session import Session
from jobtck.fixtures import innocence, losses, orphans, post_mortem
from jobtck.fixtures.guests import Guest
from jobtck.fixtures.hosts import Host
from jobtck.fixtures.reference import Reference, ReferenceTarget

DESIGN = presets()["default-job"]
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))


class Losing(Reference):
    """Answers every call but a begin with a loss."""

    lost = Lost(Party.SERVER)

    def perform(self, call: Call) -> Outcome:
        return super().perform(call) if isinstance(call, BackupBegin) else self.lost


@pytest.mark.parametrize(
    ("lost", "call", "broken"),
    [
        (Lost(Party.SERVER), GetJobInfo(), ("SANE-1",)),
        (Lost(Party.SERVER), Settle(), ("SANE-1",)),
        (Lost(Party.CLIENT), AbortJob(), ("SANE-1",)),
        (Lost(Party.SERVER, Fate.HUNG), AbortJob(), ("TIME-1",)),
        (Lost(Party.SERVER, Fate.HUNG), Destroy(), ("TIME-1",)),
        (Lost(Party.GUEST), AbortJob(), ("SANE-2",)),
        (Lost(Party.GUEST), Destroy(), ()),
        (Lost(Party.GUEST), CrashGuest(), ()),
    ],
    ids=str,
)
def test_a_loss_breaks_one_requirement_and_ends_the_session(lost: Lost, call: Call, broken: tuple[str, ...]) -> None:
    backend = Losing(DESIGN)
    backend.lost = Lost(lost.party, lost.fate, "SIGSEGV", "as it was", (Evidence("a log", "its end"),))
    session = Session(Judge(DESIGN, ReferenceTarget(DESIGN).capabilities), backend)
    assert session.perform(BEGIN).belief is not None
    step = session.perform(call)
    assert step.deviations == broken
    assert step.belief is None
    assert step.outcome == lost  # what differs from run to run is no part of what is judged
    assert session.history[-1].outcome == backend.lost


# -- innocence -------------------------------------------------------------------------------------------------------

TERMINATED = "qemu-system-x86_64: terminating on signal {} from pid {} (a name)\n"


@pytest.mark.parametrize(
    ("log", "is_proof"),
    [
        ("", False),
        (TERMINATED.format(15, 4711), True),
        (TERMINATED.format(15, 17), False),
        (TERMINATED.format(15, 0), False),
        (TERMINATED.format(15, 4711) + TERMINATED.format(15, 17), False),
        ("shutting down, reason=crashed\n", False),
    ],
    ids=["nothing", "another", "ours", "nobody", "ours at last", "a crash"],
)
def test_qemus_log_proves_who_ended_it(log: str, *, is_proof: bool) -> None:
    assert bool(innocence.proof_in_log(log, frozenset({17}))) is is_proof


@pytest.mark.parametrize(
    ("code", "before", "is_proof"),
    [("SIGKILL", 4, True), ("", 4, True), ("SIGKILL", 5, False), ("SIGSEGV", 4, False)],
)
def test_the_kernel_proves_that_memory_ran_out(
    code: str, before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_proof: bool
) -> None:
    (tmp_path / "vmstat").write_text("pgfault 3\noom_kill 5\n")
    monkeypatch.setattr(innocence, "VMSTAT", tmp_path / "vmstat")
    monkeypatch.setattr(innocence, "OWN_CGROUP", tmp_path / "none")
    monkeypatch.setenv("PATH", "")
    assert bool(innocence.proof_for(code, before)) is is_proof


@pytest.mark.parametrize("said", ["running", "stopping"])
def test_a_system_that_is_shutting_down_ends_everything(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "systemctl", f"echo {said}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bool(innocence.proof_for("SIGTERM", innocence.oom_kills())) is (said == "stopping")


def a_guest(tmp_path: Path, log: str) -> tuple[Host, Guest]:
    """A guest that is gone, and the host that it was on."""
    (tmp_path / "jobtck-1.log").write_text(log)
    host = SimpleNamespace(logs=tmp_path, daemon=None)
    return cast("Host", host), cast("Guest", SimpleNamespace(name="jobtck-1", pid=None))


def test_a_guest_that_died_is_lost_with_its_log(tmp_path: Path) -> None:
    lost = losses.guest_lost(*a_guest(tmp_path, "assertion failed\n"), innocence.oom_kills())
    assert (lost.party, lost.fate) == (Party.GUEST, Fate.DIED)
    assert lost.evidence == (losses.NO_CORE_OF_QEMU, Evidence("end of QEMU's log", "assertion failed"))


def test_a_guest_that_somebody_else_ended_is_set_aside_with_the_proof(tmp_path: Path) -> None:
    with pytest.raises(SessionLost, match="signal 15 came from process 4711") as caught:
        losses.guest_lost(*a_guest(tmp_path, TERMINATED.format(15, 4711)), innocence.oom_kills())
    assert caught.value.lost is None


# -- what is left ----------------------------------------------------------------------------------------------------


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_of_a_huge_log_that_is_no_text_the_end_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff\x00 no text\n" * 1_000_000 + b"the last words\n")
    [kept] = post_mortem.log_tail(log, "end of a log")
    assert kept.text.endswith("the last words")
    assert len(kept.text) <= post_mortem.TEXT_MAX


def test_a_log_that_is_not_there_or_empty_is_no_evidence(tmp_path: Path) -> None:
    assert post_mortem.log_tail(tmp_path / "log", "end of a log") == ()
    (tmp_path / "log").touch()
    assert post_mortem.log_tail(tmp_path / "log", "end of a log") == ()


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    [told] = post_mortem.log_tail(tmp_path, "end of a log")
    assert "cannot be read: Is a directory" in told.text


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("core", "it left no core file"),
        ("|/usr/share/apport/apport %p", "are given to a program here (/usr/share/apport/apport)"),
        ("/var/crash/core.%p", "are put elsewhere (/var/crash/core.%p)"),
    ],
)
def test_where_there_is_no_core_it_is_said_why(
    pattern: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pattern").write_text(f"{pattern}\n")
    monkeypatch.setattr(post_mortem, "CORE_PATTERN", tmp_path / "pattern")
    assert told in post_mortem.backtrace_of_core("libvirtd", tmp_path).text


@pytest.mark.parametrize(
    ("gdb", "told"),
    [
        (None, "none: there is no gdb here"),
        ("echo this is no core >&2", "none: gdb could not read it: this is no core"),
        ("echo '#0  here ()'; echo '#1  there ()'", "#0  here ()\n#1  there ()"),
    ],
)
def test_a_core_is_read_as_far_as_it_can_be(
    gdb: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    if gdb is not None:
        script(tmp_path / "bin" / "gdb", gdb)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "core.17").write_bytes(b"no core")
    assert post_mortem.backtrace_of_core("/usr/sbin/libvirtd", tmp_path) == Evidence("backtrace of libvirtd", told)
    assert post_mortem.core_of(tmp_path) is None


def test_the_evidence_of_one_sort_is_gathered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_mortem, "_kept", {})
    gathered: list[int] = []

    def gather() -> tuple[Evidence, ...]:
        gathered.append(1)
        return (Evidence("a log", "its end"),)

    assert post_mortem.once(("a",), gather) == post_mortem.once(("a",), gather)
    assert len(gathered) == 1


@pytest.mark.parametrize(("code", "words"), [(-signal.SIGSEGV, "SIGSEGV"), (-200, "signal 200"), (3, "exit status 3")])
def test_an_exit_code_in_words(code: int, words: str) -> None:
    told: Callable[[int], str] = orphans.ended_words
    assert told(code) == words
