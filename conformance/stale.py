"""STALE: ids of jobs that are gone, and ids that never were."""

from jobtck.conformance.calls import STOPS, BackupEnd, BackupGetXmlDesc, JobLookupId, JobSetDefaultId, Odd
from jobtck.conformance.outcomes import ErrorKind, Refusal
from jobtck.conformance.predicates import also, names_id, on, ordinary, refused, refused_as
from jobtck.conformance.requirement import ANY_IDS, IDS, INTEGER, SENSE, Answer, Hurt, Needs, Requirement, mail
from jobtck.conformance.scene import Scene

BY_ID = (BackupGetXmlDesc, BackupEnd)


def names_ended_job(scene: Scene) -> bool:
    """The id is of a job of this domain that ended while the domain ran."""
    return scene.gone is not None and not scene.gone.stopped


def job_begun_since(scene: Scene) -> bool:
    """A job is live that may have been begun after the one that the id named had ended."""
    return scene.gone is not None and scene.gone.followed and bool(scene.domain.jobs)


def refused_or_second_end(scene: Scene, answer: Answer) -> bool:
    """The end is refused as no-such-job; whether it may be accepted without effect is END-5's question."""
    if isinstance(answer.outcome, Refusal):
        return answer.outcome.kind is ErrorKind.NO_SUCH_JOB
    return not job_begun_since(scene)


def unknown_to_lists(scene: Scene, answer: Answer) -> bool:
    """The id is refused; where block jobs bear ids that nobody asked for it may turn out to be one of theirs."""
    kinds = {ErrorKind.NO_SUCH_JOB}
    if any(not job.known for job in scene.domain.jobs):
        kinds.add(ErrorKind.WRONG_TYPE)
    return isinstance(answer.outcome, Refusal) and answer.outcome.kind in kinds


STALE = (
    Requirement(
        id="STALE-1",
        text="get-xml on an ended job's id is refused with no-such-job.",
        source=mail("throw an error if there is no backup job with id 1"),
        needs=Needs(handle=ANY_IDS, any_call=(BackupGetXmlDesc, JobLookupId)),
        when=also(
            ordinary,
            lambda scene: isinstance(scene.call, JobLookupId) or (names_id(scene) and on(BackupGetXmlDesc)(scene)),
            names_ended_job,
        ),
        then=refused_as(ErrorKind.NO_SUCH_JOB),
    ),
    Requirement(
        id="STALE-2",
        text="end on an ended job's id is refused with no-such-job and touches no job, above all not one begun since.",
        source=mail("the case where a stale job ID was passed in"),
        needs=Needs(handle=IDS, all_calls=(BackupEnd,)),
        when=also(ordinary, names_id, on(BackupEnd), names_ended_job),
        then=refused_or_second_end,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="STALE-3",
        text="An id never issued (next, very large) is refused with no-such-job.",
        source=mail("throw an error if there is no backup job with id 1"),
        needs=Needs(handle=ANY_IDS, any_call=(*BY_ID, JobLookupId)),
        when=also(
            ordinary,
            on(*BY_ID, JobLookupId),
            lambda scene: scene.odd in (Odd.NEXT, Odd.HUGE),
        ),
        then=unknown_to_lists,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="STALE-4",
        text="A negative id is refused with invalid-argument.",
        source="documentation of the proposed virDomainBackupGetXMLDesc and virDomainBackupEnd",
        needs=Needs(handle=INTEGER, any_call=BY_ID),
        when=also(ordinary, on(*BY_ID, JobSetDefaultId, job=Odd.NEGATIVE)),
        then=refused_as(ErrorKind.INVALID_ARGUMENT),
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="STALE-5",
        text="After the domain stops, ids from before are stale, also once it runs again.",
        source=SENSE,
        needs=Needs(handle=INTEGER, any_call=BY_ID, also_any_call=STOPS),
        when=also(
            names_id,
            lambda scene: scene.gone is not None and scene.gone.stopped and not scene.forbidden,
        ),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="STALE-6",
        text="Setting the default to a stale or unknown id is refused and leaves the default as it was.",
        source=mail("we may want to add a virDomainJobSetDefaultID(domain, id)"),
        needs=Needs(handle=ANY_IDS, default_job=True, all_calls=(JobSetDefaultId,)),
        when=also(
            ordinary,
            on(JobSetDefaultId),
            lambda scene: scene.gone is not None or scene.odd in (Odd.NEXT, Odd.HUGE) or scene.foreign,
        ),
        then=refused,
        keeps=Hurt.ANY,
    ),
)
