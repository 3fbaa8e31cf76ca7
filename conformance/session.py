"""A session is one conversation with a backend, judged call by call."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from time import perf_counter
from typing import NamedTuple

from jobtck.conformance.calls import WITH_JOB, Call, EndSession
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.errors import NotCleared, SessionLost
from jobtck.conformance.judge import Belief, Judge, Step
from jobtck.conformance.ledger import Ledger
from jobtck.conformance.outcomes import DONE, Lost, Outcome, Refusal, Waited
from jobtck.conformance.stopwatch import housekeeping_seconds
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
    """Makes calls on a backend, judges the answers and remembers what was said.

    One session after the other may be held on the same guests: `EndSession` ends one, and nothing of it is believed or
    named any more. The history goes on, for what outlives a session is found by it.
    """

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
        self.is_over = False  # after a deviation nothing is known, until the session is ended
        self._length = 0  # calls since the last end of a session
        self._backend = backend
        self._announce: Callable[[Call], None] | None = getattr(backend, "announce", None)
        self._clock = clock
        self._ledger = Ledger(judge.design)
        self._slow_after = PATIENCE_SECONDS
        self._too_long_after = judge.capabilities.lock_wait_seconds + MARGIN_SECONDS

    @property
    def length(self) -> int:
        """How many calls were made since the last session ended."""
        return self._length

    @property
    def conversation(self) -> tuple[Performed, ...]:
        """What was made since the last session ended."""
        return tuple(islice(reversed(self.history), self._length))[::-1]

    def can(self, call: Call) -> bool:
        """The call's id or handle was told in this session."""
        return type(call) not in WITH_JOB or self._ledger.knows(call.job)  # type: ignore[attr-defined]

    def fork(self, backend: Backend, clock: Callable[[], float]) -> "Session":
        """A session that stands where this one does and goes on with another backend; it counts for itself."""
        other = Session(self.judge, backend, clock=clock)
        other.belief, other._ledger = self.belief, self._ledger.copy()
        return other

    def stands_as(self, other: "Session") -> bool:
        """Both believe the same and were told the same: from here on they judge alike."""
        return self.belief.states == other.belief.states and self._ledger == other._ledger  # noqa: SLF001

    def perform(self, call: Call) -> Step:
        """Makes the call and judges the answer; afterwards the session is over if the step has no belief."""
        if isinstance(call, EndSession):
            return self._end(call)
        ledger, belief, clock = self._ledger, self.belief, self._clock
        call = ledger.canonical(call)
        native = ledger.bind(call)
        if self._announce is not None:  # a backend that is told before what the session calls it
            self._announce(call)
        begun = clock()
        try:
            outcome = self._backend.perform(native)
        except NotCleared as error:  # the guest cannot even be prepared for the call
            return self._not_cleared(error, clock() - begun)
        seconds = clock() - begun - housekeeping_seconds()
        waited = Waited.AT_ONCE
        if seconds >= self._slow_after:
            waited = Waited.WAITED if seconds < self._too_long_after else Waited.TOO_LONG
        step = self.judge.step(belief, call, ledger.read(call, outcome, belief), waited)
        self._keep(Performed(call, outcome, seconds, step))
        self.tally.count(step.ruling, outcome.code if isinstance(outcome, Refusal | Lost) else "", seconds)
        if step.belief is None:
            self.is_over = True
        else:
            self.belief = step.belief
        return step

    def _end(self, call: EndSession) -> Step:
        """The guests are as good as new, or it is a deviation that they are not."""
        begun = self._clock()
        try:
            self._backend.end_all_jobs()
        except NotCleared as error:
            return self._not_cleared(error, self._clock() - begun)
        except SessionLost as error:
            if error.lost is None:
                raise
            return self._refused(call, error.lost, self._clock() - begun)
        step = self.judge.step(self.belief, call, DONE)
        self._keep(Performed(call, DONE, self._clock() - begun, step))
        self.tally.exercise(step.ruling)
        self.belief, self._ledger = self.judge.start(), Ledger(self.judge.design)
        self.is_over, self._length = False, 0
        return step

    def _not_cleared(self, error: NotCleared, seconds: float) -> Step:
        """The kit made a call of its own to clear the guests, and that was refused."""
        return self._refused(error.call, error.refusal, seconds)

    def _refused(self, call: Call, outcome: Refusal | Lost, seconds: float) -> Step:
        step = self.judge.step(self.belief, call, outcome)
        self._keep(Performed(call, outcome, seconds, step))
        self.tally.exercise(step.ruling)
        self.is_over = True
        return step

    def _keep(self, performed: Performed) -> None:
        self.history.append(performed)
        self._length = min(self._length + 1, HISTORY_MAX)
