"""Blame names the requirement that was broken where a later answer only brought it to light."""

from collections.abc import Sequence

from jobtck.conformance.calls import BackupBegin, BlockJobBegin, HandleOf, IdOf, is_at_once
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.judge import Belief, Judge, Step
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
    Unknown,
)
from jobtck.conformance.requirement import Hurt, Requirement, Trouble, trouble_in
from jobtck.conformance.scene import scene

_OF_FORM = (Refusal, Description, Completed)  # whose form may be wrong because of a call before


def blame(judge: Judge, steps: Sequence[Step]) -> tuple[str, ...]:
    """The requirements to name for a deviation in a trace where every call is needed to show it.

    A call of which nothing should have come did something after all, or it would not be needed:
    what it promised is broken. So is the promise of a call that acted, if the last answer shows
    that it acted on another job, and that of one which two clients made at once: one after the other
    they would not have shown it. Later calls are suspected first. What an answer did that is believed no more, because
    nobody heard whether a call before it was done, is to blame if all that follows agrees with it.
    """
    *before, last = steps
    if all(BY_ID[id].about_the_answer for id in last.deviations) or _was_held_up(judge, last):
        return last.deviations
    if disbelieved := _disbelieved(judge, steps):
        return disbelieved
    if last.belief is not None and (judge.is_restless or not isinstance(last.outcome, _OF_FORM)):
        return last.deviations  # where jobs end by themselves, a call may be needed for the time it takes
    shown = shows(last)
    for suspect in reversed(before):
        if broken := _broken_promises(judge, suspect, shown):
            return tuple(promise.id for promise in broken)
    return last.deviations


def _was_held_up(judge: Judge, step: Step) -> bool:
    here = scene(judge.design, judge.capabilities, step.before.state, step.call)
    return trouble_in(here, step.outcome) is Trouble.HELD_UP


def _disbelieved(judge: Judge, steps: Sequence[Step]) -> tuple[str, ...]:
    """What one answer broke if the first call that nobody heard the answer of was done, and all others agree with that.

    It was done, or it would not be needed; but an answer may have been taken for a sign that it was not.
    """
    silent = next((at for at, step in enumerate(steps) if isinstance(step.outcome, Unknown)), None)
    if silent is None or steps[silent].belief is None:
        return ()
    for state in judge.lead_to(steps[silent]) - steps[silent].before.states:
        belief = Belief.sure(state)
        broken: tuple[str, ...] = ()
        for step in steps[silent + 1 :]:
            again = judge.step(belief, step.call, step.outcome)
            if again.belief is None and (broken or not isinstance(step.outcome, Refusal)):
                break
            belief, broken = again.belief or belief, broken or again.deviations
        else:
            if broken:
                return broken
    return ()


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
        case JobInfo(reading=reading) | BlockInfo(reading=reading) if reading.ran_backwards:
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
