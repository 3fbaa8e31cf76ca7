"""Mutants that mistake whom an id stands for: a job that is gone, or one of another type."""

from tests.mutants_table import (
    DEFAULT_JOB,
    OPAQUE_HANDLES,
    PARALLEL_IDS,
    QEMU_JOBS,
    ZERO_ID,
    Mutant,
)

from jobtck.conformance import calls
from jobtck.conformance.calls import JobArgument, JobType, Kind
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import ErrorKind, Outcome, Refusal
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_calls import ENDED_COMPLETED
from jobtck.fixtures.reference_jobs import Guest, JobRecord
from jobtck.fixtures.reference_refusals import (
    NO_JOB_OF_THAT_ID,
    NOT_READY,
    refusal,
)


class RemembersTheEnded(Reference):
    """Describes jobs of the running domain that have ended."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.ended: dict[tuple[Guest, object], JobRecord] = {}

    def forget_id(self, guest: Guest, job: JobRecord) -> None:
        super().forget_id(guest, job)
        self.ended[guest, job.id] = job

    def stop(self, guest: Guest) -> None:
        super().stop(guest)
        self.ended.clear()

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.ended.clear()

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        ended = self.ended.get((guest, call.job))
        if ended is not None:
            return self.describe(guest, ended)
        return super().backup_get_xml_desc(guest, call)


class EndsTheNextBest(RemembersTheEnded):
    """Ends the current job when it is to end one that is over."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        return Reference.backup_get_xml_desc(self, guest, call)

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        if (guest, call.job) in self.ended and len(guest.backups) == 1:
            self.end_backup(guest, guest.backups[0], success=True)
            return ENDED_COMPLETED
        return super().backup_end(guest, call)


class TakesHugeForCurrent(Reference):
    """Takes an id that does not fit for 0."""

    def find_number(self, guest: Guest, number: int) -> JobRecord | Refusal:
        return super().find_number(guest, number if number < 2**31 - 1 else 0)


class SaysBusyForUnknown(Reference):
    """Answers that it is busy when asked about an id that was never given."""

    def refuse_unknown(self, guest: Guest, number: int | str) -> JobRecord | Refusal:
        issued = guest.spaces[JobType.BACKUP].issued
        if isinstance(number, int) and number > issued:
            return refusal(ErrorKind.BUSY, "no free slot")
        return super().refuse_unknown(guest, number)


class TakesNegativeForUnknown(Reference):
    """Looks for a job of a negative id before it complains."""

    def refuse_negative(self, guest: Guest, number: int) -> JobRecord | Refusal:
        return NO_JOB_OF_THAT_ID


class TakesNegativeForCurrent(Reference):
    """Takes every number below 1 for the current job, though only 0 stands for it."""

    def refuse_negative(self, guest: Guest, number: int) -> JobRecord | Refusal:
        return self.resolve_zero(guest)


class RemembersAcrossStops(RemembersTheEnded):
    """Describes jobs from before the domain stopped."""

    def forget_id(self, guest: Guest, job: JobRecord) -> None:
        Reference.forget_id(self, guest, job)

    def stop(self, guest: Guest) -> None:
        before: dict[tuple[Guest, object], JobRecord] = {(guest, job.id): job for job in guest.backups}
        super().stop(guest)
        self.ended = before


class CountsAnewAfterStop(Reference):
    """Counts ids from 1 again in each life of a domain: old ones name new jobs."""

    def stop(self, guest: Guest) -> None:
        super().stop(guest)
        self.count_anew(guest)

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        for guest in self.guests.values():
            self.count_anew(guest)

    def count_anew(self, guest: Guest) -> None:
        for space in guest.spaces.values():
            space.issued = 0


class UnsetsDefaultInVain(Reference):
    """Refuses a stale id as the new default, and has none from then on."""

    def find_new_default(self, guest: Guest, argument: JobArgument) -> JobRecord | Refusal:
        found = super().find_new_default(guest, argument)
        if found is NO_JOB_OF_THAT_ID:
            self.drop_default(guest)
        return found


# The right verb for the job


class EndsAnyTypeOfJob(Reference):
    """Lets the backup verbs act on a block job of that id."""

    def refuse_other_type(self, guest: Guest, job: JobRecord) -> JobRecord | Refusal:
        return job

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        if job.is_backup:
            super().end_backup(guest, job, success=success)
        else:
            self.remove_job(guest, job)


class EndsWhatItRefuses(Reference):
    """Refuses the backup verbs on a block job's id, and ends the block job."""

    def refuse_other_type(self, guest: Guest, job: JobRecord) -> JobRecord | Refusal:
        self.remove_job(guest, job)
        return super().refuse_other_type(guest, job)


