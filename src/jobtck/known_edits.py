"""Edits to the text of a list of known deviations, which leave all else in it as it was."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import KnownDeviation
from jobtck.known import KNOWN, SEEN, parse_drafts

HEADER = re.compile(r"\s*\[\[\s*[\"']?known[\"']?\s*\]\]")
COMMENT = re.compile(r"\s*#")
ORDER = ("requirement", "demand", "call", "answer", "job", "flaw", "backend", "design", "versions", "flaky", "expires")


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to be done to a list: entries by their place in it, new ones, and the releases it was checked on."""

    removed: frozenset[int] = frozenset()
    changed: tuple[tuple[int, str, object], ...] = ()  # place, key, value
    added: tuple[KnownDeviation, ...] = ()
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def edited(text: str, wanted: Edits, place: str) -> str:
    """The text with these edits, and all else in it as it was."""
    if not (wanted.removed or wanted.changed or wanted.added) and not _news(text, wanted, place):
        return text
    expected = len(parse_drafts(text, place)) - len(wanted.removed) + len(wanted.added)
    text = _changed(text, wanted.changed, place)
    text = _removed(text, wanted.removed, place)
    for entry in wanted.added:
        text = _added(text, entry)
    text = _checked_on(text, wanted.seen, place)
    if len(parse_drafts(text, place)) != expected:
        raise BadInput(f"{place}: cannot be edited as it is written: do it by hand, or write tables [[known]]")
    return text


def _news(text: str, wanted: Edits, place: str) -> bool:
    """The list does not name all the releases that it was checked on, and has something to say of them."""
    listed = parse_drafts(text, place)
    return any(each.backend in wanted.seen and each.seen != wanted.seen[each.backend] for each in listed)


def _document(text: str, place: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise BadInput(f"{place}: not TOML: {error}") from error


def _changed(text: str, changed: Sequence[tuple[int, str, object]], place: str) -> str:
    if not changed:
        return text
    document = _document(text, place)
    tables = document[KNOWN]
    if not isinstance(tables, AoT):
        raise BadInput(f"{place}: write tables [[known]], so that they can be edited")
    for number, key, value in changed:
        tables[number][key] = value
    return tomlkit.dumps(document)


def _removed(text: str, removed: frozenset[int], place: str) -> str:
    """The text without these entries, each with the comment that stands right above it."""
    lines = text.splitlines(keepends=True)
    starts = [_start(lines, number) for number, line in enumerate(lines) if HEADER.match(line)]
    if removed and len(starts) != len(parse_drafts(text, place)):
        raise BadInput(f"{place}: its tables cannot be told from its texts: remove the entries by hand")
    ends = [*starts[1:], len(lines)]
    for number in sorted(removed, reverse=True):
        del lines[starts[number] : ends[number]]
    left = "".join(lines)
    return left.rstrip() + "\n" if len(starts) - 1 in removed and left.strip() else left


def _start(lines: Sequence[str], header: int) -> int:
    while header and COMMENT.match(lines[header - 1]):
        header -= 1
    return header


def _added(text: str, entry: KnownDeviation) -> str:
    table = tomlkit.table()
    for key in (*ORDER, "reason", "reference"):
        value = _value(getattr(entry, key))
        if value:
            table[key] = value
    tables = tomlkit.aot()
    tables.append(table)
    document = tomlkit.document()
    document[KNOWN] = tables
    newline = _newline_of(text)
    gap = "" if not text else newline if text.endswith(newline) else newline * 2
    return text + gap + tomlkit.dumps(document).replace("\n", newline)


def _newline_of(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _value(value: object) -> object:
    """As it is written: one kind of job as a text, several as a list."""
    if not isinstance(value, tuple):
        return value
    return list(value) if len(value) > 1 else "".join(value)


def _checked_on(text: str, seen: Mapping[str, Iterable[str]], place: str) -> str:
    """The text with the releases that it was checked on; a new table for them stands before all entries."""
    if not seen:
        return text
    document = _document(text, place)
    known = document.get(SEEN)
    if isinstance(known, Table):
        for backend, releases in seen.items():
            if list(known.get(backend, [])) != list(releases):
                known[backend] = list(releases)
        return tomlkit.dumps(document)
    table = tomlkit.table()
    for backend, releases in seen.items():
        table[backend] = list(releases)
    new = tomlkit.document()
    new[SEEN] = table
    newline = _newline_of(text)
    written = tomlkit.dumps(new).replace("\n", newline) + newline
    lines = text.splitlines(keepends=True)
    first = next((_start(lines, number) for number, line in enumerate(lines) if HEADER.match(line)), len(lines))
    return "".join([*lines[:first], written, *lines[first:]])
