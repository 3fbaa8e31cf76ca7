"""Traces as files: calls with symbolic ids, so that a trace of one backend replays on another."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields

from jobtck.conformance.calls import (
    CALL_OF_NAME,
    ENDS,
    BackupBegin,
    BlockJobBegin,
    Call,
    HandleOf,
    IdOf,
    JobCompose,
    JobLookupId,
    NoJob,
    Odd,
    call_name,
    is_at_once,
)
from jobtck.conformance.comparison import CellChange
from jobtck.conformance.design import Design, Handle, design_of
from jobtck.conformance.errors import BadInput
from jobtck.conformance.exploration import DesignsRecord
from jobtck.conformance.plain import READERS, JsonObject, Reader, below, plain
from jobtck.conformance.record import TRACE_SCHEMA, Deviation, TargetRecord, TraceLine
from jobtck.conformance.state import HANDLE_LABELS, LABELS

CALLS_MAX = 100_000  # in one trace file; the kit's own have a few hundred at most
SECONDS_DIGITS = 6  # a microsecond; no clock here is better
BYTES_MAX = 64 * 1024 * 1024  # of a trace file


@dataclass(frozen=True, slots=True)
class Trace:
    """What a trace file holds: on what it was seen, what it shows, and the calls.

    That of a witness shows a `hazard`, and says which of its calls are refused; that of a cell that answers otherwise
    says what its last call told `before` and `since`.
    """

    backend: str
    design: Design
    requirements: tuple[str, ...]
    calls: tuple[Call, ...]
    hazard: str = ""
    refused: tuple[bool, ...] = ()
    before: tuple[str, ...] = ()
    since: tuple[str, ...] = ()


def witness_traces(record: DesignsRecord) -> Iterator[tuple[str, JsonObject]]:
    """A name and the content of a trace for each witness: what was refused is part of it."""
    for design in record.designs:
        for finding in design.findings:
            if finding.witness is None:
                continue
            played = next(each.design for each in design.extents if each.world is finding.hazard.world)
            lines = [(line, line.call) for line in finding.witness.lines if line.call is not None]
            content: JsonObject = {
                "schema": TRACE_SCHEMA,
                "backend": "reference",
                "design": design_json(played),
                "requirements": [],
                "hazard": finding.hazard.id,
                "refused": [line.refused for line, _ in lines],
                "calls": [{**call_json(call), "answer": {"words": line.answer}} for line, call in lines],
            }
            yield f"{design.design.name}-{finding.hazard.id}", content


def trace_json(deviation: Deviation, target: TargetRecord) -> JsonObject:
    """The content of a trace file."""
    return {
        "schema": TRACE_SCHEMA,
        "backend": target.backend,
        "uri": target.uri,
        "versions": dict(target.versions),
        "design": design_json(target.design),
        "requirements": list(deviation.requirements),
        "reproduced": deviation.reproduced,
        "runs": deviation.runs,
        "calls": [line_json(line) for line in deviation.lines],
    }


def change_json(change: CellChange, target: TargetRecord) -> JsonObject:
    """The content of the trace of a cell that answers otherwise than before."""
    return {
        "schema": TRACE_SCHEMA,
        "backend": target.backend,
        "uri": target.uri,
        "versions": dict(target.versions),
        "design": design_json(target.design),
        "requirements": [],
        "cell": change.cell._asdict(),
        "before": sorted({each.outcome for each in change.old}),
        "since": sorted({each.outcome for each in change.new}),
        "calls": [call_json(call) for call in change.way],
    }


def line_json(line: TraceLine) -> JsonObject:
    """A call with what was said to it, and what lives then."""
    answer = {
        "words": line.answer,
        "code": line.code,
        "text": line.text,
        "seconds": round(line.seconds, SECONDS_DIGITS),
        "jobs": list(line.jobs),
    }
    return {**call_json(line.call), "answer": answer}


def design_json(design: Design) -> JsonObject:
    """The axes of a design by name."""
    return {name: value for name, value in asdict(design).items() if value is not None}


def call_json(call: Call) -> JsonObject:
    """A call by name, with the arguments that differ from what is usual."""
    values: JsonObject = {"call": call_name(type(call))}
    for each in fields(call):
        value = getattr(call, each.name)
        if value != each.default:
            values[each.name] = plain(value)
    return values


def parse_trace(text: str, place: str) -> Trace:
    """The trace in a file's text; *place* names the file in complaints."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place}: not JSON: {error}") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise BadInput(f"{place}: not a trace of jobtck: it has no 'schema'")
    if content["schema"] != TRACE_SCHEMA:
        raise BadInput(f"{place}: its schema is {content['schema']!r}, and only {TRACE_SCHEMA!r} can be replayed")
    for key in ("backend", "design", "requirements", "calls"):
        if key not in content:
            raise BadInput(f"{place}: {key!r} is missing")
    calls, requirements = content["calls"], content["requirements"]
    if not isinstance(calls, list) or not 0 < len(calls) <= CALLS_MAX:
        raise BadInput(f"{place}: 'calls' is no list of 1 to {CALLS_MAX} calls")
    hazard = content.get("hazard", "")
    before, since = (_words(content.get(key, []), key, place) for key in ("before", "since"))
    if not isinstance(requirements, list) or not (requirements or hazard or (before and since)):
        raise BadInput(f"{place}: 'requirements' is no list of requirements, one at least")
    design = design_in(content["design"], place)
    return Trace(
        backend=str(content["backend"]),
        design=design,
        requirements=tuple(str(each) for each in requirements),
        calls=tuple(call_in(call, design, f"{place}: call {number}") for number, call in enumerate(calls, 1)),
        hazard=str(hazard),
        refused=_refused(content, len(calls), place),
        before=before,
        since=since,
    )


