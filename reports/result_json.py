"""The record of a run as `result.json`, and the schema that every such file keeps."""

import json
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from jobtck.conformance.declared import limits_json
from jobtck.conformance.errors import BadInput
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.power_record import Power
from jobtck.conformance.record import (
    RESULT_SCHEMA,
    CellRecord,
    Deviation,
    Gate,
    KnownDeviation,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    TargetRecord,
)
from jobtck.conformance.traces import SECONDS_DIGITS, design_json, line_json
from jobtck.reports.texts import storable

COMPLAINT_MAX = 300  # characters: a complaint may quote what it complains of, whole


def result(run: RunRecord) -> JsonObject:
    """The content of `result.json`: one record, or several (or none) in `runs`."""
    match run.records:
        case (record,):
            content = _record(record, verdict=run.verdict, error=run.error)
            more = {"seconds": _seconds(run.seconds), "gate": _gate(run.gate)}
            return plain_json({"schema": RESULT_SCHEMA, "date": run.date, **content, **more})
        case records:
            return plain_json(
                {
                    "schema": RESULT_SCHEMA,
                    "date": run.date,
                    "verdict": run.verdict,
                    "error": run.error,
                    "seed": run.seed,
                    "command": run.command,
                    "seconds": _seconds(run.seconds),
                    "gate": _gate(run.gate),
                    "runs": [_record(each, verdict=each.verdict, error="") for each in records],
                }
            )


def dumps(content: JsonObject) -> str:
    """The text of the file: ASCII only, indented, in the order of the content."""
    return json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


@cache
def schema() -> JsonObject:
    """The JSON Schema that `result.json` keeps."""
    shipped = files("jobtck.reports") / "result.schema.json"
    content = json.loads(shipped.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def validate(content: object, place: str = "result.json") -> None:
    """Refuses what breaks the schema with `BadInput`, which names the path of the worst breach."""
    errors = Draft202012Validator(schema()).iter_errors(cast("Any", content))
    error = best_match(errors)
    if error is not None:
        complaint = storable(error.message, COMPLAINT_MAX)
        raise BadInput(f"{place}: {storable(error.json_path, COMPLAINT_MAX)}: {complaint}")


def _record(record: Record, *, verdict: RunVerdict, error: str) -> JsonObject:
    cells = sorted(
        record.cells, key=lambda cell: (cell.state, cell.call, cell.outcome, cell.waited, not cell.sure, cell.symptoms)
    )
    return {
        "schema": RESULT_SCHEMA,
        "verdict": verdict,
        "error": error,
        "strict": record.strict,
        "target": _target(record.target),
        "cost": {
            "calls": record.cost.calls,
            "seconds_total": _seconds(record.cost.seconds_total),
            "seconds_in_backend": _seconds(record.cost.seconds_in_backend),
        },
        "seed": record.seed,
        "command": record.command,
        "notes": list(record.notes),
        "requirements": [_requirement(each) for each in record.requirements],
        "stale_known": [_known(each) for each in record.stale_known],
        "expired_known": [_known(each) for each in record.expired_known],
        "absent_known": [_known(each) for each in record.absent_known],
        "unkept_calls": list(record.unkept_calls),
        "never_succeeded": list(record.never_succeeded),
        "cells_open": record.cells_open,
        "cells": [_cell(each) for each in cells],
        "power": None if record.power is None else _power(record.power),
    }


def _target(target: TargetRecord) -> JsonObject:
    return {
        "backend": target.backend,
        "uri": target.uri,
        "design": design_json(target.design),
        "versions": dict(sorted(target.versions.items())),
        "builds": [asdict(each) for each in target.builds],
        "capabilities": {
            "calls": sorted(set(target.calls)),
            "features": sorted(set(target.features)),
            "reasons": dict(sorted(target.reasons.items())),
            "limits": None if target.capabilities is None else limits_json(target.capabilities),
        },
    }


def _requirement(requirement: RequirementRecord) -> JsonObject:
    return {
        "id": requirement.id,
        "chapter": requirement.chapter,
        "level": requirement.level,
        "text": requirement.text,
        "source": requirement.source,
        "verdict": requirement.verdict,
        "exercised": requirement.exercised,
        "reason": requirement.reason,
        "provisional": requirement.provisional,
        "left_out": requirement.left_out,
        "deviations": [_deviation(each) for each in requirement.deviations],
        "known": [_known(each) for each in requirement.known],
        "excused": requirement.excused,
    }


def _deviation(deviation: Deviation) -> JsonObject:
    return {
        "trace": deviation.trace_file,
        "reproduced": deviation.reproduced,
        "runs": deviation.runs,
        "requirements": list(deviation.requirements),
        "calls": [line_json(line) for line in deviation.lines],
        "breaking": list(deviation.breaking),
        "allowed": list(deviation.allowed),
        "symptoms": [asdict(each) for each in deviation.symptoms],
        "met": deviation.met,
        "exercised": deviation.exercised,
        "not_again": deviation.not_again,
        "follows": list(deviation.follows),
        "evidence": [{"title": storable(each.title), "text": storable(each.text)} for each in deviation.evidence],
    }


def _known(known: KnownDeviation) -> JsonObject:
    return {**asdict(known), **{key: list(getattr(known, key)) for key in ("job", "flaw", "seen")}}


def _gate(gate: Gate | None) -> JsonObject | None:
    if gate is None:
        return None
    return {
        "baseline": gate.baseline,
        "verdict": gate.verdict,
        "became": [asdict(each) for each in gate.became],
        "complaints": list(gate.complaints),
        "gaps": list(gate.gaps),
        "cells": list(gate.cells),
    }


def _cell(cell: CellRecord) -> JsonObject:
    return {
        "state": cell.state,
        "call": cell.call,
        "outcome": cell.outcome,
        "waited": cell.waited,
        "count": cell.count,
        "seconds_max": _seconds(cell.seconds_max),
        "sure": cell.sure,
        "symptoms": [asdict(each) for each in cell.symptoms],
    }


def _power(power: Power) -> JsonObject:
    return {
        "noticed": power.noticed,
        "total": power.total,
        "fields": [asdict(each) for each in power.fields],
        "requirements": [{"id": id, "noticed": noticed} for id, noticed in power.requirements],
        "unwatched": [asdict(each) for each in power.unwatched],
        "free": [asdict(each) for each in power.free],
    }


def _seconds(seconds: float) -> float:
    return round(float(seconds), SECONDS_DIGITS)


def plain_json(content: JsonObject) -> JsonObject:
    """The content with every text in it made fit to be stored."""
    return {key: _storable(value) for key, value in content.items()}


def _storable(value: object) -> object:
    match value:
        case str():
            return storable(str(value))
        case list():
            return [_storable(each) for each in value]
        case dict():
            return {storable(str(key)): _storable(each) for key, each in value.items()}
        case _:
            return value
