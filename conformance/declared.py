"""What a backend declared of itself as plain values, and back: from it the chart of its cells can be drawn again."""

from collections.abc import Mapping
from dataclasses import fields

from jobtck.conformance.calls import Flaw, Kind, Storage
from jobtck.conformance.capabilities import Capabilities, Feature
from jobtck.conformance.errors import BadInput
from jobtck.conformance.plain import JsonObject, Reader, plain, texts

TOLD_ELSEWHERE = ("calls", "features", "reasons", "notes")
LIMITS = tuple(each.name for each in fields(Capabilities) if each.name not in TOLD_ELSEWHERE)
SHOWN_MAX = 80  # characters of what cannot be

_READERS: Mapping[str, Reader] = {
    "disks": texts,
    "flaws": lambda value: frozenset(map(Flaw, texts(value))),
    "storages": lambda value: frozenset(map(Storage, texts(value))),
    "transient": lambda value: frozenset(map(Kind, texts(value))),
    "waiting_calls": lambda value: frozenset(texts(value)),
    "costly_calls": lambda value: frozenset(texts(value)),
}


def limits_json(capabilities: Capabilities) -> JsonObject:
    """What was declared besides calls and features."""
    return {name: plain(getattr(capabilities, name)) for name in LIMITS}


def capabilities_in(
    limits: Mapping[str, object], calls: tuple[str, ...], features: tuple[str, ...], place: str
) -> Capabilities:
    """The capabilities that `limits_json` wrote, of that backend; the schema has looked at numbers and switches."""
    read: dict[str, object] = {}
    for name in LIMITS:
        try:
            read[name] = _READERS[name](limits[name]) if name in _READERS else limits[name]
        except (TypeError, ValueError, KeyError) as error:
            told = repr(limits.get(name))
            raise BadInput(f"{place}: capabilities cannot have {name} = {told:.{SHOWN_MAX}}") from error
    try:
        told_features = frozenset(map(Feature, features))
    except ValueError as error:
        raise BadInput(f"{place}: no feature: {error!s:.{SHOWN_MAX}}") from error
    return Capabilities(calls=frozenset(calls), features=told_features, **read)  # type: ignore[arg-type]
