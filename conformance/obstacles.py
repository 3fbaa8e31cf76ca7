"""What stands in the way of a call: why it may be refused, whether it has to be, and how a refusal may say so."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from jobtck.conformance.calls import (
    BAD_BACKUP_INPUT,
    JOB_VERBS,
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
    Flaw,
    GetJobInfo,
    GetJobStats,
    HandleOf,
    JobCompose,
    JobFree,
    JobGetDefaultId,
    JobGetId,
    JobGetStatus,
    JobGetType,
    JobLookupId,
    JobSetDefaultId,
    JobType,
    Kind,
    Odd,
    Save,
    Storage,
)
from jobtck.conformance.design import Handle, Reuse, Zero
from jobtck.conformance.order import ACCEPTED_IN, LEFT_OPEN
from jobtck.conformance.outcomes import ErrorKind
from jobtck.conformance.scene import OF_ANY_DOMAIN, Scene
from jobtck.conformance.state import Kept, Phase


class Obstacle(StrEnum):
    """Why a call may be refused."""

    READ_ONLY = "the connection is read-only"
    STOPPED = "the domain is not running"
    FLAGS = "its flags are unknown, or lack one that they need"
    INPUT = "its input is bad"
    ILL_FORMED_ID = "no job can have that id"
    NAME_IN_USE = "the name of the new job is in use"
    NO_JOB = "there is no such job"
    NO_HANDLE = "this is no handle of a job of the domain"
    OTHER_TYPE = "the job is of another type"
    SEVERAL = "it may be meant for several jobs"
    BUSY = "another job is in the way"
    NOT_NOW = "the job is in no state for it"
    LOCKED = "a job holds the lock of the domain"


# A table by obstacle: the kinds of error that say so. libvirt's VIR_ERR_OPERATION_INVALID, `invalid-state`, is its
# one code for all that the state of a domain or a job forbids; its documentation names no codes for single calls.
# VIR_ERR_OPERATION_DENIED and VIR_ERR_NO_DOMAIN_BACKUP are from virterror.h, with what they are for. A disk without a
# job is a wrong argument to a call that is about the job on a disk.
KINDS: Mapping[Obstacle, frozenset[ErrorKind]] = {
    Obstacle.READ_ONLY: frozenset({ErrorKind.READ_ONLY}),
    Obstacle.STOPPED: frozenset({ErrorKind.NOT_RUNNING, ErrorKind.INVALID_STATE, ErrorKind.UNSUPPORTED}),
    Obstacle.FLAGS: frozenset({ErrorKind.INVALID_ARGUMENT, ErrorKind.UNSUPPORTED}),
    Obstacle.INPUT: frozenset({ErrorKind.INVALID_ARGUMENT}),
    Obstacle.ILL_FORMED_ID: frozenset({ErrorKind.INVALID_ARGUMENT, ErrorKind.NO_SUCH_JOB}),
    Obstacle.NAME_IN_USE: frozenset({ErrorKind.INVALID_ARGUMENT, ErrorKind.BUSY}),
    Obstacle.NO_JOB: frozenset({ErrorKind.NO_SUCH_JOB, ErrorKind.INVALID_STATE, ErrorKind.INVALID_ARGUMENT}),
    Obstacle.NO_HANDLE: frozenset({ErrorKind.INVALID_ARGUMENT, ErrorKind.NO_SUCH_JOB}),
    Obstacle.OTHER_TYPE: frozenset(
        {ErrorKind.WRONG_TYPE, ErrorKind.NO_SUCH_JOB, ErrorKind.INVALID_STATE, ErrorKind.UNSUPPORTED}
    ),
    Obstacle.SEVERAL: frozenset({ErrorKind.AMBIGUOUS, ErrorKind.NO_SUCH_JOB, ErrorKind.INVALID_STATE}),
    Obstacle.BUSY: frozenset(
        {
            ErrorKind.BUSY,
            ErrorKind.TIMED_OUT,
            ErrorKind.AMBIGUOUS,
            ErrorKind.INVALID_ARGUMENT,
            ErrorKind.UNSUPPORTED,
            ErrorKind.INVALID_STATE,
        }
    ),
    Obstacle.NOT_NOW: frozenset({ErrorKind.BUSY, ErrorKind.INVALID_STATE}),
    Obstacle.LOCKED: frozenset({ErrorKind.TIMED_OUT}),
}

TAKE_BACKUPS = (BackupGetXmlDesc, BackupEnd, JobSetDefaultId)
Found = tuple[Obstacle, bool]  # with whether it is sure that the call has to be refused for it


def obstacles(scene: Scene) -> Mapping[Obstacle, bool]:
    """What may stand in the way, each with whether the call has to be refused for it."""
    found: dict[Obstacle, bool] = {}
    for obstacle, is_sure in _obstacles(scene):
        found[obstacle] = found.get(obstacle, False) or is_sure
    return found


def fits(scene: Scene, kind: ErrorKind) -> bool:
    """A refusal of that kind says something that stands in the way."""
    return any(kind in KINDS[obstacle] for obstacle in obstacles(scene))


def is_open(scene: Scene) -> bool:
    """Nobody can say what stands in the way: a job may be over or not, or what happens is no caller's doing."""
    unsure = scene.ending or scene.finished_on_disk or scene.storage is not Storage.SOUND or scene.name_used_before
    by_others = scene.is_environment or scene.flaw in (Flaw.CUT_OFF, Flaw.AT_ONCE)
    return unsure or by_others


