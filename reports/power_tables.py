"""What a page shows of how much a run would have noticed."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobtck.conformance.power_record import Power, Unnoticed, Watched
from jobtck.reports.columns import Column
from jobtck.reports.sentences import power_text


class CallRow(NamedTuple):
    """A call with the fields of its answers that were changed."""

    call: str
    fields: Sequence[Watched]
    noticed: int
    total: int


class Missed(NamedTuple):
    """What of the answers to some calls may be wrong in these ways, and nobody notices, or the contract allows it."""

    calls: str
    field: str
    hows: str
    reason: str = ""


class PowerTable(NamedTuple):
    """The power of one result in one design.

    Of requirements it is told how many changes they noticed, and whether they are told in the page.
    """

    title: str
    column: Column
    text: str
    calls: Sequence[CallRow]
    requirements: Sequence[tuple[str, int, bool]]
    unwatched: Sequence[Missed]
    free: Sequence[Missed]


def power_tables(shown: Iterable[Column]) -> Sequence[PowerTable]:
    """A table for each column whose power was measured."""
    return [
        PowerTable(
            title=f"{column.release} as {column.design}",
            column=column,
            text=power_text(power),
            calls=_calls(power),
            requirements=_requirements(column, power),
            unwatched=_missed(power.unwatched),
            free=_missed(power.free),
        )
        for column in shown
        if (power := column.record.power) is not None
    ]


def _calls(power: Power) -> Sequence[CallRow]:
    made = []
    for call in dict.fromkeys(each.call for each in power.fields):
        fields = [each for each in power.fields if each.call == call]
        made.append(CallRow(call, fields, sum(each.noticed for each in fields), sum(each.total for each in fields)))
    return made


def _requirements(column: Column, power: Power) -> Sequence[tuple[str, int, bool]]:
    most_first = sorted(power.requirements, key=lambda each: -each[1])
    return [(id, noticed, column.requirement(id) is not None) for id, noticed in most_first]


def _missed(classes: Iterable[Unnoticed]) -> Sequence[Missed]:
    """Classes side by side: of one call what is wrong with a field, and calls of which the same is said."""
    hows: dict[tuple[str, str, str], list[str]] = {}
    for each in classes:
        hows.setdefault((each.call, each.field, each.reason), []).append(each.how)
    calls: dict[tuple[str, str, str], list[str]] = {}
    for (call, field, reason), words in hows.items():
        calls.setdefault((field, ", ".join(words), reason), []).append(call)
    return [Missed(", ".join(those), *told) for told, those in sorted(calls.items())]
