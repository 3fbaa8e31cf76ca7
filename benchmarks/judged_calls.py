"""Counts judged calls a second of CPU on the reference, beside a bare loop and a plain machine."""

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from plain_machine import plain_machine

from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw
from jobtck.strategies.machine import machine_for
from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS, run_program
from jobtck.strategies.search import search
from jobtck.strategies.tour import Tour

PLAIN_DESIGN = "zero-id"  # the design that the hand-written machine is written for
TOUR_JOBS = 2  # as a run has it
STEPS_PER_EXAMPLE = 50  # Hypothesis' own default

Measure = Callable[[int], float]  # from how many calls to make at least, to calls a second


class Counted:
    """A backend that counts its calls."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.calls = 0

    def perform(self, call: Call) -> Outcome:
        self.calls += 1
        return self.backend.perform(call)

    def end_all_jobs(self) -> None:
        self.backend.end_all_jobs()

    def close(self) -> None:
        self.backend.close()


class Recorded(Counted):
    """A backend that remembers its calls as it got them, and None where a session ended."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self.made: list[Call | None] = []

    def perform(self, call: Call) -> Outcome:
        self.made.append(call)
        return super().perform(call)

    def end_all_jobs(self) -> None:
        self.made.append(None)
        super().end_all_jobs()


def no_news(session: Session) -> bool:
    """The reference conforms, so that none is expected."""
    step = session.history[-1].step
    raise AssertionError(f"{', '.join(step.deviations)}: {step.call} ended in {step.outcome}")


def tell(session: Session) -> None:
    no_news(session)


class Kit:
    """The ways of this kit to make judged calls; the judge remembers from one to the next."""

    def __init__(self, design_name: str) -> None:
        self.target = ReferenceTarget(presets()[design_name])
        self.judge = Judge(self.target.design, self.target.capabilities)
        self.alphabet = Alphabet(self.target.design, self.target.capabilities)
        self.tally = Tally()
        self.chance = random.Random(1)
        self.backend = self.target.fresh()
        self.tour_alphabet = Alphabet(self.target.design, self.target.capabilities, TOUR_JOBS)
        self.chart: Chart = draw(self.judge, self.tour_alphabet)

    def new_session(self) -> Session:
        self.backend.end_all_jobs()
        return Session(self.judge, self.backend, self.tally)

    def _timed(self, calls: int, some_calls: Callable[[], None]) -> float:
        first, began = self.tally.calls, time.process_time()
        while self.tally.calls - first < calls:
            some_calls()
        return (self.tally.calls - first) / (time.process_time() - began)

    def tour(self, calls: int) -> float:
        def one_tour() -> None:
            tour = Tour(self.chart, self.tour_alphabet)
            tour.visit_cheap(self.new_session, tell, lambda: False)

        return self._timed(calls, one_tour)

    def play(self, program: bytes) -> bool:
        return run_program(program, self.new_session(), self.alphabet, no_news)

    def walk(self, calls: int) -> float:
        def one_session() -> None:
            self.play(self.chance.randbytes(BYTES_PER_CALL * PROGRAM_CALLS))

        return self._timed(calls, one_session)

    def search(self, calls: int) -> float:
        enough = self.tally.calls + calls

        def some_rounds() -> None:
            search(self.play, lambda: self.tally.calls >= enough, self.chance.randrange(2**32))

        return self._timed(calls, some_rounds)

    def bare_loop(self, calls: int) -> float:
        recorder = Recorded(self.target.fresh())
        chance = random.Random(1)
        while recorder.calls < calls:
            recorder.end_all_jobs()
            program = chance.randbytes(BYTES_PER_CALL * PROGRAM_CALLS)
            run_program(program, Session(self.judge, recorder), self.alphabet, no_news)
        backend = self.target.fresh()
        began = time.process_time()
        for call in recorder.made:
            if call is None:
                backend.end_all_jobs()
            else:
                backend.perform(call)
        return recorder.calls / (time.process_time() - began)

    def job_machine(self, calls: int) -> float:
        return machine_speed(machine_for, self.target, calls)