class BlockVerbsReachBackups(Reference):
    """Lets the block-job verbs act on the backup of a disk."""

    def find_block_job(self, guest: Guest, disk: str) -> JobRecord | Refusal:
        found = self.find_on_disk(guest, disk)
        reached = found is not None and found.is_backup
        return found if found and reached else super().find_block_job(guest, disk)


class LegacyVerbsReachBlockJobs(Reference):
    """Takes a block job for the domain job, where it is the only job."""

    def find_legacy_target(self, guest: Guest) -> JobRecord | Refusal:
        found = super().find_legacy_target(guest)
        return guest.jobs[0] if guest.jobs and not guest.backups else found

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        if job.is_backup:
            super().end_backup(guest, job, success=success)
        else:
            self.remove_job(guest, job)


class SaysUnknownForOtherType(Reference):
    """Answers that there is no such job, when given a handle of a block job."""

    def find_by_handle(self, guest: Guest, token: calls.Token) -> JobRecord | Refusal:
        handle = self.find_handle(guest, token)
        if handle is not None and handle.type is not JobType.BACKUP:
            return NO_JOB_OF_THAT_ID
        return super().find_by_handle(guest, token)


class TellsPullForCommit(Reference):
    """Tells of a commit that it is a pull, when asked about its disk."""

    def get_block_job_info(self, guest: Guest, call: calls.GetBlockJobInfo) -> Outcome:
        job = self.find_on_disk(guest, call.disk)
        if job is not None and job.kind is Kind.BLOCK_COMMIT:
            job.kind = Kind.BLOCK_PULL
            outcome = super().get_block_job_info(guest, call)
            job.kind = Kind.BLOCK_COMMIT
            return outcome
        return super().get_block_job_info(guest, call)


class PivotsTooSoon(Reference):
    """Pivots to a copy that has not caught up yet (bug B21: `cur == end` taken for ready)."""

    def check_pivot(self, guest: Guest, job: JobRecord) -> Refusal | None:
        return None if job.kind is Kind.BLOCK_COPY else super().check_pivot(guest, job)


class NeverPivots(Reference):
    """Finds no copy ready to be pivoted to."""

    def check_pivot(self, guest: Guest, job: JobRecord) -> Refusal | None:
        return super().check_pivot(guest, job) or NOT_READY


class EndsWhatCannotPivot(Reference):
    """Refuses to pivot to what is no copy, and ends it all the same."""

    def check_pivot(self, guest: Guest, job: JobRecord) -> Refusal | None:
        found = super().check_pivot(guest, job)
        if job.kind is not Kind.BLOCK_COPY:
            self.remove_job(guest, job)
        return found


MUTANTS = (
    Mutant(RemembersTheEnded, ZERO_ID, "STALE-1", 3),
    Mutant(EndsTheNextBest, ZERO_ID, "STALE-2", 4),
    Mutant(TakesHugeForCurrent, ZERO_ID, "STALE-3", 2),
    Mutant(SaysBusyForUnknown, ZERO_ID, "STALE-3", 1),
    Mutant(TakesNegativeForUnknown, ZERO_ID, "STALE-4", 1),
    Mutant(TakesNegativeForCurrent, ZERO_ID, "STALE-4", 1),
    Mutant(RemembersAcrossStops, ZERO_ID, "STALE-5", 4),
    Mutant(CountsAnewAfterStop, ZERO_ID, "STALE-5", 5),
    Mutant(UnsetsDefaultInVain, PARALLEL_IDS, "STALE-6", 3),
    Mutant(EndsAnyTypeOfJob, PARALLEL_IDS, "TYPE-1", 3),
    Mutant(EndsWhatItRefuses, QEMU_JOBS, "TYPE-1", 3),
    Mutant(BlockVerbsReachBackups, DEFAULT_JOB, "TYPE-2", 2),
    Mutant(LegacyVerbsReachBlockJobs, ZERO_ID, "TYPE-3", 2),
    Mutant(SaysUnknownForOtherType, OPAQUE_HANDLES, "TYPE-4", 4),
    Mutant(TellsPullForCommit, DEFAULT_JOB, "TYPE-5", 2),
    Mutant(PivotsTooSoon, DEFAULT_JOB, "TYPE-6", 2),
    Mutant(EndsWhatCannotPivot, DEFAULT_JOB, "TYPE-6", 3),
    Mutant(NeverPivots, DEFAULT_JOB, "TYPE-7", 3),
)
