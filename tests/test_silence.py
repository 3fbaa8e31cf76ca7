"""An answer that never came neither keeps nor breaks a requirement, and both is believed of its call."""

import math
import random
import threading
from dataclasses import replace

import pytest
from tests.test_oracle import DESIGNS, WindsDownTarget, walk

from jobtck.claims import never_answered, never_succeeded
from jobtck.conformance import calls
from jobtck.conformance.calls import BackupBegin, Call, GetJobInfo, GetJobStats, JobType, Mode
from jobtck.conformance.capabilities import Target
from jobtck.conformance.design import Design, presets
from jobtck.conformance.judge import BELIEF_MAX, SILENT_MAX, Belief, Judge
from jobtck.conformance.order import Fared
from jobtck.conformance.outcomes import Completed, JobInfo, Outcome, Refusal, Unknown, Waited
from jobtck.conformance.record import RunVerdict
from jobtck.conformance.session import Session
from jobtck.conformance.state import Kept
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import Guest
from jobtck.fixtures.reference_refusals import JOBS_RUNNING
from jobtck.hunt import Hunt, Plan
from jobtck.strategies.alphabet import Alphabet
from jobtck.verdicts import record_of

ZERO_ID = presets()["zero-id"]
BEGIN = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
SILENCE = 0.1  # of the answers get lost
WALKS, WALK_CALLS = 12, 300


class Mute(Reference):
    """Does what it is asked, and answers nothing."""

    def perform(self, call: Call) -> Outcome:
        super().perform(call)
        return Unknown("nobody answers")


class LosesAnswers(Reference):
    """Loses an answer now and then, of calls that were done and of calls that were not."""

    dice = random.Random(7)

    def perform(self, call: Call) -> Outcome:
        if self.dice.random() >= SILENCE:
            return super().perform(call)
        if self.dice.random() < 0.5 and not isinstance(call, calls.ENVIRONMENT):
            return Unknown()
        super().perform(call)
        return Unknown()


def judged(make: type[Reference], design: Design) -> Hunt:
    hunt = Hunt(ReferenceTarget(design, make), Plan(math.inf, 1), threading.Event())
    hunt.go_on_tour(lambda *_: None, math.inf)
    hunt.confirm_all()
    hunt.close()
    return hunt


def test_who_answers_nothing_has_kept_nothing_and_broken_nothing() -> None:
    hunt = judged(Mute, ZERO_ID)
    record = record_of(hunt, (), "jobtck run", strict=False)
    assert hunt.findings.deviations == []
    assert {each.id for each in record.requirements if each.exercised} == {
        "END-9",
        "SANE-2",
    }  # the kit ends sessions itself
    assert record.verdict is RunVerdict.INCOMPLETE
    silent = never_answered(hunt.counted())
    assert {"backup_begin", "get_job_info", "settle"} <= set(silent)
    assert all(any(note.startswith(f"{call} was never answered") for note in record.notes) for call in silent)


@pytest.mark.parametrize(
    "target",
    [
        *(pytest.param(ReferenceTarget(design, LosesAnswers), id=design.name) for design in DESIGNS),
        pytest.param(WindsDownTarget(presets()["zero-id"]), id="winds-down"),
    ],
)
def test_lost_answers_are_no_false_alarm(target: Target) -> None:
    if target.design.name == "recycled-ids":
        pytest.skip("its stale ids end other jobs by design")
    judge, dice = Judge(target.design, target.capabilities), random.Random(5)
    alphabet, backend = Alphabet(target.design, target.capabilities), target.fresh()
    unsure = 0
    for _ in range(WALKS):
        backend.end_all_jobs()
        session = Session(judge, backend)
        for call in walk(session, alphabet, dice, WALK_CALLS):
            step = session.perform(call)
            assert step.deviations == (), (step.call, step.outcome)
            unsure += not session.belief.is_sure
            assert len(session.belief.states) <= BELIEF_MAX
            if step.belief is None:
                break
    assert unsure


