"""HANDLE: opaque objects that stand for a job."""

from jobtck.conformance.calls import (
    BackupEnd,
    BackupGetXmlDesc,
    IdOf,
    JobCompose,
    JobFree,
    JobGetId,
    JobGetType,
    JobLookupId,
    JobSetDefaultId,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.outcomes import GotHandle, Id, Seen
from jobtck.conformance.predicates import also, faultless, on, ordinary, refused
from jobtck.conformance.requirement import OPAQUE, Answer, Demand, Hurt, Needs, Requirement, mail
from jobtck.conformance.scene import Scene

BACKUP_VERBS = (BackupGetXmlDesc, BackupEnd)


def usable(scene: Scene) -> bool:
    """The handle is not freed."""
    return scene.handle is not None and not scene.handle.freed


def looked_up(scene: Scene) -> bool:
    """A live job of the wanted type is looked up, or a handle of one is asked for its id."""
    if isinstance(scene.call, JobLookupId):
        wanted = scene.call.type
        return scene.job is not None and (wanted is None or wanted is scene.job.kind.type)
    return isinstance(scene.call, JobGetId) and usable(scene) and scene.job is not None


def gives_a_handle(scene: Scene, answer: Answer) -> bool:
    """A handle comes of the look-up."""
    return not isinstance(scene.call, JobLookupId) or isinstance(answer.outcome, GotHandle)


def gives_that_id(scene: Scene, answer: Answer) -> bool:
    """The id of the handle is the job's."""
    told = answer.outcome
    if isinstance(scene.call, JobLookupId):
        return True
    assert scene.job is not None
    if not isinstance(told, Id):
        return False
    return told.id == IdOf(scene.job.label) if scene.job.known else told.id is not Seen.NOTHING


def dead_handle(scene: Scene) -> bool:
    """A freed handle is used in any way, or one whose job is gone in a backup verb."""
    if scene.handle is None:
        return False
    if scene.handle.freed:
        return True
    job_is_over = scene.handle.domain == scene.call.domain and scene.handle.job is not None and scene.job is None
    return isinstance(scene.call, BACKUP_VERBS) and job_is_over


def of_nothing(scene: Scene) -> bool:
    """A handle was composed of a type and an id that no live job bears."""
    return (
        usable(scene)
        and scene.handle is not None
        and scene.handle.job is None
        and on(*BACKUP_VERBS, JobSetDefaultId)(scene)
    )


def of_another_domain(scene: Scene) -> bool:
    """The handle stands for a job of another domain."""
    handle = scene.handle
    return usable(scene) and handle is not None and handle.job is not None and handle.domain != scene.call.domain


HANDLE = (
    Requirement(
        id="HANDLE-1",
        text="lookup(id) gives a handle with that id and the type that was begun.",
        source=mail("virDomainJobLookupId(domain, 1) to re-obtain the proper virDomainJobPtr object"),
        needs=Needs(handle=OPAQUE, any_call=(JobLookupId,)),
        when=also(ordinary, looked_up, lambda scene: not scene.ending),
        then=(
            Demand("a look-up gives a handle", gives_a_handle),
            Demand("it has the id of the job", gives_that_id),
        ),
    ),
    Requirement(
        id="HANDLE-2",
        text="A handle outlives neither its free nor its job: using it then is refused, without a crash, "
        "and touches no job.",
        source=mail("call virDomainJobFree(ptr) again to conclude things"),
        needs=Needs(handle=OPAQUE, any_call=BACKUP_VERBS),
        when=also(ordinary, on(*BACKUP_VERBS, JobGetId, JobGetType, JobFree, JobSetDefaultId), dead_handle),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="HANDLE-3",
        text="compose(type, id) of a job that is not there is refused at the latest when used.",
        source=mail("virDomainJobCompose(domain, VIR_DOMAIN_JOB_BACKUP, 1)"),
        needs=Needs(handle=OPAQUE, all_calls=(JobCompose,)),
        when=also(ordinary, of_nothing),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="HANDLE-4",
        text="A handle of one domain is refused on another, and touches no job.",
        source=mail("also records the virConnectionPtr and/or virDomainPtr"),
        needs=Needs(handle=OPAQUE, any_call=BACKUP_VERBS, features=frozenset({Feature.SECOND_DOMAIN})),
        when=also(on(*BACKUP_VERBS, JobGetId, JobGetType, JobSetDefaultId), of_another_domain, faultless),
        then=refused,
        keeps=Hurt.ANY,
    ),
)
