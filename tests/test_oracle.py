"""The oracle raises no false alarm, forgets nothing that matters, and remembers no more than that."""

import math
import random
import threading
from collections.abc import Iterator, ValuesView
from contextlib import contextmanager
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mutants_table import TWO_AT_ONCE

from jobtck.conformance import calls
from jobtck.conformance.calls import Call, Kind, Mode, Storage
from jobtck.conformance.capabilities import Capabilities, Target
from jobtck.conformance.design import Design, Reuse, presets
from jobtck.conformance.judge import Judge, Ruling
from jobtck.conformance.outcomes import DONE, Events, Outcome, Refusal, Waited
from jobtck.conformance.ranges import Ranges
from jobtck.conformance.session import Session
from jobtck.conformance.state import GONE_MAX, OWED_MAX
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import NEVER_MS, Guest, IdSpace, JobRecord
from jobtck.hunt import Hunt, Plan
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import choose

WALK_CALLS = 400
WALKS = 20
MACHINE_CALLS = 4_000
LONG_CALLS = 200_000
DESIGNS = (*presets().values(), TWO_AT_ONCE)


def toured(target: Target, machine_calls: int) -> Hunt:
    """A hunt over all that the chart shows, and some long sessions."""
    stop = threading.Event()
    hunt = Hunt(target, Plan(math.inf, 1), stop)
    hunt.go_on_tour(lambda *_: None, math.inf)
    until = hunt.counted().calls + machine_calls

    def watch(_: int, made: int, __: int) -> None:
        if made >= until:
            stop.set()

    hunt.run_machine(watch, math.inf)
    stop.clear()
    hunt.confirm_all()
    hunt.close()
    return hunt


def named(hunt: Hunt) -> set[str]:
    """The requirements that deviations are from."""
    return {id for deviation in hunt.findings.deviations for id in deviation.requirements}


def walk(session: Session, alphabet: Alphabet, dice: random.Random, length: int) -> Iterator[Call]:
    """Calls drawn at random, as the session's belief offers them, one after the other made."""
    for _ in range(length):
        numbers = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        call = choose(alphabet, session.belief, *numbers)
        if call is not None and session.can(call):
            yield call


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(design, id=name, marks=pytest.mark.xdist_group(f"mutants-{name}"))
        for name, design in presets().items()
    ],
)
def test_the_reference_conforms_and_exercises_everything(design: Design) -> None:
    hunt = toured(ReferenceTarget(design), MACHINE_CALLS)
    counted = hunt.counted()
    assert [each.id for each in hunt.judge.requirements if not counted.exercised[each.id]] == []
    assert hunt.tour.is_through
    if design.reuse is Reuse.AFTER_END and design.name == "recycled-ids":
        assert named(hunt)
        # A stale id may also end a job of which the client never heard: that is told as an end of what is not its own.
        assert named(hunt) - {"END-5"}
        assert {id.partition("-")[0] for id in named(hunt) - {"END-5"}} == {"STALE"}
    else:
        assert named(hunt) == set()


class BurnsIds(Reference):
    """Draws an id for every begin, also for one that it refuses: a gap, and no flaw (bug B5)."""

    def check_disks_free(self, guest: Guest, disks: tuple[str, ...]) -> Refusal | None:
        guest.spaces[calls.JobType.BACKUP].issued += 1
        return super().check_disks_free(guest, disks)


class CountsAtRandom(Reference):
    """Draws ids at random, and none twice."""

    def draw_id(self, guest: Guest, space: IdSpace) -> int:
        space.issued += 1
        return space.issued * 7919 % 1_000_003 + 1


class EndsInAnyOrder(Reference):
    """Ends jobs that end at once in any order, and tells of them in that order."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.dice = random.Random(3)

    def catch_up(self, guest: Guest) -> None:
        with self.shuffled(guest):
            super().catch_up(guest)

    def stop(self, guest: Guest) -> None:
        with self.shuffled(guest):
            super().stop(guest)

    @contextmanager
    def shuffled(self, guest: Guest) -> Iterator[None]:
        begun = list(guest.jobs)
        self.dice.shuffle(guest.jobs)
        yield
        guest.jobs.sort(key=begun.index)


class WindsDown(Reference):
    """Ends a job some calls after it was told to, and finishes a push whenever it likes (bug B23)."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.dice = random.Random(5)
        self.ending: set[JobRecord] = set()

    def perform(self, call: Call) -> Outcome:
        guest = self.guests[call.domain]
        for job in list(guest.jobs):
            if job in self.ending:
                if self.dice.random() < 0.4:
                    self.end_backup(guest, job, success=self.ends_well(guest, job))
            elif job.mode is Mode.PUSH and not job.copied and self.dice.random() < 0.1:
                self.finish(guest, job)
        return super().perform(call)

    def finish(self, guest: Guest, job: JobRecord) -> None:
        job.copied, job.due_ms = True, NEVER_MS
        if not self.waits_for_end(guest, job):
            self.end_backup(guest, job, success=True)

    def abort_job(self, guest: Guest, call: calls.AbortJob) -> Outcome:
        job = self.find_legacy_target(guest)
        if isinstance(job, Refusal):
            return job
        self.ending.add(job)
        return DONE

    def settle(self, guest: Guest, call: calls.Settle) -> Outcome:
        for job in [job for job in guest.jobs if job in self.ending]:
            self.end_backup(guest, job, success=self.ends_well(guest, job))
        return super().settle(guest, call)

    def end_all_jobs(self) -> None:
        super().end_all_jobs()
        self.ending.clear()


