"""A comparison as plain values for `--json`; the schema is `diff.schema.json`."""

from collections.abc import Iterable
from dataclasses import asdict

from jobtck.conformance.comparison import CellChange, Change, Comparison, PairComparison, RequirementChange
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.record import CellRecord, Record, RequirementRecord
from jobtck.conformance.traces import SECONDS_DIGITS, call_json, line_json
from jobtck.reports.result_json import plain_json
from jobtck.reports.texts import storable

DIFF_SCHEMA = "jobtck-diff/1"


def diff_json(comparison: Comparison) -> JsonObject:
    """The whole comparison."""
    content: JsonObject = {
        "schema": DIFF_SCHEMA,
        "worse": comparison.is_worse,
        "whole": comparison.is_whole,
        "error": comparison.error,
        "counts": {str(change): comparison.counts.get(change, 0) for change in Change},
        "pairs": [_pair(each) for each in comparison.pairs],
    }
    return plain_json(content)


def _pair(pair: PairComparison) -> JsonObject:
    return {
        "backend": pair.told.target.backend,
        "design": pair.told.target.design.name,
        "old": None if pair.old is None else _side(pair.old),
        "new": None if pair.new is None else _side(pair.new),
        "counts": {str(change): pair.counts.get(change, 0) for change in Change},
        "cells_same": pair.cells_same,
        "gaps": [asdict(each) for each in pair.gaps],
        "requirements": [_requirement(each) for each in pair.requirements],
        "cells": [_cell(each) for each in pair.cells],
    }


def _side(record: Record) -> JsonObject:
    return {
        "backend": record.target.backend,
        "versions": dict(sorted(record.target.versions.items())),
        "verdict": record.verdict,
        "seed": record.seed,
    }


def _requirement(change: RequirementChange) -> JsonObject:
    return {
        "id": change.told.id,
        "level": change.told.level,
        "text": change.told.text,
        "change": change.change,
        "symptoms": [asdict(each) for each in change.symptoms],
        "old": _standing(change.old),
        "new": _standing(change.new),
    }


def _standing(requirement: RequirementRecord | None) -> JsonObject | None:
    if requirement is None:
        return None
    return {
        "verdict": requirement.verdict,
        "reason": requirement.reason,
        "deviations": [
            {
                "trace": each.trace_file,
                "reproduced": each.reproduced,
                "runs": each.runs,
                "calls": [line_json(line) for line in each.lines],
            }
            for each in requirement.deviations
        ],
    }


def _cell(change: CellChange) -> JsonObject:
    replays = change.replays
    return {
        "state": change.cell.state,
        "call": change.cell.call,
        "change": change.change,
        "broken": list(change.broken),
        "old": _answers(change.old),
        "new": _answers(change.new),
        "calls": [call_json(call) for call in change.way],
        "replays": None if replays is None else {"old": _told(replays.old), "new": _told(replays.new)},
    }


def _told(answers: tuple[str, ...] | None) -> list[str] | None:
    return None if answers is None else [storable(each) for each in answers]


def _answers(records: Iterable[CellRecord]) -> list[JsonObject]:
    return [
        {
            "outcome": each.outcome,
            "waited": each.waited,
            "sure": each.sure,
            "count": each.count,
            "seconds_max": round(each.seconds_max, SECONDS_DIGITS),
        }
        for each in records
    ]
