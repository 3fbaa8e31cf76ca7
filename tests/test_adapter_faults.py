"""An adapter that does anything but answer ends in an error that shows why, and nothing of it is left."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests import bad_adapter

from jobtck.conformance.calls import AbortJob, BackupBegin, BackupGetXmlDesc, GetJobInfo
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BackendFailure, BadInput, JobtckError, SessionLost
from jobtck.conformance.outcomes import ErrorKind, Fate, JobInfo, Lost, Party, Refusal
from jobtck.fixtures import adapter_process, adapter_target
from jobtck.fixtures.adapter_protocol import LINE_MAX, SHOWN_MAX
from jobtck.fixtures.adapter_target import AdapterPlugin, AdapterTarget
from jobtck.hunt import Hunt, Plan

SCRIPT = bad_adapter.__file__
DESIGN = presets()["listed-ids"]
LONG_SECONDS = 60.0  # for what takes no time, on however busy a machine


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    """The file in which adapters say which processes they are; none of them is left in the end."""
    file = tmp_path / "pids"
    yield file
    started = [int(line) for line in file.read_text().split()] if file.exists() else []
    assert started
    assert [pid for pid in started if not ends(pid)] == []


def ends(pid: int) -> bool:
    """The process is gone, at the latest after a while."""
    end = time.monotonic() + LONG_SECONDS
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def command(*words: object) -> str:
    return shlex.join([sys.executable, "-I", "-S", *map(str, words)])


@pytest.fixture
def opened(pids: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], AdapterTarget]]:
    """Starts the bad adapter with that fault; it is given little time to end by itself."""
    monkeypatch.setattr(adapter_process, "GRACE_SECONDS", 0.1)
    targets: list[AdapterTarget] = []

    def start(fault: str) -> AdapterTarget:
        targets.append(AdapterTarget(command(SCRIPT, fault, pids), DESIGN))
        return targets[-1]

    yield start
    for target in targets:
        target.close()


def complaint(target: AdapterTarget) -> str:
    """What the first call ends in, or the second, and then every other."""
    backend = target.fresh()
    with pytest.raises(BackendFailure) as caught:
        for _ in range(3):
            assert backend.perform(GetJobInfo()) == JobInfo(None)
            time.sleep(0.1)  # a second answer may be on its way
    with pytest.raises(BackendFailure) as again:
        backend.perform(GetJobInfo())
    assert str(again.value) == str(caught.value)
    backend.close()
    return str(caught.value)


def loss(target: AdapterTarget) -> Lost:
    """What the first call ends in, or the second; after it another adapter answers the next session."""
    backend = target.fresh()
    outcomes = [backend.perform(GetJobInfo())]
    if not isinstance(outcomes[-1], Lost):
        outcomes.append(backend.perform(GetJobInfo()))
    with pytest.raises(SessionLost):
        backend.perform(GetJobInfo())
    backend.end_all_jobs()
    again = backend.perform(GetJobInfo())
    again = again if isinstance(again, Lost) else backend.perform(GetJobInfo())
    assert again == outcomes[-1]
    backend.close()
    assert isinstance(again, Lost)
    return again


CANNOT_BE = "said what cannot be ("
ANSWERED_WRONG = "answered get_job_info with what cannot be ("
SAID: Mapping[str, str] = {
    "no JSON": CANNOT_BE + "it is not JSON: Expecting value: line 1 column 1 (char 0)): tonight we \\x1b[31mdeploy",
    "an empty line": CANNOT_BE + "it is not JSON",
    "a list": CANNOT_BE + "it is no answer of JSON-RPC 2.0): [1, 2]",
    "no JSON-RPC": CANNOT_BE + "it is no answer of JSON-RPC 2.0)",
    "no id": CANNOT_BE + "its id is no request's)",
    "true for an id": CANNOT_BE + "its id is no request's)",
    "another id": CANNOT_BE + 'request 999 was never made): {"jsonrpc": "2.0", "id": 999, "result": {}}',
    "answers twice": CANNOT_BE + "request 3 was answered before)",
    "result and error": CANNOT_BE + "an answer has jsonrpc, id, and result or error)",
    "neither result nor error": CANNOT_BE + "an answer has jsonrpc, id, and result or error)",
    "no UTF-8": CANNOT_BE + 'it is not UTF-8): {"jsonrpc": "2.0", "id": 1, "result": "\\xff\\xfe"}',
    "NaN": CANNOT_BE + "it is not JSON: NaN is no number of JSON's)",
    "digits without end": CANNOT_BE + "it is not JSON: Exceeds the limit",
    "deep": CANNOT_BE + "it is nested too deep): [[[",
    "babbles": f"said a line longer than {LINE_MAX:,} bytes: la la la",
    "a result that is no object": ANSWERED_WRONG
    + "its outcome is one of job_info, refusal, unknown and lost, and not None)",
    "another outcome": ANSWERED_WRONG + "its outcome is one of job_info, refusal, unknown and lost, and not 'id')",
    "an unknown outcome": ANSWERED_WRONG + "its outcome is one of job_info, refusal, unknown and lost, and not 'fine')",
    "an unknown member": ANSWERED_WRONG + "the outcome 'job_info' has no member 'mood')",
    "a missing member": ANSWERED_WRONG + "the outcome 'job_info' needs type)",
    "an unknown kind": ANSWERED_WRONG + "kind of the outcome 'refusal' cannot be 'sulking')",
    "a number too large": ANSWERED_WRONG + "done of the outcome 'job_info' cannot be inf)",
    "an error": 'could not serve get_job_info: {"jsonrpc": "2.0", "id": 3, "error": {"code": -32000, "message": "qemu-',
    "an error without a code": ANSWERED_WRONG + "the error needs code)",
    "closes its output": "closed its output and went on running",
    "closes its input": "does not read its input any more",
}


DIED = {
    "exits": "ended with exit status 3 before it had answered get_job_info; its last words were: out of \\x1b[1mcheese",
    "dies": "died of SIGSEGV before it had answered get_job_info",
    "dies in a line": 'before it had answered get_job_info, in the middle of a line: {"jsonrpc": "2.0",',
    "leaves a child": "ended with exit status 3 before it had answered get_job_info",
    "leaves a child in a session of its own": "ended with exit status 3 before it had answered get_job_info",
}


@pytest.mark.parametrize("fault", DIED)
def test_one_that_ends_in_a_call_is_the_server_that_died(fault: str, opened: Callable[[str], AdapterTarget]) -> None:
    lost = loss(opened(fault))
    assert (lost.party, lost.fate) == (Party.SERVER, Fate.DIED)
    assert lost.code == ("SIGSEGV" if fault == "dies" else lost.code)
    assert DIED[fault] in lost.text
    assert lost.text.isprintable()


def test_what_one_that_died_wrote_is_kept(opened: Callable[[str], AdapterTarget]) -> None:
    [evidence] = loss(opened("exits")).evidence
    assert "out of" in evidence.text


DIES = """
import os, signal, sys
from jobtck.conformance.calls import AbortJob
from jobtck.conformance.outcomes import DONE
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_adapter import Served, serve

