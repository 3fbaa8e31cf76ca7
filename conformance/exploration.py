"""The record of an exploration: what reports on designs are made of, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from jobtck.conformance.calls import Call
from jobtck.conformance.design import Design
from jobtck.conformance.hazards import Hazard, World

DESIGNS_SCHEMA = "jobtck-designs/1"


class Answer(StrEnum):
    """What an exploration says of one hazard in one design."""

    PRESENT = "present"
    ABSENT = "absent"  # within the bounds, all histories were looked at
    NOT_PROVED = "not proved"  # it was not met before a limit ended the exploration
    IMPOSSIBLE = "impossible"  # the design lacks what it takes


class Observed(StrEnum):
    """What became of a witness on a backend."""

    YES = "observed"
    NO = "took another turn"
    NOT_TO_BE_HAD = "not to be had"


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a witness: who (None: nobody) does what, what is answered, and which job is meant and hit.

    Jobs are called by letters; `begins` and `ends` are those that the step begins and ends.
    """

    client: int | None
    text: str
    answer: str = ""
    call: Call | None = None
    refused: bool = False
    meant: str = ""
    hit: str = ""
    begins: str = ""
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """A witness played on a backend: what came of it, and where it differed or why it could not be."""

    backend: str
    observed: Observed
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """A shortest history that shows a hazard; `window` counts the steps between what was learnt and the act."""

    lines: tuple[Line, ...]
    window: int | None = None
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one hazard; `reason` says why where it is neither present nor absent."""

    hazard: Hazard
    answer: Answer
    witness: Witness | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the histories of one world were looked at; `stopped` says what ended it too early, if anything.

    `design` is the one that was played there: of the future it is another.
    """

    world: World
    design: Design
    clients: int
    jobs: int
    depth: int
    states: int
    transitions: int
    depth_reached: int
    seconds: float
    levels: tuple[int, ...] = ()
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """The fewest calls and round trips of a workflow; None where the design cannot do it."""

    workflow: str
    calls: int | None
    round_trips: int | None
    way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DesignRecord:
    """All that was found of one design."""

    design: Design
    extents: tuple[Extent, ...]
    findings: tuple[Finding, ...]
    costs: tuple[Cost, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Every history within the bounds was looked at."""
        return not any(extent.stopped for extent in self.extents)


@dataclass(frozen=True, slots=True)
class DesignsRecord:
    """An exploration of several designs."""

    designs: tuple[DesignRecord, ...]
    hazards: tuple[Hazard, ...]
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
