"""Every report, of records made by hand with all verdicts and the worst texts."""

import io
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from rich.console import Console
from rich.text import Text

from jobtck.conformance.calls import AbortJob, BackupBegin, BackupGetXmlDesc, BlockJobSetSpeed, Mode
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.power_record import Power, Unnoticed, Watched
from jobtck.conformance.record import (
    RESULT_SCHEMA,
    CellRecord,
    Cost,
    Deviation,
    KnownDeviation,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    Symptom,
    TargetRecord,
    TraceLine,
    Verdict,
)
from jobtck.conformance.traces import line_json
from jobtck.reports.junit import junit_xml
from jobtck.reports.result_json import dumps, result, schema, validate
from jobtck.reports.result_reading import read_run
from jobtck.reports.sentences import replay_command, summary
from jobtck.reports.terminal import print_run
from jobtck.reports.texts import LINE_MAX, TEXT_MAX, id_ranges, legible, one_line, storable

NASTY = '[red]no[/red] [/] <script>&amp;"\x1b[31m \x00 \x9b \udc80 \u202e \ufffe :smile: \r\n\ttwo'
HUGE = "0123456789" * 1_000_000
MAIL = 'mail of 2019-03-26, "it\'s hard to remember which name form to use"'
SPEED = "A block-job verb aimed at a disk that a backup is copying does not re-tune the backup."

