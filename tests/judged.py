"""Short runs of the reference and of mutants of it, as results to be compared."""

import math
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial

import pytest
from tests.mutants_told import Slow

import jobtck.hunt
import jobtck.lanes
import jobtck.replays
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.design import Design
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import KnownDeviation, RunRecord
from jobtck.conformance.session import Session
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.hunt import Hunt, Plan
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw
from jobtck.verdicts import record_of

judge_of = cache(Judge)


@cache
def chart_of(judge: Judge) -> Chart:
    return draw(judge, Alphabet(judge.design, judge.capabilities, jobtck.hunt.TOUR_JOBS))


def drawn_before(judge: Judge, _: Alphabet) -> Chart:
    return chart_of(judge)


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges and charts are made once for a design, and a slow mutant says itself how slow it was."""
    monkeypatch.setattr(jobtck.hunt, "Judge", judge_of)
    monkeypatch.setattr(jobtck.hunt, "draw", drawn_before)
    for module in (jobtck.lanes, jobtck.replays):
        monkeypatch.setattr(module, "Session", partial(Session, clock=Slow.seconds))


def judged(  # noqa: PLR0913 (each is a choice of its own)
    design: Design,
    make: Callable[[Design], Backend] = Reference,
    seed: int = 1,
    *,
    calls_more: int = 3_000,
    known: Sequence[KnownDeviation] = (),
    today: str = "",
) -> RunRecord:
    """The result of a whole tour and so many calls more."""
    stop = threading.Event()
    hunt = Hunt(ReferenceTarget(design, make), Plan(math.inf, seed), stop)

    hunt.go_on_tour(lambda *_: None, math.inf)
    calls_max = hunt.cost().calls + calls_more

    def watch(_: int, calls: int, __: int) -> None:
        if calls > calls_max:
            stop.set()

    hunt.run_machine(watch, math.inf)
    stop.clear()
    hunt.confirm_all()
    hunt.close()
    record = record_of(hunt, known, "jobtck run", strict=False, today=today)
    return RunRecord((record,), "jobtck run", seed, 1.0)
