"""Calls are written down before they are made: whoever reads that later knows which were under way."""

import json
import os
from pathlib import Path

import pytest

from jobtck import journal
from jobtck.conformance.calls import AbortJob, BackupBegin, BackupGetXmlDesc, Call, GetJobInfo, IdOf, Mode
from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.session import Session
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.journal import ASKED, JournaledTarget, asked_in, asking_file, has_hung, lives_in

DESIGN = presets()["zero-id"]
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
ASK = BackupGetXmlDesc(job=IdOf(0))


class Dying(Reference):
    """Dies at an abort, as far as its caller is concerned."""

    def perform(self, call: Call) -> Outcome:
        if isinstance(call, AbortJob):
            raise SystemExit
        return super().perform(call)


def test_a_life_is_read_as_its_sessions_with_the_call_that_never_returned(tmp_path: Path) -> None:
    target = JournaledTarget(ReferenceTarget(DESIGN, Dying), tmp_path)
    backend = target.fresh()
    judge = Judge(DESIGN, target.capabilities)
    session = Session(judge, backend)
    for calls in ([BEGIN, GetJobInfo()], [], [BEGIN, ASK]):
        backend.end_all_jobs()
        session = Session(judge, backend)
        for call in calls:
            session.perform(call)
    [life] = lives_in(tmp_path)
    assert not life.is_under_way
    with pytest.raises(SystemExit):
        session.perform(AbortJob())
    [life] = lives_in(tmp_path)
    assert (life.backend, life.design) == ("reference", "zero-id")
    assert life.sessions == ((BEGIN, GetJobInfo()), (BEGIN, ASK, AbortJob()))  # by labels, not by ids
    assert life.last == (BEGIN, ASK, AbortJob())
    assert life.is_under_way


def test_the_newest_life_comes_first(tmp_path: Path) -> None:
    target = JournaledTarget(ReferenceTarget(DESIGN), tmp_path)
    judge = Judge(DESIGN, target.capabilities)
    first, second = target.fresh(), target.fresh()
    for backend in (second, first):
        Session(judge, backend).perform(GetJobInfo())
    Session(judge, second).perform(BEGIN)
    second.close()
    assert [life.calls for life in lives_in(tmp_path)] == [(GetJobInfo(), BEGIN), (GetJobInfo(),)]


def test_a_journal_that_is_damaged_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "1.calls").write_text('["reference", {"name": "x"}, 1]\n["call", 1e12, {"call": "none"}]\n')
    (tmp_path / "2.calls").write_bytes(b"\xff")
    (tmp_path / "3.calls").write_text("")
    assert lives_in(tmp_path) == ()
    assert not has_hung(tmp_path)


def test_a_long_life_forgets_its_beginning_between_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "BYTES_MAX", 1)
    target = JournaledTarget(ReferenceTarget(DESIGN), tmp_path)
    backend = target.fresh()
    session = Session(Judge(DESIGN, target.capabilities), backend)
    for call in (BEGIN, GetJobInfo(), AbortJob()):
        session.perform(call)
    assert [life.calls for life in lives_in(tmp_path)] == [(BEGIN, GetJobInfo(), AbortJob())]
    backend.end_all_jobs()
    assert [life.calls for life in lives_in(tmp_path)] == [()]


@pytest.mark.parametrize(
    ("lines", "hangs"),
    [
        ([["call", 0.0, None]], True),
        ([["call", 1e12, None]], False),
        ([["call", 0.0, None], ["done", 0.0, None]], False),
        ([["session", 0.0, None]], True),
        ([["closed", 0.0, None]], False),
        ([], False),
    ],
    ids=["a call for ever", "a call just now", "it returned", "the end of a session for ever", "given back", "nothing"],
)
def test_what_is_under_way_for_longer_than_any_call_may_be_hangs(
    lines: list[object], tmp_path: Path, *, hangs: bool
) -> None:
    head = ["libvirt", {"name": "default-job"}, 1.0]
    (tmp_path / "1.calls").write_text("".join(json.dumps(line) + "\n" for line in (head, *lines)))
    assert has_hung(tmp_path) is hangs


def test_what_was_asked_for_while_a_backend_was_opened_is_a_call_too(tmp_path: Path) -> None:
    assert asked_in(tmp_path) is None
    asking_file(tmp_path, "default-job").write_text("abort_job")
    life = asked_in(tmp_path)
    assert life is not None
    assert (life.design, life.calls, life.is_under_way) == ("default-job", (AbortJob(),), True)


def test_what_is_asked_for_and_never_answered_hangs(tmp_path: Path) -> None:
    file = asking_file(tmp_path, "default-job")
    file.write_text("abort_job")
    assert not has_hung(tmp_path)
    os.utime(file, (0, 0))
    assert has_hung(tmp_path)


def test_every_question_of_the_libvirt_backend_is_a_call() -> None:
    pytest.importorskip("libvirt", reason="libvirt-python is not installed")
    from jobtck.fixtures.probe import QUESTIONS

    assert QUESTIONS.keys() == ASKED.keys()
