"""The chart of a design: every cell that the model can reach, each with a shortest way there."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from jobtck.conformance.calls import (
    QUERIES,
    BlockJobAbort,
    Call,
    Destroy,
    EndSession,
    Kind,
    Save,
    Settle,
    Storage,
    TakeEvents,
    call_name,
)
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.cells import Cell, cell, domain_words, kept_words
from jobtck.conformance.judge import Belief, Judge
from jobtck.conformance.outcomes import DONE
from jobtck.conformance.state import Gone, HandleState, Kept, Phase
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.begins import is_on_bad_storage
from jobtck.strategies.foresight import foresee

PLACES_MAX = 2_000  # places of one design; the presets have some hundred
EXCURSION_JOBS_MAX = 1  # live jobs where a call is tried that costs seconds: more teach nothing about it


@dataclass(frozen=True, slots=True)
class Move:
    """A call in a place, the cell it visits, and what is foreseen: where it leads, which requirements it exercises."""

    call: Call
    cell: Cell
    leads_to: str
    costly: bool
    exercises: tuple[str, ...]


@dataclass(slots=True)
class Place:
    """Positions that differ in names only; `path` is a shortest way from the beginning."""

    words: str
    path: tuple[Call, ...]
    belief: Belief
    costly: bool
    moves: tuple[Move, ...] = ()


@dataclass(slots=True)
class Chart:
    """Places by their words, in the order of their distance, and the way to each cell.

    `is_cut_off`: there are more places than can be drawn.
    """

    places: dict[str, Place] = field(default_factory=dict)
    ways: dict[Cell, tuple[Place, Move]] = field(default_factory=dict)
    is_cut_off: bool = False
    between_sessions: tuple[str, ...] = ()  # what the end of a session exercises

    @property
    def exercises(self) -> frozenset[str]:
        """The requirements that some call of the chart exercises, or the end of a session."""
        moves = (move for place in self.places.values() for move in place.moves)
        return frozenset((*self.between_sessions, *(id for move in moves for id in move.exercises)))

    def way(self, visited: Cell) -> tuple[Call, ...]:
        """The calls that visit a cell soonest, the cell's own call last."""
        place, move = self.ways[visited]
        return (*place.path, move.call)


def place_words(belief: Belief) -> str:
    """A position without names, and without what a crowded one has in addition to emptier ones."""
    first, *others = belief.state.domains
    elsewhere = [f"elsewhere {domain_words(other)}" for other in others if other.jobs or not other.running]
    words = [domain_words(first), *elsewhere]
    by_hand = any(job.is_led_by_hand for job in first.jobs)
    if belief.is_sure and len(first.jobs) <= 1 and not elsewhere and not by_hand:
        words += _what_was(belief)
    if first.default is not None:
        words.append("default set")
    if len(first.jobs) == 1 and not first.jobs[0].known:
        words.append("id not told")
    return ", ".join(words)


def _what_was(belief: Belief) -> list[str]:
    """What is left of jobs that are over: the last id, statistics, handles."""
    first = belief.state.domains[0]
    words = [_gone_words(gone) for gone in first.gone[-1:]]
    if not first.jobs and first.kept is not Kept.NONE:
        words.append(kept_words(first))
    newest = [handle for _, handle in belief.state.handles][-1:]  # older ones beside it would make thousands of places
    words += map(_newest_handle_words, newest)
    return words


def _newest_handle_words(handle: HandleState) -> str:
    if handle.freed:
        return "a freed handle"
    return "a handle of no job" if handle.job is None else f"a handle of {handle.type}"


def _gone_words(gone: Gone) -> str:
    kind = "backup" if gone.kind.is_backup else "block job"
    if gone.stopped:
        return f"a {kind} before the stop"
    return f"an ended {kind}" + (", others since" if gone.followed else "")


def costly(capabilities: Capabilities, belief: Belief, call: Call) -> bool:
    """The call takes seconds: it stops or starts a guest, or waits for another job's end."""
    return (
        call_name(type(call)) in capabilities.costly_calls
        or waits(capabilities, belief, call)
        or (capabilities.disks_wear and (wears(belief, call) or is_about_bad_storage(belief, call)))
    )


