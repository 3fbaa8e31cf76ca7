"""A lane holds sessions on guests of its own; what fails there is tried once more on fresh ones."""

import time
from collections.abc import Callable

from jobtck.conformance.calls import EndSession
from jobtck.conformance.capabilities import Target
from jobtck.conformance.errors import JobtckError, SessionLost
from jobtck.conformance.judge import Judge
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.strategies.tour import NewSession, OnDeviation

ATTEMPTS = 2  # somebody else may kill a guest, and libvirt may lose one; what fails twice in a row is broken
LOST_MAX = 5  # sessions of one lane: a server that dies takes one in each lane with it, and is started again


class Lane:
    """Guests that sessions are held on, one after the other, and what was counted there. Times in seconds.

    *keep* is given each session before it ends, to keep what was said.
    """

    def __init__(
        self,
        target: Target,
        judge: Judge,
        on_deviation: OnDeviation,
        keep: Callable[[Session], object] = lambda _: None,
    ) -> None:
        self.tally = Tally()
        self.seconds = 0.0
        self.mishaps: list[JobtckError] = []
        self._target = target
        self._judge = judge
        self._on_deviation = on_deviation
        self._keep = keep
        self._session: Session | None = None
        self._give_back: Callable[[], None] | None = None

    def session(self) -> Session:
        """A session that has just begun, on guests as good as new."""
        session = self._started()
        if not session.history:
            return session
        self._keep(session)
        begun = time.monotonic()
        step = session.perform(EndSession())
        self.tally.seconds += time.monotonic() - begun
        if step.belief is None:
            self._on_deviation(session)
            self._leave_guests()
            return self._started()
        return session

    def work(self, work: Callable[[NewSession], None], stop: Callable[[], bool]) -> None:
        """Does the work; once more, on fresh guests, if the backend fails. Raises what it fails of then."""
        failed = lost = 0
        while True:
            try:
                self._started()  # what guests take to start is not the work's
                return self._timed(work)
            except JobtckError as error:
                self.mishaps.append(error)
                if stop():
                    return None
                lost += isinstance(error, SessionLost)
                failed += not isinstance(error, SessionLost)
                if failed == ATTEMPTS or lost > LOST_MAX:
                    raise
                self.close()

    def _started(self) -> Session:
        if self._session is None:
            backend = self._target.fresh()
            self._give_back = backend.close
            self._session = Session(self._judge, backend, self.tally)
        return self._session

    def _timed(self, work: Callable[[NewSession], None]) -> None:
        begun = time.monotonic()
        try:
            work(self.session)
        finally:
            self.seconds += time.monotonic() - begun

    def close(self) -> None:
        """The guests are given back; what was said last is kept."""
        if self._session is not None:
            self._keep(self._session)
        self._leave_guests()

    def _leave_guests(self) -> None:
        give_back, self._give_back = self._give_back, None
        self._session = None
        if give_back is not None:
            give_back()
