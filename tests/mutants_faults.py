"""Mutants that do not get over it when a client, a server or a guest goes away."""

from dataclasses import replace

from tests.mutants_table import DEFAULT_JOB, ZERO_ID, Mutant

from jobtck.conformance import calls
from jobtck.conformance.calls import Manner, Storage
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Ended, Outcome, Progress
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_calls import ENDED_COMPLETED
from jobtck.fixtures.reference_jobs import COMPLETED_WELL, Guest, JobRecord
from jobtck.fixtures.reference_refusals import NOT_RUNNING


class EndsJobsOfItsClient(Reference):
    """Ends the backups when the client goes that began them all."""

    def disconnect(self, guest: Guest, call: calls.Disconnect) -> Outcome:
        if call.client == 0:
            for job in tuple(guest.backups):
                self.end_backup(guest, job, success=False)
        return super().disconnect(guest, call)


class LosesJobsOfTheKilled(Reference):
    """Forgets the id of a job when its client is killed, and only then."""

    def disconnect(self, guest: Guest, call: calls.Disconnect) -> Outcome:
        if call.manner is Manner.KILLED:
            for space in guest.spaces.values():
                space.jobs.clear()
        return super().disconnect(guest, call)


class LosesBackupsOnRestart(Reference):
    """Keeps its backups in memory only."""

    def restart_server(self, guest: Guest, call: calls.RestartServer) -> Outcome:
        for job in tuple(guest.backups):
            self.end_backup(guest, job, success=False)
        guest.events.clear()
        return super().restart_server(guest, call)


class LosesBlockJobsWhenKilled(Reference):
    """Writes its block jobs down when it is stopped in good order, and only then."""

    def restart_server(self, guest: Guest, call: calls.RestartServer) -> Outcome:
        if call.manner is Manner.KILLED:
            for job in tuple(guest.jobs):
                if not job.is_backup:
                    self.remove_job(guest, job)
        return super().restart_server(guest, call)


class NumbersAnewOnRestart(Reference):
    """Gives the jobs that it finds new ids."""

    def restart_server(self, guest: Guest, call: calls.RestartServer) -> Outcome:
        for space in {id(space): space for space in guest.spaces.values()}.values():
            for number, job in tuple(space.jobs.items()):
                del space.jobs[number]
                space.issued += 1
                job.id, job.description = space.issued, None
                space.jobs[space.issued] = job
        return super().restart_server(guest, call)


class CountsTimeFromItsStart(Reference):
    """Begins to count the time of a job anew when it was started again."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.up_ms = 1_000

    def restart_server(self, guest: Guest, call: calls.RestartServer) -> Outcome:
        self.up_ms = 0
        return super().restart_server(guest, call)

    def backup_begin(self, guest: Guest, call: calls.BackupBegin) -> Outcome:
        self.up_ms = 1_000
        return super().backup_begin(guest, call)

    def measure(self, guest: Guest, job: JobRecord) -> Progress:
        return replace(super().measure(guest, job), elapsed_ms=self.up_ms)


class CrashesInGlory(Reference):
    """Counts backups that died with their guest as done."""

    def crash_guest(self, guest: Guest, call: calls.CrashGuest) -> Outcome:
        had = bool(guest.backups)
        outcome = super().crash_guest(guest, call)
        if had:
            guest.completed = COMPLETED_WELL
        return outcome


class FillsUpInGlory(Reference):
    """Counts a push that broke off on a full disk as done."""

    def keep_statistics(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().keep_statistics(guest, job, success=success or job.storage is Storage.FULL)


class AnnouncesWhatBrokeOff(Reference):
    """Sends an event of success when a push breaks off on a full disk."""

    def emit_event(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().emit_event(guest, job, success=success or job.storage is Storage.FULL)


class LeavesTheDiskFull(Reference):
    """Leaves the files of what broke off where they are in the way."""

    def remove_files(self, guest: Guest, job: JobRecord) -> None:
        if job.storage is not Storage.FULL or not job.failed:
            super().remove_files(guest, job)


class EndsWhatBrokeOffWell(Reference):
    """Answers that a push was completed, of one that broke off."""

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        broke_off = any(job.failed for job in guest.backups)
        outcome = super().backup_end(guest, call)
        return ENDED_COMPLETED if broke_off and isinstance(outcome, Ended) else outcome


class StaysDown(Reference):
    """Never starts again what has stopped."""

    def start(self, guest: Guest, call: calls.Start) -> Outcome:
        return super().start(guest, call) if guest.running else NOT_RUNNING


MUTANTS = (
    Mutant(EndsJobsOfItsClient, DEFAULT_JOB, "FAULT-1", 3),
    Mutant(LosesJobsOfTheKilled, ZERO_ID, "FAULT-1", 3),
    Mutant(LosesBackupsOnRestart, DEFAULT_JOB, "FAULT-2", 3),
    Mutant(LosesBlockJobsWhenKilled, DEFAULT_JOB, "FAULT-2", 3),
    Mutant(NumbersAnewOnRestart, ZERO_ID, "FAULT-2", 3),
    Mutant(CountsTimeFromItsStart, DEFAULT_JOB, "QUERY-3", 4),
    Mutant(CrashesInGlory, DEFAULT_JOB, "FAULT-3", 3),
    Mutant(StaysDown, DEFAULT_JOB, "FAULT-5", 2),
    Mutant(FillsUpInGlory, DEFAULT_JOB, "END-6", 3),
    Mutant(AnnouncesWhatBrokeOff, DEFAULT_JOB, "EVENT-1", 3, calls_more=2_000),
    Mutant(LeavesTheDiskFull, DEFAULT_JOB, "FAULT-4", 3),
    Mutant(EndsWhatBrokeOffWell, ZERO_ID, "END-3", 3),
)