def is_about_bad_storage(belief: Belief, call: Call) -> bool:
    """The call begins a backup on bad storage, or may end one: it is slow, and the disk is exchanged for it."""
    if getattr(call, "storage", Storage.SOUND) is not Storage.SOUND:
        return True
    return is_on_bad_storage(belief.state) and not isinstance(call, (*QUERIES, TakeEvents))


def wears(belief: Belief, call: Call) -> bool:
    """The call lets a block job complete: the disk is another one afterwards."""
    domain = belief.state.domains[call.domain]
    if isinstance(call, Settle):
        return any(job.kind in (Kind.BLOCK_PULL, Kind.BLOCK_COMMIT) for job in domain.jobs)
    if isinstance(call, BlockJobAbort) and call.pivot:
        job = domain.on_disk(call.disk)
        return job is not None and job.phase is Phase.READY
    return False


def waits(capabilities: Capabilities, belief: Belief, call: Call) -> bool:
    """The call waits for the end of a backup that does not end by itself."""
    domain = belief.state.domains[call.domain]
    return call_name(type(call)) in capabilities.waiting_calls and bool(domain.backups)


def draw(judge: Judge, alphabet: Alphabet) -> Chart:
    """The chart, by breadth-first search over what the requirements let happen."""
    start = judge.start()
    chart = Chart(between_sessions=judge.step(start, EndSession(), DONE).ruling.exercised)
    first = Place(place_words(start), (), start, costly=False)
    chart.places[first.words] = first
    waited: set[str] = set()
    frontier = deque([first])
    while frontier and len(chart.places) < PLACES_MAX:
        place = frontier.popleft()
        place.moves = tuple(_moves(judge, alphabet, place, waited))
        for move in place.moves:
            chart.ways.setdefault(move.cell, (place, move))
            if move.leads_to in chart.places:
                continue
            step = foresee(judge, place.belief, move.call)
            assert step is not None
            assert step.belief is not None
            found = Place(move.leads_to, (*place.path, move.call), step.belief, costly=place.costly or move.costly)
            chart.places[found.words] = found
            frontier.append(found)
    chart.is_cut_off = bool(frontier)
    return chart


def _moves(judge: Judge, alphabet: Alphabet, place: Place, waited: set[str]) -> Iterator[Move]:
    belief, capabilities = place.belief, alphabet.capabilities
    seen: set[Cell] = set()
    domain = belief.state.domains[0]
    fleeting = domain.is_ending and len(domain.jobs) > 1
    for call in alphabet.calls(belief):
        if fleeting and not isinstance(call, Settle):
            continue  # what happens while a job ends is tried where it is the only one
        visited = cell(belief.state, call)
        if visited in seen or (capabilities.dies_of_stop_in_block_job and _stops_in_block_job(belief, call)):
            continue
        expensive = costly(capabilities, belief, call)
        if expensive and not _worth_it(belief, call):
            continue
        if waits(capabilities, belief, call):
            if visited.call in waited:
                continue  # a call that waits is tried once for each way to word it, in the emptiest place
            waited.add(visited.call)
        step = foresee(judge, belief, call)
        if step is None:
            continue
        seen.add(visited)
        assert step.belief is not None
        yield Move(call, visited, place_words(step.belief), expensive, step.ruling.exercised)


def _stops_in_block_job(belief: Belief, call: Call) -> bool:
    jobs = belief.state.domains[call.domain].jobs
    return isinstance(call, Destroy) and any(not job.kind.is_backup for job in jobs)


def _worth_it(belief: Belief, call: Call) -> bool:
    """The place is empty enough to be worth the seconds, and the domain was not stopped there once already."""
    domains = belief.state.domains
    if not belief.is_sure:
        return False
    stopped_before = any(gone.stopped for gone in domains[0].gone)
    if stopped_before and isinstance(call, Destroy | Save):
        return False
    return sum(len(domain.jobs) for domain in domains) <= EXCURSION_JOBS_MAX
