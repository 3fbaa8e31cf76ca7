"""Known deviations: listed with where and why, strict both ways."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from jobtck.conformance.calls import CALL_OF_NAME, call_name
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.design import at, parse_toml
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import Deviation, KnownDeviation, Symptom

REQUIRED = ("requirement", "backend", "versions", "reason", "reference")
FLAKY = "flaky"
EXPIRES = "expires"
KEYS = (*REQUIRED, "call", "design", FLAKY, EXPIRES)
PLACEHOLDER = "TODO: say why"  # what an entry is written with that nobody has accounted for


def shipped_known() -> tuple[KnownDeviation, ...]:
    """The deviations of releases that were really run."""
    source = files("jobtck") / "known.toml"
    return parse_known(source.read_text(encoding="utf-8"), "known.toml")


def read_known(path: Path) -> tuple[KnownDeviation, ...]:
    """The list in a user's file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot read the known deviations: {error}") from error
    return parse_known(text, str(path))


def parse_known(text: str, place: str) -> tuple[KnownDeviation, ...]:
    """The list in a TOML text: tables [[known]]; *place* names the text in complaints."""
    listed = parse_drafts(text, place)
    for number, each in enumerate(listed):
        for key in ("reason", "reference"):
            if getattr(each, key).startswith(PLACEHOLDER):
                where = at(place, text, *("known",) * (number + 1), key)
                raise BadInput(f"{where}: the {key} of {each.requirement} is still to be written: say it")
    return listed


def parse_drafts(text: str, place: str) -> tuple[KnownDeviation, ...]:
    """The same, where reasons may still have to be written."""
    content = parse_toml(text, place)
    for key in content:
        if key != "known":
            raise BadInput(f"{at(place, text, key)}: {key!r} is unknown here: write tables [[known]]")
    tables = content.get("known", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadInput(f"{at(place, text, 'known')}: write [[known]], in two brackets")
    return tuple(_known(table, number, text, place) for number, table in enumerate(tables))


def _known(table: Mapping[str, object], number: int, text: str, place: str) -> KnownDeviation:
    keys = ("known",) * (number + 1)
    for key, value in table.items():
        if key not in KEYS:
            raise BadInput(f"{at(place, text, *keys, key)}: no key {key!r}: the keys are {', '.join(KEYS)}")
        if key == FLAKY and not isinstance(value, bool):
            raise BadInput(f"{at(place, text, *keys, key)}: {key} = {value!r}: write true or false")
        if key == EXPIRES and not _is_day(value):
            raise BadInput(f"{at(place, text, *keys, key)}: {key} = {str(value)!r}: write a day, as 2027-06-30")
        if key not in (FLAKY, EXPIRES) and not isinstance(value, str):
            raise BadInput(f"{at(place, text, *keys, key)}: {key} = {value!r}: write a text")
    for key in REQUIRED:
        if key not in table:
            raise BadInput(f"{at(place, text, *keys)}: {key!r} is missing")
        if not table[key]:
            raise BadInput(f"{at(place, text, *keys, key)}: {key!r} is empty: say it")
    if table.get("call", "") not in ("", *CALL_OF_NAME):
        raise BadInput(f"{at(place, text, *keys, 'call')}: no call is named {table['call']!r}")
    if table["requirement"] not in BY_ID:
        where = at(place, text, *keys, "requirement")
        raise BadInput(f"{where}: no requirement {table['requirement']!r}: see 'jobtck list requirements'")
    try:
        SpecifierSet(str(table["versions"]))
    except InvalidSpecifier as error:
        where = at(place, text, *keys, "versions")
        raise BadInput(f"{where}: {error}: write a range like '>=9.0,<9.1'") from error
    texts = {key: str(value) for key, value in table.items() if key != FLAKY}
    return KnownDeviation(**texts, flaky=bool(table.get(FLAKY, False)))


def _is_day(value: object) -> bool:
    """A TOML date, or the same as a text."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat() == value
        except ValueError:
            return False
    return isinstance(value, date) and not isinstance(value, datetime)


def has_expired(known: KnownDeviation, today: str) -> bool:
    """The last day on which it is an excuse is past."""
    return bool(known.expires) and known.expires < today


def expired_text(known: KnownDeviation) -> str:
    """What is to be done of an excuse that has expired."""
    return (
        f"{known.requirement} is listed as known until {known.expires}, which is past, and happens still: "
        f"mend it, or say anew until when it is known"
    )


def concerns(known: KnownDeviation, backend: str, design: str, version: str) -> bool:
    """The listed deviation is one of that backend, playing that design, in that version."""
    fits = SpecifierSet(known.versions).contains(version or "0", prereleases=True)
    return known.backend == backend and known.design in ("", design) and fits


def excuse_for(listed: Iterable[KnownDeviation], symptom: Symptom) -> KnownDeviation | None:
    """The listed deviation that has this symptom, if there is one."""
    return next(
        (each for each in listed if each.requirement == symptom.requirement and each.call in ("", symptom.call)), None
    )


def covers(known: KnownDeviation, requirement: str, deviation: Deviation) -> bool:
    """The listed deviation is this one: of the requirement, and in the call that it names, if it names one."""
    offending = call_name(type(deviation.lines[-1].call))
    return known.requirement == requirement and known.call in ("", offending)
