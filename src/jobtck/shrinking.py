"""Calls that show a deviation, made as few and as plain as can show it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from jobtck.conformance.calls import QUERIES, Call, EndSession
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import Lost
from jobtck.conformance.session import Performed
from jobtck.replays import Ends, at_the_like_of, calls_of, is_like
from jobtck.strategies.lives import ending_calls, sessions_of
from jobtck.strategies.shorten import plainer, shorten, undisturbed

SHRINK_SECONDS_MAX = 8.0  # a trace that is a call too long is still a trace

Play = Callable[[Sequence[Call], Ends], list[Performed]]


@dataclass(frozen=True, slots=True)
class Shown:
    """Calls that showed a deviation, with what was answered; the last `needed` of them are surely needed to show it."""

    performed: tuple[Performed, ...]
    needed: int


def shrunk(play: Play, judge: Judge, shown: Shown, stop: Callable[[], bool]) -> Shown:
    """As few calls as can show it, in one session and by the first client if it is not about another.

    They may lead to the same answer in a plainer state, where it breaks what was taken for granted. What is broken as
    well by calls that are not cut off, and by one client after the other, is shown by those.
    """
    best = shown.performed
    end = time.monotonic() + SHRINK_SECONDS_MAX

    def is_kept(shows: Callable[[Step, Step], bool], candidate: Sequence[Call]) -> bool:
        nonlocal best
        if stop() or time.monotonic() > end:
            return False
        again = play(candidate, at_the_like_of(best[-1].step))
        if not again or not shows(again[-1].step, best[-1].step):
            return False
        best = tuple(again)
        return True

    still_deviates, deviates_too = partial(is_kept, _shows_as_much), partial(is_kept, _is_plainer)
    if any(isinstance(call, EndSession) for call in calls_of(best)):
        shorten(sessions_of(calls_of(best)), lambda sessions: still_deviates(tuple(chain.from_iterable(sessions))))
        still_deviates(in_one_session(judge, best))
    *way, last = calls_of(best)
    undisturbed([last], lambda instead: deviates_too((*way, *instead)))
    *way, last = calls_of(best)
    acting = [call for call in way if not isinstance(call, QUERIES)]
    if len(acting) < len(way):  # a tour asks much on its way, and few deviations need that
        still_deviates((*acting, last))
    shorten(calls_of(best), still_deviates)
    plainer(calls_of(best), still_deviates)
    disturbed = best
    undisturbed(calls_of(best), deviates_too)
    if best is not disturbed:
        shorten(calls_of(best), still_deviates)
    if any(isinstance(call, EndSession) for call in calls_of(best)) and still_deviates(in_one_session(judge, best)):
        shorten(calls_of(best), still_deviates)
    is_short = not (stop() or time.monotonic() > end)
    return Shown(best, len(best) if is_short else 1)


def in_one_session(judge: Judge, performed: Sequence[Performed]) -> tuple[Call, ...]:
    """The calls, with those that a client would make where the kit ended a session."""
    calls: list[Call] = []
    for each in performed:
        if isinstance(each.call, EndSession):
            calls += ending_calls(judge.design, judge.capabilities, each.step.before.state)
        else:
            calls.append(each.call)
    return tuple(calls)


def _shows_as_much(step: Step, shown: Step) -> bool:
    """The step is the deviation that was shown, or one that explains it."""
    if isinstance(step.outcome, Lost) != isinstance(shown.outcome, Lost):
        return False  # SANE-1 forbids an internal error too, and that is another deviation than a death
    if is_like(step, shown):
        return True
    if step.outcome != shown.outcome or type(step.call) is not type(shown.call):
        return False
    presumed = all(
        any(BY_ID[id].takes_for_granted(BY_ID[other]) for id in shown.deviations) for other in step.deviations
    )
    other_client = step.call.client != shown.call.client
    return bool(step.deviations) and (other_client or presumed)


def _is_plainer(step: Step, shown: Step) -> bool:
    """The step is the deviation that was shown, or one after which nothing is known any more either."""
    return is_like(step, shown) or (bool(step.deviations) and step.belief is None)
