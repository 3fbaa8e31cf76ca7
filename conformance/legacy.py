"""DEFAULT and LEGACY: calls that name no job."""

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BlockJobGetId,
    GetJobInfo,
    GetJobStats,
    IdOf,
    JobGetDefaultId,
    JobType,
)
from jobtck.conformance.outcomes import Id, JobInfo, Refusal, Seen
from jobtck.conformance.predicates import also, on, ordinary
from jobtck.conformance.requirement import ANY_IDS, SENSE, Answer, Demand, Hurt, Needs, Requirement, mail
from jobtck.conformance.scene import Scene


def legacy_verb(scene: Scene) -> bool:
    """The call asks for, or aborts, the domain job."""
    return on(GetJobInfo, AbortJob)(scene) or on(GetJobStats, completed=False)(scene)


def thin_wrapper(scene: Scene) -> bool:
    """In a design with ids there is one backup, and the legacy calls act on it."""
    return scene.design.has_ids and len(scene.domain.backups) == 1 and scene.legacy is not None


def default_matters(scene: Scene) -> bool:
    """There are backups, and the legacy calls are no thin wrapper around the only one."""
    if thin_wrapper(scene) or not scene.domain.backups or scene.ending:
        return False
    return not (scene.design.default_job and scene.legacy is None)


def default_is_named(scene: Scene, answer: Answer) -> bool:
    """Who asks for the default is given its id."""
    if scene.legacy is None or not isinstance(scene.call, JobGetDefaultId):
        return True
    return _names(answer, scene.legacy.label, known=scene.legacy.known)


def acts_on_the_default(scene: Scene, answer: Answer) -> bool:
    """The default job is shown or ended. Whether a query shows any is asked by QUERY-6."""
    told = answer.outcome
    if scene.legacy is None or isinstance(scene.call, JobGetDefaultId):
        return True
    if not isinstance(scene.call, AbortJob):
        return not (isinstance(told, JobInfo) and told.type is JobType.BLOCK_COPY)
    return not isinstance(told, Refusal)


def acts_on_no_other(scene: Scene, answer: Answer) -> bool:
    """Without a default job nothing is ended."""
    asks = isinstance(scene.call, GetJobInfo | GetJobStats)
    return scene.legacy is not None or asks or isinstance(answer.outcome, Refusal)


def default_is_unset(scene: Scene) -> bool:
    """The design has a default, and nothing is set."""
    return scene.design.default_job and scene.domain.default is None and bool(scene.domain.backups)


def answers_as_with_id(scene: Scene, answer: Answer) -> bool:
    """The legacy abort ends the job, the legacy query shows it as what it is; that it shows one is QUERY-6's."""
    told = answer.outcome
    if isinstance(scene.call, AbortJob):
        return not isinstance(told, Refusal)
    return not isinstance(told, JobInfo) or told.type in (None, JobType.BACKUP)


def none_acted_on(_: Scene, answer: Answer) -> bool:
    """No job is told, shown or ended."""
    told = answer.outcome
    return isinstance(told, Refusal) or (isinstance(told, JobInfo) and told.type is None)


def no_job_has_no_id(scene: Scene, answer: Answer) -> bool:
    """For a disk without a job no id is answered."""
    return scene.disk_job is not None or isinstance(answer.outcome, Refusal)


def names_the_disks_job(scene: Scene, answer: Answer) -> bool:
    """The id is that of the job on the disk."""
    job = scene.disk_job
    if job is None:
        return True
    if job.kind.is_backup:
        return isinstance(answer.outcome, Refusal) or _names(answer, job.label, known=job.known)
    return _names(answer, job.label, known=job.known)


def _names(answer: Answer, label: int, *, known: bool) -> bool:
    told = answer.outcome
    if not isinstance(told, Id):
        return False
    # an id that was used before is told apart by the requirements on ids
    return told.id == IdOf(label) if known else told.id != Seen.NOTHING


LEGACY = (
    Requirement(
        id="DEFAULT-1",
        text="The legacy calls act on the default job and on no other.",
        source=mail("which job (out of multiple running in parallel) will be targetted by the existing job functions"),
        needs=Needs(legacy_choice=True, any_call=(GetJobInfo, GetJobStats, AbortJob)),
        when=also(
            ordinary,
            lambda scene: (
                (default_matters(scene) and legacy_verb(scene))
                or (on(JobGetDefaultId)(scene) and scene.legacy is not None and not scene.ending)
            ),
        ),
        then=(
            Demand("the default is named", default_is_named),
            Demand("the default job is acted on", acts_on_the_default),
            Demand("no other job is", acts_on_no_other),
        ),
        keeps=Hurt.GONE | Hurt.NEW,
    ),
    Requirement(
        id="DEFAULT-2",
        text="When the default job ends, the default is unset: it does not slide to another job unasked.",
        source=SENSE,
        needs=Needs(default_job=True, many=True, any_call=(JobGetDefaultId, AbortJob)),
        when=also(ordinary, lambda scene: legacy_verb(scene) or on(JobGetDefaultId)(scene), default_is_unset),
        then=none_acted_on,
    ),
    Requirement(
        id="LEGACY-1",
        text="With one job, a legacy call and the call with that job's id answer alike.",
        source=mail("where the existing APIs act like thin wrappers"),
        needs=Needs(handle=ANY_IDS, all_calls=(BackupBegin,), any_call=(GetJobInfo, GetJobStats, AbortJob)),
        when=also(ordinary, legacy_verb, thin_wrapper, lambda scene: not scene.ending),
        then=answers_as_with_id,
    ),
    Requirement(
        id="LEGACY-2",
        text="block-job-get-id(disk) names the job that the disk-keyed calls act on; a disk without a job has none.",
        source=mail("to make it easy to reverse-engineer which job id was utilized by the legacy APIs"),
        needs=Needs(handle=ANY_IDS, block_ids=True, all_calls=(BlockJobGetId,)),
        when=also(ordinary, on(BlockJobGetId), lambda scene: not (scene.unknown_disk or scene.finished_on_disk)),
        then=(
            Demand("the disk's job is named", names_the_disks_job),
            Demand("a disk without a job has none", no_job_has_no_id),
        ),
    ),
)
