"""What was found of designs, as plain values for `--json`; the schema is `designs.schema.json`."""

from jobtck.conformance.exploration import (
    DESIGNS_SCHEMA,
    Cost,
    DesignRecord,
    DesignsRecord,
    Extent,
    Finding,
    Line,
    Witness,
)
from jobtck.conformance.hazards import Hazard
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.traces import call_json, design_json
from jobtck.reports.texts import storable


def designs_json(record: DesignsRecord) -> JsonObject:
    """The whole record."""
    return {
        "schema": DESIGNS_SCHEMA,
        "command": storable(record.command),
        "hazards": [_hazard(each) for each in record.hazards],
        "designs": [_design(each) for each in record.designs],
    }


def _hazard(hazard: Hazard) -> JsonObject:
    return {
        "id": hazard.id,
        "text": storable(hazard.text),
        "source": storable(hazard.source),
        "world": str(hazard.world),
    }


def _design(record: DesignRecord) -> JsonObject:
    return {
        "design": design_json(record.design),
        "complete": record.is_complete,
        "explored": [_extent(each) for each in record.extents],
        "findings": [_finding(each) for each in record.findings],
        "costs": [_cost(each) for each in record.costs],
    }


def _extent(extent: Extent) -> JsonObject:
    return {
        "world": str(extent.world),
        "clients": extent.clients,
        "jobs": extent.jobs,
        "parallel": extent.design.parallel,
        "steps": extent.depth,
        "steps_reached": extent.depth_reached,
        "states": extent.states,
        "transitions": extent.transitions,
        "new_states_by_step": list(extent.levels),
        "seconds": round(extent.seconds, 3),
        "stopped": storable(extent.stopped),
    }


def _finding(finding: Finding) -> JsonObject:
    return {
        "hazard": finding.hazard.id,
        "answer": str(finding.answer),
        "reason": storable(finding.reason),
        "witness": None if finding.witness is None else _witness(finding.witness),
    }


def _witness(witness: Witness) -> JsonObject:
    return {
        "window": witness.window,
        "steps": [_line(each) for each in witness.lines],
        "observations": [
            {"backend": each.backend, "observed": str(each.observed), "detail": storable(each.detail)}
            for each in witness.observations
        ],
    }


def _line(line: Line) -> JsonObject:
    return {
        "client": line.client,
        "text": line.text,
        "answer": line.answer,
        "refused": line.refused,
        "meant": line.meant,
        "hit": line.hit,
        "begins": line.begins,
        "ends": line.ends,
        "call": None if line.call is None else call_json(line.call),
    }


def _cost(cost: Cost) -> JsonObject:
    return {
        "workflow": cost.workflow,
        "calls": cost.calls,
        "round_trips": cost.round_trips,
        "way": list(cost.way),
    }