class WindsDownTarget(ReferenceTarget):
    """Declares what WindsDown does."""

    def __init__(self, design: Design) -> None:
        super().__init__(design, WindsDown)
        told = self.capabilities
        self.capabilities = Capabilities(
            calls=told.calls,
            disks=told.disks,
            parallel_backups=told.parallel_backups,
            transient=frozenset({Kind.PUSH}),
            abort_is_asynchronous=True,
        )


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(ReferenceTarget(presets()["zero-id"], BurnsIds), id="burns-ids"),
        pytest.param(ReferenceTarget(TWO_AT_ONCE, CountsAtRandom), id="counts-at-random"),
        pytest.param(ReferenceTarget(presets()["qemu-jobs"], EndsInAnyOrder), id="names-end-in-any-order"),
        pytest.param(ReferenceTarget(presets()["parallel-ids"], EndsInAnyOrder), id="ids-end-in-any-order"),
        pytest.param(WindsDownTarget(presets()["default-job"]), id="winds-down"),
        pytest.param(WindsDownTarget(presets()["zero-id"]), id="winds-down-with-ids"),
    ],
)
def test_what_the_contract_leaves_open_is_no_deviation(target: Target) -> None:
    judge = Judge(target.design, target.capabilities)
    alphabet, dice = Alphabet(target.design, target.capabilities), random.Random(11)
    backend = target.fresh()
    for _ in range(WALKS):
        backend.end_all_jobs()
        session = Session(judge, backend)
        for call in walk(session, alphabet, dice, WALK_CALLS):
            step = session.perform(call)
            assert step.deviations == (), (step.call, step.outcome)


@pytest.mark.parametrize("end", [calls.Settle(), calls.Destroy()])
@pytest.mark.parametrize("design", ["qemu-jobs", "parallel-ids"])
def test_jobs_that_end_at_once_do_so_in_any_order(design: str, end: Call) -> None:
    """One of them well, the other not: whose end is told last, and whose statistics are kept, is open."""
    target = ReferenceTarget(presets()[design], EndsInAnyOrder)
    judge, backend = Judge(target.design, target.capabilities), target.fresh()
    broken_off = calls.BackupBegin(label=0, mode=Mode.PUSH, disks=("vda",), name="job-a", storage=Storage.FULL)
    pull = calls.BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",), name="job-b")
    push = calls.BackupBegin(label=1, mode=Mode.PUSH, disks=("vdb",), name="job-b")
    statistics = calls.GetJobStats(completed=True)
    told: set[Outcome] = set()
    for second in [pull, push] * 5:
        backend.end_all_jobs()
        session = Session(judge, backend)
        for call in (broken_off, second, end, calls.TakeEvents(due=2), statistics):
            step = session.perform(call)
            assert step.deviations == (), (step.call, step.outcome)
            told.add(step.outcome)
    if design == "qemu-jobs" and isinstance(end, calls.Settle):
        assert sum(isinstance(each, Events) and len(each.events) == 2 for each in told) > 1


@settings(max_examples=20, deadline=None)
@given(design=st.sampled_from(DESIGNS), seed=st.integers(0, 2**32))
def test_a_digest_merges_nothing_that_requirements_tell_apart(design: Design, seed: int) -> None:
    target = ReferenceTarget(design)
    judge, alphabet = Judge(design, target.capabilities), Alphabet(design, target.capabilities)
    dice = random.Random(seed)
    session, strays = Session(judge, target.fresh()), list[Outcome]()
    for call in walk(session, alphabet, dice, WALK_CALLS):
        before = session.belief.state
        step = session.perform(call)
        strays.append(step.outcome)
        for outcome in (step.outcome, dice.choice(strays)):
            waited = dice.choice(tuple(Waited))
            ruling = judge.rule(before, step.call, outcome, waited)
            afresh = judge.rule_afresh(before, step.call, outcome, waited)
            assert fields_of(ruling) == fields_of(afresh), (step.call, outcome)
        if step.belief is None:
            break  # ids are given again in one of the designs


def fields_of(ruling: Ruling) -> dict[str, object]:
    """What is ruled, field by field: a ruling equals itself only."""
    return {field.name: getattr(ruling, field.name) for field in fields(ruling)}


def test_a_long_session_is_remembered_in_little_space() -> None:
    design = presets()["parallel-ids"]
    target = ReferenceTarget(design)
    judge, alphabet = Judge(design, target.capabilities), Alphabet(design, target.capabilities)
    session, dice = Session(judge, target.fresh()), random.Random(3)
    sizes: list[tuple[int, ...]] = []
    for _ in range(2):
        for call in walk(session, alphabet, dice, LONG_CALLS // 2):
            assert session.perform(call).belief is not None
        sizes.append(remembered(session, judge))
    assert session.tally.calls > LONG_CALLS // 2
    for domain in session.belief.state.domains:
        assert len(domain.gone) <= GONE_MAX
        assert domain.owed is None or len(domain.owed) <= OWED_MAX
    half, whole = sizes
    # What does not forget would have twice as much. The judge's cache meets ever fewer cells that are new to it.
    assert all(now <= before * 1.7 + 50 for before, now in zip(half, whole, strict=True)), sizes


def remembered(session: Session, judge: Judge) -> tuple[int, ...]:
    """Numbers of things kept: by the session, its ledger, the judge, and what counts for the run."""
    ledger = deep_size(vars(session._ledger).values())
    return (len(session.history), ledger, len(judge._rulings), deep_size(session.tally.visits))


def deep_size(value: object) -> int:
    """How many values a container holds, in it and in what it holds."""
    if isinstance(value, dict):
        return deep_size(value.values())
    if isinstance(value, Ranges):
        return deep_size(value._starts)
    if isinstance(value, list | tuple | set | frozenset | ValuesView):
        return sum(deep_size(each) for each in value)
    return 1
