"""Mutants that mix up domains, or hold up one for another; and ids that are given twice in roundabout ways."""

from tests.mutants_table import (
    DEFAULT_JOB,
    LISTED_IDS,
    OPAQUE_HANDLES,
    PARALLEL_IDS,
    QEMU_JOBS,
    ZERO_ID,
    Mutant,
)
from tests.mutants_told import Slow

from jobtck.conformance import calls
from jobtck.conformance.calls import Call, Flaw, JobType, Kind, Token
from jobtck.conformance.outcomes import BlockInfo, ErrorKind, JobInfo, Outcome, Refusal
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import Guest, HandleRecord, JobRecord
from jobtck.fixtures.reference_refusals import NO_BACKUP, refusal

TIMED_OUT = refusal(ErrorKind.TIMED_OUT, "cannot acquire state change lock")
BUSY = refusal(ErrorKind.BUSY, "a job is running")


class BusyElsewhere(Reference):
    """Says whether a job runs on another domain."""

    def is_busy_besides(self, guest: Guest) -> bool:
        return any(other.backups for other in self.guests.values() if other is not guest)


class OneBackupForAll(BusyElsewhere):
    """Runs one backup at a time on all domains together."""

    def check_parallel(self, guest: Guest) -> Refusal | None:
        return BUSY if self.is_busy_besides(guest) else super().check_parallel(guest)


class AsksUnderOneLock(BusyElsewhere):
    """Takes one lock for all domains when asked about a job, and times out behind a job on another."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        return TIMED_OUT if self.is_busy_besides(guest) else super().get_job_info(guest, call)


class EndWaitsForOthers(Slow, BusyElsewhere):
    """Ends a job once it has waited for the job on another domain."""

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().end_backup(guest, job, success=success)
        if self.is_busy_besides(guest):
            self.take(10)


class TimesOutBehindAJob(Slow):
    """Lets a second client's question wait for the job of the first, and times out."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        if call.client and guest.jobs:
            self.take(6)
            return TIMED_OUT
        return super().get_job_info(guest, call)


class BusyWithAJob(Reference):
    """Answers no question about a job while it is busy with that."""

    def get_block_job_info(self, guest: Guest, call: calls.GetBlockJobInfo) -> Outcome:
        job = self.find_on_disk(guest, call.disk)
        if job is not None and not job.is_backup:
            return BUSY
        return super().get_block_job_info(guest, call)


class FindsHandlesAnywhere(Reference):
    """Takes a handle on any domain, and acts on the one that it is of."""

    def find_handle(self, guest: Guest, token: Token) -> HandleRecord | None:
        homes = (guest, *self.guests.values())
        return next((home.handles[token.number] for home in homes if token.number in home.handles), None)

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        home = next((each for each in self.guests.values() if job in each.jobs), guest)
        super().end_backup(home, job, success=success)

    def free_handle(self, guest: Guest, token: Token) -> None:
        if token.number in guest.handles:
            super().free_handle(guest, token)


class StoppedDomainsAreOpen(Reference):
    """Describes the job of another domain when its own is not running."""

    def perform(self, call: Call) -> Outcome:
        outcome = super().perform(call)
        guest = self.guests[call.domain]
        if isinstance(call, calls.BackupGetXmlDesc) and not guest.running and isinstance(call.job, int):
            for other in self.guests.values():
                found = other.spaces[JobType.BACKUP].jobs.get(call.job)
                if found is not None and found.is_backup and call.flaw is Flaw.NOTHING:
                    return self.describe(other, found)
        return outcome


class CurrentOfAnyDomain(BusyElsewhere):
    """Takes 0 for the backup of another domain where its own has none."""

    def resolve_zero(self, guest: Guest) -> JobRecord | Refusal:
        found = super().resolve_zero(guest)
        others = [job for other in self.guests.values() for job in other.backups]
        return others[0] if isinstance(found, Refusal) and not guest.backups and len(others) == 1 else found

    def end_backup(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        home = next((each for each in self.guests.values() if job in each.jobs), guest)
        super().end_backup(home, job, success=success)


class GivesAnIdBack(Reference):
    """Gives an id back when a begin fails beside a job, though it had drawn none."""

    def backup_begin(self, guest: Guest, call: calls.BackupBegin) -> Outcome:
        outcome = super().backup_begin(guest, call)
        space = guest.spaces[JobType.BACKUP]
        if isinstance(outcome, Refusal) and guest.backups and space.issued:
            space.issued -= 1
        return outcome


class NumbersCopiesApart(Reference):
    """Counts ids of block jobs apart from those of backups, in a design where all share one space."""

    def add_job(self, guest: Guest, kind: Kind, disks: tuple[str, ...], name: str | None) -> JobRecord:
        live = [job.id for job in guest.backups]
        job = super().add_job(guest, kind, disks, name)
        if not job.is_backup and live:
            job.id = live[-1]
        return job


class HandlesOfOneId(Reference):
    """Gives the second of two backups the first one's id, which only its handle tells."""

    def add_job(self, guest: Guest, kind: Kind, disks: tuple[str, ...], name: str | None) -> JobRecord:
        live = [job.id for job in guest.backups]
        job = super().add_job(guest, kind, disks, name)
        if job.is_backup and live:
            job.id = live[-1]
        return job


class ShowsNoJob(Reference):
    """Tells of no job at all, the legacy way or by disk."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        return JobInfo(None)

    def get_block_job_info(self, guest: Guest, call: calls.GetBlockJobInfo) -> Outcome:
        found = super().get_block_job_info(guest, call)
        return BlockInfo(None) if isinstance(found, BlockInfo) else found


class LosesTheUnheard(Reference):
    """Does not end by 0 a job whose begin was cut off."""

    def serve_nobody(self, guest: Guest, call: Call) -> Outcome:
        before = list(guest.backups)
        outcome = super().serve_nobody(guest, call)
        for job in guest.backups:
            if job not in before:
                job.failed = None  # type: ignore[assignment]
        return outcome

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        if call.job == 0 and any(job.failed is None for job in guest.backups):
            return NO_BACKUP
        return super().backup_end(guest, call)


MUTANTS = (
    Mutant(OneBackupForAll, DEFAULT_JOB, "ISO-1", 2),
    Mutant(OneBackupForAll, QEMU_JOBS, "ISO-1", 2),
    Mutant(AsksUnderOneLock, DEFAULT_JOB, "ISO-1", 2),
    Mutant(AsksUnderOneLock, OPAQUE_HANDLES, "ISO-1", 2),
    Mutant(EndWaitsForOthers, LISTED_IDS, "ISO-1", 3),
    Mutant(BusyWithAJob, DEFAULT_JOB, "ANS-3", 2),
    Mutant(FindsHandlesAnywhere, OPAQUE_HANDLES, "HANDLE-4", 2),
    Mutant(StoppedDomainsAreOpen, ZERO_ID, "ID-7", 3),
    Mutant(CurrentOfAnyDomain, ZERO_ID, "ZERO-3", 2),
    Mutant(GivesAnIdBack, LISTED_IDS, "ID-3", 4, calls_more=3_000),
    Mutant(NumbersCopiesApart, PARALLEL_IDS, "ID-2", 3),
    Mutant(HandlesOfOneId, OPAQUE_HANDLES, "ID-2", 4, calls_more=300),
    Mutant(ShowsNoJob, DEFAULT_JOB, "QUERY-6", 2),
    Mutant(ShowsNoJob, PARALLEL_IDS, "QUERY-6", 2),
    Mutant(LosesTheUnheard, ZERO_ID, "ZERO-2", 3),
)
