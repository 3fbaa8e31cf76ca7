"""Results compared: the same build says nothing new, and what is otherwise is found, by whatever it shows."""

from dataclasses import replace
from functools import cache

import pytest
from tests.judged import judged, prepare
from tests.mutants_faults import MUTANTS as OF_FAULTS
from tests.mutants_table import DEFAULT_JOB, QEMU_JOBS, ZERO_ID, Mutant
from tests.mutants_told import Slow
from tests.test_reports import RECORD, TYPE_2, requirement

from jobtck.conformance import calls
from jobtck.conformance.asked import Reach
from jobtck.conformance.comparison import Change, Comparison, Gap, PairComparison, compare
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Completed, Outcome, Refusal, Waited
from jobtck.conformance.record import CellRecord, Deviation, RequirementRecord, RunRecord, Symptom, Verdict
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import Guest
from jobtck.reports.diff_sentences import verdict_text

CELL = CellRecord("backup-pull", "abort_job()", "done", 3, 0.001)
FLAKY = replace(TYPE_2, reproduced=1)


def broken(id: str) -> Symptom:
    """How the cell breaks the requirement."""
    return Symptom(id, "abort_job", "busy", job="backup-pull")


def a_run(*cells: CellRecord, requirements: tuple[RequirementRecord, ...] = ()) -> RunRecord:
    record = replace(RECORD, cells=cells, requirements=requirements, stale_known=(), unkept_calls=())
    return RunRecord((record,), "jobtck run", 1, 1.0)


def only_pair(comparison: Comparison) -> PairComparison:
    (pair,) = comparison.pairs
    return pair


def cell_changes(old: RunRecord, new: RunRecord) -> list[Change]:
    return [each.change for each in only_pair(compare(old, new)).cells]


ASKED = replace(CELL, call="block_job_set_speed(disk in backup-pull)")


def requirement_change(old: RequirementRecord, new: RequirementRecord, cell: CellRecord = ASKED) -> Change | None:
    pair = only_pair(compare(a_run(cell, requirements=(old,)), a_run(cell, requirements=(new,))))
    return pair.requirements[0].change if pair.requirements else None


# Cells


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ((CELL,), (CELL,), None),
        ((CELL,), (replace(CELL, count=300),), None),
        ((CELL,), (replace(CELL, outcome="busy BUSY"),), Change.CHANGED),
        ((CELL,), (replace(CELL, outcome="busy BUSY", symptoms=(broken("END-1"),)),), Change.REGRESSED),
        ((replace(CELL, outcome="busy BUSY", symptoms=(broken("END-1"),)),), (CELL,), Change.FIXED),
        # it varied on one side at least
        ((CELL,), (CELL, replace(CELL, outcome="busy BUSY", symptoms=(broken("END-1"),))), Change.FLAKY),
        # jobs that may have ended by themselves answer as they like, unless they do so very often
        ((replace(CELL, sure=False),), (replace(CELL, sure=False, outcome="busy BUSY"),), None),
        ((replace(CELL, sure=False, count=12),), (replace(CELL, sure=False, outcome="no", count=12),), Change.CHANGED),
        ((CELL,), (CELL, replace(CELL, outcome="no-such-job", sure=False, count=99)), None),
        # a busy machine makes one call or two wait, and a slow one all of them
        ((CELL,), (replace(CELL, waited=Waited.WAITED, seconds_max=6.0, count=2),), Change.FLAKY),
        ((CELL,), (replace(CELL, waited=Waited.WAITED, seconds_max=6.0, count=3),), Change.CHANGED),
        ((replace(CELL, seconds_max=4.0),), (replace(CELL, waited=Waited.WAITED, seconds_max=9.0),), None),
        ((CELL,), (), Change.GONE),
        ((), (CELL,), Change.NEW),
    ],
)
def test_a_cell_is_compared(old: tuple[CellRecord, ...], new: tuple[CellRecord, ...], change: Change | None) -> None:
    others = tuple(replace(CELL, call=f"{call}()") for call in "abcd")  # by which the machine was no slower
    assert cell_changes(a_run(*others, *old), a_run(*others, *new)) == ([] if change is None else [change])


