"""Mutants that get ids wrong: what they are, whom they name, and when they are stale."""

from tests.mutants_table import (
    DEFAULT_JOB,
    LISTED_IDS,
    OPAQUE_HANDLES,
    PARALLEL_IDS,
    QEMU_JOBS,
    ZERO_ID,
    Mutant,
)

from jobtck.conformance import calls
from jobtck.conformance.calls import Flaw, JobArgument, JobType, Kind, Mode
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Description, ErrorKind, Outcome, Refusal
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_calls import ENDED_COMPLETED
from jobtck.fixtures.reference_jobs import Guest, IdSpace, JobRecord
from jobtck.fixtures.reference_refusals import (
    NAME_IN_USE,
    NO_BACKUP,
    NO_JOB_OF_THAT_ID,
    refusal,
)


class CountsFromZero(Reference):
    """Gives the first job the id 0."""

    def draw_id(self, guest: Guest, space: IdSpace) -> int:
        return super().draw_id(guest, space) - 1

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        for guest in self.guests.values():
            for space in guest.spaces.values():
                space.issued = 0


class SharesIds(Reference):
    """Gives a job that begins beside another the other's id."""

    def draw_id(self, guest: Guest, space: IdSpace) -> int:
        live = [number for number in space.jobs if isinstance(number, int)]
        return max(live) if live else super().draw_id(guest, space)


class ReusesIds(Reference):
    """Gives the id of an ended job again, in a design that never does."""

    def draw_id(self, guest: Guest, space: IdSpace) -> int:
        if not space.jobs and space.issued and guest.completed.type is not None:
            return space.issued
        return super().draw_id(guest, space)


class StartsDespiteCheckpoint(Reference):
    """Complains of an unknown checkpoint, and leaves the backup running."""

    def backup_begin(self, guest: Guest, call: calls.BackupBegin) -> Outcome:
        outcome = super().backup_begin(guest, call)
        flawed = call.flaw is Flaw.UNKNOWN_CHECKPOINT
        if flawed and not guest.backups and not self.check_disks_free(guest, call.disks):
            self.add_job(guest, Kind.PULL, call.disks, call.name)
        return outcome


class KnowsOnlyTheBeginner(Reference):
    """Finds a job by its id only over the connection that began it."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        if call.client == SECOND_CLIENT and call.job != 0:
            return NO_JOB_OF_THAT_ID
        return super().backup_get_xml_desc(guest, call)

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        if call.client == SECOND_CLIENT and call.job != 0:
            return NO_JOB_OF_THAT_ID
        return super().backup_end(guest, call)


class ForgetsTheFinished(Reference):
    """Does not describe a push any more once it has copied all, though it waits to be ended."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        job = self.find_backup(guest, call.job)
        if isinstance(job, JobRecord) and job.copied and call.job != 0:
            return NO_JOB_OF_THAT_ID
        return super().backup_get_xml_desc(guest, call)


class LooksIntoOtherDomains(Reference):
    """Finds a job of another domain by its id, if the domain itself has none of that id."""

    def home(self, guest: Guest, argument: JobArgument) -> Guest:
        if not isinstance(argument, int) or argument <= 0:
            return guest
        homes = [guest, *self.guests.values()]
        return next((each for each in homes if argument in each.spaces[JobType.BACKUP].jobs), guest)

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        return super().backup_get_xml_desc(self.home(guest, call.job), call)

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        return super().backup_end(self.home(guest, call.job), call)


class DescribesTheOldest(Reference):
    """Describes the oldest backup, whichever it is asked about."""

    def describe(self, guest: Guest, job: JobRecord) -> Description:
        return super().describe(guest, guest.backups[0])


class TakesAnyName(Reference):
    """Takes names that are ill-formed."""

    def check_name(self, guest: Guest, kind: Kind, name: str | None) -> Refusal | None:
        return NAME_IN_USE if name in guest.spaces[kind.type].jobs else None

    def check_input(self, guest: Guest, disks: tuple[str, ...], flaw: Flaw) -> Refusal | None:
        told = Flaw.NOTHING if flaw is Flaw.ILL_FORMED_NAME else flaw
        return super().check_input(guest, disks, told)


