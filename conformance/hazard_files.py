"""Hazards of one's own in TOML: a table each, whose keys say what a moment has to be like."""

from collections.abc import Mapping
from enum import StrEnum

from jobtck.conformance.design import at, parse_toml
from jobtck.conformance.errors import BadInput
from jobtck.conformance.hazards import PATTERN_AXES, Hazard, Pattern, World
from jobtck.conformance.histories import By, Hit, Kinds, Learnt, Standing, Trouble, Verb, Whose
from jobtck.conformance.outcomes import ErrorKind

WORDS: Mapping[str, type[StrEnum]] = {
    "verb": Verb,
    "by": By,
    "learnt": Learnt,
    "refused": ErrorKind,
    "meant": Standing,
    "hit": Hit,
    "kinds": Kinds,
    "owner": Whose,
    "chooser": Whose,
    "trouble": Trouble,
}
SWITCHES = ("fits", "strayed", "later")
COUNTS = ("backups", "own")
NOT_REFUSED = "not"  # refused = "not": the call succeeded
WORLDS = {world.name.lower().replace("_", "-"): world for world in World}


def parse_hazards(text: str, place: str) -> tuple[Hazard, ...]:
    """The hazards in a TOML text, one table each; *place* names the text in complaints."""
    found: list[Hazard] = []
    for name, table in parse_toml(text, place).items():
        if not isinstance(table, dict):
            raise BadInput(f"{at(place, text, name)}: {name!r} is no table: write [{name}] and what it is like below")
        found.append(_hazard(name, table, text, place))
    if not found:
        raise BadInput(f"{place}: holds no hazard: write [name] and what it is like below")
    return tuple(found)


def _hazard(name: str, table: Mapping[str, object], text: str, place: str) -> Hazard:
    told = {key: table.get(key, "") for key in ("text", "source", "world")}
    for key, value in told.items():
        if not isinstance(value, str):
            raise BadInput(f"{at(place, text, name, key)}: {key} = {value!r}: write a text")
    if not told["text"]:
        raise BadInput(
            f"{at(place, text, name)}: the hazard {name!r} needs a text: one sentence that says what happens"
        )
    world = told["world"] or "as-is"
    if world not in WORLDS:
        raise BadInput(f"{at(place, text, name, 'world')}: world = {world!r}: one of {', '.join(WORLDS)}")
    axes: dict[str, tuple[object, ...]] = {}
    for key, value in table.items():
        if key in told:
            continue
        where = at(place, text, name, key)
        if key not in PATTERN_AXES:
            raise BadInput(f"{where}: no axis {key!r}: a moment has {', '.join(PATTERN_AXES)}")
        axes[key] = tuple(_value(key, each, where) for each in (value if isinstance(value, list) else [value]))
    if not axes:
        raise BadInput(f"{at(place, text, name)}: the hazard {name!r} says nothing of what it is like, as verb = 'end'")
    return Hazard(
        id=name,
        text=str(told["text"]),
        source=str(told["source"]) or at(place, text, name),
        world=WORLDS[str(world)],
        when=Pattern(**axes),  # type: ignore[arg-type]
    )


def _value(axis: str, value: object, where: str) -> object:
    if axis in SWITCHES:
        if not isinstance(value, bool):
            raise BadInput(f"{where}: {axis} = {value!r}: write true or false")
        return value
    if axis in COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadInput(f"{where}: {axis} = {value!r}: write a whole number, or a list of them")
        return value
    if axis == "refused" and value == NOT_REFUSED:
        return None
    try:
        return WORDS[axis](str(value))
    except ValueError:
        choices = [NOT_REFUSED] if axis == "refused" else []
        choices += [str(each) for each in WORDS[axis]]
        raise BadInput(f"{where}: {axis} = {value!r}: one of {', '.join(choices)}") from None
