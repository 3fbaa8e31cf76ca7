"""Backends are found by entry point, so that anybody's package can add one."""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points

from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Backend, BackendPlugin, Build, Options, Target
from jobtck.conformance.design import Design
from jobtck.conformance.errors import BackendFailure, BadInput, JobtckError
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.wording import call_text
from jobtck.fixtures.adapter_target import PREFIX, AdapterPlugin

GROUP = "jobtck.backends"


@cache
def backend_names() -> tuple[str, ...]:
    """The names under which backends are registered."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load_backend(name: str) -> BackendPlugin:
    """The backend of that name, or behind that command; `BadInput` if there is none.

    `BackendFailure` if it cannot be imported.
    """
    if name.startswith(PREFIX):
        return AdapterPlugin(name.removeprefix(PREFIX))
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise BadInput(f"no backend {name!r}: there are {', '.join(backend_names())}, and 'exec:COMMAND'")
    try:
        plugin: BackendPlugin = next(iter(found)).load()
    except ImportError as error:
        raise BackendFailure(f"the backend {name!r} cannot be loaded: {error}") from error
    return plugin


def load_backends() -> Mapping[str, BackendPlugin]:
    """All backends that can be loaded."""
    return {name: load_backend(name) for name in backend_names()}


def open_target(name: str, design: Design, options: Options) -> Target:
    """The backend of that name, ready to be driven; whatever it raises is told as a failure of its own."""
    plugin = load_backend(name)
    with _blamed(name, "when it was opened"):
        return GuardedTarget(plugin.open(design, options))


class GuardedTarget:
    """A target that raises nothing but `JobtckError`: a mistake in a backend is no mistake of the kit's."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.name = target.name
        self.uri = target.uri
        self.design = target.design
        self.capabilities = target.capabilities
        self.versions = target.versions
        self.builds: tuple[Build, ...] = getattr(target, "builds", ())  # plugins of others may know nothing of it

    def fresh(self) -> Backend:
        with _blamed(self.name, "when fresh guests were wanted"):
            return GuardedBackend(self.name, self._target.fresh())

    def close(self) -> None:
        with _blamed(self.name, "when it was closed"):
            self._target.close()


class GuardedBackend:
    """A backend that raises nothing but `JobtckError`."""

    def __init__(self, name: str, backend: Backend) -> None:
        self._name = name
        self._backend = backend

    def perform(self, call: Call) -> Outcome:
        try:
            return self._backend.perform(call)
        except JobtckError:
            raise
        except Exception as error:
            raise _mistake(self._name, f"at {call_text(call)}", error) from error

    def end_all_jobs(self) -> None:
        with _blamed(self._name, "when a session was ended"):
            self._backend.end_all_jobs()

    def close(self) -> None:
        with _blamed(self._name, "when guests were given back"):
            self._backend.close()


@contextmanager
def _blamed(name: str, when: str) -> Iterator[None]:
    try:
        yield
    except JobtckError:
        raise
    except Exception as error:
        raise _mistake(name, when, error) from error


def _mistake(name: str, when: str, error: Exception) -> BackendFailure:
    """The failure that tells what was raised, and the line of the backend's that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    told = f"{type(error).__name__}: {error}".rstrip(": ")
    return BackendFailure(f"the backend {name!r} failed {when}: {told} ({place.filename}, line {place.lineno})")
