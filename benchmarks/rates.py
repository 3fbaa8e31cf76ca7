"""Lays a flaw that comes one time in N over a backend, and asks of whole runs whether it was found, and its rate right.

The flaw: one in N answers to `take_events` has three events too many, which no backend could explain. For each run it
is told whether there was such an answer, whether EVENT-1 failed and the run with it, and whether the reported rate,
met of exercised, has 1/N within its 95 % interval. It ends with 0 if every run that met the flaw failed, none failed
that did not meet it, and the rate was right in nine of ten runs that reported one; and if the flaw came at all.
"""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from unittest.mock import patch

from jobtck import run
from jobtck.backends import open_target
from jobtck.conformance.calls import Call, JobType
from jobtck.conformance.capabilities import Backend, Capabilities, Options, Target
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Events, Outcome
from jobtck.conformance.rates import interval
from jobtck.conformance.record import Deviation, RunRecord, Verdict
from jobtck.known import shipped_known

RATES = (2, 5, 10, 50, 200)
FLAWED = "EVENT-1"
TOO_MANY = ((JobType.BACKUP, True),) * 3
RIGHT_SHARE = 0.9  # of the intervals, which hold the true rate in 95 % of all runs
ADAPTER = f"exec:{sys.executable} -m jobtck.fixtures.reference_adapter"
BACKENDS = {
    "reference": ("reference", "zero-id", RATES, 10.0),
    "exec": (ADAPTER, "zero-id", RATES, 15.0),
    "libvirt": ("libvirt", "default-job", RATES[:3], 60.0),
}


class FlawedBackend:
    """A backend that tells of events that never were, one time in N."""

    def __init__(self, backend: Backend, is_due: Callable[[], bool]) -> None:
        self._backend = backend
        self._is_due = is_due

    def perform(self, call: Call) -> Outcome:
        outcome = self._backend.perform(call)
        if isinstance(outcome, Events) and self._is_due():
            return Events((*outcome.events, *TOO_MANY))
        return outcome

    def end_all_jobs(self) -> None:
        self._backend.end_all_jobs()

    def close(self) -> None:
        self._backend.close()


class FlawedTarget:
    """A target whose guests have the flaw; it counts how often it came."""

    def __init__(self, target: Target, one_in: int, seed: int) -> None:
        self._target = target
        self._one_in = one_in
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.came = 0
        self.name = target.name
        self.uri = target.uri
        self.design: Design = target.design
        self.capabilities: Capabilities = target.capabilities
        self.builds = target.builds
        self.versions = target.versions

    def fresh(self) -> Backend:
        return FlawedBackend(self._target.fresh(), self._is_due)

    def _is_due(self) -> bool:
        with self._lock:
            is_due = self._random.randrange(self._one_in) == 0
            self.came += is_due
            return is_due

    def close(self) -> None:
        self._target.close()


