"""How a job comes to its end, as changes of its domain."""

from collections.abc import Callable

from jobtck.conformance.calls import Kind, Storage
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.state import GONE_MAX, KEPT_OF_RESULT, OWED_MAX, Domain, Gone, Job, Kept, Phase, Result


def over(design: Design, domain: Domain, job: Job, result: Result) -> Domain:
    """The domain once that job is over: one that waits to be dismissed has concluded, any other is gone."""
    if not job.waits.to_dismiss:
        return removed(design, domain, job, result)
    return _with_result(domain, job, result).changed(job._replace(phase=Phase.CONCLUDED, result=result))


def removed(design: Design, domain: Domain, job: Job, result: Result) -> Domain:
    """The domain once nothing is left of that job."""
    if job.phase is not Phase.CONCLUDED:
        domain = _with_result(domain, job, result)
    jobs = tuple(other for other in domain.jobs if other.label != job.label)
    bears_id = design.has_ids and (job.kind.is_backup or design.block_ids) and job.known
    gone = (*domain.gone, Gone(job.label, job.kind))[-GONE_MAX:] if bears_id else domain.gone
    return domain._replace(jobs=jobs, gone=gone)


def _with_result(domain: Domain, job: Job, result: Result) -> Domain:
    """The domain with what the legacy calls tell of a job that is over."""
    default = None if domain.default == job.label else domain.default
    if not job.kind.is_backup:
        return domain._replace(default=default)
    owed = None if domain.owed is None or len(domain.owed) == OWED_MAX else tuple(sorted((*domain.owed, result)))
    return domain._replace(default=default, kept=KEPT_OF_RESULT[result], last=job.kind, owed=owed)


def at_once(domain: Domain, end: Callable[[Domain, Job], Domain]) -> Domain:
    """The domain once each job has come to the end that *end* gives it, in an order that nobody knows.

    The statistics are those of the last backup that ended: where they differ, it may have been any of them.
    """
    untold = domain._replace(kept=Kept.NONE)
    results = {end(untold, job).kept for job in domain.backups}
    for job in domain.jobs:
        domain = end(domain, job)
    return domain._replace(kept=Kept.UNSURE) if len(results - {Kept.NONE}) > 1 else domain


def ran_through(design: Design, domain: Domain, job: Job) -> Domain:
    """The domain once that job has done all it can without being ended."""
    if job.phase is Phase.ENDING:
        return over(design, domain, job, job.result)
    if job.kind is Kind.PULL or job.phase is not Phase.RUNNING:
        return domain
    if job.storage is Storage.FULL:
        return broken_off(design, domain, job)
    if _waits_for_end(design, job):
        return domain.changed(job._replace(phase=Phase.FINISHED))
    if job.kind is Kind.BLOCK_COPY:
        return domain.changed(job._replace(phase=Phase.READY))
    return has_worked(design, domain, job)


def broken_off(design: Design, domain: Domain, job: Job) -> Domain:
    """The domain once that backup has met a full disk and got no further."""
    if _waits_for_end(design, job):
        return domain.changed(job._replace(phase=Phase.FAILED))
    return over(design, domain, job, Result.CUT_SHORT)


def _waits_for_end(design: Design, job: Job) -> bool:
    """The job is there until it is ended, also when it has done all it can."""
    return job.kind.is_backup and design.has_ids and design.handle is not Handle.NAME


def has_worked(design: Design, domain: Domain, job: Job) -> Domain:
    """The domain once that job has done its work: one that waits to be finalized is pending, any other is over."""
    if job.waits.to_finalize:
        return domain.changed(job._replace(phase=Phase.PENDING))
    return over(design, domain, job, Result.NORMAL)