def _words(told: object, key: str, place: str) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise BadInput(f"{place}: {key!r} is no list of answers in words")
    return tuple(told)


def _refused(content: JsonObject, count: int, place: str) -> tuple[bool, ...]:
    """Which calls a witness has refused; nothing where the trace is none."""
    if "refused" not in content:
        return ()
    told = content["refused"]
    if not isinstance(told, list) or len(told) != count or not all(isinstance(each, bool) for each in told):
        raise BadInput(f"{place}: 'refused' does not say of each call whether it is refused")
    return tuple(told)


def design_in(content: object, place: str) -> Design:
    """The design that `design_json` wrote."""
    match content:
        case {"name": str(name), **axes}:
            return design_of(name, {str(axis): value for axis, value in axes.items()}, f"{place}: design")
        case _:
            raise BadInput(f"{place}: 'design' is no object with a 'name' and the axes")


def call_in(content: object, design: Design, place: str) -> Call:
    """The call that `call_json` wrote, if it is one of the design's."""
    match content:
        case {"call": str(name), **arguments} if name in CALL_OF_NAME:
            kind = CALL_OF_NAME[name]
        case {"call": name}:
            raise BadInput(f"{place}: no call is named {name!r}")
        case _:
            raise BadInput(f"{place}: {content!r:.80} is no call")
    arguments.pop("answer", None)
    allowed = {each.name for each in fields(kind)}
    read: dict[str, object] = {}
    for key, value in arguments.items():
        if key not in allowed:
            raise BadInput(f"{place}: {name} has no argument {key!r}")
        try:
            read[key] = _READERS[key](value)
        except (TypeError, ValueError, KeyError) as error:
            raise BadInput(f"{place}: {name} cannot have {key} = {value!r:.80}") from error
    try:
        call = kind(**read)  # type: ignore[arg-type]
    except TypeError as error:
        needed = ", ".join(sorted(allowed - read.keys() - _OPTIONAL))
        raise BadInput(f"{place}: {name} needs {needed}") from error
    if complaint := _misfit(call, design):
        raise BadInput(f"{place}: {name} {complaint}")
    return call


def _misfit(call: Call, design: Design) -> str:
    """What makes the call none of the design's, in words; empty when it is one."""
    handle = design.handle
    if isinstance(call, BackupBegin | BlockJobBegin):
        if call.label >= LABELS:
            return f"labels its job {call.label}: labels of jobs are below {LABELS}"
        if (call.name is not None) != (handle is Handle.NAME):
            return f"{'needs a' if handle is Handle.NAME else 'cannot have a'} name where handle = '{handle}'"
        if call.waits and handle is not Handle.NAME:
            return f"leaves no step to its client where handle = '{handle}'"
    if is_at_once(call) and not isinstance(call, ENDS):
        return "is made by two clients at once: only calls that end a job are"
    match getattr(call, "job", None):
        case NoJob() if handle is not Handle.NONE:
            return f"names no job, and handle = '{handle}' demands one"
        case HandleOf() if handle is not Handle.OPAQUE:
            return f"names a handle, and handle = '{handle}' has none"
        case IdOf() if handle is Handle.NONE:
            return "names an id, and handle = 'none' has none"
        case IdOf() if handle is Handle.OPAQUE and not isinstance(call, JobLookupId | JobCompose):
            return "names an id, and handle = 'opaque' demands a handle"
        case _:
            return ""


_label = below(HANDLE_LABELS.stop)
_job_label = below(LABELS)


def _reference(value: object) -> IdOf | HandleOf | Odd | NoJob:
    match value:
        case {"id_of": label, **more} if not more:
            return IdOf(_job_label(label))
        case {"handle_of": label, **more} if not more:
            return HandleOf(_label(label))
        case {"odd": str(name), **more} if not more:
            return Odd[name.upper()]
        case None:
            return NoJob.NAMED
        case _:
            raise ValueError(value)


_READERS: Mapping[str, Reader] = {**READERS, "label": _label, "job": _reference}
_OPTIONAL = frozenset({"domain", "client", "flaw", "name", "waits", "storage"})