@dataclass(frozen=True, slots=True)
class Order:
    """One run: on which backend, with which flaw."""

    where: str
    one_in: int
    seed: int
    budget_seconds: float
    is_quick: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a run; without a deviation `met` and `exercised` are 0."""

    order: Order
    came: int
    status: int
    failed: bool
    met: int
    exercised: int

    @property
    def is_found(self) -> bool:
        """The run fails of the flaw if it met it, and not otherwise."""
        return (self.failed and self.status == 1) if self.came else (not self.failed and self.status in {0, 3})

    @property
    def is_rate_right(self) -> bool:
        """The true rate is within the interval of the one that was reported."""
        low, high = interval(self.met, self.exercised)
        return self.met > 0 and low <= 1 / self.order.one_in <= high


def tried(order: Order) -> Found:
    """A whole run, as `jobtck run` makes it."""
    backend, design, _, _ = BACKENDS[order.where]
    targets: list[FlawedTarget] = []

    def flawed(name: str, design: Design, options: Options) -> Target:
        targets.append(FlawedTarget(open_target(name, design, options), order.one_in, order.seed))
        return targets[-1]

    wanted = run.Order(
        pairs=((backend, design),),
        options=Options(),
        budget_seconds=order.budget_seconds,
        seed=order.seed,
        known=shipped_known(),
        strict=False,
        command="jobtck run",
        is_quick=order.is_quick,
    )
    with patch.object(run, "open_target", flawed):
        record = run.judge_all(wanted, run.Silent(), threading.Event())
    found = deviations(record)
    return Found(
        order=order,
        came=sum(target.came for target in targets),
        status=record.exit_status,
        failed=bool(found),
        met=sum(each.met for each in found),
        exercised=max((each.exercised for each in found), default=0),
    )


def deviations(record: RunRecord) -> Sequence[Deviation]:
    """Those from the requirement that the flaw breaks, where it failed."""
    return [
        deviation
        for part in record.records
        for each in part.requirements
        if each.id == FLAWED and each.verdict is Verdict.FAIL
        for deviation in each.deviations
    ]


def table(results: Sequence[Found]) -> Iterator[str]:
    """A line for each backend and rate: of how many runs the flaw came, was found, and was told with the right rate."""
    yield f"{'backend':10} {'1 in':>5} {'runs':>5} {'came':>5} {'found':>6} {'rate right':>11}   met of exercised, 95 %"
    groups: dict[tuple[str, int], list[Found]] = {}
    for each in results:
        groups.setdefault((each.order.where, each.order.one_in), []).append(each)
    for (where, one_in), group in groups.items():
        rated = [each for each in group if each.failed]
        told = "; ".join(map(rate_text, rated[:3]))
        yield (
            f"{where:10} {one_in:5} {len(group):5} {sum(each.came > 0 for each in group):5} "
            f"{sum(each.is_found and each.came > 0 for each in group):6} "
            f"{sum(each.is_rate_right for each in rated):4} of {len(rated):<4}   {told}"
        )


def rate_text(found: Found) -> str:
    low, high = interval(found.met, found.exercised)
    return f"{found.met} of {found.exercised}, {low:.4f}-{high:.4f}"


def is_good(results: Sequence[Found]) -> bool:
    """Nothing was missed or blamed for nothing, and the rates are as right as rates can be."""
    rated = [each for each in results if each.failed]
    right = sum(each.is_rate_right for each in rated)
    return all(each.is_found for each in results) and right >= RIGHT_SHARE * len(rated)


def never_came(results: Sequence[Found]) -> Iterator[str]:
    """The backends and rates of which these runs say nothing."""
    for where, one_in in dict.fromkeys((each.order.where, each.order.one_in) for each in results):
        if not any(each.came for each in results if (each.order.where, each.order.one_in) == (where, one_in)):
            yield f"{where}, 1 in {one_in}: the flaw never came: give more --seeds, or a longer --budget"


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="all but libvirt without it")
    parser.add_argument("--one-in", action="append", type=int, metavar="N", help=f"without it {RATES}")
    parser.add_argument("--seeds", type=int, default=20, help="runs of each")
    parser.add_argument("--budget", type=float, help="seconds of each run")
    parser.add_argument("--quick", action="store_true", help="each run ends when every cell was visited")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="runs side by side")
    options = parser.parse_args()
    orders = [
        Order(where, one_in, seed, options.budget or BACKENDS[where][3], options.quick)
        for where in options.backend or ("reference", "exec")
        for one_in in options.one_in or BACKENDS[where][2]
        for seed in range(1, options.seeds + 1)
    ]
    # One process for each run: libvirt's driver in a process is there once.
    with ProcessPoolExecutor(
        options.processes, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        results = []
        for number, found in enumerate(processes.map(tried, orders), 1):
            results.append(found)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(orders)}", end="", file=sys.stderr)
    print(*table(results), sep="\n")
    for each in results:
        if not each.is_found:
            print(f"  wrong: {each}")
    silent = list(never_came(results))
    print(*silent, sep="\n", end="\n" if silent else "")
    return int(bool(silent) or not is_good(results))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as storage:  # of Hypothesis, in all processes
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = storage
        sys.exit(main())
