"""Mutants that get jobs wrong: which are listed, and what may begin."""

from tests.mutants_table import (
    DEFAULT_JOB,
    LISTED_IDS,
    TWO_AT_ONCE,
    UNLISTED,
    ZERO_ID,
    Mutant,
)

from jobtck.conformance import calls
from jobtck.conformance.calls import Flaw
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import (
    DONE,
    ErrorKind,
    Listed,
    Outcome,
    Refusal,
)
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import Guest, JobRecord
from jobtck.fixtures.reference_refusals import DISK_BUSY, refusal


class ListsOnlyTheOldest(Reference):
    """Lists one job where several run, unless asked for a type."""

    def list_all_jobs(self, guest: Guest, call: calls.ListAllJobs) -> Outcome:
        listed = super().list_all_jobs(guest, call)
        return listed if call.types or not isinstance(listed, Listed) else Listed(listed.jobs[:1])


class RunsManyUnlisted(Reference):
    """Has no flaw but its design: several backups run at once, and no call lists them."""


class ListsAllTypes(Reference):
    """Lists jobs of all types, whichever it is asked for."""

    def list_all_jobs(self, guest: Guest, call: calls.ListAllJobs) -> Outcome:
        return Listed(tuple(self.list_entries(guest)))


# What may begin


class BeginsOneTooMany(Reference):
    """Begins more backups at once than it may."""

    def check_parallel(self, guest: Guest) -> Refusal | None:
        return None


class DropsTheRunning(Reference):
    """Forgets the running job when it refuses another (bug B2, libvirt's draft of autumn 2019)."""

    def check_parallel(self, guest: Guest) -> Refusal | None:
        found = super().check_parallel(guest)
        if found is not None:
            self.remove_job(guest, guest.backups[-1])
        return found


class BeginsOnTheStopped(Reference):
    """Begins a backup on a domain that does not run."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        entry = self.entries[calls.BackupBegin]
        self.entries[calls.BackupBegin] = entry._replace(needs_running=False)


class LeavesRejectedFiles(Reference):
    """Leaves the file that it prepared for a begin which it then refused."""

    def remove_rejected_file(self, guest: Guest) -> None:
        pass


class OverwritesTargets(Reference):
    """Takes a target that exists."""

    def check_input(self, guest: Guest, disks: tuple[str, ...], flaw: Flaw) -> Refusal | None:
        return super().check_input(guest, disks, Flaw.NOTHING if flaw is Flaw.TARGET_EXISTS else flaw)


class BeginsOnce(Reference):
    """Does not begin a backup on a disk that has had one."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.had_one: set[tuple[Guest, str]] = set()

    def check_parallel(self, guest: Guest) -> Refusal | None:
        return super().check_parallel(guest)

    def check_input(self, guest: Guest, disks: tuple[str, ...], flaw: Flaw) -> Refusal | None:
        if any((guest, disk) in self.had_one for disk in disks):
            return super().check_input(guest, disks, flaw) or DISK_BUSY
        return super().check_input(guest, disks, flaw)

    def remove_files(self, guest: Guest, job: JobRecord) -> None:
        super().remove_files(guest, job)
        self.had_one.update((guest, disk) for disk in job.disks)

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.had_one.clear()


class OneJobPerDomain(Reference):
    """Does not begin a job on one disk while another is on another."""

    def check_disks_free(self, guest: Guest, disks: tuple[str, ...]) -> Refusal | None:
        return DISK_BUSY if guest.busy else None


class MarksOneDisk(Reference):
    """Takes the second disk of a backup for free (bug B3: only the first is marked started)."""

    def check_disks_free(self, guest: Guest, disks: tuple[str, ...]) -> Refusal | None:
        busy = [job.disks[0] for job in guest.jobs]
        return DISK_BUSY if set(disks) & set(busy) else None


# How jobs end


class DestroyLeavesTheLock(Reference):
    """Begins no backup any more once one was running when the domain was destroyed (bug B18)."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.locked: set[Guest] = set()

    def stop(self, guest: Guest) -> None:
        if guest.backups:
            self.locked.add(guest)
        super().stop(guest)

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.locked.clear()

    def check_parallel(self, guest: Guest) -> Refusal | None:
        if guest in self.locked:
            return refusal(ErrorKind.TIMED_OUT, "cannot acquire state change lock")
        return super().check_parallel(guest)


class CopiesOnce(Reference):
    """Does not begin a copy of a disk that was copied before (bug B11)."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.copied: set[tuple[Guest, str]] = set()

    def block_copy(self, guest: Guest, call: calls.BlockCopy) -> Outcome:
        if (guest, call.disk) in self.copied:
            return super().block_copy(guest, call) if call.disk in guest.busy else DISK_BUSY
        outcome = super().block_copy(guest, call)
        if outcome is DONE:
            self.copied.add((guest, call.disk))
        return outcome

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.copied.clear()


MUTANTS = (
    Mutant(ListsOnlyTheOldest, LISTED_IDS, "LIST-1", 3),
    Mutant(RunsManyUnlisted, UNLISTED, "LIST-2", 2),
    Mutant(BeginsOneTooMany, ZERO_ID, "LIST-2", 2),
    Mutant(ListsAllTypes, LISTED_IDS, "LIST-3", 2),
    Mutant(BeginsOneTooMany, TWO_AT_ONCE, "BEGIN-1", 3),
    Mutant(DropsTheRunning, ZERO_ID, "BEGIN-1", 3),
    Mutant(BeginsOnTheStopped, DEFAULT_JOB, "BEGIN-2", 2),
    Mutant(LeavesRejectedFiles, DEFAULT_JOB, "BEGIN-3", 3),
    Mutant(OverwritesTargets, DEFAULT_JOB, "BEGIN-3", 1),
    Mutant(BeginsOnce, DEFAULT_JOB, "BEGIN-4", 3),
    Mutant(DestroyLeavesTheLock, ZERO_ID, "BEGIN-4", 4),
    Mutant(CopiesOnce, DEFAULT_JOB, "BEGIN-4", 3),
    Mutant(OneJobPerDomain, ZERO_ID, "BEGIN-5", 2),
    Mutant(MarksOneDisk, DEFAULT_JOB, "BEGIN-5", 2),
)
