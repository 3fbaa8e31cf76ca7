"""The protocol: what is written is read as it was, keeps the schema, and is the same whoever speaks it."""

import json
import random
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests import bad_adapter
from tests.conftest import validator

from jobtck.conformance.calls import ALL_CALLS, NAMES, BackupBegin, Call, Flaw, JobType, Kind, Mode
from jobtck.conformance.capabilities import EVERY_CALL, Backend, Capabilities, Feature
from jobtck.conformance.design import Design, presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import (
    BlockInfo,
    Completed,
    Description,
    ErrorKind,
    Events,
    Id,
    JobInfo,
    Leftovers,
    Listed,
    Outcome,
    Progress,
    Refusal,
    Unknown,
)
from jobtck.conformance.session import Session
from jobtck.fixtures.adapter_outcomes import BOTH, SHAPES, Nonsense, answer_of, outcome_json, read_outcome
from jobtck.fixtures.adapter_protocol import (
    Greeting,
    call_json,
    greeting_json,
    parse_answer,
    parse_line,
    read_call,
    read_greeting,
    request_line,
    result_line,
)
from jobtck.fixtures.adapter_recorder import RecordedTarget
from jobtck.fixtures.adapter_target import AdapterTarget
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS, run_program

REFERENCE = shlex.join([sys.executable, "-m", "jobtck.fixtures.reference_adapter"])
PROGRAMS = 10
DESIGNS = pytest.mark.parametrize("design", presets().values(), ids=list(presets()))


def schema() -> Draft202012Validator:
    return validator("jobtck.fixtures", "adapter.schema.json")


def keeps_schema(line: bytes) -> bool:
    content: Any = json.loads(line)
    return bool(schema().is_valid(content))


class Translated:
    """A backend whose calls and outcomes go through lines of the protocol, in this process."""

    def __init__(self, backend: Backend, design: Design) -> None:
        self._backend = backend
        self._design = design
        self.shapes: dict[object, bytes] = {}  # a line of each sort

    def perform(self, call: Call) -> Outcome:
        line = request_line(7, NAMES[type(call)], call_json(call))
        request = parse_line(line)
        assert isinstance(request, dict)
        asked = read_call(request["method"], request["params"])
        assert call_json(asked) == call_json(call)
        outcome = self._backend.perform(asked)
        number, answer = parse_answer(result_line(7, outcome_json(outcome))[:-1])
        assert number == 7
        assert read_outcome(call, self._design, answer.result) == outcome
        self.shapes[type(call), call_json(call).get("flaw")] = line.replace(b'"params":{', b'"params":{"guests":1,')
        self.shapes[type(outcome), getattr(outcome, "kind", "")] = answer.line
        return outcome

    def end_all_jobs(self) -> None:
        self._backend.end_all_jobs()

    def close(self) -> None:
        self._backend.close()


def converse(design: Design, backend: Backend, capabilities: Capabilities) -> list[Outcome]:
    """Some long sessions, always the same; the outcomes in the order in which they came."""
    judge = Judge(design, capabilities)
    alphabet = Alphabet(design, capabilities)
    chance = random.Random(20190326)
    outcomes: list[Outcome] = []
    for _ in range(PROGRAMS):
        backend.end_all_jobs()
        session = Session(judge, backend)
        run_program(chance.randbytes(BYTES_PER_CALL * PROGRAM_CALLS), session, alphabet, lambda _: True)
        outcomes += [each.outcome for each in session.history]
    return outcomes


@DESIGNS
def test_what_is_written_is_read_as_it_was_and_keeps_the_schema(design: Design) -> None:
    target = ReferenceTarget(design)
    translated = Translated(target.fresh(), design)
    outcomes = converse(design, translated, target.capabilities)
    assert len(outcomes) > PROGRAMS
    broken = [line for line in translated.shapes.values() if not keeps_schema(line)]
    assert broken == []


@DESIGNS
def test_the_reference_answers_alike_in_a_process_of_its_own(design: Design) -> None:
    here = ReferenceTarget(design)
    there = AdapterTarget(REFERENCE, design)
    try:
        assert there.capabilities == here.capabilities
        backend = there.fresh()
        assert converse(design, backend, there.capabilities) == converse(design, here.fresh(), here.capabilities)
        backend.close()
    finally:
        there.close()


