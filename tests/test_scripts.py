"""Scripts as texts: clean for their linters, deaf to what a result says, and told of where there are none."""

import py_compile
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.deviating import PULL, PUSH, record_with, run_of, written
from tests.test_reports import NASTY, TARGET

from jobtck.conformance.alternatives import alternatives
from jobtck.conformance.calls import (
    ARRANGED,
    AbortJob,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobSetSpeed,
    BlockPull,
    Call,
    CrashGuest,
    Destroy,
    Disconnect,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    JobType,
    Manner,
    RestartServer,
    Save,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import DONE, Completed, Description, ErrorKind, Leftovers, Outcome, Refusal, Seen
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.reports.result_json import dumps, result
from jobtck.reports.scripts import README, SCRIPTS_MAX, script_files, scripts_for

BIN = Path(sys.executable).parent
HARMLESS = "SC1003,SC2016"  # a backslash or a dollar in single quotes: such a text is to stay as it is
FLAWS = [flaw for flaw in Flaw if flaw not in (*ARRANGED, Flaw.UNKNOWN_FLAGS, Flaw.KEEP_ALONE)]
EVERY_CALL: Sequence[Call] = (
    *(replace(mode, flaw=flaw, client=number % 3) for mode in (PULL, PUSH) for number, flaw in enumerate(FLAWS)),
    replace(PULL, label=1, domain=1, disks=("vda", "vdb")),
    *(BackupGetXmlDesc(client=number) for number in range(3)),
    *(GetJobStats(completed=completed, keep=completed) for completed in (False, True)),
    AbortJob(domain=1),
    *(BlockCopy(label=0, disk="vda", flaw=flaw) for flaw in (Flaw.NOTHING, Flaw.TARGET_EXISTS)),
    BlockPull(label=0, disk="vda"),
    BlockCommit(label=0, disk="vdb"),
    *(BlockJobAbort(disk="vda", pivot=pivot) for pivot in (False, True)),
    GetBlockJobInfo(disk="vdz"),
    BlockJobSetSpeed(disk="vda", bandwidth=7),
    Start(),
    Destroy(),
    Save(),
    Settle(),
    Inspect(),
    CrashGuest(),
)
PYTHON_ONLY: Sequence[Call] = (
    TakeEvents(due=1),
    GetJobInfo(),
    Disconnect(client=1),
    AbortJob(flaw=Flaw.UNKNOWN_FLAGS),
    GetJobStats(flaw=Flaw.KEEP_ALONE),
)


def deviation(*calls: Call, answer: str = "value", runs: int = 3) -> Deviation:
    lines = tuple(TraceLine(call, answer, "VIR_ERR_X", "some text") for call in calls)
    return Deviation(("SANE-1",), lines, 3, runs, "traces/x.json", ("refused: internal",), ("done", "refused: busy"))


def texts(shown: Deviation) -> dict[str, str]:
    return {each.suffix: each.text for each in scripts_for(record_with(TARGET, [shown]), shown).scripts}


def shell_complaints(text: str, place: Path) -> str:
    """What a shell and shellcheck say of the text."""
    path = written({"show.sh": text}, place)["show.sh"]
    commands: tuple[Sequence[str | Path], ...] = (("sh", "-n", path), (BIN / "shellcheck", "-e", HARMLESS, path))
    done = [subprocess.run(each, capture_output=True, text=True, check=False) for each in commands]
    return "".join(each.stdout + each.stderr for each in done if each.returncode)


def python_complaints(text: str, place: Path) -> str:
    """What Python and ruff say of the text."""
    path = written({"show.py": text}, place)["show.py"]
    path.chmod(0o755)
    py_compile.compile(str(path), doraise=True)
    command: Sequence[str | Path] = [BIN / "ruff", "check", "--isolated", "--no-cache", "--line-length", "120", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


# -- linters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [*EVERY_CALL, *PYTHON_ONLY], ids=repr)
def test_scripts_are_clean(tmp_path: Path, last: Call) -> None:
    made = texts(deviation(PULL, last))
    assert python_complaints(made["py"], tmp_path) == ""
    if last in PYTHON_ONLY:
        assert "sh" not in made
    else:
        assert shell_complaints(made["sh"], tmp_path) == ""


def test_a_script_of_all_calls_is_clean(tmp_path: Path) -> None:
    made = texts(deviation(*EVERY_CALL, runs=9))
    assert shell_complaints(made["sh"], tmp_path) == ""
    assert python_complaints(texts(deviation(*EVERY_CALL, *PYTHON_ONLY, runs=9))["py"], tmp_path) == ""


def test_a_linter_would_complain(tmp_path: Path) -> None:
    assert "SC2086" in shell_complaints("#!/bin/sh\nx='a b'\necho $x\n", tmp_path)
    assert "F401" in python_complaints("import os\n", tmp_path)


# -- hostile results -------------------------------------------------------------------------------


def hostile(canary: Path) -> Sequence[str]:
    """Texts that would make a file if any of them were taken for code."""
    touch = f"touch {canary}"
    python = f"open({str(canary)!r}, 'w')"
    return (
        f"'; {touch}; '",
        f"$({touch})`{touch}`",
        f'"; {touch}; "',
        f"x\n{touch}\nXML\n{touch}\n",
        f"x\r\n{python}\n",
        f"*) ;; esac; {touch}",
        f"'); {python}; ('",
        f'"""\n{python}\n"""',
        f"\\'; {touch}; \\",
        "{{ 1 / 0 }}{% raise %}{#",
        "coding: utf-7",
        "'\\",
        NASTY,
    )


@pytest.mark.parametrize("number", range(13))
def test_what_a_result_says_is_never_code(tmp_path: Path, number: int) -> None:
    canary = tmp_path / "pwned"
    text = hostile(canary)[number]
    disk = text if text.isprintable() else "vda"
    lines = tuple(
        TraceLine(call, f"refused: {text}", text, text)
        for call in (BlockCopy(label=0, disk=disk), replace(PULL, disks=(disk,)), BlockCommit(label=0, disk=disk))
    )
    shown = Deviation((text,), lines, 1, 3, text, (text,), (f"not {text}",))
    target = replace(TARGET, uri=text, versions={text: text})
    record = record_with(target, [replace(shown, requirements=("SANE-1",))])
    spoilt = replace(record.requirements[0], id=text, text=text, source=text, level=text, deviations=(shown,))
    files = script_files([run_of(replace(record, requirements=(spoilt,)))])
    paths = written(files, tmp_path / "scripts")
    assert {path.suffix for path in paths.values()} == {".sh", ".py", ".txt"}
    for name, path in paths.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}\.(sh|py|txt)", name)
        if path.suffix == ".sh":
            assert shell_complaints(files[name], tmp_path) == ""
            done = subprocess.run(["sh", path, "test:///default"], capture_output=True, text=True, check=False)
            assert done.returncode == 125
        elif path.suffix == ".py":
            assert python_complaints(files[name], tmp_path) == ""
    assert not canary.exists()


# -- which there are ------------------------------------------------------------------------------


def reasons(shown: Deviation, backend: str = "libvirt", design: str = "default-job") -> str:
    target = replace(TARGET, backend=backend, design=presets()[design])
    return scripts_for(record_with(target, [shown]), shown).why_not


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (replace(deviation(PULL), lines=()), "a release that did not keep its calls"),
        (replace(deviation(PULL), breaking=(), allowed=()), "about how long the call takes"),
        (replace(deviation(PULL), allowed=("refused: no-domain", "refused: other")), "about how long the call takes"),
        (deviation(*[PULL] * 101), "more than 100 calls"),
        (deviation(PULL, RestartServer()), "a server, or a client, that is killed"),
        (deviation(Disconnect(manner=Manner.KILLED), PULL), "a server, or a client, that is killed"),
        (deviation(replace(PULL, flaw=Flaw.CUT_OFF), AbortJob()), "killed in the middle of a call"),
        (deviation(PULL, AbortJob(flaw=Flaw.AT_ONCE)), "two clients that call at once"),
        (replace(deviation(PULL, AbortJob(flaw=Flaw.AT_ONCE)), breaking=()), "two clients that call at once"),
        (deviation(BlockPull(label=0, disk="a\nb")), "a name that no script can write"),
        (deviation(PULL, TakeEvents()), "only for Python: virsh has no command"),
        (deviation(AbortJob(flaw=Flaw.UNKNOWN_FLAGS)), "only for Python: virsh itself refuses"),
        (deviation(PULL), ""),
    ],
)
def test_it_is_said_why_there_is_no_script(given: Deviation, words: str) -> None:
    told = reasons(given)
    assert words in told
    assert bool(told) is bool(words)