def test_a_call_is_slow_in_several_cells() -> None:
    cells = [replace(CELL, state=f"{state} of 3 disks", count=1) for state in "abc"]
    slow = [replace(each, waited=Waited.WAITED, seconds_max=7.0) for each in cells]
    others = tuple(replace(CELL, call=f"{call}()") for call in "abcdefg")
    assert cell_changes(a_run(*cells, *others), a_run(*slow, *others)) == [Change.CHANGED] * 3
    assert cell_changes(a_run(*slow, *others), a_run(*cells, *others)) == [Change.CHANGED] * 3


def test_a_slow_machine_is_no_change() -> None:
    cells = [replace(CELL, state=f"{state} of 3 disks", seconds_max=0.5) for state in "abc"]
    slow = [replace(each, waited=Waited.WAITED, seconds_max=7.0) for each in cells]
    assert cell_changes(a_run(*cells), a_run(*slow)) == []


BAD_INPUT = replace(CELL, outcome="invalid-argument VIR_ERR_INVALID_ARG")


@pytest.mark.parametrize(
    "worse", ["timed-out VIR_ERR_OPERATION_TIMEOUT", "internal VIR_ERR_INTERNAL_ERROR", "the server died SIGSEGV"]
)
def test_an_answer_that_becomes_none_is_worse_though_no_requirement_says_so(worse: str) -> None:
    now = replace(CELL, outcome=worse)
    for before in (BAD_INPUT, CELL):
        assert cell_changes(a_run(before), a_run(now)) == [Change.REGRESSED]
    assert cell_changes(a_run(now), a_run(BAD_INPUT)) == [Change.CHANGED]
    assert cell_changes(a_run(BAD_INPUT), a_run(BAD_INPUT, now)) == [Change.FLAKY]
    unsure = replace(BAD_INPUT, sure=False, count=1), replace(now, sure=False, count=1)
    assert cell_changes(a_run(unsure[0]), a_run(unsure[1])) == []
    waits = replace(CELL, outcome="busy VIR_ERR_OPERATION_INVALID")
    assert cell_changes(a_run(waits), a_run(replace(CELL, outcome="timed-out X"))) == [Change.CHANGED]


# Requirements

PASSES, FAILS = requirement("TYPE-2"), requirement("TYPE-2", Verdict.FAIL, deviations=(TYPE_2,))
MISSED = requirement("TYPE-2", Verdict.NOT_EXERCISED, 0, reason="the budget ended before")
(TUNED,) = TYPE_2.symptoms
ELSEWHERE = replace(TYPE_2, symptoms=(replace(TUNED, call="block_job_abort"),))
OTHERWISE = replace(TYPE_2, symptoms=(replace(TUNED, answer="internal"),))
SHOWN_OTHERWISE = replace(TYPE_2, lines=TYPE_2.lines[:1] + TYPE_2.lines)
WAS_FLAKY = replace(FAILS, deviations=(FLAKY,))


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (PASSES, PASSES, None),
        (PASSES, FAILS, Change.REGRESSED),
        (PASSES, replace(FAILS, verdict=Verdict.KNOWN), Change.REGRESSED),
        (PASSES, WAS_FLAKY, Change.REGRESSED),
        (FAILS, PASSES, Change.FIXED),
        (WAS_FLAKY, PASSES, Change.NOT_SEEN),
        (FAILS, replace(FAILS, verdict=Verdict.KNOWN), None),
        # another symptom is another deviation; the same one, shown by other calls, is the same
        (FAILS, replace(FAILS, deviations=(ELSEWHERE,)), Change.REGRESSED),
        (FAILS, replace(FAILS, deviations=(OTHERWISE,)), Change.REGRESSED),
        (FAILS, replace(FAILS, deviations=(ELSEWHERE, TYPE_2)), Change.REGRESSED),
        (replace(FAILS, deviations=(ELSEWHERE, TYPE_2)), FAILS, None),
        (FAILS, replace(FAILS, deviations=(SHOWN_OTHERWISE,)), None),
        (WAS_FLAKY, FAILS, None),
        (PASSES, MISSED, Change.GONE),
        (MISSED, FAILS, Change.NEW),
        (MISSED, MISSED, None),
    ],
)
def test_a_requirement_is_compared(old: RequirementRecord, new: RequirementRecord, change: Change | None) -> None:
    assert requirement_change(old, new) == change