BEGUN = TraceLine(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",)), "value", jobs=("a",))
TUNED = TraceLine(BlockJobSetSpeed(disk="vda"), "value", jobs=("a",))
ENDED = TraceLine(
    AbortJob(),
    "refused: internal",
    "VIR_ERR_INTERNAL_ERROR",
    "internal error: unable to execute QEMU command 'block-job-cancel': Job not found",
    jobs=("a",),
)
TYPE_2 = Deviation(
    ("TYPE-2",),
    (BEGUN, TUNED),
    3,
    3,
    "traces/libvirt-default-job-TYPE-2.json",
    ("done",),
    ("refused: busy",),
    (Symptom("TYPE-2", "block_job_set_speed", "done", job="backup-pull"),),
)
END_6 = Deviation(
    ("END-6", "SANE-1"),
    (BEGUN, ENDED),
    2,
    3,
    "traces/libvirt-default-job-END-6.json",
    symptoms=tuple(Symptom(each, "abort_job", "internal", job="backup-pull") for each in ("END-6", "SANE-1")),
)
END_7 = Deviation(
    ("END-7",),
    (BEGUN, replace(ENDED, call=BackupGetXmlDesc())),
    3,
    3,
    "traces/END-7.json",
    symptoms=(Symptom("END-7", "backup_get_xml_desc", "internal"),),
)
LISTED = KnownDeviation(
    "END-7",
    "libvirt",
    ">=8.0.0,<9.1.0",
    "an abort of a finished job is answered with an internal error",
    "https://gitlab.com/libvirt/libvirt/-/issues/1",
    call="backup_get_xml_desc",
    answer="internal",
)
IDS = "its jobs are named by integer or name"


def requirement(id: str, verdict: Verdict = Verdict.PASS, exercised: int = 7, **values: object) -> RequirementRecord:
    usual = {"text": f"What {id} demands.", "source": "sense", "level": "MUST"}
    return RequirementRecord(
        id=id,
        chapter=id.rpartition("-")[0],
        verdict=verdict,
        exercised=exercised,
        **(usual | values),  # type: ignore[arg-type]
    )


def unjudged(id: str, verdict: Verdict, reason: str, **values: object) -> RequirementRecord:
    return requirement(id, verdict, 0, reason=reason, **values)


TYPE = requirement("TYPE-2", Verdict.FAIL, level="SHOULD", text=SPEED, source=MAIL, deviations=(TYPE_2,))
REQUIREMENTS = (
    *(unjudged(f"ID-{number}", Verdict.UNSUPPORTED, IDS) for number in (1, 2, 3, 5)),
    requirement("ID-4", exercised=12_345),
    TYPE,
    requirement("TYPE-3"),
    requirement("END-1"),
    requirement("END-6", Verdict.FAIL, deviations=(END_6,)),
    requirement("END-7", Verdict.KNOWN, known=(LISTED,), deviations=(END_7,)),
    unjudged("FAULT-1", Verdict.NOT_EXERCISED, "no call for it yet", provisional=True),
    unjudged("TIME-1", Verdict.NOT_EXERCISED, "the budget ended before"),
    requirement("SANE-1", Verdict.FAIL, deviations=(END_6,)),
)
TARGET = TargetRecord(
    backend="libvirt",
    uri="qemu:///embed?root=/tmp/jobtck-1234",
    design=presets()["default-job"],
    versions={"qemu": "7.2.0", "libvirt": "9.0.0", "libvirt-python": "9.0.0"},
    calls=("backup_begin", "abort_job"),
    features=("a second domain",),
    reasons={"list_all_jobs": "libvirt has no such call"},
)
POWER = Power(
    fields=(
        Watched("abort_job", "kind of error", 0, 33),
        Watched("abort_job", "success", 1879, 1879),
        Watched("save", "kind of error", 33, 88),
    ),
    requirements=(("END-4", 1879), ("SANE-1", 33)),
    unwatched=(
        Unnoticed("abort_job", "kind of error", "busy", 30),
        Unnoticed("abort_job", "kind of error", "other", 3),
        Unnoticed("save", "kind of error", "other", 3),
    ),
    free=(Unnoticed("save", "time", "waited", 4, "it may wait"),),
)
RECORD = Record(
    verdict=RunVerdict.NONCONFORMING,
    target=TARGET,
    requirements=REQUIREMENTS,
    cells=(
        CellRecord("no job", "backup_begin(backup-pull, free disk)", "value", 12, 0.25),
        CellRecord("backup-pull", "abort_job()", "value", 3, 0.125),
    ),
    cells_open=4,
    cost=Cost(1234, 61.5, 58.25),
    seed=7,
    command="jobtck run",
    notes=("KVM is not there: QEMU emulates the processor (TCG)",),
    stale_known=(replace(LISTED, requirement="END-1"),),
    power=POWER,
)
CONFORMING = replace(
    RECORD,
    verdict=RunVerdict.CONFORMING,
    target=replace(TARGET, backend="reference", uri="", design=presets()["zero-id"], versions={"jobtck": "1"}),
    requirements=(requirement("ID-1"), TYPE, requirement("END-7", Verdict.KNOWN, known=(LISTED,))),
    stale_known=(),
    notes=(),
    power=None,
)
NOTHING = replace(
    CONFORMING,
    verdict=RunVerdict.INCOMPLETE,
    requirements=(unjudged("ID-1", Verdict.UNSUPPORTED, "no job API"),),
    cost=Cost(0, 0.0, 0.0),
    cells=(),
)


def spoilt(text: str) -> Record:
    """A record in which every text that comes from elsewhere is *text*."""
    line = TraceLine(BEGUN.call, text, text, text)
    deviation = Deviation(("TYPE-2",), (line, line), 1, 3, text, (text,), (f"not {text}",))
    known = KnownDeviation(
        "END-7", text, text, text, text, answer=text, demand=text, job=(text, text), flaw=(text,), seen=(text,)
    )
    return replace(
        RECORD,
        target=TargetRecord(text, text, replace(TARGET.design, name=text, source=text), {text: text}, (text,), ()),
        requirements=(
            requirement("TYPE-2", Verdict.FAIL, text=text, source=text, deviations=(deviation,)),
            unjudged("END-7", Verdict.KNOWN, text, known=(known,)),
            unjudged("END-8", Verdict.UNSUPPORTED, text),
        ),
        cells=(CellRecord(text, text, text, 1, 0.5),),
        command=text,
        notes=(text,),
        stale_known=(known,),
        power=Power((), ((text, 1),), (Unnoticed("save", text, "other", 1),), ()),
    )


def a_run(*records: Record, error: str = "") -> RunRecord:
    return RunRecord(records, "jobtck run", 7, 63.25, error)


RUNS = {
    "one": a_run(RECORD),
    "conforming": a_run(CONFORMING),
    "two": a_run(RECORD, CONFORMING),
    "strict": a_run(replace(RECORD, strict=True)),
    "nothing supported": a_run(NOTHING),
    "quick": a_run(
        replace(
            CONFORMING,
            requirements=(
                *CONFORMING.requirements,
                unjudged("LIST-2", Verdict.NOT_EXERCISED, "the run was to be quick", left_out=True),
            ),
        )
    ),
    "none": a_run(),
    "error": a_run(error="cannot open qemu:///embed: no such file"),
    "error later": a_run(RECORD, error="libvirt died"),
    "nasty": a_run(spoilt(NASTY), error=NASTY),
    "huge": a_run(spoilt(HUGE), spoilt(HUGE), error=HUGE),
    "long trace": a_run(
        replace(
            CONFORMING,
            requirements=(replace(TYPE, deviations=(replace(TYPE_2, lines=(BEGUN,) * 99),)),),
        )
    ),
}
every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


def shown(run: RunRecord, width: int = 80) -> str:
    output = io.StringIO()
    print_run(Console(file=output, width=width), run, report_dir="jobtck-report")
    return output.getvalue()


def as_json(run: RunRecord) -> str:
    return dumps(result(run))


def cases(run: RunRecord) -> dict[str, ET.Element]:
    """The test cases of the JUnit report by the first word of their names."""
    root = ET.fromstring(junit_xml(run))  # noqa: S314 (written here)
    return {case.attrib["name"].partition(" ")[0]: case for case in root.iter("testcase")}


@every_run
@pytest.mark.parametrize("report", [as_json, junit_xml, shown])
def test_the_same_record_gives_the_same_text(run: RunRecord, report: Callable[[RunRecord], str]) -> None:
    assert report(run) == report(replace(run))
    report(run).encode("utf-8")


# result.json


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())
    assert json.dumps(RESULT_SCHEMA) in json.dumps(schema())