def test_a_begin_that_nobody_answers_may_have_been_done() -> None:
    judge = Judge(ZERO_ID, ReferenceTarget(ZERO_ID).capabilities)
    step = judge.step(judge.start(), BEGIN, Unknown())
    assert step.belief is not None
    assert {len(state.domains[0].jobs) for state in step.belief.states} == {0, 1}
    assert step.ruling.exercised == ()
    for shown in (JobInfo(JobType.BACKUP), JobInfo(None)):
        assert judge.step(step.belief, GetJobInfo(), shown).deviations == ()


def test_a_wait_is_a_wait_whether_or_not_an_answer_came() -> None:
    judge = Judge(ZERO_ID, ReferenceTarget(ZERO_ID).capabilities)
    assert judge.step(judge.start(), GetJobInfo(), Unknown(), Waited.AT_ONCE).ruling.exercised == ()
    assert judge.step(judge.start(), GetJobInfo(), Unknown(), Waited.WAITED).deviations == ("TIME-2",)
    assert "TIME-1" in judge.step(judge.start(), BEGIN, Unknown(), Waited.TOO_LONG).deviations


def test_statistics_that_are_to_be_kept_are_there_still() -> None:
    judge = Judge(ZERO_ID, ReferenceTarget(ZERO_ID).capabilities)
    start = judge.start().state
    state = start.with_domain(0, start.domains[0]._replace(kept=Kept.NORMAL))
    kept = judge.step(Belief.sure(state), GetJobStats(completed=True, keep=True), Unknown()).belief
    assert kept is not None
    assert kept.states == {state}
    told = judge.step(kept, GetJobStats(completed=True), Completed(JobType.BACKUP, success=True))
    assert told.deviations == ()


def test_after_much_silence_nothing_is_known() -> None:
    target = ReferenceTarget(presets()["parallel-ids"])
    judge = Judge(target.design, target.capabilities)
    belief, made = judge.start(), 0
    for label in range(5):
        for call in (
            BackupBegin(label=label, mode=Mode.PULL, disks=("vda",)),
            BackupBegin(label=label, mode=Mode.PULL, disks=("vda",), domain=1),
        ):
            step = judge.step(belief, call, Unknown())
            made += 1
            if step.belief is None:
                assert step.deviations == ()
                return
            assert len(step.belief.states) <= SILENT_MAX
            belief = step.belief
    raise AssertionError(made)


class NeverEnds(Reference):
    """Refuses every end by id, and calls it busy."""

    def backup_end(self, guest: Guest, call: calls.BackupEnd) -> Outcome:
        return super().backup_end(guest, replace(call, job=-1)) if call.job != 0 else JOBS_RUNNING


class SavesNothing(Reference):
    """Refuses to save a domain, whether or not a job runs."""

    def save(self, guest: Guest, call: calls.Save) -> Outcome:
        return JOBS_RUNNING


@pytest.mark.parametrize(("make", "names"), [(NeverEnds, ("backup_end",)), (SavesNothing, ("save",))])
def test_a_call_that_never_succeeds_is_named_and_fails_the_run(make: type[Reference], names: tuple[str, ...]) -> None:
    hunt = judged(make, ZERO_ID)
    assert never_succeeded(hunt.counted()) == names
    assert record_of(hunt, (), "jobtck run", strict=False).verdict is RunVerdict.NONCONFORMING


@pytest.mark.parametrize(
    "design",
    [pytest.param(each, marks=pytest.mark.xdist_group(f"mutants-{each.name}"), id=each.name) for each in DESIGNS],
)
def test_what_is_in_order_is_never_refused_by_the_reference(design: Design) -> None:
    target = ReferenceTarget(design)
    judge, dice = Judge(design, target.capabilities), random.Random(17)
    alphabet, backend = Alphabet(design, target.capabilities), target.fresh()
    for _ in range(WALKS):
        backend.end_all_jobs()
        session = Session(judge, backend)
        for call in walk(session, alphabet, dice, WALK_CALLS):
            before = session.belief
            step = session.perform(call)
            refused = step.ruling.fared is Fared.REFUSED
            assert not (before.is_sure and refused and isinstance(step.outcome, Refusal)), (step.call, step.outcome)
            if step.belief is None:
                break