def _obstacles(scene: Scene) -> Iterator[Found]:
    call, flaw = scene.call, scene.flaw
    if scene.forbidden:
        yield Obstacle.READ_ONLY, True
    if flaw in (Flaw.UNKNOWN_FLAGS, Flaw.KEEP_ALONE):
        yield Obstacle.FLAGS, True
    if flaw in (*BAD_BACKUP_INPUT, Flaw.ILL_FORMED_NAME) or scene.unknown_disk:
        yield Obstacle.INPUT, True
    if not scene.domain.running:
        yield Obstacle.STOPPED, not isinstance(call, OF_ANY_DOMAIN)
    if scene.domain.jobs and not scene.is_query:  # which is waited for before anybody looks at what was asked
        yield Obstacle.LOCKED, False
    if (of_its_own := _IN_THE_WAY.get(type(call))) is not None:
        yield from of_its_own(scene)


def _asks_for_progress(call: Call) -> bool:
    return isinstance(call, GetJobStats) and not call.completed


def _begin(scene: Scene) -> Iterator[Found]:
    if scene.domain.jobs:
        yield Obstacle.BUSY, scene.disk_job is not None
    if scene.design.handle is Handle.NAME and scene.name_in_use:
        yield Obstacle.NAME_IN_USE, True


def _backup(scene: Scene) -> Iterator[Found]:
    yield from _reference(scene)
    job = scene.job
    if job is not None and not job.kind.is_backup:
        yield Obstacle.OTHER_TYPE, True
    elif job is not None and job.phase in (Phase.PENDING, Phase.CONCLUDED):
        yield Obstacle.NOT_NOW, False
        yield Obstacle.NO_JOB, False


def _end(scene: Scene) -> Iterator[Found]:
    yield from _backup(scene)
    job = scene.job
    if job is not None and not getattr(scene.call, "abort", False) and job.phase is not Phase.FINISHED:
        yield Obstacle.NOT_NOW, job.kind is Kind.PUSH and job.phase is Phase.RUNNING


def _reference(scene: Scene) -> Iterator[Found]:
    """What is wrong with the id, the handle, the name or the 0 that stands for a job."""
    reference = getattr(scene.call, "job", None)
    if isinstance(reference, HandleOf):
        yield from _handle(scene)
    elif reference is Odd.NEGATIVE or (reference is Odd.ZERO and scene.design.zero is not Zero.CURRENT):
        yield Obstacle.ILL_FORMED_ID, True
    elif scene.job is None:
        if _may_be_anothers(scene):
            yield Obstacle.OTHER_TYPE, False
            yield Obstacle.NOT_NOW, False
        if isinstance(reference, Odd) and scene.design.handle is Handle.OPAQUE:
            yield Obstacle.ILL_FORMED_ID, False
        if len(scene.domain.backups) > 1 and scene.gone is None:
            yield Obstacle.SEVERAL, False
        yield Obstacle.NO_JOB, True


def _may_be_anothers(scene: Scene) -> bool:
    """The id may be that of a live job by chance: of one whose id nobody was told, or one that was given it again."""
    given_again = scene.design.reuse is Reuse.AFTER_END and bool(scene.domain.jobs)
    return given_again or any(not job.known for job in scene.domain.jobs)


