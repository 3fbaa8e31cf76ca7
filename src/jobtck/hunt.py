"""A hunt searches one target for deviations: a main lane that never waits, side lanes for calls that cost seconds."""

import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jobtck.conformance.capabilities import Target
from jobtck.conformance.cells import Cell
from jobtck.conformance.conversations import Conversations
from jobtck.conformance.errors import JobtckError
from jobtck.conformance.judge import Judge
from jobtck.conformance.power import measure
from jobtck.conformance.power_record import Power
from jobtck.conformance.record import Cost
from jobtck.conformance.requirement import Level
from jobtck.conformance.tally import Tally
from jobtck.findings import Findings, IsListed
from jobtck.lanes import Lane
from jobtck.reruns import Reruns
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw, waits
from jobtck.strategies.tour import NewSession, Tour

FAST_LANES = 2  # tours side by side where calls leave the interpreter waiting for another process
TOUR_JOBS = 2  # live jobs in the tour: two of everything meet; three of a kind are met besides
SIDE_LANES = 12  # guests side by side, as many as calls wait for the state lock; each takes some 60 MiB
CONFIRM_SECONDS = 6.0  # kept back from the budget for running again what is listed, but no more than this share
CONFIRM_SHARE = 0.25
EXTRA_SECONDS = 45.0  # beyond the budget, on a machine so busy that a MUST is not exercised by then
MISHAPS_TOLD_MAX = 5  # different ones, each with the proof that nobody here was to blame if there is one
SEED_STRIDE = 1_000_003  # between the seeds of lanes, far more than the rounds of one

