"""A target in processes of its own: whatever dies in one dies alone, and is lost in the call that it died of."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import connection
from pathlib import Path
from socket import socketpair
from subprocess import DEVNULL, Popen, TimeoutExpired
from threading import Lock
from typing import cast
from urllib.parse import urlsplit

from jobtck.conformance.calls import Call, call_name
from jobtck.conformance.capabilities import Backend, Options
from jobtck.conformance.design import Design
from jobtck.conformance.errors import BackendFailure, SessionLost
from jobtck.conformance.outcomes import Evidence, Fate, Lost, Outcome, Party
from jobtck.conformance.session import MARGIN_SECONDS
from jobtck.fixtures import run_directory
from jobtck.fixtures.innocence import oom_kills, proof_for
from jobtck.fixtures.orphans import ended_words
from jobtck.fixtures.post_mortem import backtrace_of_core, backtrace_of_process, log_tail, once
from jobtck.fixtures.run_directory import (
    ISOLATED,
    isolated_for,
    kill_guests_of,
    kill_isolated_for,
    sweep_all,
)
from jobtck.isolated_process import Opened, Raised

SLACK_SECONDS = 5.0  # beyond what TIME-1 grants
OPEN_SECONDS_MAX = 180.0  # for opening a target and making guests, on a busy machine
SESSION_SECONDS_MAX = 90.0  # for the end of a session: it makes several calls, each of which may wait
END_SECONDS_MAX = 30.0  # for removing guests
COMPLAINTS = "stderr"
PROGRAM = "import sys; from jobtck.isolated_process import serve; serve(int(sys.argv[1]), sys.argv[2])"


class Ended(Exception):
    """The process ended before it had answered."""


class Hung(Exception):
    """The process did not answer in time."""


class Worker:
    """The near end: one process, in which a target is opened that hands out one set of guests."""

    def __init__(self) -> None:
        self._place = run_directory.make(run_directory.parent_of_files(), ISOLATED, ISOLATED)
        self.directory = self._place.path
        self.oom_kills = oom_kills()
        near, far = socketpair()
        self._pipe = connection.Connection(near.detach())
        with (self.directory / COMPLAINTS).open("wb") as errors, far:
            self._process = Popen(
                [sys.executable, "-c", PROGRAM, str(far.fileno()), str(self.directory), isolated_for(os.getpid())],
                stdin=DEVNULL,
                stderr=errors,
                pass_fds=(far.fileno(),),
                start_new_session=True,  # Ctrl-C is for the kit, which then ends it
            )

    def ask(self, seconds: float, method: str, *arguments: object) -> object:
        """What is answered; raises what is raised there, `Ended`, or `Hung`."""
        try:
            self._pipe.send((method, arguments))
            if not self._pipe.poll(seconds):
                raise Hung
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Ended from error
        if isinstance(answer, Raised):
            raise SessionLost(answer.text, answer.lost) if answer.kind is SessionLost else answer.kind(answer.text)
        return answer

    def death(self) -> str:
        """The signal that the process died of, or the status that it ended with."""
        with suppress(TimeoutExpired):
            return ended_words(self._process.wait(END_SECONDS_MAX))
        return ""

    def remains(self) -> tuple[Evidence, ...]:
        """What a process that died has left: a backtrace, and what it said last."""
        program = str(Path(sys.executable).resolve())
        return (backtrace_of_core(program, self.directory), *self._complaints())

    def remains_of_hung(self) -> tuple[Evidence, ...]:
        """What a process that hangs is doing, and what it said last."""
        return (backtrace_of_process(self._process.pid, "the driver's process"), *self._complaints())

    def _complaints(self) -> tuple[Evidence, ...]:
        return log_tail(self.directory / COMPLAINTS, "end of what the driver's process wrote to standard error")

    def end(self) -> None:
        """The process is gone, and all that it made; it is given time to remove that itself."""
        self._pipe.close()
        with suppress(TimeoutExpired):
            self._process.wait(END_SECONDS_MAX)
        self.kill()

    def kill(self) -> None:
        """The process is gone at once, and all that it made."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()
        _remove_remains_of(self._process.pid)
        self._place.remove()


def _remove_remains_of(pid: int) -> None:
    kill_guests_of(pid)
    sweep_all()


