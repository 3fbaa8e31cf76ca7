"""What calls promise is exercised by whatever is asked after them, and by nothing before."""

import pytest

from jobtck.conformance.calls import BackupBegin, EndSession, Flaw, GetJobInfo, Mode, RestartServer, Settle, TakeEvents
from jobtck.conformance.catalogue import BY_ID, PROMISES
from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.session import Session
from jobtck.fixtures.reference import ReferenceTarget

PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))


@pytest.fixture
def session() -> Session:
    target = ReferenceTarget(presets()["default-job"])
    return Session(Judge(target.design, target.capabilities), target.fresh())


def exercised(session: Session) -> set[str]:
    session.tally.fold()
    return {id for id, count in session.tally.exercised.items() if count}


def test_a_promise_demands_nothing_of_the_answer_itself() -> None:
    assert {"FAULT-1", "FAULT-2", "QUERY-1", "ID-4"} <= PROMISES
    assert all(BY_ID[id].keeps for id in PROMISES)


def test_a_restart_is_exercised_when_somebody_asks_afterwards(session: Session) -> None:
    session.perform(PULL)
    session.perform(RestartServer())
    session.perform(Settle())  # nothing is asked by it
    assert "FAULT-2" not in exercised(session)
    assert "FAULT-2" not in session.tally.exercised_ids()
    session.perform(GetJobInfo())
    assert session.tally.exercised["FAULT-2"] == 1
    session.perform(TakeEvents())
    session.tally.fold()
    assert session.tally.exercised["FAULT-2"] == 1
    ((_, cell),) = [each for each in session.tally.exercised_in if each[0] == "FAULT-2"]
    assert cell.call_name == "get_job_info"


def test_a_promise_does_not_outlive_the_session(session: Session) -> None:
    session.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), flaw=Flaw.UNKNOWN_DISK))
    session.perform(EndSession())
    session.perform(GetJobInfo())
    assert "ID-4" not in exercised(session)
