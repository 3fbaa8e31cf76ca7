"""The verbs of the reference, in every status of every kind of job: JobVerbTable of QEMU's job.c."""

from dataclasses import replace

import pytest

from jobtck.conformance.calls import (
    JOB_VERBS,
    BackupBegin,
    BlockCommit,
    BlockCopy,
    BlockPull,
    Call,
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
from jobtck.conformance.design import presets
from jobtck.conformance.outcomes import DONE, ErrorKind, Events, JobStatus, Listed, Outcome, Refusal, StatusOf
from jobtck.fixtures.reference import Reference

PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), name="job")
PUSH = BackupBegin(label=0, mode=Mode.PUSH, disks=("vda",), name="job")
COPY = BlockCopy(label=0, disk="vda", name="job")
BOTH = Waits.BOTH

# what is done after a begin that waits for both last steps, and the status that it leads to
WAYS: dict[str, tuple[Call, tuple[Call, ...], JobStatus]] = {
    "pull running": (PULL, (), JobStatus.RUNNING),
    "pull still running": (PULL, (Settle(),), JobStatus.RUNNING),
    "push running": (PUSH, (), JobStatus.RUNNING),
    "push paused": (PUSH, (JobPause(job="job"), Settle()), JobStatus.PAUSED),
    "push resumed": (PUSH, (JobPause(job="job"), JobResume(job="job")), JobStatus.RUNNING),
    "push pending": (PUSH, (Settle(),), JobStatus.PENDING),
    "push concluded": (PUSH, (Settle(), JobFinalize(job="job")), JobStatus.CONCLUDED),
    "push cancelled": (PUSH, (Settle(), JobCancel(job="job")), JobStatus.CONCLUDED),
    "copy ready": (COPY, (Settle(),), JobStatus.READY),
    "copy standby": (COPY, (Settle(), JobPause(job="job")), JobStatus.STANDBY),
    "copy pending": (COPY, (Settle(), JobComplete(job="job")), JobStatus.PENDING),
    "pull of images pending": (BlockPull(label=0, disk="vda", name="job"), (Settle(),), JobStatus.PENDING),
    "commit pending": (BlockCommit(label=0, disk="vda", name="job"), (Settle(),), JobStatus.PENDING),
}
TABLE: dict[type[JobVerb], str] = {
    JobCancel: "running paused ready standby pending",
    JobPause: "running ready",
    JobResume: "paused standby",
    JobComplete: "ready standby",
    JobFinalize: "pending",
    JobDismiss: "concluded",
}


def reference() -> Reference:
    return Reference(presets()["qemu-jobs"])


def begun(begin: Call, *calls: Call, waits: Waits = BOTH) -> Reference:
    """A server on which the begin was made, leaving these steps to the client, and these calls."""
    server = reference()
    assert server.perform(replace(begin, waits=waits)) == DONE  # type: ignore[call-arg]
    for call in calls:
        assert server.perform(call) == DONE
    return server


def status(server: Reference) -> Outcome:
    return server.perform(JobGetStatus(job="job"))


@pytest.mark.parametrize("verb", JOB_VERBS)
@pytest.mark.parametrize("way", WAYS)
def test_verbs_are_accepted_as_the_table_says(way: str, verb: type[JobVerb]) -> None:
    begin, calls, expected = WAYS[way]
    server = begun(begin, *calls)
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
    server = begun(COPY, Settle(), JobPause(job="job"), JobComplete(job="job"))
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
    assert status(begun(PUSH, Settle(), waits=waits)) == expected


def test_only_a_job_that_was_cut_short_tells_an_error() -> None:
    assert status(begun(PUSH, JobCancel(job="job"))) == StatusOf(JobStatus.CONCLUDED, error=True)
    assert status(begun(PUSH, Settle(), JobFinalize(job="job"))) == StatusOf(JobStatus.CONCLUDED)


def test_a_concluded_job_keeps_its_name_and_nothing_else() -> None:
    server = begun(PUSH, JobCancel(job="job"))
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
        server = begun(begin, *calls)
        server.perform(Destroy())
        server.perform(Start())
        assert server.perform(ListAllJobs()) == Listed(())
        assert server.perform(begin) == DONE


def test_verbs_on_names_of_nobody_are_refused() -> None:
    server = begun(PUSH)
    for verb in JOB_VERBS:
        for name in ("nobody", "", "0", "-1", 7):
            outcome = server.perform(verb(job=name))
            assert isinstance(outcome, Refusal)
            assert outcome.kind is ErrorKind.NO_SUCH_JOB
    assert server.perform(JobGetStatus(job="nobody")) == StatusOf(None)
    assert status(server) == StatusOf(JobStatus.RUNNING)
