"""The tour visits every cell of a chart with few calls, and goes on where the backend took it."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from jobtck.conformance.calls import ENVIRONMENT, FAULTS, QUERIES, Call, GetBlockJobInfo, GetJobInfo, GetJobStats
from jobtck.conformance.cells import Cell, cell
from jobtck.conformance.errors import JobtckError
from jobtck.conformance.judge import Belief
from jobtck.conformance.session import Session
from jobtck.conformance.state import State
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, costly, place_words, waits

IDLE_CALLS_MAX = 12  # calls without a new cell, before the nearest open one is gone to from the beginning
TRIES = 2  # ways to a place that may be missed, before the backend is taken not to lead there
ASKED_TWICE = (GetJobInfo, GetJobStats, GetBlockJobInfo)
BELIEFS_MAX = 5_000  # beliefs whose calls are remembered

NewSession = Callable[[], Session]
OnDeviation = Callable[[Session], object]
Stop = Callable[[], bool]


def pioneers(chart: Chart, cells: Iterable[Cell]) -> Iterator[Cell]:
    """Of the cells those that exercise a requirement which none before exercises."""
    exercised: set[str] = set()
    for each in cells:
        _, move = chart.ways[each]
        if not exercised.issuperset(move.exercises):
            exercised.update(move.exercises)
            yield each


def _is_costly(chart: Chart, visited: Cell) -> bool:
    """The cell's call costs seconds, or one on the way to it."""
    place, move = chart.ways[visited]
    return place.costly or move.costly


