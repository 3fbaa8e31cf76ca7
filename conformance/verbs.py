"""JOB: the life of a job that its client named, and the verbs that lead it on."""

from collections.abc import Mapping

from jobtck.conformance.calls import (
    JOB_VERBS,
    Call,
    JobCancel,
    JobComplete,
    JobDismiss,
    JobFinalize,
    JobGetStatus,
    JobPause,
    JobResume,
    Odd,
)
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.order import ACCEPTED_IN, LEFT_OPEN
from jobtck.conformance.outcomes import ErrorKind, JobStatus, Refusal, StatusOf
from jobtck.conformance.predicates import accepted, also, on, ordinary, refused
from jobtck.conformance.requirement import NAME, Answer, Demand, Hurt, Needs, Requirement, When
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Phase, Result

# A job may also be paused "by internal processes", as while another job begins.
STATUS_IN: Mapping[Phase, frozenset[JobStatus]] = {
    Phase.RUNNING: frozenset({JobStatus.CREATED, JobStatus.RUNNING, JobStatus.PAUSED}),
    Phase.PAUSED: frozenset({JobStatus.PAUSED}),
    Phase.READY: frozenset({JobStatus.READY, JobStatus.STANDBY}),
    Phase.STANDBY: frozenset({JobStatus.STANDBY}),
    Phase.HALTED: frozenset({JobStatus.STANDBY}),
    Phase.PENDING: frozenset({JobStatus.PENDING}),
    Phase.CONCLUDED: frozenset({JobStatus.CONCLUDED}),
}
AT_WORK = (Phase.RUNNING, Phase.PAUSED, Phase.READY, Phase.STANDBY, Phase.HALTED)
DONE_WITH_IT = (Phase.PENDING, Phase.CONCLUDED)


def verb(kind: type[Call]) -> When:
    """That verb is aimed at a job whose phase says whether it has to be accepted.

    Whether a second client reaches a job at work is asked by ID-5.
    """

    def when(scene: Scene) -> bool:
        job = scene.job
        if job is None or not isinstance(scene.call, kind) or not scene.ordinary:
            return False
        reached = scene.call.client != SECOND_CLIENT
        return reached and job.phase is not Phase.ENDING and (kind, job.phase) not in LEFT_OPEN

    return when


def phase_allows(scene: Scene) -> bool:
    """The job is in a phase in which it takes the verb."""
    assert scene.job is not None
    return scene.job.phase in ACCEPTED_IN[type(scene.call)]


AS_ITS_PHASE_SAYS = (
    Demand("it is accepted in its phases", lambda scene, answer: not phase_allows(scene) or accepted(scene, answer)),
    Demand("it is refused in others", lambda scene, answer: phase_allows(scene) or refused(scene, answer)),
)


def asked_in(*phases: Phase) -> When:
    """The status is asked of a job in one of these phases."""
    return also(ordinary, on(JobGetStatus), lambda scene: scene.job is not None and scene.job.phase in phases)


def status_fits(scene: Scene, answer: Answer) -> bool:
    """The status is one that the job can have in its phase."""
    assert scene.job is not None
    return isinstance(answer.outcome, StatusOf) and answer.outcome.status in STATUS_IN[scene.job.phase]


def error_fits(scene: Scene, answer: Answer) -> bool:
    """An error is told of a job that was cut short, and of no other."""
    assert scene.job is not None
    told = answer.outcome
    if not isinstance(told, StatusOf) or told.status is not JobStatus.CONCLUDED:
        return True  # which is another requirement's concern
    return scene.job.result is Result.UNSURE or told.error is (scene.job.result is Result.CUT_SHORT)


def names_nobody(scene: Scene) -> bool:
    """A verb, or the question for a status, names no live job of the domain."""
    if scene.job is not None or scene.odd is Odd.ZERO:  # which ZERO-6 refuses
        return False
    return scene.ordinary and isinstance(scene.call, (JobGetStatus, *JOB_VERBS))


