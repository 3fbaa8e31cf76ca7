"""A deviation is believed when it happens again, on fresh guests, with as few calls as can show it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from jobtck.conformance.alternatives import alternatives
from jobtck.conformance.blame import blame
from jobtck.conformance.calls import BackupBegin, BlockJobBegin, Call
from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.design import Handle
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import Outcome, refusals_in
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.session import Performed, Session
from jobtck.conformance.symptoms import symptoms
from jobtck.conformance.wording import LETTERS, answer_text
from jobtck.strategies.shorten import plainer, relabelled, shorten, undisturbed

RUNS = 3  # how often a deviation is run again; one that needs half a minute each time is run once
SLOW_SECONDS = 20.0
NEEDED_OF_SLOW = 2  # calls of one that takes so long, and is not made short
SHORTEN_SECONDS_MAX = 8.0  # for leaving calls out; a trace that is a call too long is still a trace


@dataclass(frozen=True, slots=True)
class Patience:
    """When everything is to end (`is_over`), and when what is not needed for a verdict (`is_short`)."""

    is_over: Callable[[], bool]
    is_short: Callable[[], bool]


def replay(
    judge: Judge, backend: Backend, calls: Sequence[Call], requirements: tuple[str, ...] | None = None
) -> list[Performed]:
    """Makes the calls in a new session, up to the first deviation from *requirements*, or from any if None.

    Calls on ids that were never told are left out, and begins under the label of a live job.
    """
    backend.end_all_jobs()
    session = Session(judge, backend)
    for call in calls:
        if not session.can(call) or _calls_two_alike(session, call):
            continue
        step = session.perform(call)
        if step.belief is None or (step.deviations and requirements in (None, step.deviations)):
            break
    return list(session.history)


def _calls_two_alike(session: Session, call: Call) -> bool:
    """The begin's label is that of a live job; where it stands for a name, that is worth a try."""
    if not isinstance(call, BackupBegin | BlockJobBegin):
        return False
    if session.judge.design.handle is Handle.NAME:
        return False
    return any(domain.job(call.label) for domain in session.belief.state.domains)


def deviates(performed: Sequence[Performed], requirements: tuple[str, ...]) -> bool:
    """The last call broke these requirements."""
    return bool(performed) and performed[-1].step.deviations == requirements


def confirm(
    target: Target,
    judge: Judge,
    requirements: tuple[str, ...],
    candidates: Sequence[Sequence[Call]],
    patience: Patience,
) -> Deviation | str:
    """The deviation with its shortest calls and its rate; else, in words, that it did not happen again.

    The *candidates* are the model's own shortest ways to where it was met, then the calls that showed it.
    """
    rated: Deviation | None = None
    for candidate in candidates:
        backend = target.fresh()
        needed = NEEDED_OF_SLOW
        try:
            performed = replay(judge, backend, candidate, requirements)
            if not deviates(performed, requirements) or patience.is_over():
                continue
            if sum(each.seconds for each in performed) < SLOW_SECONDS:
                performed, needed = _shortened(judge, backend, performed, patience.is_short)
        finally:
            backend.close()
        again = _rate(target, judge, performed, needed, patience.is_over)
        if rated is None or (again is not None and again.reproduced > rated.reproduced):
            rated = again
        if rated is not None and not rated.is_flaky:
            return rated
    if rated is not None:
        return rated
    return f"seen in a session of {len(candidates[-1])} calls, and not again on fresh guests"


def _shortened(
    judge: Judge, backend: Backend, performed: list[Performed], stop: Callable[[], bool]
) -> tuple[list[Performed], int]:
    """As few calls as can show it, by the first client where it is not about another, and how many are surely needed.

    Where there was no time to leave all others out, that is the last one only. They may lead to the same
    answer in a plainer state, where it breaks what was taken for granted. What is broken as well
    by calls that are not cut off, and by one client after the other, is told of those.
    """
    best = performed
    end = time.monotonic() + SHORTEN_SECONDS_MAX

    def is_kept(shows: Callable[[Step, Step], bool], candidate: Sequence[Call]) -> bool:
        nonlocal best
        if stop() or time.monotonic() > end:
            return False
        again = replay(judge, backend, candidate, best[-1].step.deviations)
        if not again or not shows(again[-1].step, best[-1].step):
            return False
        best = again
        return True

    still_deviates, deviates_too = partial(is_kept, _shows_as_much), partial(is_kept, _is_plainer)
    *way, last = (each.call for each in performed)
    undisturbed([last], lambda instead: deviates_too((*way, *instead)))
    shorten([each.call for each in best], still_deviates)
    plainer([each.call for each in best], still_deviates)
    disturbed = best
    undisturbed([each.call for each in best], deviates_too)
    if best is not disturbed:
        shorten([each.call for each in best], still_deviates)
    is_short = not (stop() or time.monotonic() > end)
    return best, len(best) if is_short else 1


def _shows_as_much(step: Step, shown: Step) -> bool:
    """The step is the deviation that was shown, or one that explains it."""
    if step.deviations == shown.deviations:
        return bool(step.deviations)
    if step.outcome != shown.outcome or type(step.call) is not type(shown.call):
        return False
    presumed = all(any(BY_ID[id].takes_for_granted(other) for id in shown.deviations) for other in step.deviations)
    other_client = step.call.client != shown.call.client
    return bool(step.deviations) and (other_client or presumed)


def _is_plainer(step: Step, shown: Step) -> bool:
    """The step is the deviation that was shown, or one after which nothing is known any more either."""
    return bool(step.deviations) and (step.deviations == shown.deviations or step.belief is None)


def _rate(
    target: Target,
    judge: Judge,
    shown: list[Performed],
    needed: int,
    stop: Callable[[], bool],
) -> Deviation | None:
    """How often the calls deviate, the first time on guests that nothing was ever done to; None if never."""
    calls = relabelled([each.call for each in shown])
    requirements = shown[-1].step.deviations
    backend = target.fresh()
    reproduced = runs = 0
    try:
        while runs < RUNS and not stop():
            performed = replay(judge, backend, calls, requirements)
            runs += 1
            if deviates(performed, requirements):
                shown = shown if reproduced else performed  # with the ids that a fresh server gives
                reproduced += 1
            if sum(each.seconds for each in performed) > SLOW_SECONDS:
                break
    finally:
        backend.close()
    if not reproduced:
        return None
    steps = [each.step for each in shown][-needed:]  # of others, which nobody needs, none is to be blamed
    instead = alternatives(judge, steps[-1])
    broken = blame(judge, steps)
    return Deviation(
        requirements=broken,
        lines=tuple(map(_line, shown)),
        reproduced=reproduced,
        runs=runs,
        breaking=instead.breaking,
        allowed=instead.allowed,
        symptoms=symptoms(judge.scene(steps[-1]), steps[-1], broken),
    )


def _line(performed: Performed) -> TraceLine:
    outcome: Outcome = performed.outcome
    refusal = next(iter(refusals_in(outcome)), None)
    return TraceLine(
        call=performed.call,
        answer=answer_text(outcome),
        code=refusal.code if refusal else "",
        text=refusal.text if refusal else "",
        seconds=performed.seconds,
        jobs=_living(performed.step),
    )


def _living(step: Step) -> tuple[str, ...]:
    """The letters of the jobs that live after the step; where nothing is known any more, of those before it."""
    state = (step.belief or step.before).state
    return tuple(sorted(LETTERS[job.label] for domain in state.domains for job in domain.jobs))
