"""`jobtck run --baseline`: a run fails of what is worse than before, and of nothing else."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from tests.judged import judged, prepare
from tests.mutants_faults import LosesBackupsOnRestart
from tests.mutants_table import DEFAULT_JOB
from tests.test_comparison import (
    CELL,
    ELSEWHERE,
    FAILS,
    MISSED,
    PASSES,
    WAS_FLAKY,
    SaysAnotherCode,
    a_run,
    broken,
)
from tests.test_reports import LISTED, NASTY, TYPE_2

from jobtck.conformance.record import (
    CellRecord,
    Gate,
    KnownDeviation,
    NamedRun,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    Verdict,
)
from jobtck.gate import held_against
from jobtck.reports.junit import junit_xml
from jobtck.reports.result_json import dumps, result, validate
from jobtck.reports.result_reading import read_run
from jobtck.reports.sentences import gate_text
from jobtck.reports.terminal import print_run

Run = Callable[..., CompletedProcess[str]]
TUNES = KnownDeviation(
    "TYPE-2", "libvirt", ">=9", "it tunes", "docs", "block_job_set_speed", answer="done", job=("backup-pull",)
)
KNOWN = replace(FAILS, verdict=Verdict.KNOWN, known=(TUNES,))
OTHER = replace(PASSES, id="TYPE-1")
ASKED = replace(CELL, call="block_job_set_speed(disk in backup-pull)")
SHOULD_FAIL = replace(FAILS, level="SHOULD")


def gated(old: RunRecord, new: RunRecord, *, strict: bool = False) -> RunRecord:
    return held_against(new, NamedRun("old/result.json", old), strict=strict)


def of(*requirements: RequirementRecord, cells: tuple[CellRecord, ...] = (CELL,)) -> RunRecord:
    return a_run(*cells, ASKED, requirements=requirements)


def gates(run: RunRecord) -> Gate:
    assert run.gate is not None
    return run.gate


def red(run: RunRecord) -> list[str]:
    """The names of the cases that fail or err."""
    cases = ET.fromstring(junit_xml(run)).iter("testcase")  # noqa: S314
    return [case.attrib["name"] for case in cases if case.find("failure") is not None or case.find("error") is not None]


OTHER_SYMPTOM = replace(FAILS, deviations=(ELSEWHERE,))


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (PASSES, PASSES, 0),
        (PASSES, FAILS, 1),
        (PASSES, SHOULD_FAIL, 1),
        (FAILS, FAILS, 0),
        (KNOWN, FAILS, 0),
        (FAILS, PASSES, 0),
        (PASSES, KNOWN, 0),  # it is listed
        (PASSES, WAS_FLAKY, 1),
        (WAS_FLAKY, PASSES, 0),
        (FAILS, OTHER_SYMPTOM, 1),
        (KNOWN, OTHER_SYMPTOM, 1),
        (PASSES, MISSED, 3),
        (FAILS, MISSED, 3),
        (SHOULD_FAIL, replace(MISSED, level="SHOULD"), 3),
        (MISSED, MISSED, 0),
        (MISSED, FAILS, 1),  # a baseline excuses only what it shows
        (MISSED, SHOULD_FAIL, 0),
    ],
)
def test_a_run_fails_of_what_is_worse(old: RequirementRecord, new: RequirementRecord, status: int) -> None:
    run = gated(of(old, OTHER), of(new, OTHER))
    assert run.exit_status == status
    assert bool(red(run)) == bool(status)
    again = read_run(dumps(result(run)), "result.json")
    assert (again.gate, again.exit_status) == (run.gate, status)
    validate(result(run))


def test_what_is_flaky_and_new_is_told_with_its_rate() -> None:
    (became,) = gates(gated(of(PASSES), of(WAS_FLAKY))).became
    assert (became.change, became.fails) == ("regressed", True)
    assert "flaky: reproduced 1 of 3" in became.told
    (became,) = gates(gated(of(WAS_FLAKY), of(PASSES))).became
    assert (became.change, became.fails) == ("not seen", False)
    assert "was not seen this time" in became.told


def test_what_is_not_judged_any_more_is_named_with_what_to_do() -> None:
    (gap,) = gates(gated(of(FAILS), of(MISSED))).gaps
    assert "TYPE-2 was failed in the baseline, and is not judged now: not exercised: the budget ended before" in gap
    assert gap.endswith("if that is on purpose, take the result of this run as the baseline")


def test_a_strict_gate_lets_nothing_pass_that_is_otherwise() -> None:
    old, new = of(PASSES), of(PASSES, cells=(replace(CELL, outcome="busy BUSY"),))
    assert gated(old, new).exit_status == 0
    assert gated(old, new, strict=True).exit_status == 1
    assert red(gated(old, new, strict=True)) == ["abort_job changed"]


def test_a_cell_that_breaks_what_it_kept_fails_unless_that_symptom_is_listed() -> None:
    tuned = (replace(CELL, outcome="busy", symptoms=TYPE_2.symptoms),)
    assert [each.fails for each in gates(gated(of(PASSES), of(KNOWN, cells=tuned))).became] == [False, False]
    assert gated(of(PASSES), of(FAILS, cells=tuned)).exit_status == 1
    # the requirement is known, by another symptom
    ended = (replace(CELL, outcome="busy", symptoms=(broken("TYPE-2"),)),)
    run = gated(of(KNOWN), of(KNOWN, cells=ended))
    assert [(each.what, each.fails) for each in gates(run).became] == [("abort_job", True)]
    assert run.exit_status == 1


def test_a_callers_error_that_becomes_a_time_out_or_a_crash_fails() -> None:
    refused = replace(CELL, outcome="invalid-argument VIR_ERR_INVALID_ARG")
    for worse in ("timed-out VIR_ERR_OPERATION_TIMEOUT", "internal VIR_ERR_INTERNAL_ERROR", "the server died SIGSEGV"):
        now = replace(refused, outcome=worse)
        run = gated(of(PASSES, cells=(refused,)), of(PASSES, cells=(now,)))
        assert (run.exit_status, red(run)) == (1, ["abort_job regressed"])
        known = replace(now, symptoms=TYPE_2.symptoms)  # what is listed is no news
        assert gated(of(KNOWN, cells=(refused,)), of(KNOWN, cells=(known,))).exit_status == 0


def test_how_much_of_the_baseline_was_judged_is_told_and_too_little_is_incomplete() -> None:
    cells = tuple(replace(CELL, state=f"{state} of 3 disks") for state in "abcdefghi")
    whole, half, less = of(PASSES, cells=cells), of(PASSES, cells=cells[:4]), of(PASSES, cells=cells[:3])
    told = "libvirt as default-job: 5 of the baseline's 10 cells were judged, 5 were not"
    assert gates(gated(whole, half)).cells == (told,)
    assert gated(whole, half).exit_status == 0
    run = gated(whole, less)
    assert run.exit_status == 3
    assert (
        "the greater part of the cells (6 of 10) was visited in the baseline, and is not judged now"
        in gates(run).gaps[0]
    )
    output = io.StringIO()
    print_run(Console(file=output, width=200), gated(whole, half))
    assert told in output.getvalue()


def test_what_was_asked_less_often_is_no_change_for_the_better() -> None:
    seen = tuple(replace(ASKED, state=f"{state} of 3 disks", symptoms=TYPE_2.symptoms) for state in "abc")
    again = tuple(replace(each, symptoms=()) for each in seen)
    others = tuple(replace(CELL, state=f"{state} of 2 disks") for state in "abcdef")
    (became,) = gates(gated(of(FAILS, cells=(*seen, *others)), of(PASSES, cells=(again[0], *others)))).became
    assert (became.change, became.fails) == ("not seen", False)
    assert became.told.startswith("was asked less often, and was not seen this time")
    assert "for the better" not in gate_text(
        gates(gated(of(FAILS, cells=seen + others), of(PASSES, cells=again[:1] + others)))
    )
    assert "for the better" in gate_text(gates(gated(of(FAILS, cells=seen), of(PASSES, cells=again))))


def test_lists_stay_strict() -> None:
    def with_lists(**lists: object) -> RunRecord:
        run = of(PASSES)
        return replace(run, records=(replace(run.records[0], **lists),))  # type: ignore[arg-type]

    for lists, told in (
        ({"stale_known": (LISTED,)}, "END-7 is listed as known and did not happen"),
        ({"expired_known": (replace(LISTED, expires="2026-01-31"),)}, "END-7 is listed as known until 2026-01-31"),
        ({"unkept_calls": ("abort_job",)}, "abort_job is declared"),
    ):
        run = gated(with_lists(**lists), with_lists(**lists))
        assert run.exit_status == 1
        assert run.gate is not None
        assert told in run.gate.complaints[0]
        assert red(run)


def test_what_an_expired_entry_covered_is_not_excused() -> None:
    run = of(FAILS)
    expired = replace(LISTED, requirement="TYPE-2", expires="2026-01-31")
    new = replace(run, records=(replace(run.records[0], expired_known=(expired,)),))
    held = gated(of(KNOWN), new)
    assert held.exit_status == 1
    assert held.records[0].requirements[0].excused == ""


def test_an_expired_entry_is_no_excuse_from_the_next_day_on(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    unlisted = judged(DEFAULT_JOB, LosesBackupsOnRestart, calls_more=0)
    (told,) = (each for each in unlisted.records[0].requirements if each.id == "FAULT-2")
    entries = [
        KnownDeviation(
            "FAULT-2",
            "reference",
            ">=0",
            "so it is",
            "docs",
            each.call,
            expires="2026-06-30",
            answer=each.answer,
            demand=each.demand,
            job=(each.job,),
        )
        for each in sorted(told.symptoms)
    ]
    runs = {
        day: judged(DEFAULT_JOB, LosesBackupsOnRestart, calls_more=0, known=entries, today=day)
        for day in ("2026-06-30", "2026-07-01")
    }
    excused, expired = (run.records[0] for run in runs.values())
    verdicts = [
        next(each.verdict for each in record.requirements if each.id == "FAULT-2") for record in (excused, expired)
    ]
    assert verdicts == [Verdict.KNOWN, Verdict.FAIL]
    assert (excused.expired_known, expired.expired_known) == ((), tuple(entries))
    assert "FAULT-2 is listed as known until 2026-06-30, which is past" in expired.notes[-1]
    assert (excused.verdict, expired.verdict) == (RunVerdict.CONFORMING, RunVerdict.NONCONFORMING)
    held = gated(runs["2026-06-30"], runs["2026-07-01"])
    assert held.exit_status == 1
    assert gated(runs["2026-06-30"], runs["2026-06-30"]).exit_status == 0


def test_an_error_is_no_comparison() -> None:
    assert gated(of(PASSES), replace(of(PASSES), error="died")).exit_status == 4
    assert gated(RunRecord((), "", 1, 1.0), of(PASSES)).exit_status == 3


def test_a_mutant_fails_the_gate_and_is_let_through_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    plain, flawed = judged(DEFAULT_JOB, calls_more=0), judged(DEFAULT_JOB, LosesBackupsOnRestart, calls_more=0)
    worse = gated(plain, flawed)
    assert worse.gate is not None
    assert (worse.exit_status, worse.gate.became[0].what) == (1, "FAULT-2")
    assert "; shown by: a = backup_begin" in " ".join(each.told for each in worse.gate.became)
    same = gated(flawed, flawed)
    assert (same.exit_status, same.verdict, red(same)) == (0, RunVerdict.NONCONFORMING, [])
    assert same.records[0].requirements != flawed.records[0].requirements
    better = gated(flawed, plain)
    assert better.gate is not None
    assert ("FAULT-2", "fixed") in {(each.what, each.change) for each in better.gate.became}
    assert not any(each.fails for each in better.gate.became)
    otherwise = gated(plain, judged(DEFAULT_JOB, SaysAnotherCode, calls_more=0))
    assert otherwise.exit_status == 0


def test_the_gate_is_told_on_the_terminal() -> None:
    output = io.StringIO()
    run = gated(of(PASSES), of(replace(FAILS, text=NASTY)))
    print_run(Console(file=output, width=100), run)
    text = " ".join(output.getvalue().split())
    assert "regressed libvirt 9.0.0 as default-job: TYPE-2: passed, now failed" in text
    assert "fails beside the baseline: 1 change for the worse; old/result.json" in text
    assert not {"\x1b", "\x00"} & set(text)


def test_a_run_is_held_against_its_own_result(jobtck: Run, tmp_path: Path) -> None:
    judge = ("run", "--backend", "reference", "--design", "default-job", "--budget", "12")
    assert jobtck(*judge, "-o", "old").returncode == 0
    ran = jobtck(*judge, "-o", "new", "--seed", "2", "--baseline", "old")
    assert (ran.returncode, "no worse than the baseline: old" in ran.stdout) == (0, True)
    file = tmp_path / "old" / "result.json"
    content = json.loads(file.read_text())
    for cell in content["cells"]:
        if cell["call"].startswith("abort_job"):
            cell["outcome"] = "another answer"
    file.write_text(json.dumps(content))
    assert jobtck(*judge, "-o", "new", "--baseline", "old", "--strict").returncode == 1
    gate = json.loads((tmp_path / "new" / "result.json").read_text())["gate"]
    assert {each["what"] for each in gate["became"]} == {"abort_job"}
    other = jobtck("run", "--backend", "reference", "--design", "zero-id", "-o", "new", "--baseline", "old")
    assert (other.returncode, "is to judge reference as zero-id: take a result of" in other.stderr) == (2, True)
    file.write_text("{")
    ran = jobtck(*judge, "-o", "new", "--baseline", "old")
    assert (ran.returncode, "not JSON" in ran.stderr) == (2, True)
