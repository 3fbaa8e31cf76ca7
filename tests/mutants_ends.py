"""Mutants that get the end of a job wrong: whether it ends, how that is told, what is left."""

from tests.mutants_table import (
    DEFAULT_JOB,
    OPAQUE_HANDLES,
    PARALLEL_IDS,
    QEMU_JOBS,
    ZERO_ID,
    Mutant,
)

from jobtck.conformance import calls
from jobtck.conformance.calls import EndSession, Flaw, JobType
from jobtck.conformance.design import Design
from jobtck.conformance.errors import NotCleared
from jobtck.conformance.outcomes import (
    DONE,
    Both,
    Completed,
    Done,
    Ended,
    ErrorKind,
    JobInfo,
    Outcome,
    Refusal,
)
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_calls import ENDED_ABORTED, ENDED_COMPLETED
from jobtck.fixtures.reference_jobs import COMPLETED_CUT_SHORT, COMPLETED_WELL, Guest, JobRecord
from jobtck.fixtures.reference_refusals import UNFINISHED, refusal


class PullIsNeverFinished(Reference):
    """Does not end a pull unless it is aborted."""

    def check_finished(self, guest: Guest, job: JobRecord) -> Refusal | None:
        return None if job.copied else UNFINISHED


class EndsUnfinishedPush(Reference):
    """Ends a push that has not copied all, without being told to abort it."""

    def check_finished(self, guest: Guest, job: JobRecord) -> Refusal | None:
        return None


class EndsThePushItRefuses(Reference):
    """Refuses to end an unfinished push, and cancels it."""

    def check_finished(self, guest: Guest, job: JobRecord) -> Refusal | None:
        found = super().check_finished(guest, job)
        if found is not None:
            self.remove_job(guest, job)
        return found


class AlwaysCompleted(Reference):
    """Says of every backup that it was completed."""

    def answer_end(self, guest: Guest, *, success: bool) -> Ended:
        return ENDED_COMPLETED


class EndsOtherwise(Reference):
    """Ends what it is told to, and answers otherwise where `is_wrong`."""

    instead = ENDED_ABORTED

    def is_wrong(self, job: JobRecord, call: calls.BackupEnd) -> bool:
        raise NotImplementedError

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        job = self.find_backup(guest, call.job)
        told = super().backup_end(guest, call)
        is_wrong = isinstance(job, JobRecord) and isinstance(told, Ended) and self.is_wrong(job, call)
        return self.instead if is_wrong else told


class PushesAreAlwaysAborted(EndsOtherwise):
    """Calls every push aborted that it ends (as libvirt's draft of autumn 2019: back right after the request)."""

    def is_wrong(self, job: JobRecord, call: calls.BackupEnd) -> bool:
        return job.kind is calls.Kind.PUSH


class PullsAreAlwaysAborted(EndsOtherwise):
    """Calls a pull aborted that was only ended."""

    def is_wrong(self, job: JobRecord, call: calls.BackupEnd) -> bool:
        return job.kind is calls.Kind.PULL and not call.abort


class CountsTheJobsItEnded(EndsOtherwise):
    """Answers the end of a pull on two disks with their number."""

    instead = Ended(2)

    def is_wrong(self, job: JobRecord, call: calls.BackupEnd) -> bool:
        return job.kind is calls.Kind.PULL and len(job.disks) > 1


class TakesZeroForFailure(Reference):
    """Turns the answer 0, aborted, into an error (bug B1: `if (!ret) goto error`)."""

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        outcome = super().backup_end(guest, call)
        return refusal(ErrorKind.OTHER, "") if outcome == ENDED_ABORTED else outcome


class ShowsTheDead(Reference):
    """Shows the last backup as running until something begins."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.dead: set[Guest] = set()

    def remove_files(self, guest: Guest, job: JobRecord) -> None:
        super().remove_files(guest, job)
        self.dead.add(guest)

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.dead.clear()

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        if guest in self.dead and not guest.jobs:
            return JobInfo(JobType.BACKUP)
        return super().get_job_info(guest, call)


class EndsTheDead(Reference):
    """Says that it completed a job which is over, while no other is there."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.ended: set[tuple[Guest, object]] = set()

    def forget_id(self, guest: Guest, job: JobRecord) -> None:
        super().forget_id(guest, job)
        self.ended.add((guest, job.id))

    def stop(self, guest: Guest) -> None:
        super().stop(guest)
        self.ended.clear()

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        if not guest.jobs and (guest, call.job) in self.ended:
            return ENDED_COMPLETED
        return super().backup_end(guest, call)


class AbortsNothingGladly(Reference):
    """Says that it aborted the domain job where none is."""

    def abort_job(self, guest: Guest, call: calls.AbortJob) -> Outcome:
        return super().abort_job(guest, call) if guest.jobs else DONE


