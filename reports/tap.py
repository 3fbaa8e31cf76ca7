"""Results as TAP 14: a point per requirement, and where several records are told, a subtest per record."""

import json
from collections.abc import Iterator, Sequence
from textwrap import shorten
from typing import NamedTuple

from jobtck.conformance.record import NamedRun, Record, RequirementRecord, RunVerdict, Verdict
from jobtck.conformance.wording import call_text
from jobtck.reports.sentences import (
    breaks_run,
    call_complaints,
    evidence_lines,
    known_text,
    native_text,
    rate_text,
    stale_text,
    summary,
    target_text,
)
from jobtck.reports.texts import legible, one_line

NAME_MAX = 100  # characters of a point's description; readers show it in one line
DEVIATIONS_MAX = 3  # told of one requirement: a fourth says little more
EVIDENCE_LINES_MAX = 20  # of each text that is kept of whoever was lost
CALLS_MAX = 30  # told of one deviation, its last; result.json has all
CHILD = "    "
# avocado takes a line of four blanks more for one of a child, and Perl's reader wants lists deeper than their names.
BLOCK, ITEM = "  ", " "


class Point(NamedTuple):
    """One line of a result, with a directive (`TODO why`, `SKIP why`) and what else there is to say."""

    ok: bool
    name: str
    directive: str = ""
    facts: Sequence[tuple[str, str | list[str]]] = ()


def tap(results: Sequence[NamedRun]) -> str:
    """The text; some point is `not ok` without a directive whenever a verdict is not conforming."""
    records = [(result, record) for result in results for record in result.run.records]
    faults = [_fault(result) for result in results if result.run.error or not result.run.records]
    if len(records) == 1:
        points = [*_points(records[0][1]), *faults]
        return "\n".join(["TAP version 14", *_told(points)]) + "\n"
    lines = ["TAP version 14", f"1..{len(records) + len(faults)}"]
    for number, (result, record) in enumerate(records, 1):
        name = target_text(record.target) + (f" ({result.name})" if len(results) > 1 else "")
        children = list(_points(record))
        lines.append(f"# Subtest: {_escaped(name)}")
        lines += [CHILD + line for line in _told(children)]
        lines += _lines(number, Point(all(each.ok or each.directive for each in children), name))
    for number, fault in enumerate(faults, len(records) + 1):
        lines += _lines(number, fault)
    return "\n".join(lines) + "\n"


def _fault(result: NamedRun) -> Point:
    """What ended a run; no `Bail out!`, which would keep a reader from whatever else it was to read."""
    return Point(False, "the run", facts=[("error", result.run.error or "nothing was judged")])


def _told(points: Sequence[Point]) -> Iterator[str]:
    yield f"1..{len(points)}"
    for number, point in enumerate(points, 1):
        yield from _lines(number, point)


def _lines(number: int, point: Point) -> Iterator[str]:
    name = shorten(one_line(point.name), NAME_MAX, placeholder=" ...")
    directive = f" # {_escaped(one_line(point.directive))}" if point.directive else ""
    yield f"{'ok' if point.ok else 'not ok'} {number} - {_escaped(name)}{directive}"
    facts = [(name, value) for name, value in point.facts if value]
    if not facts:
        return
    yield f"{BLOCK}---"
    for name, value in facts:
        if isinstance(value, str):
            yield f"{BLOCK}{name}: {_quoted(value)}"
        else:
            yield f"{BLOCK}{name}:"
            yield from (f"{BLOCK}{ITEM}- {_quoted(each)}" for each in value)
    yield f"{BLOCK}..."


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("#", "\\#")


def _quoted(text: str) -> str:
    """The text as YAML: in double quotes, whose escapes are those of JSON."""
    return json.dumps(legible(text), ensure_ascii=False)


def _points(record: Record) -> Iterator[Point]:
    points = [_requirement(each, record) for each in record.requirements]
    points += [Point(False, stale_text(known), facts=[("reason", known_text(known))]) for known in record.stale_known]
    points += [Point(False, what, facts=[("reason", complaint)]) for what, complaint in call_complaints(record)]
    yield from points
    if record.verdict is not RunVerdict.CONFORMING and all(each.ok or each.directive for each in points):
        yield Point(False, "the verdict", facts=[("verdict", summary(record))])


def _requirement(requirement: RequirementRecord, record: Record) -> Point:
    name, reason, facts = f"{requirement.id} {requirement.text}", requirement.reason, _facts(requirement)
    match requirement.verdict:
        case Verdict.PASS:
            return Point(True, name)
        case Verdict.FAIL if breaks_run(requirement, record):
            return Point(False, name, facts=facts)
        case Verdict.FAIL:
            return Point(False, name, f"TODO {requirement.excused or 'a SHOULD that deviates'}", facts)
        case Verdict.KNOWN:
            why = "; ".join(map(known_text, requirement.known)) or reason
            return Point(False, name, f"TODO known deviation: {why}", facts)
        case Verdict.UNSUPPORTED:
            return Point(True, name, f"SKIP unsupported: {reason}")
        case Verdict.NOT_EXERCISED if requirement.provisional:
            return Point(True, name, f"SKIP provisional: {reason}")
        case Verdict.NOT_EXERCISED if not requirement.is_missed:
            return Point(True, name, f"SKIP {requirement.excused or f'left out: {reason}'}")
        case Verdict.NOT_EXERCISED:
            return Point(False, name, facts=[("reason", f"not exercised: {reason}"), *facts])


def _facts(requirement: RequirementRecord) -> list[tuple[str, str | list[str]]]:
    facts: list[tuple[str, str | list[str]]] = [
        ("level", requirement.level),
        ("demands", requirement.text),
        ("source", requirement.source),
    ]
    for number, deviation in enumerate(requirement.deviations[:DEVIATIONS_MAX], 1):
        place = "" if number == 1 else f"-{number}"
        first = max(len(deviation.lines) - CALLS_MAX, 0)
        calls = [
            f"{position}. {call_text(line.call)} -> {line.answer}{_native(line.code, line.text)}"
            for position, line in enumerate(deviation.lines[first:], first + 1)
        ]
        facts += [(f"seen{place}", rate_text(deviation)), (f"calls{place}", calls)]
        facts.append((f"evidence{place}", evidence_lines(deviation, EVIDENCE_LINES_MAX)))
        facts.append((f"trace{place}", deviation.trace_file))
    return facts


def _native(code: str, text: str) -> str:
    told = native_text(code, text)
    return f" ({told})" if told else ""
