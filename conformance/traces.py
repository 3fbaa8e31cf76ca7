"""Traces as files: calls with symbolic ids, so that a trace of one backend replays on another."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum

from jobtck.conformance.calls import (
    CALL_OF_NAME,
    Call,
    Flaw,
    HandleOf,
    IdOf,
    JobType,
    Mode,
    NoJob,
    Odd,
    call_name,
)
from jobtck.conformance.design import Design, Handle, Namespace, Reuse, Zero
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import TRACE_SCHEMA, Deviation, TargetRecord

CALLS_MAX = 100_000  # in one trace file; the kit's own have a few hundred at most
BYTES_MAX = 64 * 1024 * 1024  # of a trace file

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a trace file holds: on what it was seen, what it shows, and the calls."""

    backend: str
    design: Design
    requirements: tuple[str, ...]
    calls: tuple[Call, ...]


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
        "calls": [
            {
                **call_json(line.call),
                "answer": {"words": line.answer, "code": line.code, "text": line.text},
            }
            for line in deviation.lines
        ],
    }


def design_json(design: Design) -> JsonObject:
    """The axes of a design by name."""
    return {name: value for name, value in asdict(design).items() if value is not None}


def call_json(call: Call) -> JsonObject:
    """A call by name, with the arguments that differ from what is usual."""
    values: JsonObject = {"call": call_name(type(call))}
    for each in fields(call):
        value = getattr(call, each.name)
        if value != each.default:
            values[each.name] = _plain(value)
    return values


def _plain(value: object) -> object:
    match value:
        case IdOf(label):
            return {"id_of": label}
        case HandleOf(label):
            return {"handle_of": label}
        case Odd():
            return {"odd": value.name.lower()}
        case NoJob():
            return None
        case frozenset():
            return sorted(str(each) for each in value)
        case tuple():
            return list(value)
        case Enum():
            return str(value)
        case _:
            return value


def parse_trace(text: str, place: str) -> Trace:
    """The trace in a file's text; *place* names the file in complaints."""
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"{place}: not JSON: {error}") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise BadInput(f"{place}: not a trace of jobtck: it has no 'schema'")
    if content["schema"] != TRACE_SCHEMA:
        raise BadInput(f"{place}: its schema is {content['schema']!r}, and only {TRACE_SCHEMA!r} can be replayed")
    try:
        calls = content["calls"]
        if not isinstance(calls, list) or len(calls) > CALLS_MAX:
            raise BadInput(f"{place}: 'calls' is no list of at most {CALLS_MAX} calls")
        return Trace(
            backend=str(content["backend"]),
            design=_design(content["design"]),
            requirements=tuple(str(each) for each in content["requirements"]),
            calls=tuple(_call(call, f"{place}: call {number}") for number, call in enumerate(calls, 1)),
        )
    except KeyError as error:
        raise BadInput(f"{place}: {error.args[0]!r} is missing") from error
    except (TypeError, ValueError) as error:
        raise BadInput(f"{place}: {error}") from error


def _design(axes: Mapping[str, object]) -> Design:
    optional = {"zero": Zero, "namespace": Namespace, "reuse": Reuse}
    chosen: dict[str, object] = {**axes, "handle": Handle(axes["handle"])}
    for name, choice in optional.items():
        chosen[name] = choice(axes[name]) if name in axes else None
    return Design(**chosen)  # type: ignore[arg-type]


def _call(values: Mapping[str, object], place: str) -> Call:
    name = values.get("call")
    kind = CALL_OF_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadInput(f"{place}: no call is named {name!r}")
    arguments = {key: _symbolic(key, value) for key, value in values.items() if key not in ("call", "answer")}
    try:
        return kind(**arguments)  # type: ignore[arg-type]
    except TypeError as error:
        raise BadInput(f"{place}: {error}") from error


def _symbolic(key: str, value: object) -> object:
    match key, value:
        case "job", {"id_of": int(label)}:
            return IdOf(label)
        case "job", {"handle_of": int(label)}:
            return HandleOf(label)
        case "job", {"odd": str(name)}:
            return Odd[name.upper()]
        case "job", _:
            return NoJob.NAMED
        case "types", list():
            return frozenset(JobType(each) for each in value)
        case "type", str():
            return JobType(value)
        case "mode", str():
            return Mode(value)
        case "flaw", str():
            return Flaw(value)
        case "disks", list():
            return tuple(str(each) for each in value)
        case _:
            return value
