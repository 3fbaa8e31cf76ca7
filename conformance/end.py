"""END: what ends a job, how it is told, and what is left of it."""

from jobtck.conformance.calls import (
    BLOCK_KIND,
    ENDS,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobAbort,
    EndSession,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    JobCancel,
    Kind,
    ListAllJobs,
    NoJob,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.outcomes import BlockInfo, Both, Ended, JobInfo, Refusal
from jobtck.conformance.predicates import (
    accepted,
    also,
    names_id,
    on,
    ordinary,
    refused,
    second_client,
    statistics,
    steady,
)
from jobtck.conformance.requirement import (
    ANY_IDS,
    END_PROPOSAL,
    Answer,
    Demand,
    Hurt,
    Needs,
    Requirement,
    When,
    doc,
    mail,
)
from jobtck.conformance.scene import Scene
from jobtck.conformance.stale import job_begun_since
from jobtck.conformance.state import Kept, Phase

WITH_END = Needs(handle=ANY_IDS, all_calls=(BackupEnd,))


def ends(*kinds: Kind) -> When:
    """An end is aimed at a live backup of these kinds by its id or handle, or by 0."""

    def when(scene: Scene) -> bool:
        freed = scene.handle is not None and scene.handle.freed
        kind = scene.job.kind if scene.job is not None else None
        return isinstance(scene.call, BackupEnd) and not freed and steady(scene) and kind in kinds

    return when


def reaches_nothing(scene: Scene, answer: Answer) -> bool:
    """The end is refused, and whether it had to find the job is asked of 0 (ZERO-2) or of a second client (ID-5)."""
    elsewhere = scene.odd is not None or (second_client(scene) and names_id(scene))
    return elsewhere and isinstance(answer.outcome, Refusal)


def with_abort(scene: Scene) -> bool:
    """The end names an abort."""
    return isinstance(scene.call, BackupEnd) and scene.call.abort


def finished(scene: Scene) -> bool:
    """The push has copied all."""
    return scene.job is not None and scene.job.phase is Phase.FINISHED


def failed(scene: Scene) -> bool:
    """The backup has broken off."""
    return scene.job is not None and scene.job.phase is Phase.FAILED


def unfinished(scene: Scene) -> bool:
    """The push has not copied all, and goes on."""
    return not finished(scene) and not failed(scene)


def answers_completion(scene: Scene, answer: Answer) -> bool:
    """The answer is 1 for a finished push, 0 for one that is cut short; one that broke off may demand an abort."""
    if failed(scene) and not with_abort(scene) and isinstance(answer.outcome, Refusal):
        return True
    return answer.outcome == Ended(1 if finished(scene) else 0) or reaches_nothing(scene, answer)


def is_normal_end_of_pull(scene: Scene, answer: Answer) -> bool:
    """A pull that is ended is completed; what is answered where an abort is named is left open."""
    return with_abort(scene) or answer.outcome != Ended(0)


def looks_where_no_job_is(scene: Scene) -> bool:
    """A query looks for a job where none is (any more)."""
    match scene.call:
        case GetJobInfo() | GetJobStats(completed=False):
            return not scene.domain.jobs
        case BackupGetXmlDesc(job=NoJob.NAMED):
            return not scene.domain.backups
        case GetBlockJobInfo():
            hidden = scene.unknown_disk or scene.finished_on_disk or scene.ending
            return scene.disk_job is None and not hidden
        case _:
            return False


def shows_none(_: Scene, answer: Answer) -> bool:
    """No job is shown."""
    match answer.outcome:
        case JobInfo(type):
            return type is None
        case BlockInfo(kind):
            return kind is None
        case outcome:
            return isinstance(outcome, Refusal)


def ends_again(scene: Scene) -> bool:
    """An end is aimed at what is over, and no job begun since could be hit."""
    match scene.call:
        case AbortJob():
            return not scene.domain.jobs
        case BlockJobAbort():
            return scene.disk_job is None and not scene.unknown_disk and not scene.ending
        case BackupEnd(job=IdOf()):
            gone = scene.gone
            return gone is not None and not gone.stopped and not job_begun_since(scene)
        case _:
            return False


def cut_short_is_no_success(scene: Scene, answer: Answer) -> bool:
    """Statistics of a job that was cut short report no success."""
    told = statistics(answer)
    return told is None or scene.domain.kept is not Kept.CUT_SHORT or not told.success


def normal_end_is_no_failure(scene: Scene, answer: Answer) -> bool:
    """Statistics of a job that ended normally report no failure."""
    told = statistics(answer)
    return told is None or scene.domain.kept is not Kept.NORMAL or told.success is not False


def success_has_no_error(_: Scene, answer: Answer) -> bool:
    """Statistics of a success carry no error message."""
    told = statistics(answer)
    return told is None or not (told.success and told.error)


def has_unknown_flags(scene: Scene) -> bool:
    """Flags that nobody defined, or that need another flag, are given in an otherwise possible call."""
    flawed = scene.flaw in (Flaw.UNKNOWN_FLAGS, Flaw.KEEP_ALONE)
    return flawed and scene.domain.running and not scene.forbidden and not isinstance(scene.call, ListAllJobs)


END = (
    Requirement(
        id="END-1",
        text="end on a pull job ends it.",
        source=END_PROPOSAL,
        needs=WITH_END,
        when=also(ordinary, ends(Kind.PULL)),
        then=(
            Demand("it ends", lambda scene, answer: accepted(scene, answer) or reaches_nothing(scene, answer)),
            Demand("it is aborted only if it is told to be", is_normal_end_of_pull),
        ),
    ),
    Requirement(
        id="END-2",
        text="end without abort on an unfinished push job is refused and the job goes on.",
        source=END_PROPOSAL,
        needs=WITH_END,
        when=also(ordinary, ends(Kind.PUSH), lambda scene: not with_abort(scene), unfinished),
        then=refused,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="END-3",
        text='end with abort on an unfinished push job answers "aborted" (0), on a finished one "completed" (1).',
        source=END_PROPOSAL,
        needs=WITH_END,
        when=also(
            ordinary,
            ends(Kind.PUSH),
            lambda scene: with_abort(scene) or not unfinished(scene),
        ),
        then=answers_completion,
    ),
    Requirement(
        id="END-4",
        text="Once a job's end is final, no query, list or block-job call shows it. "
        'Designs whose abort is asynchronous may show it "ending" for a bounded time.',
        source=doc("virDomainAbortJob"),
        needs=Needs(any_call=(GetJobInfo, GetJobStats, GetBlockJobInfo, BackupGetXmlDesc)),
        when=also(ordinary, looks_where_no_job_is),
        then=shows_none,
    ),
    Requirement(
        id="END-5",
        text="A second end of the same job is refused (or, while it is still ending, accepted without effect).",
        source=mail("the case where a stale job ID was passed in"),
        needs=Needs(any_call=ENDS),
        when=also(ordinary, ends_again),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="END-6",
        text="A job that was cut short (an unfinished push, a job whose domain died) is never reported as a success; "
        "ending a pull job is its normal end; a success carries no error message.",
        source=doc("virDomainGetJobStats") + "; " + doc("virDomainBackupBegin"),
        needs=Needs(all_calls=(BackupBegin, GetJobStats)),
        when=also(
            on(GetJobStats, completed=True, flaw=Flaw.NOTHING),
            lambda scene: not (scene.domain.kept.is_nothing or scene.domain.kept is Kept.DIED) and not scene.ending,
        ),
        then=(
            Demand("a job that was cut short is no success", cut_short_is_no_success),
            Demand("a normal end is no failure", normal_end_is_no_failure),
            Demand("a success carries no error message", success_has_no_error),
        ),
        form_only=True,
    ),
    Requirement(
        id="END-7",
        text="Of several clients that end one job at once, the answers and what follows can be put in some order "
        "that the contract allows.",
        source=mail("can result in TOCTTOU races"),
        needs=Needs(any_call=ENDS, features=frozenset({Feature.SECOND_CLIENT}), flaws=frozenset({Flaw.AT_ONCE})),
        when=on(*ENDS, flaw=Flaw.AT_ONCE),
        then=lambda _, answer: answer.has_order,
        speaks_of=Both,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="END-8",
        text="Unknown flags are refused and nothing changes.",
        source=doc("virDomainBackupBegin"),
        needs=Needs(any_call=(AbortJob, BackupGetXmlDesc, GetJobStats, JobCancel)),
        when=has_unknown_flags,
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="END-9",
        text="Every job can be ended, and afterwards nothing of it holds the domain or its disks.",
        source=doc("virDomainAbortJob") + "; " + doc("virDomainBlockJobAbort"),
        needs=Needs(any_call=(BackupBegin, *BLOCK_KIND)),
        when=on(EndSession),
        then=accepted,
    ),
)