def test_a_design_of_a_users_own_is_played_too() -> None:
    mine = replace(presets()["listed-ids"], name="mine", parallel=2)
    target = AdapterTarget(REFERENCE, mine)
    assert (target.design, target.name, target.uri) == (mine, "exec:reference", f"exec:{REFERENCE}")
    target.close()


def test_a_recording_is_what_an_adapter_hears_and_says(tmp_path: Path) -> None:
    """The same conversation, recorded of the reference here and of the reference behind a command."""
    design = presets()["opaque-handles"]
    recorded: list[list[bytes]] = []
    for name, target in (("here", ReferenceTarget(design)), ("there", AdapterTarget(REFERENCE, design))):
        path = tmp_path / name
        wrapped = RecordedTarget(target, path)
        backend = wrapped.fresh()
        converse(design, backend, wrapped.capabilities)
        backend.close()
        wrapped.close()
        recorded.append(path.read_bytes().splitlines())
    here, there = recorded
    assert here == there
    assert [line[:2] for line in here[:4]] == [b"> ", b"< ", b"> ", b"< "]
    sorts = {json.loads(line[2:]).get("method", "answer"): line[2:] for line in here}
    assert {"hello", "fresh", "end_all_jobs", "close", "backup_begin", "answer"} <= sorts.keys()
    assert [line for line in sorts.values() if not keeps_schema(line)] == []
    assert keeps_schema(here[1][2:])  # the greeting


EVERY_OUTCOME: tuple[tuple[str, Outcome], ...] = (
    ("backup_get_xml_desc", Description(None, Mode.PULL, ("vda", "vdb"))),
    ("backup_get_xml_desc", Description(3, None, (), "no <disk>")),
    ("list_all_jobs", Listed(((1, JobType.BACKUP), (2, JobType.DOMAIN)))),
    ("list_all_jobs", Listed(())),
    ("get_job_info", JobInfo(None)),
    ("get_job_info", JobInfo(JobType.BACKUP, Progress(1, 2, None))),
    ("get_block_job_info", BlockInfo(Kind.BLOCK_COPY, Progress(None, None, 5))),
    ("get_block_job_info", BlockInfo(JobType.BACKUP)),
    ("take_events", Events(((JobType.BACKUP, True), (JobType.DOMAIN, False)))),
    ("inspect", Leftovers(("scratch", "busy disk"))),
    ("abort_job", Refusal(ErrorKind.INTERNAL, "E", "no\nnewline \ud800 stays")),
    ("abort_job", Unknown("gone")),
    ("block_job_get_id", Id(-1)),
)


@pytest.mark.parametrize(("name", "outcome"), EVERY_OUTCOME)
def test_an_outcome_is_read_as_it_was_written(name: str, outcome: Outcome) -> None:
    arguments: Mapping[str, object] = {"disk": "vda"} if "block" in name else {}
    call = read_call(name, arguments)
    line = result_line(1, outcome_json(outcome))
    assert line.count(b"\n") == 1
    assert keeps_schema(line)
    assert read_outcome(call, presets()["parallel-ids"], parse_answer(line)[1].result) == outcome


@pytest.mark.parametrize("outcome", [Completed(None), Completed(JobType.BACKUP, success=False, error=True)])
def test_statistics_are_read_as_they_were_written(outcome: Completed) -> None:
    call = read_call("get_job_stats", {"completed": True})
    assert read_outcome(call, presets()["zero-id"], outcome_json(outcome)) == outcome


@pytest.mark.parametrize(
    ("design", "id", "words"),
    [
        ("zero-id", "job-a", "the design 'zero-id' has whole numbers, and 'job-a' is none of them"),
        ("opaque-handles", "job-a", "has whole numbers"),
        ("default-job", 1, "the design 'default-job' has no ids, and 1 is none of them"),
        ("qemu-jobs", 1, "the design 'qemu-jobs' has names for ids, and 1 is none of them"),
    ],
)
def test_an_id_that_the_design_cannot_have_is_nonsense(design: str, id: object, words: str) -> None:
    call = read_call("backup_get_xml_desc", {})
    told: dict[str, object] = {"outcome": "description", "mode": "pull", "disks": [], "id": id}
    with pytest.raises(Nonsense, match=words):
        read_outcome(call, presets()[design], told)


