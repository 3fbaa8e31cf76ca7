"""Counter-examples made short: by the model's own shortest way, else by leaving out what is not needed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from jobtck.conformance.calls import (
    ARRANGED,
    WITH_JOB,
    BackupBegin,
    BlockJobBegin,
    Call,
    HandleOf,
    IdOf,
    JobCompose,
    JobLookupId,
    alone,
    is_at_once,
)
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.state import HANDLE_LABELS

TRIES_MAX = 400  # programs tried for one counter-example; on a guest each takes some ten milliseconds

StillDeviates = Callable[[Sequence[Call]], bool]
Unit = TypeVar("Unit")  # a call, or all calls of a session


def shorten(units: Sequence[Unit], still_deviates: Callable[[Sequence[Unit]], bool]) -> tuple[Unit, ...]:
    """The calls, or sessions, that the deviation needs (delta debugging); one-minimal within the limit.

    The last one is that which deviates, and always stays.
    """
    needed = tuple(units)
    tries = 0
    size = max(1, len(needed) // 2)
    while tries < TRIES_MAX:
        shorter = None
        for start in range(len(needed) - 1 - size, -1 - size, -size):
            candidate = (*needed[: max(0, start)], *needed[max(0, start + size) :])
            if len(candidate) == len(needed) or not candidate:
                continue
            tries += 1
            if still_deviates(candidate):
                shorter = candidate
                break
            if tries >= TRIES_MAX:
                break
        if shorter is not None:
            needed = shorter
            size = min(size, max(1, len(needed) // 2))
        elif size == 1:
            break
        else:
            size = max(1, size // 2)
    return needed


def plainer(calls: Sequence[Call], still_deviates: StillDeviates) -> tuple[Call, ...]:
    """The calls, each by the first client unless the deviation needs another."""
    needed = tuple(calls)
    for at in reversed(range(len(needed))):
        if needed[at].client:
            candidate = (*needed[:at], replace(needed[at], client=0), *needed[at + 1 :])
            if still_deviates(candidate):
                needed = candidate
    return needed


def undisturbed(calls: Sequence[Call], still_deviates: StillDeviates) -> tuple[Call, ...]:
    """The calls, none cut off, and none by two clients at once, where something deviates without that too.

    What two clients called at once is tried by one of them, then by one after the other.
    """
    needed = tuple(calls)
    for at in reversed(range(len(needed))):
        if getattr(needed[at], "flaw", None) not in ARRANGED:
            continue
        by_one = (alone(needed[at]),)
        by_each = (*by_one, alone(needed[at], SECOND_CLIENT)) if is_at_once(needed[at]) else by_one
        for instead in dict.fromkeys((by_one, by_each)):
            candidate = (*needed[:at], *instead, *needed[at + 1 :])
            if still_deviates(candidate):
                needed = candidate
                break
    return needed


def relabelled(calls: Sequence[Call]) -> tuple[Call, ...]:
    """The calls with the labels a, b … in the order of their begins, without those on what was begun nowhere."""
    labels: dict[int, int] = {}
    found: list[Call] = []
    for call in calls:
        if isinstance(call, BackupBegin | BlockJobBegin | JobLookupId | JobCompose):
            _label(labels, call.label)
        if type(call) in WITH_JOB:
            reference = call.job  # type: ignore[attr-defined]
            if isinstance(reference, IdOf | HandleOf):
                if reference.label not in labels:
                    continue
                call = replace(call, job=type(reference)(labels[reference.label]))  # type: ignore[call-arg]  # noqa: PLW2901
        found.append(_with_label(call, labels))
    return tuple(found)


def _label(labels: dict[int, int], label: int) -> None:
    """Gives the label the next of its sort: jobs and handles that were looked up are counted apart."""
    if label not in labels:
        first = HANDLE_LABELS.start if label in HANDLE_LABELS else 0
        labels[label] = first + sum((other in HANDLE_LABELS) is (label in HANDLE_LABELS) for other in labels)


def _with_label(call: Call, labels: dict[int, int]) -> Call:
    if isinstance(call, JobLookupId | JobCompose):
        return replace(call, label=labels[call.label])
    if not isinstance(call, BackupBegin | BlockJobBegin):
        return call
    label = labels[call.label]
    is_named = call.name is not None and call.name == NAME_OF_LABEL[call.label]  # else it is ill-formed
    return replace(call, label=label, name=NAME_OF_LABEL[label] if is_named else call.name)