class Dies(Reference):
    def perform(self, call):
        outcome = super().perform(call)
        if isinstance(call, AbortJob) and outcome == DONE:
            os.kill(os.getpid(), signal.SIGSEGV)
        return outcome

serve(Served(lambda design: ReferenceTarget(design, Dies), "default-job"), sys.stdin.buffer, sys.stdout.buffer)
"""


def test_a_call_that_an_adapter_dies_of_is_found(tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text(DIES)
    target = AdapterTarget(shlex.join([sys.executable, str(script)]), presets()["default-job"])
    stop = threading.Event()
    hunt = Hunt(target, Plan(LONG_SECONDS, 1), stop)

    def watch(_: int, __: int, found: int) -> None:
        if found:
            stop.set()

    try:
        hunt.go_on_tour(watch, LONG_SECONDS)
        stop.clear()
        hunt.confirm_all()
    finally:
        hunt.close()
        target.close()
    [deviation] = hunt.findings.deviations
    assert deviation.requirements == ("SANE-1",)
    assert [type(line.call) for line in deviation.lines] == [BackupBegin, AbortJob]
    assert (deviation.lines[-1].answer, deviation.lines[-1].code) == ("the server died", "SIGSEGV")
    assert not deviation.is_flaky


@pytest.mark.parametrize("fault", SAID)
def test_what_is_no_answer_is_an_error_that_shows_it(fault: str, opened: Callable[[str], AdapterTarget]) -> None:
    target = opened(fault)
    said = complaint(target)
    assert said.startswith(f"the adapter {target.uri.removeprefix('exec:')!r} ")
    assert SAID[fault] in said
    assert said.isprintable()
    assert len(said) < len(target.uri) + 2 * SHOWN_MAX + 200


def test_one_that_hangs_is_given_up(opened: Callable[[str], AdapterTarget], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_target, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(adapter_process, "CANCEL_SECONDS", 0.2)
    lost = loss(opened("hangs"))
    assert (lost.party, lost.fate) == (Party.SERVER, Fate.HUNG)
    assert lost.text.endswith("has not answered get_job_info within 0.2 s")


def test_one_that_is_late_is_cancelled(opened: Callable[[str], AdapterTarget], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter_target, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(adapter_process, "CANCEL_SECONDS", LONG_SECONDS)
    lost = loss(opened("answers when it is cancelled"))
    assert lost.fate is Fate.HUNG
    assert lost.text.endswith("answered get_job_info after 0.2 s only, when it was cancelled")


@pytest.mark.parametrize("costly", [[], ["get_job_info"]], ids=["the main lane", "side lanes"])
def test_a_run_that_is_interrupted_does_not_wait_for_one_that_hangs(
    costly: list[str], pids: Path, tmp_path: Path
) -> None:
    capabilities = {**bad_adapter.CAPABILITIES, "costly_calls": costly}
    greeting = {**bad_adapter.GREETING, "deadline_seconds": 3600, "capabilities": capabilities}
    hanging = command(SCRIPT, "hangs", pids, json.dumps(greeting))
    words = ["run", "--backend", f"exec:{hanging}", "--budget", "300"]
    with subprocess.Popen([sys.executable, "-m", "jobtck.cli", *words], cwd=tmp_path, stdout=subprocess.DEVNULL) as run:
        while not pids.with_suffix(".hangs").exists():
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        assert run.wait(LONG_SECONDS) == 4


def test_one_that_does_not_read_is_given_up(
    opened: Callable[[str], AdapterTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_target, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(adapter_process, "CANCEL_SECONDS", 0.2)
    backend = opened("reads no more").fresh()
    backend.perform(GetJobInfo())
    with pytest.raises(BackendFailure, match=r"has not read its input for 0\.2 s"):
        backend.perform(BackupGetXmlDesc(job="x" * adapter_process.CHUNK * 2))


def test_a_flood_on_standard_error_is_borne(opened: Callable[[str], AdapterTarget]) -> None:
    backend = opened("floods stderr").fresh()
    assert [backend.perform(GetJobInfo()) for _ in range(3)] == [JobInfo(None)] * 3
    backend.close()


def test_a_method_that_is_not_there_is_a_call_that_is_unsupported(opened: Callable[[str], AdapterTarget]) -> None:
    outcome = opened("nothing").fresh().perform(BackupGetXmlDesc(job=1))
    assert outcome == Refusal(ErrorKind.UNSUPPORTED, "-32601", "no such method")


def greeting(**changes: object) -> str:
    return json.dumps({**bad_adapter.GREETING, **changes})


def declaring(**changes: object) -> str:
    return greeting(capabilities={**bad_adapter.CAPABILITIES, **changes})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (declaring(calls=["backup_begin", "make_tea"]), "there is no call 'make_tea'"),
        (declaring(costly_calls=["make_tea"]), "there is no call 'make_tea'"),
        (declaring(features=["telepathy"]), "features of capabilities cannot be ['telepathy']"),
        (declaring(disks=[]), "disks of capabilities cannot be []"),
        (declaring(disks=["vda", "vda"]), "disks of capabilities cannot be ['vda', 'vda']"),
        (declaring(disks=["<vda>"]), "disks of capabilities cannot be ['<vda>']"),
        (declaring(parallel_backups=0), "parallel_backups of capabilities cannot be 0"),
        (declaring(lock_wait_seconds=-1), "lock_wait_seconds of capabilities cannot be -1"),
        (declaring(transient=["backup"]), "transient of capabilities cannot be ['backup']"),
        (declaring(abort_is_asynchronous=1), "abort_is_asynchronous of capabilities cannot be 1"),
        (declaring(mood="good"), "capabilities has no member 'mood'"),
        (greeting(capabilities={}), "capabilities needs calls"),
        (greeting(capabilities=[]), "capabilities is no object"),
        (greeting(protocol="jobtck-adapter/2"), "it speaks the protocol 'jobtck-adapter/2', and only"),
        (greeting(name="../../etc"), "name of the greeting cannot be '../../etc'"),
        (greeting(name=None), "name of the greeting cannot be None"),
        (greeting(deadline_seconds="soon"), "deadline_seconds of the greeting cannot be 'soon'"),
        (greeting(versions={"bad": 1}), "versions of the greeting cannot be {'bad': 1}"),
        ('{"protocol": "jobtck-adapter/1", "name": "x"}', "the greeting needs capabilities, design"),
    ],
)
def test_a_greeting_that_cannot_be_is_an_error(told: str, words: str, opened: Callable[[str], AdapterTarget]) -> None:
    with pytest.raises(BackendFailure) as caught:
        opened(told)
    assert "answered hello with what cannot be" in str(caught.value)
    assert words in str(caught.value)


def test_a_design_that_is_not_played_is_the_users_mistake(pids: Path) -> None:
    with pytest.raises(BadInput, match="plays the design 'listed-ids', and cannot play 'zero-id'"):
        AdapterTarget(command(SCRIPT, "nothing", pids), presets()["zero-id"])


def test_a_default_design_that_nobody_knows_is_an_error(pids: Path) -> None:
    with pytest.raises(BackendFailure, match="plays the design 'my-own', and is one of default-job"):
        _ = AdapterPlugin(command(SCRIPT, greeting(design="my-own"), pids)).default_design


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "exec: names no command"),
        ("'", "this is no command: No closing quotation"),
        ("./no-such-adapter", "the program './no-such-adapter' is not there"),
        ("/etc/passwd", "the program '/etc/passwd' cannot be executed"),
        (f"{sys.executable} -c 'import sys; sys.exit(127)'", "cannot be run"),
    ],
)
def test_a_command_that_is_none_is_the_users_mistake(written: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        AdapterTarget(written, DESIGN)
    assert words in str(caught.value)


def test_a_program_that_is_no_program_is_the_users_mistake(tmp_path: Path) -> None:
    script = tmp_path / "adapter"
    script.write_bytes(b"\x7fELF and no more")
    script.chmod(0o755)
    with pytest.raises(BadInput, match="cannot be run: Exec format error"):
        AdapterTarget(str(script), DESIGN)


def test_a_uri_is_for_the_command_to_have() -> None:
    with pytest.raises(BadInput, match="an adapter takes no -c"):
        AdapterPlugin("true").open(DESIGN, Options(uri="test:///default"))


def test_nothing_is_left_when_the_kit_is_killed(pids: Path) -> None:
    # The adapter would hang for an hour, and so would its child; both ignore all signals they can.
    fault = command(SCRIPT, "leaves a child in a session of its own", pids)
    kit = f"""
