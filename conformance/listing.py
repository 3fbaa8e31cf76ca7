"""LIST: the call that shows all jobs."""

from collections import Counter

from jobtck.conformance.calls import BackupBegin, Flaw, IdOf, JobType, ListAllJobs
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.design import Namespace
from jobtck.conformance.outcomes import Listed, Seen
from jobtck.conformance.predicates import also, begins_backup, on, ordinary, refused
from jobtck.conformance.requirement import ANY_IDS, SENSE, Answer, Demand, Hurt, Needs, Requirement, mail
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Job


def listable(scene: Scene) -> tuple[Job, ...]:
    """The live jobs that bear ids in this design."""
    return tuple(job for job in scene.domain.jobs if job.kind.is_backup or scene.design.block_ids)


def wanted(scene: Scene) -> tuple[Job, ...]:
    """The jobs that the list should hold: the live ones that bear ids, of the types that it is filtered by."""
    types: frozenset[JobType] = getattr(scene.call, "types", frozenset())
    return tuple(job for job in listable(scene) if not types or job.kind.type in types)


def is_answered(scene: Scene, answer: Answer) -> bool:
    """A list is answered, if the flags are known."""
    return scene.flaw is Flaw.UNKNOWN_FLAGS or isinstance(answer.outcome, Listed)


def lists_an_id_twice(scene: Scene, answer: Answer) -> bool:
    """A list of as many jobs as there are has an id for two of them, and one of these was not told before."""
    jobs = listable(scene)
    if not isinstance(answer.outcome, Listed) or len(answer.outcome.jobs) != len(jobs):
        return False
    per_type = scene.design.namespace is Namespace.PER_TYPE
    known = [(id, type if per_type else None) for id, type in answer.outcome.jobs if isinstance(id, IdOf)]
    return len(set(known)) < len(known) and not all(job.known for job in jobs)


def flag_is_refused(scene: Scene, answer: Answer) -> bool:
    """A list with an unknown flag is refused."""
    return scene.flaw is not Flaw.UNKNOWN_FLAGS or refused(scene, answer)


def lists_each(scene: Scene, answer: Answer) -> bool:
    """The list holds each job that it should hold."""
    if not isinstance(answer.outcome, Listed) or lists_an_id_twice(scene, answer):
        return True  # that a job bears the id of another is ID-2's concern
    return not _ids_of(wanted(scene)) - _ids_in(answer.outcome)


def lists_no_other(scene: Scene, answer: Answer) -> bool:
    """The list holds no other job, and none twice."""
    if not isinstance(answer.outcome, Listed) or lists_an_id_twice(scene, answer):
        return True
    return not _ids_in(answer.outcome) - _ids_of(wanted(scene))


def _ids_of(jobs: tuple[Job, ...]) -> Counter[object]:
    """The ids of jobs; one whose id was never told counts by its number only."""
    return Counter(IdOf(job.label) if job.known else Seen.FRESH for job in jobs)


def _ids_in(told: Listed) -> Counter[object]:
    return Counter(id for id, _ in told.jobs)


EXACTLY = (
    Demand("a list is answered", is_answered),
    Demand("each job is in it", lists_each),
    Demand("nothing else is in it", lists_no_other),
)


LIST = (
    Requirement(
        id="LIST-1",
        text="The list holds exactly the live jobs that bear ids in this design, each once, with id and type.",
        source=mail("which can also be queried by virDomainListJobIds()"),
        needs=Needs(handle=ANY_IDS, listing=True, all_calls=(ListAllJobs,)),
        when=also(ordinary, on(ListAllJobs, types=frozenset()), lambda scene: not scene.ending),
        then=EXACTLY,
    ),
    Requirement(
        id="LIST-2",
        text="A server without the list call does not run two backup jobs at once.",
        source=mail("that server does not support parallel active backup jobs"),
        needs=Needs(listing=False, all_calls=(BackupBegin,)),
        when=also(
            ordinary,
            begins_backup,
            lambda scene: bool(scene.domain.backups),
        ),
        then=refused,
    ),
    Requirement(
        id="LIST-3",
        text="A type filter returns exactly the jobs of these types; an unknown flag is refused.",
        source=SENSE,
        needs=Needs(handle=ANY_IDS, listing=True, all_calls=(ListAllJobs,), features=frozenset({Feature.TYPE_FILTER})),
        when=also(
            on(ListAllJobs),
            lambda scene: scene.domain.running and not scene.ending,
            lambda scene: not scene.ordinary or bool(getattr(scene.call, "types", None)),
        ),
        then=(Demand("an unknown flag is refused", flag_is_refused), *EXACTLY),
        keeps=Hurt.LOST,
    ),
)
