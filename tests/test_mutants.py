"""Every requirement has a mutant that it alone must name, by as few calls as can show it."""

import math
import threading
from collections.abc import Sequence
from functools import cache, partial

import pytest
from tests.mutants_answers import MUTANTS as OF_ANSWERS
from tests.mutants_domains import MUTANTS as OF_DOMAINS
from tests.mutants_ends import MUTANTS as OF_ENDS
from tests.mutants_faults import MUTANTS as OF_FAULTS
from tests.mutants_ids import MUTANTS as OF_IDS
from tests.mutants_jobs import MUTANTS as OF_JOBS
from tests.mutants_lost import MUTANTS as OF_LOSSES
from tests.mutants_stale import MUTANTS as OF_STALE_IDS
from tests.mutants_table import Mutant
from tests.mutants_told import MUTANTS as OF_TALES
from tests.mutants_told import HandlesOutliveJobs, Slow
from tests.mutants_verbs import MUTANTS as OF_VERBS

import jobtck.hunt
import jobtck.lanes
import jobtck.replays
from jobtck.conformance.blame import blame
from jobtck.conformance.calls import AbortJob, BackupBegin, BackupEnd, Call, Flaw, HandleOf, JobGetType, Mode
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.design import presets
from jobtck.conformance.folding import folded
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import Deviation
from jobtck.conformance.session import Performed, Session
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.hunt import Hunt, Plan
from jobtck.replays import at_any_deviation, is_like, replay
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw

MUTANTS = (
    *OF_IDS,
    *OF_DOMAINS,
    *OF_STALE_IDS,
    *OF_JOBS,
    *OF_ENDS,
    *OF_FAULTS,
    *OF_LOSSES,
    *OF_TALES,
    *OF_VERBS,
    *OF_ANSWERS,
)
CALLS_MAX = 40_000  # the longest tour has some 26,000 calls
SEED = 20190326

judge_of = cache(Judge)  # pure but for what it remembers, and that is the same for all mutants


@cache
def chart_of(judge: Judge) -> Chart:
    return draw(judge, Alphabet(judge.design, judge.capabilities, jobtck.hunt.TOUR_JOBS))


def drawn_before(judge: Judge, _: Alphabet) -> Chart:
    return chart_of(judge)


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges and charts are made once for a design, and a slow mutant says itself how slow it was."""
    monkeypatch.setattr(jobtck.hunt, "Judge", judge_of)
    monkeypatch.setattr(jobtck.hunt, "draw", drawn_before)
    for module in (jobtck.lanes, jobtck.replays):
        monkeypatch.setattr(module, "Session", partial(Session, clock=Slow.seconds))


def hunted(mutant: Mutant) -> Hunt:
    """The hunt for what the mutant does wrong: a tour, and long sessions if that does not show it."""
    stop = threading.Event()
    hunt = Hunt(ReferenceTarget(mutant.design, mutant.make), Plan(math.inf, SEED), stop)
    found_before = last_news = 0

    def watch(_: int, calls: int, found: int) -> None:
        nonlocal found_before, last_news
        if found > found_before:
            found_before, last_news = found, calls
        if calls > (last_news + mutant.calls_more if found else CALLS_MAX):
            stop.set()

    hunt.go_on_tour(watch, math.inf)
    if not stop.is_set():
        hunt.run_machine(watch, math.inf)
    stop.clear()
    hunt.confirm_all()
    hunt.close()
    return hunt


def performed(hunt: Hunt, calls: Sequence[Call]) -> list[Performed]:
    """What comes of the calls on fresh guests."""
    return replay(hunt.judge, hunt.target.fresh(), calls, at_any_deviation)


def length_known(hunt: Hunt, deviation: Deviation) -> int:
    """The length of the model's shortest way to where it deviates, if that way shows it."""
    shown = performed(hunt, [line.call for line in deviation.lines])
    last = shown[-1].step
    way = hunt.chart.way(last.ruling.cell) if last.ruling.cell in hunt.chart.ways else ()
    on_the_way = performed(hunt, way)
    return len(way) if on_the_way and is_like(on_the_way[-1].step, last) else len(shown)


def in_groups(mutants: Sequence[Mutant]) -> list[object]:
    """The mutants of a design are judged by one process: it draws the chart but once."""
    return [
        pytest.param(each, id=each.name, marks=pytest.mark.xdist_group(f"mutants-{each.design.name}"))
        for each in mutants
    ]


@pytest.mark.parametrize("mutant", in_groups(MUTANTS))
def test_a_mutant_is_killed_by_its_requirement_alone(mutant: Mutant) -> None:
    hunt = hunted(mutant)
    roots = folded(hunt.findings.deviations)
    assert {id for deviation in roots for id in deviation.requirements} == {mutant.requirement}
    assert min(len(deviation.lines) for deviation in roots) == mutant.calls
    for deviation in roots:
        assert not deviation.is_flaky
        assert len(deviation.lines) <= length_known(hunt, deviation)


def test_every_requirement_has_a_mutant() -> None:
    judged = {each.id for each in CATALOGUE if not each.provisional}
    assert {mutant.requirement for mutant in MUTANTS} == judged


def test_every_mutant_says_what_it_does_wrong() -> None:
    assert [each.name for each in MUTANTS if not each.make.__doc__] == []
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)


def test_a_call_whose_answer_nobody_heard_is_blamed_for_what_it_should_not_have_done() -> None:
    """The end of a job that is over ends another one: not the abort before it is to blame."""
    target = ReferenceTarget(presets()["opaque-handles"], HandlesOutliveJobs)
    judge = judge_of(target.design, target.capabilities)
    begins = [BackupBegin(label=label, mode=Mode.PUSH, disks=(disk,)) for label, disk in enumerate(("vda", "vdb"))]
    unheard = BackupEnd(job=HandleOf(0), abort=True, flaw=Flaw.CUT_OFF)
    trace = [*begins, AbortJob(), unheard, JobGetType(job=HandleOf(1))]
    steps = [each.step for each in replay(judge, target.fresh(), trace, at_any_deviation)]
    assert [each.call for each in steps] == trace
    assert blame(judge, steps) == ("HANDLE-2",)
