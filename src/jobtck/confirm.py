"""A deviation that was seen is run again, on fresh guests and with as few calls as can show it; it stays seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from jobtck.conformance.alternatives import alternatives
from jobtck.conformance.blame import blame
from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Target
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import Evidence, Lost, native
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.session import Performed
from jobtck.conformance.state import State
from jobtck.conformance.wording import LETTERS, answer_text
from jobtck.replays import Stage, at_the_like_of, calls_of, shows_like
from jobtck.shrinking import Shown, shrunk
from jobtck.strategies.shorten import relabelled

RUNS = 3  # how often a deviation is run again; one that needs half a minute each time is run once
SLOW_SECONDS = 20.0
FLAKY_RUNS_MAX = 2_000  # of one that does not come every time, until it came as often as any other
FLAKY_SECONDS = 8.0  # for that: fresh guests of libvirt take half a second each
A_FEW_RUNS = 30  # before all that was ever done to the guests is made again, which takes long

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


def essences(session: Sequence[Performed]) -> Iterator[tuple[Call, ...]]:
    """Fewer calls that, as the model has it, lead to where the session ended: from when no job lived last, and all.

    Calls of which nothing came are left out: questions, and what was refused.
    """
    *way, last = session
    rests = [at for at, each in enumerate(way) if _is_at_rest(each.step.before.state)]
    for begin in dict.fromkeys((*rests[-1:], 0)):
        acting = (each.call for each in way[begin:] if each.step.belief is not each.step.before)
        yield (*acting, last.call)


def _is_at_rest(state: State) -> bool:
    return all(domain.running and not domain.jobs for domain in state.domains)


def as_seen(seen: Seen, runs: int = 0, not_again: str = "") -> Deviation:
    """The deviation with all calls since the guests' start; it did not happen again in so many runs."""
    return Deviation(
        requirements=seen.requirements,
        lines=tuple(map(line_of, seen.life)),
        reproduced=0,
        runs=runs,
        symptoms=seen.step.symptoms_of(seen.requirements),
        evidence=evidence_of(seen.session),
        not_again=not_again,
    )


def recall(judge: Judge, seen: Seen, stage: Stage, is_over: Callable[[], bool]) -> Deviation:
    """The deviation, run again once: enough for one that is listed as known. No call before is blamed for it."""
    runs = 0
    for candidate in seen.candidates:
        if is_over():
            break
        performed = stage.replay(candidate, at_the_like_of(seen.step))
        runs += 1
        if shows_like(performed, seen.step):
            return _deviation(judge, Shown(tuple(performed), needed=1), reproduced=1, runs=1)
    return as_seen(seen, runs, "" if runs else TOO_LATE)


def confirm(target: Target, judge: Judge, seen: Seen, patience: Patience) -> Deviation:
    """The deviation with its shortest calls and its rate; with all calls that were made if it does not come again."""
    stage = Stage(target, judge)
    try:
        return _Confirmation(stage, judge, seen, patience).deviation()
    finally:
        stage.close()


@dataclass(slots=True)
class _Tries:
    """Calls that are made again and again, and how often they showed the deviation."""

    calls: tuple[Call, ...]
    runs: int = 0
    shown: int = 0
    last: Shown | None = None

    @property
    def cost(self) -> int:
        """Calls made so far, and those of one more run."""
        return (self.runs + 1) * len(self.calls)


