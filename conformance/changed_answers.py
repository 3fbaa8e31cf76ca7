"""Answers changed one at a time: what a backend with one mistake could have answered instead."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from jobtck.conformance.calls import (
    ENVIRONMENT,
    Destroy,
    Inspect,
    JobType,
    Kind,
    Mode,
    Start,
    TakeEvents,
    Token,
    alone,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.changed_numbers import changed_progress
from jobtck.conformance.changes import NEXT_TOKEN, Change, Place
from jobtck.conformance.forms import form_of
from jobtck.conformance.outcomes import (
    DONE,
    STANDS,
    BlockInfo,
    Both,
    Completed,
    Description,
    Done,
    Ended,
    ErrorKind,
    Events,
    GotHandle,
    Id,
    JobInfo,
    JobStatus,
    Leftovers,
    Listed,
    Outcome,
    Refusal,
    StatusOf,
    TypeOf,
    Unknown,
    Value,
)

CHANGED_KINDS = (  # for a call that succeeded: one of each family of errors
    ErrorKind.NO_SUCH_JOB,
    ErrorKind.INVALID_ARGUMENT,
    ErrorKind.BUSY,
    ErrorKind.TIMED_OUT,
    ErrorKind.NOT_RUNNING,
    ErrorKind.UNSUPPORTED,
    ErrorKind.INTERNAL,
    ErrorKind.OTHER,
)
LEFT = ("scratch", "socket", "busy disk", "rejected")
SAYS_SOMETHING = (TakeEvents, Inspect)  # of what happens around the calls of the API, what the backend answers itself
MAY_REFUSE = (Start, Destroy)  # made by the kit, and answered by the backend only where it refuses
SUCCEEDS, KIND, TIME, WHOLE = "success", "kind of error", "time", "whole answer"


def changes(place: Place) -> Iterator[Change]:
    """Every change of that answer; none of one that was not heard, or that is the kit's own."""
    call, outcome = place.call, place.outcome
    if isinstance(call, ENVIRONMENT) and not isinstance(call, SAYS_SOMETHING):
        if isinstance(call, MAY_REFUSE) and isinstance(outcome, Refusal):
            yield from _of_refusal(place, outcome)
        return
    if isinstance(outcome, Unknown):
        return
    if isinstance(outcome, Both):
        yield from _of_one_of_two(place, outcome)
    else:
        yield from _of_single(place)
    if not isinstance(call, ENVIRONMENT):
        yield from _late(place)


def _of_single(place: Place) -> Iterator[Change]:
    outcome = place.outcome
    if isinstance(outcome, Refusal):
        yield from _of_refusal(place, outcome)
        return
    for kind in CHANGED_KINDS:
        yield place.to(SUCCEEDS, f"refused as {kind}", Refusal(kind, "", "changed"))
    change = _OF_VALUE.get(type(outcome))
    if change is not None:
        yield from change(place, outcome)
        for older in place.older:
            if not _is_of_same_job(outcome, older):
                yield place.to(WHOLE, "an older answer to the same call", older)


def _is_of_same_job(outcome: Outcome, older: Outcome) -> bool:
    """Both may tell of the progress of one job: numbers are changed by themselves."""
    match outcome, older:
        case (JobInfo(type=one), JobInfo(type=other)) | (BlockInfo(kind=one), BlockInfo(kind=other)):
            return one is other
        case _:
            return False


def _of_refusal(place: Place, refusal: Refusal) -> Iterator[Change]:
    for older in place.older:
        yield place.to(SUCCEEDS, "succeeds, with an older answer", older)
    for value in _made_up(place):
        yield place.to(SUCCEEDS, "succeeds", value)
    for kind in ErrorKind:
        yield place.to(KIND, str(kind), replace(refusal, kind=kind))


def _of_one_of_two(place: Place, outcome: Both) -> Iterator[Change]:
    """One of the two clients that made the call is answered otherwise."""
    for at, answer in enumerate(outcome.answers):
        if isinstance(answer, Unknown):
            continue
        for change in _of_single(place.with_answer(alone(place.call), answer)):
            answers = (*outcome.answers[:at], change.outcome, *outcome.answers[at + 1 :])
            yield place.to(change.field, change.how, Both(answers))  # type: ignore[arg-type]


def _late(place: Place) -> Iterator[Change]:
    for how, seconds in place.late:
        yield Change(place.at, TIME, how, place.outcome, seconds)


def _made_up(place: Place) -> Iterator[Value]:
    """Values of the form that the call promises, as if nothing had been wrong with it."""
    form = form_of(place.call, place.design)
    new_id, disks = place.next_id, place.capabilities.disks[:1]
    values: Mapping[type, tuple[Value, ...]] = {
        Done: (DONE,),
        Id: (Id(new_id),),
        GotHandle: (GotHandle(Token(NEXT_TOKEN)),),
        TypeOf: (TypeOf(JobType.BACKUP),),
        StatusOf: (StatusOf(JobStatus.RUNNING), StatusOf(None)),
        Description: (Description(new_id, Mode.PULL, disks),),
        Ended: (Ended(1), Ended(0)),
        Listed: (Listed(()),),
        JobInfo: (JobInfo(None), JobInfo(JobType.BACKUP)),
        Completed: (Completed(None), Completed(JobType.BACKUP, success=True)),
        BlockInfo: (BlockInfo(None), BlockInfo(Kind.BLOCK_COPY)),
        Events: (Events(()),),
        Leftovers: (Leftovers(()),),
    }
    yield from values.get(form, ())


# -- values ---------------------------------------------------------------------------------------------------------


def _id(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Id)
    for how, id in place.wrong_ids(outcome.id):
        yield place.to("id", how, Id(id))


