"""A lane holds sessions on guests of its own; what fails there is tried once more on fresh ones."""

import time
from collections.abc import Callable

from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.errors import JobtckError, SessionLost
from jobtck.conformance.judge import Judge
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.strategies.tour import NewSession

ATTEMPTS = 2  # somebody else may kill a guest, and libvirt may lose one; what fails twice in a row is broken
LOST_MAX = 5  # sessions of one lane: a server that dies takes one in each lane with it, and is started again


class Lane:
    """Guests that sessions are held on, one after the other, and what was counted there. Times in seconds."""

    def __init__(self, target: Target, judge: Judge) -> None:
        self.tally = Tally()
        self.seconds = 0.0
        self.mishaps: list[JobtckError] = []
        self._target = target
        self._judge = judge
        self._backend: Backend | None = None

    def session(self) -> Session:
        """A new session, on guests as good as new."""
        backend = self._guests()
        begun = time.monotonic()
        backend.end_all_jobs()
        self.tally.seconds += time.monotonic() - begun
        return Session(self._judge, backend, self.tally)

    def work(self, work: Callable[[NewSession], None], stop: Callable[[], bool]) -> None:
        """Does the work; once more, on fresh guests, if the backend fails. Raises what it fails of then."""
        failed = lost = 0
        while True:
            try:
                self._guests()  # what they take to start is not the work's
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

    def _guests(self) -> Backend:
        self._backend = self._backend or self._target.fresh()
        return self._backend

    def _timed(self, work: Callable[[NewSession], None]) -> None:
        begun = time.monotonic()
        try:
            work(self.session)
        finally:
            self.seconds += time.monotonic() - begun

    def close(self) -> None:
        """The guests are given back."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()
