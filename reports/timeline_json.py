"""A timeline as plain values for `--json`; the schema is `history.schema.json`."""

from jobtck.conformance.plain import JsonObject
from jobtck.conformance.timeline import Followed, Timeline, Track
from jobtck.reports.result_json import plain_json

HISTORY_SCHEMA = "jobtck-history/1"


def timeline_json(timeline: Timeline) -> JsonObject:
    """All requirements, and the cells that ever stood otherwise."""
    return plain_json(
        {
            "schema": HISTORY_SCHEMA,
            "results": timeline.results,
            "read": timeline.read,
            "first": timeline.first,
            "last": timeline.last,
            "damaged": list(timeline.damaged),
            "damaged_count": timeline.damaged_count,
            "targets": [_target(each) for each in timeline.followed.values()],
        }
    )


def _target(followed: Followed) -> JsonObject:
    restless = sorted((cell, track) for cell, track in followed.cells.items() if not track.is_steady)
    return {
        "backend": followed.backend,
        "design": followed.design,
        "results": followed.results,
        "left_out": followed.left_out,
        "requirements": [{"id": id, **_track(track)} for id, track in followed.requirements.items()],
        "cells_steady": len(followed.cells) - len(restless),
        "cells": [{"state": state, "call": call, **_track(track)} for (state, call), track in restless],
    }


def _track(track: Track) -> JsonObject:
    return {
        "standing": track.standing,
        "since": {"date": track.since.date, "result": track.since.name, "version": track.since.version},
        "before": track.before,
        "told": track.told,
        "changes": track.changes,
        "varied": track.varied,
        "flakiness": round(track.flakiness, 4),
        "counts": dict(sorted(track.counts.items())),
    }