@every_run
def test_results_keep_the_schema(run: RunRecord) -> None:
    validate(result(run))
    text = as_json(run)
    validate(json.loads(text))
    assert text.isascii()
    assert text.endswith("}\n")


def test_one_record_is_told_at_the_top() -> None:
    content = result(RUNS["one"])
    assert content["verdict"] == "nonconforming"
    assert "runs" not in content
    assert content["cost"] == {
        "calls": 1234,
        "seconds_total": 61.5,
        "seconds_in_backend": 58.25,
    }
    requirements = {each["id"]: each for each in json.loads(as_json(RUNS["one"]))["requirements"]}
    assert requirements["TYPE-2"]["deviations"] == [
        {
            "trace": "traces/libvirt-default-job-TYPE-2.json",
            "reproduced": 3,
            "runs": 3,
            "requirements": ["TYPE-2"],
            "calls": [line_json(BEGUN), line_json(TUNED)],
            "breaking": ["done"],
            "allowed": ["refused: busy"],
            "symptoms": [
                {
                    "requirement": "TYPE-2",
                    "call": "block_job_set_speed",
                    "answer": "done",
                    "demand": "",
                    "job": "backup-pull",
                    "flaw": "",
                }
            ],
            "met": 0,
            "exercised": 0,
            "not_again": "",
            "follows": [],
            "evidence": [],
        }
    ]
    assert [each["versions"] for each in requirements["END-7"]["known"]] == [">=8.0.0,<9.1.0"]


def test_the_power_of_a_run_is_told_by_field_by_requirement_and_by_what_nobody_notices() -> None:
    power = json.loads(as_json(RUNS["one"]))["power"]
    assert (power["noticed"], power["total"]) == (1912, 2000)
    assert power["fields"][1] == {"call": "abort_job", "field": "success", "noticed": 1879, "total": 1879}
    assert power["requirements"] == [{"id": "END-4", "noticed": 1879}, {"id": "SANE-1", "noticed": 33}]
    busy = {"call": "abort_job", "field": "kind of error", "how": "busy", "total": 30, "reason": ""}
    assert power["unwatched"][0] == busy
    assert [each["reason"] for each in power["free"]] == ["it may wait"]
    assert json.loads(as_json(RUNS["conforming"]))["power"] is None


def test_a_result_of_before_power_was_measured_has_none() -> None:
    content = json.loads(as_json(RUNS["one"]))
    del content["power"]
    (record,) = read_run(json.dumps(content), "result.json").records
    assert record.power is None


def test_several_records_are_told_each_like_one() -> None:
    content = json.loads(as_json(RUNS["two"]))
    one, other = content["runs"]
    alone = json.loads(as_json(RUNS["one"]))
    assert one == {key: value for key, value in alone.items() if key not in ("seconds", "gate", "date")}
    assert other["verdict"] == "conforming"
    assert content["verdict"] == "nonconforming"


