"""The short vocabulary that requirements are written in: what a scene is, and what an answer says."""

from jobtck.conformance.calls import BackupBegin, BackupEnd, BackupGetXmlDesc, Flaw, IdOf, JobType, Kind
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.outcomes import (
    Completed,
    Description,
    ErrorKind,
    Id,
    Listed,
    Refusal,
    Seen,
)
from jobtck.conformance.requirement import Answer, Then, When
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Phase

CONFLICT = frozenset(
    {
        ErrorKind.BUSY,
        ErrorKind.TIMED_OUT,
        ErrorKind.AMBIGUOUS,
        ErrorKind.INVALID_ARGUMENT,
        ErrorKind.UNSUPPORTED,
        ErrorKind.INVALID_STATE,
    }
)


def on(*calls: type, **fields: object) -> When:
    """The call is one of these, with these fields."""

    def when(scene: Scene) -> bool:
        call = scene.call
        return isinstance(call, calls) and all(getattr(call, name) == value for name, value in fields.items())

    return when


def also(*whens: When) -> When:
    """All of these hold."""

    def when(scene: Scene) -> bool:
        return all(each(scene) for each in whens)

    return when


def ordinary(scene: Scene) -> bool:
    """The domain runs, the connection may, the input is in order."""
    return scene.ordinary


def faultless(scene: Scene) -> bool:
    """The connection may, and the input is in order; whether the domain runs is open."""
    return scene.flaw is Flaw.NOTHING and not scene.forbidden


def refused(_: Scene, answer: Answer) -> bool:
    """The call is refused."""
    return isinstance(answer.outcome, Refusal)


def accepted(_: Scene, answer: Answer) -> bool:
    """The call succeeds."""
    return not isinstance(answer.outcome, Refusal)


def anything(_: Scene, __: Answer) -> bool:
    """The answer is free; what counts is that nothing else came of the call."""
    return True


def refused_as(*kinds: ErrorKind) -> Then:
    """The call is refused with one of these kinds of error."""

    def then(_: Scene, answer: Answer) -> bool:
        return isinstance(answer.outcome, Refusal) and answer.outcome.kind in kinds

    return then


def names_id(scene: Scene) -> bool:
    """A backup verb is given an id that some begin returned (not 0, not made up)."""
    return isinstance(scene.call, BackupGetXmlDesc | BackupEnd) and isinstance(scene.call.job, IdOf)


def steady(scene: Scene) -> bool:
    """What the call is aimed at is live, not being ended and not over."""
    return scene.job is not None and scene.job.phase not in (Phase.ENDING, Phase.CONCLUDED)


def first_client(scene: Scene) -> bool:
    """The connection is the one that begins jobs."""
    return scene.call.client == 0


def second_client(scene: Scene) -> bool:
    """The connection is another than the one that began the job."""
    return scene.call.client == SECOND_CLIENT


def describes(scene: Scene, answer: Answer) -> bool:
    """The description is of that very job: its mode and disks, and its id where one is told."""
    told, job = answer.outcome, scene.job
    if not isinstance(told, Description) or job is None:
        return False
    if told.mode is not None and f"backup-{told.mode}" != job.kind:
        return False
    if told.disks and told.disks != job.disks:
        return False
    return told.id in (None, Seen.NOTHING, IdOf(job.label)) or (told.id is Seen.FRESH and not job.known)


def ids_in(answer: Answer) -> tuple[object, ...]:
    """The ids that an answer tells."""
    match answer.outcome:
        case Id(id) | Description(id):
            return (id,)
        case Listed(jobs):
            return tuple(id for id, _ in jobs)
        case _:
            return ()


def statistics(answer: Answer) -> Completed | None:
    """Statistics of a completed backup, if the answer has any."""
    told = answer.outcome
    return told if isinstance(told, Completed) and told.type is JobType.BACKUP else None


def begins_backup(scene: Scene) -> bool:
    """The call begins a backup."""
    return isinstance(scene.call, BackupBegin)


def pull_or_finished(scene: Scene) -> bool:
    """The job can be ended as it is: a pull backup, or a push that has copied all."""
    job = scene.job
    return job is not None and (job.kind is Kind.PULL or job.phase is Phase.FINISHED)
