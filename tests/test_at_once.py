"""Two clients that end a job at once: how that is judged, written down and told, and what a libvirtd makes of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.conftest import missing_for_libvirtd

from jobtck.conformance.calls import (
    ARRANGED,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCopy,
    BlockJobAbort,
    Call,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    IdOf,
    Inspect,
    Kind,
    Mode,
    Odd,
    Settle,
    TakeEvents,
    is_at_once,
)
from jobtck.conformance.capabilities import SECOND_CLIENT, Backend, Capabilities, Feature, Options, OwnHost
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.design import Design, presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import DONE, Both, Ended, ErrorKind, Id, Outcome, Refusal, Seen, Unknown, Waited
from jobtck.conformance.session import Session
from jobtck.conformance.state import Phase
from jobtck.conformance.traces import call_in, call_json
from jobtck.conformance.wording import answer_text, call_text
from jobtck.fixtures.adapter_outcomes import Nonsense, outcome_json, read_outcome
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.shorten import undisturbed

DEFAULT_JOB, ZERO_ID, LISTED_IDS = (presets()[name] for name in ("default-job", "zero-id", "listed-ids"))
PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
PUSH = replace(PULL, mode=Mode.PUSH)
ABORTS = AbortJob(flaw=Flaw.AT_ONCE)
ENDS = BackupEnd(job=IdOf(0), abort=True, flaw=Flaw.AT_ONCE)
NO_JOB, GONE, BUSY, LATE, INTERNAL, READ_ONLY = (
    Refusal(kind)
    for kind in (
        ErrorKind.INVALID_STATE,
        ErrorKind.NO_SUCH_JOB,
        ErrorKind.BUSY,
        ErrorKind.TIMED_OUT,
        ErrorKind.INTERNAL,
        ErrorKind.READ_ONLY,
    )
)
ABLE = Capabilities(flaws=frozenset(Flaw))
LIKE_LIBVIRT = replace(ABLE, transient=frozenset({Kind.PUSH}), abort_is_asynchronous=True)


def judged(design: Design, capabilities: Capabilities, *told: tuple[Call, Outcome]) -> Step:
    """The last step; those before it do not deviate."""
    judge = Judge(design, capabilities)
    belief = judge.start()
    for call, outcome in told[:-1]:
        step = judge.step(belief, call, outcome)
        assert step.deviations == ()
        assert step.belief is not None
        belief = step.belief
    return judge.step(belief, *told[-1])


def begun(call: BackupBegin, design: Design) -> tuple[Call, Outcome]:
    return call, Id(Seen.FRESH) if design.has_ids else DONE


@pytest.mark.parametrize(
    ("design", "capabilities", "begin", "answers", "broken"),
    [
        (DEFAULT_JOB, ABLE, PULL, (DONE, NO_JOB), ()),
        (DEFAULT_JOB, ABLE, PULL, (DONE, LATE), ()),
        (DEFAULT_JOB, ABLE, PULL, (DONE, DONE), ("END-7",)),
        (DEFAULT_JOB, ABLE, PULL, (NO_JOB, NO_JOB), ("END-7",)),
        (DEFAULT_JOB, ABLE, PULL, (LATE, LATE), ("END-7",)),  # either would be refused though nothing is before it
        (DEFAULT_JOB, ABLE, None, (NO_JOB, NO_JOB), ()),
        (DEFAULT_JOB, ABLE, None, (DONE, NO_JOB), ("END-7",)),
        (DEFAULT_JOB, ABLE, None, (NO_JOB, READ_ONLY), ("ANS-2",)),  # a kind that fits in no order
        (DEFAULT_JOB, ABLE, PULL, (DONE, READ_ONLY), ("ANS-2",)),
        (DEFAULT_JOB, LIKE_LIBVIRT, PULL, (DONE, NO_JOB), ()),
        (DEFAULT_JOB, LIKE_LIBVIRT, PULL, (DONE, DONE), ()),  # the second while the job is still ending
        (DEFAULT_JOB, LIKE_LIBVIRT, PULL, (DONE, LATE), ()),
        (DEFAULT_JOB, LIKE_LIBVIRT, PULL, (NO_JOB, NO_JOB), ("END-7",)),
        (DEFAULT_JOB, LIKE_LIBVIRT, PUSH, (NO_JOB, NO_JOB), ()),  # it had finished by itself
        (DEFAULT_JOB, LIKE_LIBVIRT, PUSH, (DONE, DONE), ()),
        (DEFAULT_JOB, LIKE_LIBVIRT, None, (DONE, NO_JOB), ("END-7",)),
        (DEFAULT_JOB, ABLE, PULL, (DONE, INTERNAL), ("SANE-1",)),
        (ZERO_ID, ABLE, PULL, (Ended(1), GONE), ()),
        (ZERO_ID, ABLE, PULL, (Ended(1), BUSY), ("END-7",)),  # STALE-2 asks for no-such-job
        (ZERO_ID, ABLE, PULL, (Ended(1), Ended(1)), ("END-7",)),
        (ZERO_ID, ABLE, PULL, (GONE, GONE), ("END-7",)),
        (ZERO_ID, ABLE, PUSH, (Ended(0), GONE), ()),
        (ZERO_ID, ABLE, PUSH, (Ended(1), GONE), ("END-7",)),
        (ZERO_ID, replace(ABLE, transient=frozenset({Kind.PUSH})), PUSH, (Ended(1), GONE), ()),
    ],
)
def test_two_answers_are_ruled_as_one_after_the_other(
    design: Design,
    capabilities: Capabilities,
    begin: BackupBegin | None,
    answers: tuple[Ended | Refusal, ...],
    broken: tuple[str, ...],
) -> None:
    before = () if begin is None else (begun(begin, design),)
    call = ENDS if design.has_ids else ABORTS
    steps = [
        judged(design, capabilities, *before, (call, Both.in_any_order(*each))) for each in (answers, answers[::-1])
    ]
    assert [step.deviations for step in steps] == [broken, broken]
    assert {step.belief is None for step in steps} == {"END-7" in broken}


def test_nothing_else_is_exercised_by_it() -> None:
    step = judged(ZERO_ID, ABLE, begun(PULL, ZERO_ID), (ENDS, Both.in_any_order(Ended(1), GONE)))
    assert step.ruling.exercised == ("END-7", "SANE-1", "SANE-2", "TIME-1")
    assert [each.id for each in step.ruling.promises] == ["END-7"]


def test_a_refusal_does_not_wait_where_nobody_had_a_turn() -> None:
    judge = Judge(DEFAULT_JOB, ABLE)
    step = judge.step(judge.start(), ABORTS, Both.in_any_order(NO_JOB, NO_JOB), Waited.WAITED)
    assert step.deviations == ("TIME-2",)
    assert step.belief is not None
    begin, job = begun(PULL, DEFAULT_JOB)
    there = judge.step(judge.start(), begin, job).belief
    assert there is not None
    assert judge.step(there, ABORTS, Both.in_any_order(DONE, NO_JOB), Waited.WAITED).deviations == ()


def test_one_that_is_too_late_is_told_of_both() -> None:
    judge = Judge(DEFAULT_JOB, ABLE)
    step = judge.step(judge.start(), ABORTS, Both.in_any_order(NO_JOB, NO_JOB), Waited.TOO_LONG)
    assert step.deviations == ("TIME-1",)


def test_all_orders_are_believed() -> None:
    """A job that is ending may have ended by itself before it is asked for: only how it stands is believed."""
    step = judged(DEFAULT_JOB, LIKE_LIBVIRT, begun(PULL, DEFAULT_JOB), (ABORTS, Both.in_any_order(DONE, NO_JOB)))
    assert step.belief is not None
    assert [[job.phase for job in state.domains[0].jobs] for state in step.belief.states] == [[Phase.ENDING]]
    step = judged(DEFAULT_JOB, LIKE_LIBVIRT, begun(PUSH, DEFAULT_JOB), (ABORTS, Both.in_any_order(NO_JOB, NO_JOB)))
    assert step.belief is not None
    assert [state.domains[0].jobs for state in step.belief.states] == [()]


@pytest.mark.parametrize("design", presets().values(), ids=list(presets()))
def test_what_follows_is_judged_as_ever(design: Design) -> None:
    """The reference lets one be first, and every later answer fits."""
    target = ReferenceTarget(design)
    judge, alphabet = Judge(design, target.capabilities), Alphabet(design, target.capabilities)
    session = Session(judge, target.fresh())
    begins = [call for call in alphabet.calls(session.belief) if isinstance(call, BackupBegin) and not call.flaw]
    made = 0
    for begin in begins:
        session = Session(judge, target.fresh())
        session.perform(begin)
        for call in [each for each in alphabet.calls(session.belief) if is_at_once(each)]:
            if not session.can(call):
                continue
            assert session.perform(call).deviations == (), call
            made += 1
            for query in (GetJobInfo(), TakeEvents(), GetJobStats(completed=True), Inspect()):
                assert session.perform(query).belief is not None
    assert made > 1


def test_the_session_reads_the_answers_in_an_order_of_its_own() -> None:
    target = ReferenceTarget(DEFAULT_JOB)
    session = Session(Judge(DEFAULT_JOB, target.capabilities), target.fresh())
    session.perform(PULL)
    step = session.perform(ABORTS)
    native = session.history[-1].outcome
    assert isinstance(native, Both)
    assert answer_text(native) == "done and refused: no-such-job"
    assert step.outcome == Both.in_any_order(GONE, DONE) == Both.in_any_order(DONE, GONE)
    assert call_text(ABORTS) == "abort_job(two clients at once)"
    assert step.ruling.told == "done + no-such-job"
    assert not step.ruling.sure  # who comes first may be another the next time


def test_a_backend_that_cannot_is_not_asked() -> None:
    needs = BY_ID["END-7"].needs
    assert needs.missing_in_backend(DEFAULT_JOB, Capabilities()) == "two clients at once"
    assert needs.missing_in_backend(DEFAULT_JOB, ABLE) == ""
    alone = replace(ABLE, features=ABLE.features - {Feature.SECOND_CLIENT})
    assert needs.missing_in_backend(DEFAULT_JOB, alone) == "a second read-write connection"
    for capabilities in (Capabilities(), alone):
        offered = Alphabet(DEFAULT_JOB, capabilities).calls(Judge(DEFAULT_JOB, capabilities).start())
        assert not any(map(is_at_once, offered))


def test_only_ends_are_made_at_once() -> None:
    for call in (ENDS, replace(ENDS, job=Odd.ZERO)):
        assert call_in(call_json(call), ZERO_ID, "here") == call
    with pytest.raises(BadInput, match="only calls that end a job are"):
        call_in(call_json(replace(PULL, flaw=Flaw.AT_ONCE)), ZERO_ID, "here")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"outcome": "done"}, "its outcome is one of both, refusal, unknown and lost"),
        ({"outcome": "both"}, "needs answers"),
        ({"outcome": "both", "answers": [{"outcome": "done"}]}, "both has 2 answers"),
        ({"outcome": "both", "answers": [{"outcome": "done"}, {"outcome": "unknown"}]}, "so is the whole outcome"),
        ({"outcome": "both", "answers": [{"outcome": "done"}, {"outcome": "both"}]}, "its outcome is one of done"),
    ],
)
def test_an_adapter_that_answers_otherwise_talks_nonsense(content: object, words: str) -> None:
    with pytest.raises(Nonsense, match=words):
        read_outcome(ABORTS, DEFAULT_JOB, content)


def test_an_adapter_tells_both_answers() -> None:
    told = Both((DONE, Refusal(ErrorKind.BUSY, "EBUSY", "not now")))
    assert read_outcome(ABORTS, DEFAULT_JOB, outcome_json(told)) == told
    assert read_outcome(ABORTS, DEFAULT_JOB, outcome_json(Unknown("gone"))) == Unknown("gone")


def test_what_shows_without_is_shown_without() -> None:
    """What two clients call at once is made by one, then by one after the other; what is cut off goes through."""
    alone, second = AbortJob(), AbortJob(client=SECOND_CLIENT)
    calls = (replace(PULL, flaw=Flaw.CUT_OFF), ABORTS, GetJobInfo())
    assert undisturbed(calls, lambda _: True) == (PULL, alone, GetJobInfo())
    assert undisturbed(calls, lambda _: False) == calls
    assert undisturbed(calls, lambda given: second in given) == (PULL, alone, second, GetJobInfo())


# -- libvirt -------------------------------------------------------------------------------------------------------

ROUNDS = 6  # each at another distance between the two clients
STATES: tuple[tuple[tuple[Call, ...], Call], ...] = (
    ((), ABORTS),
    ((PULL,), ABORTS),
    ((replace(PULL, disks=("vda", "vdb")),), ABORTS),
    ((PUSH,), ABORTS),
    ((BlockCopy(label=1, disk="vdb"), PULL), ABORTS),
    ((BlockCopy(label=1, disk="vdb"),), BlockJobAbort(disk="vdb", flaw=Flaw.AT_ONCE)),
    ((BlockCopy(label=1, disk="vdb"), Settle()), BlockJobAbort(disk="vdb", flaw=Flaw.AT_ONCE)),
)


@pytest.fixture(scope="module")
def libvirtd() -> Iterator[tuple[Judge, Backend]]:
    pytest.importorskip("libvirt", reason="libvirt-python is not installed")
    from jobtck.fixtures.libvirt_target import open_target

    target = open_target(DEFAULT_JOB, Options(host=OwnHost.LIBVIRTD))
    backend = target.fresh()
    yield Judge(DEFAULT_JOB, target.capabilities), backend
    backend.close()
    target.close()


@pytest.mark.real
@pytest.mark.xdist_group("libvirt")
@pytest.mark.skipif(bool(missing_for_libvirtd()), reason=missing_for_libvirtd())
@pytest.mark.parametrize(
    ("before", "ends"), STATES, ids=lambda each: " ".join(map(call_text, each)) if isinstance(each, tuple) else ""
)
def test_libvirtd_puts_two_ends_in_an_order(
    before: tuple[Call, ...], ends: Call, libvirtd: tuple[Judge, Backend]
) -> None:
    judge, backend = libvirtd
    due = sum(isinstance(call, BackupBegin) for call in before)
    asks = (GetJobInfo(), GetBlockJobInfo(disk="vdb"), BackupGetXmlDesc(), Settle(), TakeEvents(due=due), Inspect())
    for _ in range(ROUNDS):
        backend.end_all_jobs()
        session = Session(judge, backend)
        for call in (*before, ends, *asks):
            step = session.perform(call)
            assert step.belief is not None, (step.deviations, [answer_text(each.outcome) for each in session.history])
        told = session.history[len(before)].outcome
        assert isinstance(told, Both)
        assert "END-7" in session.history[len(before)].step.ruling.exercised


def test_what_is_arranged_is_asked_of_nobody_who_does_not_say_so() -> None:
    assert {Flaw.CUT_OFF, Flaw.AT_ONCE} == ARRANGED
    assert not ARRANGED & Capabilities().flaws