@dataclass(frozen=True, slots=True)
class _Confirmation:
    """One deviation that is run again."""

    stage: Stage
    judge: Judge
    seen: Seen
    patience: Patience

    def deviation(self) -> Deviation:
        """The deviation as it can be shown best."""
        best: Deviation | None = None
        for candidate in self.seen.candidates:
            found = self._on_fresh_guests(candidate)
            if found is not None and (best is None or found.reproduced * best.runs > best.reproduced * found.runs):
                best = found
            if (best is not None and not best.is_flaky) or self.patience.is_over():
                break
        if best is not None:
            return best
        if self.patience.is_over():
            return as_seen(self.seen, not_again=TOO_LATE)
        tries = [_Tries(each) for each in dict.fromkeys((*essences(self.seen.session), *self.seen.candidates))]
        if found := self._now_and_then(tries, A_FEW_RUNS):
            return found
        of_life = self._of_the_whole_life()
        if of_life is not None and not of_life.is_flaky:
            return of_life
        by_chance = self._now_and_then(tries, FLAKY_RUNS_MAX)
        return by_chance or of_life or as_seen(self.seen, runs=sum(each.runs for each in tries))

    def _on_fresh_guests(self, candidate: Sequence[Call]) -> Deviation | None:
        """The deviation as short as it can be made, if these calls show it on fresh guests."""
        performed = self.stage.replay_afresh(candidate, at_the_like_of(self.seen.step))
        if not shows_like(performed, self.seen.step):
            return None
        shown = Shown(tuple(performed), needed=1)
        if _seconds(performed) < SLOW_SECONDS:
            rated = self._rated(shrunk(self.stage.replay, self.judge, shown, self.patience.is_short))
            if rated.reproduced:
                return rated
            # On used guests fewer calls showed it: something outlives the cleaning up between sessions.
            shown = shrunk(self.stage.replay_afresh, self.judge, shown, self.patience.is_short)
        rated = self._rated(shown)
        return rated if rated.reproduced else replace(rated, reproduced=1, runs=rated.runs + 1)

    def _of_the_whole_life(self) -> Deviation | None:
        """The deviation if it takes more than its own session: what an earlier one left."""
        if len(self.seen.life) == len(self.seen.session) or self.patience.is_short():
            return None
        return self._on_fresh_guests(calls_of(self.seen.life))

    def _now_and_then(self, tries: Sequence[_Tries], runs_max: int) -> Deviation | None:
        """The deviation if it comes within so many runs more, the fewest calls first, and how often it came then."""
        end = time.monotonic() + FLAKY_SECONDS
        best: _Tries | None = None
        for _ in range(runs_max):
            if self.patience.is_over() or time.monotonic() > end:
                break
            trying = best or min(tries, key=lambda each: each.cost)
            performed = self.stage.replay_afresh(trying.calls, at_the_like_of(self.seen.step))
            trying.runs += 1
            if shows_like(performed, self.seen.step):
                trying.last = Shown(tuple(performed), needed=1)
                trying.shown += 1
                best = trying
            if trying.shown == RUNS or _seconds(performed) > SLOW_SECONDS:
                break
        if best is None or best.last is None:
            return None
        return _deviation(self.judge, best.last, best.shown, best.runs)

    def _rated(self, shown: Shown) -> Deviation:
        """How often the calls deviate on guests that nothing was ever done to."""
        calls, wanted = relabelled(calls_of(shown.performed)), shown.performed[-1].step
        last = shown
        reproduced = runs = 0
        end = time.monotonic() + FLAKY_SECONDS
        while runs < RUNS or (0 < reproduced < min(RUNS, runs) and runs < FLAKY_RUNS_MAX and time.monotonic() < end):
            if self.patience.is_over():
                break
            performed = self.stage.replay_afresh(calls, at_the_like_of(wanted))
            runs += 1
            if shows_like(performed, wanted):
                reproduced += 1
                last = replace(shown, performed=tuple(performed))
            if _seconds(performed) > SLOW_SECONDS:
                break
        return _deviation(self.judge, last, reproduced, runs)


def _deviation(judge: Judge, shown: Shown, reproduced: int, runs: int) -> Deviation:
    steps = [each.step for each in shown.performed][-shown.needed :]  # of others, which nobody needs, none is blamed
    instead = alternatives(judge, steps[-1])
    broken = blame(judge, steps)
    return Deviation(
        requirements=broken,
        lines=tuple(map(line_of, shown.performed)),
        reproduced=reproduced,
        runs=runs,
        breaking=instead.breaking,
        allowed=instead.allowed,
        symptoms=steps[-1].symptoms_of(broken),
        evidence=evidence_of(shown.performed),
    )


def _seconds(performed: Sequence[Performed]) -> float:
    return sum(each.seconds for each in performed)


def evidence_of(shown: Sequence[Performed]) -> tuple[Evidence, ...]:
    """What was kept of the party that was lost in the last call, if one was."""
    outcome = shown[-1].outcome
    return outcome.evidence if isinstance(outcome, Lost) else ()


def line_of(performed: Performed) -> TraceLine:
    """The call as a line of a trace."""
    code, text = native(performed.outcome)
    return TraceLine(
        call=performed.call,
        answer=answer_text(performed.outcome),
        code=code,
        text=text,
        seconds=performed.seconds,
        jobs=_living(performed.step),
    )


def _living(step: Step) -> tuple[str, ...]:
    """The letters of the jobs that live after the step; where nothing is known any more, of those before it."""
    state = (step.belief or step.before).state
    return tuple(sorted(LETTERS[job.label] for domain in state.domains for job in domain.jobs))