class NamesNeverFree(Reference):
    """Takes a name for in use when its job is over."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.used: dict[Guest, set[str | None]] = {}

    def check_name(self, guest: Guest, kind: Kind, name: str | None) -> Refusal | None:
        used = self.used.setdefault(guest, set())
        return NAME_IN_USE if name in used else super().check_name(guest, kind, name)

    def add_job(self, guest: Guest, kind: Kind, disks: tuple[str, ...], name: str | None) -> JobRecord:
        self.used.setdefault(guest, set()).add(name)
        return super().add_job(guest, kind, disks, name)

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.used.clear()


# 0


class DescribesCurrentAsPush(Reference):
    """Describes the current job as a push, whatever it is, when asked about 0."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        outcome = super().backup_get_xml_desc(guest, call)
        if call.job == 0 and isinstance(outcome, Description):
            return Description(outcome.id, Mode.PUSH, outcome.disks)
        return outcome


class EndsByNumberOnly(Reference):
    """Does not know what 0 stands for when it is to end that."""

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        return NO_JOB_OF_THAT_ID if call.job == 0 else super().backup_end(guest, call)


class EndsNothingGladly(Reference):
    """Says that it completed what 0 stands for where that is nothing."""

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        if call.job == 0 and not guest.jobs:
            return ENDED_COMPLETED
        return super().backup_end(guest, call)


class GuessesCurrent(Reference):
    """Resolves id 0 to the oldest of several jobs."""

    def resolve_zero(self, guest: Guest) -> JobRecord | Refusal:
        return guest.backups[0] if guest.backups else NO_BACKUP


class EndsAllForZero(Reference):
    """Refuses 0 where several jobs run, and ends the oldest all the same."""

    def resolve_zero(self, guest: Guest) -> JobRecord | Refusal:
        found = super().resolve_zero(guest)
        if len(guest.backups) > 1:
            self.remove_job(guest, guest.backups[0])
        return found


class TakesAnyJobForCurrent(Reference):
    """Resolves id 0 to a block job where that is the only job."""

    def resolve_zero(self, guest: Guest) -> JobRecord | Refusal:
        return guest.jobs[0] if len(guest.jobs) == 1 else super().resolve_zero(guest)

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        if job.is_backup:
            super().end_backup(guest, job, success=success)
        else:
            self.remove_job(guest, job)


class HasACurrentJob(Reference):
    """Takes 0 for the only job, in a design where 0 stands for nothing."""

    def resolve_zero(self, guest: Guest) -> JobRecord | Refusal:
        return guest.backups[0] if len(guest.backups) == 1 else super().resolve_zero(guest)


# Ids of jobs that are gone


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


class EndsWhatCannotPivot(Reference):
    """Refuses to pivot to what is no copy, and ends it all the same."""

    def check_pivot(self, guest: Guest, job: JobRecord) -> Refusal | None:
        found = super().check_pivot(guest, job)
        if job.kind is not Kind.BLOCK_COPY:
            self.remove_job(guest, job)
        return found


MUTANTS = (
    Mutant(CountsFromZero, ZERO_ID, "ID-1", 1),
    Mutant(SharesIds, LISTED_IDS, "ID-2", 2),
    Mutant(ReusesIds, ZERO_ID, "ID-3", 3),
    Mutant(StartsDespiteCheckpoint, ZERO_ID, "ID-4", 2),
    Mutant(KnowsOnlyTheBeginner, ZERO_ID, "ID-5", 2),
    Mutant(ForgetsTheFinished, ZERO_ID, "ID-6", 3),
    Mutant(LooksIntoOtherDomains, ZERO_ID, "ID-7", 2),
    Mutant(DescribesTheOldest, LISTED_IDS, "ID-8", 3),
    Mutant(TakesAnyName, QEMU_JOBS, "ID-9", 1),
    Mutant(NamesNeverFree, QEMU_JOBS, "ID-9", 3),
    Mutant(DescribesCurrentAsPush, ZERO_ID, "ZERO-1", 2),
    Mutant(EndsByNumberOnly, ZERO_ID, "ZERO-2", 2),
    Mutant(EndsNothingGladly, ZERO_ID, "ZERO-3", 1),
    Mutant(GuessesCurrent, LISTED_IDS, "ZERO-4", 3),
    Mutant(EndsAllForZero, LISTED_IDS, "ZERO-4", 4),
    Mutant(TakesAnyJobForCurrent, ZERO_ID, "ZERO-5", 2),
    Mutant(HasACurrentJob, QEMU_JOBS, "ZERO-6", 2),
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
)