def _type(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, TypeOf)
    for type in JobType:
        yield place.to("type", "another type", TypeOf(type))


def _status(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, StatusOf)
    for status in (*JobStatus, None):
        yield place.to("status", f"{status or 'none'}", replace(outcome, status=status))
    yield place.to("error", "the other", replace(outcome, error=not outcome.error))


def _description(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Description)
    if outcome.id is not None:
        for how, id in place.wrong_ids(outcome.id):
            yield place.to("id", how, replace(outcome, id=id))
        yield place.to("id", "left out", replace(outcome, id=None))
    yield place.to(
        "mode", "of another job", replace(outcome, mode=Mode.PULL if outcome.mode is Mode.PUSH else Mode.PUSH)
    )
    yield place.to("mode", "left out", replace(outcome, mode=None))
    if (disks := place.other_disks) is not None:
        yield place.to("disks", "of another job", replace(outcome, disks=disks))
    if len(outcome.disks) > 1:
        yield place.to("disks", "one left out", replace(outcome, disks=outcome.disks[1:]))
    yield place.to("disks", "left out", replace(outcome, disks=()))
    if Feature.SCHEMA in place.capabilities.features:
        yield place.to("schema", "broken", replace(outcome, flaw="the element 'changed' is not allowed"))


def _ended(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Ended)
    yield place.to(
        "result",
        "completed for aborted" if not outcome.completed else "aborted for completed",
        Ended(1 - outcome.completed),
    )
    yield place.to("result", "neither 0 nor 1", Ended(2))


def _listed(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Listed)
    jobs = outcome.jobs
    for at, (id, type) in enumerate(jobs):
        before, behind = jobs[:at], jobs[at + 1 :]
        yield place.to("jobs", "one left out", Listed((*before, *behind)))
        yield place.to("jobs", "one twice", Listed((*jobs, (id, type))))
        other = JobType.BACKUP if type is not JobType.BACKUP else JobType.BLOCK_COPY
        yield place.to("jobs", "one of another type", Listed((*before, (id, other), *behind)))
        for how, wrong in place.wrong_ids(id):
            yield place.to("id", how, Listed((*before, (wrong, type), *behind)))
    yield place.to("jobs", "one added", Listed((*jobs, (place.next_id, JobType.BACKUP))))


def _job_info(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, JobInfo)
    if outcome.type is None:
        yield place.to("type", "a job where there is none", replace(outcome, type=JobType.BACKUP))
        return
    yield place.to("type", "no job", JobInfo(None))
    yield place.to("type", "another type", replace(outcome, type=JobType.BLOCK_COPY))
    for field, how, progress in changed_progress(place, outcome.progress):
        yield place.to(field, how, replace(outcome, progress=progress))


def _block_info(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, BlockInfo)
    if outcome.kind is None:
        yield place.to("type", "a job where there is none", BlockInfo(Kind.BLOCK_COPY, STANDS))
        return
    yield place.to("type", "no job", BlockInfo(None))
    other = Kind.BLOCK_PULL if outcome.kind in (Kind.BLOCK_COPY, JobType.BLOCK_COPY) else Kind.BLOCK_COPY
    yield place.to("type", "another type", replace(outcome, kind=other))
    for field, how, progress in changed_progress(place, outcome.progress):
        yield place.to(field, how, replace(outcome, progress=progress))


def _completed(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Completed)
    if outcome.type is None:
        yield place.to("type", "a job where there is none", Completed(JobType.BACKUP, success=True))
        return
    yield place.to("type", "no job", Completed(None))
    yield place.to("type", "another type", replace(outcome, type=JobType.DOMAIN))
    if outcome.success is not None:
        yield place.to("result", "the other", replace(outcome, success=not outcome.success))
        yield place.to("result", "left out", replace(outcome, success=None))
    yield place.to("error", "the other", replace(outcome, error=not outcome.error))


def _events(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Events)
    events = outcome.events
    for at, (type, success) in enumerate(events):
        before, behind = events[:at], events[at + 1 :]
        yield place.to("events", "one dropped", Events((*before, *behind)))
        yield place.to("events", "one twice", Events((*events, (type, success))))
        yield place.to("events", "one with the other result", Events((*before, (type, not success), *behind)))
        yield place.to("events", "one of another type", Events((*before, (JobType.DOMAIN, success), *behind)))
    yield place.to("events", "in another order", Events(events[::-1]))
    yield place.to("events", "one added", Events((*events, (JobType.BACKUP, True))))
    if (later := place.later_events) is not None:
        at, others = later
        if events:
            moved = Change(place.at, "events", "one moved to a later answer", Events(events[:-1]), place.seconds)
            yield moved._replace(also=(at, Events((events[-1], *others.events))))
        if others.events:
            moved = Change(
                place.at, "events", "one moved to an earlier answer", Events((*events, others.events[0])), place.seconds
            )
            yield moved._replace(also=(at, Events(others.events[1:])))


def _leftovers(place: Place, outcome: Outcome) -> Iterator[Change]:
    assert isinstance(outcome, Leftovers)
    for name in LEFT:
        if name in outcome.names:
            yield place.to("left", "one left out", Leftovers(tuple(each for each in outcome.names if each != name)))
        else:
            yield place.to("left", f"{name} added", Leftovers((*outcome.names, name)))


_OF_VALUE: Mapping[type, Callable[[Place, Outcome], Iterator[Change]]] = {
    Id: _id,
    TypeOf: _type,
    StatusOf: _status,
    Description: _description,
    Ended: _ended,
    Listed: _listed,
    JobInfo: _job_info,
    BlockInfo: _block_info,
    Completed: _completed,
    Events: _events,
    Leftovers: _leftovers,
}
