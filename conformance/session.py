"""A session is one conversation with a backend, judged call by call."""

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from jobtck.conformance.calls import WITH_JOB, Call
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.judge import Belief, Judge, Step
from jobtck.conformance.ledger import Ledger
from jobtck.conformance.outcomes import Lost, Outcome, Refusal, Waited
from jobtck.conformance.tally import Tally

PATIENCE_SECONDS = 5.0  # what a busy machine may make of "at once"
MARGIN_SECONDS = 30.0  # beyond the backend's own lock wait, before a call counts as unbounded
HISTORY_MAX = 10_000  # calls kept for a counter-example; a longer session forgets its beginning


class Performed(NamedTuple):
    """A call that was made, its outcome in the backend's own words, and the seconds it took."""

    call: Call
    outcome: Outcome
    seconds: float
    step: Step


class Session:
    """Makes calls on a backend, judges the answers and remembers what was said."""

    def __init__(
        self,
        judge: Judge,
        backend: Backend,
        tally: Tally | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.judge = judge
        self.belief: Belief = judge.start()
        self.history: deque[Performed] = deque(maxlen=HISTORY_MAX)
        self.tally = Tally() if tally is None else tally
        self._backend = backend
        self._announce: Callable[[Call], None] | None = getattr(backend, "announce", None)
        self._clock = clock
        self._ledger = Ledger(judge.design)
        self._slow_after = PATIENCE_SECONDS
        self._too_long_after = judge.capabilities.lock_wait_seconds + MARGIN_SECONDS

    def can(self, call: Call) -> bool:
        """The call's id or handle was told in this session."""
        return type(call) not in WITH_JOB or self._ledger.knows(call.job)  # type: ignore[attr-defined]

    def perform(self, call: Call) -> Step:
        """Makes the call and judges the answer; afterwards the session is over if the step has no belief."""
        ledger, belief, clock = self._ledger, self.belief, self._clock
        call = ledger.canonical(call)
        native = ledger.bind(call)
        if self._announce is not None:  # a backend that is told before what the session calls it
            self._announce(call)
        begun = clock()
        outcome = self._backend.perform(native)
        seconds = clock() - begun
        waited = Waited.AT_ONCE
        if seconds >= self._slow_after:
            waited = Waited.WAITED if seconds < self._too_long_after else Waited.TOO_LONG
        step = self.judge.step(belief, call, ledger.read(call, outcome, belief), waited)
        self.history.append(Performed(call, outcome, seconds, step))
        self.tally.count(step.ruling, outcome.code if isinstance(outcome, Refusal | Lost) else "", seconds)
        if step.belief is not None:
            self.belief = step.belief
        return step
