"""What goes away around jobs: clients, servers and guests, in the model and on a libvirtd of the kit's own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest
from tests.conftest import missing_for_libvirtd

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCopy,
    Call,
    CrashGuest,
    Disconnect,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    Inspect,
    JobType,
    Manner,
    Mode,
    Odd,
    RestartServer,
    Settle,
    Start,
    Storage,
    TakeEvents,
)
from jobtck.conformance.capabilities import SECOND_CLIENT, Options, OwnHost
from jobtck.conformance.design import Design, presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import (
    BlockInfo,
    Completed,
    Description,
    Ended,
    Events,
    JobInfo,
    Leftovers,
    Lost,
    Refusal,
    Unknown,
)
from jobtck.conformance.session import Session
from jobtck.conformance.wording import call_text
from jobtck.fixtures.reference import ReferenceTarget

if TYPE_CHECKING:
    from jobtck.fixtures.libvirt_calls import LibvirtBackend

DEFAULT_JOB, ZERO_ID = presets()["default-job"], presets()["zero-id"]
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
BEGIN_CUT_OFF = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), flaw=Flaw.CUT_OFF)


def push_on(storage: Storage) -> BackupBegin:
    return BackupBegin(label=0, mode=Mode.PUSH, disks=("vda",), storage=storage)


def session_on_reference(design: Design) -> Session:
    target = ReferenceTarget(design)
    return Session(Judge(design, target.capabilities), target.fresh())


def performed(session: Session, *calls: Call) -> list[object]:
    """The outcomes; none of them deviates."""
    for call in calls:
        step = session.perform(call)
        assert not step.deviations, (call, step.outcome)
    return [each.outcome for each in list(session.history)[-len(calls) :]]


# -- the model -------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [DEFAULT_JOB, ZERO_ID], ids=lambda each: each.name)
def test_a_begin_that_nobody_heard_of_may_have_begun_or_not(design: Design) -> None:
    session = session_on_reference(design)
    assert isinstance(performed(session, BEGIN_CUT_OFF)[0], Unknown)
    assert sorted(len(state.domains[0].jobs) for state in session.belief.states) == [0, 1]
    performed(session, GetJobInfo())
    assert [len(state.domains[0].jobs) for state in session.belief.states] == [1]


def test_a_job_whose_id_nobody_heard_is_reached_by_0() -> None:
    session = session_on_reference(ZERO_ID)
    _, described = performed(session, BEGIN_CUT_OFF, BackupGetXmlDesc(job=Odd.ZERO))
    assert isinstance(described, Description)


def test_a_begin_that_cannot_have_begun_has_not() -> None:
    session = session_on_reference(DEFAULT_JOB)
    performed(session, BlockCopy(label=1, disk="vda"), BEGIN_CUT_OFF)
    assert [[job.label for job in state.domains[0].jobs] for state in session.belief.states] == [[1]]


def test_what_is_lost_with_a_server_is_not_judged() -> None:
    session = session_on_reference(DEFAULT_JOB)
    performed(session, BEGIN, AbortJob(), RestartServer(), TakeEvents(), GetJobStats(completed=True))


@pytest.mark.parametrize("design", [DEFAULT_JOB, ZERO_ID], ids=lambda each: each.name)
def test_a_push_onto_a_full_disk_breaks_off(design: Design) -> None:
    session = session_on_reference(design)
    _, _, _, info = performed(session, push_on(Storage.FULL), GetJobInfo(), Settle(), GetJobInfo())
    assert (info == JobInfo(None)) is (design is DEFAULT_JOB)  # with ids it waits to be ended


def test_a_push_that_broke_off_ends_as_aborted() -> None:
    session = session_on_reference(ZERO_ID)
    end = BackupEnd(job=IdOf(0), abort=True)
    *_, ended, events, _ = performed(session, push_on(Storage.FULL), Settle(), end, TakeEvents(), Inspect())
    assert (ended, events) == (Ended(0), Events(((JobType.BACKUP, False),)))


# -- a libvirtd ------------------------------------------------------------------------------------

real = [
    pytest.mark.real,
    pytest.mark.xdist_group("libvirt"),
    pytest.mark.skipif(bool(missing_for_libvirtd()), reason=missing_for_libvirtd()),
]
on_a_daemon = pytest.mark.parametrize("design", [pytest.param(DEFAULT_JOB, marks=real, id="libvirtd")], scope="module")
FAULTS = (
    Disconnect(),
    Disconnect(manner=Manner.KILLED),
    Disconnect(client=SECOND_CLIENT, manner=Manner.KILLED),
    RestartServer(),
    RestartServer(manner=Manner.KILLED),
)


@pytest.fixture(scope="module")
def backends(design: Design) -> Iterator[tuple[Judge, list["LibvirtBackend"]]]:
    """Two backends, on daemons of their own, and who judges them."""
    pytest.importorskip("libvirt", reason="libvirt-python is not installed")
    from jobtck.fixtures.libvirt_target import LibvirtTarget, open_target

    target = open_target(design, Options(host=OwnHost.LIBVIRTD))
    assert isinstance(target, LibvirtTarget)
    driven = [cast("LibvirtBackend", target.fresh()) for _ in range(2)]
    yield Judge(design, target.capabilities), driven
    for backend in driven:
        backend.close()
    target.close()


@pytest.fixture
def sessions(backends: tuple[Judge, list["LibvirtBackend"]]) -> list[Session]:
    """A session on each."""
    judge, driven = backends
    for backend in driven:
        backend.end_all_jobs()
    return [Session(judge, backend) for backend in driven]


def renewed(session: Session) -> Session:
    """Another session on the same guests."""
    session._backend.end_all_jobs()
    return Session(session.judge, session._backend)


@on_a_daemon
@pytest.mark.parametrize("fault", FAULTS, ids=call_text)
def test_a_job_outlives_clients_and_servers(fault: Call, sessions: list[Session]) -> None:
    for session in sessions:
        performed(session, BEGIN)
    looks = (GetJobInfo(), GetBlockJobInfo(disk="vda"), GetJobInfo(client=SECOND_CLIENT), AbortJob(), Settle())
    _, *told = performed(sessions[1], fault, *looks)
    assert told[0] != JobInfo(None) != told[2]
    assert told[1] != BlockInfo(None)
    assert performed(sessions[0], GetJobInfo()) != [JobInfo(None)]


@on_a_daemon
def test_a_guest_that_crashes_takes_its_job_along(sessions: list[Session]) -> None:
    *_, refused, _, info = performed(sessions[1], BEGIN, CrashGuest(), GetJobInfo(), Start(), GetJobInfo())
    assert isinstance(refused, Refusal)
    assert info == JobInfo(None)


@on_a_daemon
def test_calls_that_are_cut_off_were_made_or_not(sessions: list[Session]) -> None:
    """Each time at another moment of the call."""
    for _ in range(6):
        performed(sessions[1], BEGIN_CUT_OFF, GetJobInfo(), AbortJob(flaw=Flaw.CUT_OFF), Settle(), TakeEvents())
        sessions[1] = renewed(sessions[1])


@on_a_daemon
def test_a_push_breaks_off_on_a_full_disk(sessions: list[Session]) -> None:
    """Also where libvirtd was started anew, and finds the same small filesystem."""
    for calls in ((), (RestartServer(manner=Manner.KILLED),)):
        sessions[1] = renewed(sessions[1])
        performed(sessions[1], *calls, push_on(Storage.FULL), Settle())
        told = performed(
            sessions[1], GetJobInfo(), TakeEvents(due=1), GetJobStats(completed=True), Inspect(), BEGIN, GetJobInfo()
        )
        assert told[:2] == [JobInfo(None), Events(((JobType.BACKUP, False),))]
        assert told[2:4] == [Completed(JobType.BACKUP, success=False, error=True), Leftovers(())]


@on_a_daemon
def test_a_pull_outlives_a_full_scratch_file(sessions: list[Session]) -> None:
    sessions[1] = renewed(sessions[1])
    begin = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), storage=Storage.FULL)
    told = performed(sessions[1], begin, GetBlockJobInfo(disk="vda"), AbortJob(), Settle(), GetJobInfo(), Inspect())
    assert isinstance(told[1], BlockInfo)
    assert 0 < (told[1].progress.done or 0) < 1024 * 1024  # as much as had room
    assert told[4:] == [JobInfo(None), Leftovers(())]


@on_a_daemon
@pytest.mark.parametrize("ending", [(), (AbortJob(),)], ids=["runs through", "is aborted"])
def test_a_push_from_slow_storage_is_a_job_that_takes_longer(ending: tuple[Call, ...], sessions: list[Session]) -> None:
    sessions[1] = renewed(sessions[1])
    performed(sessions[1], push_on(Storage.SLOW), RestartServer(), GetJobInfo(), *ending, Settle())
    info, events, _ = performed(sessions[1], GetJobInfo(), TakeEvents(due=1), Inspect())
    assert (info, events) == (JobInfo(None), Events(((JobType.BACKUP, not ending),)))


@on_a_daemon
def test_a_guest_of_whose_death_nobody_else_is_proved_guilty_is_a_deviation(
    sessions: list[Session], backends: tuple[Judge, list["LibvirtBackend"]]
) -> None:
    performed(sessions[1], BEGIN)
    backends[1][1].jobs[0].guest.crash()
    step = sessions[1].perform(GetJobInfo())
    assert (step.deviations, step.belief) == (("SANE-2",), None)
    lost = sessions[1].history[-1].outcome
    assert isinstance(lost, Lost)
    assert lost.code == "SIGKILL"