class Tour:
    """Which cells are still to visit; several lanes may tour the same chart."""

    def __init__(self, chart: Chart, alphabet: Alphabet) -> None:
        self.chart = chart
        self._alphabet = alphabet
        self._open = dict.fromkeys(chart.ways)
        self._places_of: dict[Cell, list[str]] = {}
        self._open_in = dict.fromkeys(chart.places, 0)
        for place in chart.places.values():
            for move in place.moves:
                if not move.costly:
                    self._places_of.setdefault(move.cell, []).append(place.words)
                    self._open_in[place.words] += 1
        self._pioneers = deque(pioneers(chart, (each for each in chart.ways if not _is_costly(chart, each))))
        self._missed: dict[str, int] = {}
        self._unreached: list[Cell] = []
        self._calls: dict[frozenset[State], Mapping[Cell, Call]] = {}
        self._lock = threading.Lock()

    @property
    def open_cells(self) -> tuple[Cell, ...]:
        """The cells not visited yet, and those that the backend does not lead to."""
        return (*self._open, *self._unreached)

    @property
    def is_through(self) -> bool:
        """Every cell was visited or tried, but for those where the server's lock is waited for."""
        return not any(self._is_quick(each) for each in self._open)

    def _is_quick(self, each: Cell) -> bool:
        place, move = self.chart.ways[each]
        return not waits(self._alphabet.capabilities, place.belief, move.call)

    def _claim(self, visited: Cell) -> bool:
        with self._lock:
            if visited not in self._open:
                return False
            del self._open[visited]
            for words in self._places_of.get(visited, ()):
                self._open_in[words] -= 1
            return True

    def _reopen(self, missed: Cell) -> None:
        """The backend failed on the way: the cell is still to visit."""
        with self._lock:
            self._open[missed] = None
            for words in self._places_of.get(missed, ()):
                self._open_in[words] += 1

    # -- main lanes: everything that is cheap ---------------------------------------------------------------------

    def visit_cheap(self, new_session: NewSession, on_deviation: OnDeviation, stop: Stop) -> None:
        """Visits every cell that cheap calls lead to, until none is open or *stop* says so.

        First comes a cell for each requirement: where there is time for little, it is some of each.
        """
        while not stop() and (target := self._next_pioneer()) is not None:
            self._lead(new_session, on_deviation, target, stop)
        session = new_session()
        idle = 0
        while not stop():
            call = self._next(session.belief) if idle <= IDLE_CALLS_MAX else None
            if call is None:
                target = self._soonest_open()
                if target is None:
                    return
                session, idle = self._lead(new_session, on_deviation, target, stop), 0
                continue
            is_new = self._claim(cell(session.belief.state, call))
            idle = 0 if is_new else idle + 1
            make = self._make_and_ask if is_new else self._make
            if not make(session, call, on_deviation):
                session = new_session()

    def _make(self, session: Session, call: Call, on_deviation: OnDeviation) -> bool:
        """Makes the call; the answer is whether the session goes on."""
        if not session.can(call):
            return False
        step = session.perform(call)
        self._claim(step.ruling.cell)
        if step.deviations:
            on_deviation(session)
        return step.belief is not None

    def _make_and_ask(self, session: Session, call: Call, on_deviation: OnDeviation) -> bool:
        """Makes the call, and asks of the jobs that live then: what it did besides is seen where it was done.

        A question for progress or statistics is asked twice: some of what they must not say shows in the second answer.
        The progress of a job is compared with that of its disks.
        """
        if not self._make(session, call, on_deviation):
            return False
        if isinstance(call, ASKED_TWICE):
            of_disks = self._of_disks(session.belief, call.domain) if isinstance(call, GetJobInfo | GetJobStats) else ()
            return all(self._make(session, each, on_deviation) for each in (call, *of_disks))
        if isinstance(call, QUERIES) or (isinstance(call, ENVIRONMENT) and not isinstance(call, FAULTS)):
            return True
        for question in self._questions(session.belief, call.domain):
            is_new = self._claim(cell(session.belief.state, question))
            make = self._make_and_ask if is_new else self._make
            if not make(session, question, on_deviation):
                return False
        return True

    def _questions(self, belief: Belief, domain: int) -> Iterator[Call]:
        """The questions for the progress of each live job of the domain."""
        has = self._alphabet.capabilities.has
        there = belief.state.domains[domain]
        if there.backups and has(GetJobInfo):
            yield GetJobInfo(domain=domain)
        if has(GetBlockJobInfo):
            yield from (
                GetBlockJobInfo(domain=domain, disk=job.disks[0]) for job in there.jobs if not job.kind.is_backup
            )

    def _of_disks(self, belief: Belief, domain: int) -> Iterator[Call]:
        if self._alphabet.capabilities.has(GetBlockJobInfo):
            disks = (disk for job in belief.state.domains[domain].jobs for disk in job.disks)
            yield from (GetBlockJobInfo(domain=domain, disk=disk) for disk in disks)

    def _next(self, belief: Belief) -> Call | None:
        """An open call that leaves all as it is, else one that leads on, else the first of a way to an open one."""
        calls = self._calls_in(belief)
        here = place_words(belief)
        open_calls = [(visited, call) for visited, call in calls.items() if visited in self._open]
        place = self.chart.places.get(here)
        leads_to = {} if place is None else {move.cell: move.leads_to for move in place.moves}
        staying = (call for visited, call in open_calls if leads_to.get(visited, here) == here)
        leading = (call for _, call in open_calls)
        return next(staying, None) or next(leading, None) or self._towards_open(here, calls)

    def _towards_open(self, here: str, calls: Mapping[Cell, Call]) -> Call | None:
        """The first call of a shortest way over the chart to a place with something open."""
        first: dict[str, Call] = {}
        frontier: deque[str] = deque([here])
        while frontier:
            words = frontier.popleft()
            place = self.chart.places.get(words)
            if place is None:
                continue
            if words != here and self._open_in[words]:
                return first[words]
            for move in place.moves:
                if move.costly or move.leads_to in first or move.leads_to == here:
                    continue
                call = first[words] if words != here else calls.get(move.cell)
                if call is not None:
                    first[move.leads_to] = call
                    frontier.append(move.leads_to)
        return None

    def _next_pioneer(self) -> Cell | None:
        with self._lock:
            while self._pioneers:
                target = self._pioneers.popleft()
                if target in self._open:
                    return target
        return None

    def _soonest_open(self) -> Cell | None:
        with self._lock:
            return next((visited for visited in self._open if not _is_costly(self.chart, visited)), None)

    def _lead(self, new_session: NewSession, on_deviation: OnDeviation, target: Cell, stop: Stop) -> Session:
        """A session that went the chart's own way to that cell; if it does not get there the cell is given up."""
        session = new_session()
        self._claim(target)
        place, move = self.chart.ways[target]
        for call in place.path:
            if stop() or not self._make(session, call, on_deviation):
                return new_session()
        if place_words(session.belief) != place.words:
            self._give_up(place.words)
        return session if self._make_and_ask(session, move.call, on_deviation) else new_session()

    def _give_up(self, words: str) -> None:
        """The backend does not lead to that place: after a second try its cells are left open for good."""
        self._missed[words] = self._missed.get(words, 0) + 1
        if self._missed[words] < TRIES:
            return
        for visited in [each for each in self._open if self.chart.ways[each][0].words == words]:
            if self._claim(visited):
                self._unreached.append(visited)

    # -- side lanes: calls that cost seconds, each on its own -----------------------------------------------------

    def excursions(self) -> tuple[Cell, ...]:
        """The open cells that cost seconds to visit, first those that exercise what others do not; each leads on."""
        costly_ones = [each for each in self._open if self.chart.ways[each][1].costly]
        return tuple(dict.fromkeys((*pioneers(self.chart, costly_ones), *costly_ones)))

    def visit_costly(self, target: Cell, new_session: NewSession, on_deviation: OnDeviation, stop: Stop) -> None:
        """Goes to that cell, and visits what is open and cheap where it leads, as long as the way goes on."""
        if not self._claim(target):
            return
        try:
            session = new_session()
            *way, last = self.chart.way(target)
            for call in way:
                if stop() or not self._make(session, call, on_deviation):
                    return
            if not self._make_and_ask(session, last, on_deviation):
                return
        except JobtckError:
            self._reopen(target)
            raise
        here = place_words(session.belief)
        while not stop() and place_words(session.belief) == here:
            move = next((move for move in self._staying(session.belief, here) if self._claim(move)), None)
            if move is None or not self._make_and_ask(session, self._calls_in(session.belief)[move], on_deviation):
                return

    def _staying(self, belief: Belief, here: str) -> Iterator[Cell]:
        """The cells of the place that leave all as it is."""
        place = self.chart.places.get(here)
        calls = self._calls_in(belief)
        for move in place.moves if place is not None else ():
            if not move.costly and move.leads_to == here and move.cell in calls:
                yield move.cell

    def _calls_in(self, belief: Belief) -> Mapping[Cell, Call]:
        """The cheap calls that can be made, by the cell that they visit."""
        calls = self._calls.get(belief.states)
        if calls is None:
            if len(self._calls) >= BELIEFS_MAX:
                self._calls.clear()
            capabilities = self._alphabet.capabilities
            calls = self._calls[belief.states] = {
                cell(belief.state, call): call
                for call in reversed(self._alphabet.calls(belief))
                if not costly(capabilities, belief, call)
            }
        return calls
