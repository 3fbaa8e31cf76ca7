"""Blame names the requirement that was broken where a later answer only brought it to light."""

from collections.abc import Sequence

from jobtck.conformance.calls import BackupBegin, BlockJobBegin, HandleOf, IdOf, is_at_once
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import (
    BlockInfo,
    Completed,
    Description,
    ErrorKind,
    Events,
    Id,
    JobInfo,
    Leftovers,
    Listed,
    Lost,
    Refusal,
    StatusOf,
    TypeOf,
)
from jobtck.conformance.requirement import Hurt, Requirement

_OF_FORM = (Refusal, Description, Completed)  # whose form may be wrong because of a call before


def blame(judge: Judge, steps: Sequence[Step]) -> tuple[str, ...]:
    """The requirements to name for a deviation in a trace where every call is needed to show it.

    A call of which nothing should have come did something after all, or it would not be needed:
    what it promised is broken. So is the promise of a call that acted, if the last answer shows
    that it acted on another job, and that of one which two clients made at once: one after the other
    they would not have shown it. Later calls are suspected first.
    """
    *before, last = steps
    if last.belief is not None and (judge.is_restless or not isinstance(last.outcome, _OF_FORM)):
        return last.deviations  # where jobs end by themselves, a call may be needed for the time it takes
    shown = shows(last)
    for suspect in reversed(before):
        if broken := _broken_promises(judge, suspect, shown):
            return tuple(promise.id for promise in broken)
    return last.deviations


def _broken_promises(judge: Judge, suspect: Step, shown: Hurt) -> list[Requirement]:
    """The promises that are broken if the call is to blame; a general one only if no other is."""
    broken = [promise for promise in suspect.ruling.promises if promise.keeps & shown]
    special = [promise for promise in broken if not promise.general]
    if judge.left_alone(suspect):
        return special or broken
    if is_at_once(suspect.call):
        return special
    began = isinstance(suspect.call, BackupBegin | BlockJobBegin)
    others = len(suspect.before.state.domains[suspect.call.domain].jobs) > 1
    return special if isinstance(suspect.outcome, Refusal) or (others and not began) else []


def shows(step: Step) -> Hurt:
    """What an answer that deviates brings to light of earlier calls, if they are to blame."""
    if isinstance(step.outcome, Lost):
        return Hurt.NOTHING
    if isinstance(step.call, BackupBegin | BlockJobBegin):
        return Hurt.NEW if isinstance(step.outcome, Refusal) else Hurt.LOST
    match step.outcome:
        case Leftovers():
            return Hurt.FILE
        case Completed():
            return Hurt.STATISTICS | Hurt.GONE | Hurt.NEW
        case Events():
            return Hurt.GONE | Hurt.NEW
        case JobInfo(ran_backwards=back) | BlockInfo(ran_backwards=back) if back:
            return Hurt.NOTHING
        case JobInfo(type=told) | BlockInfo(kind=told):
            return Hurt.GONE if told is None else Hurt.NEW
        case Description():
            return Hurt.CHANGED if _is_live(step, getattr(step.call, "job", None)) else Hurt.NEW
        case Id(id):
            return Hurt.CHANGED if _is_live(step, id) else Hurt.NEW
        case TypeOf():
            return Hurt.CHANGED
        case StatusOf(status):
            return Hurt.GONE if status is None else Hurt.CHANGED if _is_live(step, step.call.job) else Hurt.NEW  # type: ignore[attr-defined]
        case Listed():
            return Hurt.LOST | Hurt.NEW
        case Refusal(kind=ErrorKind.INTERNAL):
            return Hurt.NOTHING
        case Refusal():
            return Hurt.GONE
        case _:
            return Hurt.NEW


def _is_live(step: Step, reference: object) -> bool:
    """The id or handle stands for a job that was believed to be live."""
    state = step.before.state
    label: int | None = None
    if isinstance(reference, IdOf):
        label = reference.label
    elif isinstance(reference, HandleOf) and (handle := state.handle(reference.label)) is not None:
        label = handle.job
    return label is not None and state.domains[step.call.domain].job(label) is not None
