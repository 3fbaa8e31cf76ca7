"""Mutants that lead jobs wrong which their client named: verbs in the wrong phase, and statuses that mislead."""

from tests.mutants_table import QEMU_JOBS, Mutant

from jobtck.conformance import calls
from jobtck.conformance.calls import Kind
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.outcomes import DONE, JobStatus, Outcome, Refusal, StatusOf
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import Guest, JobRecord
from jobtck.fixtures.reference_refusals import NO_JOB_OF_THAT_ID, WRONG_STATE


class HidesThePause(Reference):
    """Tells of a paused job that it is running."""

    def job_get_status(self, guest: Guest, call: calls.JobGetStatus) -> Outcome:
        told = super().job_get_status(guest, call)
        return StatusOf(JobStatus.RUNNING) if told == StatusOf(JobStatus.PAUSED) else told


class TakesReadyForRunning(Reference):
    """Tells of a copy that is ready that it is still running."""

    def job_get_status(self, guest: Guest, call: calls.JobGetStatus) -> Outcome:
        told = super().job_get_status(guest, call)
        return StatusOf(JobStatus.RUNNING) if told == StatusOf(JobStatus.READY) else told


class CancelsNoPausedJob(Reference):
    """Refuses to cancel a job that is paused."""

    def check_status(self, guest: Guest, job: JobRecord, call: calls.JobVerb) -> Refusal | None:
        if isinstance(call, calls.JobCancel) and job.paused_kib_per_second is not None:
            return WRONG_STATE
        return super().check_status(guest, job, call)


class CancelsNoPendingJob(Reference):
    """Takes a job that waits to be finalized for one that cannot be cancelled any more."""

    def check_status(self, guest: Guest, job: JobRecord, call: calls.JobVerb) -> Refusal | None:
        if isinstance(call, calls.JobCancel) and job.pending:
            return WRONG_STATE
        return super().check_status(guest, job, call)


class CancelsTheConcluded(Reference):
    """Accepts to cancel a job that is over, without effect."""

    def job_cancel(self, guest: Guest, call: calls.JobCancel) -> Outcome:
        job = self.find_named(guest, call.job)
        return DONE if isinstance(job, JobRecord) and job.over else super().job_cancel(guest, call)


class CancelsAllOfThem(Reference):
    """Cancels every job of the domain with the one that is named."""

    def job_cancel(self, guest: Guest, call: calls.JobCancel) -> Outcome:
        outcome = super().job_cancel(guest, call)
        for job in [job for job in guest.jobs if outcome is DONE and not job.over]:
            self.end_job(guest, job, success=False)
        return outcome


class PausesTwice(Reference):
    """Accepts a second pause."""

    def job_pause(self, guest: Guest, call: calls.JobPause) -> Outcome:
        job = self.find_named(guest, call.job)
        paused = isinstance(job, JobRecord) and job.paused_kib_per_second is not None
        return DONE if paused else super().job_pause(guest, call)


class PausesThePending(Reference):
    """Accepts to pause a job that has done its work."""

    def job_pause(self, guest: Guest, call: calls.JobPause) -> Outcome:
        job = self.find_named(guest, call.job)
        return DONE if isinstance(job, JobRecord) and job.pending else super().job_pause(guest, call)


class ResumesAnything(Reference):
    """Accepts to resume a job that was not paused."""

    def job_resume(self, guest: Guest, call: calls.JobResume) -> Outcome:
        outcome = super().job_resume(guest, call)
        return DONE if outcome == WRONG_STATE else outcome


class CompletesTooSoon(Reference):
    """Completes a copy that is not ready."""

    def check_status(self, guest: Guest, job: JobRecord, call: calls.JobVerb) -> Refusal | None:
        early = isinstance(call, calls.JobComplete) and job.kind is Kind.BLOCK_COPY
        return None if early and not job.over else super().check_status(guest, job, call)


class CancelsWhatItCannotComplete(Reference):
    """Refuses to complete a job that is no copy, and cancels it."""

    def job_complete(self, guest: Guest, call: calls.JobComplete) -> Outcome:
        outcome = super().job_complete(guest, call)
        job = self.find_named(guest, call.job)
        if isinstance(job, JobRecord) and outcome == WRONG_STATE and not job.over:
            self.end_job(guest, job, success=False)
        return outcome


