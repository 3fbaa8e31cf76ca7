"""How much a run would have noticed: what is reported of changed answers, as plain values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """How many changes of one field of a call's answers were noticed, of how many."""

    call: str
    field: str
    noticed: int
    total: int


@dataclass(frozen=True, slots=True)
class Unnoticed:
    """A class of changes of which none was noticed; where the contract leaves it free, `reason` says why."""

    call: str
    field: str
    how: str
    total: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Power:
    """What the requirements notice where one answer of a run is changed, and what they do not.

    `fields` are calls and fields of their answers; `requirements` say how many changes each noticed, a change that
    several noticed at once counts for each of them. `unwatched` are the classes of changes that nobody notices, `free`
    those that the contract leaves free: they are not counted elsewhere.
    """

    fields: tuple[Watched, ...]
    requirements: tuple[tuple[str, int], ...]
    unwatched: tuple[Unnoticed, ...]
    free: tuple[Unnoticed, ...]

    @property
    def noticed(self) -> int:
        """How many changed answers some requirement noticed."""
        return sum(each.noticed for each in self.fields)

    @property
    def total(self) -> int:
        """How many answers were changed."""
        return sum(each.total for each in self.fields)
