"""LIST: the call that shows all jobs."""

from jobtck.conformance.calls import BackupBegin, Flaw, IdOf, JobType, ListAllJobs
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.design import Namespace
from jobtck.conformance.outcomes import Listed, Refusal, Seen
from jobtck.conformance.predicates import also, begins_backup, on, ordinary, refused
from jobtck.conformance.requirement import ANY_IDS, SENSE, Answer, Hurt, Needs, Requirement, mail
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Job


def listable(scene: Scene) -> tuple[Job, ...]:
    """The live jobs that bear ids in this design."""
    return tuple(job for job in scene.domain.jobs if job.kind.is_backup or scene.design.block_ids)


def lists_exactly(jobs: tuple[Job, ...], answer: Answer) -> bool:
    """The list holds these jobs, each once; a job whose id was never told counts by its number only."""
    if not isinstance(answer.outcome, Listed):
        return False
    ids = [id for id, _ in answer.outcome.jobs]
    known = [IdOf(job.label) for job in jobs if job.known]
    return sorted(map(repr, (id for id in ids if id is not Seen.FRESH))) == sorted(map(repr, known)) and ids.count(
        Seen.FRESH
    ) == len(jobs) - len(known)


def lists_an_id_twice(scene: Scene, answer: Answer) -> bool:
    """A list of as many jobs as there are has an id for two of them, and one of these was not told before."""
    jobs = listable(scene)
    if not isinstance(answer.outcome, Listed) or len(answer.outcome.jobs) != len(jobs):
        return False
    per_type = scene.design.namespace is Namespace.PER_TYPE
    known = [(id, type if per_type else None) for id, type in answer.outcome.jobs if isinstance(id, IdOf)]
    return len(set(known)) < len(known) and not all(job.known for job in jobs)


def holds_the_live_jobs(scene: Scene, answer: Answer) -> bool:
    """The list is the live jobs that bear ids; that one of them bears another's is ID-2's concern."""
    return lists_exactly(listable(scene), answer) or lists_an_id_twice(scene, answer)


def filters_or_refuses(scene: Scene, answer: Answer) -> bool:
    """A filtered list is the live jobs of these types; an unknown flag is refused."""
    if scene.flaw is Flaw.UNKNOWN_FLAGS:
        return isinstance(answer.outcome, Refusal)
    assert isinstance(scene.call, ListAllJobs)
    types: frozenset[JobType] = scene.call.types
    wanted = tuple(job for job in listable(scene) if job.kind.type in types)
    return lists_exactly(wanted, answer)


LIST = (
    Requirement(
        id="LIST-1",
        text="The list holds exactly the live jobs that bear ids in this design, each once, with id and type.",
        source=mail("which can also be queried by virDomainListJobIds()"),
        needs=Needs(handle=ANY_IDS, listing=True, all_calls=(ListAllJobs,)),
        when=also(ordinary, on(ListAllJobs, types=frozenset()), lambda scene: not scene.ending),
        then=holds_the_live_jobs,
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
        then=filters_or_refuses,
        keeps=Hurt.LOST,
    ),
)
