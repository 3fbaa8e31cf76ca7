"""A hazard is data: what must not happen in any history of a design, and where that worry comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum

from jobtck.conformance.histories import By, Hit, Kinds, Learnt, Moment, Standing, Trouble, Verb, Whose
from jobtck.conformance.outcomes import ErrorKind
from jobtck.conformance.requirement import Needs


class World(StrEnum):
    """Whose histories a hazard is sought in."""

    AS_IS = "as it is"
    FUTURE = "with several backups at once"  # met by clients that were written when there was one
    DOMAINS = "with two domains"  # whose ids clients may mix up


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Moments that have one of these values each; an axis that is left empty may have any."""

    verb: tuple[Verb, ...] = ()
    by: tuple[By, ...] = ()
    learnt: tuple[Learnt, ...] = ()
    refused: tuple[ErrorKind | None, ...] = ()
    meant: tuple[Standing, ...] = ()
    hit: tuple[Hit, ...] = ()
    kinds: tuple[Kinds, ...] = ()
    owner: tuple[Whose, ...] = ()
    chooser: tuple[Whose, ...] = ()
    fits: tuple[bool, ...] = ()
    strayed: tuple[bool, ...] = ()
    later: tuple[bool, ...] = ()
    backups: tuple[int, ...] = ()
    own: tuple[int, ...] = ()
    trouble: tuple[Trouble, ...] = ()

    def __call__(self, moment: Moment) -> bool:
        """The moment fits."""
        return all(not allowed or value in allowed for allowed, value in zip(self.values, moment, strict=True))

    @property
    def values(self) -> tuple[tuple[object, ...], ...]:
        """What each axis may be, in the order of a moment's."""
        return tuple(getattr(self, name) for name in Moment._fields)


PATTERN_AXES = tuple(each.name for each in fields(Pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A sort of moment that a design should not have; `needs` says which designs could have it at all."""

    id: str
    text: str
    source: str
    when: Callable[[Moment], bool]
    needs: Needs = field(default_factory=Needs)
    world: World = World.AS_IS

    @property
    def group(self) -> str:
        """The first word of the id."""
        return self.id.partition("-")[0]
