"""Mutants that get ids wrong: what they are, whom they name, and what 0 stands for."""

from tests.mutants_table import (
    LISTED_IDS,
    QEMU_JOBS,
    ZERO_ID,
    Mutant,
)

from jobtck.conformance import calls
from jobtck.conformance.calls import Flaw, JobArgument, JobType, Kind, Mode
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Description, Outcome, Refusal
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_calls import ENDED_COMPLETED
from jobtck.fixtures.reference_jobs import Guest, IdSpace, JobRecord
from jobtck.fixtures.reference_refusals import (
    NAME_IN_USE,
    NO_BACKUP,
    NO_JOB_OF_THAT_ID,
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
)
