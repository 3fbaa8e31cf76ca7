"""`jobtck known update`: the smallest edits by which a list of known deviations fits what was seen."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import tomlkit
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from jobtck.conformance.calls import call_name
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import KnownDeviation, Record, Verdict, judged_below
from jobtck.known import PLACEHOLDER, concerns, covers, parse_drafts
from jobtck.reportdir import write_whole
from jobtck.reports.texts import legible
from jobtck.results import read_results, text_of

BYTES_MAX = 4 * 1024 * 1024  # of a list; the shipped one has some six thousand
HEADER = re.compile(r"\s*\[\[\s*[\"']?known[\"']?\s*\]\]")
COMMENT = re.compile(r"\s*#")


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to be done to a list: entries by their place in it, and new ones."""

    removed: frozenset[int] = frozenset()
    narrowed: tuple[tuple[int, str, str], ...] = ()  # place, key, value
    added: tuple[KnownDeviation, ...] = ()


def update(paths: Sequence[Path], file: Path) -> tuple[str, str]:
    """The text of the list as it is, and as it should be."""
    records = [record for result in read_results(paths) for record in result.run.records]
    text = text_of(file, BYTES_MAX, "known deviations") if file.exists() else ""
    listed = parse_drafts(text, str(file))
    return text, edited(text, edits(listed, records), str(file))


def update_and_tell(paths: Sequence[Path], file: Path, *, dry_run: bool) -> None:
    """The list is as it should be, or what would be done to it is shown."""
    before, after = update(paths, file)
    if before == after:
        click.echo(f"{file}: nothing is to be done")
        return
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), str(file), str(file), lineterm=""):
        click.echo(legible(line))
    if not dry_run:
        try:
            write_whole(file, after)
        except OSError as error:
            raise BackendFailure(f"{file}: the list could not be written: {error.strerror}") from error
    if after.count(PLACEHOLDER) > 0:
        click.echo(f"{file}: a reason is still to be written where it says {PLACEHOLDER!r}: a run refuses the list so")


def edits(listed: Sequence[KnownDeviation], records: Iterable[Record]) -> Edits:
    """What makes the list true of these records."""
    records = list(records)
    removed: set[int] = set()
    narrowed: list[tuple[int, str, str]] = []
    for place, known in enumerate(listed):
        stale = [record for record in records if known in record.stale_known]
        if not stale:
            continue
        happened = {record.target.design.name for record in records if known in _happened(record)}
        if len(happened) == 1:
            narrowed.append((place, "design", happened.pop()))
        elif not happened:
            versions = _without(known, {_version(record) for record in stale})
            if versions:
                narrowed.append((place, "versions", versions))
            else:
                removed.add(place)
    added = [entry for record in records for entry in _unlisted(record, listed)]
    return Edits(frozenset(removed), tuple(narrowed), tuple(dict.fromkeys(added)))


def _happened(record: Record) -> list[KnownDeviation]:
    return [each.known for each in record.requirements if each.known is not None]


def _version(record: Record) -> str:
    """The release of what is below; `BadInput` for what is no version."""
    version = judged_below(record.target.versions)[1]
    try:
        return str(Version(version)) if version else ""
    except InvalidVersion as error:
        raise BadInput(f"{version!r:.80} is no version: say by hand in which this is known") from error


def _without(known: KnownDeviation, versions: set[str]) -> str:
    """The range without these versions; empty where that would leave nothing, as far as a range says."""
    left = SpecifierSet(known.versions)
    if "" in versions or any(each.operator in ("==", "===") and "*" not in each.version for each in left):
        return ""
    return ",".join([known.versions, *(f"!={each}" for each in sorted(versions))])


def _unlisted(record: Record, listed: Sequence[KnownDeviation]) -> Iterable[KnownDeviation]:
    target, version = record.target, _version(record)
    concerned = [each for each in listed if concerns(each, target.backend, target.design.name, version)]
    for requirement in record.requirements:
        if requirement.verdict is not Verdict.FAIL:
            continue
        sorts: dict[str, KnownDeviation] = {}
        for deviation in requirement.deviations:
            if not deviation.lines or any(covers(each, requirement.id, deviation) for each in concerned):
                continue
            entry = KnownDeviation(
                requirement=requirement.id,
                backend=target.backend,
                versions=f"=={version}" if version else ">=0",
                reason=PLACEHOLDER,
                reference=deviation.trace_file or PLACEHOLDER,
                call=call_name(type(deviation.lines[-1].call)),
                flaky=deviation.is_flaky,
            )
            same = sorts.setdefault(entry.call, entry)
            sorts[entry.call] = replace(same, flaky=same.flaky and entry.flaky)  # what happens surely is not flaky
        yield from sorts.values()


def edited(text: str, wanted: Edits, place: str) -> str:
    """The text with these edits, and all else in it as it was."""
    if wanted == Edits():
        return text
    expected = len(parse_drafts(text, place)) - len(wanted.removed) + len(wanted.added)
    text = _narrowed(text, wanted.narrowed, place)
    text = _removed(text, wanted.removed, place)
    for entry in wanted.added:
        text = _added(text, entry)
    if len(parse_drafts(text, place)) != expected:
        raise BadInput(f"{place}: cannot be edited as it is written: do it by hand, or write tables [[known]]")
    return text


def _narrowed(text: str, narrowed: Iterable[tuple[int, str, str]], place: str) -> str:
    if not narrowed:
        return text
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise BadInput(f"{place}: not TOML: {error}") from error
    tables = document["known"]
    if not isinstance(tables, AoT):
        raise BadInput(f"{place}: write tables [[known]], so that they can be edited")
    for number, key, value in narrowed:
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
    for key in ("requirement", "backend", "versions", "design", "call", "flaky", "reason", "reference"):
        value = getattr(entry, key)
        if value:
            table[key] = value
    tables = tomlkit.aot()
    tables.append(table)
    document = tomlkit.document()
    document["known"] = tables
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else newline if text.endswith(newline) else newline * 2
    return text + gap + tomlkit.dumps(document).replace("\n", newline)
