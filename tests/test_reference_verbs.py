"""The verbs of the reference, in every status of every kind of job: JobVerbTable of QEMU's job.c."""

import pytest
from tests.job_ways import COPY, PUSH, TABLE, WAYS, begun

from jobtck.conformance.calls import (
    JOB_VERBS,
    BackupBegin,
    Destroy,
    JobCancel,
    JobComplete,
    JobDismiss,
    JobFinalize,
    JobGetStatus,
    JobPause,
    JobResume,
    JobType,
    JobVerb,
    ListAllJobs,
    Mode,
    Settle,
    Start,
    TakeEvents,
    Waits,
)
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.design import presets
from jobtck.conformance.outcomes import DONE, ErrorKind, Events, JobStatus, Listed, Outcome, Refusal, StatusOf
from jobtck.fixtures.reference import Reference


def reference() -> Reference:
    return Reference(presets()["qemu-jobs"])


def status(server: Backend) -> Outcome:
    return server.perform(JobGetStatus(job="job"))


@pytest.mark.parametrize("verb", JOB_VERBS)
@pytest.mark.parametrize("way", WAYS)
def test_verbs_are_accepted_as_the_table_says(way: str, verb: type[JobVerb]) -> None:
    begin, calls, expected = WAYS[way]
    server = begun(reference(), begin, *calls)
    before = status(server)
    assert isinstance(before, StatusOf)
    assert before.status is expected
    outcome = server.perform(verb(job="job"))
    if expected in TABLE[verb].split():
        assert outcome == DONE
    else:
        assert isinstance(outcome, Refusal)
        assert outcome.kind is ErrorKind.INVALID_STATE
        assert status(server) == before


def test_a_copy_told_to_complete_in_standby_does_so_once_it_is_resumed() -> None:
    server = begun(reference(), COPY, Settle(), JobPause(job="job"), JobComplete(job="job"))
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
def test_a_job_that_has_done_its_work_waits_for_what_its_client_kept(waits: Waits, expected: StatusOf) -> None:
    assert status(begun(reference(), PUSH, Settle(), waits=waits)) == expected


def test_only_a_job_that_was_cut_short_tells_an_error() -> None:
    assert status(begun(reference(), PUSH, JobCancel(job="job"))) == StatusOf(JobStatus.CONCLUDED, error=True)
    assert status(begun(reference(), PUSH, Settle(), JobFinalize(job="job"))) == StatusOf(JobStatus.CONCLUDED)


def test_a_concluded_job_keeps_its_name_and_nothing_else() -> None:
    server = begun(reference(), PUSH, JobCancel(job="job"))
    assert server.perform(TakeEvents()) == Events(((JobType.BACKUP, False),))
    other = BackupBegin(label=1, mode=Mode.PULL, disks=("vda",), name="job")
    assert isinstance(server.perform(other), Refusal)
    assert server.perform(ListAllJobs()) == Listed((("job", JobType.BACKUP),))
    assert server.perform(JobDismiss(job="job")) == DONE
    assert server.perform(ListAllJobs()) == Listed(())
    assert server.perform(TakeEvents()) == Events(())
    assert server.perform(other) == DONE


def test_jobs_of_all_statuses_go_with_their_domain() -> None:
    for begin, calls, _ in WAYS.values():
        server = begun(reference(), begin, *calls)
        server.perform(Destroy())
        server.perform(Start())
        assert server.perform(ListAllJobs()) == Listed(())
        assert server.perform(begin) == DONE


def test_verbs_on_names_of_nobody_are_refused() -> None:
    server = begun(reference(), PUSH)
    for verb in JOB_VERBS:
        for name in ("nobody", "", "0", "-1", 7):
            outcome = server.perform(verb(job=name))
            assert isinstance(outcome, Refusal)
            assert outcome.kind is ErrorKind.NO_SUCH_JOB
    assert server.perform(JobGetStatus(job="nobody")) == StatusOf(None)
    assert status(server) == StatusOf(JobStatus.RUNNING)