from jobtck.conformance.calls import GetJobInfo
from jobtck.conformance.design import presets
from jobtck.fixtures import adapter_process
from jobtck.fixtures.adapter_target import AdapterTarget
adapter_process.GRACE_SECONDS = 0.1
design = presets()["listed-ids"]
hanging = AdapterTarget({command(SCRIPT, "hangs", pids)!r}, design)
AdapterTarget({fault!r}, design)
print("ready", flush=True)
hanging.fresh().perform(GetJobInfo())
"""
    process = subprocess.Popen([sys.executable, "-c", kit], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(
    ("backend", "status", "words"),
    [
        (f"exec:{command(SCRIPT, 'exits')}", 1, "ended with exit status 3 before it had answered get_job_info"),
        (f"exec:{command(SCRIPT, 'another outcome')}", 4, "with what cannot be"),
        ("exec:./nowhere --flag", 2, "the program './nowhere' is not there"),
    ],
)
def test_the_exit_status_of_a_run_says_whose_fault_it_is(
    jobtck: Callable[..., "subprocess.CompletedProcess[str]"], backend: str, status: int, words: str
) -> None:
    done = jobtck("run", "--backend", backend, "--budget", "5")
    assert done.returncode == status
    assert words in " ".join((done.stdout + done.stderr).split())


def test_what_was_wrong_once_stays_wrong(opened: Callable[[str], AdapterTarget]) -> None:
    target = opened("another id")
    complaint(target)
    with pytest.raises(JobtckError, match="request 999 was never made"):
        target.fresh()