class CountingTarget(ReferenceTarget):
    """The reference; what its guests are asked is counted over all of them."""

    def __init__(self, target: ReferenceTarget) -> None:
        super().__init__(target.design)
        self.handed_out: list[Counted] = []

    def fresh(self) -> Backend:
        self.handed_out.append(Counted(super().fresh()))
        return self.handed_out[-1]


def machine_speed(
    make: Callable[[CountingTarget], type[RuleBasedStateMachine]],
    target: ReferenceTarget,
    calls: int,
) -> float:
    """Calls a second of a state machine, with nothing but generation switched on."""
    counting = CountingTarget(target)
    machine = make(counting)
    chosen = settings(
        max_examples=max(1, calls // STEPS_PER_EXAMPLE),
        stateful_step_count=STEPS_PER_EXAMPLE,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    began = time.process_time()
    run_state_machine_as_test(machine, settings=chosen)
    return sum(each.calls for each in counting.handed_out) / (time.process_time() - began)


def measures_of(design_name: str) -> Mapping[str, tuple[Measure, int]]:
    """What is measured, in the order of the table, and by what its calls are divided."""
    kit = Kit(design_name)
    measures: dict[str, tuple[Measure, int]] = {
        "bare loop, nothing judged": (kit.bare_loop, 1),
        "walk": (kit.walk, 1),
        "tour": (kit.tour, 1),
        "machine: Hypothesis draws programs": (kit.search, 1),
        "JobMachine: Hypothesis draws steps": (kit.job_machine, 10),
    }
    if design_name == PLAIN_DESIGN:
        measures["plain machine, hand-written"] = (
            lambda calls: machine_speed(lambda target: plain_machine(target.fresh), kit.target, calls),
            10,
        )
    return measures


def measure(design_name: str, calls: int, repeats: int) -> Mapping[str, list[float]]:
    """Calls a second of each measure, all in every round; the first round only warms up."""
    measures = measures_of(design_name)
    found: dict[str, list[float]] = {name: [] for name in measures}
    for round_number in range(repeats + 1):
        for name, (run, divisor) in measures.items():
            speed = run(calls // divisor)
            if round_number:
                found[name].append(speed)
    return found


def machine_words() -> Mapping[str, str]:
    """Where and with what it was measured."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "python": platform.python_version(),
        "hypothesis": hypothesis.__version__,
    }


def print_table(design_name: str, found: Mapping[str, list[float]]) -> None:
    medians = {name: median(speeds) for name, speeds in found.items()}
    walk, plain = medians["walk"], medians.get("plain machine, hand-written")
    print(f"\n{design_name:36} {'calls/s':>10} {'x walk':>8} {'x plain':>8}   slowest - fastest")
    for name, speed in medians.items():
        beside = f"{speed / plain:8.2f}" if plain else f"{'-':>8}"
        spread = f"{min(found[name]):,.0f} - {max(found[name]):,.0f}"
        print(f"{name:36} {speed:>10,.0f} {speed / walk:8.2f} {beside}   {spread}")


def main() -> None:
    """Reads the options, measures on one core, and prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--design", action="append", choices=list(presets()), help="default: zero-id, default-job")
    options.add_argument("--calls", type=int, default=100_000, help="for each figure; a tenth in slow machines")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--json", type=Path, help="write all figures to this file too")
    given = options.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    words = machine_words()
    print(f"{words['cpu']}, one core, Python {words['python']}, Hypothesis {words['hypothesis']}")
    print(f"medians of {given.repeats} rounds of {given.calls:,} calls each")
    found: dict[str, Mapping[str, list[float]]] = {}
    for design_name in given.design or ("zero-id", "default-job"):
        found[design_name] = measure(design_name, given.calls, given.repeats)
        print_table(design_name, found[design_name])
    if given.json is not None:
        record = {**words, "calls": given.calls, "calls_per_second": found}
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
