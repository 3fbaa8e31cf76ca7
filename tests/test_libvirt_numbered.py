"""Backups over real libvirt have ids, which every connection finds and no restart gives again."""

import shutil
from collections.abc import Iterator

import pytest

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    Destroy,
    Flaw,
    GetJobInfo,
    GetJobStats,
    JobType,
    ListAllJobs,
    Mode,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Backend, Options
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BadInput
from jobtck.conformance.outcomes import (
    DONE,
    Completed,
    Description,
    Ended,
    ErrorKind,
    Events,
    Id,
    JobInfo,
    Listed,
    Outcome,
    Refusal,
)

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if shutil.which("qemu-img") is None:
    pytest.skip("QEMU is not installed", allow_module_level=True)

from jobtck.fixtures.numbered import backend as plugin

pytestmark = pytest.mark.real

HUGE = 2**31 - 1


@pytest.fixture(scope="module")
def guests() -> Iterator[Backend]:
    target = plugin.open(find_design("listed-ids"), Options())
    yield target.fresh()
    target.close()


@pytest.fixture
def backend(guests: Backend) -> Iterator[Backend]:
    yield guests
    guests.end_all_jobs()


def begun(backend: Backend, mode: Mode) -> int:
    outcome = backend.perform(BackupBegin(label=0, mode=mode, disks=("vda",)))
    assert isinstance(outcome, Id)
    assert isinstance(outcome.id, int)
    return outcome.id


def kind(outcome: Outcome) -> ErrorKind:
    assert isinstance(outcome, Refusal), outcome
    return outcome.kind


def test_a_pull_has_an_id_for_every_client(backend: Backend) -> None:
    number = begun(backend, Mode.PULL)
    for client in (0, SECOND_CLIENT, READ_ONLY_CLIENT):
        for reference in (number, 0):
            told = backend.perform(BackupGetXmlDesc(job=reference, client=client))
            assert isinstance(told, Description)
            assert (told.id, told.mode, told.disks) == (number, Mode.PULL, ("vda",))
        assert backend.perform(ListAllJobs(client=client)) == Listed(((number, JobType.BACKUP),))
    assert backend.perform(ListAllJobs(types=frozenset({JobType.BLOCK_COPY}))) == Listed(())
    begin = BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",))
    assert kind(backend.perform(begin)) is ErrorKind.BUSY
    end = BackupEnd(job=number, client=READ_ONLY_CLIENT)
    assert kind(backend.perform(end)) is ErrorKind.READ_ONLY
    assert backend.perform(BackupEnd(job=number, client=SECOND_CLIENT)) == Ended(1)
    assert kind(backend.perform(BackupEnd(job=number))) is ErrorKind.NO_SUCH_JOB
    assert kind(backend.perform(BackupEnd(job=0))) is ErrorKind.NO_SUCH_JOB
    assert backend.perform(GetJobInfo()) == JobInfo(None)


def test_ids_that_are_none_are_refused(backend: Backend) -> None:
    number = begun(backend, Mode.PULL)
    for reference, expected in (
        (number + 1, ErrorKind.NO_SUCH_JOB),
        (HUGE, ErrorKind.NO_SUCH_JOB),
        (-1, ErrorKind.INVALID_ARGUMENT),
    ):
        assert kind(backend.perform(BackupGetXmlDesc(job=reference))) is expected
        assert kind(backend.perform(BackupEnd(job=reference))) is expected
    flawed = BackupEnd(job=number, flaw=Flaw.UNKNOWN_FLAGS)
    assert kind(backend.perform(flawed)) is ErrorKind.INVALID_ARGUMENT
    assert kind(backend.perform(BackupEnd(job=number, domain=1))) is ErrorKind.NO_SUCH_JOB
    assert backend.perform(BackupEnd(job=number)) == Ended(1)


def test_a_finished_push_is_there_until_it_is_ended(backend: Backend) -> None:
    number = begun(backend, Mode.PUSH)
    assert backend.perform(Settle()) == DONE
    info = backend.perform(GetJobInfo())
    assert isinstance(info, JobInfo)
    assert info.type is JobType.BACKUP
    assert info.progress.done == info.progress.total
    told = backend.perform(BackupGetXmlDesc(job=number))
    assert isinstance(told, Description)
    assert (told.id, told.mode, told.disks) == (number, Mode.PUSH, ("vda",))
    assert backend.perform(TakeEvents()) == Events(())
    assert backend.perform(GetJobStats(completed=True)) == Completed(None)
    again = BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",))
    assert kind(backend.perform(again)) is ErrorKind.BUSY
    assert backend.perform(BackupEnd(job=number)) == Ended(1)
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, True),))
    done = Completed(JobType.BACKUP, success=True, error=False)
    assert backend.perform(GetJobStats(completed=True)) == done
    assert backend.perform(ListAllJobs()) == Listed(())


def test_the_answer_of_an_end_with_abort_agrees_with_the_statistics(backend: Backend) -> None:
    number = begun(backend, Mode.PUSH)
    ended = backend.perform(BackupEnd(job=number, abort=True))
    assert isinstance(ended, Ended)
    success = bool(ended.completed)
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, success),))
    statistics = backend.perform(GetJobStats(completed=True))
    assert statistics == Completed(JobType.BACKUP, success=success, error=not success)


def test_the_legacy_abort_ends_a_finished_push(backend: Backend) -> None:
    number = begun(backend, Mode.PUSH)
    assert backend.perform(Settle()) == DONE
    assert backend.perform(AbortJob()) == DONE
    assert kind(backend.perform(BackupGetXmlDesc(job=number))) is ErrorKind.NO_SUCH_JOB
    assert kind(backend.perform(AbortJob())) is ErrorKind.INVALID_STATE


def test_ids_go_with_the_start_of_their_domain_and_never_recur(backend: Backend) -> None:
    given: list[int] = []
    for _ in range(3):
        given += [begun(backend, Mode.PULL)]
        assert backend.perform(Destroy()) == DONE
        assert kind(backend.perform(BackupGetXmlDesc(job=given[-1]))) is ErrorKind.NO_SUCH_JOB
        assert backend.perform(Start()) == DONE
        assert kind(backend.perform(BackupEnd(job=given[-1]))) is ErrorKind.NO_SUCH_JOB
    assert given == sorted(set(given))


@pytest.mark.parametrize("name", ["default-job", "parallel-ids", "recycled-ids", "qemu-jobs"])
def test_a_design_that_it_cannot_play_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=name):
        plugin.open(find_design(name), Options())
