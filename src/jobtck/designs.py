"""`jobtck designs`: every history of a few designs within bounds, and the hazards in them."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import FrameType

from rich.console import Console

from jobtck.conformance.design import Design, parse_designs, presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.exploration import DesignRecord, DesignsRecord
from jobtck.conformance.hazard_catalogue import HAZARDS
from jobtck.conformance.hazards import Hazard
from jobtck.reports.design_tables import print_designs_record
from jobtck.strategies.board import Bounds
from jobtck.strategies.costs import costs
from jobtck.strategies.survey import explore, extents, findings, worlds

INCOMPLETE = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which designs, how far, and which limits end it before."""

    designs: tuple[Design, ...]
    hazards: tuple[Hazard, ...]
    bounds: Bounds
    states_max: int
    seconds_max: float | None = None
    command: str = ""


def designs_named(names: Sequence[str]) -> tuple[Design, ...]:
    """The presets and the designs in files of these names; all presets if none is named."""
    found: dict[str, Design] = {}
    for name in names or presets():
        for design in _designs_of(name):
            if design.name in found and found[design.name] != design:
                raise BadInput(f"two designs are called {design.name!r}: rename one of them")
            found[design.name] = design
    return tuple(found.values())


def _designs_of(name: str) -> Sequence[Design]:
    if name in presets():
        return (presets()[name],)
    path = Path(name)
    if path.suffix != ".toml":
        raise BadInput(f"no design {name!r}: give one of {', '.join(presets())}, or a .toml file")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot read the designs: {error}") from error
    found = tuple(parse_designs(text, place=str(path)).values())
    if not found:
        raise BadInput(f"{path}: holds no design: write [name] and its axes below")
    return found


class Limits:
    """Says when to stop: at too many states, too late, or when the user interrupts."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._begun = monotonic()
        self.interrupted = ""

    def reason(self, states: int) -> str:
        """Why to stop now, in words; empty to go on."""
        seconds_max = self._question.seconds_max
        if self.interrupted:
            return self.interrupted
        if states >= self._question.states_max:
            return f"the limit of {self._question.states_max:,} states"
        if seconds_max is not None and monotonic() - self._begun >= seconds_max:
            return f"the limit of {seconds_max:g} seconds"
        return ""

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Ctrl-C ends the exploration, not the report; a second one ends both."""

        def interrupt(_: int, __: FrameType | None) -> None:
            self.interrupted = "interrupted"
            signal.signal(signal.SIGINT, signal.default_int_handler)

        before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def survey(question: Question) -> DesignsRecord:
    """All designs, one after the other, as far as the limits allow."""
    limits = Limits(question)
    with limits.interruptible():
        records = tuple(_survey_one(design, question, limits) for design in question.designs)
    return DesignsRecord(records, question.hazards, question.command)


def _survey_one(design: Design, question: Question, limits: Limits) -> DesignRecord:
    explorers = worlds(design, question.bounds, question.hazards)
    explore(explorers, limits.reason)
    found = findings(design, explorers, question.hazards)
    return DesignRecord(design, extents(explorers), found, costs(design))


def tell(question: Question, outputs: Mapping[str, Path], console: Console) -> int:
    """The exit status; the table is printed."""
    record = survey(question)
    print_designs_record(console, record)
    return 0 if all(design.is_complete for design in record.designs) else INCOMPLETE


def all_hazards() -> tuple[Hazard, ...]:
    """The hazards that the package ships."""
    return HAZARDS
