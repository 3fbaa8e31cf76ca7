"""The far end of a target in a process of its own: it answers what comes through a pipe."""

import os
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection
from typing import NamedTuple, cast

from jobtck.backends import GuardedTarget, open_target
from jobtck.conformance.capabilities import Backend, Build, Capabilities, Options
from jobtck.conformance.design import Design
from jobtck.conformance.errors import BackendFailure, BadInput, JobtckError, SessionLost
from jobtck.conformance.outcomes import Lost
from jobtck.fixtures.post_mortem import let_dump_core


class Opened(NamedTuple):
    """What a target says of itself."""

    name: str
    uri: str
    capabilities: Capabilities
    versions: dict[str, str]
    builds: tuple[Build, ...]


class Raised(NamedTuple):
    """A failure on its way: which, and in what words."""

    kind: type[JobtckError]
    text: str
    lost: Lost | None


class _FarEnd:
    """The target and the guests that it handed out."""

    def __init__(self) -> None:
        self._closers: list[Callable[[], None]] = []
        self._target: object = None
        self._guests: Backend | None = None

    def answer(self, method: str, arguments: tuple[object, ...]) -> object:
        if method == "open":
            name, design, options = cast("tuple[str, Design, Options]", arguments)
            self._target = target = open_target(name, design, options)
            self._closers.append(target.close)
            return Opened(target.name, target.uri, target.capabilities, dict(target.versions), target.builds)
        if method == "fresh":
            self._guests = cast("GuardedTarget", self._target).fresh()
            self._closers.append(self._guests.close)
            return None
        assert self._guests is not None
        return getattr(self._guests, method)(*arguments)

    def close(self) -> None:
        for closer in reversed(self._closers):
            with suppress(JobtckError):
                closer()


def serve(descriptor: int, directory: str) -> None:
    """Answers what comes through the pipe until nobody asks any more; then nothing is left of what was made."""
    os.chdir(directory)  # a core stays here
    let_dump_core()
    pipe, far_end = connection.Connection(descriptor), _FarEnd()
    try:
        with suppress(EOFError, OSError):  # who asked may be gone: there is nobody to tell
            while True:
                method, arguments = cast("tuple[str, tuple[object, ...]]", pipe.recv())
                try:
                    answer = far_end.answer(method, arguments)
                except JobtckError as error:
                    kinds = (BadInput, SessionLost, BackendFailure)
                    kind = next((each for each in kinds if isinstance(error, each)), BackendFailure)
                    answer = Raised(kind, str(error), getattr(error, "lost", None))
                pipe.send(answer)
    finally:
        far_end.close()
