"""TYPE: the right verb for the job."""

from jobtck.conformance.calls import (
    BLOCK_KIND,
    AbortJob,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCopy,
    BlockJobAbort,
    BlockJobSetSpeed,
    Call,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    JobGetType,
    JobSetDefaultId,
    Kind,
    ListAllJobs,
    Settle,
)
from jobtck.conformance.listing import lists_an_id_twice
from jobtck.conformance.outcomes import BlockInfo, ErrorKind, JobInfo, Listed, Refusal, TypeOf
from jobtck.conformance.predicates import accepted, also, on, ordinary, refused, refused_as, steady
from jobtck.conformance.requirement import IDS, OPAQUE, Answer, Hurt, Level, Needs, Requirement, doc, mail
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Phase

BACKUP_VERBS: tuple[type[Call], ...] = (BackupGetXmlDesc, BackupEnd)


def of_another_type(scene: Scene) -> bool:
    """The job is live and no backup."""
    return steady(scene) and scene.job is not None and not scene.job.kind.is_backup


def disk_in_backup(scene: Scene) -> bool:
    """A backup copies the disk that the call names."""
    job = scene.disk_job
    return job is not None and job.kind.is_backup and job.phase is Phase.RUNNING


def only_block_jobs(scene: Scene) -> bool:
    """Block jobs run on the domain, and no backup."""
    return bool(scene.domain.jobs) and not scene.domain.backups


def neither_seen_nor_ended(_: Scene, answer: Answer) -> bool:
    """A query shows no job, an abort is refused."""
    told = answer.outcome
    return isinstance(told, Refusal) or (isinstance(told, JobInfo) and told.type is None)


def pivots_too_soon(scene: Scene) -> bool:
    """A pivot is asked of a block job that is not a copy ready for it."""
    job = scene.disk_job
    return (
        on(BlockJobAbort, pivot=True)(scene)
        and job is not None
        and (not job.kind.is_backup and (job.kind is not Kind.BLOCK_COPY or job.phase is Phase.RUNNING))
    )


def pivots_in_time(scene: Scene) -> bool:
    """A pivot is asked of a copy that is ready for it."""
    job = scene.disk_job
    return on(BlockJobAbort, pivot=True)(scene) and job is not None and job.phase is Phase.READY


def tells_type(scene: Scene) -> bool:
    """The call tells the type of a live job."""
    job = scene.disk_job
    match scene.call:
        case GetBlockJobInfo():
            return job is not None
        case JobGetType():
            return steady(scene) and scene.handle is not None and not scene.handle.freed
        case ListAllJobs():
            return bool(scene.domain.jobs) and not scene.ending
        case _:
            return False


def type_is_as_begun(scene: Scene, answer: Answer) -> bool:
    """The type told is the type that was begun."""
    match answer.outcome:
        case BlockInfo(None):
            return True  # that a job is shown at all is QUERY-6's
        case BlockInfo(kind):
            job = scene.disk_job
            return job is not None and kind is (job.kind.type if job.kind.is_backup else job.kind)
        case TypeOf(told):
            return scene.job is not None and told is scene.job.kind.type
        case Listed(jobs):
            begun = {IdOf(job.label): job.kind.type for job in scene.domain.jobs}
            as_begun = all(begun.get(id, told) is told for id, told in jobs if isinstance(id, IdOf))
            return as_begun or lists_an_id_twice(scene, answer)
        case Refusal():
            return isinstance(scene.call, GetBlockJobInfo)
        case _:
            return False


TYPES = (
    Requirement(
        id="TYPE-1",
        text="A backup verb on an id that only a job of another type bears is refused, and that job goes on.",
        source=mail("even if there is some other job type that overlaps namespaces"),
        needs=Needs(handle=IDS, block_ids=True, any_call=BACKUP_VERBS),
        when=also(ordinary, on(*BACKUP_VERBS, JobSetDefaultId), of_another_type),
        then=refused,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="TYPE-2",
        level=Level.SHOULD,
        text="A block-job verb aimed at a disk that a backup is copying does not end, pivot or re-tune the backup.",
        source=mail("it's hard to remember which name form to use"),
        needs=Needs(any_call=(BlockJobAbort, BlockJobSetSpeed)),
        when=also(ordinary, on(BlockJobAbort, BlockJobSetSpeed), disk_in_backup),
        then=refused,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="TYPE-3",
        text="The domain-job verbs (get-job-info, get-job-stats, abort-job) neither see nor end block jobs.",
        source=mail("the only job actually affected by these are jobs started by virDomainMigrate()"),
        needs=Needs(any_call=(GetJobInfo, GetJobStats, AbortJob), also_any_call=tuple(BLOCK_KIND)),
        when=also(
            ordinary,
            lambda scene: on(GetJobInfo, AbortJob)(scene) or on(GetJobStats, completed=False)(scene),
            only_block_jobs,
        ),
        then=neither_seen_nor_ended,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="TYPE-4",
        text="A handle of another type is refused with wrong-type.",
        source=mail("field represents an backup job"),
        needs=Needs(handle=OPAQUE, block_ids=True, any_call=BACKUP_VERBS),
        when=also(
            ordinary,
            on(*BACKUP_VERBS, JobSetDefaultId),
            of_another_type,
            lambda scene: scene.handle is not None and not scene.handle.freed,
        ),
        then=refused_as(ErrorKind.WRONG_TYPE),
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="TYPE-5",
        text="The type that is listed or looked up is the type that was begun.",
        source=mail("virDomainJobGetID and virDomainJobGetType accessors"),
        needs=Needs(any_call=(GetBlockJobInfo, ListAllJobs, JobGetType)),
        when=also(ordinary, tells_type),
        then=type_is_as_begun,
    ),
    Requirement(
        id="TYPE-6",
        text="Pivot on a job that can't pivot is refused and the job goes on.",
        source=doc("virDomainBlockJobAbort"),
        needs=Needs(all_calls=(BlockJobAbort,)),
        when=also(ordinary, pivots_too_soon),
        then=refused,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="TYPE-7",
        text="Pivot to a copy that is ready succeeds.",
        source=doc("virDomainBlockJobAbort"),
        needs=Needs(all_calls=(BlockCopy, BlockJobAbort, Settle)),
        when=also(ordinary, pivots_in_time),
        then=accepted,
    ),
)
