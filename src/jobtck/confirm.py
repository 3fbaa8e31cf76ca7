"""A deviation that was seen is run again, on fresh guests and with as few calls as can show it; it stays seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from jobtck.conformance.alternatives import alternatives
from jobtck.conformance.blame import blame
from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Target
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import Outcome, refusals_in
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.session import Performed
from jobtck.conformance.symptoms import symptoms
from jobtck.conformance.wording import LETTERS, answer_text
from jobtck.replays import Stage, at_deviation_from, deviates
from jobtck.shrinking import Shown, shrunk

RUNS = 3  # how often a deviation is run again; one that needs half a minute each time is run once
SLOW_SECONDS = 20.0
FLAKY_RUNS_MAX = 300  # of one that does not come every time, until it came as often as any other
FLAKY_SECONDS = 6.0  # for that
TRIES = 20  # replays of the short ways before all that was done to the guests is made again

TOO_LATE = "there was no time left"


@dataclass(frozen=True, slots=True)
class Patience:
    """When everything is to end (`is_over`), and when what is not needed for a verdict (`is_short`)."""

    is_over: Callable[[], bool]
    is_short: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Seen:
    """A deviation as the run saw it: what was called in its session, and all that was done to the guests before.

    `ways` are the model's own shortest ways to where it was seen.
    """

    step: Step
    session: tuple[Performed, ...]
    life: tuple[Performed, ...]
    ways: tuple[tuple[Call, ...], ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """What the answer breaks."""
        return self.step.deviations

    @property
    def candidates(self) -> Iterator[tuple[Call, ...]]:
        """Calls that may show it again, the most promising first."""
        yield from dict.fromkeys((*self.ways, calls_of(self.session)))


def calls_of(performed: Sequence[Performed]) -> tuple[Call, ...]:
    """The calls that were made."""
    return tuple(each.call for each in performed)


def as_seen(seen: Seen, runs: int = 0, not_again: str = "") -> Deviation:
    """The deviation with all calls since the guests' start; it did not happen again in so many runs."""
    return Deviation(
        requirements=seen.requirements,
        lines=tuple(map(_line, seen.life)),
        reproduced=0,
        runs=runs,
        symptoms=symptoms(seen.step, seen.requirements),
        not_again=not_again,
    )


def recall(judge: Judge, seen: Seen, stage: Stage, is_over: Callable[[], bool]) -> Deviation:
    """The deviation, run again once: enough for one that is listed as known."""
    runs = 0
    for candidate in seen.candidates:
        if is_over():
            break
        performed = stage.replay(candidate, at_deviation_from(seen.requirements))
        runs += 1
        if deviates(performed, seen.requirements):
            return _deviation(judge, Shown(tuple(performed), needed=len(performed)), reproduced=1, runs=1)
    return as_seen(seen, runs, "" if runs else TOO_LATE)


def confirm(target: Target, judge: Judge, seen: Seen, patience: Patience) -> Deviation:
    """The deviation with its shortest calls and its rate; with all calls that were made if it does not come again."""
    stage = Stage(target, judge)
    try:
        return _confirmed(stage, judge, seen, patience)
    finally:
        stage.close()


def _confirmed(stage: Stage, judge: Judge, seen: Seen, patience: Patience) -> Deviation:
    best: Deviation | None = None
    for candidate in seen.candidates:
        found = _on_fresh_guests(stage, judge, seen, candidate, patience)
        if found is not None and (best is None or found.reproduced * best.runs > best.reproduced * found.runs):
            best = found
        if (best is not None and not best.is_flaky) or patience.is_over():
            break
    if best is not None:
        return best
    runs = sum(1 for _ in seen.candidates)
    if patience.is_over():
        return as_seen(seen, 0, TOO_LATE)
    for tries in (TRIES, FLAKY_RUNS_MAX):
        found, again = _now_and_then(stage, judge, seen, tries, patience)
        runs += again
        found = found or _of_the_whole_life(stage, judge, seen, patience)
        if found is not None:
            return replace(found, runs=max(found.runs, runs) if found.is_flaky else found.runs)
    return as_seen(seen, runs)