@pytest.mark.parametrize(
    ("backend", "design"), [("numbered", "zero-id"), ("reference", "default-job"), ("qemu-jobs", "qemu-jobs")]
)
def test_scripts_speak_to_libvirt_as_it_is(backend: str, design: str) -> None:
    assert reasons(deviation(PULL), backend, design).startswith(f"it was seen on {backend} as {design}")


def test_files_have_names_of_their_own_and_are_told_of() -> None:
    record = record_with(
        TARGET, [deviation(PULL), deviation(PULL, AbortJob()), deviation(PULL, PULL), deviation(Start())]
    )
    other = record_with(replace(TARGET, backend="numbered"), [deviation(PULL)])
    files = script_files([run_of(record), run_of(other)])
    stems = ["SANE-1-backup_begin", "SANE-1-abort_job", "SANE-1-backup_begin-2", "SANE-1-start"]
    assert list(files) == [README, *(f"{stem}.{suffix}" for stem in stems for suffix in ("sh", "py"))]
    assert all(name in files[README] for name in files if name != README)
    assert (
        "no script\n    SANE-1, seen on numbered on libvirt 9.0.0 as default-job\n    it was seen on" in files[README]
    )


def test_no_report_has_more_scripts_than_anybody_reads() -> None:
    record = record_with(
        TARGET, [replace(deviation(PULL), trace_file=str(number)) for number in range(SCRIPTS_MAX + 5)]
    )
    files = script_files([run_of(record)])
    assert len(files) == 2 * SCRIPTS_MAX + 1
    assert "and 5 deviations more, of which no scripts were made" in files[README]


