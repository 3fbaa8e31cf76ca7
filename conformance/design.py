"""An API design is a point on a few axes; requirements apply to its axes, never to its name."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

from jobtck.conformance.errors import BadInput


class Handle(StrEnum):
    """What a client holds of a job it began."""

    NONE = "none"
    INTEGER = "integer"
    OPAQUE = "opaque"
    NAME = "name"


class Zero(StrEnum):
    """What the id 0 stands for."""

    CURRENT = "current"
    INVALID = "invalid"


class Namespace(StrEnum):
    """Whether jobs of different types may bear the same id."""

    SHARED = "shared"
    PER_TYPE = "per-type"


class Reuse(StrEnum):
    """When the id of a job that ended may be given again."""

    NEVER = "never"
    AFTER_END = "after-end"


PARALLEL_MAX = 64  # no known server runs more backups at once on one domain; a bound on typing errors


@dataclass(frozen=True, slots=True)
class Design:
    """The axes of one API design; `parallel` counts backup jobs that may run at once on a domain."""

    name: str
    handle: Handle
    zero: Zero | None
    parallel: int
    listing: bool
    default_job: bool
    block_ids: bool
    namespace: Namespace | None
    reuse: Reuse | None
    source: str

    @property
    def has_ids(self) -> bool:
        """Jobs are named by something that the server or the client chose."""
        return self.handle is not Handle.NONE


AXES = tuple(field.name for field in fields(Design) if field.name not in {"name", "source"})
CHOICES: Mapping[str, type[StrEnum]] = {
    "handle": Handle,
    "zero": Zero,
    "namespace": Namespace,
    "reuse": Reuse,
}
ONLY_WITH_IDS = ("zero", "namespace", "reuse")
END_OF_DOCUMENT = " (at end of document)"  # what tomllib says where it has no line
SWITCHES = ("listing", "default_job", "block_ids")


@cache
def presets() -> Mapping[str, Design]:
    """The designs that the package ships, by name, in the order of the contract."""
    shipped = files("jobtck.conformance") / "designs.toml"
    return parse_designs(shipped.read_text(encoding="utf-8"), place="designs.toml")


def find_design(name_or_path: str) -> Design:
    """The preset of that name, or the one design in that TOML file."""
    if name_or_path in presets():
        return presets()[name_or_path]
    path = Path(name_or_path)
    if path.suffix != ".toml":
        known = ", ".join(presets())
        raise BadInput(f"no design {name_or_path!r}: give one of {known}, or a .toml file")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot read the design: {error}") from error
    designs = parse_designs(text, place=str(path))
    if len(designs) != 1:
        raise BadInput(f"{path}: holds {len(designs)} designs, and exactly one can be judged at a time")
    return next(iter(designs.values()))


def parse_designs(text: str, place: str) -> Mapping[str, Design]:
    """The designs in a TOML text, one table each; *place* names the text in complaints."""
    tables = parse_toml(text, place)
    designs: dict[str, Design] = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise BadInput(f"{at(place, text, name)}: {name!r} is no table: write [{name}] and its axes below")
        designs[name] = _design(name, table, text, place)
    return designs


def parse_toml(text: str, place: str) -> dict[str, object]:
    """The content of a TOML text; `BadInput` with line and column if it is none."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers too long, and brackets too deep
        complaint = str(error)
        found = re.search(r" \(at line (\d+), column (\d+)\)$", complaint)
        if found:
            where = f"{place}:{found[1]}:{found[2]}"
            complaint = complaint[: found.start()]
        else:
            ends_early = complaint.endswith(END_OF_DOCUMENT)
            where = place_of(place, text, len(text)) if ends_early else place
            complaint = complaint.removesuffix(END_OF_DOCUMENT)
        raise BadInput(f"{where}: not TOML: {complaint}") from error


def at(place: str, text: str, *keys: str) -> str:
    """`place:line:column` of a key in a TOML text, each of *keys* sought after the one before."""
    offset = 0
    for key in keys:
        pattern = rf"^[ \t]*\[*[ \t\"']*({re.escape(key)})(?![\w-])"
        found = re.compile(pattern, re.MULTILINE).search(text, offset)
        offset = found.start(1) if found else offset
    return place_of(place, text, offset) if text else place


def place_of(place: str, text: str, offset: int) -> str:
    """`place:line:column` of that character of a text."""
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"{place}:{line}:{column}"


def design_of(name: str, axes: Mapping[str, object], place: str) -> Design:
    """The design on these axes; *place* says in complaints where they come from."""
    return _design(name, axes, "", place)


def _design(name: str, table: Mapping[str, object], text: str, place: str) -> Design:
    here = at(place, text, name)
    for key in table:
        if key not in AXES and key != "source":
            raise BadInput(f"{at(place, text, name, key)}: no axis {key!r}: the axes are {', '.join(AXES)}")
    handle = _choice("handle", table, text, place, name)
    assert isinstance(handle, Handle)
    axes: dict[str, object] = {"handle": handle}
    for axis in ONLY_WITH_IDS:
        if handle is Handle.NONE and axis in table:
            raise BadInput(f"{at(place, text, name, axis)}: {axis!r} speaks of ids, and handle = 'none' has none")
        axes[axis] = None if handle is Handle.NONE else _choice(axis, table, text, place, name)
    for axis in SWITCHES:
        value = table.get(axis, False)
        if not isinstance(value, bool):
            raise BadInput(f"{at(place, text, name, axis)}: {axis} = {value!r}: write true or false")
        if value and handle is Handle.NONE:
            raise BadInput(f"{at(place, text, name, axis)}: {axis!r} needs ids, and handle = 'none' has none")
        axes[axis] = value
    parallel = table.get("parallel", 1)
    if not isinstance(parallel, int) or isinstance(parallel, bool) or not 1 <= parallel <= PARALLEL_MAX:
        where = at(place, text, name, "parallel")
        raise BadInput(f"{where}: parallel = {parallel!r}: write a whole number from 1 to {PARALLEL_MAX}")
    source = table.get("source", here)
    if not isinstance(source, str):
        raise BadInput(f"{at(place, text, name, 'source')}: source = {source!r}: write a text")
    return Design(name=name, parallel=parallel, source=source, **axes)  # type: ignore[arg-type]


def _choice(axis: str, table: Mapping[str, object], text: str, place: str, name: str) -> StrEnum:
    allowed = CHOICES[axis]
    if axis not in table:
        choices = ", ".join(repr(str(choice)) for choice in allowed)
        raise BadInput(f"{at(place, text, name)}: the design {name!r} says nothing of {axis!r}: one of {choices}")
    try:
        return allowed(str(table[axis]))
    except ValueError:
        choices = ", ".join(repr(str(choice)) for choice in allowed)
        where = at(place, text, name, axis)
        raise BadInput(f"{where}: {axis} = {table[axis]!r}: one of {choices}") from None
