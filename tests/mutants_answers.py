"""Mutants whose answers are no answers: of another form, of the wrong kind of error, or of numbers that do not fit."""

from dataclasses import replace

from tests.mutants_table import DEFAULT_JOB, QEMU_JOBS, ZERO_ID, Mutant

from jobtck.conformance import calls
from jobtck.conformance.outcomes import DONE, BlockInfo, ErrorKind, JobInfo, Outcome, Progress, Refusal
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import DISKS, Guest, JobRecord
from jobtck.fixtures.reference_refusals import refusal


class TellsOfTheJobItTunes(Reference):
    """Answers a change of the speed with what it knows of the job."""

    def block_job_set_speed(self, guest: Guest, call: calls.BlockJobSetSpeed) -> Outcome:
        outcome = super().block_job_set_speed(guest, call)
        return JobInfo(None) if outcome == DONE else outcome


class UnknownDiskIsNotReady(Reference):
    """Says of a disk that it does not have that it is in use."""

    def check_disk(self, guest: Guest, disk: str) -> Refusal | None:
        found = super().check_disk(guest, disk)
        return found and refusal(ErrorKind.BUSY, "the disk is in use")


class WrongStateIsUnsupported(Reference):
    """Says of a job in the wrong state that it has no such verb."""

    def check_status(self, guest: Guest, job: JobRecord, call: calls.JobVerb) -> Refusal | None:
        found = super().check_status(guest, job, call)
        return found and refusal(ErrorKind.UNSUPPORTED, "there is no such verb")

    def find_for(self, guest: Guest, call: calls.JobVerb) -> JobRecord | Refusal:
        job = self.find_named(guest, call.job)
        return job if isinstance(job, Refusal) else self.check_status(guest, job, call) or job


class CannotTune(Reference):
    """Refuses to change the speed of a job that is at work."""

    def block_job_set_speed(self, guest: Guest, call: calls.BlockJobSetSpeed) -> Outcome:
        outcome = super().block_job_set_speed(guest, call)
        return refusal(ErrorKind.UNSUPPORTED, "the speed is as it is") if outcome == DONE else outcome


class UnknownDiskHasNoJob(Reference):
    """Answers for a disk that the domain does not have that it has no job."""

    def get_block_job_info(self, guest: Guest, call: calls.GetBlockJobInfo) -> Outcome:
        return BlockInfo(None) if call.disk not in DISKS else super().get_block_job_info(guest, call)


class DoesMoreThanThereIs(Reference):
    """Counts what is done once more, from the beginning on."""

    def measure(self, guest: Guest, job: JobRecord) -> Progress:
        told = super().measure(guest, job)
        return replace(told, done=(told.total or 0) + 1)


class CountsTheFirstDisk(Reference):
    """Tells for a whole backup how much there is to do on one of its disks."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        told = super().get_job_info(guest, call)
        job = guest.backups[0] if guest.backups else None
        if job is None or not isinstance(told, JobInfo) or told.type is None:
            return told
        return replace(told, progress=self.measure_part(guest, job))


class ShowsABackupAsAPull(Reference):
    """Says of a running backup that it is a block pull."""

    def get_job_info(self, guest: Guest, call: calls.GetJobInfo | calls.GetJobStats) -> Outcome:
        told = super().get_job_info(guest, call)
        return replace(told, type=calls.JobType.BLOCK_PULL) if isinstance(told, JobInfo) and told.type else told


MUTANTS = (
    Mutant(TellsOfTheJobItTunes, DEFAULT_JOB, "ANS-1", 2),
    Mutant(UnknownDiskIsNotReady, DEFAULT_JOB, "ANS-2", 1),
    Mutant(WrongStateIsUnsupported, QEMU_JOBS, "ANS-2", 2),
    Mutant(CannotTune, ZERO_ID, "ANS-3", 2),
    Mutant(UnknownDiskHasNoJob, DEFAULT_JOB, "ANS-4", 1),
    Mutant(DoesMoreThanThereIs, DEFAULT_JOB, "ANS-5", 2),
    Mutant(CountsTheFirstDisk, DEFAULT_JOB, "ANS-5", 4),
    Mutant(ShowsABackupAsAPull, DEFAULT_JOB, "QUERY-6", 2),
)