def _handle(scene: Scene) -> Iterator[Found]:
    handle = scene.handle
    if handle is not None and handle.type is not JobType.BACKUP and isinstance(scene.call, TAKE_BACKUPS):
        yield Obstacle.OTHER_TYPE, False
    if handle is None or handle.freed or handle.domain != scene.call.domain:
        yield Obstacle.NO_HANDLE, True
    elif scene.job is None:
        yield Obstacle.NO_HANDLE, False
        yield Obstacle.NO_JOB, not isinstance(scene.call, JobFree | JobGetId | JobGetType)


def _set_default(scene: Scene) -> Iterator[Found]:
    if scene.odd is Odd.ZERO:  # which may also mean that there is to be no default
        yield Obstacle.ILL_FORMED_ID, False
        yield Obstacle.NO_JOB, False
        return
    yield from _backup(scene)


def _legacy(scene: Scene) -> Iterator[Found]:
    if scene.legacy is not None:
        if scene.legacy.phase is not Phase.RUNNING:
            yield Obstacle.NOT_NOW, False
        return
    acts = isinstance(scene.call, AbortJob | JobGetDefaultId)
    if len(scene.domain.backups) > 1:
        yield Obstacle.SEVERAL, acts
    if acts or scene.domain.backups:  # where there is none, a question is answered: with no job
        yield Obstacle.NO_JOB, acts


def _statistics(scene: Scene) -> Iterator[Found]:
    if _asks_for_progress(scene.call):
        yield from _legacy(scene)
    elif scene.domain.kept not in (Kept.NORMAL, Kept.CUT_SHORT):
        yield Obstacle.NO_JOB, False


def _block_job(scene: Scene) -> Iterator[Found]:
    if scene.unknown_disk:
        return
    job = scene.disk_job
    if job is None:
        yield Obstacle.NO_JOB, True
        return
    if job.kind.is_backup:
        yield Obstacle.OTHER_TYPE, False
        yield Obstacle.BUSY, False
    elif job.phase not in (Phase.RUNNING, Phase.READY):
        yield Obstacle.NOT_NOW, False
    if getattr(scene.call, "pivot", False) and job.phase is not Phase.READY:
        yield Obstacle.NOT_NOW, not job.kind.is_backup and job.phase is Phase.RUNNING
        yield Obstacle.OTHER_TYPE, False


def _look_up(scene: Scene) -> Iterator[Found]:
    yield from _reference(scene)
    wanted = getattr(scene.call, "type", None)
    if scene.job is None or wanted not in (None, scene.job.kind.type):
        found_at_once = isinstance(scene.call, JobLookupId)
        yield Obstacle.NO_JOB, found_at_once
        yield Obstacle.OTHER_TYPE, False
    if wanted is None:
        yield Obstacle.SEVERAL, False


def _composed(scene: Scene) -> Iterator[Found]:
    """A handle that is composed is looked at, at the latest, when it is used."""
    for obstacle, _ in _look_up(scene):
        yield obstacle, False


def _verb(scene: Scene) -> Iterator[Found]:
    yield from _reference(scene)
    job = scene.job
    if job is not None and job.phase not in ACCEPTED_IN[type(scene.call)]:
        yield Obstacle.NOT_NOW, (type(scene.call), job.phase) not in LEFT_OPEN


def _status(scene: Scene) -> Iterator[Found]:
    for obstacle, _ in _reference(scene):
        yield obstacle, False


def _save(scene: Scene) -> Iterator[Found]:
    if scene.domain.jobs:
        yield Obstacle.BUSY, False


_IN_THE_WAY: Mapping[type[Call], Callable[[Scene], Iterator[Found]]] = {
    **dict.fromkeys((BackupBegin, BlockCopy, BlockPull, BlockCommit), _begin),
    BackupGetXmlDesc: _backup,
    BackupEnd: _end,
    **dict.fromkeys((GetJobInfo, AbortJob, JobGetDefaultId), _legacy),
    GetJobStats: _statistics,
    **dict.fromkeys((BlockJobAbort, BlockJobSetSpeed, BlockJobGetId), _block_job),
    JobSetDefaultId: _set_default,
    JobLookupId: _look_up,
    JobCompose: _composed,
    **dict.fromkeys((JobGetId, JobGetType, JobFree), _handle),
    **dict.fromkeys(JOB_VERBS, _verb),
    JobGetStatus: _status,
    Save: _save,
}
