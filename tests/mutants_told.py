"""Mutants that tell wrong things, act on the wrong job unasked, or surround it with trouble."""

import threading
from dataclasses import replace

from tests.mutants_table import (
    DEFAULT_JOB,
    OPAQUE_HANDLES,
    PARALLEL_IDS,
    ZERO_ID,
    Mutant,
)

from jobtck.conformance import calls
from jobtck.conformance.calls import JobArgument, Token
from jobtck.conformance.capabilities import READ_ONLY_CLIENT
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import (
    Description,
    ErrorKind,
    GotHandle,
    Id,
    Outcome,
    Progress,
    Refusal,
)
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import (
    COMPLETED_WELL,
    NOTHING_COMPLETED,
    Guest,
    HandleRecord,
    JobRecord,
)
from jobtck.fixtures.reference_refusals import NO_BACKUP, refusal


class LookingEndsTheJob(Reference):
    """Ends the job that it is asked about."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        outcome = super().get_job_info(guest, call)
        if isinstance(call, calls.GetJobInfo) and guest.backups:
            self.remove_job(guest, guest.backups[0])
        return outcome


class LookingDropsStatistics(Reference):
    """Forgets the statistics of the last job when asked about the current one."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        guest.completed = NOTHING_COMPLETED
        return super().get_job_info(guest, call)


class WritesInvalidXml(Reference):
    """Describes a job in words that its own schema does not have."""

    def describe(self, guest: Guest, job: JobRecord) -> Description:
        told = super().describe(guest, job)
        return Description(told.id, told.mode, told.disks, flaw="element 'index' is not expected")


class ForgetsToTellTheId(Reference):
    """Describes a job without its id."""

    def describe(self, guest: Guest, job: JobRecord) -> Description:
        told = super().describe(guest, job)
        return Description(None, told.mode, told.disks)


class CountsBackwards(Reference):
    """Tells what is left to do for what is done."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.told = 0

    def measure(self, guest: Guest, job: JobRecord) -> Progress:
        self.told += 1
        return Progress(10_000_000 - self.told, 10_000_000, 0)


class ReadersMayWrite(Reference):
    """Lets a read-only connection change everything."""

    def check_read_only(self, guest: Guest) -> Refusal | None:
        return None


class ReadersSeeNothing(Reference):
    """Does not describe jobs over a read-only connection."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        if call.client == READ_ONLY_CLIENT:
            return self.check_read_only(guest) or NO_BACKUP
        return super().backup_get_xml_desc(guest, call)


class KeepsNothing(Reference):
    """Reads statistics away also when it is to keep them."""

    def get_job_stats(self, guest: Guest, call: calls.GetJobStats) -> Outcome:
        outcome = super().get_job_stats(guest, call)
        if call.completed:
            self.drop_statistics(guest)
        return outcome


class TellsStatisticsTwice(Reference):
    """Tells statistics again that were read away."""

    def drop_statistics(self, guest: Guest) -> None:
        pass


# Calls that name no job


class ActsOnTheNewest(Reference):
    """Lets the legacy calls act on the newest job instead of the default."""

    def find_legacy_target(self, guest: Guest) -> JobRecord | Refusal:
        return NO_BACKUP if guest.default is None else guest.backups[-1]


class DefaultSlides(Reference):
    """Makes the oldest job the default when the default is over."""

    def drop_default(self, guest: Guest) -> None:
        guest.default = guest.backups[0] if guest.backups else None


class AbortsByIdOnly(Reference):
    """Does not abort the only job without an id."""

    def abort_job(self, guest: Guest, call: calls.AbortJob) -> Outcome:
        return NO_BACKUP


class NamesAnyJob(Reference):
    """Tells the id of some job when asked about a disk without one."""

    def block_job_get_id(self, guest: Guest, call: calls.BlockJobGetId) -> Outcome:
        if guest.jobs and call.disk not in guest.busy:
            return Id(guest.jobs[0].id)
        return super().block_job_get_id(guest, call)


# Handles


class LooksUpTheNext(Reference):
    """Gives a handle of the id after the one that was looked up."""

    def job_lookup_id(self, guest: Guest, call: calls.JobLookupId) -> Outcome:
        outcome = super().job_lookup_id(guest, call)
        if isinstance(outcome, GotHandle) and outcome.token is not None:
            guest.handles[outcome.token.number].id += 1
        return outcome


class FreesNothing(Reference):
    """Goes on with handles that were freed."""

    def free_handle(self, guest: Guest, token: Token) -> None:
        pass