def test_no_record_is_no_run() -> None:
    content = result(RUNS["error"])
    assert (content["verdict"], content["runs"]) == ("error", [])


def test_an_error_outweighs_the_one_record() -> None:
    assert result(RUNS["error later"])["verdict"] == "error"


def test_mappings_are_told_in_one_order() -> None:
    turned = replace(TARGET, versions=dict(reversed(list(TARGET.versions.items()))))
    assert as_json(a_run(replace(RECORD, target=turned))) == as_json(RUNS["one"])


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda content: content.pop("verdict"), "$: 'verdict'"),
        (lambda content: content.update(verdict="green"), "$.verdict: 'green'"),
        (lambda content: content.update(more=1), "$: Additional"),
        (lambda content: content["requirements"][5].update(exercised=-1), "$.requirements[5].ex"),
        (lambda content: content["target"]["design"].update(zero=HUGE), "$.target.design.zero: "),
        (lambda content: content["cells"][0].pop("count"), "$.cells[0]: 'count'"),
        (lambda content: content.update(runs=[{}]), "$"),
    ],
)
def test_a_breach_of_the_schema_is_told_with_its_path(spoil: Callable[[dict[str, object]], object], path: str) -> None:
    content = json.loads(as_json(RUNS["one"]))
    spoil(content)
    with pytest.raises(BadInput) as caught:
        validate(content, "old.json")
    assert str(caught.value).startswith(f"old.json: {path}")
    assert len(str(caught.value)) < 1000


# junit.xml


@every_run
def test_junit_is_read_back_with_right_counts(run: RunRecord) -> None:
    text = junit_xml(run)
    report = JUnitXml.fromstring(text.encode())
    results = [entry for suite in report for case in suite for entry in case.result]
    tags = [type(entry).__name__ for entry in results]
    assert report.tests == sum(len(suite) for suite in report)
    assert report.failures == tags.count("Failure")
    assert report.errors == tags.count("Error")
    assert report.skipped == tags.count("Skipped")
    assert report.time == 63.25
    red = report.failures + report.errors > 0  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]
    assert red == (run.verdict is not RunVerdict.CONFORMING)


@pytest.mark.parametrize(
    ("name", "tag", "message"),
    [
        ("END-6", "failure", "What END-6 demands."),
        ("TYPE-2", "skipped", f"SHOULD, deviates: {SPEED}"),
        ("END-7", "skipped", f"known deviation: {LISTED.reason} ({LISTED.reference})"),
        ("ID-1", "skipped", f"unsupported: {IDS}"),
        ("FAULT-1", "skipped", "provisional: no call for it yet"),
        ("TIME-1", "error", "not exercised: the budget ended before"),
    ],
)
def test_what_junit_says_of_a_verdict(name: str, tag: str, message: str) -> None:
    found = cases(RUNS["one"])[name].find(tag)
    assert found is not None
    assert found.attrib["message"] == message


def test_junit_has_a_case_per_requirement_with_its_properties() -> None:
    found = cases(RUNS["one"])
    assert found.keys() >= {each.id for each in REQUIREMENTS}
    case = found["TYPE-2"]
    assert case.attrib["classname"] == "jobtck.libvirt.default-job.TYPE"
    assert case.attrib["name"].startswith("TYPE-2 A block-job verb aimed")
    properties = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert properties == {"id": "TYPE-2", "level": "SHOULD", "source": MAIL, "exercised": "7"}
    assert [child.tag for child in found["ID-4"]] == ["properties"]


def test_junit_shows_the_calls_of_a_failure() -> None:
    failure = cases(RUNS["one"])["END-6"].find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "> abort_job() -> refused: internal\n" in failure.text
    assert "VIR_ERR_INTERNAL_ERROR: internal error: unable" in failure.text
    assert "flaky: reproduced 2 of 3" in failure.text


def test_a_should_that_fails_is_red_where_the_run_is_strict() -> None:
    assert cases(RUNS["strict"])["TYPE-2"].find("failure") is not None


def test_a_stale_listed_deviation_is_red() -> None:
    stale = replace(LISTED, requirement="GONE-1")
    case = cases(a_run(replace(RECORD, stale_known=(stale,))))["GONE-1"]
    assert (
        case.attrib["name"] == "GONE-1 in backup_get_xml_desc answered 'internal' is listed as known and did not happen"
    )
    assert case.find("failure") is not None


