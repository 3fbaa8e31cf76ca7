"""The tour visits every cell of a chart with few calls, and goes on where the backend took it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

from jobtck.conformance.cells import Cell, cell
from jobtck.conformance.judge import Belief, Judge
from jobtck.conformance.session import Session
from jobtck.conformance.state import State
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, Move, costly, place_words
from jobtck.strategies.foresight import foresee

IDLE_CALLS_MAX = 12  # calls without a new cell, before the nearest open one is gone to from the beginning

NewSession = Callable[[], Session]
OnDeviation = Callable[[Session], None]
Stop = Callable[[], bool]


class Tour:
    """Which cells are still to visit; several lanes may tour the same chart."""

    def __init__(self, judge: Judge, chart: Chart, alphabet: Alphabet) -> None:
        self.chart = chart
        self._judge = judge
        self._alphabet = alphabet
        self._open = dict.fromkeys(chart.ways)
        self._places_of: dict[Cell, list[str]] = {}
        self._open_in = dict.fromkeys(chart.places, 0)
        for place in chart.places.values():
            for move in place.moves:
                if not move.costly:
                    self._places_of.setdefault(move.cell, []).append(place.words)
                    self._open_in[place.words] += 1
        self._moves: dict[frozenset[State], tuple[Move, ...]] = {}
        self._lock = threading.Lock()

    @property
    def open_cells(self) -> tuple[Cell, ...]:
        """The cells not visited yet."""
        return tuple(self._open)

    def _claim(self, visited: Cell) -> bool:
        with self._lock:
            if visited not in self._open:
                return False
            del self._open[visited]
            for words in self._places_of.get(visited, ()):
                self._open_in[words] -= 1
            return True

    # -- the main lane: everything that is cheap ------------------------------------------------------------------

    def visit_cheap(self, new_session: NewSession, on_deviation: OnDeviation, stop: Stop) -> None:
        """Visits every cell that cheap calls lead to, until none is open or *stop* says so."""
        session = new_session()
        idle = 0
        while not stop():
            move = self._next(session) if idle <= IDLE_CALLS_MAX else None
            if move is None:
                target = self._soonest_open()
                if target is None:
                    return
                session = self._lead(new_session, on_deviation, target, stop)
                idle = 0
                continue
            idle = 0 if self._claim(cell(session.belief.state, move.call)) else idle + 1
            if not self._make(session, move, on_deviation):
                session = new_session()

    def _make(self, session: Session, move: Move, on_deviation: OnDeviation) -> bool:
        """Makes the move; the answer is whether the session goes on."""
        if not session.can(move.call):
            self._claim(move.cell)
            return False
        step = session.perform(move.call)
        self._claim(step.ruling.cell)
        if step.belief is None:
            on_deviation(session)
            return False
        return True

    def _next(self, session: Session) -> Move | None:
        """An open move from here that stays, else one that leads on, else the first of a way to an open one."""
        moves = [move for move in self._moves_from(session.belief) if not move.costly]
        here = place_words(session.belief)
        open_moves = [move for move in moves if move.cell in self._open]
        staying = (move for move in open_moves if move.leads_to == here)
        return next(staying, None) or next(iter(open_moves), None) or self._towards_open(here, moves)

    def _towards_open(self, here: str, moves: list[Move]) -> Move | None:
        """The first move of a shortest way over the chart to a place with something open."""
        first: dict[str, Move] = {}
        frontier: deque[str] = deque()
        for move in moves:
            if move.leads_to != here and move.leads_to not in first:
                first[move.leads_to] = move
                frontier.append(move.leads_to)
        while frontier:
            words = frontier.popleft()
            place = self.chart.places.get(words)
            if place is None:
                continue
            if self._open_in[words]:
                return first[words]
            for move in place.moves:
                if not move.costly and move.leads_to not in first and move.leads_to != here:
                    first[move.leads_to] = first[words]
                    frontier.append(move.leads_to)
        return None

    def _soonest_open(self) -> Cell | None:
        for visited in self._open:
            place, move = self.chart.ways[visited]
            if not place.costly and not move.costly:
                return visited
        return None

    def _lead(self, new_session: NewSession, on_deviation: OnDeviation, target: Cell, stop: Stop) -> Session:
        """A session that went the chart's own way to that cell; if it does not get there the cell is given up."""
        session = new_session()
        self._claim(target)
        for call in self.chart.way(target):
            if stop() or not session.can(call):
                return new_session()
            step = session.perform(call)
            self._claim(step.ruling.cell)
            if step.belief is None:
                on_deviation(session)
                return new_session()
        return session

    # -- side lanes: calls that cost seconds, each on its own -----------------------------------------------------

    def excursions(self) -> tuple[Cell, ...]:
        """The open cells that cost seconds to visit, those that wait longest first; each leads to others."""
        return tuple(each for each in self._open if self.chart.ways[each][1].costly)

    def visit_costly(
        self, target: Cell, new_session: NewSession, on_deviation: OnDeviation, stop: Stop
    ) -> None:
        """Goes to that cell, and visits what is open and cheap where it leads, as long as the way goes on."""
        if target not in self._open:
            return
        session = self._lead(new_session, on_deviation, target, stop)
        if not session.history or session.history[-1].call != self.chart.ways[target][1].call:
            return
        while not stop():
            moves = self._moves_from(session.belief)
            here = place_words(session.belief)
            staying = (move for move in moves if not move.costly and move.leads_to == here)
            move = next((move for move in staying if self._claim(move.cell)), None)
            if move is None or not self._make(session, move, on_deviation):
                return

    def _moves_from(self, belief: Belief) -> tuple[Move, ...]:
        moves = self._moves.get(belief.states)
        if moves is None:
            moves = self._moves[belief.states] = tuple(self._look(belief))
        return moves

    def _look(self, belief: Belief) -> Iterator[Move]:
        capabilities = self._alphabet.capabilities
        for call in self._alphabet.calls(belief):
            step = foresee(self._judge, belief, call)
            if step is not None and step.belief is not None:
                leads_to = place_words(step.belief)
                yield Move(call, cell(belief.state, call), leads_to, costly(capabilities, belief, call))
