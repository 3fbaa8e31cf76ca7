"""`jobtck designs`: every history of a few designs within bounds, and the hazards in them."""

import json
import runpy
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import FrameType

from rich.console import Console

from jobtck.command import terminated_as_interrupted
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import Design, parse_designs, presets
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.exploration import DesignRecord, DesignsRecord
from jobtck.conformance.hazard_catalogue import HAZARDS
from jobtck.conformance.hazard_files import parse_hazards
from jobtck.conformance.hazards import Hazard
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.traces import witness_traces
from jobtck.explorations import read_saved, restore_all, saved_all, write_saved
from jobtck.observe import REFERENCE, real_backend_names, with_observations
from jobtck.reports.design_tables import print_designs_record
from jobtck.reports.designs_html import designs_html
from jobtck.reports.designs_json import designs_json
from jobtck.reports.sequence_steps import witness_pictures
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


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is wanted besides the table: files, and with `real` the witnesses played on real libvirt."""

    json: Path | None = None
    html: Path | None = None
    witnesses: Path | None = None
    save: Path | None = None
    real: Options | None = None


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
    found = tuple(parse_designs(_read(path, "designs"), place=str(path)).values())
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


def survey(question: Question, save: Path | None, console: Console) -> DesignsRecord:
    """All designs, one after the other, as far as the limits allow; goes on from what was saved there before."""
    before = read_saved(save, question.bounds) if save is not None and save.exists() else {}
    limits = Limits(question)
    records: list[DesignRecord] = []
    kept: list[JsonObject] = []
    with limits.interruptible(), console.status("") as status:
        for design in question.designs:
            status.update(f"{design.name}: every history of {question.bounds.depth} steps")
            explorers = worlds(design, question.bounds, question.hazards)
            restore_all(design, explorers, before)
            explore(explorers, limits.reason)
            if save is not None:
                kept += saved_all(design, explorers)
            found = findings(design, explorers, question.hazards)
            records.append(DesignRecord(design, extents(explorers), found, costs(design)))
    if save is not None:
        write_saved(save, question.bounds, kept)
    return DesignsRecord(tuple(records), question.hazards, question.command)


def tell(question: Question, outputs: Outputs, console: Console) -> int:
    """The exit status; the table is printed, and what else was asked for is written."""
    record = with_observations(survey(question, outputs.save, console), [REFERENCE], Options())
    write(record, outputs)
    if outputs.real is not None:
        with terminated_as_interrupted(threading.Event()):
            names = real_backend_names(each.design for each in record.designs)
            record = with_observations(record, names, outputs.real)
        write(record, outputs)
    print_designs_record(console, record)
    return 0 if all(design.is_complete for design in record.designs) else INCOMPLETE


def write(record: DesignsRecord, outputs: Outputs) -> None:
    """Writes the files that were asked for."""
    texts = {
        outputs.json: json.dumps(designs_json(record), indent=1, ensure_ascii=False) + "\n",
        outputs.html: designs_html(record),
    }
    for path, text in texts.items():
        if path is not None:
            _write(path, text)
    if outputs.witnesses is not None:
        for name, content in witness_traces(record):
            _write(outputs.witnesses / f"{_flat(name)}.json", json.dumps(content, indent=1) + "\n")
        for name, picture in witness_pictures(record):
            _write(outputs.witnesses / f"{_flat(name)}.svg", picture)


def _flat(name: str) -> str:
    """The name as that of one file, whatever its author called the design."""
    return name.replace("/", "_")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BackendFailure(f"{path}: cannot be written: {error.strerror}") from error


def hazards_named(names: Sequence[str]) -> tuple[Hazard, ...]:
    """The hazards that the package ships, and those of the files of these names."""
    found = {hazard.id: hazard for hazard in HAZARDS}
    for name in names:
        path = Path(name)
        own = _hazards_of_python(path) if path.suffix == ".py" else parse_hazards(_read(path, "hazards"), str(path))
        for hazard in own:
            if hazard.id in found:
                raise BadInput(f"{path}: there is a hazard {hazard.id!r} already: rename it")
            found[hazard.id] = hazard
    return tuple(found.values())


def _hazards_of_python(path: Path) -> Sequence[Hazard]:
    try:
        names = runpy.run_path(str(path))
    except Exception as error:
        raise BadInput(f"{path}: cannot be run: {type(error).__name__}: {error}") from error
    found = names.get("HAZARDS")
    if not isinstance(found, Sequence) or not found or not all(isinstance(each, Hazard) for each in found):
        raise BadInput(f"{path}: HAZARDS is no list of jobtck.conformance.hazards.Hazard, one at least")
    return found


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot read the {what}: {error}") from error