def leave_nothing_of(pid: int) -> None:
    """The processes that *pid*, which is gone, had started here are gone too; their directories are swept.

    Of one that died a guest may have been about to start; of one that was interrupted, all is removed but what it was
    making just then.
    """
    kill_isolated_for(pid)
    _remove_remains_of(pid)


class IsolatedTarget:
    """A target whose guests are each driven in a process of their own; *open_there* opens it in one."""

    def __init__(self, name: str, design: Design, options: Options) -> None:
        self.design = design
        self._to_open = (name, design, options)
        self._changing = Lock()
        self._workers = set[Worker]()
        self._first: Worker | None = self.opened()
        assert self._about is not None
        self.name, self.uri, self.capabilities = self._about.name, self._about.uri, self._about.capabilities
        self.versions: Mapping[str, str] = self._about.versions
        self.builds = self._about.builds

    def opened(self) -> Worker:
        """A new process in which the target is opened."""
        worker = Worker()
        with self._changing:
            self._workers.add(worker)
        try:
            self._about = cast("Opened", worker.ask(OPEN_SECONDS_MAX, "open", *self._to_open))
        except (Ended, Hung) as error:
            self.drop(worker)
            raise BackendFailure(f"the backend {self._to_open[0]!r} died, or hung, when it was opened") from error
        except BaseException:
            self.drop(worker)
            raise
        return worker

    def drop(self, worker: Worker) -> None:
        """The process is gone at once."""
        with self._changing:
            self._workers.discard(worker)
        worker.kill()

    def fresh(self) -> Backend:
        with self._changing:
            worker, self._first = self._first, None
        return IsolatedBackend(self, worker or self.opened())

    def end(self, worker: Worker) -> None:
        """The process has ended in good order."""
        with self._changing:
            self._workers.discard(worker)
        worker.end()

    def close(self) -> None:
        with self._changing:
            left = tuple(self._workers)
        for worker in left:
            self.end(worker)

    @property
    def party(self) -> Party:
        """Who dies with such a process: a client, where the driver is somewhere else."""
        is_elsewhere = self.uri and urlsplit(self.uri).path != "/embed"
        return Party.CLIENT if is_elsewhere else Party.SERVER

    @property
    def answer_seconds_max(self) -> float:
        """How long a call may take."""
        return self.capabilities.lock_wait_seconds + MARGIN_SECONDS + SLACK_SECONDS


class IsolatedBackend:
    """Guests in a process of their own; once it was lost another is started for the next session."""

    def __init__(self, target: IsolatedTarget, worker: Worker) -> None:
        self._target = target
        self._worker: Worker | None = worker
        self._start(worker)

    def _start(self, worker: Worker) -> None:
        try:
            worker.ask(OPEN_SECONDS_MAX, "fresh")
        except (Ended, Hung) as error:
            self._drop()
            raise BackendFailure("the driver died, or hung, when fresh guests were wanted") from error

    def _drop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._target.drop(worker)

    def perform(self, call: Call) -> Outcome:
        """The outcome of the call; the loss of the process is one."""
        name = call_name(type(call))
        return cast("Outcome", self._asked(lambda w: w.ask(self._target.answer_seconds_max, "perform", call), name))

    def _asked(self, ask: Callable[[Worker], object], where: str) -> object:
        worker = self._worker
        if worker is None:
            raise SessionLost("the driver's process was lost before")
        try:
            return ask(worker)
        except Ended:
            lost = self._died(worker, where)
        except Hung:
            text = "the driver's process did not answer in time"
            lost = Lost(Party.SERVER, Fate.HUNG, "", text, once(("process", "hung", where), worker.remains_of_hung))
        self._drop()
        return lost

    def _died(self, worker: Worker, where: str) -> Lost:
        code = worker.death()
        text = f"the process in which the backend was driven died of {code}"
        if proof := proof_for(code, worker.oom_kills):
            self._drop()
            raise SessionLost(f"{text}: {proof}")
        return Lost(self._target.party, Fate.DIED, code, text, once(("process", code, where), worker.remains))

    def end_all_jobs(self) -> None:
        """No job is left; where the process was lost, another has new guests."""
        if self._worker is None:
            self._worker = self._target.opened()
            self._start(self._worker)
        self._worker.oom_kills = oom_kills()
        lost = self._asked(lambda worker: worker.ask(SESSION_SECONDS_MAX, "end_all_jobs"), "the end of a session")
        if isinstance(lost, Lost):
            raise SessionLost(lost.text, lost)

    def close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._target.end(worker)
