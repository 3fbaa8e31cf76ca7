"""A hunt searches one target for deviations: a main lane that never waits, side lanes for calls that cost seconds."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jobtck.confirm import confirm
from jobtck.conformance.calls import Call, call_name
from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.cells import Cell, outcome_words
from jobtck.conformance.errors import JobtckError
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import Refusal
from jobtck.conformance.record import Cost, Deviation
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw, waits
from jobtck.strategies.tour import Tour

TOUR_JOBS = 2  # live jobs in the tour: two of everything meet; three of a kind are met besides
SIDE_LANES = 12  # guests side by side, as many as calls wait for the state lock; each takes some 60 MiB
FOUND_MAX = 60  # different deviations followed up; a backend with more has shown enough
LANES_CONFIRMING = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A deviation as it was met, not yet confirmed."""

    step: Step
    code: str
    calls: tuple[Call, ...]

    @property
    def sort(self) -> tuple[object, ...]:
        """Deviations of one sort differ in the state they were met in only."""
        step = self.step
        return (step.deviations, call_name(type(step.call)), outcome_words(step.outcome, self.code))


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to hunt (seconds from the start), with what seed, and where Hypothesis keeps its examples."""

    budget_seconds: float
    seed: int
    database: Path | None = None


class Hunt:
    """One design on one target: what was found, what was counted, and what could not be done."""

    def __init__(self, target: Target, plan: Plan, stop: threading.Event) -> None:
        self.target = target
        self.plan = plan
        self.judge = Judge(target.design, target.capabilities)
        self.tally = Tally()
        self.notes: list[str] = []
        self.deviations: list[Deviation] = []
        self.failure: JobtckError | None = None
        self._stop = stop
        self._began = time.monotonic()
        self._found: dict[tuple[object, ...], Found] = {}
        self._lock = threading.Lock()
        self._side_tallies: list[Tally] = []
        self._lanes: ThreadPoolExecutor | None = None
        self._futures: list[Future[None]] = []
        self._main_seconds = 0.0
        self._main: Backend | None = None
        self._alphabet = Alphabet(target.design, target.capabilities, TOUR_JOBS)
        self.chart: Chart = draw(self.judge, self._alphabet)
        self.tour = Tour(self.chart, self._alphabet)

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def seconds_gone(self) -> float:
        """Seconds since the hunt began."""
        return time.monotonic() - self._began

    def _time_left(self) -> float:
        return self.plan.budget_seconds - self.seconds_gone

    def is_over(self) -> bool:
        """The time is up, or somebody wants it to end."""
        return self._stop.is_set() or self._time_left() <= 0 or self.failure is not None

    # -- lanes ----------------------------------------------------------------------------------------------------

    def begin_excursions(self) -> None:
        """Sends side lanes to what costs seconds; they go on while the main lane tours."""
        wait_seconds = self.target.capabilities.lock_wait_seconds
        excursions = sorted(self.tour.excursions(), key=lambda each: not self._waits(each))
        if wait_seconds > self._time_left():
            left_out = [each for each in excursions if self._waits(each)]
            excursions = [each for each in excursions if not self._waits(each)]
            if left_out:
                self.notes.append(
                    f"{len(left_out)} cells wait {wait_seconds:.0f} s for the server's lock each and were left out: "
                    f"the budget is {self.plan.budget_seconds:.0f} s"
                )
        if not excursions:
            return
        waiting = sum(self._waits(each) for each in excursions)
        lanes = min(SIDE_LANES, max(2, waiting))
        self._lanes = ThreadPoolExecutor(lanes, thread_name_prefix="side-lane")
        queue = list(reversed(excursions))
        self._futures = [self._lanes.submit(self._side_lane, queue) for _ in range(lanes)]

    def _waits(self, each: Cell) -> bool:
        place, move = self.chart.ways[each]
        return waits(self.target.capabilities, place.belief, move.call)

    def _side_lane(self, queue: list[Cell]) -> None:
        tally = Tally()
        with self._lock:
            self._side_tallies.append(tally)
        backend: Backend | None = None
        try:
            while queue and not self.is_over():
                each = queue.pop()
                if self._waits(each) and self.target.capabilities.lock_wait_seconds > self._time_left():
                    continue
                backend = backend or self.target.fresh()
                self.tour.visit_costly(each, self._sessions(backend, tally), self._note, self.is_over)
        except JobtckError as error:
            if not self._stop.is_set():
                self.failure = self.failure or error
        finally:
            if backend is not None:
                backend.close()

    def _sessions(self, backend: Backend, tally: Tally) -> Callable[[], Session]:
        def new_session() -> Session:
            backend.end_all_jobs()
            return Session(self.judge, backend, tally)

        return new_session

    def go_on_tour(self, progress: Callable[[int, int, int], None]) -> None:
        """Visits all that is cheap; *progress* is told of cells, calls and deviations."""
        self._in_main_lane(
            lambda new_session: self.tour.visit_cheap(new_session, self._note, self._watched(progress))
        )

    def run_machine(self, until: float, progress: Callable[[int, int, int], None]) -> None:
        """Lets Hypothesis draw long sessions until *until* (seconds from the start of the hunt)."""
        from jobtck.strategies.search import search

        stop = self._watched(progress)
        alphabet = Alphabet(self.target.design, self.target.capabilities)
        self._in_main_lane(
            lambda new_session: search(
                alphabet,
                new_session,
                self._is_news,
                lambda: stop() or self.seconds_gone > until,
                self.plan.seed,
                self.plan.database,
            )
        )

    def _in_main_lane(self, work: Callable[[Callable[[], Session]], None]) -> None:
        try:
            self._main = self._main or self.target.fresh()
            begun = time.monotonic()
            try:
                work(self._sessions(self._main, self.tally))
            finally:
                self._main_seconds += time.monotonic() - begun
        except JobtckError as error:
            self.failure = self.failure or error

    def _watched(self, progress: Callable[[int, int, int], None]) -> Callable[[], bool]:
        def stop() -> bool:
            progress(self.cells_visited, self.tally.calls, len(self._found))
            return self.is_over()

        return stop

    @property
    def cells_visited(self) -> int:
        """Cells of the chart that were visited or given up."""
        return len(self.chart.ways) - len(self.tour.open_cells)

    # -- what was found -------------------------------------------------------------------------------------------

    def _note(self, session: Session) -> None:
        self._is_news(session)

    def _is_news(self, session: Session) -> bool:
        last = session.history[-1]
        code = last.outcome.code if isinstance(last.outcome, Refusal) else ""
        found = Found(last.step, code, tuple(each.call for each in session.history))
        with self._lock:
            known = self._found.get(found.sort)
            if known is None and len(self._found) >= FOUND_MAX:
                return False
            if known is None or len(found.calls) < len(known.calls):
                self._found[found.sort] = found
            return known is None

    def wait_for_excursions(self) -> None:
        """Returns when the side lanes are through."""
        for future in self._futures:
            future.result()
        if self._lanes is not None:
            self._lanes.shutdown()

    def confirm_all(self) -> None:
        """Runs each deviation again on fresh guests, as short as it can be made; flaky ones keep their rate."""
        if self._stop.is_set() or self.failure is not None:
            return
        pending = list(self._found.values())
        self._found.clear()
        with ThreadPoolExecutor(LANES_CONFIRMING, thread_name_prefix="confirm") as lanes:
            for found, result in zip(pending, lanes.map(self._confirm, pending), strict=True):
                if isinstance(result, Deviation):
                    self.deviations.append(result)
                elif result:
                    self.notes.append(f"{', '.join(found.step.deviations)}: {result}")

    def _confirm(self, found: Found) -> Deviation | str:
        visited = found.step.ruling.cell
        way = self.chart.way(visited) if visited in self.chart.ways else ()
        try:
            return confirm(self.target, self.judge, found.step.deviations, found.calls, way, self._stop.is_set)
        except JobtckError as error:
            self.failure = self.failure or error
            return ""

    # -- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Gives the main lane's guests back."""
        if self._main is not None:
            self._main.close()
            self._main = None

    def counted(self) -> Tally:
        """What all lanes have counted."""
        total = Tally()
        for tally in (self.tally, *self._side_tallies):
            total.merge(tally)
        return total

    def cost(self) -> Cost:
        """What the main lane cost."""
        return Cost(self.tally.calls, self._main_seconds, self.tally.seconds)