def test_a_report_of_no_deviation_says_so() -> None:
    assert script_files([run_of(record_with(TARGET, []))])[README].endswith("There is no deviation in these results.\n")


def test_the_command_writes_programs_that_run(
    tmp_path: Path, jobtck: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    run = run_of(record_with(TARGET, [deviation(PULL)])).run
    written({"result.json": dumps(result(run))}, tmp_path)
    assert jobtck("report", "result.json", "--script", "scripts").returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "scripts").iterdir()}
    assert modes == {README: 0o644, "SANE-1-backup_begin.sh": 0o755, "SANE-1-backup_begin.py": 0o755}
    done = subprocess.run([tmp_path / "scripts" / "SANE-1-backup_begin.sh", "test:///default"], check=False)
    assert done.returncode == 125


# -- what is judged --------------------------------------------------------------------------------

LIBVIRTS = Capabilities(
    calls=frozenset(
        {"backup_begin", "abort_job", "get_job_stats", "backup_get_xml_desc", "inspect", "block_job_abort"}
    ),
    disks=("vda", "vdb"),
    parallel_backups=1,
    abort_is_asynchronous=True,
)
REFUSALS = {f"refused: {kind}" for kind in ErrorKind}


def judged(calls: Sequence[tuple[Call, Outcome]]) -> tuple[set[str], set[str]]:
    """The answers to the last call that break the same as the one given, and those that break nothing."""
    judge = Judge(presets()["default-job"], LIBVIRTS)
    belief = judge.start()
    *before, (call, outcome) = calls
    for each, told in before:
        step = judge.step(belief, each, told)
        assert step.belief is not None
        belief = step.belief
    return tuple(map(set, alternatives(judge, judge.step(belief, call, outcome))))  # type: ignore[return-value]


def test_a_schema_that_is_broken_is_judged_by_that() -> None:
    told = Description(Seen.NOTHING, PULL.mode, ("vda",), flaw="unheard-of element")
    breaking, allowed = judged([(PULL, DONE), (BackupGetXmlDesc(), told)])
    assert "pull of vda, invalid XML" in breaking
    assert allowed == {"pull of vda"}


def test_a_success_with_an_error_is_judged_by_that() -> None:
    told = Completed(JobType.BACKUP, success=True, error=True)
    breaking, allowed = judged(
        [(PULL, DONE), (AbortJob(), DONE), (Settle(), DONE), (GetJobStats(completed=True), told)]
    )
    assert "backup: success, with an error message" in breaking
    assert "backup: success" in allowed
    assert breaking & allowed == set()


def test_what_is_left_is_judged_by_its_sort() -> None:
    breaking, allowed = judged(
        [(PULL, DONE), (AbortJob(), DONE), (Settle(), DONE), (Inspect(), Leftovers(("socket",)))]
    )
    assert {"socket", "scratch", "scratch, socket"} <= breaking
    assert allowed == {"nothing left"}


def test_an_internal_error_is_judged_by_its_kind() -> None:
    breaking, allowed = judged([(AbortJob(), Refusal(ErrorKind.INTERNAL))])
    assert breaking == {"refused: internal"}
    assert "refused: invalid-state" in allowed
    assert "done" not in breaking | allowed


def test_an_answer_that_breaks_nothing_has_no_alternatives() -> None:
    assert judged([(PULL, DONE)]) == (set(), set())


def test_ids_have_no_alternatives() -> None:
    target = ReferenceTarget(presets()["zero-id"])
    judge = Judge(target.design, target.capabilities)
    step = judge.step(judge.start(), AbortJob(), Refusal(ErrorKind.INTERNAL))
    assert step.deviations
    assert alternatives(judge, step) == ((), ())
