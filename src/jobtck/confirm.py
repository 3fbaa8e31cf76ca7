"""A deviation is believed when it happens again, on fresh guests, with as few calls as can show it."""

from collections.abc import Callable, Sequence

from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.judge import Judge, blame
from jobtck.conformance.outcomes import Outcome, Refusal
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.session import Performed, Session
from jobtck.conformance.wording import answer_text
from jobtck.strategies.shorten import shorten

RUNS = 3  # how often a deviation is run again; one that needs half a minute each time is run once
SLOW_SECONDS = 20.0


def replay(
    judge: Judge, backend: Backend, calls: Sequence[Call], requirements: tuple[str, ...] | None = None
) -> list[Performed]:
    """Makes the calls in a new session, up to the first deviation from *requirements*, or from any if None.

    Calls on ids that were never told are left out.
    """
    backend.end_all_jobs()
    session = Session(judge, backend)
    for call in calls:
        if not session.can(call):
            continue
        step = session.perform(call)
        if step.belief is None or (step.deviations and requirements in (None, step.deviations)):
            break
    return list(session.history)


def deviates(performed: Sequence[Performed], requirements: tuple[str, ...]) -> bool:
    """The last call broke these requirements."""
    return bool(performed) and performed[-1].step.deviations == requirements


def confirm(
    target: Target,
    judge: Judge,
    requirements: tuple[str, ...],
    candidates: Sequence[Sequence[Call]],
    stop: Callable[[], bool],
) -> Deviation | str:
    """The deviation with its shortest calls and its rate; else, in words, that it did not happen again.

    The *candidates* are the model's own shortest ways to where it was met, then the calls that showed it.
    """
    rated: Deviation | None = None
    for candidate in candidates:
        backend = target.fresh()
        try:
            performed = replay(judge, backend, candidate, requirements)
            if not deviates(performed, requirements) or stop():
                continue
            if sum(each.seconds for each in performed) < SLOW_SECONDS:
                performed = _shortened(judge, backend, requirements, performed, stop)
        finally:
            backend.close()
        again = _rate(target, judge, requirements, performed, stop)
        if rated is None or (again is not None and again.reproduced > rated.reproduced):
            rated = again
        if rated is not None and not rated.is_flaky:
            return rated
    if rated is not None:
        return rated
    return f"seen in a session of {len(candidates[-1])} calls, and not again on fresh guests"


def _shortened(
    judge: Judge,
    backend: Backend,
    requirements: tuple[str, ...],
    performed: list[Performed],
    stop: Callable[[], bool],
) -> list[Performed]:
    best = performed

    def still_deviates(candidate: Sequence[Call]) -> bool:
        nonlocal best
        if stop():
            return False
        again = replay(judge, backend, candidate, requirements)
        if not deviates(again, requirements):
            return False
        best = again if len(again) < len(best) else best
        return True

    shorten([each.call for each in performed], still_deviates)
    return best


def _rate(
    target: Target,
    judge: Judge,
    requirements: tuple[str, ...],
    shown: list[Performed],
    stop: Callable[[], bool],
) -> Deviation | None:
    """How often the calls deviate, the first time on guests that nothing was ever done to; None if never."""
    calls = [each.call for each in shown]
    backend = target.fresh()
    reproduced = runs = 0
    try:
        while runs < RUNS and not stop():
            performed = replay(judge, backend, calls, requirements)
            runs += 1
            if deviates(performed, requirements):
                reproduced += 1
                shown = performed
            if sum(each.seconds for each in performed) > SLOW_SECONDS:
                break
    finally:
        backend.close()
    if not reproduced:
        return None
    suspect = shown[-2].step if len(shown) > 1 else None
    return Deviation(blame(shown[-1].step, suspect), tuple(map(_line, shown)), reproduced, runs)


def _line(performed: Performed) -> TraceLine:
    outcome: Outcome = performed.outcome
    refusal = outcome if isinstance(outcome, Refusal) else None
    return TraceLine(
        call=performed.call,
        answer=answer_text(outcome),
        code=refusal.code if refusal else "",
        text=refusal.text if refusal else "",
        seconds=performed.seconds,
    )
