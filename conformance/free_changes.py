"""Changes of answers that the contract leaves free, each with the reason: a conforming backend could answer so."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from jobtck.conformance.calls import (
    BEGINS,
    JOB_VERBS,
    QUERIES,
    WITH_JOB,
    AbortJob,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobAbort,
    BlockJobGetId,
    BlockJobSetSpeed,
    Call,
    GetBlockJobInfo,
    GetJobStats,
    JobType,
    Kind,
    TakeEvents,
    alone,
    is_at_once,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.changes import Change, Place, ids_told
from jobtck.conformance.model import futures
from jobtck.conformance.obstacles import KINDS, fits, is_open
from jobtck.conformance.outcomes import (
    HELD_UP,
    BlockInfo,
    Completed,
    Description,
    Ended,
    ErrorKind,
    Id,
    Refusal,
    answers_in,
    refusals_in,
)
from jobtck.conformance.scene import Scene, scene
from jobtck.conformance.state import Job, Kept

OWN_AFFAIR = "how far a job has come is its own affair, as long as that does not run backwards (QUERY-3)"
OF_A_STOPPED_DOMAIN = (  # kinds of error that fit it
    ErrorKind.NO_SUCH_JOB,
    ErrorKind.INVALID_ARGUMENT,
    ErrorKind.NOT_RUNNING,
    ErrorKind.UNSUPPORTED,
)
OF_BACKUPS = (JobType.BACKUP, *(kind for kind in Kind if kind.is_backup))
OLDER = ("whole answer", ("an older answer to the same call",))
SUCCEEDS = ("succeeds", "succeeds, with an older answer")
NEED_A_JOB = (BackupGetXmlDesc, BackupEnd, AbortJob, BlockJobAbort, BlockJobSetSpeed, BlockJobGetId, *JOB_VERBS)
UNKNOWN = "whether the job lives is not known: it may have ended by itself, or a call about it was never answered"


MAY_FIT = sorted(frozenset().union(*KINDS.values()) - {ErrorKind.READ_ONLY})  # which alone fits its obstacle


When = Callable[[Place, Change], bool]


class Free(NamedTuple):
    """Ways to change a field that are free where nothing else in the conversation speaks against it; `when` says where.

    What is noticed all the same is not free: then it was the rest of the conversation that could not be.
    """

    field: str
    hows: tuple[str, ...]
    when: When
    reason: str


def _several(when: When, reason: str, *changed: tuple[str, tuple[str, ...]]) -> Iterator[Free]:
    """Changes of several fields that are free for the same reason."""
    return (Free(field, hows, when, reason) for field, hows in changed)


def _may_wait(place: Place, _: Change) -> bool:
    """The call is no question, and had its turn, or did not get it."""
    had_turn = any(not isinstance(each, Refusal) or each.kind in HELD_UP for each in answers_in(place.outcome))
    return not isinstance(place.call, QUERIES) and had_turn


def _always(_: Place, __: Change) -> bool:
    return True


def _told_once(place: Place, _: Change) -> bool:
    """No other answer tells that id."""
    if not isinstance(place.outcome, Id):
        return False
    id, domain = place.outcome.id, place.call.domain
    tellers = (
        at
        for at, (call, outcome, _) in enumerate(place.conversation)
        if call.domain == domain and id in ids_told(outcome)
    )
    return next(tellers) == place.at and next(tellers, None) is None


def _events_unknown(place: Place, _: Change) -> bool:
    """What events are due is known in none of the states that may be true."""
    domain = place.call.domain
    return isinstance(place.call, TakeEvents) and any(
        state.domains[domain].owed is None for state in place.before.states
    )


def _job_unknown(place: Place, _: Change) -> bool:
    """The states that may be true do not agree on the job that the call is about, or that is in its way."""
    return len({_meant(here) for here in _scenes(place, place.call)}) > 1


def _scenes(place: Place, call: Call) -> Iterator[Scene]:
    """The call in each state that may be true by then."""
    design, capabilities = place.design, place.capabilities
    for state in place.before.states:
        for later in futures(design, capabilities, state):
            yield scene(design, capabilities, later, call)


def _meant(here: Scene) -> object:
    if here.disks:
        return _standing(here.disk_job), here.limit_reached
    return _standing(here.job if type(here.call) in WITH_JOB else here.legacy)


def _standing(job: Job | None) -> object:
    return None if job is None else (job.label, job.phase)


def _of_a_block_job(place: Place, _: Change) -> bool:
    """A query about the disk of a block job; the total of a backup is the sum of what is told of its disks."""
    return isinstance(place.outcome, BlockInfo) and place.outcome.kind not in OF_BACKUPS


def _tells_of_no_disk(place: Place, _: Change) -> bool:
    return not place.capabilities.has(GetBlockJobInfo)


def _ended_somehow(place: Place, _: Change) -> bool:
    kept = {each.domains[place.call.domain].kept for each in place.before.states}
    return isinstance(place.outcome, Completed) and (Kept.UNSURE in kept or len(kept) > 1)


def _of_aborted_pull(place: Place, change: Change) -> bool:
    """Both answers end a pull, by a call that names an abort."""
    if not (isinstance(place.call, BackupEnd) and place.call.abort):
        return False
    return any(isinstance(each, Ended) for each in answers_in(place.outcome)) and Ended(0) in answers_in(change.outcome)


def _has_no_schema(place: Place, _: Change) -> bool:
    return isinstance(place.outcome, Description) and Feature.SCHEMA not in place.capabilities.features


def _did_not_succeed(place: Place, _: Change) -> bool:
    return isinstance(place.outcome, Completed) and not place.outcome.success


def _hides_backup(place: Place, change: Change) -> bool:
    shown = isinstance(place.outcome, BlockInfo) and place.outcome.kind in OF_BACKUPS
    return shown and change.outcome == BlockInfo(None)


def _of_a_stopped_domain(place: Place, change: Change) -> bool:
    """There are no statistics any more, or they are refused."""
    completed = isinstance(place.call, GetJobStats) and place.call.completed
    stopped = all(not each.domains[place.call.domain].running for each in place.before.states)
    return completed and stopped and (isinstance(change.outcome, Refusal) or change.outcome == Completed(None))


def _needs_unknown_job(place: Place, change: Change) -> bool:
    return isinstance(place.call, NEED_A_JOB) and _job_unknown(place, change)


def _may_find_room(place: Place, change: Change) -> bool:
    return isinstance(place.call, BEGINS) and _job_unknown(place, change)


def _fits_as_well(place: Place, change: Change) -> bool:
    """The other kind of error says what stands in the way in a state that may be true, or nobody can say what does."""
    kinds = {each.kind for each in refusals_in(change.outcome)}
    call = alone(place.call) if is_at_once(place.call) else place.call
    return any(is_open(here) or all(fits(here, kind) for kind in kinds) for here in _scenes(place, call))


FREE: tuple[Free, ...] = (
    Free(
        "kind of error",
        tuple(map(str, MAY_FIT)),
        _fits_as_well,
        "several kinds of error say what stands in the way of the call (ANS-2)",
    ),
    Free(
        "time",
        ("waited",),
        _may_wait,
        "a call that changes something may wait for its turn, or in vain (BEGIN-1): TIME-2 speaks of other refusals",
    ),
    Free("done", ("less, and nobody asked before",), _always, OWN_AFFAIR),
    Free("elapsed time", ("less, and nobody asked before",), _always, OWN_AFFAIR),
    Free(
        "id",
        ("one too great",),
        _told_once,
        "gaps in ids are fine (ID-4), and no other answer tells the id of that job",
    ),
    *_several(
        _always,
        "a number is told where it is known, and no API promises all of them",
        *((number, ("left out",)) for number in ("done", "total", "elapsed time")),
    ),
    Free(
        "events",
        ("in another order",),
        _always,
        "jobs may end at the same moment, and who waits for their events is promised each, but no order",
    ),
    Free(
        "events",
        ("one dropped",),
        _events_unknown,
        "what events are due is not known after a restart, or after a call whose answer nobody heard",
    ),
    Free("total", ("doubled",), _of_a_block_job, "how much a block job has to do may change while it goes on"),
    Free("total", ("doubled",), _tells_of_no_disk, "nothing else tells how much there is to do on each disk"),
    Free("result", ("left out",), _always, "no API promises that statistics say whether the job succeeded"),
    Free("result", ("the other",), _ended_somehow, "how the job ended that completed last is not known"),
    *_several(
        _of_aborted_pull,
        "whether a pull that is aborted counts as completed is left open",
        ("result", ("aborted for completed",)),
        OLDER,
    ),
    *_several(
        _has_no_schema,
        "without a schema nothing says what a description has to tell",
        *((field, ("left out",)) for field in ("mode", "disks", "id")),
    ),
    Free(
        "error",
        ("the other",),
        _did_not_succeed,
        "an error message is optional for a job that did not succeed, and a success has none (END-6)",
    ),
    *_several(
        _hides_backup,
        "that a backup can be seen in queries about block jobs is promised nowhere",
        ("type", ("no job",)),
        OLDER,
    ),
    *_several(
        _of_a_stopped_domain,
        "whether statistics outlive the domain's stop is left open",
        ("type", ("no job",)),
        OLDER,
        ("success", tuple(f"refused as {kind}" for kind in OF_A_STOPPED_DOMAIN)),
    ),
    Free("success", (*SUCCEEDS, "refused as no-such-job"), _needs_unknown_job, UNKNOWN),
    Free("success", SUCCEEDS, _may_find_room, UNKNOWN),
    Free("type", ("no job", "a job where there is none"), _job_unknown, UNKNOWN),
)


def why_free(place: Place, change: Change) -> str:
    """The reason why the contract leaves a change free that nobody noticed; empty where it does not."""
    for each in FREE:
        if change.field == each.field and change.how in each.hows and each.when(place, change):
            return each.reason
    return ""
