"""Explorations in a file, for those that were interrupted or met a limit."""

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from jobtck.conformance.design import Design
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.hazards import World
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.traces import design_json
from jobtck.strategies.board import Bounds
from jobtck.strategies.checkpoints import restore, saved
from jobtck.strategies.explorer import Explorer

SCHEMA = "jobtck-exploration/1"

Saved = Mapping[str, JsonObject]


def saved_all(design: Design, explorers: Mapping[World, Explorer]) -> list[JsonObject]:
    """What was found of a design, each exploration once."""
    return [{"of": _key(design, explorer), **saved(explorer)} for explorer in dict.fromkeys(explorers.values())]


def restore_all(design: Design, explorers: Mapping[World, Explorer], before: Saved) -> None:
    """Lets the explorers go on where they are among what was saved."""
    for explorer in dict.fromkeys(explorers.values()):
        content = before.get(_key(design, explorer))
        if content is None:
            continue
        try:
            restore(explorer, content)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise BadInput("the exploration that was saved is damaged: delete the file and begin anew") from error


def _key(design: Design, explorer: Explorer) -> str:
    """What was explored: the design's axes, not its source, and how far."""
    played = design_json(replace(explorer.design, name=design.name, source=""))
    return json.dumps([played, explorer.bounds], sort_keys=True)


def write_saved(path: Path, bounds: Bounds, kept: Iterable[JsonObject]) -> None:
    """Writes what was found of all designs."""
    content = json.dumps({"schema": SCHEMA, "bounds": bounds, "explorations": list(kept)}, separators=(",", ":"))
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(gzip.compress(content.encode(), compresslevel=3, mtime=0))
        beside.replace(path)
    except OSError as error:
        raise BackendFailure(f"{path}: cannot be written: {error.strerror}") from error


def read_saved(path: Path, bounds: Bounds) -> Saved:
    """What was found before, by what was explored."""
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
    except (gzip.BadGzipFile, ValueError, EOFError, zlib.error, RecursionError) as error:
        raise BadInput(f"{path}: no exploration of jobtck designs --save") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot read the exploration: {error}") from error
    match content:
        case {"schema": str(schema), "bounds": list(before), "explorations": list(explorations)} if schema == SCHEMA:
            if before != list(bounds):
                told = ", ".join(f"{name} {value}" for name, value in zip(Bounds._fields, before, strict=False))
                raise BadInput(f"{path}: it was explored within other bounds: {told}")
            return {each["of"]: each for each in explorations if isinstance(each, dict) and "of" in each}
        case _:
            raise BadInput(f"{path}: no exploration of jobtck designs --save")