def test_nothing_is_fixed_that_could_not_be_asked() -> None:
    """The requirement passes by other calls; the one that broke it was not made."""
    assert requirement_change(FAILS, PASSES, ASKED) is Change.FIXED
    assert requirement_change(FAILS, PASSES, CELL) is Change.GONE
    (gap,) = only_pair(compare(a_run(CELL, requirements=(FAILS,)), a_run(CELL, requirements=(PASSES,)))).gaps
    assert gap == Gap("TYPE-2", "failed", "the call that showed it was not made")


def test_nothing_is_fixed_where_less_was_asked() -> None:
    """It was seen in four cells; of these, more than half are to be visited again."""
    seen = [replace(ASKED, state=f"{state} of 3 disks", symptoms=(TUNED,)) for state in "abcd"]

    def change(old: list[CellRecord], new: list[CellRecord]) -> Change:
        kept = [replace(each, symptoms=()) for each in new]
        (became,) = only_pair(
            compare(a_run(*old, requirements=(FAILS,)), a_run(*kept, requirements=(PASSES,)))
        ).requirements
        return became.change

    assert change(seen, seen) is Change.FIXED
    assert change(seen, [replace(each, count=1) for each in seen[:2]]) is Change.FIXED  # it was so each time
    assert change(seen, seen[:1]) is Change.NOT_SEEN
    kept_once = [*seen, replace(seen[0], symptoms=(), outcome="busy")]
    assert change(kept_once, seen) is Change.NOT_SEEN
    assert change(kept_once, [replace(each, count=4) for each in seen]) is Change.FIXED
    unseen = [replace(each, symptoms=()) for each in seen]  # no cell tells
    old, new = a_run(*unseen, requirements=(FAILS,)), a_run(*unseen, requirements=(replace(PASSES, exercised=1),))
    assert only_pair(compare(old, new)).requirements[0].change is Change.NOT_SEEN


def test_too_few_cells_are_a_gap() -> None:
    cells = [replace(CELL, state=f"{state} of 3 disks") for state in "abcdefghij"]
    pair = only_pair(compare(a_run(*cells), a_run(*cells[:5])))
    assert (pair.reach, pair.gaps) == (Reach(5, 10), ())
    (gap,) = only_pair(compare(a_run(*cells), a_run(*cells[:4], CELL))).gaps
    assert (gap.what, gap.was) == ("the greater part of the cells (6 of 10)", "visited")


def test_a_symptom_that_the_baseline_met_is_no_other_one() -> None:
    """It was met, and not run again; or it shows with a kind of job that the baseline did not try."""

    def change(*old: CellRecord, new: CellRecord, symptom: Symptom) -> Change | None:
        deviation = replace(TYPE_2, symptoms=(symptom,))
        runs = a_run(*old, requirements=(FAILS,)), a_run(new, requirements=(replace(FAILS, deviations=(deviation,)),))
        requirements = only_pair(compare(*runs)).requirements
        return requirements[0].change if requirements else None

    push = replace(TUNED, job="backup-push")
    cell = replace(ASKED, state="backup-push", symptoms=(push,))
    assert change(ASKED, new=cell, symptom=push) is None
    assert change(ASKED, cell, new=cell, symptom=push) is None
    assert change(ASKED, replace(cell, symptoms=()), new=cell, symptom=push) is Change.REGRESSED
    internal = replace(push, answer="internal")
    assert change(ASKED, new=replace(cell, symptoms=(internal,)), symptom=internal) is Change.REGRESSED


