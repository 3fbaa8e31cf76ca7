"""Changes of answers that the contract leaves free, each with the reason."""

from collections.abc import Callable
from typing import NamedTuple

from jobtck.conformance.changes import Change, Place


class Free(NamedTuple):
    """A class of changes that a conforming backend could answer with; `when` says at which places."""

    field: str
    hows: tuple[str, ...]
    when: Callable[[Place, Change], bool]
    reason: str


FREE: tuple[Free, ...] = ()


def why_free(place: Place, change: Change) -> str:
    """The reason why the contract leaves the change free; empty where it does not."""
    for each in FREE:
        if change.field == each.field and change.how in each.hows and each.when(place, change):
            return each.reason
    return ""
