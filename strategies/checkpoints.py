"""An exploration as plain values, so that one that was interrupted can go on another day."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from jobtck.conformance.calls import JobType
from jobtck.conformance.hazard_files import WORDS
from jobtck.conformance.histories import By, Learnt, Moment
from jobtck.conformance.plain import JsonObject
from jobtck.strategies.board import Job, Server
from jobtck.strategies.explorer import Explorer, Progress, Seen
from jobtck.strategies.memories import Item


def saved(explorer: Explorer) -> JsonObject:
    """All that was found so far."""
    return {
        "progress": asdict(explorer.progress),
        "servers": explorer.packing.servers.parts,
        "memories": explorer.packing.memories.parts,
        "states": explorer.keys,
        "parents": explorer.parents.tolist(),
        "moments": [[moment, seen] for moment, seen in explorer.first.items()],
    }


def restore(explorer: Explorer, content: Mapping[str, object]) -> None:
    """Makes the explorer go on from there; `ValueError`, `TypeError` or `KeyError` where the content is none such."""
    for server in _list(content["servers"]):
        explorer.packing.servers.number(_server(server))
    for memory in _list(content["memories"]):
        explorer.packing.memories.number(tuple(_item(item) for item in _list(memory)))
    explorer.keys = [_number(each) for each in _list(content["states"])]
    explorer.index = {key: place for place, key in enumerate(explorer.keys)}
    explorer.parents = array("I", [_number(each) for each in _list(content["parents"])])
    explorer.first = dict(map(_met, _list(content["moments"])))
    explorer.progress = _progress(content["progress"], explorer)


def _progress(content: object, explorer: Explorer) -> Progress:
    if not isinstance(content, dict) or len(explorer.index) != len(explorer.keys) != 0 != len(explorer.parents):
        raise TypeError(content)
    progress = Progress(**content)
    if not 0 <= progress.expanded <= progress.level_end <= len(explorer.keys) == len(explorer.parents):
        raise ValueError(content)
    return progress


def _list(content: object) -> Sequence[object]:
    if not isinstance(content, list):
        raise TypeError(content)
    return content


def _number(content: object) -> int:
    if not isinstance(content, int):
        raise TypeError(content)
    return content


def _server(content: object) -> Server:
    jobs, default, chooser = _list(content)
    return Server(tuple(map(_job, _list(jobs))), None if default is None else _number(default), _number(chooser))


def _job(content: object) -> Job:
    type, live, *numbers = _list(content)
    return Job(JobType(str(type)), bool(live), *map(_number, numbers))


def _item(content: object) -> Item:
    by, value, meant, learnt, space = _list(content)
    return Item(By(str(by)), _number(value), _number(meant), Learnt(str(learnt)), _number(space))


def _met(content: object) -> tuple[Moment, Seen]:
    moment, seen = _list(content)
    return _moment(moment), Seen(*map(_number, _list(seen)))


def _moment(content: object) -> Moment:
    values = dict(zip(Moment._fields, _list(content), strict=True))
    words = {name: kind(str(values[name])) for name, kind in WORDS.items() if values[name] is not None}
    return Moment(**{**values, **words})  # type: ignore[arg-type]