NOT_OF_THE_SCHEMA = ("another id", "no JSON", "deep", "NaN", "digits without end", "an empty line", "another outcome")


@pytest.mark.parametrize("fault", sorted(bad_adapter.TOLD.keys() - {*NOT_OF_THE_SCHEMA, "an error"}))
def test_the_schema_knows_nonsense_too(fault: str) -> None:
    assert not keeps_schema(bad_adapter.TOLD[fault].replace("%d", "1").encode())


def test_the_schema_knows_what_the_kit_knows() -> None:
    defs: Any = json.loads((files("jobtck.fixtures") / "adapter.schema.json").read_text(encoding="utf-8"))["$defs"]
    told = {name: set(defs[name]["enum"]) for name in ("call_name", "kind", "job_type", "mode", "flaw", "error_kind")}
    assert told == {
        "call_name": set(EVERY_CALL),
        "kind": set(map(str, Kind)),
        "job_type": set(map(str, JobType)),
        "mode": set(map(str, Mode)),
        "flaw": set(map(str, Flaw)),
        "error_kind": set(map(str, ErrorKind)),
    }
    assert set(defs["capabilities"]["properties"]["features"]["items"]["enum"]) == {
        feature.name.lower() for feature in Feature
    }
    assert {each["properties"]["outcome"]["const"] for each in defs["outcome"]["oneOf"]} == {*SHAPES, BOTH}


def test_every_call_has_an_answer() -> None:
    for call in ALL_CALLS:
        arguments = {"mode": "pull", "disks": [], "disk": "vda", "job": 1, "type": "backup"}
        has = {name: value for name, value in arguments.items() if name in call.__dataclass_fields__}
        assert answer_of(read_call(NAMES[call], has), presets()["zero-id"]) in SHAPES


def test_a_greeting_is_read_as_it_was_written() -> None:
    capabilities = Capabilities(
        calls=frozenset({"backup_begin", "save"}),
        features=frozenset({Feature.SCHEMA}),
        disks=("sda",),
        parallel_backups=3,
        transient=frozenset({Kind.PUSH}),
        abort_is_asynchronous=True,
        lock_wait_seconds=30.0,
        waiting_calls=frozenset({"save"}),
        costly_calls=frozenset({"save"}),
        disks_wear=True,
        reasons={"destroy": "not yet"},
    )
    greeting = Greeting("mine", "zero-id", capabilities, {"mine": "1.0"}, 5.0)
    content = greeting_json(greeting)
    assert keeps_schema(result_line(1, content))
    read = read_greeting(json.loads(json.dumps(content)))
    assert read == greeting
    assert read.capabilities.reasons == capabilities.reasons


def test_a_greeting_that_says_little_declares_little() -> None:
    told = {"protocol": "jobtck-adapter/1", "name": "x", "design": "zero-id", "capabilities": {"calls": []}}
    read = read_greeting(told)
    assert (read.capabilities.calls, read.capabilities.features) == (frozenset(), frozenset())
    assert (read.capabilities.transient, read.deadline_seconds) == (frozenset(), None)


def test_labels_are_the_kits_own_affair() -> None:
    assert "label" not in call_json(BackupBegin(label=3, mode=Mode.PULL, disks=("vda",)))


def test_a_recording_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written to: No such file or directory"):
        RecordedTarget(ReferenceTarget(presets()["zero-id"]), tmp_path / "nowhere" / "file")


def test_a_recorded_run_leaves_its_conversation(jobtck: Callable[..., Any], tmp_path: Path) -> None:
    done = jobtck("run", "--backend", "reference", "--design", "default-job", "--budget", "5", "--record", "said")
    assert done.returncode in (0, 3)
    lines = (tmp_path / "said").read_bytes().splitlines()
    assert lines[0].startswith(b'> {"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":"jobtck-adapter/1"')
    assert len(lines) > 100


def test_only_one_conversation_is_recorded(jobtck: Callable[..., Any]) -> None:
    done = jobtck("run", "--record", "said")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--record writes what is said with one backend: choose it with --backend" in done.stderr
