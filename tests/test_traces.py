"""Traces: every call survives being written and read, a wrong file is told, a right one replays."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobtck.conformance.calls import (
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    Call,
    IdOf,
    Mode,
)
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import Design, presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.judge import Judge
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.record import TRACE_SCHEMA, Deviation, TargetRecord, TraceLine
from jobtck.conformance.traces import (
    BYTES_MAX,
    Trace,
    call_json,
    design_json,
    parse_trace,
    trace_json,
)
from jobtck.conformance.wording import call_text
from jobtck.fixtures.reference import ReferenceTarget, calls_of
from jobtck.replay import ANOTHER_TURN, FIXED, STILL_THERE, backend_of, read_trace, replay_and_tell
from jobtck.replays import replay, when_nothing_is_known
from jobtck.strategies.chart import Chart

ZERO_ID = presets()["zero-id"]
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
AGAIN = replace(BEGIN, label=1)
END = BackupEnd(job=IdOf(0))
# In a design that gives ids again the second job bears the first one's, and an end of the first
# ends the second: STALE-2.
REUSE = (BEGIN, END, AGAIN, END)


def content(design: Design, calls: tuple[Call, ...], *requirements: str) -> JsonObject:
    target = TargetRecord("reference", "", design, {}, (), ())
    lines = tuple(TraceLine(call, "value") for call in calls)
    # As text and back: what a file holds is JSON.
    written: JsonObject = json.loads(json.dumps(trace_json(Deviation(requirements, lines, 3, 3), target)))
    return written


def parse(written: object) -> Trace:
    return parse_trace(json.dumps(written), "t.json")


def complaint(written: object) -> str:
    text = written if isinstance(written, str) else json.dumps(written)
    with pytest.raises(BadInput) as caught:
        parse_trace(text, "t.json")
    told = str(caught.value)
    assert told.startswith("t.json: ")
    assert "\n" not in told
    return told


# -- writing and reading ---------------------------------------------------------------------------


@pytest.mark.parametrize("design", presets())
def test_every_call_of_the_alphabet_is_read_as_it_was_written(design: str, chart_of: Callable[[str], Chart]) -> None:
    places = chart_of(design).places.values()
    calls = tuple(dict.fromkeys(move.call for place in places for move in place.moves))
    assert {type(call) for call in calls} == calls_of(presets()[design])
    trace = parse(content(presets()[design], calls, "ID-1"))
    assert trace == Trace("reference", presets()[design], ("ID-1",), calls)
    assert len({call_text(call) for call in calls}) == len(calls)


@settings(max_examples=30, deadline=None)
@given(
    st.builds(
        Design,
        name=st.text(min_size=1),
        handle=st.just(ZERO_ID.handle),
        zero=st.just(ZERO_ID.zero),
        parallel=st.integers(1, 64),
        listing=st.booleans(),
        default_job=st.booleans(),
        block_ids=st.booleans(),
        namespace=st.just(ZERO_ID.namespace),
        reuse=st.just(ZERO_ID.reuse),
        source=st.text(),
    )
)
def test_every_design_is_read_as_it_was_written(design: Design) -> None:
    assert parse(content(design, (BEGIN,), "ID-1")).design == design


# -- files that are none ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON: Expecting value"),
        ("{", "not JSON: Expecting property name"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
        ("9" * 5_000, "not JSON: Exceeds the limit"),
        ("[1, 2]", "not a trace of jobtck: it has no 'schema'"),
        ('{"a": 1}', "not a trace of jobtck: it has no 'schema'"),
        ('{"schema": "jobtck-trace/9"}', f"and only '{TRACE_SCHEMA}' can be replayed"),
        (f'{{"schema": "{TRACE_SCHEMA}"}}', "'backend' is missing"),
    ],
)
def test_a_file_that_is_no_trace_is_told(text: str, told: str) -> None:
    assert told in complaint(text)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"calls": []}, "'calls' is no list of 1 to 100000 calls"),
        ({"calls": {}}, "'calls' is no list of 1 to 100000 calls"),
        ({"calls": [[]]}, "call 1: [] is no call"),
        ({"calls": [{"call": "rm"}]}, "call 1: no call is named 'rm'"),
        ({"calls": [{"call": []}]}, "call 1: no call is named []"),
        ({"requirements": []}, "'requirements' is no list of requirements"),
        ({"requirements": "ID-1"}, "'requirements' is no list of requirements"),
        ({"design": "zero-id"}, "'design' is no object with a 'name' and the axes"),
        ({"design": {"name": "x"}}, "design: the design 'x' says nothing of 'handle'"),
        ({"design": {**design_json(ZERO_ID), "parallel": 10**9}}, "design: parallel = 1000000000"),
        ({"design": {**design_json(ZERO_ID), "colour": 1}}, "design: no axis 'colour'"),
    ],
)
def test_a_trace_with_something_wrong_in_it_is_told(change: JsonObject, told: str) -> None:
    assert told in complaint({**content(ZERO_ID, (BEGIN,), "ID-1"), **change})


@pytest.mark.parametrize(
    ("design", "change", "told"),
    [
        ("zero-id", {"label": 6}, "backup_begin labels its job 6: labels of jobs are below 6"),
        ("zero-id", {"label": "a"}, "backup_begin cannot have label = 'a'"),
        ("zero-id", {"label": True}, "backup_begin cannot have label = True"),
        ("zero-id", {"domain": 2}, "backup_begin cannot have domain = 2"),
        ("zero-id", {"client": -1}, "backup_begin cannot have client = -1"),
        ("zero-id", {"mode": "pop"}, "backup_begin cannot have mode = 'pop'"),
        ("zero-id", {"disks": "vda"}, "backup_begin cannot have disks = 'vda'"),
        ("zero-id", {"disks": [1]}, "backup_begin cannot have disks = [1]"),
        ("zero-id", {"flaw": "ugly"}, "backup_begin cannot have flaw = 'ugly'"),
        ("zero-id", {"colour": 1}, "backup_begin has no argument 'colour'"),
        ("zero-id", {"name": "x"}, "backup_begin cannot have a name where handle = 'integer'"),
        ("qemu-jobs", {}, "backup_begin needs a name where handle = 'name'"),
        ("zero-id", {"call": "backup_end"}, "backup_end has no argument 'label'"),
    ],
)
def test_a_call_with_a_wrong_argument_is_told(design: str, change: JsonObject, told: str) -> None:
    written = content(presets()[design], (BEGIN,), "ID-1")
    written["calls"] = [{**call_json(BEGIN), **change}]
    assert told in complaint(written)


@pytest.mark.parametrize(
    ("design", "job", "told"),
    [
        ("zero-id", {"odd": "queer"}, "backup_end cannot have job = {'odd': 'queer'}"),
        ("zero-id", {"id_of": 6}, "backup_end cannot have job = {'id_of': 6}"),
        ("zero-id", {"id_of": 1, "x": 2}, "backup_end cannot have job = "),
        ("zero-id", 7, "backup_end cannot have job = 7"),
        ("zero-id", None, "names no job, and handle = 'integer' demands one"),
        ("zero-id", {"handle_of": 0}, "names a handle, and handle = 'integer' has none"),
        ("default-job", {"id_of": 0}, "names an id, and handle = 'none' has none"),
        ("opaque-handles", {"id_of": 0}, "names an id, and handle = 'opaque' demands a handle"),
    ],
)
def test_a_call_on_a_job_that_cannot_be_is_told(design: str, job: object, told: str) -> None:
    written = content(presets()[design], (END,), "ID-1")
    written["calls"] = [{"call": "backup_end", "job": job}]
    assert told in complaint(written)


def test_a_call_without_what_it_needs_is_told() -> None:
    written = {**content(ZERO_ID, (BEGIN,), "ID-1"), "calls": [{"call": "backup_begin"}]}
    assert complaint(written) == "t.json: call 1: backup_begin needs disks, label, mode"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_trace_cut_short_is_told(length: int) -> None:
    text = json.dumps(content(ZERO_ID, REUSE, "STALE-2"))
    assert "not JSON: " in complaint(text[: length % len(text)])


def test_a_file_too_large_to_be_a_trace_is_not_parsed(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as opened:
        opened.truncate(BYTES_MAX + 1)
    with pytest.raises(BadInput, match=r"huge\.json: larger than 64 MiB: no trace of the kit's"):
        read_trace(file)


# -- replaying -------------------------------------------------------------------------------------

RECYCLED = presets()["recycled-ids"]


def replayed(written: JsonObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(written))
    status = replay_and_tell(file, None, Options())
    return status, " ".join(capsys.readouterr().out.split())


def test_a_deviation_that_is_still_there_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = replayed(content(RECYCLED, REUSE, "STALE-2"), tmp_path, capsys)
    assert status == STILL_THERE
    assert "> backup_end(a) " in told
    assert "reference as recycled-ids: still there. STALE-2: end on an ended job's id is " in told


def test_a_deviation_that_is_gone_is_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = replayed(content(ZERO_ID, REUSE, "STALE-2"), tmp_path, capsys)
    assert status == FIXED
    assert "refused: no-such-job" in told
    assert told.endswith("reference as zero-id: fixed: STALE-2 held")


def test_a_harmless_trace_is_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = replayed(content(RECYCLED, REUSE[:3], "STALE-2"), tmp_path, capsys)
    assert status == FIXED


def test_another_deviation_is_another_turn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = replayed(content(RECYCLED, REUSE, "ZERO-1"), tmp_path, capsys)
    assert status == ANOTHER_TURN
    assert told.endswith("took another turn: deviates from STALE-2")


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ((BEGIN, BackupGetXmlDesc(job=IdOf(3))), "some calls need ids that were never told here"),
        ((BackupGetXmlDesc(job=IdOf(3)),), "no call of the trace can be made here"),
    ],
)
def test_ids_that_were_never_told_are_another_turn(
    calls: tuple[Call, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = replayed(content(ZERO_ID, calls, "ID-1"), tmp_path, capsys)
    assert status == ANOTHER_TURN
    assert told.endswith(f"took another turn: {words}")


@pytest.mark.parametrize(
    ("seen_on", "design", "uri", "expected"),
    [
        ("reference", "zero-id", None, "reference"),
        ("reference", "zero-id", "qemu:///system", "numbered"),
        ("reference", "default-job", "qemu:///system", "libvirt"),
        ("libvirt", "default-job", "qemu:///system", "libvirt"),
        ("numbered", "zero-id", None, "numbered"),
    ],
)
def test_a_trace_replays_where_it_was_seen_or_on_what_the_uri_leads_to(
    seen_on: str, design: str, uri: str | None, expected: str
) -> None:
    trace = Trace(seen_on, presets()[design], ("ID-1",), (BEGIN,))
    assert backend_of(trace, Options(uri=uri)) == expected


def test_a_command_that_a_trace_names_is_not_run() -> None:
    trace = Trace("exec:toy", ZERO_ID, ("ID-1",), (BEGIN,))
    with pytest.raises(BadInput, match=r"seen on an adapter \(exec:toy\): give its command with --backend"):
        backend_of(trace, Options())


def calls_read(design: Design) -> st.SearchStrategy[JsonObject]:
    """Calls as files of other people's might hold them: right in form, senseless in what they do."""
    jobs = st.one_of(
        st.builds(lambda label: {"id_of": label}, st.integers(0, 5)),
        st.builds(lambda label: {"handle_of": label}, st.integers(0, 8)),
        st.builds(lambda name: {"odd": name}, st.sampled_from(["zero", "next", "huge"])),
        st.none(),
    )
    names = {"name": st.sampled_from(["job-a", "job-b", ""])} if design.handle == "name" else {}
    begin = st.fixed_dictionaries(
        {
            "call": st.just("backup_begin"),
            "label": st.integers(0, 5),
            "mode": st.sampled_from(["push", "pull"]),
            "disks": st.lists(st.sampled_from(["vda", "vdb", "vdz", ""]), max_size=3),
            **names,
        },
        optional={"domain": st.integers(0, 1), "client": st.integers(0, 2)},
    )
    block = st.fixed_dictionaries(
        {
            "call": st.sampled_from(["block_copy", "block_pull", "block_commit"]),
            "label": st.integers(0, 5),
            "disk": st.sampled_from(["vda", "vdb", "vdz", ""]),
            **names,
        },
        optional={"domain": st.integers(0, 1)},
    )
    verbs = st.fixed_dictionaries({"call": st.sampled_from(["backup_end", "backup_get_xml_desc"]), "job": jobs})
    handles = st.fixed_dictionaries({"call": st.sampled_from(["job_get_id", "job_get_type", "job_free"]), "job": jobs})
    lookups = st.fixed_dictionaries({"call": st.just("job_lookup_id"), "label": st.integers(0, 8), "job": jobs})
    plain = st.fixed_dictionaries(
        {
            "call": st.sampled_from(
                ["start", "destroy", "save", "settle", "abort_job", "take_events", "inspect"]
                + ["get_job_info", "get_job_stats", "list_all_jobs", "job_get_default_id"]
            )
        },
        optional={"domain": st.integers(0, 1)},
    )
    return st.one_of(begin, begin, block, verbs, handles, lookups, plain)


@pytest.mark.parametrize("name", presets())
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_senseless_trace_ends_in_a_sentence_too(name: str, data: st.DataObject) -> None:
    design = presets()[name]
    written = content(design, (BEGIN,), "ID-1")
    written["calls"] = data.draw(st.lists(calls_read(design), min_size=1, max_size=12))
    try:
        trace = parse(written)
    except BadInput:
        return
    target = ReferenceTarget(design)
    performed = replay(Judge(design, target.capabilities), target.fresh(), trace.calls, when_nothing_is_known)
    assert len(performed) <= len(trace.calls)