def test_nothing_supported_is_no_green_report() -> None:
    error = cases(RUNS["nothing supported"])["verdict"].find("error")
    assert error is not None
    assert "incomplete: nothing was exercised" in error.attrib["message"]


# The terminal


@pytest.mark.parametrize(("run", "width"), list(product(RUNS.values(), (60, 80, 120))))
def test_no_line_is_wider_than_the_terminal(run: RunRecord, width: int) -> None:
    # Words of a command stay whole, to be copied.
    text = re.sub(r"^  replay: .*?\n\n", "", shown(run, width), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in text.splitlines() if len(line) > width] == []


def test_a_command_is_broken_as_a_shell_reads_it() -> None:
    text = shown(RUNS["one"], 60)
    command = "jobtck replay \\\n            jobtck-report/traces/libvirt-default-job-TYPE-2.json"
    assert f"  replay: {command}\n" in text
    assert shlex.split(command.replace("\\\n", "")) == replay_command(TYPE_2, TARGET, "jobtck-report")


def test_a_deviation_is_its_few_calls() -> None:
    text = shown(RUNS["one"])
    assert "TYPE-2 (SHOULD) deviates " in text
    assert "reproduced 3 of 3\n" in text
    assert "      a = backup_begin(pull, vda)   value" in text
    assert "    > block_job_set_speed(vda)      value" in text
    command = "jobtck replay jobtck-report/traces/libvirt-default-job-TYPE-2.json"
    assert f"  replay: {command}\n" in text


def test_a_record_ends_with_what_it_would_have_noticed() -> None:
    assert "seed 7\nnoticed 1,912 of 2,000 changed answers\n" in shown(RUNS["one"], 120)
    assert "changed answers" not in shown(RUNS["conforming"])


def test_what_was_said_stands_below_its_call() -> None:
    lines = [line.strip() for line in shown(RUNS["one"], 120).splitlines()]
    place = lines.index("> abort_job()                   refused: internal")
    assert lines[place + 1].startswith("VIR_ERR_INTERNAL_ERROR: internal error: unable to execute")


def test_known_deviations_come_after_the_others() -> None:
    text = shown(RUNS["one"])
    places = [text.index(word) for word in ("END-6 (MUST), SANE-1", "END-7 (MUST)", "END-1\n")]
    assert places == sorted(places)
    assert LISTED.reason in " ".join(text.split())


def test_a_deviation_of_two_requirements_is_shown_once() -> None:
    assert shown(RUNS["one"]).count("> abort_job()") == 1


def test_the_last_words_are_the_verdicts() -> None:
    lines = shown(RUNS["two"], 300).splitlines()
    assert lines[-3:] == [
        (
            "libvirt 9.0.0 as default-job: nonconforming: 2 failed requirements: END-6, SANE-1; "
            "1 requirement not exercised: TIME-1; "
            "1 listed deviation that no longer happened: END-1; 1 known deviation: END-7; "
            "1 deviation from a SHOULD: TYPE-2"
        ),
        ("reference as zero-id: conforming, with 1 known deviation: END-7; 1 deviation from a SHOULD: TYPE-2"),
        "2 runs together: nonconforming",
    ]


def test_a_conforming_record_says_so_and_names_what_is_known() -> None:
    known = tuple(requirement(f"END-{number}", Verdict.KNOWN) for number in (6, 7))
    numbered = replace(TARGET, backend="numbered", design=presets()["zero-id"])
    record = replace(CONFORMING, target=numbered, requirements=known)
    assert summary(record) == (
        "numbered on libvirt 9.0.0 as zero-id: conforming, with 2 known deviations: END-6, END-7"
    )
    plain = replace(record, requirements=(requirement("END-6"),))
    assert summary(plain) == "numbered on libvirt 9.0.0 as zero-id: conforming"
    below_qemu = replace(TARGET, backend="qemu-jobs", versions={"qemu.qmp": "0.0.6", "qemu": "7.2.0"})
    assert summary(replace(plain, target=below_qemu)) == "qemu-jobs on qemu 7.2.0 as default-job: conforming"


def test_an_error_is_the_last_word() -> None:
    last = shown(RUNS["error"]).splitlines()[-1]
    assert last == "error: cannot open qemu:///embed: no such file"


def test_a_long_trace_shows_its_end() -> None:
    text = shown(RUNS["long trace"])
    assert "(69 calls before these, in the trace file)" in text
    assert text.count("backup_begin") == 30