class FinalizesTheRunning(Reference):
    """Accepts to finalize a job that has not done its work, without effect."""

    def job_finalize(self, guest: Guest, call: calls.JobFinalize) -> Outcome:
        job = self.find_named(guest, call.job)
        return super().job_finalize(guest, call) if isinstance(job, Refusal) or job.pending or job.over else DONE


class DismissesTheRunning(Reference):
    """Takes a job that is not over out of the list."""

    def check_status(self, guest: Guest, job: JobRecord, call: calls.JobVerb) -> Refusal | None:
        return None if isinstance(call, calls.JobDismiss) else super().check_status(guest, job, call)


class HidesThatItIsPending(Reference):
    """Tells of a job that waits to be finalized that it has concluded."""

    def job_get_status(self, guest: Guest, call: calls.JobGetStatus) -> Outcome:
        told = super().job_get_status(guest, call)
        return StatusOf(JobStatus.CONCLUDED) if told == StatusOf(JobStatus.PENDING) else told


class DismissesNobody(Reference):
    """Says that it dismissed a job that nobody ever began."""

    def job_dismiss(self, guest: Guest, call: calls.JobDismiss) -> Outcome:
        outcome = super().job_dismiss(guest, call)
        return DONE if outcome == NO_JOB_OF_THAT_ID and call.job != "0" else outcome


class CancelsAnyJob(Reference):
    """Cancels the oldest job in the place of one that is not there, and says that there is none."""

    def job_cancel(self, guest: Guest, call: calls.JobCancel) -> Outcome:
        outcome = super().job_cancel(guest, call)
        live = [job for job in guest.jobs if not job.over]
        if outcome == NO_JOB_OF_THAT_ID and live and call.job != "0":
            self.end_job(guest, live[0], success=False)
        return outcome


class ConcludesWithoutError(Reference):
    """Tells no error of a job that was cancelled."""

    def job_get_status(self, guest: Guest, call: calls.JobGetStatus) -> Outcome:
        told = super().job_get_status(guest, call)
        return StatusOf(told.status) if isinstance(told, StatusOf) else told


class CancelsItsOwnOnly(Reference):
    """Lets no other client cancel a job than the one that began it."""

    def job_cancel(self, guest: Guest, call: calls.JobCancel) -> Outcome:
        return NO_JOB_OF_THAT_ID if call.client == SECOND_CLIENT else super().job_cancel(guest, call)


MUTANTS = (
    Mutant(HidesThePause, QEMU_JOBS, "JOB-1", 3),
    Mutant(TakesReadyForRunning, QEMU_JOBS, "JOB-1", 3),
    Mutant(CancelsNoPausedJob, QEMU_JOBS, "JOB-2", 3),
    Mutant(CancelsNoPendingJob, QEMU_JOBS, "JOB-2", 3),
    Mutant(CancelsTheConcluded, QEMU_JOBS, "JOB-2", 3),
    Mutant(CancelsAllOfThem, QEMU_JOBS, "JOB-2", 4),
    Mutant(PausesTwice, QEMU_JOBS, "JOB-3", 3),
    Mutant(PausesThePending, QEMU_JOBS, "JOB-3", 3),
    Mutant(ResumesAnything, QEMU_JOBS, "JOB-4", 2),
    Mutant(CompletesTooSoon, QEMU_JOBS, "JOB-5", 2),
    Mutant(CancelsWhatItCannotComplete, QEMU_JOBS, "JOB-5", 3),
    Mutant(FinalizesTheRunning, QEMU_JOBS, "JOB-6", 2),
    Mutant(DismissesTheRunning, QEMU_JOBS, "JOB-7", 2),
    Mutant(HidesThatItIsPending, QEMU_JOBS, "JOB-8", 3),
    Mutant(DismissesNobody, QEMU_JOBS, "JOB-9", 1),
    Mutant(CancelsAnyJob, QEMU_JOBS, "JOB-9", 3),
    Mutant(ConcludesWithoutError, QEMU_JOBS, "JOB-10", 3),
    Mutant(CancelsItsOwnOnly, QEMU_JOBS, "ID-5", 2),
)
