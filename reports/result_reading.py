"""`result.json` read back: the record that it was made of."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NoReturn, cast

from jobtck.conformance.capabilities import Build
from jobtck.conformance.declared import capabilities_in
from jobtck.conformance.design import Design
from jobtck.conformance.errors import BadInput
from jobtck.conformance.outcomes import Evidence, Waited
from jobtck.conformance.power_record import Power, Unnoticed, Watched
from jobtck.conformance.record import (
    RESULT_SCHEMA,
    Became,
    CellRecord,
    Cost,
    Deviation,
    Gate,
    KnownDeviation,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    Symptom,
    TargetRecord,
    TraceLine,
    Verdict,
)
from jobtck.conformance.traces import CALLS_MAX, call_in, design_in
from jobtck.reports.result_json import validate
from jobtck.reports.texts import storable

FAMILY = "jobtck-result/"
SHOWN_MAX = 80  # characters of what is no schema

# What the schema has checked is plain JSON, of which a type checker knows nothing.
Plain = Mapping[str, Any]


def read_run(text: str, place: str) -> RunRecord:
    """The record in the text of a `result.json`; *place* names it in complaints."""
    content = _parsed(text, place)
    validate(content, place)
    runs = content.get("runs", [content])
    return RunRecord(
        records=tuple(_record(each, place) for each in runs),
        command=content["command"],
        seed=content["seed"],
        seconds=content["seconds"],
        error=content["error"],
        gate=None if content["gate"] is None else _gate(content["gate"]),
        date=content["date"],
    )


def _gate(content: Plain) -> Gate:
    return Gate(
        baseline=content["baseline"],
        became=tuple(Became(**each) for each in content["became"]),
        complaints=tuple(content["complaints"]),
        gaps=tuple(content["gaps"]),
        cells=tuple(content["cells"]),
    )


def _parsed(text: str, place: str) -> Plain:
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{place}: not JSON: {error}: was it cut off?") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, str) or not schema.startswith(FAMILY):
        raise BadInput(f"{place}: not a result of jobtck: give a result.json, or the directory it is in")
    if schema != RESULT_SCHEMA:
        told = storable(schema, SHOWN_MAX)
        raise BadInput(f"{place}: its schema is {told!r}, and this release reads {RESULT_SCHEMA}: judge anew")
    return cast("Plain", content)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _record(content: Plain, place: str) -> Record:
    target = _target(content["target"], place)
    deviations: dict[tuple[object, ...], Deviation] = {}
    requirements = tuple(_requirement(each, target.design, deviations, place) for each in content["requirements"])
    return Record(
        verdict=RunVerdict(content["verdict"]),
        target=target,
        requirements=requirements,
        cells=tuple(_cell(each) for each in content["cells"]),
        cells_open=content["cells_open"],
        cost=Cost(**content["cost"]),
        seed=content["seed"],
        command=content["command"],
        notes=tuple(content["notes"]),
        stale_known=_listed(content["stale_known"]),
        expired_known=_listed(content["expired_known"]),
        absent_known=_listed(content["absent_known"]),
        unkept_calls=tuple(content["unkept_calls"]),
        never_succeeded=tuple(content["never_succeeded"]),
        strict=content["strict"],
        power=_power(content["power"]) if content.get("power") else None,
    )


def _power(content: Plain) -> Power:
    return Power(
        fields=tuple(Watched(**each) for each in content["fields"]),
        requirements=tuple((each["id"], each["noticed"]) for each in content["requirements"]),
        unwatched=tuple(Unnoticed(**each) for each in content["unwatched"]),
        free=tuple(Unnoticed(**each) for each in content["free"]),
    )


def _listed(content: list[Plain]) -> tuple[KnownDeviation, ...]:
    return tuple(
        KnownDeviation(**{**each, **{key: tuple(each[key]) for key in ("job", "flaw", "seen")}}) for each in content
    )


def _cell(content: Plain) -> CellRecord:
    symptoms = tuple(Symptom(**each) for each in content["symptoms"])
    return CellRecord(**{**content, "waited": Waited(content["waited"]), "symptoms": symptoms})


def _target(content: Plain, place: str) -> TargetRecord:
    capabilities = content["capabilities"]
    calls, features, limits = tuple(capabilities["calls"]), tuple(capabilities["features"]), capabilities["limits"]
    return TargetRecord(
        backend=content["backend"],
        uri=content["uri"],
        design=design_in(content["design"], place),
        versions=content["versions"],
        builds=tuple(Build(**each) for each in content["builds"]),
        calls=calls,
        features=features,
        reasons=capabilities["reasons"],
        capabilities=None if limits is None else capabilities_in(limits, calls, features, f"{place}: target"),
    )


def _requirement(
    content: Plain, design: Design, deviations: dict[tuple[object, ...], Deviation], place: str
) -> RequirementRecord:
    plain = {each.name: content[each.name] for each in fields(RequirementRecord) if each.name in content}
    read = (_deviation(each, design, f"{place}: {content['id']}") for each in content["deviations"])
    return RequirementRecord(
        **{
            **plain,
            "verdict": Verdict(content["verdict"]),
            "deviations": tuple(deviations.setdefault((each.trace_file, each.requirements), each) for each in read),
            "known": _listed(content["known"]),
        }
    )


def _deviation(content: Plain, design: Design, place: str) -> Deviation:
    if len(content["calls"]) > CALLS_MAX:
        raise BadInput(f"{place}: a deviation of more than {CALLS_MAX:,} calls")
    return Deviation(
        requirements=tuple(content["requirements"]),
        lines=tuple(
            _line(each, design, f"{place}: {content['trace']}: call {number}")
            for number, each in enumerate(content["calls"], 1)
        ),
        reproduced=content["reproduced"],
        runs=content["runs"],
        trace_file=content["trace"],
        breaking=tuple(content["breaking"]),
        allowed=tuple(content["allowed"]),
        symptoms=tuple(Symptom(**each) for each in content["symptoms"]),
        met=content["met"],
        exercised=content["exercised"],
        not_again=content["not_again"],
        follows=tuple(content["follows"]),
        evidence=tuple(Evidence(**each) for each in content["evidence"]),
    )


def _line(content: Plain, design: Design, place: str) -> TraceLine:
    answer = content["answer"]
    return TraceLine(
        call=call_in(dict(content), design, place),
        answer=answer["words"],
        code=answer["code"],
        text=answer["text"],
        seconds=answer["seconds"],
        jobs=tuple(answer["jobs"]),
    )
