"""How much a run would have noticed: its record judged again with one answer changed at a time."""

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from tests.judged import prepare
from tests.mutants_told import WritesInvalidXml

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCopy,
    BlockJobAbort,
    BlockJobGetId,
    Call,
    Destroy,
    Disconnect,
    EndSession,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    Inspect,
    JobGetStatus,
    JobGetType,
    JobType,
    Kind,
    ListAllJobs,
    Mode,
    RestartServer,
    Settle,
    Start,
    Storage,
    TakeEvents,
)
from jobtck.conformance.capabilities import Backend, Feature
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.changed_answers import changes
from jobtck.conformance.changes import Change, Place
from jobtck.conformance.conversations import Conversation, Conversations, Exchange
from jobtck.conformance.design import Design, presets
from jobtck.conformance.errors import BackendFailure
from jobtck.conformance.free_changes import FREE, why_free
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Both,
    Completed,
    Description,
    Ended,
    ErrorKind,
    Events,
    Id,
    JobInfo,
    JobStatus,
    Leftovers,
    Listed,
    Outcome,
    Progress,
    Refusal,
    StatusOf,
    TypeOf,
    Unknown,
)
from jobtck.conformance.power import Chosen, Watch, beliefs, draw, measure, watched
from jobtck.conformance.session import Session
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.hunt import Hunt, Plan
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import BYTES_PER_CALL, run_program

PROGRAM_BYTES = 60 * BYTES_PER_CALL
PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
BUSY = Refusal(ErrorKind.BUSY)


@cache
def judge_of(design: str) -> Judge:
    target = ReferenceTarget(presets()[design])
    return Judge(target.design, target.capabilities)


def walked(judge: Judge, backend: Backend, sessions: int, seed: int = 1) -> Conversations:
    """Conversations of random calls on the backend."""
    kept, random = Conversations(), Random(seed)
    alphabet = Alphabet(judge.design, judge.capabilities)
    session = Session(judge, backend)
    for _ in range(sessions):
        run_program(random.randbytes(PROGRAM_BYTES), session, alphabet, lambda _: True)
        kept.keep(session)
        session.perform(EndSession())
    return kept


@cache
def conversations_of(design: str) -> tuple[Conversation, ...]:
    return walked(judge_of(design), Reference(presets()[design]), sessions=10).all()


@cache
def watches_of(design: str, changes_max: int = 600) -> Sequence[Watch]:
    judge = judge_of(design)
    return list(watched(judge, draw(judge, conversations_of(design), Random(1), changes_max)))


def said(*exchanges: tuple[Call, Outcome] | tuple[Call, Outcome, float]) -> Conversation:
    return tuple(Exchange(each[0], each[1], each[2] if len(each) > 2 else 0.0) for each in exchanges)


def places(judge: Judge, conversation: Conversation) -> Iterator[Place]:
    for at, before in enumerate(beliefs(judge, conversation)):
        yield Place(judge.design, judge.capabilities, conversation, at, conversation[at], before)


def made(design: str, *exchanges: tuple[Call, Outcome]) -> set[tuple[str, str]]:
    """The changes of the last answer of a conversation, by field and by what is wrong."""
    *_, last = places(judge_of(design), said(*exchanges))
    return {(each.field, each.how) for each in changes(last)}


def hunted(make: Callable[[Design], Backend], design: str = "default-job") -> Hunt:
    """A hunt of some dozen calls, and its power."""
    stop = threading.Event()
    hunt = Hunt(ReferenceTarget(presets()[design], make), Plan(math.inf, 1), stop)

    def watch(_: int, calls: int, __: int) -> None:
        if calls > 200:
            stop.set()

    hunt.go_on_tour(watch, math.inf)
    stop.clear()
    hunt.close()
    hunt.measure_power()
    return hunt


# What is kept