def test_the_same_requirement_again_and_again_is_cut_short() -> None:
    many = tuple(replace(TYPE_2, reproduced=number) for number in range(9))
    record = replace(CONFORMING, requirements=(replace(TYPE, deviations=many),))
    text = shown(a_run(record))
    assert text.count("> block_job_set_speed") == 3
    assert "6 deviations more of the same requirements, in result.json" in text.replace("and ", "")


def test_a_replay_goes_where_the_trace_was_seen() -> None:
    target = replace(TARGET, uri="qemu+ssh://host/system?a=b c")
    told = replay_command(END_7, target, "out dir/")
    assert told == [
        "jobtck",
        "replay",
        "'out dir/traces/END-7.json'",
        "-c",
        "'qemu+ssh://host/system?a=b c'",
    ]


def test_a_trace_of_an_adapter_is_replayed_on_its_command() -> None:
    target = replace(TARGET, backend="exec:toy", uri="exec:./toy --fast")
    assert replay_command(TYPE_2, target, "")[-2:] == ["--backend", "'exec:./toy --fast'"]


@pytest.mark.parametrize("width", [80, 120])
def test_foreign_text_is_shown_and_steers_nothing(width: int) -> None:
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=True, color_system=None)
    print_run(console, RUNS["nasty"])
    text = output.getvalue()
    assert "[red]no[/red]" in text
    assert ":smile:" in text
    assert "\\x1b[31m" in text
    assert not {"\x1b", "\x00", "\x9b", "\udc80", "\u202e"} & set(text)


def test_colours_change_no_word() -> None:
    output = io.StringIO()
    print_run(Console(file=output, width=80, force_terminal=True), RUNS["one"], "jobtck-report")
    assert "\x1b[" in output.getvalue()
    plain = Text.from_ansi(output.getvalue()).plain
    assert plain.split() == shown(RUNS["one"]).split()


# Texts


def test_a_huge_text_is_cut_with_a_note() -> None:
    for cut in (storable, legible):
        assert cut(HUGE) == HUGE[:TEXT_MAX] + " [cut: 10,000,000 characters in all]"
    assert len(one_line(HUGE)) < LINE_MAX + 50
    assert len(as_json(RUNS["huge"])) < 1_000_000
    assert len(shown(RUNS["huge"])) < 100_000


def test_escapes_count_towards_the_limit() -> None:
    assert len(legible("\x1b" * TEXT_MAX)) < TEXT_MAX + 50
    assert len(storable("\udc80" * TEXT_MAX)) < TEXT_MAX + 50


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([], ""),
        (["ID-1"], "ID-1"),
        (["ID-1", "ID-2"], "ID-1, ID-2"),
        (["ID-1", "ID-2", "ID-3", "ID-5"], "ID-1..3, ID-5"),
        (["ID-2", "ZERO-3", "ZERO-4", "ZERO-5"], "ID-2, ZERO-3..5"),
        (["odd", "odd-x", "A-B-1"], "odd, odd-x, A-B-1"),
    ],
)
def test_ids_in_a_row_are_told_as_a_range(ids: list[str], told: str) -> None:
    assert id_ranges(ids) == told


# read back


@every_run
def test_what_was_written_is_read_back(run: RunRecord) -> None:
    text = as_json(run)
    again = as_json(read_run(text, "result.json"))
    if "[cut: " not in text:  # what was cut is cut anew, a little shorter
        assert again == text
    validate(json.loads(again))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        (as_json(RUNS["one"])[:500], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a result of jobtck"),
        ('{"schema": "jobtck-trace/1"}', "not a result of jobtck"),
        ('{"schema": "jobtck-result/99"}', "its schema is 'jobtck-result/99'"),
        ('{"schema": "jobtck-result/2"}', "its schema is 'jobtck-result/2', and this release reads jobtck-result/3"),
        ('{"schema": "jobtck-result/3"}', "is a required property"),
        (as_json(RUNS["one"]).replace('"disks"', '"discs"'), "backup_begin has no argument 'discs'"),
        (as_json(RUNS["one"]).replace("61.5", "NaN"), "not JSON"),
    ],
)
def test_what_is_no_result_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_run(text, "old.json")
    assert str(caught.value).startswith("old.json: ")
    assert told in str(caught.value)
    assert len(str(caught.value)) < 1000
