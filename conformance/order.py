"""What is in order: a call that nothing stands in the way of, so that no conforming backend can refuse it."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobGetId,
    BlockJobSetSpeed,
    BlockPull,
    Call,
    CrashGuest,
    Destroy,
    Disconnect,
    EndSession,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    Inspect,
    JobCancel,
    JobComplete,
    JobCompose,
    JobDismiss,
    JobFinalize,
    JobFree,
    JobGetDefaultId,
    JobGetId,
    JobGetStatus,
    JobGetType,
    JobLookupId,
    JobPause,
    JobResume,
    JobSetDefaultId,
    JobType,
    Kind,
    ListAllJobs,
    NoJob,
    Odd,
    RestartServer,
    Save,
    Settle,
    Start,
    Storage,
    TakeEvents,
)
from jobtck.conformance.design import Zero
from jobtck.conformance.outcomes import Lost, Outcome, Refusal, Unknown, answers_in
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Job, Phase


class Fared(StrEnum):
    """What came of a call, as far as it tells whether such calls ever work."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused, though it was in order"
    UNANSWERED = "not answered"
    CUT_OFF = "cut off"  # nobody waited for the answer
    OTHERWISE = "refused, as it may be"


AT_WORK = (Phase.RUNNING, Phase.READY)
# The rows of JobVerbTable in QEMU's job.c, in phases that a client can tell apart.
ACCEPTED_IN: Mapping[type[Call], frozenset[Phase]] = {
    JobCancel: frozenset({Phase.RUNNING, Phase.PAUSED, Phase.READY, Phase.STANDBY, Phase.HALTED, Phase.PENDING}),
    JobPause: frozenset({Phase.RUNNING, Phase.READY}),
    JobResume: frozenset({Phase.PAUSED, Phase.STANDBY, Phase.HALTED}),
    JobComplete: frozenset({Phase.READY}),
    JobFinalize: frozenset({Phase.PENDING}),
    JobDismiss: frozenset({Phase.CONCLUDED}),
}
# qapi/job.json speaks of READY only; since release 6.1 QEMU takes it in STANDBY as well, and completes once resumed.
LEFT_OPEN = frozenset({(JobComplete, Phase.STANDBY), (JobComplete, Phase.HALTED)})


def fared(scene: Scene, outcome: Outcome) -> Fared:
    """What came of the call."""
    answers = answers_in(outcome)
    if all(isinstance(each, Unknown) for each in answers):
        return Fared.CUT_OFF if scene.flaw is Flaw.CUT_OFF else Fared.UNANSWERED
    if isinstance(outcome, Lost):
        return Fared.OTHERWISE
    if not all(isinstance(each, Refusal | Unknown) for each in answers):
        return Fared.SUCCEEDED
    return Fared.REFUSED if in_order(scene) else Fared.OTHERWISE


def in_order(scene: Scene) -> bool:
    """The call has to succeed: its client may make it, its input is right, and what it needs is there."""
    if (scene.call.client and not scene.is_query) or scene.flaw or scene.ending:
        return False
    return _IN_ORDER[type(scene.call)](scene)


def beside_a_job_elsewhere(scene: Scene) -> bool:
    """The call has to succeed, and a job is live on another domain."""
    return scene.busy_elsewhere and not scene.is_environment and in_order(scene)


def _running(scene: Scene) -> bool:
    return scene.domain.running


def _stopped(scene: Scene) -> bool:
    return not scene.domain.running


def _free(scene: Scene) -> bool:
    return scene.domain.running and not scene.domain.jobs


def _always(_: Scene) -> bool:
    return True


def _begins(scene: Scene) -> bool:
    return scene.unhindered and scene.storage is Storage.SOUND and not scene.name_used_before


def _backup(scene: Scene) -> Job | None:
    """The live backup that the call names, if it names it in a way that has to work."""
    job = scene.job
    reference = getattr(scene.call, "job", NoJob.NAMED)
    freed = scene.handle is not None and scene.handle.freed
    odd = reference is Odd.ZERO and scene.design.zero is not Zero.CURRENT
    works = job is not None and job.kind.is_backup and job.phase in (*AT_WORK, Phase.FINISHED)
    return job if works and scene.domain.running and not freed and not odd else None


def _described(scene: Scene) -> bool:
    return _backup(scene) is not None


def _ended(scene: Scene) -> bool:
    job = _backup(scene)
    at_once = getattr(scene.call, "abort", False) or (job is not None and job.kind is Kind.PULL)
    return job is not None and (at_once or job.phase is Phase.FINISHED)


def _asked_the_legacy_way(scene: Scene) -> bool:
    return scene.domain.running and (scene.legacy is not None or not scene.domain.backups)


def _statistics(scene: Scene) -> bool:
    return scene.domain.running if getattr(scene.call, "completed", False) else _asked_the_legacy_way(scene)


def _legacy(scene: Scene) -> bool:
    return scene.domain.running and scene.legacy is not None and scene.legacy.phase in AT_WORK


def _known_disk(scene: Scene) -> bool:
    return scene.domain.running and not scene.unknown_disk


def _block_job(scene: Scene) -> bool:
    job = scene.disk_job
    works = job is not None and not job.kind.is_backup and job.phase in AT_WORK
    return works and scene.domain.running


def _block_job_ends(scene: Scene) -> bool:
    pivot = getattr(scene.call, "pivot", False)
    ready = scene.disk_job is not None and scene.disk_job.phase is Phase.READY
    return _block_job(scene) and (ready or not pivot)


def _new_default(scene: Scene) -> bool:
    return _backup(scene) is not None and scene.odd is None


def _default(scene: Scene) -> bool:
    return scene.domain.running and scene.legacy is not None and scene.legacy.known


def _looked_up(scene: Scene) -> bool:
    job = scene.job
    wanted: JobType | None = getattr(scene.call, "type", None)
    named = isinstance(getattr(scene.call, "job", None), IdOf)
    return scene.domain.running and named and job is not None and wanted in (None, job.kind.type)


def _handle(scene: Scene) -> bool:
    handle = scene.handle
    ours = handle is not None and not handle.freed and handle.domain == scene.call.domain
    return ours and scene.domain.running and scene.job is not None


def _named(scene: Scene) -> bool:
    return scene.domain.running and scene.job is not None


def _verb(scene: Scene) -> bool:
    return scene.domain.running and scene.job is not None and scene.job.phase in ACCEPTED_IN[type(scene.call)]


_IN_ORDER: Mapping[type[Call], Callable[[Scene], bool]] = {
    **dict.fromkeys((BackupBegin, BlockCopy, BlockPull, BlockCommit), _begins),
    BackupGetXmlDesc: _described,
    BackupEnd: _ended,
    ListAllJobs: _running,
    GetJobInfo: _asked_the_legacy_way,
    GetJobStats: _statistics,
    AbortJob: _legacy,
    BlockJobAbort: _block_job_ends,
    GetBlockJobInfo: _known_disk,
    BlockJobSetSpeed: _block_job,
    JobGetDefaultId: _default,
    JobSetDefaultId: _new_default,
    BlockJobGetId: _block_job,
    JobLookupId: _looked_up,
    JobCompose: _looked_up,
    **dict.fromkeys((JobGetId, JobGetType, JobFree), _handle),
    JobGetStatus: _named,
    **dict.fromkeys(ACCEPTED_IN, _verb),
    Start: _stopped,
    **dict.fromkeys((Destroy, CrashGuest), _running),
    **dict.fromkeys((Disconnect, RestartServer, TakeEvents, Inspect, EndSession), _always),
    Save: _free,
    Settle: _running,
}
