"""Backends are found by entry point, so that anybody's package can add one."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from jobtck.conformance.capabilities import BackendPlugin
from jobtck.conformance.errors import BackendFailure, BadInput

GROUP = "jobtck.backends"


@cache
def backend_names() -> tuple[str, ...]:
    """The names under which backends are registered."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load_backend(name: str) -> BackendPlugin:
    """The backend of that name; `BadInput` if there is none, `BackendFailure` if it cannot be imported."""
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise BadInput(f"no backend {name!r}: there are {', '.join(backend_names())}")
    try:
        plugin: BackendPlugin = next(iter(found)).load()
    except ImportError as error:
        raise BackendFailure(f"the backend {name!r} cannot be loaded: {error}") from error
    return plugin


def load_backends() -> Mapping[str, BackendPlugin]:
    """All backends that can be loaded."""
    return {name: load_backend(name) for name in backend_names()}
