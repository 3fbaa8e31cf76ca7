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
from jobtck.conformance.session import Session
from jobtck.conformance.wording import LETTERS, answer_text, call_text

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
    found: list[Finding] = list(record.findings)
    for world in World:
        places = [n for n, each in enumerate(found) if each.hazard.world is world and each.witness is not None]
        design = next((extent.design for extent in record.extents if extent.world is world), record.design)
        witnesses = [each.witness for n in places if (each := found[n]).witness is not None]
        played = _play_all(design, backend, options, witnesses)
        for place, (witness, observation) in zip(places, played, strict=True):
            shown = replace(witness, observations=(*witness.observations, observation))
            found[place] = replace(found[place], witness=shown)
    return replace(record, findings=tuple(found))


def _play_all(
    design: Design, backend: str, options: Options, witnesses: Sequence[Witness]
) -> list[tuple[Witness, Observation]]:
    if not witnesses:
        return []
    try:
        target = load_backend(backend).open(design, options)
    except (BadInput, BackendFailure) as error:
        told = Observation(backend, Observed.NOT_TO_BE_HAD, str(error))
        return [(each, told) for each in witnesses]
    try:
        guests = target.fresh()
        try:
            return [(each, observation(target, guests, each)) for each in witnesses]
        finally:
            guests.close()
    finally:
        target.close()


def observation(target: Target, guests: Backend, witness: Witness) -> Observation:
    """What comes of the witness's calls there."""
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
