"""TAP: as avocado and prove read it, and its blocks as YAML has them."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML
from tests.conftest import users_environment
from tests.test_reports import CONFORMING, HUGE, NASTY, RECORD, RUNS, a_run, every_run, requirement, spoilt, unjudged

from jobtck.conformance.record import NamedRun, RunRecord, RunVerdict, Verdict
from jobtck.reports.tap import tap

POINT = re.compile(r"( *)(not ok|ok) ([0-9]+) - ((?:[^\\#]|\\.)*?)(?: # (TODO|SKIP) (.*))?")
KNOWS_14 = (3, 48)  # the first release of Perl's harness that reads version 14
avocado = pytest.mark.skipif(
    shutil.which("avocado", path=str(Path(sys.executable).parent)) is None, reason="no avocado"
)


class Point(NamedTuple):
    depth: int
    ok: bool
    name: str
    directive: str


def text_of(*runs: RunRecord) -> str:
    return tap([NamedRun(f"run {number}", run) for number, run in enumerate(runs)])


def points(text: str) -> list[Point]:
    found = (POINT.fullmatch(line) for line in text.splitlines())
    return [Point(len(each[1]) // 4, each[2] == "ok", each[4], each[5] or "") for each in found if each]


def is_green(text: str) -> bool:
    return all(point.ok or point.directive for point in points(text))


@every_run
def test_it_is_green_when_the_verdict_is_conforming_alone(run: RunRecord) -> None:
    assert is_green(text_of(run)) is (run.verdict is RunVerdict.CONFORMING)
    assert is_green(text_of(RUNS["conforming"], run)) is (run.verdict is RunVerdict.CONFORMING)


@every_run
def test_every_line_is_one_of_the_language(run: RunRecord) -> None:
    text = text_of(run)
    version, *lines = text.splitlines()
    assert version == "TAP version 14"
    assert text == "\n".join([version, *lines]) + "\n"
    language = re.compile(
        r"(?:    )?(?:1\.\.[0-9]+|(?:not )?ok [0-9]+ - .*|# Subtest: .*|  (?:---|\.\.\.|[a-z0-9-]+:.*| - .*))"
    )
    assert [line for line in lines if not language.fullmatch(line)] == []


@every_run
def test_plans_are_kept(run: RunRecord) -> None:
    text = text_of(run)
    for depth in (0, 1):
        planned = re.findall(rf"^{'    ' * depth}1\.\.([0-9]+)$", text, re.MULTILINE)
        assert sum(map(int, planned)) == sum(point.depth == depth for point in points(text))


def blocks(text: str) -> list[dict[str, str | list[str]]]:
    found = re.findall(r"^( +)---\n(.*?)^\1\.\.\.$", text, re.MULTILINE | re.DOTALL)
    return [YAML(typ="safe", pure=True).load(block) for _, block in found]


@every_run
def test_blocks_are_yaml(run: RunRecord) -> None:
    text = text_of(run)
    told = blocks(text)
    assert len(told) == len(re.findall(r"^ +---$", text, re.MULTILINE))
    for block in told:
        for value in block.values():
            assert isinstance(value, str) or all(isinstance(each, str) for each in value)


def test_a_block_tells_what_is_demanded_and_what_was_answered() -> None:
    told = next(block for block in blocks(text_of(RUNS["one"])) if block.get("demands") == "What END-6 demands.")
    assert told["source"] == "sense"
    assert told["seen"] == "flaky: reproduced 2 of 3"
    calls = told["calls"]
    assert isinstance(calls, list)
    begun, ended = calls
    assert begun == "1. a = backup_begin(pull, vda) -> value"
    assert ended.startswith("2. abort_job() -> refused: internal (VIR_ERR_INTERNAL_ERROR: internal error: unable to")


@pytest.mark.parametrize(
    ("given", "ok", "directive"),
    [
        (requirement("ID-1"), True, ""),
        (requirement("ID-1", Verdict.FAIL), False, ""),
        (requirement("ID-1", Verdict.FAIL, level="SHOULD"), False, "TODO"),
        (unjudged("ID-1", Verdict.KNOWN, "met"), False, "TODO"),
        (unjudged("ID-1", Verdict.UNSUPPORTED, "no ids"), True, "SKIP"),
        (unjudged("ID-1", Verdict.NOT_EXERCISED, "later", provisional=True), True, "SKIP"),
        (unjudged("ID-1", Verdict.NOT_EXERCISED, "the budget ended"), False, ""),
    ],
)
def test_what_a_verdict_comes_to(given: object, ok: bool, directive: str) -> None:  # noqa: FBT001
    run = a_run(replace(CONFORMING, requirements=(given,)))  # type: ignore[arg-type]
    assert points(text_of(run)) == [Point(0, ok, points(text_of(run))[0].name, directive)]


def test_a_stale_listed_deviation_is_not_ok() -> None:
    run = a_run(replace(CONFORMING, verdict=RunVerdict.NONCONFORMING, stale_known=RECORD.stale_known))
    assert points(text_of(run))[-1] == Point(
        0, False, "END-1 in backup_get_xml_desc answered 'internal' is listed as known and did not happen", ""
    )


def test_a_run_that_ended_in_an_error_has_a_plan() -> None:
    assert text_of(RUNS["error"]).startswith("TAP version 14\n1..1\nnot ok 1 - the run\n  ---\n  error: ")


@pytest.mark.parametrize("text", ["a # TODO no", "a \\# TODO no", "a\\", "a \\\\# SKIP", "#", "\\\\#\\"])
def test_foreign_text_gives_no_directive(text: str) -> None:
    run = a_run(replace(CONFORMING, requirements=(requirement("ID-1", Verdict.FAIL, text=text),)))
    (point,) = points(text_of(run))
    assert not point.ok
    assert point.directive == ""
    assert re.sub(r"\\(.)", r"\1", point.name) == f"ID-1 {text}"


# -- as its readers read it ------------------------------------------------------------------------

SPOILT = {
    "nasty": NASTY,
    "points": "x\n    not ok 1 - x\nnot ok 2\nBail out!\n1..9\nTAP version 13\n  ---\n  ...\n    ok 3",
    "huge": HUGE,
}
READ = {
    **{name: (run,) for name, run in RUNS.items()},
    "several": (RUNS["conforming"], RUNS["conforming"]),
    "several, one not": (RUNS["conforming"], RUNS["one"]),
    **{
        f"conforming, {name}": (a_run(green),)
        for name, green in (
            (
                name,
                replace(
                    spoilt(text),
                    verdict=RunVerdict.CONFORMING,
                    stale_known=(),
                    requirements=tuple(each for each in spoilt(text).requirements if each.verdict is not Verdict.FAIL),
                ),
            )
            for name, text in SPOILT.items()
        )
    },
}
each_read = pytest.mark.parametrize("runs", READ.values(), ids=READ.keys())


def is_conforming(runs: tuple[RunRecord, ...]) -> bool:
    return all(run.verdict is RunVerdict.CONFORMING for run in runs)


def harness() -> tuple[int, ...]:
    """The release of Perl's harness; nothing where there is none."""
    if shutil.which("prove") is None:
        return ()
    told = subprocess.run(["prove", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"TAP::Harness v([0-9]+)\.([0-9]+)", told)
    return tuple(map(int, found.groups())) if found else ()


@pytest.mark.skipif(harness() == (), reason="no prove")
@each_read
def test_prove_reads_it(tmp_path: Path, runs: tuple[RunRecord, ...]) -> None:
    text = text_of(*runs)
    if harness() < KNOWS_14:
        text = text.replace("TAP version 14", "TAP version 13", 1)
    (tmp_path / "run.tap").write_text(text, encoding="utf-8")
    done = subprocess.run(["prove", "run.tap"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Parse errors" not in done.stdout, done.stdout
    assert (done.returncode == 0) is is_conforming(runs), done.stdout


@avocado
def test_avocado_reads_it(tmp_path: Path) -> None:
    """One job for all of them: it takes seconds to begin one."""
    environment = users_environment()
    environment |= {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    wanted: dict[str, str] = {}
    for number, (name, runs) in enumerate(READ.items()):
        (tmp_path / f"{number}.tap").write_text(text_of(*runs), encoding="utf-8")
        script = tmp_path / f"{number}.sh"
        script.write_text(f"#!/bin/sh\ncat {tmp_path}/{number}.tap\n")
        script.chmod(0o755)
        (tmp_path / f"{number}.json").write_text(f'{{"kind": "tap", "uri": "{script}"}}')
        wanted[f"{number}.sh"] = f"{name}: {'PASS' if is_conforming(runs) else 'FAIL'}"
    command = [sys.executable, "-m", "avocado", "run", "--job-results-dir", str(tmp_path / "results"), "--json", "-"]
    recipes = [str(tmp_path / f"{number}.json") for number in range(len(READ))]
    done = subprocess.run(
        [*command, *recipes], capture_output=True, text=True, check=False, env=environment, timeout=300
    )
    told = YAML(typ="safe", pure=True).load(done.stdout)
    read = {Path(each["name"].split("-", 1)[-1]).name: each["status"] for each in told["tests"]}
    names = {script: expected.rpartition(": ")[0] for script, expected in wanted.items()}
    assert {script: f"{names[script]}: {status}" for script, status in read.items()} == wanted
