"""A symptom says how a requirement was seen broken, so that an excuse for one is no excuse for another."""

from jobtck.conformance.calls import ARRANGED, AbortJob, BackupBegin, GetJobInfo, GetJobStats, call_name
from jobtck.conformance.record import Symptom
from jobtck.conformance.requirement import Answer, Requirement
from jobtck.conformance.scene import Scene


def symptoms(here: Scene, answer: Answer, requirement: Requirement) -> tuple[Symptom, ...]:
    """A symptom for each demand of the requirement that the answer does not meet."""
    broken = requirement.broken_demands(here, answer)
    if not broken:
        return ()
    call, job = call_name(type(here.call)), job_words(here)
    flaw = "" if here.flaw in ARRANGED else str(here.flaw)
    return tuple(Symptom(requirement.id, call, each.tells(here, answer), each.name, job, flaw) for each in broken)


def job_words(here: Scene) -> str:
    """The kind of job that the call is about; of a begin, of the job that is in its way; empty where there is none."""
    call = here.call
    if isinstance(call, GetJobStats) and call.completed:
        return str(here.domain.last or "")
    if isinstance(call, GetJobInfo | GetJobStats | AbortJob):
        job = here.legacy
    elif isinstance(call, BackupBegin) and here.disk_job is None and here.limit_reached:
        job = here.domain.backups[0]
    else:
        through = (job for job in here.domain.jobs if set(job.disks) & set(here.disks))
        job = here.job or here.disk_job or next(through, None)
    if job is None:
        return "" if here.gone is None else str(here.gone.kind)
    return str(job.kind)
