"""A symptom says how a requirement was seen broken, so that an excuse for one is no excuse for another."""

from collections.abc import Iterable

from jobtck.conformance.calls import AbortJob, BackupBegin, GetJobInfo, GetJobStats, call_name
from jobtck.conformance.cells import told_words
from jobtck.conformance.judge import Step
from jobtck.conformance.record import Symptom
from jobtck.conformance.scene import Scene


def symptoms(here: Scene, step: Step, requirements: Iterable[str]) -> tuple[Symptom, ...]:
    """One symptom for each of the requirements, of the last step of a deviation; *here* is the scene of that step."""
    answer = told_words(here.state, step.call, step.outcome)
    call, job, flaw = call_name(type(step.call)), job_words(here), str(here.flaw)
    return tuple(Symptom(each, call, answer, job=job, flaw=flaw) for each in requirements)


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
        job = here.job or here.disk_job
    if job is None:
        return "" if here.gone is None else str(here.gone.kind)
    return str(job.kind)
