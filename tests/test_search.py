"""What is tried: charts, tours, shortening, long sessions, and the ids behind the labels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from jobtck.conformance.calls import (
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobBegin,
    Call,
    GetBlockJobInfo,
    GetJobInfo,
    HandleOf,
    IdOf,
    Mode,
    Odd,
    call_name,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT
from jobtck.conformance.cells import Cell
from jobtck.conformance.design import Design, Handle, Reuse, presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.ledger import Ledger
from jobtck.conformance.outcomes import Ended, ErrorKind, Id, Outcome, Refusal, Seen
from jobtck.conformance.ranges import RANGES_MAX, Ranges
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import Guest
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw, place_words
from jobtck.strategies.machine import DeviationFound, machine_for
from jobtck.strategies.programs import run_program
from jobtck.strategies.search import search
from jobtck.strategies.shorten import relabelled, shorten
from jobtck.strategies.tour import Tour

ZERO_ID = presets()["zero-id"]
DEFAULT_JOB = presets()["default-job"]
NEVER_REACHED = 10**9
CALLS_TO_EACH = 120  # some fifty requirements, most of them two calls away


def pull(label: int = 0, disk: str = "vda", domain: int = 0) -> BackupBegin:
    return BackupBegin(label=label, mode=Mode.PULL, disks=(disk,), domain=domain)


def session_on(target: ReferenceTarget) -> Session:
    return Session(Judge(target.design, target.capabilities), target.fresh())


# -- the chart -------------------------------------------------------------------------------------


class Toured:
    """A tour on the reference, which leads to all cells of the chart; it ends after so many calls at the latest."""

    def __init__(self, design: str, chart: Chart, calls_max: float = math.inf) -> None:
        target = ReferenceTarget(presets()[design])
        self.judge = Judge(target.design, target.capabilities)
        self.tour = Tour(chart, Alphabet(target.design, target.capabilities, 2))
        self.tally = Tally()
        self.deviations: list[tuple[str, ...]] = []
        sessions: list[Session] = []

        def new_session() -> Session:
            sessions.append(Session(self.judge, target.fresh()))
            return sessions[-1]

        self.tour.visit_cheap(
            new_session,
            lambda session: self.deviations.append(session.history[-1].step.deviations),
            lambda: sum(each.tally.calls for each in sessions) >= calls_max,
        )
        for session in sessions:
            session.tally.fold()
            self.tally.merge(session.tally)

    @property
    def not_exercised(self) -> set[str]:
        between_sessions = set(self.tour.chart.between_sessions)  # whose end is no call of a tour
        return {each.id for each in self.judge.requirements if not self.tally.exercised[each.id]} - between_sessions


@pytest.mark.parametrize("design", presets())
def test_the_tour_exercises_every_requirement_of_a_design(design: str, chart_of: Callable[[str], Chart]) -> None:
    """All cells are visited, and with few calls."""
    chart = chart_of(design)
    assert not chart.is_cut_off
    toured = Toured(design, chart)
    assert toured.not_exercised == set()
    if presets()[design].reuse is not Reuse.AFTER_END:
        assert toured.deviations == []
    assert toured.tour.open_cells == ()
    assert toured.tally.calls <= 2.8 * len(chart.ways)


@pytest.mark.parametrize("design", presets())
def test_a_tour_that_is_cut_short_has_exercised_every_requirement_once(
    design: str, chart_of: Callable[[str], Chart]
) -> None:
    toured = Toured(design, chart_of(design), calls_max=CALLS_TO_EACH)
    assert toured.not_exercised == set()
    assert len(toured.tour.open_cells) > len(toured.tour.chart.ways) / 2


@pytest.mark.parametrize("design", presets())
def test_where_one_backup_runs_at_a_time_no_requirement_is_out_of_reach(design: str) -> None:
    target = ReferenceTarget(presets()[design])
    judge = Judge(target.design, replace(target.capabilities, parallel_backups=1))
    chart = draw(judge, Alphabet(target.design, judge.capabilities, 2))
    assert {each.id for each in judge.requirements} - chart.exercises == set()


def test_the_chart_has_what_a_client_can_do_wrong(chart_of: Callable[[str], Chart]) -> None:
    cells = set(chart_of("zero-id").ways)
    for each in (
        Cell("no job", "backup_end(0)"),
        Cell("no job", "backup_end(an id never issued)"),
        Cell("no job", "backup_get_xml_desc(a negative id)"),
        Cell("no job", "backup_begin(backup-pull, free disk, not XML)"),
        Cell("not running", "backup_begin(backup-pull, free disk)"),
        Cell("backup-pull", "backup_begin(backup-pull, disk in backup-pull)"),
        Cell("backup-pull", "backup_get_xml_desc(id of backup-pull, unknown flags)"),
        Cell("backup-pull", "block_job_abort(disk in backup-pull, pivot)"),
        Cell("no job", "backup_end(id of an ended backup-pull)"),
        Cell("block-copy", "block_job_abort(unknown disk)"),
    ):
        assert each in cells, each


def test_ways_are_shortest(chart_of: Callable[[str], Chart]) -> None:
    """A search of its own, by making all calls on the reference, finds no place sooner."""
    chart = chart_of("default-job")
    target = ReferenceTarget(DEFAULT_JOB)
    judge = Judge(target.design, target.capabilities)
    alphabet = Alphabet(target.design, target.capabilities, 2)

    def after(path: Sequence[Call]) -> Session:
        session = Session(judge, target.fresh())
        for call in path:
            session.perform(call)
        return session

    depths: dict[str, int] = {}
    layer: dict[str, tuple[Call, ...]] = {place_words(judge.start()): ()}
    for depth in range(4):
        depths |= dict.fromkeys(layer, depth)
        found: dict[str, tuple[Call, ...]] = {}
        for path in layer.values():
            for call in alphabet.calls(after(path).belief):
                session = after(path)
                if session.can(call) and session.perform(call).belief is not None:
                    words = place_words(session.belief)
                    if words not in depths:
                        found.setdefault(words, (*path, call))
        layer = found
    charted = {words: len(place.path) for words, place in chart.places.items()}
    both = depths.keys() & charted.keys()
    assert {words: charted[words] for words in both} == {words: depths[words] for words in both}
    near = {words for words, length in charted.items() if length < 4}
    assert len(near - depths.keys()) <= len(near) // 4  # the reference chose otherwise there
    assert len(both) >= 20


def test_the_way_to_a_cell_leads_there(chart_of: Callable[[str], Chart]) -> None:
    chart = chart_of("zero-id")
    for visited in list(chart.ways)[::40]:
        session = session_on(ReferenceTarget(ZERO_ID))
        way = chart.way(visited)
        for call in way[:-1]:
            assert session.perform(call).belief is not None
        arrived = place_words(session.belief) == chart.ways[visited][0].words
        if arrived and session.can(way[-1]) and "another domain" not in visited.call:
            assert session.perform(way[-1]).ruling.cell == visited


# -- shortening ------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.data())
@settings(deadline=None)
def test_shortening_keeps_exactly_what_is_needed(labels: list[int], data: st.DataObject) -> None:
    calls = [GetBlockJobInfo(disk=f"vd{label}") for label in labels]
    last = len(calls) - 1  # the call that deviates is never left out
    chosen = {last, *data.draw(st.sets(st.integers(0, last)))}
    needed = [calls[at] for at in sorted(chosen)]

    def still_deviates(candidate: Sequence[Call]) -> bool:
        left = iter(candidate)
        return all(call in left for call in needed)  # in this order

    assert list(shorten(calls, still_deviates)) == needed


@given(st.sets(st.integers(0, 12), min_size=1), st.integers(1, 12))
@settings(deadline=None)
def test_what_is_left_cannot_do_without_any_call(others: set[int], at_least: int) -> None:
    """The calls are one-minimal also where no call alone is the one that is needed."""
    calls = [GetBlockJobInfo(disk=f"vd{number}") for number in range(13)]

    def still_deviates(candidate: Sequence[Call]) -> bool:
        kept = {int(call.disk[2:]) for call in candidate if isinstance(call, GetBlockJobInfo)}
        return candidate[-1] == calls[-1] and (others <= kept or len(kept) >= at_least)

    left = shorten(calls, still_deviates)
    assert still_deviates(left)
    for at in range(len(left)):
        shorter = (*left[:at], *left[at + 1 :])
        assert not shorter or not still_deviates(shorter)


def test_a_backend_that_never_deviates_again_is_not_asked_for_ever() -> None:
    asked = 0

    def never(_: Sequence[Call]) -> bool:
        nonlocal asked
        asked += 1
        return False

    calls = [GetJobInfo()] * 5_000
    assert shorten(calls, never) == tuple(calls)
    assert asked <= 400


# -- long sessions ---------------------------------------------------------------------------------


class ForgetsThird(Reference):
    """Refuses to describe the job of the third backup and of all that follow."""

    def backup_get_xml_desc(self, guest: Guest, call: BackupGetXmlDesc) -> Outcome:
        answer = super().backup_get_xml_desc(guest, call)
        if not isinstance(answer, Refusal) and isinstance(call.job, int) and call.job >= 3:
            return super().backup_get_xml_desc(guest, replace(call, job=2**31 - 1))
        return answer


class Hunter:
    """Counts programs, and stops at the first deviation or after so many of them."""

    def __init__(self, sessions_max: int) -> None:
        self.sessions = 0
        self.sessions_max = sessions_max
        self.found: list[Session] = []

    def search(self, database: Path, seed: int) -> None:
        target = ReferenceTarget(ZERO_ID, ForgetsThird)
        judge = Judge(target.design, target.capabilities)
        alphabet = Alphabet(target.design, target.capabilities)

        def new_session() -> Session:
            self.sessions += 1
            return Session(judge, target.fresh())

        def is_news(session: Session) -> bool:
            self.found.append(session)
            return True

        def stop() -> bool:
            return bool(self.found) or self.sessions > self.sessions_max

        def play(program: bytes) -> bool:
            return run_program(program, new_session(), alphabet, is_news, stop)

        search(play, stop, seed, database)


def test_long_sessions_find_what_takes_many_calls_and_the_next_run_finds_it_at_once(
    tmp_path: Path,
) -> None:
    first = Hunter(sessions_max=200)
    first.search(tmp_path / "examples", seed=1)
    [session] = first.found
    last = session.history[-1].step
    assert call_name(type(last.call)) == "backup_get_xml_desc"
    assert sum(isinstance(each.call, BackupBegin) for each in session.history) >= 3
    assert any((tmp_path / "examples").rglob("*"))
    again = Hunter(sessions_max=1)  # the first program is the one that was kept
    again.search(tmp_path / "examples", seed=2)
    assert [each.step.deviations for each in again.found[0].history if each.step.deviations] == [last.deviations]


def test_a_search_that_may_not_go_on_does_nothing(tmp_path: Path) -> None:
    hunter = Hunter(sessions_max=-1)
    hunter.search(tmp_path, seed=1)
    assert hunter.sessions == 0


QUICK = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=False,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def test_the_state_machine_finds_nothing_wrong_with_the_reference() -> None:
    run_state_machine_as_test(machine_for(ReferenceTarget(ZERO_ID)), settings=QUICK)


class NeverEnds(Reference):
    """Says that it ended a backup, and does not."""

    def backup_end(self, guest: Guest, call: BackupEnd) -> Outcome:
        if call.flaw or len(guest.backups) != 1 or call.client == READ_ONLY_CLIENT:
            return super().backup_end(guest, call)
        return Ended(completed=0)


def test_the_state_machine_finds_a_mutant() -> None:
    with pytest.raises(DeviationFound) as caught:
        run_state_machine_as_test(machine_for(ReferenceTarget(ZERO_ID, NeverEnds)), settings=QUICK)
    assert caught.value.step.deviations
    assert str(caught.value).startswith(", ".join(caught.value.step.deviations))


# -- ids behind labels -----------------------------------------------------------------------------


@given(st.lists(st.integers(0, 60)))
@settings(deadline=None)
def test_ranges_are_a_set(numbers: list[int]) -> None:
    ranges, expected = Ranges(), set[int]()
    for number in numbers:
        ranges.add(number)
        expected.add(number)
        assert ranges.greatest == max(expected)
    assert [number for number in range(-1, 63) if number in ranges] == sorted(expected)


def test_ranges_stay_small_however_long_something_counts() -> None:
    ranges = Ranges()
    for number in range(1, 50_000):
        ranges.add(number)
    assert (len(ranges._starts), ranges.greatest) == (1, 49_999)
    for number in range(0, 50 * RANGES_MAX, 7):
        ranges.add(100_000 + number)
    assert len(ranges._starts) == RANGES_MAX
    assert 49_999 not in ranges  # the oldest are forgotten


def ledger_with(design: Design, *begun: tuple[int, int, int]) -> Ledger:
    """A ledger that was told ids, as (label, domain, id)."""
    ledger = Ledger(design)
    belief = Judge(design, ReferenceTarget(design).capabilities).start()
    for label, domain, number in begun:
        ledger.read(pull(label, domain=domain), Id(number), belief)
    return ledger


def test_a_label_stands_for_the_id_that_was_told() -> None:
    ledger = ledger_with(ZERO_ID, (0, 0, 7), (1, 0, 9))
    assert ledger.bind(BackupEnd(job=IdOf(0))) == BackupEnd(job=7)
    assert ledger.bind(BackupEnd(job=IdOf(1), abort=True)) == BackupEnd(job=9, abort=True)
    assert (ledger.knows(IdOf(1)), ledger.knows(IdOf(2))) == (True, False)


def test_an_id_never_issued_is_beyond_all_that_a_begin_may_have_drawn() -> None:
    ledger = ledger_with(ZERO_ID, (0, 0, 7), (1, 1, 50))
    bound = ledger.bind(BackupEnd(job=Odd.NEXT))
    assert isinstance(bound, BackupEnd)
    assert isinstance(bound.job, int)
    assert 7 < bound.job < 50  # ids of another domain count nothing here
    begun = pull(2)
    ledger.read(begun, Refusal(ErrorKind.BUSY), Judge(ZERO_ID, ReferenceTarget(ZERO_ID).capabilities).start())
    later = ledger.bind(BackupEnd(job=Odd.NEXT))
    assert isinstance(later, BackupEnd)
    assert isinstance(later.job, int)
    assert later.job > bound.job


def test_an_id_of_another_domain_is_its_own_where_the_numbers_are_the_same() -> None:
    ledger = ledger_with(ZERO_ID, (0, 0, 1), (1, 1, 1))
    elsewhere = BackupGetXmlDesc(job=IdOf(0), domain=1)
    assert ledger.canonical(elsewhere) == BackupGetXmlDesc(job=IdOf(1), domain=1)
    foreign = ledger_with(ZERO_ID, (0, 0, 2), (1, 1, 1))
    assert foreign.canonical(elsewhere) == elsewhere
    assert foreign.bind(elsewhere) == BackupGetXmlDesc(job=2, domain=1)


def test_a_label_that_is_given_again_stands_for_the_new_job_only() -> None:
    ledger = ledger_with(ZERO_ID, (0, 0, 1), (0, 0, 2))
    assert ledger.bind(BackupEnd(job=IdOf(0))) == BackupEnd(job=2)
    belief = Judge(ZERO_ID, ReferenceTarget(ZERO_ID).capabilities).start()
    assert ledger.read(pull(1), Id(1), belief) == Id(Seen.OLD)
    assert ledger.read(pull(2), Id(2), belief) == Id(IdOf(0))
    assert ledger.read(pull(3), Id(3), belief) == Id(Seen.FRESH)
    assert ledger.read(pull(4), Id(0), belief) == Id(Seen.ZERO)
    assert ledger.read(pull(5), Id(-4), belief) == Id(Seen.NEGATIVE)


def test_labels_of_a_long_session_are_given_again_and_still_right() -> None:
    session = session_on(ReferenceTarget(ZERO_ID))
    for number in range(40):
        label = number % 6
        assert not session.perform(pull(label)).deviations
        assert not session.perform(BackupGetXmlDesc(job=IdOf(label))).deviations
        assert not session.perform(BackupEnd(job=IdOf(label))).deviations
        assert not session.perform(BackupGetXmlDesc(job=IdOf(label))).deviations
    assert session.history[-1].outcome == session.history[3].outcome


@settings(max_examples=40, deadline=None)
@given(design=st.sampled_from(list(presets().values())), program=st.binary(min_size=240, max_size=240), data=st.data())
def test_what_is_shown_begins_with_a_and_names_nothing_that_was_not_begun(
    design: Design, program: bytes, data: st.DataObject
) -> None:
    """Also after calls were left out; and the backend is asked the same as under the old labels."""
    target = ReferenceTarget(design)
    session = Session(Judge(design, target.capabilities), target.fresh())
    run_program(program, session, Alphabet(design, target.capabilities), lambda _: True)
    made = [each.call for each in session.history]
    kept = data.draw(st.lists(st.sampled_from(range(len(made))), unique=True)) if made else []
    for calls in (made, [made[at] for at in sorted(kept)]):
        shown = relabelled(calls)
        assert relabelled(shown) == shown
        jobs = [call.label for call in shown if isinstance(call, BackupBegin | BlockJobBegin)]
        assert list(dict.fromkeys(jobs)) == list(range(len(set(jobs))))
        begun: set[int] = set()
        for call in shown:
            reference = getattr(call, "job", None)
            assert not isinstance(reference, IdOf | HandleOf) or reference.label in begun
            begun.update([label] if (label := getattr(call, "label", None)) is not None else [])
    assert len(relabelled(made)) == len(made)
    again = Session(Judge(design, target.capabilities), target.fresh())
    for call, before in zip(relabelled(made), session.history, strict=True):
        assert again.can(call)
        again.perform(call)
        assert again.history[-1].outcome == before.outcome or design.handle is Handle.NAME