Progress = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to hunt (seconds from `began`), with what seed, and where Hypothesis keeps its examples.

    A quick hunt visits each cell once and ends then. It leaves out what waits for the server's lock, and what only that
    would exercise.
    """

    budget_seconds: float
    seed: int
    database: Path | None = None
    is_quick: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def searching_seconds(self) -> float:
        """When to stop searching: what is left of the budget is for running deviations again."""
        return self.budget_seconds - min(CONFIRM_SECONDS, self.budget_seconds * CONFIRM_SHARE)


class Hunt:
    """One design on one target: what was found, what was counted, and what could not be done."""

    def __init__(
        self, target: Target, plan: Plan, stop: threading.Event, is_listed: IsListed = lambda _: False
    ) -> None:
        self.target = target
        self.plan = plan
        self.judge = Judge(target.design, target.capabilities)
        self.notes = list(target.capabilities.notes)
        self.failure: JobtckError | None = None
        self.left_out: frozenset[str] = frozenset()  # requirements that nothing but waiting would exercise
        self.conversations = Conversations()
        self.power: Power | None = None
        self._stop = stop
        self._pool: ThreadPoolExecutor | None = None
        self._futures: list[Future[None]] = []
        self._side: list[Lane] = []
        self._fast: list[Lane] = []
        self._alphabet = Alphabet(target.design, target.capabilities, TOUR_JOBS)
        self.chart: Chart = draw(self.judge, self._alphabet)
        if self.chart.is_cut_off:
            self.notes.append(f"cells further away than {len(self.chart.places):,} places were not looked for")
        self.tour = Tour(self.chart, self._alphabet)
        self.findings = Findings(self.chart, is_listed)
        self._exercisable = frozenset(self._quick_musts())

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def seconds_gone(self) -> float:
        """Seconds since the hunt began."""
        return time.monotonic() - self.plan.began

    def _searching_left(self) -> float:
        return self.plan.searching_seconds - self.seconds_gone

    def _time_left(self) -> float:
        return self.plan.budget_seconds - self.seconds_gone

    def is_over(self) -> bool:
        """The time for searching is up, or somebody wants it to end.

        A busy machine gets more time, as long as a MUST that calls could exercise is not exercised.
        """
        if self._stop.is_set() or self.failure is not None:
            return True
        late = -self._searching_left()
        return late >= 0 and (late > EXTRA_SECONDS or not self._is_wanting())

    def _is_wanting(self) -> bool:
        """A MUST is not exercised that quick calls could exercise."""
        lanes = (*self._fast, *self._side)
        return not self._exercisable <= set[str]().union(*(lane.tally.exercised_ids() for lane in lanes))

    def _fail(self, error: JobtckError) -> None:
        """The first failure is the one to tell; it ends the hunt."""
        if self.failure is None:
            self.failure = error

    def _quick_musts(self) -> Iterator[str]:
        """The MUSTs that some call exercises without a wait for the server's lock."""
        binding = {each.id for each in self.judge.requirements if each.level is Level.MUST}
        for each, (_, move) in self.chart.ways.items():
            if not binding.isdisjoint(move.exercises) and not self._waits(each):
                yield from binding.intersection(move.exercises)

    # -- lanes ----------------------------------------------------------------------------------------------------

    def begin_excursions(self) -> None:
        """Sends side lanes to what costs seconds; they go on while the main lane tours."""
        wait_seconds = self.target.capabilities.lock_wait_seconds
        excursions = list(self.tour.excursions())
        if self.plan.is_quick or wait_seconds > self._searching_left():
            left_out = [each for each in excursions if self._waits(each)]
            excursions = [each for each in excursions if not self._waits(each)]
            if left_out and self.plan.is_quick:
                self.left_out = frozenset(id for each in left_out for id in self.chart.ways[each][1].exercises)
            elif left_out:
                self.notes.append(
                    f"{len(left_out)} cells wait {wait_seconds:.0f} s for the server's lock each and were left out: "
                    f"the budget is {self.plan.budget_seconds:.0f} s"
                )
        if not excursions:
            return
        waiting = deque(each for each in excursions if self._waits(each))
        quick = deque(each for each in excursions if not self._waits(each))
        lanes = min(SIDE_LANES, max(2, len(waiting)))
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="side-lane")
        self._side = [self._lane() for _ in range(lanes)]
        # Every other lane begins with what does not wait: on a busy machine there is time for little, but some of each.
        queues = itertools.cycle(((waiting, quick), (quick, waiting)))
        self._futures = [self._pool.submit(self._side_lane, lane, *next(queues)) for lane in self._side]

    def _lane(self) -> Lane:
        return Lane(self.target, self.judge, self.findings.meet, self.conversations.keep)

    def _waits(self, each: Cell) -> bool:
        place, move = self.chart.ways[each]
        return waits(self.target.capabilities, place.belief, move.call)

    def _side_lane(self, lane: Lane, first: deque[Cell], second: deque[Cell]) -> None:
        def visit_all(new_session: NewSession) -> None:
            while (queue := first or second) and not self.is_over():
                try:
                    each = queue.popleft()
                except IndexError:  # another lane has taken the last of them
                    continue
                if not self._waits(each) or self.target.capabilities.lock_wait_seconds <= self._searching_left():
                    self.tour.visit_costly(each, new_session, self.findings.meet, self.is_over)

        try:
            if first or second:
                self._work(lane, visit_all)
        finally:
            lane.close()

    def go_on_tour(self, progress: Progress, until: float) -> None:
        """Visits all that is cheap, until *until* (seconds from the start); *progress* is told of the cells."""
        stop = self._watched(progress, until)
        self._in_fast_lanes(lambda _, new_session: self.tour.visit_cheap(new_session, self.findings.meet, stop))

    def catch_up(self, progress: Progress) -> None:
        """Goes on touring if the time is up and a MUST is not exercised yet, which a busy machine may need."""
        if self._searching_left() <= 0 and not self.is_over():
            self.go_on_tour(progress, math.inf)

    def run_machine(self, progress: Progress, until: float) -> None:
        """Lets Hypothesis draw long sessions until *until* (seconds from the start of the hunt)."""
        from jobtck.strategies.programs import run_program
        from jobtck.strategies.search import search

        stop = self._watched(progress, until)
        alphabet = Alphabet(self.target.design, self.target.capabilities)

        def work(lane: int, new_session: NewSession) -> None:
            search(
                lambda program: run_program(program, new_session(), alphabet, self.findings.meet, stop),
                stop,
                self.plan.seed + lane * SEED_STRIDE,
                self.plan.database if lane == 0 else None,
            )

        self._in_fast_lanes(work)

    def _in_fast_lanes(self, work: Callable[[int, NewSession], None]) -> None:
        lanes = FAST_LANES if self.target.capabilities.in_another_process else 1
        while len(self._fast) < lanes:
            self._fast.append(self._lane())
        if lanes == 1:
            self._work(self._fast[0], partial(work, 0))
            return
        with ThreadPoolExecutor(lanes, thread_name_prefix="fast-lane") as pool:
            futures = [pool.submit(self._work, lane, partial(work, at)) for at, lane in enumerate(self._fast)]
            for future in futures:
                future.result()

    def _work(self, lane: Lane, work: Callable[[NewSession], None]) -> None:
        """Work of one lane; what it fails of is the hunt's failure, unless the hunt is to end anyway."""
        try:
            lane.work(work, self._stop.is_set)
        except JobtckError as error:
            self._fail(error)

    def _watched(self, progress: Progress, until: float) -> Callable[[], bool]:
        def stop() -> bool:
            calls = sum(lane.tally.calls for lane in self._fast)
            progress(self.cells_visited, calls, len(self.findings))
            return self.is_over() or self.seconds_gone > until

        return stop

    @property
    def cells_visited(self) -> int:
        """Cells of the chart that were visited or given up."""
        return len(self.chart.ways) - len(self.tour.open_cells)

    # -- what was found -------------------------------------------------------------------------------------------

    def wait_for_excursions(self) -> None:
        """Returns when the side lanes are through."""
        for future in self._futures:
            future.result()
        if self._pool is not None:
            self._pool.shutdown()
        self._report_mishaps()

    def _report_mishaps(self) -> None:
        """What failed once and not again is no failure, and no secret."""
        mishaps = [str(error) for lane in (*self._fast, *self._side) for error in lane.mishaps]
        if mishaps and self.failure is None and not self._stop.is_set():
            times = "once" if len(mishaps) == 1 else f"{len(mishaps)} times"
            why = "; ".join(list(dict.fromkeys(mishaps))[:MISHAPS_TOLD_MAX])
            self.notes.append(f"guests were exchanged for fresh ones {times}: {why}")

    def confirm_all(self) -> None:
        """Runs each deviation again, and keeps what came of that."""
        again = Reruns(self.target, self.judge, self._stop.is_set, self._fail)
        if self.failure is not None:
            again.give_up("the run ended before")
        again.run_all(self.findings, self.counted())

    def measure_power(self) -> None:
        """Works out how many changed answers would have been noticed; not where the run ended before."""
        if self.failure is None:
            self.power = measure(self.judge, self.conversations.all(), self.plan.seed, self._stop.is_set)

    # -- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Gives the fast lanes' guests back."""
        for lane in self._fast:
            lane.close()

    def counted(self) -> Tally:
        """What the lanes have counted that are not under way."""
        total = Tally()
        side = self._side if all(future.done() for future in self._futures) else []
        for lane in (*self._fast, *side):
            total.merge(lane.tally)
        return total

    def cost(self) -> Cost:
        """What the fast lanes cost together."""
        tallies = [lane.tally for lane in self._fast]
        return Cost(
            calls=sum(tally.calls for tally in tallies),
            seconds_total=sum(lane.seconds for lane in self._fast),
            seconds_in_backend=sum(tally.seconds for tally in tallies),
        )
