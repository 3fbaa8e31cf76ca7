"""Mutants that do not get over it when a client, a server or a guest goes away."""

from dataclasses import replace

from tests.mutants_table import DEFAULT_JOB, ZERO_ID, Mutant

from jobtck.conformance import calls
from jobtck.conformance.calls import Manner
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Outcome, Progress
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import COMPLETED_WELL, Guest, JobRecord


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


MUTANTS = (
    Mutant(EndsJobsOfItsClient, DEFAULT_JOB, "FAULT-1", 3),
    Mutant(LosesJobsOfTheKilled, ZERO_ID, "FAULT-1", 3),
    Mutant(LosesBackupsOnRestart, DEFAULT_JOB, "FAULT-2", 3),
    Mutant(LosesBlockJobsWhenKilled, DEFAULT_JOB, "FAULT-2", 3),
    Mutant(NumbersAnewOnRestart, ZERO_ID, "FAULT-2", 3),
    Mutant(CountsTimeFromItsStart, DEFAULT_JOB, "QUERY-3", 4),
    Mutant(CrashesInGlory, DEFAULT_JOB, "FAULT-3", 3),
)
