"""Judges the reference, which conforms, in every design: whatever deviates is a false alarm.

For each design and seed a whole hunt, of a tour, long sessions and deviations made again; then walks of some million
calls. It ends with 0 if there was no deviation and every hunt was conforming.
"""

import argparse
import math
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

from jobtck import hunt as hunts
from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import RunVerdict
from jobtck.conformance.session import Session
from jobtck.conformance.wording import answer_text, call_text
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw
from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS, run_program
from jobtck.verdicts import record_of

SEEDS, HUNT_CALLS = 100, 5_000  # long sessions of a hunt go on for so many calls
WALK_CALLS = 10_000_000  # of all designs together
WALK_SEED = 20190326
PARTS = 10  # of each design's walks: there is something to tell on the way
HUNTS_IN_ORDER = 5


@dataclass(frozen=True, slots=True)
class Order:
    """Work for a process: hunts with these seeds, or a walk of so many calls."""

    design: str
    seeds: tuple[int, ...]
    walk_calls: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """How many hunts and calls there were, and what deviated, in words."""

    order: Order
    hunts: int
    calls: int
    alarms: tuple[str, ...]


@cache
def judge_of(design: str) -> Judge:
    target = ReferenceTarget(presets()[design])
    return Judge(target.design, target.capabilities)


@cache
def chart_of(design: str) -> Chart:
    judge = judge_of(design)
    return draw(judge, Alphabet(judge.design, judge.capabilities, hunts.TOUR_JOBS))


def do(order: Order) -> Done:
    """The order is carried out; the chart of its design is drawn once in a process."""
    if order.walk_calls:
        return walk(order)
    alarms: list[str] = []
    calls = 0
    with (
        patch.object(hunts, "Judge", lambda *_: judge_of(order.design)),
        patch.object(hunts, "draw", lambda *_: chart_of(order.design)),
    ):
        for seed in order.seeds:
            made, found = hunt(order.design, seed)
            calls += made
            alarms += found
    return Done(order, len(order.seeds), calls, tuple(alarms))


def hunt(design: str, seed: int) -> tuple[int, Sequence[str]]:
    """The calls of a hunt, and what deviated in it."""
    target, stop = ReferenceTarget(presets()[design]), threading.Event()
    hunt = hunts.Hunt(target, hunts.Plan(math.inf, seed), stop)
    hunt.begin_excursions()
    hunt.go_on_tour(lambda *_: None, math.inf)
    calls_max = hunt.cost().calls + HUNT_CALLS

    def watch(_: int, calls: int, __: int) -> None:
        if calls > calls_max:
            stop.set()

    hunt.run_machine(watch, math.inf)
    stop.clear()
    hunt.wait_for_excursions()
    hunt.confirm_all()
    hunt.close()
    record = record_of(hunt, (), "jobtck run", strict=True)
    alarms = [f"seed {seed}: {each.id}" for each in record.requirements if each.deviations]
    alarms += [f"seed {seed}: {note}" for note in record.notes]
    if len(hunt.findings) or record.verdict is not RunVerdict.CONFORMING:
        alarms.append(f"seed {seed}: {record.verdict}, {len(hunt.findings)} sorts of deviations were met")
    return hunt.cost().calls, alarms


def walk(order: Order) -> Done:
    """Calls drawn at random, in sessions."""
    target, judge = ReferenceTarget(presets()[order.design]), judge_of(order.design)
    alphabet = Alphabet(target.design, target.capabilities)
    rng = random.Random(WALK_SEED + order.seeds[0])
    backend = target.fresh()
    alarms: list[str] = []
    calls = 0

    def tell(session: Session) -> bool:
        last = session.history[-1]
        said = f"{', '.join(last.step.deviations)}: {call_text(last.call)} ended in {answer_text(last.outcome)}"
        alarms.append(f"{said}, after {len(session.history)} calls")
        return True

    while calls < order.walk_calls:
        backend.end_all_jobs()
        session = Session(judge, backend)
        run_program(rng.randbytes(BYTES_PER_CALL * PROGRAM_CALLS), session, alphabet, tell)
        calls += session.tally.calls
    return Done(order, 0, calls, tuple(alarms))


def orders(designs: Sequence[str], seeds: int, walk_calls: int) -> Iterator[Order]:
    """What is to be done, the designs by turns."""
    for first in range(1, seeds + 1, HUNTS_IN_ORDER):
        for design in designs:
            yield Order(design, tuple(range(first, min(first + HUNTS_IN_ORDER, seeds + 1))))
    for part in range(PARTS if walk_calls else 0):
        for design in designs:
            yield Order(design, (part,), math.ceil(walk_calls / PARTS / len(designs)))


def table(results: Sequence[Done], seconds: float) -> Iterator[str]:
    """A line for each design."""
    yield f"{'design':18} {'hunts':>6} {'their calls':>12} {'calls of walks':>15} {'false alarms':>13}"
    for design in dict.fromkeys(each.order.design for each in results):
        those = [each for each in results if each.order.design == design]
        in_hunts = sum(each.calls for each in those if each.hunts)
        in_walks = sum(each.calls for each in those if not each.hunts)
        alarms = sum(len(each.alarms) for each in those)
        yield f"{design:18} {sum(each.hunts for each in those):6} {in_hunts:12,} {in_walks:15,} {alarms:13}"
    yield f"{sum(each.calls for each in results):,} calls in {seconds:.0f} s"


def main() -> int:
    """Prints the table, and each false alarm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", action="append", choices=presets(), help="all presets without it")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="hunts of each design")
    parser.add_argument("--walk", type=int, default=WALK_CALLS, metavar="CALLS", help="of all designs together")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin nothing more after so long")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="side by side")
    options = parser.parse_args()
    began = time.monotonic()
    results: list[Done] = []
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as processes:
        doing = {
            processes.submit(do, order)
            for order in orders(options.design or tuple(presets()), options.seeds, options.walk)
        }
        for done in as_completed(doing):
            if done.cancelled():
                continue
            results.append(done.result())
            for alarm in results[-1].alarms:
                print(f"{results[-1].order.design}: {alarm}", flush=True)
            if time.monotonic() - began > options.seconds:
                for each in doing:
                    each.cancel()
    results.sort(key=lambda each: list(presets()).index(each.order.design))
    print(*table(results, time.monotonic() - began), sep="\n")
    left = sum(each.cancelled() for each in doing)
    if left:
        print(f"{left} of {len(doing)} parts were not begun in time")
    return int(bool(left) or any(each.alarms for each in results))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as storage:  # of Hypothesis, in all processes
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = storage
        sys.exit(main())