def nobody_has_no_status(_: Scene, answer: Answer) -> bool:
    """No status is answered."""
    return not isinstance(answer.outcome, StatusOf) or answer.outcome.status is None


def reaches_nobody(scene: Scene, answer: Answer) -> bool:
    """A verb is refused for want of such a job."""
    if isinstance(scene.call, JobGetStatus) and isinstance(answer.outcome, StatusOf):
        return True
    return isinstance(answer.outcome, Refusal) and answer.outcome.kind is ErrorKind.NO_SUCH_JOB


def qapi(member: str) -> str:
    """What QEMU's schema says of a command or a type."""
    return f"QEMU, qapi/job.json, {member}"


TABLE = "; the verb table of QEMU's job.c"


def of_verb(number: int, kind: type[Call], text: str, member: str) -> Requirement:
    """What is demanded of one verb in every phase."""
    return Requirement(
        id=f"JOB-{number}",
        text=text,
        source=qapi(member) + TABLE,
        needs=Needs(handle=NAME, all_calls=(kind,)),
        when=verb(kind),
        then=AS_ITS_PHASE_SAYS,
        keeps=Hurt.LOST,
    )


JOB = (
    Requirement(
        id="JOB-1",
        text="The status of a job that is at work is where its client has led it: running or ready, "
        "paused or standby once it was paused.",
        source=qapi("JobStatus"),
        needs=Needs(handle=NAME, all_calls=(JobGetStatus,)),
        when=asked_in(*AT_WORK),
        then=status_fits,
    ),
    of_verb(
        2,
        JobCancel,
        "job-cancel is accepted of a job that is not over, also of a paused or a pending one, and ends it; "
        "of a concluded job it is refused.",
        "job-cancel",
    ),
    of_verb(
        3,
        JobPause,
        "job-pause is accepted of a job that is running or ready; of one that is paused already, pending or concluded "
        "it is refused, and that job stays as it is.",
        "job-pause",
    ),
    of_verb(
        4,
        JobResume,
        "job-resume is accepted of a job that was paused, which goes on from where it was; of any other it is refused.",
        "job-resume",
    ),
    of_verb(
        5,
        JobComplete,
        "job-complete is accepted of a job that is ready; of one that is not, or not of such a kind, it is refused, "
        "and that job goes on.",
        "job-complete",
    ),
    of_verb(
        6,
        JobFinalize,
        "job-finalize is accepted of a pending job, and concludes it; of any other it is refused, and changes nothing.",
        "job-finalize",
    ),
    of_verb(
        7,
        JobDismiss,
        "job-dismiss is accepted of a concluded job, and takes it out of the list; of a job that is not over "
        "it is refused, and that job stays.",
        "job-dismiss",
    ),
    Requirement(
        id="JOB-8",
        text="A job begun without auto-finalize is pending until it is finalized, one begun without auto-dismiss "
        "is concluded until it is dismissed.",
        source=qapi("JobStatus"),
        needs=Needs(handle=NAME, all_calls=(JobGetStatus, JobFinalize, JobDismiss)),
        when=asked_in(*DONE_WITH_IT),
        then=status_fits,
    ),
    Requirement(
        id="JOB-9",
        text="A verb on a name that no job of the domain bears, or bears any more, is refused with no-such-job "
        "and touches no job; such a name has no status.",
        source=qapi("job-dismiss") + "; job-qmp.c",
        needs=Needs(handle=NAME, any_call=JOB_VERBS),
        when=names_nobody,
        then=(
            Demand("it has no status", nobody_has_no_status),
            Demand("it is refused with no-such-job", reaches_nobody),
        ),
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="JOB-10",
        text="A concluded job tells an error if it was cut short, and none if it has done its work.",
        source=qapi("JobInfo"),
        needs=Needs(handle=NAME, all_calls=(JobGetStatus, JobDismiss)),
        when=asked_in(Phase.CONCLUDED),
        then=error_fits,
    ),
)
