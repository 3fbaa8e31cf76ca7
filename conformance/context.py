"""What a call is about, in words: deviations are counted against all answers to calls about the same."""

from typing import NamedTuple

from jobtck.conformance.calls import ARRANGED, AbortJob, GetJobInfo, GetJobStats, TakeEvents, call_name
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Job


class Context(NamedTuple):
    """The name of a call, the kind of job that it is about, and what is wrong with its input; empty for nothing."""

    call: str
    job: str
    flaw: str


def context(here: Scene) -> Context:
    """The context of a call in the state that it meets."""
    flaw = "" if here.flaw in ARRANGED else str(here.flaw)
    return Context(call_name(type(here.call)), _job_words(here), flaw)


def _job_words(here: Scene) -> str:
    """The kind of job that the call is about; of a begin, of a job that is in its way; empty where there is none."""
    call = here.call
    if isinstance(call, GetJobStats) and call.completed:
        return str(here.domain.last or "")
    if isinstance(call, TakeEvents):
        return str(here.domain.last or "") if here.domain.owed else ""
    kinds = [str(job.kind) for job in _jobs(here)]
    if not kinds and here.gone is not None:
        return str(here.gone.kind)
    return min(kinds, default="")


def _jobs(here: Scene) -> tuple[Job, ...]:
    """The jobs that the call is about, or that are in its way: those that hold a disk before those through with it."""
    if here.job is not None:
        return (here.job,)
    if isinstance(here.call, GetJobInfo | GetJobStats | AbortJob):
        return () if here.legacy is None else (here.legacy,)
    if here.disk_job is None and here.limit_reached:
        return here.domain.backups
    there = (here.domain.on_disk(disk) for disk in here.disks)
    holding = tuple(job for job in there if job is not None)
    return holding or tuple(job for job in here.domain.jobs if set(job.disks) & set(here.disks))
