"""Witnesses are played on backends: a hazard of the drawing board is observed there, or not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from jobtck.backends import load_backend
from jobtck.command import real_backend_for
from jobtck.conformance.calls import AbortJob, BackupEnd, BackupGetXmlDesc, IdOf
from jobtck.conformance.capabilities import Backend, Options, Target
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.errors import BackendFailure, BadInput, JobtckError
from jobtck.conformance.exploration import (
    DesignRecord,
    DesignsRecord,
    Finding,
    Line,
    Observation,
    Observed,
    Witness,
)
from jobtck.conformance.hazards import World
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import BlockInfo, JobInfo, Outcome, Refusal, Unknown
from jobtck.conformance.requirement import Needs
from jobtck.conformance.session import Session
from jobtck.conformance.wording import LETTERS, answer_text, call_text
from jobtck.strategies.board import Bounds
from jobtck.strategies.survey import explore, findings, worlds

REFERENCE = "reference"


def with_observations(record: DesignsRecord, backends: Iterable[str], options: Options) -> DesignsRecord:
    """The record with every witness played on these backends."""
    for backend in backends:
        record = replace(record, designs=tuple(_observed(each, backend, options) for each in record.designs))
    return record


def real_backend_names(designs: Iterable[Design]) -> Iterator[str]:
    """The backends on real libvirt that these designs are sought on."""
    yield from dict.fromkeys(map(real_backend_for, designs))


def _observed(record: DesignRecord, backend: str, options: Options) -> DesignRecord:
    """The record of one design, its witnesses played on a backend that is meant for it."""
    if backend not in (REFERENCE, real_backend_for(record.design)):
        return record
    found = record.findings
    for design in dict.fromkeys(extent.design for extent in record.extents):
        played = [extent.world for extent in record.extents if extent.design == design]
        shown = [each for each in found if each.witness is not None and each.hazard.world in played]
        observations = _play_all(record, design, backend, options, shown)
        seen = dict(zip((each.hazard.id for each in shown), observations, strict=True))
        found = tuple(_with(each, seen[each.hazard.id]) if each.hazard.id in seen else each for each in found)
    return replace(record, findings=found)


def _with(finding: Finding, seen: Observation) -> Finding:
    assert finding.witness is not None
    return replace(finding, witness=replace(finding.witness, observations=(*finding.witness.observations, seen)))


def _play_all(
    record: DesignRecord, design: Design, backend: str, options: Options, shown: Sequence[Finding]
) -> list[Observation]:
    """What comes of the witnesses of one design, all on the same guests."""
    if not shown:
        return []
    if backend != REFERENCE and design != record.design:
        told = Observation(backend, Observed.NOT_TO_BE_HAD, "it runs one backup at a time")
        return [told for _ in shown]
    try:
        target = load_backend(backend).open(design, options)
    except (BadInput, BackendFailure) as error:
        return [Observation(backend, Observed.NOT_TO_BE_HAD, str(error)) for _ in shown]
    try:
        witnesses = playable(record, design, target, shown)
        mixed = [each.hazard.world is World.DOMAINS for each in shown]
        guests = target.fresh()
        try:
            seen = [
                None if fresh else observation(target, guests, each)
                for each, fresh in zip(witnesses, mixed, strict=True)
            ]
        finally:
            guests.close()
        return [each or _on_fresh_guests(target, witness) for each, witness in zip(seen, witnesses, strict=True)]
    finally:
        target.close()


def _on_fresh_guests(target: Target, witness: Witness | None) -> Observation:
    """What comes of a witness in which two domains give the same ids: they do so only from the start."""
    guests = target.fresh()
    try:
        return observation(target, guests, witness)
    finally:
        guests.close()


def playable(record: DesignRecord, design: Design, target: Target, shown: Sequence[Finding]) -> list[Witness | None]:
    """The witnesses; where the backend runs fewer backups at once than the design, those that need no more."""
    parallel = target.capabilities.parallel_backups
    witnesses = [each.witness for each in shown]
    if parallel is None or parallel >= design.parallel:
        return witnesses
    extent = record.extents[0]
    bounds = Bounds(clients=extent.clients, jobs=extent.jobs, depth=extent.depth)
    hazards = [replace(each.hazard, needs=Needs()) for each in shown]
    narrow = replace(design, parallel=parallel)
    explorers = worlds(narrow, bounds, [each for each in hazards if each.world is not World.FUTURE])
    explore(explorers, lambda _: "")
    present = [each for each in hazards if each.world in explorers]
    found = {each.hazard.id: each.witness for each in findings(narrow, explorers, present)}
    return [found.get(each.hazard.id) for each in shown]


def observation(target: Target, guests: Backend, witness: Witness | None) -> Observation:
    """What comes of the witness's calls there; None is one that the backend cannot have."""
    if witness is None:
        return Observation(target.name, Observed.NOT_TO_BE_HAD, "it runs one backup at a time")
    try:
        return play(target, guests, [line for line in witness.lines if line.call is not None])
    except JobtckError as error:
        return Observation(target.name, Observed.NOT_TO_BE_HAD, str(error))


def play(target: Target, guests: Backend, lines: Sequence[Line]) -> Observation:
    """Makes the calls; each must be answered or refused as on the drawing board, and must end what it ended there.

    What the judge says of them is another matter: a design may not allow what the contract demands.
    """
    guests.end_all_jobs()
    session = Session(Judge(target.design, target.capabilities), guests)
    broken: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        call = line.call
        assert call is not None
        where = f"call {number}, {call_text(call)}"
        if not session.can(call):
            return Observation(target.name, Observed.NO, f"{where}: its id was never told here")
        broken = session.perform(call).deviations
        outcome = session.history[-1].outcome
        if is_refusal(outcome) != line.refused:
            return Observation(target.name, Observed.NO, f"{where}: {answer_text(outcome)}")
    if lines and _goes_on(session, lines[-1]):
        return Observation(target.name, Observed.NO, f"job {lines[-1].hit} goes on")
    return Observation(target.name, Observed.YES, f"this breaks {', '.join(broken)}" if broken else "")


def is_refusal(outcome: Outcome) -> bool:
    """The call did not reach a job: it was refused, or told that there is none."""
    match outcome:
        case Refusal() | Unknown():
            return True
        case JobInfo(type=None) | BlockInfo(kind=None):
            return True
        case _:
            return False


def _goes_on(session: Session, last: Line) -> bool:
    """The job that the last call ended is still told of when it is asked for by its id."""
    if not last.ends or not isinstance(last.call, BackupEnd | AbortJob):
        return False
    call = BackupGetXmlDesc(job=IdOf(LETTERS.index(last.ends[0])), domain=last.call.domain)
    if session.judge.design.handle is not Handle.INTEGER or not session.can(call):
        return False
    session.perform(call)
    return not is_refusal(session.history[-1].outcome)
