"""What the requirements let a call end in: for planning only, nobody is judged by it."""

from collections.abc import Iterator, Mapping
from itertools import product

from jobtck.conformance.calls import (
    NAMES,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobAbort,
    BlockJobBegin,
    BlockJobGetId,
    Call,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    Inspect,
    JobCompose,
    JobGetDefaultId,
    JobGetId,
    JobGetStatus,
    JobGetType,
    JobLookupId,
    JobType,
    Kind,
    ListAllJobs,
    Mode,
    Save,
    TakeEvents,
    alone,
)
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.judge import Belief, Judge, Step
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Both,
    Completed,
    Description,
    Ended,
    ErrorKind,
    Events,
    GotHandle,
    Id,
    JobInfo,
    JobStatus,
    Leftovers,
    Listed,
    Outcome,
    Reading,
    Refusal,
    Seen,
    Single,
    StatusOf,
    TypeOf,
    Unknown,
)
from jobtck.conformance.state import Job, Phase, Result, State

COMPARED = Reading(is_compared=True)  # the tour asks twice
ASKED_AGAIN = JobInfo(JobType.BACKUP, reading=COMPARED)
NO_BLOCK_JOB = BlockInfo(None)
LIKELY_REFUSALS = (
    Refusal(ErrorKind.NO_SUCH_JOB),
    Refusal(ErrorKind.INVALID_ARGUMENT),
    Refusal(ErrorKind.WRONG_TYPE),
    Refusal(ErrorKind.BUSY),
)

STATUSES: Mapping[Phase, JobStatus] = {
    Phase.PAUSED: JobStatus.PAUSED,
    Phase.READY: JobStatus.READY,
    Phase.STANDBY: JobStatus.STANDBY,
    Phase.HALTED: JobStatus.STANDBY,
    Phase.PENDING: JobStatus.PENDING,
    Phase.CONCLUDED: JobStatus.CONCLUDED,
}
BEGUN: Mapping[Handle, Single] = {Handle.INTEGER: Id(Seen.FRESH), Handle.OPAQUE: GotHandle()}


def foresee(judge: Judge, belief: Belief, call: Call) -> Step | None:
    """The step after the first imaginable answer in which nothing is broken; None if there is none."""
    for outcome in imaginable(judge.design, belief.state, call):
        step = judge.step(belief, call, outcome)
        if step.belief is not None:
            return step
    return None


def imaginable(design: Design, state: State, call: Call) -> Iterator[Outcome]:
    """Answers that a backend might give, values first."""
    flaw: Flaw = getattr(call, "flaw", Flaw.NOTHING)
    if flaw is Flaw.AT_ONCE:
        answers = (*_values(design, state, alone(call)), *LIKELY_REFUSALS)
        yield from (Both.in_any_order(*pair) for pair in product(answers, LIKELY_REFUSALS))
        return
    if flaw is Flaw.CUT_OFF:
        yield Unknown()
    elif flaw is Flaw.NOTHING and not _may_be_hindered(state, call):
        yield from _values(design, state, call)
    yield from LIKELY_REFUSALS


def _may_be_hindered(state: State, call: Call) -> bool:
    """Jobs are in the way of it for some backends: what lies behind is better reached otherwise."""
    domain = state.domains[call.domain]
    match call:
        case Save():
            return bool(domain.jobs)
        case BackupBegin(disks=disks):
            return any(domain.finished_on(disk) for disk in disks)
        case BlockJobBegin(disk=disk):
            return bool(domain.finished_on(disk))
        case _:
            return False


def _values(design: Design, state: State, call: Call) -> Iterator[Single]:  # noqa: PLR0915
    domain = state.domains[call.domain]
    match call:
        case BackupBegin():
            yield BEGUN.get(design.handle, DONE)
        case BackupGetXmlDesc():
            yield from (_description(design, job) for job in domain.backups)
        case BackupEnd():
            if domain.backups:
                yield from (Ended(0), Ended(1))
        case GetJobInfo() | GetJobStats(completed=False):
            yield from (ASKED_AGAIN, JobInfo(None)) if domain.backups else (JobInfo(None),)
        case GetJobStats():
            if not domain.kept.is_nothing:
                yield from (Completed(JobType.BACKUP, True), Completed(JobType.BACKUP, False, True))
            yield Completed(None)
        case AbortJob():
            if domain.backups:
                yield DONE
        case BlockJobAbort():
            job = domain.on_disk(call.disk)
            if job is not None and not job.kind.is_backup:
                yield DONE
        case GetBlockJobInfo():
            job = domain.on_disk(call.disk)
            yield NO_BLOCK_JOB if job is None else BlockInfo(_shown(job), reading=COMPARED)
        case ListAllJobs(types=types):
            yield _listed(design, domain.jobs, types)
        case JobGetDefaultId():
            yield from (_id(job) for job in domain.jobs if job.label == domain.default)
        case BlockJobGetId():
            job = domain.on_disk(call.disk)
            if job is not None:
                yield _id(job)
        case JobLookupId(job=IdOf(label)):
            if domain.job(label):
                yield GotHandle()
        case JobCompose():
            yield GotHandle()
        case JobGetId() | JobGetType():
            yield from (value for job in domain.jobs for value in (_id(job), TypeOf(job.kind.type)))
        case JobGetStatus(job=IdOf(label)):
            found = domain.job(label)
            yield StatusOf(None) if found is None else _status(found)
        case JobGetStatus():
            yield StatusOf(None)
        case TakeEvents():
            owed = domain.owed or ()
            yield Events(tuple((JobType.BACKUP, result is Result.NORMAL) for result in owed))
        case Inspect():
            yield Leftovers(())
        case JobLookupId():
            pass
        case _:
            assert type(call) in NAMES
            yield DONE


def _id(job: Job) -> Id:
    return Id(IdOf(job.label) if job.known else Seen.FRESH)


def _status(job: Job) -> StatusOf:
    return StatusOf(STATUSES.get(job.phase, JobStatus.RUNNING), job.result is Result.CUT_SHORT)


def _shown(job: Job) -> Kind | JobType:
    return JobType.BACKUP if job.kind.is_backup else job.kind


def _description(design: Design, job: Job) -> Description:
    if not design.has_ids:
        told: Seen | IdOf = Seen.NOTHING
    else:
        told = IdOf(job.label) if job.known else Seen.FRESH
    return Description(told, Mode.PUSH if job.kind is Kind.PUSH else Mode.PULL, job.disks)


def _listed(design: Design, jobs: tuple[Job, ...], types: frozenset[JobType]) -> Listed:
    shown = (
        (_id(job).id, job.kind.type)
        for job in jobs
        if (job.kind.is_backup or design.block_ids) and (not types or job.kind.type in types)
    )
    return Listed(tuple(sorted(shown, key=repr)))
