"""Seconds that the kit takes for itself while it makes a call are not those of the backend."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class _Spent(threading.local):
    """Seconds of housekeeping in this thread, not yet asked for."""

    seconds = 0.0


_spent = _Spent()


@contextmanager
def housekeeping() -> Iterator[None]:
    """What is done in the block prepares guests for a call; its time does not count as that of the call."""
    begun = perf_counter()
    try:
        yield
    finally:
        _spent.seconds += perf_counter() - begun


def housekeeping_seconds() -> float:
    """The seconds of housekeeping in this thread since they were last asked for."""
    seconds = _spent.seconds
    if seconds:
        _spent.seconds = 0.0
    return seconds
