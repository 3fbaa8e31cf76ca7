"""The record of a run as JUnit XML: a suite per record and chapter, a case per requirement."""

# mypy: untyped-calls-exclude=junitparser

from collections.abc import Sequence
from itertools import groupby
from textwrap import shorten
from xml.etree import ElementTree as ET

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import Properties, Property, Result

from jobtck.conformance.record import (
    Deviation,
    Gate,
    KnownDeviation,
    NamedRun,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    Verdict,
)
from jobtck.conformance.wording import call_text
from jobtck.reports.sentences import (
    breaks_run,
    build_text,
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

EVIDENCE_LINES_MAX = 60  # of each text that is kept of whoever was lost
NAME_MAX = 100  # characters of a case's name; servers show names in one line


def junit_xml(run: RunRecord) -> str:
    """The text of `junit.xml`; some case is red whenever the run's verdict is not conforming."""
    return _text([("", run)])


def junit_of(results: Sequence[NamedRun]) -> str:
    """The same of several results; no two cases have one name, for servers take such for one."""
    if len(results) == 1:
        return junit_xml(results[0].run)
    return _text([(result.name, result.run) for result in results])


def _text(runs: Sequence[tuple[str, RunRecord]]) -> str:
    report = JUnitXml("jobtck")
    for name, run in runs:
        for record in run.records:
            for suite in _suites(record, name, run.gate):
                report.append(suite)
        if run.gate is not None:
            report.append(_gate_suite(run.gate, name))
        if run.error or not run.records:
            message = run.error or "nothing was judged"
            case = _case("the run", _dotted("jobtck", name), Error(legible(message), "error"))
            report.append(_suite(_dotted("jobtck", name), [case]))
    report.update_statistics()
    report.time = round(sum(run.seconds for _, run in runs), 3)  # all of it, setting up included
    return _canonical(report)


def _dotted(*words: str) -> str:
    """The words with dots between them, and nowhere else: servers make packages of them."""
    return ".".join(one_line(word).replace(".", "_") for word in words if word)


def _canonical(report: JUnitXml) -> str:
    """The same text whichever XML library junitparser found."""
    root = ET.fromstring(report.tostring())  # noqa: S314 (written here)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _gate_suite(gate: Gate, name: str) -> TestSuite:
    """What fails beside the baseline, red; what became better or otherwise, green."""
    classname = _dotted("jobtck", name, "gate")
    cases = [
        _case(
            _name(f"{each.what} {each.change}"),
            classname,
            Failure(legible(f"{each.target}: {each.told}"), each.change) if each.fails else None,
        )
        for each in gate.became
    ]
    cases += [_case(_name(each), classname, Failure(legible(each), "complaint")) for each in gate.complaints]
    cases += [_case(_name(each), classname, Error(legible(each), "gap")) for each in gate.gaps]
    return _suite(
        _titled("the gate", name), cases or [_case("as before", classname, None)], [("baseline", gate.baseline)]
    )


def _titled(title: str, name: str) -> str:
    """The title of a suite, with the name of its result where there are several."""
    return f"{one_line(name)}: {title}" if name else title


def _suites(record: Record, name: str, gate: Gate | None) -> list[TestSuite]:
    title, facts = _titled(target_text(record.target), name), _facts(record)
    classname = _dotted("jobtck", name, record.target.backend, record.target.design.name)
    suites = [
        _suite(
            f"{title}: {chapter}",
            [_requirement_case(each, record, f"{classname}.{chapter}") for each in requirements],
            facts,
        )
        for chapter, requirements in groupby(record.requirements, key=lambda each: each.chapter)
    ]
    around = [_stale_case(each, f"{classname}.known") for each in record.stale_known]
    around += [_call_case(*each, f"{classname}.capabilities") for each in call_complaints(record)]
    is_judged_alone = gate is None and record.verdict is not RunVerdict.CONFORMING
    if is_judged_alone and not around and _is_green(suites):
        around.append(_case("verdict", classname, Error(summary(record), str(record.verdict))))
    if around:
        suites.append(_suite(f"{title}: the run", around, facts))
    return suites


def _facts(record: Record) -> list[tuple[str, str]]:
    """What a suite is told of its run; a call serves many requirements, so no case has a time."""
    target, cost = record.target, record.cost
    versions = [(f"version {name}", version) for name, version in sorted(target.versions.items())]
    return [
        ("uri", target.uri),
        *versions,
        *((f"file {each.what}", build_text(each)) for each in target.builds),
        ("seed", str(record.seed)),
        ("command", record.command),
        ("calls", str(cost.calls)),
        ("seconds", f"{cost.seconds_total:.3f}"),
    ]


def _is_green(suites: list[TestSuite]) -> bool:
    return not any(case.is_failure or case.is_error for suite in suites for case in suite)


def _suite(name: str, cases: list[TestCase], facts: Sequence[tuple[str, str]] = ()) -> TestSuite:
    suite = TestSuite(name)
    for fact, value in facts:
        suite.add_property(legible(fact), legible(value))
    suite.add_testcases(cases)
    return suite


def _name(text: str) -> str:
    return shorten(one_line(text), NAME_MAX, placeholder=" ...")


def _case(name: str, classname: str, result: Result | None) -> TestCase:
    case = TestCase(name, classname, 0)
    if result is not None:
        case.append(result)
    return case


def _requirement_case(requirement: RequirementRecord, record: Record, classname: str) -> TestCase:
    case = TestCase(_name(f"{requirement.id} {requirement.text}"), classname, 0)
    properties = Properties()
    for name, value in (
        ("id", requirement.id),
        ("level", requirement.level),
        ("source", requirement.source),
        ("exercised", str(requirement.exercised)),
    ):
        properties.add_property(Property(name, legible(value)))
    case.append(properties)
    result = _result(requirement, record)
    if result is not None:
        case.append(result)
    return case


def _result(requirement: RequirementRecord, record: Record) -> Result | None:
    verdict, reason = requirement.verdict, legible(requirement.reason)
    text = deviations_text(requirement)
    match verdict:
        case Verdict.PASS:
            return None
        case Verdict.FAIL if breaks_run(requirement, record):
            return _told(Failure(legible(requirement.text), str(verdict)), text)
        case Verdict.FAIL:
            message = legible(f"{requirement.excused or 'SHOULD, deviates'}: {requirement.text}")
            return _told(Skipped(message, "deviates"), text)
        case Verdict.KNOWN:
            told = "; ".join(map(known_text, requirement.known)) or reason
            return _told(Skipped(f"known deviation: {told}", str(verdict)), text)
        case Verdict.UNSUPPORTED:
            return Skipped(f"unsupported: {reason}", str(verdict))
        case Verdict.NOT_EXERCISED if requirement.left_out:
            return Skipped(f"left out: {reason}", "left-out")
        case Verdict.NOT_EXERCISED if requirement.provisional:
            return Skipped(f"provisional: {reason}", "provisional")
        case Verdict.NOT_EXERCISED if requirement.excused:
            return Skipped(legible(f"not exercised, {requirement.excused}: {reason}"), str(verdict))
        case Verdict.NOT_EXERCISED:
            return Error(": ".join(filter(None, ["not exercised", reason])), str(verdict))


def _told(result: Result, text: str) -> Result:
    result.text = text
    return result


def _stale_case(known: KnownDeviation, classname: str) -> TestCase:
    where = f"{known.backend} {known.versions}".strip()
    message = f"take it off the list for {where}, or narrow its versions: {known_text(known)}"
    return _case(_name(stale_text(known)), classname, Failure(legible(message), "stale"))


def _call_case(what: str, complaint: str, classname: str) -> TestCase:
    return _case(_name(what), classname, Failure(legible(complaint), "unkept"))


def deviations_text(requirement: RequirementRecord) -> str:
    """Why the requirement fails: its source, and each deviation as its calls."""
    told = [requirement.reason, f"source: {requirement.source}"]
    told += [_deviation_text(each, requirement.excuses(each)) for each in requirement.deviations]
    return legible("\n\n".join(filter(None, told)))


def _deviation_text(deviation: Deviation, excuses: Sequence[KnownDeviation]) -> str:
    lines = [f"known: {known_text(each)}" for each in excuses]
    for place, line in enumerate(deviation.lines, 1):
        mark = ">" if place == len(deviation.lines) else " "
        native = native_text(line.code, line.text)
        lines.append(f"{mark} {call_text(line.call)} -> {line.answer}")
        lines += [f"      {native}"] if native else []
    told = ", ".join(filter(None, [rate_text(deviation), deviation.trace_file]))
    return "\n".join([told, *lines, *evidence_lines(deviation, EVIDENCE_LINES_MAX)])