def test_what_is_new_or_gone_is_never_worse() -> None:
    worse = replace(CELL, state="no job", symptoms=(broken("TYPE-2"),))
    comparison = compare(a_run(CELL), a_run(worse, requirements=(FAILS,)))
    assert {each.change for each in only_pair(comparison).cells} == {Change.NEW, Change.GONE}
    assert not comparison.is_worse


@pytest.mark.parametrize("level", ["MUST", "SHOULD"])
def test_what_is_not_judged_again_is_a_gap(level: str) -> None:
    missed = replace(MISSED, level=level)
    comparison = compare(a_run(CELL, requirements=(PASSES,)), a_run(CELL, requirements=(missed,)))
    assert only_pair(comparison).gaps == (Gap("TYPE-2", "passed", "not exercised: the budget ended before"),)
    assert not comparison.is_whole
    unsupported = replace(missed, verdict=Verdict.UNSUPPORTED, reason="")
    (gap,) = only_pair(compare(a_run(CELL, requirements=(PASSES,)), a_run(CELL, requirements=(unsupported,)))).gaps
    assert gap.why == "unsupported"
    left_out = replace(missed, left_out=True)  # which a quick run says itself
    assert compare(a_run(CELL, requirements=(PASSES,)), a_run(CELL, requirements=(left_out,))).is_whole


def test_a_call_that_is_not_declared_any_more_is_a_gap() -> None:
    old = a_run(CELL)
    (record,) = old.records
    new = replace(old, records=(replace(record, target=replace(record.target, calls=("abort_job",))),))
    assert only_pair(compare(old, new)).gaps == (Gap("backup_begin", "declared", "it is not declared any more"),)
    assert not only_pair(compare(new, old)).gaps


def test_a_run_without_calls_is_no_comparison() -> None:
    comparison = compare(a_run(CELL, requirements=(PASSES,)), a_run(requirements=(PASSES,)))
    assert not comparison.is_whole
    assert "nothing is worse" not in verdict_text(comparison)
    assert "this run made no call" in verdict_text(comparison)


def test_a_design_that_was_judged_before_and_is_not_now_is_a_gap() -> None:
    both, one = a_run(CELL), a_run(CELL)
    other = replace(RECORD, target=replace(RECORD.target, design=ZERO_ID), cells=(CELL,), requirements=())
    comparison = compare(replace(both, records=(*both.records, other)), one)
    assert not comparison.is_whole
    assert "this run did not judge it" in verdict_text(comparison)


def test_records_are_paired_by_backend_and_design() -> None:
    target = RECORD.target
    embedded, daemon = RECORD, replace(RECORD, target=replace(target, backend="libvirtd"))
    virsh = replace(RECORD, target=replace(target, backend="virsh"))

    def pairs(old: tuple[RequirementRecord, ...] | tuple[object, ...], new: tuple[object, ...]) -> list[object]:
        runs = [RunRecord(records, "", 1, 1.0) for records in (old, new)]  # type: ignore[arg-type]
        told = compare(*runs).pairs
        return [(each.old and each.old.target.backend, each.new and each.new.target.backend) for each in told]

    assert pairs((embedded, daemon), (daemon, embedded)) == [("libvirt", "libvirt"), ("libvirtd", "libvirtd")]
    assert pairs((embedded,), (daemon,)) == [("libvirt", "libvirtd")]
    assert pairs((embedded, daemon), (daemon, virsh)) == [("libvirt", "virsh"), ("libvirtd", "libvirtd")]
    assert pairs((embedded,), (daemon, virsh)) == [("libvirt", None), (None, "libvirtd"), (None, "virsh")]
    assert not compare(a_run(), RunRecord((), "", 1, 1.0)).is_whole


