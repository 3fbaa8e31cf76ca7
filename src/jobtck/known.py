"""Known deviations: a list of symptoms, each with where and why; one that is not listed is excused by none."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from jobtck.conformance.calls import CALL_OF_NAME, Flaw, Kind
from jobtck.conformance.catalogue import find_requirement
from jobtck.conformance.design import at, parse_toml
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import KnownDeviation

REQUIRED = ("requirement", "call", "answer", "backend", "versions", "reason", "reference")
SEEN, KNOWN, FLAKY, EXPIRES = "seen", "known", "flaky", "expires"
SEVERAL = {"job": ("", *map(str, Kind)), "flaw": tuple(map(str, Flaw))}  # keys with one or several of these words
KEYS = (*REQUIRED, "demand", *SEVERAL, "design", FLAKY, EXPIRES)
PLACEHOLDER = "TODO: say why"  # what an entry is written with that nobody has accounted for
RENEW = "renew the list with 'jobtck known update RESULT... --file FILE'"


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
    """The list in a TOML text: a table [seen] and tables [[known]]; *place* names the text in complaints."""
    listed = parse_drafts(text, place)
    for number, each in enumerate(listed):
        keys = _keys(number)
        if not each.answer:
            where = at(place, text, *keys)
            raise BadInput(f"{where}: {each.requirement} has no 'answer', as in lists of the old form: {RENEW}")
        for key in ("reason", "reference"):
            if getattr(each, key).startswith(PLACEHOLDER):
                raise BadInput(f"{at(place, text, *keys, key)}: the {key} of {each.requirement} is still to be written")
    return listed


def parse_drafts(text: str, place: str) -> tuple[KnownDeviation, ...]:
    """The same, where reasons may still have to be written, and entries may be of the old form, without an answer."""
    content = parse_toml(text, place)
    for key in content:
        if key not in (SEEN, KNOWN):
            raise BadInput(f"{at(place, text, key)}: {key!r} is unknown here: write [{SEEN}] and tables [[{KNOWN}]]")
    tables = content.get(KNOWN, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadInput(f"{at(place, text, KNOWN)}: write [[{KNOWN}]], in two brackets")
    seen = _seen(content.get(SEEN, {}), text, place)
    return tuple(_known(table, number, seen, text, place) for number, table in enumerate(tables))


def _seen(table: object, text: str, place: str) -> Mapping[str, tuple[str, ...]]:
    """The releases that the list was checked on, by backend."""
    if not isinstance(table, dict):
        raise BadInput(f"{at(place, text, SEEN)}: write a table [{SEEN}], with the releases of each backend")
    for backend, releases in table.items():
        if not isinstance(releases, list) or not all(isinstance(each, str) and _is_version(each) for each in releases):
            where = at(place, text, SEEN, backend)
            raise BadInput(f'{where}: write the releases as texts in a list, like ["9.0.0", "11.3.0"]')
    return {backend: tuple(releases) for backend, releases in table.items()}


def _keys(number: int) -> tuple[str, ...]:
    """The way to an entry in the tables, as `at` wants it."""
    return (KNOWN,) * (number + 1)


def _known(
    table: Mapping[str, object], number: int, seen: Mapping[str, tuple[str, ...]], text: str, place: str
) -> KnownDeviation:
    def wrong(key: str, complaint: str) -> BadInput:
        return BadInput(f"{at(place, text, *_keys(number), *([key] if key in table else []))}: {complaint}")

    for key, value in table.items():
        if complaint := _malformed(key, value):
            raise wrong(key, complaint)
    for key in REQUIRED:
        if key not in table and key != "answer":
            raise wrong(key, f"{key!r} is missing" + (f": {RENEW}" if key == "call" else ""))
        if not table.get(key, True):
            raise wrong(key, f"{key!r} is empty: say it")
    try:
        requirement = find_requirement(str(table["requirement"]))
    except BadInput as error:
        raise wrong("requirement", str(error)) from None
    if "answer" in table and table.get("demand", "") not in requirement.demand_names:
        names = ", ".join(repr(each) for each in requirement.demand_names if each)
        raise wrong("demand", f"{requirement.id} demands several things: 'demand' must name one of {names}")
    texts = {key: str(value) for key, value in table.items() if key not in (FLAKY, *SEVERAL)}
    return KnownDeviation(
        **texts,
        flaky=bool(table.get(FLAKY, False)),
        job=_several(table.get("job", "")),
        flaw=_several(table.get("flaw", "")),
        seen=seen.get(str(table["backend"]), ()),
    )


def _malformed(key: str, value: object) -> str:
    """What is wrong with the value of a key, whatever the others are; empty if nothing is."""
    if key not in KEYS:
        return f"no key {key!r}: the keys are {', '.join(KEYS)}"
    if key == FLAKY:
        return "" if isinstance(value, bool) else f"{key} = {value!r}: write true or false"
    if key == EXPIRES:
        return "" if _is_day(value) else f"{key} = {str(value)!r}: write a day, as 2027-06-30"
    if key in SEVERAL:
        fits = all(each in SEVERAL[key] for each in _several(value))
        return "" if fits else f"{key} = {value!r}: write one or several of {', '.join(map(repr, SEVERAL[key]))}"
    if not isinstance(value, str):
        return f"{key} = {value!r}: write a text"
    if key == "call" and value not in CALL_OF_NAME:
        return f"no call is named {value!r}"
    if key == "versions":
        try:
            SpecifierSet(value)
        except InvalidSpecifier as error:
            return f"{error}: write a range like '>=9.0,<9.1', or '>=9.0' if no release is without it"
    return ""


def _several(value: object) -> tuple[str, ...]:
    """What an entry names in a text or a list of texts; the empty one stands for nothing."""
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


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
    fits = is_in_range(version or "0", known.versions)
    return known.backend == backend and known.design in ("", design) and fits


def is_in_range(version: str, versions: str) -> bool:
    """The release is one of those of the range; one before a release counts as any other."""
    return SpecifierSet(versions).contains(version, prereleases=True)


def was_seen(known: KnownDeviation, version: str) -> bool:
    """The list was checked on that release; one that names no releases is taken for checked on all."""
    return not known.seen or not _is_version(version) or Version(version) in map(Version, known.seen)


def unseen_text(applied: Sequence[KnownDeviation], name: str, version: str) -> str:
    """That the list was applied to a release that it was not checked on; empty where it was, or nothing was applied."""
    unseen = next((each for each in applied if not was_seen(each, version)), None)
    if unseen is None:
        return ""
    newest = max(unseen.seen, key=Version)
    return (
        f"{name} {version} is not among the releases that the list of known deviations was checked on, "
        f"up to {newest}: it was applied all the same"
    )


def absent_text(known: KnownDeviation, name: str, version: str) -> str:
    """That a listed deviation may be gone on a release that the list was not checked on."""
    return f"{known.requirement} in {known.call} did not happen: it may be fixed in {name} {version}: {RENEW}"