class SucceedsWithAnError(Reference):
    """Tells of a success with an error message."""

    def keep_statistics(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().keep_statistics(guest, job, success=success)
        if success:
            guest.completed = Completed(JobType.BACKUP, success=True, error=True)


class PraisesTheAborted(Reference):
    """Tells of a push that was aborted as of a success."""

    def abort_job(self, guest: Guest, call: calls.AbortJob) -> Outcome:
        outcome = super().abort_job(guest, call)
        if outcome is DONE and guest.completed is COMPLETED_CUT_SHORT:
            guest.completed = COMPLETED_WELL
        return outcome


class AbortIgnoresFlags(Reference):
    """Aborts the domain job also with flags that nobody defined."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        entry = self.entries[calls.AbortJob]
        self.entries[calls.AbortJob] = entry._replace(has_flags=False)


class ChecksFlagsLate(Reference):
    """Refuses unknown flags of an abort when the job has ended already."""

    def check_flags(self, guest: Guest, flaw: Flaw) -> Refusal | None:
        found = super().check_flags(guest, flaw)
        if found is not None and guest.backups:
            self.remove_job(guest, guest.backups[0])
        return found


# Two clients at once: each of these is right as long as one client calls after the other.


class EndsForBoth(Reference):
    """Looks for the job in one step and ends it in another: of two clients at once each is told that it ended it."""

    def serve_both(self, guest: Guest, call: calls.Call) -> Both:
        first, second = super().serve_both(guest, call).answers
        return Both((first, first if isinstance(first, Done | Ended) else second))


class EndsForNeither(Reference):
    """Lets two clients at once wait for each other: both are refused, and the job is gone all the same."""

    def serve_both(self, guest: Guest, call: calls.Call) -> Both:
        _, second = super().serve_both(guest, call).answers
        return Both((second, second))


class EndsTheNextToo(Reference):
    """Tells the second of two clients that the job is gone, and ends another one for it."""

    def serve_both(self, guest: Guest, call: calls.Call) -> Both:
        before = len(guest.backups)
        answers = super().serve_both(guest, call)
        if len(guest.backups) < before and guest.backups:
            self.end_backup(guest, guest.backups[0], success=True)
        return answers


class TellsOfTheEndTwice(Reference):
    """Sends the terminal event of a job for each of two clients that end it at once."""

    def serve_both(self, guest: Guest, call: calls.Call) -> Both:
        before = len(guest.events)
        answers = super().serve_both(guest, call)
        guest.events.extend(tuple(guest.events)[before:])
        return answers


class HoldsTwoDisks(Reference):
    """Cannot end a backup of two disks when a session is over."""

    def end_all_jobs(self) -> None:
        if any(len(job.disks) > 1 for guest in self.guests.values() for job in guest.backups):
            raise NotCleared(Refusal(ErrorKind.BUSY, "EBUSY", "the disks are held"), EndSession())
        super().end_all_jobs()

    def close(self) -> None:
        self.guests.clear()


MUTANTS = (
    Mutant(PullIsNeverFinished, QEMU_JOBS, "END-1", 2),
    Mutant(PullsAreAlwaysAborted, ZERO_ID, "END-1", 2),
    Mutant(CountsTheJobsItEnded, ZERO_ID, "ANS-1", 2),
    Mutant(EndsUnfinishedPush, ZERO_ID, "END-2", 2),
    Mutant(EndsThePushItRefuses, ZERO_ID, "END-2", 3),
    Mutant(AlwaysCompleted, ZERO_ID, "END-3", 2),
    Mutant(PushesAreAlwaysAborted, ZERO_ID, "END-3", 3),
    Mutant(TakesZeroForFailure, OPAQUE_HANDLES, "END-3", 2),
    Mutant(ShowsTheDead, DEFAULT_JOB, "END-4", 3),
    Mutant(EndsTheDead, ZERO_ID, "END-5", 3),
    Mutant(AbortsNothingGladly, DEFAULT_JOB, "END-5", 1),
    Mutant(SucceedsWithAnError, DEFAULT_JOB, "END-6", 3),
    Mutant(PraisesTheAborted, DEFAULT_JOB, "END-6", 3),
    Mutant(EndsForBoth, DEFAULT_JOB, "END-7", 2),
    Mutant(EndsForNeither, ZERO_ID, "END-7", 2),
    Mutant(EndsTheNextToo, PARALLEL_IDS, "END-7", 4, calls_more=3_000),
    Mutant(TellsOfTheEndTwice, OPAQUE_HANDLES, "END-7", 3),
    Mutant(AbortIgnoresFlags, DEFAULT_JOB, "END-8", 2),
    Mutant(ChecksFlagsLate, DEFAULT_JOB, "END-8", 3),
    Mutant(HoldsTwoDisks, DEFAULT_JOB, "END-9", 2),
)
