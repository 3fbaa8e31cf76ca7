"""`jobtck diff`: what became of a build is told, written, and tried again, and no foreign text does harm."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from rich.console import Console
from tests.conftest import validator
from tests.judged import judged, prepare
from tests.mutants_faults import LosesBackupsOnRestart
from tests.mutants_table import DEFAULT_JOB
from tests.test_comparison import CELL, FAILS, PASSES, KeepsSuccessToItself, SaysAnotherCode, a_run, broken
from tests.test_reports import HUGE, NASTY

from jobtck import reportdir
from jobtck.conformance.comparison import Change, Comparison, compare
from jobtck.conformance.record import RunRecord, TargetRecord
from jobtck.differences import Wanted, diff, exit_status, strict_exit_status
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.replay import ANOTHER_TURN, FIXED, STILL_THERE, read_trace
from jobtck.reports.diff_json import diff_json
from jobtck.reports.diff_markdown import COMMENT_MAX, diff_markdown, escaped
from jobtck.reports.diff_terminal import print_comparison
from jobtck.reports.result_json import dumps
from jobtck.ways import Source

Run = Callable[..., CompletedProcess[str]]


def keeps_its_schema(comparison: Comparison) -> None:
    validator("jobtck.reports", "diff.schema.json").validate(json.loads(dumps(diff_json(comparison))))


def shown(comparison: Comparison, width: int = 100) -> str:
    output = io.StringIO()
    print_comparison(Console(file=output, width=width), comparison)
    return output.getvalue()


def written(run: RunRecord, directory: Path) -> Path:
    reportdir.prepare(directory)
    reportdir.write(run, directory)
    return directory


def played_by(make: type[Reference]) -> Source:
    def opened(target: TargetRecord) -> ReferenceTarget:
        return ReferenceTarget(target.design, make)

    return opened


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Reference]], tuple[Path, Path]]:
    """A result of the reference, and one of a mutant."""
    prepare(monkeypatch)

    def made(make: type[Reference]) -> tuple[Path, Path]:
        runs = judged(DEFAULT_JOB, calls_more=0), judged(DEFAULT_JOB, make, calls_more=0)
        return written(runs[0], tmp_path / "old"), written(runs[1], tmp_path / "new")

    return made


def test_a_change_comes_with_its_shortest_calls_and_is_made_again(
    results: Callable[[type[Reference]], tuple[Path, Path]], tmp_path: Path
) -> None:
    wanted = Wanted(
        json=tmp_path / "diff.json",
        markdown=tmp_path / "diff.md",
        traces=tmp_path / "traces",
        old=played_by(Reference),
        new=played_by(SaysAnotherCode),
    )
    comparison = diff(*results(SaysAnotherCode), wanted, Console(file=io.StringIO(), width=100))
    keeps_its_schema(comparison)
    changed = [each for each in comparison.pairs[0].cells if each.is_news]
    assert all(each.way for each in changed)
    (again,) = {each.replays for each in changed if each.replays is not None}
    assert (again.old, again.new) == (("busy BUSY",) * 3, ("busy EBUSY",) * 3)
    assert exit_status(comparison) == 0
    assert strict_exit_status(comparison) == 1
    text = shown(comparison)
    assert "changed backup_begin in" in text
    assert "before: busy BUSY now: busy EBUSY as in: backup_begin(" in " ".join(text.split())
    assert "made again: the old answers busy BUSY; the new answers busy EBUSY" in text
    assert "busy BUSY → **busy EBUSY**" in (tmp_path / "diff.md").read_text()
    (file,) = (tmp_path / "traces").iterdir()
    trace = read_trace(file)
    assert (trace.before, trace.since) == (("busy BUSY",), ("busy EBUSY",))


def test_a_trace_of_a_change_is_replayed(
    results: Callable[[type[Reference]], tuple[Path, Path]], tmp_path: Path, jobtck: Run
) -> None:
    old, new = results(KeepsSuccessToItself)
    diff(old, new, Wanted(traces=tmp_path / "traces"), Console(file=io.StringIO()))
    file = min((tmp_path / "traces").iterdir())
    ran = jobtck("replay", str(file), "--backend", "reference")
    assert (ran.returncode, ran.stderr) == (FIXED, "")
    assert "as before: answers " in ran.stdout
    content = json.loads(file.read_text())
    for before, since, status in (
        (content["since"], content["before"], STILL_THERE),
        (["one"], ["two"], ANOTHER_TURN),
    ):
        file.write_text(json.dumps({**content, "before": before, "since": since}))
        assert jobtck("replay", str(file), "--backend", "reference").returncode == status
    file.write_text(json.dumps({**content, "since": [1]}))
    ran = jobtck("replay", str(file))
    assert (ran.returncode, "'since' is no list of answers" in ran.stderr) == (2, True)


def test_what_answers_alike_when_made_again_is_flaky(
    results: Callable[[type[Reference]], tuple[Path, Path]],
) -> None:
    wanted = Wanted(old=played_by(Reference), new=played_by(Reference))
    comparison = diff(*results(SaysAnotherCode), wanted, Console(file=io.StringIO()))
    made_again = [each for each in comparison.pairs[0].cells if each.replays is not None]
    assert {each.change for each in made_again} == {Change.FLAKY}


def test_a_regression_fails_the_command_line(
    results: Callable[[type[Reference]], tuple[Path, Path]], jobtck: Run
) -> None:
    old, new = results(LosesBackupsOnRestart)
    worse = jobtck("diff", str(old), str(new), "--json", "-", "--old-backend", "reference", "--traces", "traces")
    assert worse.returncode == 1
    content = json.loads(worse.stdout)
    (requirement,) = content["pairs"][0]["requirements"]
    assert (requirement["id"], requirement["change"]) == ("FAULT-2", "regressed")
    assert requirement["new"]["deviations"][0]["calls"]
    assert "worse than before" in worse.stderr
    better = jobtck("diff", str(new), str(old))
    assert (better.returncode, "1 requirement fixed" in better.stdout) == (0, True)


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("{", 2, "not JSON"),
        ("[]", 2, "not a result of jobtck"),
        (None, 2, "cannot read the result"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path: Path, jobtck: Run, text: str | None, status: int, told: str) -> None:
    old = written(a_run(CELL), tmp_path / "old")
    if text is not None:
        (tmp_path / "new.json").write_text(text)
    ran = jobtck("diff", str(old), "new.json")
    assert ran.returncode == status
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_results_that_have_nothing_in_common_are_not_comparable(tmp_path: Path, jobtck: Run) -> None:
    old = written(a_run(CELL), tmp_path / "old")
    none = written(RunRecord((), "jobtck run", 1, 1.0, "no guest could be started"), tmp_path / "new")
    ran = jobtck("diff", str(old), str(none))
    assert ran.returncode == 3
    assert "the new run ended early: no guest could be started" in " ".join(ran.stdout.split())


@pytest.mark.parametrize("text", [NASTY, HUGE, "a|b ](javascript:alert(1)) @everybody <img src=x onerror=alert(1)>"])
def test_foreign_text_is_only_text(text: str) -> None:
    (record,) = a_run(replace(CELL, state=text, outcome=text, symptoms=(broken(text),))).records
    target = replace(record.target, backend=text, versions={"libvirt": text})
    old = replace(record, target=target, requirements=(replace(PASSES, id=text, text=text),))
    new = replace(
        old,
        cells=(replace(CELL, state=text, outcome=f"{text[::-1]}", symptoms=()),),
        requirements=(replace(FAILS, id=text, text=text),),
    )
    comparison = compare(*(RunRecord((each,), "", 1, 1.0) for each in (old, new)))
    keeps_its_schema(comparison)
    markdown, terminal = diff_markdown(comparison), shown(comparison)
    assert len(markdown) <= COMMENT_MAX + 100
    assert not {"<", "@", "\x1b", "\x00", "\u202e"} & set(markdown)
    assert not {"\x1b", "\x00", "\u202e"} & set(terminal)
    assert "](" not in markdown


def test_escaped_text_reads_as_it_was() -> None:
    assert escaped("busy VIR_ERR (at once)") == "busy VIR&#95;ERR &#40;at once&#41;"


def test_a_comment_is_short_enough() -> None:
    old = [replace(CELL, call=f"call_{number}()", state="x" * 300) for number in range(2_000)]
    new = [replace(each, outcome=f"busy {each.call}") for each in old]
    text = diff_markdown(compare(a_run(*old), a_run(*new)))
    assert len(text) < COMMENT_MAX
    assert "1,988 sorts of change more are in the report." in text