class HandlesOutliveJobs(Reference):
    """Takes a handle whose job is over for one of the only other job."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        return super().backup_get_xml_desc(guest, replace(call, job=self.heir(guest, call.job)))

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        return super().backup_end(guest, replace(call, job=self.heir(guest, call.job)))

    def heir(self, guest: Guest, token: JobArgument) -> JobArgument:
        handle = self.find_handle(guest, token) if isinstance(token, Token) else None
        if handle is None or handle.job is None or not handle.job.over or len(guest.backups) != 1:
            return token
        (job,) = guest.backups
        return Token(next(each for each, of in guest.handles.items() if of.job is job))


class ComposesFromNothing(Reference):
    """Takes a handle that was composed of no job for one of the only job."""

    def find_job_of_handle(self, guest: Guest, handle: HandleRecord) -> JobRecord | Refusal:
        if handle.job is None and handle.id > 0 and len(guest.backups) == 1:
            return guest.backups[0]
        return super().find_job_of_handle(guest, handle)


# What surrounds every call


class TellsTheEndTwice(Reference):
    """Ends a job with two terminal events."""

    def emit_event(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().emit_event(guest, job, success=success)
        super().emit_event(guest, job, success=success)


class NoEventForPull(Reference):
    """Ends a pull without any event (libvirt's draft of autumn 2019)."""

    def emit_event(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        if job.mode is not calls.Mode.PULL:
            super().emit_event(guest, job, success=success)


class DiesInGlory(Reference):
    """Tells of a job that died with its domain as of a success."""

    def stop(self, guest: Guest) -> None:
        had_job = bool(guest.backups)
        super().stop(guest)
        if had_job:
            guest.completed = COMPLETED_WELL


class LeavesScratchFiles(Reference):
    """Leaves a job's scratch files and its socket."""

    def remove_files(self, guest: Guest, job: JobRecord) -> None:
        pass


class Slow(Reference):
    """Takes its time over some calls, told by a clock of the thread's own."""

    clock_of = threading.local()

    @classmethod
    def seconds(cls) -> float:
        """The time of this thread."""
        seconds: float = getattr(cls.clock_of, "now", 0.0)
        return seconds

    def take(self, seconds: float) -> None:
        self.clock_of.now = self.seconds() + seconds


class EndTakesForever(Slow):
    """Ends a job in ten minutes."""

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().end_backup(guest, job, success=success)
        self.take(600)


class QueryWaits(Slow):
    """Waits for something before it tells of a job."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        self.take(20)
        return super().get_job_info(guest, call)


class UnknownDiskIsInternal(Reference):
    """Answers with an internal error when asked about a disk that is not there."""

    def check_disk(self, guest: Guest, disk: str) -> Refusal | None:
        found = super().check_disk(guest, disk)
        return found and refusal(ErrorKind.INTERNAL, "unexpected disk")


class WatchingABackupFails(Reference):
    """Answers with an internal error when asked about a disk in a backup (bug B13)."""

    def get_block_job_info(self, guest: Guest, call: calls.GetBlockJobInfo) -> Outcome:
        job = self.find_on_disk(guest, call.disk)
        if job is not None and job.is_backup:
            return refusal(ErrorKind.INTERNAL, "unexpected job")
        return super().get_block_job_info(guest, call)


MUTANTS = (
    Mutant(LookingEndsTheJob, ZERO_ID, "QUERY-1", 3),
    Mutant(LookingDropsStatistics, DEFAULT_JOB, "QUERY-1", 4),
    Mutant(WritesInvalidXml, ZERO_ID, "QUERY-2", 2),
    Mutant(ForgetsToTellTheId, ZERO_ID, "QUERY-2", 2),
    Mutant(CountsBackwards, DEFAULT_JOB, "QUERY-3", 3),
    Mutant(ReadersMayWrite, DEFAULT_JOB, "QUERY-4", 1),
    Mutant(ReadersSeeNothing, DEFAULT_JOB, "QUERY-4", 2),
    Mutant(KeepsNothing, DEFAULT_JOB, "QUERY-5", 4),
    Mutant(TellsStatisticsTwice, DEFAULT_JOB, "QUERY-5", 4),
    Mutant(ActsOnTheNewest, PARALLEL_IDS, "DEFAULT-1", 4),
    Mutant(DefaultSlides, PARALLEL_IDS, "DEFAULT-2", 4),
    Mutant(AbortsByIdOnly, ZERO_ID, "LEGACY-1", 2),
    Mutant(NamesAnyJob, PARALLEL_IDS, "LEGACY-2", 2),
    Mutant(LooksUpTheNext, OPAQUE_HANDLES, "HANDLE-1", 4),
    Mutant(FreesNothing, OPAQUE_HANDLES, "HANDLE-2", 3),
    Mutant(HandlesOutliveJobs, OPAQUE_HANDLES, "HANDLE-2", 4),
    Mutant(ComposesFromNothing, OPAQUE_HANDLES, "HANDLE-3", 3),
    Mutant(TellsTheEndTwice, DEFAULT_JOB, "EVENT-1", 3),
    Mutant(NoEventForPull, ZERO_ID, "EVENT-1", 3),
    Mutant(DiesInGlory, DEFAULT_JOB, "FAULT-3", 3),
    Mutant(LeavesScratchFiles, DEFAULT_JOB, "FAULT-4", 3),
    Mutant(EndTakesForever, ZERO_ID, "TIME-1", 2),
    Mutant(QueryWaits, DEFAULT_JOB, "TIME-2", 1),
    Mutant(UnknownDiskIsInternal, DEFAULT_JOB, "SANE-1", 1),
    Mutant(WatchingABackupFails, DEFAULT_JOB, "SANE-1", 2),
)
