"""What a call is about, in words: deviations are counted against all answers to calls about the same."""

from typing import NamedTuple

from jobtck.conformance.calls import AbortJob, BackupBegin, GetJobInfo, GetJobStats, call_name
from jobtck.conformance.scene import Scene


class Context(NamedTuple):
    """The name of a call, the kind of job that it is about, and what is wrong with its input; empty for nothing."""

    call: str
    job: str
    flaw: str


def context(here: Scene) -> Context:
    """The context of a call in the state that it meets."""
    return Context(call_name(type(here.call)), _job_words(here), str(here.flaw))


def _job_words(here: Scene) -> str:
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
