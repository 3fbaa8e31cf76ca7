"""Counts judged calls a second on a real qemu-storage-daemon, beside the same calls made with nobody judging."""

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from judged_calls import Recorded, machine_words

from jobtck.conformance.calls import ListAllJobs
from jobtck.conformance.capabilities import Backend, Options, Target
from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.session import Session
from jobtck.fixtures.qemu_backend import backend as plugin
from jobtck.hunt import FAST_LANES
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS, run_program


class Rates:
    """Calls a second: of wall time, and of the CPU time of this process."""

    def __init__(self, calls: int, wall_seconds: float, cpu_seconds: float) -> None:
        self.calls_per_second = calls / wall_seconds
        self.calls_per_cpu_second = calls / cpu_seconds


def timed(calls: Callable[[], int]) -> Rates:
    """The rates of making these calls; the answer says how many there were."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = calls()
    return Rates(made, time.perf_counter() - wall, time.process_time() - cpu)


def known_only(session: Session) -> bool:
    """A deviation that is listed ends a session; another one ends the benchmark."""
    step = session.history[-1].step
    assert step.deviations == ("BEGIN-5",), f"{', '.join(step.deviations)}: {step.call} ended in {step.outcome}"
    return True


def judged(recorder: Recorded, target: Target, judge: Judge, chance: random.Random, calls: int) -> int:
    """Sessions of a walk, judged and recorded, until so many calls are made."""
    alphabet = Alphabet(target.design, target.capabilities)
    recorder.calls = 0
    recorder.made.clear()
    while recorder.calls < calls:
        recorder.end_all_jobs()
        program = chance.randbytes(BYTES_PER_CALL * PROGRAM_CALLS)
        run_program(program, Session(judge, recorder), alphabet, known_only)
    return recorder.calls


def side_by_side(lanes: list[Recorded], target: Target, judge: Judge, chance: random.Random, calls: int) -> int:
    """The same on several daemons at once, each with its share, as a run does it."""
    share = calls // len(lanes)
    dice = [random.Random(chance.random()) for _ in lanes]
    with ThreadPoolExecutor(len(lanes)) as pool:
        made = pool.map(lambda lane, die: judged(lane, target, judge, die, share), lanes, dice)
        return sum(made)


def bare(recorder: Recorded, backend: Backend) -> int:
    """The recorded calls again, and nothing else."""
    for call in recorder.made:
        if call is None:
            backend.end_all_jobs()
        else:
            backend.perform(call)
    return recorder.calls


def trips(backend: Backend, calls: int) -> int:
    """The cheapest call there is: one command, one answer."""
    question = ListAllJobs()
    for _ in range(calls):
        backend.perform(question)
    return calls


def measure(calls: int, repeats: int) -> tuple[Mapping[str, str], Mapping[str, list[Rates]]]:
    """The versions, and the rates of each round; the first one warms up and is not counted."""
    target = plugin.open(presets()["qemu-jobs"], Options())
    found: dict[str, list[Rates]] = {"query-jobs": [], "bare": [], "judged": [], "judged, as a run": []}
    try:
        judge, chance = Judge(target.design, target.capabilities), random.Random(1)
        backend = target.fresh()
        recorder = Recorded(backend)
        lanes = [Recorded(target.fresh()) for _ in range(FAST_LANES)]
        for round_number in range(repeats + 1):
            rates = {
                "judged": timed(lambda: judged(recorder, target, judge, chance, calls)),
                "bare": timed(lambda: bare(recorder, backend)),
                "judged, as a run": timed(lambda: side_by_side(lanes, target, judge, chance, calls)),
                "query-jobs": timed(lambda: trips(backend, calls)),
            }
            if round_number:
                for name, rate in rates.items():
                    found[name].append(rate)
        for each in (recorder, *lanes):
            each.close()
    finally:
        target.close()
    return target.versions, found


def main() -> None:
    """Reads the options, measures, and prints."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=2_000, help="in each round")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--json", type=Path, help="write all figures to this file too")
    given = options.parse_args()
    versions, found = measure(given.calls, given.repeats)
    words = {**machine_words(), **versions, "load": f"{os.getloadavg()[0]:.1f}"}
    print(", ".join(f"{name} {value}" for name, value in words.items()))
    print(f"medians of {given.repeats} rounds of {given.calls:,} calls")
    print(f"{'':16} {'calls/s':>10} {'x bare':>8} {'calls/s of CPU':>16} {'x bare':>8}")
    walls = {name: median(rate.calls_per_second for rate in rates) for name, rates in found.items()}
    cpus = {name: median(rate.calls_per_cpu_second for rate in rates) for name, rates in found.items()}
    for name in found:
        of_wall, of_cpu = walls[name] / walls["bare"], cpus[name] / cpus["bare"]
        print(f"{name:16} {walls[name]:>10,.0f} {of_wall:8.2f} {cpus[name]:>16,.0f} {of_cpu:8.2f}")
    if given.json is not None:
        figures = {name: [vars(rate) for rate in rates] for name, rates in found.items()}
        given.json.write_text(json.dumps({**words, "calls": given.calls, "rates": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