# The reference, run twice, and mutants of it


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)


@cache
def plain(design: Design, seed: int = 1) -> RunRecord:
    return judged(design, seed=seed)


@pytest.mark.parametrize("design", [DEFAULT_JOB, ZERO_ID, QEMU_JOBS], ids=lambda each: each.name)
@pytest.mark.parametrize("seed", [2, 3])
def test_the_same_build_is_as_before(design: Design, seed: int) -> None:
    comparison = compare(plain(design), plain(design, seed))
    assert comparison.counts.keys() <= {Change.NEW, Change.GONE}
    assert only_pair(comparison).cells_same > 1_000
    assert comparison.is_whole


@pytest.mark.parametrize(
    "mutant",
    [each for each in OF_FAULTS if each.design == DEFAULT_JOB and each.calls_more <= 1_000],  # met by every tour
    ids=lambda each: each.name,
)
def test_what_breaks_a_requirement_is_a_regression(mutant: Mutant) -> None:
    flawed = judged(mutant.design, mutant.make)
    pair = only_pair(compare(plain(mutant.design), flawed))
    # What follows from the flaw may break more than the one requirement that names it in the fewest calls.
    assert mutant.requirement in {each.told.id for each in pair.requirements}
    assert {each.change for each in pair.requirements} == {Change.REGRESSED}
    if mutant.requirement != "EVENT-1":  # which events are due is seldom sure, and no cell tells then
        assert any(each.broken for each in pair.cells if each.change in (Change.REGRESSED, Change.FLAKY))
    back = only_pair(compare(flawed, plain(mutant.design)))
    assert {each.change for each in back.requirements} == {Change.FIXED}


class SaysAnotherCode(Reference):
    """Refuses a begin on a busy disk by another code of its own."""

    def backup_begin(self, guest: Guest, call: calls.BackupBegin) -> Outcome:
        outcome = super().backup_begin(guest, call)
        return replace(outcome, code="EBUSY") if isinstance(outcome, Refusal) and outcome.code == "BUSY" else outcome


class TakesItsTime(Slow):
    """Sets a speed after six seconds, well within what is allowed."""

    def block_job_set_speed(self, guest: Guest, call: calls.BlockJobSetSpeed) -> Outcome:
        outcome = super().block_job_set_speed(guest, call)
        is_alone = sum(bool(each.jobs) for each in self.guests.values()) == 1  # else it would hold up another domain
        if not isinstance(outcome, Refusal) and is_alone:
            self.take(6.0)
        return outcome


class KeepsSuccessToItself(Reference):
    """Does not say of a completed job whether it succeeded."""

    def get_job_stats(self, guest: Guest, call: calls.GetJobStats) -> Outcome:
        outcome = super().get_job_stats(guest, call)
        return replace(outcome, success=None) if isinstance(outcome, Completed) else outcome


@pytest.mark.parametrize(
    ("make", "call"),
    [
        (SaysAnotherCode, "backup_begin"),
        (TakesItsTime, "block_job_set_speed"),
        (KeepsSuccessToItself, "get_job_stats"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_change_is_seen_where_no_requirement_speaks(make: type[Reference], call: str) -> None:
    comparison = compare(plain(DEFAULT_JOB), judged(DEFAULT_JOB, make))
    pair = only_pair(comparison)
    changed = [each for each in pair.cells if each.change not in (Change.NEW, Change.GONE)]
    assert changed
    assert {each.change for each in changed} == {Change.CHANGED}
    assert all(each.cell.call.startswith(call) for each in changed)
    assert not pair.requirements
    assert not comparison.is_worse
    assert comparison.is_otherwise


def test_a_deviation_may_be_told_without_its_calls_and_symptoms() -> None:
    silent = replace(FAILS, deviations=(Deviation(("TYPE-2",), (), 3, 3),))
    assert requirement_change(FAILS, silent) is None