def _on_fresh_guests(
    stage: Stage, judge: Judge, seen: Seen, candidate: Sequence[Call], patience: Patience
) -> Deviation | None:
    """The deviation as short as it can be made, if these calls show it on fresh guests."""
    performed = stage.replay_afresh(candidate, at_deviation_from(seen.requirements))
    if not deviates(performed, seen.requirements):
        return None
    shown = Shown(tuple(performed), needed=1)
    if _seconds(performed) < SLOW_SECONDS:
        rated = _rated(stage, judge, shrunk(stage.replay, judge, shown, patience.is_short), patience)
        if rated is not None:
            return rated
        # On used guests fewer calls showed it: something outlives the cleaning up between sessions.
        shown = shrunk(stage.replay_afresh, judge, shown, patience.is_short)
    return _rated(stage, judge, shown, patience) or _deviation(judge, shown, reproduced=1, runs=1)


def _of_the_whole_life(stage: Stage, judge: Judge, seen: Seen, patience: Patience) -> Deviation | None:
    """The deviation if it takes more than its own session: what an earlier one left."""
    if len(seen.life) == len(seen.session) or patience.is_short():
        return None
    return _on_fresh_guests(stage, judge, seen, calls_of(seen.life), patience)


def _now_and_then(
    stage: Stage, judge: Judge, seen: Seen, tries: int, patience: Patience
) -> tuple[Deviation | None, int]:
    """The deviation if it comes within so many more runs, and how many were made."""
    end = time.monotonic() + FLAKY_SECONDS
    candidates = tuple(seen.candidates)
    for runs in range(tries):
        if patience.is_over() or time.monotonic() > end:
            return None, runs
        calls = candidates[runs % len(candidates)]
        performed = stage.replay(calls, at_deviation_from(seen.requirements))
        if _seconds(performed) > SLOW_SECONDS:
            return None, runs + 1
        if deviates(performed, seen.requirements):
            return _deviation(judge, Shown(tuple(performed), needed=1), reproduced=1, runs=runs + 1), runs + 1
    return None, tries


def _rated(stage: Stage, judge: Judge, shown: Shown, patience: Patience) -> Deviation | None:
    """How often the calls deviate, the first time on guests that nothing was ever done to; None if never."""
    calls, requirements = calls_of(shown.performed), shown.requirements
    last = shown
    reproduced = runs = 0
    end = time.monotonic() + FLAKY_SECONDS
    while runs < RUNS or (0 < reproduced < min(RUNS, runs) and runs < FLAKY_RUNS_MAX and time.monotonic() < end):
        if patience.is_over():
            break
        play = stage.replay if runs else stage.replay_afresh
        performed = play(calls, at_deviation_from(requirements))
        runs += 1
        if deviates(performed, requirements):
            reproduced += 1
            last = replace(shown, performed=tuple(performed))
        if _seconds(performed) > SLOW_SECONDS:
            break
    return _deviation(judge, last, reproduced, runs) if reproduced else None


def _deviation(judge: Judge, shown: Shown, reproduced: int, runs: int) -> Deviation:
    steps = [each.step for each in shown.performed][-shown.needed :]  # of others, which nobody needs, none is blamed
    instead = alternatives(judge, steps[-1])
    broken = blame(judge, steps)
    return Deviation(
        requirements=broken,
        lines=tuple(map(_line, shown.performed)),
        reproduced=reproduced,
        runs=runs,
        breaking=instead.breaking,
        allowed=instead.allowed,
        symptoms=symptoms(steps[-1], broken),
    )


def _seconds(performed: Sequence[Performed]) -> float:
    return sum(each.seconds for each in performed)


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
