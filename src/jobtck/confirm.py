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


def replay(judge: Judge, backend: Backend, calls: Sequence[Call]) -> list[Performed]:
    """Makes the calls in a new session, up to the first deviation; calls on ids never told are left out."""
    backend.end_all_jobs()
    session = Session(judge, backend)
    for call in calls:
        if session.can(call) and session.perform(call).belief is None:
            break
    return list(session.history)


def deviates(performed: Sequence[Performed], requirements: tuple[str, ...]) -> bool:
    """The last call broke these requirements."""
    return bool(performed) and performed[-1].step.belief is None and performed[-1].step.deviations == requirements


def confirm(
    target: Target,
    judge: Judge,
    requirements: tuple[str, ...],
    calls: Sequence[Call],
    way: Sequence[Call],
    stop: Callable[[], bool],
) -> Deviation | str:
    """The deviation with its shortest calls and its rate; else, in words, that it did not happen again.

    *calls* are those that showed it, *way* the shortest ones that the model knows to the same cell.
    """
    backend = target.fresh()
    try:
        shown = _shown(judge, backend, requirements, calls, way, stop)
        if stop():
            return ""
        if not shown:
            return f"seen once after {len(calls)} calls, and not again on fresh guests"
        short = tuple(each.call for each in shown)
    finally:
        backend.close()
    return _rate(target, judge, requirements, short, stop)


def _shown(
    judge: Judge,
    backend: Backend,
    requirements: tuple[str, ...],
    calls: Sequence[Call],
    way: Sequence[Call],
    stop: Callable[[], bool],
) -> list[Performed]:
    """The shortest run that deviates: the model's way if it does, else the calls without what is not needed."""
    for candidate in (way, calls):
        performed = replay(judge, backend, candidate) if candidate else []
        if deviates(performed, requirements):
            if sum(each.seconds for each in performed) > SLOW_SECONDS:
                return performed
            return _shortened(judge, backend, requirements, performed, stop)
    return []


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
        again = replay(judge, backend, candidate)
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
    calls: Sequence[Call],
    stop: Callable[[], bool],
) -> Deviation | str:
    backend = target.fresh()
    shown: list[Performed] = []
    reproduced = runs = 0
    try:
        while runs < RUNS and not stop():
            performed = replay(judge, backend, calls)
            runs += 1
            if deviates(performed, requirements):
                reproduced += 1
                shown = performed
            if sum(each.seconds for each in performed) > SLOW_SECONDS:
                break
    finally:
        backend.close()
    if not shown:
        return f"seen twice, and not again in {runs} runs on fresh guests"
    suspect = shown[-2].step if len(shown) > 1 else None
    blamed = blame(shown[-1].step, suspect)
    return Deviation(blamed, tuple(map(_line, shown)), reproduced, runs)


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
