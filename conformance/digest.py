"""The digest of an answer in a state: two with the same digest are ruled alike, whatever their labels and disks."""

from collections.abc import Callable
from operator import attrgetter
from typing import get_args

from jobtck.conformance.calls import (
    NAMES,
    UNKNOWN_DISK,
    WITH_JOB,
    BackupBegin,
    BlockJobBegin,
    Call,
    GetJobStats,
    HandleOf,
    IdOf,
    Inspect,
    JobType,
    TakeEvents,
)
from jobtck.conformance.cells import finished_words
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.outcomes import Description, Id, Listed, Outcome, Seen
from jobtck.conformance.state import GONE_MAX, Domain, Gone, Job, State

# what a call says besides labels, disks and references
_PLAIN = (
    "client",
    "flaw",
    "mode",
    "abort",
    "types",
    "type",
    "completed",
    "keep",
    "pivot",
    "manner",
    "waits",
    "storage",
)


def _plain(call: type[Call]) -> Callable[[Call], object]:
    names = [name for name in _PLAIN if name in call.__dataclass_fields__]
    return attrgetter(*names)


def _fields(outcome: type[Outcome]) -> Callable[[Outcome], object]:
    names = list(outcome.__dataclass_fields__)
    return attrgetter(*names) if names else lambda _: None


_FIELDS_OF = {outcome: _fields(outcome) for outcome in get_args(Outcome)}
_PLAIN_OF = {call: _plain(call) for call in NAMES}
_WITH_DISK = frozenset(call for call in NAMES if "disk" in call.__dataclass_fields__)


def digest(design: Design, state: State, call: Call, outcome: Outcome) -> tuple[object, ...]:
    """What can be told of the answer: the call, the domain, what the call names, what the answer names."""
    kind = type(call)
    domain = state.domains[call.domain]
    named: object = None
    job: Job | None = None
    if design.handle is Handle.NAME and isinstance(call, BackupBegin | BlockJobBegin):
        disks = call.disks if isinstance(call, BackupBegin) else (call.disk,)
        too_many = any(len(each.gone) == GONE_MAX for each in state.domains)
        named = (_disks(domain, disks), _label(state, call.domain, call.label), too_many)
    elif kind in WITH_JOB:
        job, named = _named(state, call)
    elif kind in _WITH_DISK:
        job = domain.on_disk(call.disk)  # type: ignore[attr-defined]
        named = _job(job) or _jobless(domain, call.disk)  # type: ignore[attr-defined]
    elif kind is BackupBegin:
        named = _disks(domain, call.disks)  # type: ignore[attr-defined]
    elif kind is GetJobStats:
        named = (domain.kept, domain.last)
    elif kind is Inspect:
        named = (domain.kept, domain.last, domain.stopped_before)
    elif kind is TakeEvents:
        named = (domain.owed, domain.last, domain.stopped_before)
    besides = False
    for other in state.domains:
        if other.jobs and other is not domain:
            besides = True
    return (kind, _PLAIN_OF[kind](call), call.domain, besides, domain.profile, named, _told(domain, job, outcome))


def _named(state: State, call: Call) -> tuple[Job | None, object]:
    reference = call.job  # type: ignore[attr-defined]
    domain = state.domains[call.domain]
    if isinstance(reference, IdOf):
        job = domain.job(reference.label)
        return job, _label(state, call.domain, reference.label)
    if isinstance(reference, HandleOf):
        handle = state.handle(reference.label)
        if handle is None:
            return None, "no handle"
        of = None if handle.job is None else _label(state, handle.domain, handle.job)
        job = None if handle.job is None or handle.domain != call.domain else domain.job(handle.job)
        return job, (handle.domain == call.domain, handle.type, handle.freed, of)
    backups = domain.backups
    return (backups[0] if len(backups) == 1 else None), reference


def _label(state: State, home: int, label: int) -> object:
    domain = state.domains[home]
    if (job := domain.job(label)) is not None:
        return (*_job(job), label == domain.default)  # type: ignore[misc]
    if (gone := domain.gone_job(label)) is not None:
        return _gone(gone)
    return any(other.job(label) or other.gone_job(label) for other in state.domains)


def _job(job: Job | None) -> tuple[object, ...] | None:
    if job is None:
        return None
    by_hand = f"{job.waits} {job.result}" if job.is_led_by_hand else ""
    return (job.kind, job.phase, job.known, len(job.disks), by_hand, job.storage)


def _jobless(domain: Domain, disk: str) -> str:
    if disk == UNKNOWN_DISK:
        return "unknown"
    return finished_words(domain, disk) if domain.finished_on(disk) else "free"


def _gone(gone: Gone) -> tuple[object, ...]:
    return (gone.kind, gone.followed, gone.stopped)


def _disks(domain: Domain, disks: tuple[str, ...]) -> tuple[object, ...]:
    found = [_job(domain.on_disk(disk)) or _jobless(domain, disk) for disk in disks]
    return tuple(found if len(found) == 1 else sorted(found, key=repr))


def _told(domain: Domain, job: Job | None, outcome: Outcome) -> object:
    """The answer, with ids seen from the job that the call names."""
    match outcome:
        case Id(id):
            return ("id", _id(domain, job, id))
        case Description(id, mode, disks, flaw):
            fits = job is not None and disks == job.disks
            return ("description", _id(domain, job, id), mode, fits, len(disks), flaw)
        case Listed(jobs):
            return _list(domain, jobs)
        case _:
            return (type(outcome), _FIELDS_OF[type(outcome)](outcome))


def _list(domain: Domain, listed: tuple[tuple[object, JobType], ...]) -> object:
    """Each live job with the types it is listed under, and what else is listed."""
    told = [(_job(job), sorted(type for id, type in listed if id == IdOf(job.label))) for job in domain.jobs]
    others = [
        (id, type, _id(domain, None, id))
        for id, type in listed
        if not isinstance(id, IdOf) or domain.job(id.label) is None
    ]
    return ("list", tuple(sorted((job, tuple(types)) for job, types in told)), tuple(others))


def _id(domain: Domain, job: Job | None, told: object) -> object:
    if told is Seen.OLD:
        return (told, domain.stopped_before)
    if not isinstance(told, IdOf):
        return told
    if job is not None and told.label == job.label:
        return "its own"
    if (other := domain.job(told.label)) is not None:
        return ("live", _job(other), told.label == domain.default)
    gone = domain.gone_job(told.label)
    return ("gone", gone and _gone(gone))
