"""`jobtck known update`: the smallest edits by which a list of known deviations fits what was seen."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import (
    Deviation,
    KnownDeviation,
    Record,
    RunVerdict,
    Symptom,
    Verdict,
    judged_below,
)
from jobtck.known import PLACEHOLDER, concerns, is_in_range, parse_drafts
from jobtck.known_edits import Edits, edited
from jobtck.reportdir import write_whole
from jobtck.reports.texts import legible
from jobtck.results import read_results, text_of

BYTES_MAX = 4 * 1024 * 1024  # of a list; the shipped one has some ten thousand


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


@dataclass(frozen=True, slots=True)
class Sighting:
    """A symptom as a record shows it, and whether it was seen of deviations that do not happen every time only."""

    record: Record
    symptom: Symptom
    flaky: bool
    reference: str


def edits(listed: Sequence[KnownDeviation], records: Iterable[Record]) -> Edits:
    """What makes the list true of these records."""
    records = [record for record in records if record.verdict is not RunVerdict.ERROR]
    sightings = [each for record in records for each in _sightings(record)]
    old = frozenset(place for place, each in enumerate(listed) if not each.answer and _is_judged(each, records))
    changed: list[tuple[int, str, object]] = []
    removed = set(old)
    for place, known in enumerate(listed):
        if place in old:
            continue
        change = _change(known, records, sightings)
        changed += [(place, key, value) for key, value in (change or {}).items()]
        if change is None:
            removed.add(place)
    kept = [each for place, each in enumerate(listed) if place not in removed]
    renewed = [listed[place] for place in sorted(old)]
    seen = _seen(listed, records)
    added = _added(sightings, kept, renewed, records, seen)
    return Edits(frozenset(removed), tuple(changed), tuple(added), _seen_now(seen, records))


def _sightings(record: Record) -> Iterator[Sighting]:
    for requirement in record.requirements:
        if requirement.verdict in (Verdict.FAIL, Verdict.KNOWN):
            for deviation in requirement.deviations:
                for symptom in deviation.symptoms:
                    if symptom.requirement == requirement.id:
                        yield Sighting(record, symptom, deviation.is_flaky, _reference(deviation))


def _reference(deviation: Deviation) -> str:
    return deviation.trace_file or PLACEHOLDER


def _is_judged(known: KnownDeviation, records: Iterable[Record]) -> bool:
    return any(_concerns(known, record) for record in records)


def _concerns(known: KnownDeviation, record: Record) -> bool:
    return concerns(known, record.target.backend, record.target.design.name, version_of(record))


def version_of(record: Record) -> str:
    """The release of what is below; `BadInput` for what is no version."""
    version = judged_below(record.target.versions)[1]
    try:
        return str(Version(version)) if version else ""
    except InvalidVersion as error:
        raise BadInput(f"{version!r:.80} is no version: say by hand in which this is known") from error


# What is listed


def _change(
    known: KnownDeviation, records: Iterable[Record], sightings: Iterable[Sighting]
) -> Mapping[str, object] | None:
    """The keys of an entry that are to be changed; None if it is to be taken out."""
    mine = [each for each in sightings if _is_of(known, each)]
    happened = {version_of(each.record) for each in mine}
    happened |= {version_of(each) for each in records if any(_is_listed(known, each, met) for met in _met(each))}
    change: dict[str, object] = {}
    more = tuple(dict.fromkeys(each.symptom.job for each in mine if each.symptom.job not in known.job))
    if more:
        change["job"] = [*known.job, *more]
    stale = [record for record in records if known in (*record.stale_known, *record.absent_known)]
    designs = {each.record.target.design.name for each in mine}
    if stale and designs and not known.design and designs.isdisjoint(each.target.design.name for each in stale):
        if len(designs) == 1:
            change["design"] = designs.pop()
        return change
    gone = {version_of(record) for record in stale} - happened
    outside = {each for each in happened if each and not is_in_range(each, known.versions)}
    if outside:
        listed = {each for each in known.seen if is_in_range(each, known.versions)}
        change["versions"] = open_range((listed | happened) - gone, {*known.seen, *gone} - happened)
    elif gone:
        versions = _without(known, gone, happened)
        if not versions:
            return None
        change["versions"] = versions
    return change


def _is_of(known: KnownDeviation, sighting: Sighting) -> bool:
    """The sighting is of what is listed, whatever the release, and whatever the kind of job."""
    return _is_listed(known, sighting.record, sighting.symptom)


def _is_listed(known: KnownDeviation, record: Record, symptom: Symptom) -> bool:
    here = known.backend == record.target.backend and known.design in ("", record.target.design.name)
    return here and known.covers(replace(symptom, job=known.job[0]))


def _met(record: Record) -> frozenset[Symptom]:
    """All symptoms that were met, also those that were not run again: what was met is not absent."""
    return frozenset(symptom for cell in record.cells for symptom in cell.symptoms)


def _without(known: KnownDeviation, gone: set[str], happened: set[str]) -> str:
    """The range without these versions; empty where that would leave nothing, as far as a range says."""
    clauses = SpecifierSet(known.versions)
    if "" in gone or any(each.operator in ("==", "===") and "*" not in each.version for each in clauses):
        return ""
    others = {each for each in {*known.seen, *happened} - gone if is_in_range(each, known.versions)}
    narrowed = known.versions
    for each in sorted(gone, key=Version):
        is_last = all(Version(other) < Version(each) for other in others)
        narrowed += f",<{each}" if is_last else f",!={each}"
        if is_last:
            break
    return narrowed if others or not known.seen else ""


def open_range(happened: Iterable[str], absent: Iterable[str]) -> str:
    """The widest range that begins with the first release on which it happened, and holds none on which it did not.

    It is open towards the future, unless it is gone from the newest release.
    """
    there = sorted({Version(each) for each in happened if each})
    if not there:
        return ">=0"
    clauses = [f">={there[0]}"]
    for each in sorted(Version(each) for each in absent if each):
        if each > there[-1]:
            clauses.append(f"<{each}")
            break
        if each > there[0]:
            clauses.append(f"!={each}")
    return ",".join(clauses)


# What is not listed


def _added(
    sightings: Iterable[Sighting],
    listed: Sequence[KnownDeviation],
    renewed: Sequence[KnownDeviation],
    records: Sequence[Record],
    seen: Mapping[str, Sequence[str]],
) -> Iterator[KnownDeviation]:
    """An entry for each symptom that no entry is of; the kinds of job with which it shows are put together."""
    new: dict[tuple[str, Symptom], list[Sighting]] = {}
    for each in sightings:
        if not any(_is_of(known, each) for known in listed):
            new.setdefault((each.record.target.backend, replace(each.symptom, job="")), []).append(each)
    for (backend, symptom), shown in new.items():
        flaky = all(each.flaky for each in shown)
        here = [each for each in records if each.target.backend == backend]
        met = [each for each in here if symptom in {replace(seen_there, job="") for seen_there in _met(each)}]
        happened = {version_of(each) for each in (*(one.record for one in shown), *met)}
        absent = [] if flaky else [each for each in seen.get(backend, ()) if each not in happened]
        before = next((each for each in renewed if _is_renewed(each, backend, symptom)), None)
        yield KnownDeviation(
            requirement=symptom.requirement,
            backend=backend,
            versions=open_range(happened, absent),
            reason=before.reason if before else PLACEHOLDER,
            reference=before.reference if before else shown[0].reference,
            call=symptom.call,
            flaky=before.flaky if before else flaky,
            expires=before.expires if before else "",
            answer=symptom.answer,
            demand=symptom.demand,
            job=tuple(dict.fromkeys(each.symptom.job for each in shown)),
            flaw=(symptom.flaw,),
        )


def _is_renewed(old: KnownDeviation, backend: str, symptom: Symptom) -> bool:
    """The entry of the old form stood for the symptom too."""
    same = (old.requirement, old.backend) == (symptom.requirement, backend)
    return same and old.call in ("", symptom.call)


# What the list was checked on


def _seen(listed: Sequence[KnownDeviation], records: Iterable[Record]) -> Mapping[str, Sequence[str]]:
    """The releases that the list was checked on, these records included, by backend."""
    seen = {each.backend: list(each.seen) for each in listed}
    for record in records:
        version = version_of(record)
        if version and version not in seen.setdefault(record.target.backend, []):
            seen[record.target.backend].append(version)
    return seen


def _seen_now(seen: Mapping[str, Sequence[str]], records: Iterable[Record]) -> Mapping[str, tuple[str, ...]]:
    """The same, of the backends of these records only, in order."""
    backends = dict.fromkeys(record.target.backend for record in records)
    return {each: tuple(sorted(seen[each], key=Version)) for each in backends if seen.get(each)}