def test_a_conversation_is_kept_as_it_was_heard() -> None:
    judge, kept = judge_of("zero-id"), Conversations()
    session = Session(judge, Reference(judge.design), clock=iter(range(100)).__next__)
    session.perform(PULL)
    session.perform(BackupGetXmlDesc(job=IdOf(0)))
    kept.keep(session)
    session.perform(EndSession())
    kept.keep(session)
    ((begun, described),) = kept.all()
    assert begun == (PULL, Id(1), 1)
    assert described == (BackupGetXmlDesc(job=IdOf(0)), Description(1, Mode.PULL, ("vda",)), 1)


def test_an_answer_that_ends_a_session_is_not_kept() -> None:
    judge, kept = judge_of("zero-id"), Conversations()
    session = Session(judge, Answering(Id(1), Description(1, Mode.PUSH, ("vda",))))
    session.perform(PULL)
    assert session.perform(BackupGetXmlDesc(job=IdOf(0))).belief is None
    kept.keep(session)
    assert kept.all() == (said((PULL, Id(1), session.history[0].seconds)),)


class Answering:
    """A backend that answers with these, one after the other, whatever it is asked."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = iter(outcomes)

    def perform(self, call: Call) -> Outcome:
        return next(self._outcomes)

    def end_all_jobs(self) -> None:
        """Nothing is there to end."""

    def close(self) -> None:
        """Nothing is there to close."""


def test_what_is_kept_is_bounded_and_varied() -> None:
    judge = judge_of("default-job")
    few, many = Conversations(calls_max=200), Conversations(calls_max=100_000)
    alphabet, random = Alphabet(judge.design, judge.capabilities), Random(1)
    session = Session(judge, Reference(judge.design))
    for _ in range(60):
        run_program(random.randbytes(30 * BYTES_PER_CALL), session, alphabet, lambda _: True)
        few.keep(session)
        many.keep(session)
        assert few.calls <= 200
        session.perform(EndSession())
    assert few.calls == sum(map(len, few.all()))
    assert many.calls > 1_000
    assert cells_in(judge, few.all()) > cells_in(judge, first_calls(many.all(), few.calls))


def first_calls(conversations: Sequence[Conversation], calls: int) -> list[Conversation]:
    chosen = list[Conversation]()
    for each in conversations:
        if sum(map(len, chosen)) + len(each) <= calls:
            chosen.append(each)
    return chosen


def cells_in(judge: Judge, conversations: Sequence[Conversation]) -> int:
    found = set()
    for conversation in conversations:
        session = Session(judge, Answering(*(each.outcome for each in conversation)))
        found |= {session.perform(each.call).ruling.cell for each in conversation}
    return len(found)


def test_one_that_is_longer_than_all_may_be_is_left_out() -> None:
    judge, kept = judge_of("default-job"), Conversations(calls_max=2)
    session = Session(judge, Reference(judge.design))
    for _ in range(3):
        session.perform(GetJobInfo())
    kept.keep(session)
    assert kept.all() == ()


def test_a_session_that_forks_goes_on_twice() -> None:
    judge = judge_of("zero-id")
    session = Session(judge, Answering(Id(1), Description(1, Mode.PULL, ("vda",))))
    session.perform(PULL)
    fork = session.fork(Answering(Ended(1), Id(2)), lambda: 0.0)
    assert fork.stands_as(session)
    fork.perform(BackupEnd(job=IdOf(0)))
    assert not fork.stands_as(session)
    fork.perform(replace(PULL, label=0))
    assert session.perform(BackupGetXmlDesc(job=IdOf(0))).deviations == ()
    assert fork.length == 2


# What is changed

BEGUN = (PULL, Id(7))
STATISTICS = Completed(JobType.BACKUP, success=True)
LISTED = ("listed-ids", BEGUN, (ListAllJobs(), Listed(((7, JobType.BACKUP),))))
MADE: Sequence[tuple[str, tuple[tuple[Call, Outcome], ...], set[tuple[str, str]]]] = (
    (
        "zero-id",
        ((PULL, Id(6)), (BackupEnd(job=IdOf(0)), Ended(1)), BEGUN),
        {("id", "one too great"), ("id", "0"), ("id", "of an older answer"), ("time", "waited"), ("time", "too long")},
    ),
    (
        "zero-id",
        ((BackupGetXmlDesc(job=IdOf(0)), Refusal(ErrorKind.NO_SUCH_JOB)),),
        {("success", "succeeds"), ("kind of error", "busy"), ("kind of error", "internal")},
    ),
    (
        "zero-id",
        (BEGUN,),
        {("success", f"refused as {kind}") for kind in ("no-such-job", "busy", "internal", "timed-out", "unsupported")},
    ),
    (
        "zero-id",
        (BEGUN, (BackupGetXmlDesc(job=IdOf(0)), Description(7, Mode.PULL, ("vda", "vdb")))),
        {
            ("id", "left out"),
            ("mode", "of another job"),
            ("mode", "left out"),
            ("disks", "of another job"),
            ("disks", "one left out"),
            ("disks", "left out"),
            ("schema", "broken"),
        },
    ),
    (
        "listed-ids",
        (BEGUN, (ListAllJobs(), Listed(())), (ListAllJobs(), Listed(((7, JobType.BACKUP),)))),
        {
            ("jobs", "one left out"),
            ("jobs", "one twice"),
            ("jobs", "one of another type"),
            ("jobs", "one added"),
            ("id", "one too great"),
            ("whole answer", "an older answer to the same call"),
        },
    ),
    (
        "default-job",
        (
            (PULL, DONE),
            (GetJobInfo(), JobInfo(JobType.BACKUP, Progress(5, 10, 100))),
            (GetJobInfo(), JobInfo(JobType.BACKUP, Progress(6, 10, 110))),
        ),
        {
            ("type", "no job"),
            ("type", "another type"),
            ("done", "less than before"),
            ("done", "more than the total"),
            ("done", "left out"),
            ("total", "doubled"),
            ("total", "left out"),
            ("elapsed time", "less than before"),
            ("elapsed time", "left out"),
        },
    ),
    (
        "default-job",
        ((PULL, DONE), (GetJobStats(), JobInfo(JobType.BACKUP, Progress(5, 10, 100)))),
        {("done", "less, and nobody asked before"), ("elapsed time", "less, and nobody asked before")},
    ),
    ("default-job", ((GetJobInfo(), JobInfo(None)),), {("type", "a job where there is none")}),
    (
        "default-job",
        ((GetBlockJobInfo(disk="vda"), BlockInfo(Kind.BLOCK_COPY, Progress(1, 2, 3))),),
        {("type", "no job"), ("type", "another type"), ("total", "doubled")},
    ),
    (
        "default-job",
        ((PULL, DONE), (AbortJob(), DONE), (GetJobStats(completed=True), STATISTICS)),
        {("result", "the other"), ("result", "left out"), ("error", "the other"), ("type", "no job")},
    ),
    (
        "default-job",
        ((TakeEvents(), Events(((JobType.BACKUP, True), (JobType.BACKUP, False)))), (TakeEvents(), Events(()))),
        {("events", "one added"), ("success", "refused as other")},
    ),
    ("zero-id", (BEGUN, (BackupEnd(job=IdOf(0), abort=True), Ended(0))), {("result", "completed for aborted")}),
    ("opaque-handles", ((JobGetType(job=IdOf(0)), TypeOf(JobType.BACKUP)),), {("type", "another type")}),
    (
        "qemu-jobs",
        ((JobGetStatus(job=IdOf(0)), StatusOf(JobStatus.RUNNING)),),
        {("status", "none"), ("error", "the other")},
    ),
    ("parallel-ids", ((BlockJobGetId(disk="vda"), Id(3)),), {("id", "one too great")}),
    ("default-job", ((Inspect(), Leftovers(("socket",))),), {("left", "scratch added"), ("left", "one left out")}),
    ("default-job", ((Start(), BUSY),), {("success", "succeeds"), ("kind of error", "internal")}),
)


@pytest.mark.parametrize(("design", "exchanges", "wanted"), MADE)
def test_each_class_of_changes_is_made(
    design: str, exchanges: tuple[tuple[Call, Outcome], ...], wanted: set[tuple[str, str]]
) -> None:
    assert wanted <= made(design, *exchanges)


def test_events_are_dropped_doubled_turned_and_moved() -> None:
    first = said(
        (TakeEvents(), Events(((JobType.BACKUP, True), (JobType.BACKUP, False)))),
        (TakeEvents(), Events(((JobType.BACKUP, True),))),
    )
    place = next(places(judge_of("default-job"), first))
    found: dict[str, list[Change]] = {}
    for change in changes(place):
        found.setdefault(change.how, []).append(change)
    assert [each.outcome for each in found["one dropped"]] == [
        Events(((JobType.BACKUP, False),)),
        Events(((JobType.BACKUP, True),)),
    ]
    assert found["in another order"][0].outcome == Events(((JobType.BACKUP, False), (JobType.BACKUP, True)))
    assert {"one twice", "one with the other result", "one of another type"} <= found.keys()
    (later,) = found["one moved to a later answer"]
    assert later.outcome == Events(((JobType.BACKUP, True),))
    assert later.also == (1, Events(((JobType.BACKUP, False), (JobType.BACKUP, True))))
    (earlier,) = found["one moved to an earlier answer"]
    assert earlier.also == (1, Events(()))


def test_one_of_two_clients_is_answered_otherwise() -> None:
    both = AbortJob(flaw=Flaw.AT_ONCE)
    found = next(places(judge_of("default-job"), said((both, Both((DONE, BUSY))))))
    outcomes = {each.outcome for each in changes(found)}
    assert Both((BUSY, BUSY)) not in outcomes
    assert Both((DONE, DONE)) in outcomes
    assert Both((DONE, Refusal(ErrorKind.OTHER))) in outcomes


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (Settle(), DONE),
        (Disconnect(), DONE),
        (RestartServer(), DONE),
        (Start(), DONE),
        (PULL, Unknown()),
    ],
)
def test_what_the_kit_does_itself_and_what_nobody_heard_is_not_changed(call: Call, outcome: Outcome) -> None:
    (place,) = places(judge_of("default-job"), said((call, outcome)))
    assert [each for each in changes(place) if each.field != "time"] == []
    assert call is PULL or list(changes(place)) == []


def test_a_refusal_turns_into_what_the_call_promises() -> None:
    for call, wanted in (
        (PULL, Id(1)),
        (BackupGetXmlDesc(job=IdOf(0)), Description(1, Mode.PULL, ("vda",))),
        (ListAllJobs(), Listed(())),
        (GetJobStats(completed=True), Completed(None)),
        (GetJobStats(), JobInfo(None)),
        (AbortJob(), DONE),
    ):
        (place,) = places(judge_of("listed-ids"), said((call, BUSY)))
        assert wanted in {each.outcome for each in changes(place) if each.how == "succeeds"}


@pytest.mark.parametrize("design", ["default-job", "opaque-handles", "qemu-jobs"])
def test_every_change_changes_something_and_each_field_gets_its_share(design: str) -> None:
    judge = judge_of(design)
    chosen = draw(judge, conversations_of(design), Random(1), 600)
    for place, change in chosen:
        assert (change.outcome, change.seconds) != (place.outcome, place.seconds)
    all_of_them = draw(judge, conversations_of(design), Random(1), 1_000_000)
    shares = Counter(each.sort[:2] for each in chosen)
    assert shares.keys() == {each.sort[:2] for each in all_of_them}
    assert max(shares.values()) <= 600 / len(shares) * 3


# What is noticed


def test_the_record_itself_deviates_nowhere() -> None:
    for design in ("default-job", "opaque-handles"):
        judge = judge_of(design)
        for conversation in conversations_of(design):
            session = Session(judge, Answering(*(each.outcome for each in conversation)))
            assert [step for each in conversation if (step := session.perform(each.call)).deviations] == []


def noticed(
    judge: Judge, conversation: Conversation, at: int, outcome: Outcome, seconds: float = 0.0
) -> tuple[str, ...]:
    """Which requirements notice that the answer there is another one."""
    place = list(places(judge, conversation))[at]
    (watch,) = watched(judge, [Chosen(place, Change(at, "", "", outcome, seconds))])
    return watch.noticed_by


def test_a_change_is_noticed_at_once_or_later_or_not_at_all() -> None:
    judge = judge_of("listed-ids")
    conversation = said(
        BEGUN,
        (BackupGetXmlDesc(job=IdOf(0)), Description(7, Mode.PULL, ("vda",))),
        (BackupEnd(job=IdOf(0)), Ended(1)),
        (ListAllJobs(), Listed(())),
    )
    assert noticed(judge, conversation, 1, Description(7, Mode.PUSH, ("vda",))) == ("ID-8",)
    assert noticed(judge, conversation, 2, Refusal(ErrorKind.OTHER)) != ()
    assert noticed(judge, conversation[:2], 0, Id(8)) != ()
    assert noticed(judge, conversation[:1], 0, Id(8)) == ()
    assert noticed(judge, conversation, 3, Listed(()), seconds=6.0) == ("TIME-2",)


def test_a_job_that_was_never_begun_is_not_asked_for_by_its_id() -> None:
    judge = judge_of("listed-ids")
    begun = (replace(PULL, storage=Storage.FULL), Id(7))  # may be refused
    ended = (BackupEnd(job=IdOf(0)), Ended(1))
    listed = (ListAllJobs(), Listed(((7, JobType.BACKUP),)))
    assert noticed(judge, said(begun, ended), 0, BUSY) == ()
    assert noticed(judge, said(begun, listed, ended), 0, BUSY) == ("LIST-1",)


def test_known_deviations_in_the_record_are_not_noticed_again() -> None:
    judge = judge_of("default-job")
    design = replace(judge.design)
    kept = walked(judge, WritesInvalidXml(design), sessions=6)
    flawed = [
        (conversation, at)
        for conversation in kept.all()
        for at, each in enumerate(conversation)
        if isinstance(each.outcome, Description) and each.outcome.flaw
    ]
    assert flawed
    conversation, at = flawed[-1]
    described = conversation[at].outcome
    assert isinstance(described, Description)
    assert noticed(judge, conversation, at, replace(described, disks=("vdz",))) != ()
    unheard_of = said(*conversation[: at + 1], (GetBlockJobInfo(disk="vdc"), BlockInfo(None)))
    assert noticed(judge, unheard_of, 0, conversation[0].outcome) == ()
    clean = measure(judge, kept.all(), 1, changes_max=300)
    assert clean is not None
    assert 0 < clean.noticed < clean.total


@pytest.mark.parametrize("blind_for", ["FAULT-4", "QUERY-2", "TIME-1", "TIME-2"])
def test_without_a_requirement_exactly_what_it_alone_noticed_goes_unnoticed(blind_for: str) -> None:
    design = "zero-id"
    judge = judge_of(design)
    chosen = draw(judge, conversations_of(design), Random(1), 600)
    blind = Judge(judge.design, judge.capabilities, [each for each in CATALOGUE if each.id != blind_for])
    watches = list(watched(judge, chosen))
    alone = {each.chosen.change for each in watches if each.noticed_by == (blind_for,)}
    before = {each.chosen.change for each in watches if not each.noticed_by}
    blindly = list(watched(blind, chosen))
    assert alone
    assert {each.chosen.change for each in blindly if not each.noticed_by} == before | alone
    assert blind_for not in {id for each in blindly for id in each.noticed_by}


CUT_OFF = (replace(PULL, flaw=Flaw.CUT_OFF), Unknown())
HALF_DONE = (GetJobStats(), JobInfo(JobType.BACKUP, Progress(5, 10, 100)))
NO_JOB = Refusal(ErrorKind.NO_SUCH_JOB)
SECOND = (replace(PULL, label=1), Refusal(ErrorKind.TIMED_OUT))
COPY = BlockCopy(label=0, disk="vda")
COPIED = BlockInfo(Kind.BLOCK_COPY, Progress(5, 10, 100))
SHOWN = (GetBlockJobInfo(disk="vda"), BlockInfo(JobType.BACKUP))
DIED = (
    (PULL, DONE),
    (Destroy(), DONE),
    (GetJobStats(completed=True, keep=True), Completed(JobType.BACKUP, success=False, error=True)),
)
FREE_CHANGES: Sequence[tuple[str, str, str, tuple[tuple[Call, Outcome], ...]]] = (
    *(
        ("kind of error", kind, "default-job", ((PULL, DONE), SECOND))
        for kind in ("ambiguous", "busy", "invalid-argument", "invalid-state", "unsupported")
    ),
    ("kind of error", "timed-out", "default-job", ((PULL, DONE), (replace(PULL, label=1), BUSY))),
    ("kind of error", "no-such-job", "default-job", ((AbortJob(), Refusal(ErrorKind.INVALID_STATE)),)),
    (
        "kind of error",
        "not-running",
        "default-job",
        ((Destroy(), DONE), (GetJobInfo(), Refusal(ErrorKind.INVALID_STATE))),
    ),
    (
        "kind of error",
        "wrong-type",
        "default-job",
        ((BlockCopy(label=0, disk="vda"), DONE), (BlockJobAbort(disk="vda", pivot=True), BUSY)),
    ),
    ("time", "waited", "default-job", ((PULL, DONE),)),
    ("time", "waited", "default-job", ((PULL, DONE), (replace(PULL, label=1), BUSY))),
    ("done", "less, and nobody asked before", "default-job", ((PULL, DONE), HALF_DONE)),
    ("elapsed time", "less, and nobody asked before", "default-job", ((PULL, DONE), HALF_DONE)),
    *((number, "left out", "default-job", ((PULL, DONE), HALF_DONE)) for number in ("done", "total", "elapsed time")),
    (
        "events",
        "in another order",
        "listed-ids",
        (
            BEGUN,
            (BackupEnd(job=IdOf(0)), Ended(1)),
            (replace(PULL, label=1, mode=Mode.PUSH), Id(2)),
            (BackupEnd(job=IdOf(1), abort=True), Ended(0)),
            (TakeEvents(), Events(((JobType.BACKUP, True), (JobType.BACKUP, False)))),
        ),
    ),
    ("id", "one too great", "zero-id", (BEGUN,)),
    (
        "events",
        "one dropped",
        "default-job",
        ((PULL, DONE), (AbortJob(), DONE), (RestartServer(), DONE), (TakeEvents(), Events(((JobType.BACKUP, True),)))),
    ),
    ("success", "succeeds", "default-job", (CUT_OFF, (BackupGetXmlDesc(), NO_JOB))),
    (
        "success",
        "succeeds, with an older answer",
        "default-job",
        ((PULL, DONE), (AbortJob(), DONE), CUT_OFF, (AbortJob(), NO_JOB)),
    ),
    (
        "success",
        "refused as no-such-job",
        "default-job",
        (CUT_OFF, (BackupGetXmlDesc(), Description(None, Mode.PULL, ("vda",)))),
    ),
    ("success", "succeeds", "default-job", (CUT_OFF, (BlockCopy(label=1, disk="vda"), BUSY))),
    (
        "success",
        "succeeds, with an older answer",
        "default-job",
        (
            (BlockCopy(label=0, disk="vda"), DONE),
            (BlockJobAbort(disk="vda"), DONE),
            CUT_OFF,
            (BlockCopy(label=1, disk="vda"), BUSY),
        ),
    ),
    ("type", "a job where there is none", "default-job", (CUT_OFF, (GetJobInfo(), JobInfo(None)))),
    ("type", "no job", "default-job", (CUT_OFF, (GetJobInfo(), JobInfo(JobType.BACKUP)))),
    ("type", "no job", "default-job", ((PULL, DONE), SHOWN)),
    ("type", "no job", "default-job", DIED),
    (
        "whole answer",
        "an older answer to the same call",
        "default-job",
        ((SHOWN[0], BlockInfo(None)), (PULL, DONE), SHOWN),
    ),
    ("whole answer", "an older answer to the same call", "default-job", ((DIED[-1][0], Completed(None)), *DIED)),
    ("total", "doubled", "default-job", ((COPY, DONE), (GetBlockJobInfo(disk="vda"), COPIED))),
    ("error", "the other", "default-job", DIED),
    ("result", "left out", "default-job", DIED),
    *(
        ("success", f"refused as {kind}", "default-job", DIED)
        for kind in ("no-such-job", "invalid-argument", "not-running", "unsupported")
    ),
    (
        "result",
        "the other",
        "default-job",
        (
            (PULL, DONE),
            (AbortJob(), DONE),
            (RestartServer(), DONE),
            (GetJobStats(completed=True, keep=True), Completed(JobType.BACKUP, success=True)),
        ),
    ),
    ("result", "aborted for completed", "zero-id", (BEGUN, (BackupEnd(job=IdOf(0), abort=True), Ended(1)))),
    (
        "whole answer",
        "an older answer to the same call",
        "zero-id",
        (
            (replace(PULL, mode=Mode.PUSH), Id(7)),
            (BackupEnd(job=IdOf(0), abort=True), Ended(0)),
            (replace(PULL, label=1), Id(8)),
            (BackupEnd(job=IdOf(1), abort=True), Ended(1)),
        ),
    ),
)
WITHOUT_SCHEMA = [(each, "left out") for each in ("mode", "disks", "id")]


DESCRIBED = (BEGUN, (BackupGetXmlDesc(job=IdOf(0)), Description(7, Mode.PULL, ("vda",))))


def without_schema() -> Judge:
    judge = judge_of("zero-id")
    able = judge.capabilities
    return Judge(judge.design, replace(able, features=able.features - {Feature.SCHEMA}))


def without_block_info() -> Judge:
    judge = judge_of("default-job")
    able = judge.capabilities
    return Judge(judge.design, replace(able, calls=able.calls - {"get_block_job_info"}))


@pytest.mark.parametrize(("field", "how"), WITHOUT_SCHEMA)
def test_a_description_may_leave_out_what_no_schema_demands(field: str, how: str) -> None:
    for judge, free in ((judge_of("zero-id"), False), (without_schema(), True)):
        *_, place = places(judge, said(*DESCRIBED))
        chosen = [Chosen(place, change) for change in changes(place) if (change.field, change.how) == (field, how)]
        (watch,) = watched(judge, chosen)
        assert (bool(watch.noticed_by), bool(watch.free)) == (not free, free)


def test_a_total_that_nothing_is_held_against_is_free() -> None:
    *_, place = places(without_block_info(), said((PULL, DONE), HALF_DONE))
    reasons = [why_free(place, each) for each in changes(place) if each.how == "doubled"]
    assert reasons
    assert all(reasons)


def test_a_total_that_its_disks_speak_against_is_not_free() -> None:
    judge = judge_of("default-job")
    of_disk = BlockInfo(JobType.BACKUP, HALF_DONE[1].progress)
    *_, place = places(judge, said((PULL, DONE), HALF_DONE, (SHOWN[0], of_disk)))
    doubled = [Chosen(place, each) for each in changes(place) if each.how == "doubled"]
    assert [watch.noticed_by for watch in watched(judge, doubled)] == [("ANS-5",)]


def test_everything_that_is_called_free_is_tried() -> None:
    tried = {
        (field, how, why_free(place, change))
        for field, how, judge, exchanges in (
            *((field, how, judge_of(design), exchanges) for field, how, design, exchanges in FREE_CHANGES),
            *((field, how, without_schema(), DESCRIBED) for field, how in WITHOUT_SCHEMA),
            ("total", "doubled", without_block_info(), ((PULL, DONE), HALF_DONE)),
        )
        for place in list(places(judge, said(*exchanges)))[-1:]
        for change in changes(place)
        if (change.field, change.how) == (field, how)
    }
    assert tried == {(each.field, how, each.reason) for each in FREE for how in each.hows}


@pytest.mark.parametrize(("field", "how", "design", "exchanges"), FREE_CHANGES)
def test_what_is_called_free_goes_unnoticed(
    field: str, how: str, design: str, exchanges: tuple[tuple[Call, Outcome], ...]
) -> None:
    judge = judge_of(design)
    *_, place = places(judge, said(*exchanges))
    chosen = [Chosen(place, each) for each in changes(place) if (each.field, each.how) == (field, how)]
    assert chosen
    reasons = {each.reason for each in FREE if each.field == field and how in each.hows}
    ((noticed_by, free),) = {(watch.noticed_by, watch.free) for watch in watched(judge, chosen)}
    assert noticed_by == ()
    assert free in reasons


def test_what_another_call_is_about_is_not_free() -> None:
    judge = judge_of("default-job")
    for call, outcome in ((TakeEvents(), Events(())), (BlockJobAbort(disk="vdb"), NO_JOB)):
        *_, place = places(judge, said(CUT_OFF, (call, outcome)))
        assert {why_free(place, each) for each in changes(place) if each.field == "success"} == {""}


def test_what_is_free_elsewhere_is_noticed_where_something_speaks_against_it() -> None:
    judge = judge_of("zero-id")
    told_again = said(BEGUN, (BackupGetXmlDesc(job=IdOf(0)), Description(7, Mode.PULL, ("vda",))))
    place = next(places(judge, told_again))
    (change,) = (each for each in changes(place) if each.how == "one too great")
    (watch,) = watched(judge, [Chosen(place, change)])
    assert watch.noticed_by
    assert watch.free == ""


# The figure


@pytest.mark.parametrize("design", ["default-job", "qemu-jobs"])
def test_the_same_seed_gives_the_same_figure(design: str) -> None:
    judge, conversations = judge_of(design), conversations_of(design)
    first = measure(judge, conversations, 1, changes_max=300)
    assert first == measure(Judge(judge.design, judge.capabilities), conversations, 1, changes_max=300)
    assert first != measure(judge, conversations, 2, changes_max=300)


def test_the_figure_is_the_sum_of_what_it_is_told_by() -> None:
    design = "listed-ids"
    power = measure(judge_of(design), conversations_of(design), 1, changes_max=600)
    assert power is not None
    watches = watches_of(design)
    free = [each for each in watches if each.free]
    assert power.total == len(watches) - len(free)
    assert power.noticed == sum(bool(each.noticed_by) for each in watches)
    assert sum(each.total for each in power.free) == len(free)
    assert sum(count for _, count in power.requirements) == sum(len(each.noticed_by) for each in watches)
    seen = {each.chosen.sort for each in watches if each.noticed_by}
    for each in power.unwatched:
        assert (each.call, each.field, each.how) not in seen
        assert each.reason == ""
    assert all(each.reason for each in power.free)


def test_an_empty_run_has_no_figure() -> None:
    assert measure(judge_of("zero-id"), (), 1) is None
    assert measure(judge_of("zero-id"), (said((Settle(), DONE)),), 1) is None


def test_whoever_stops_it_gets_no_figure() -> None:
    judge, stopped = judge_of("default-job"), iter([False, False, True])
    assert measure(judge, conversations_of("default-job"), 1, lambda: next(stopped)) is None


@pytest.fixture
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)


@pytest.mark.usefixtures("_prepared")
def test_a_hunt_measures_what_it_kept_and_calls_nobody_for_it() -> None:
    calls = list[Call]()

    class Counting(Reference):
        def perform(self, call: Call) -> Outcome:
            calls.append(call)
            return super().perform(call)

    hunt = hunted(Counting)
    assert hunt.power is not None
    assert hunt.power.total > 1_000
    assert hunt.conversations.calls == len(calls) == hunt.cost().calls


@pytest.mark.usefixtures("_prepared")
def test_a_hunt_that_failed_measures_nothing() -> None:
    hunt = Hunt(ReferenceTarget(presets()["default-job"]), Plan(math.inf, 1), threading.Event())
    hunt.failure = BackendFailure("it went away")
    hunt.measure_power()
    assert hunt.power is None


@pytest.mark.usefixtures("_prepared")
def test_a_backend_that_supports_nothing_has_a_figure_all_the_same() -> None:
    class Nothing(Reference):
        def perform(self, call: Call) -> Outcome:
            return Refusal(ErrorKind.UNSUPPORTED)

    power = hunted(Nothing).power
    assert power is not None
    assert power.total > 0
