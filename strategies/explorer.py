"""Every interleaving within bounds: breadth first over states that are told apart only where it matters.

A state is the server and what each client remembers. Each part is kept once and called by a number (as
in spin's collapse compression), so a state is a few small numbers, and what a client can do is worked out
once for each pair of a server and a memory. States that differ by names of clients or disks count as one.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import NamedTuple

from jobtck.conformance.design import Design
from jobtck.conformance.histories import By, Moment, Trouble, Verb
from jobtck.strategies.board import Bounds, Server, indistinct, unfindable, unreachable
from jobtck.strategies.memories import Item, Memory, asked_without
from jobtck.strategies.moves import Moves
from jobtck.strategies.packing import Packing
from jobtck.strategies.turns import ENVIRONMENT, Step

CHECK_EVERY = 4096  # states expanded between two looks at the clock
TROUBLING = -1  # instead of a count: what the steps lead to has to be looked at


class Seen(NamedTuple):
    """Where a moment was seen first: the state it begins in, and how many steps deep it ends."""

    state: int
    depth: int


class Outgoing(NamedTuple):
    """What a client can do at a server: how many steps, which change something, which may lead to trouble.

    A step that changes something is what it leaves behind: a server and a memory, by number.
    """

    steps: int
    changing: tuple[tuple[int, int], ...]
    troubling: tuple[tuple[int, int], ...]


@dataclass
class Progress:
    """How far an exploration has come: states, transitions, levels completed, seconds, and what stopped it."""

    transitions: int = 0
    depth: int = 0
    expanded: int = 0
    level_end: int = 1
    seconds: float = 0.0
    stopped: str = ""
    complete: bool = False
    levels: list[int] = field(default_factory=lambda: [1])


class Explorer:
    """The states of one design within bounds, and the moments met on the way there."""

    def __init__(self, design: Design, bounds: Bounds) -> None:
        self.design = design
        self.bounds = bounds
        self.moves = Moves(design, bounds)
        self.progress = Progress()
        self.first: dict[Moment, Seen] = {}
        self.parents = array("I", [0])
        self.packing = Packing(bounds)
        self._servers = self.packing.servers
        self._memories = self.packing.memories
        self._last: dict[tuple[int, int, int], int] = {}
        self._last_parts: dict[tuple[int, int, object], int] = {}
        self._outgoing: dict[tuple[int, int, int], Outgoing] = {}
        self._troubles: dict[int, tuple[tuple[Trouble, frozenset[int]], ...]] = {}
        start = self.packing.pack(self._servers.number(Server()), [self._memories.number(())] * bounds.clients)
        self.index = {start: 0}
        self.keys = [start]

    # -- exploring ------------------------------------------------------------------------------------------------

    def explore(self, stop: Callable[[int], str]) -> None:
        """Explores until all is seen, or *stop*, given the number of states, names a reason.

        What was seen is kept; another call goes on from there.
        """
        progress, begun = self.progress, monotonic()
        progress.stopped = ""
        while not progress.complete and not progress.stopped:
            if progress.expanded == progress.level_end:
                self._end_level()
                continue
            end = min(progress.expanded + CHECK_EVERY, progress.level_end)
            while progress.expanded < end:
                self._expand(progress.expanded)
                progress.expanded += 1
            progress.stopped = stop(len(self.keys))
        progress.seconds += monotonic() - begun

    def _end_level(self) -> None:
        progress = self.progress
        progress.depth += 1
        new = len(self.keys) - progress.level_end
        progress.levels.append(new)
        progress.level_end = len(self.keys)
        progress.complete = progress.depth == self.bounds.depth or not new

    def _expand(self, place: int) -> None:
        """Takes every step from a state; of the last ones it is enough to know what they are, not where they lead."""
        server, memories = self.packing.unpack(self.keys[place])
        take = self._take_last if self.progress.depth + 1 == self.bounds.depth else self._take
        for client in range(len(memories)):
            take(place, server, memories, client)
        self._take(place, server, memories, ENVIRONMENT)

    def _take(self, place: int, server: int, memories: list[int], client: int) -> None:
        outgoing = self._steps(place, server, 0 if client == ENVIRONMENT else memories[client], client)
        self.progress.transitions += outgoing.steps
        for server_after, memory_after in outgoing.troubling:
            self._note_troubles(place, server_after, _with(memories, client, memory_after))
        if self.progress.depth + 1 < self.bounds.depth:
            for server_after, memory_after in outgoing.changing:
                self._reach(place, server_after, _with(memories, client, memory_after))

    def _take_last(self, place: int, server: int, memories: list[int], client: int) -> None:
        last = self._last.get((server, memories[client], client))
        if last is None:
            last = self._last[server, memories[client], client] = self._work_out_last(
                place, server, memories[client], client
            )
        if last == TROUBLING:
            self._take(place, server, memories, client)
        else:
            self.progress.transitions += last

    def _work_out_last(self, place: int, server: int, memory: int, client: int) -> int:
        """How many steps a client can take, each part of them worked out once for all memories that have it."""
        known = self._memories.parts[memory]
        turn = self.moves.turn(self._servers.parts[server], known, client)
        parts: list[tuple[object, Callable[[], Iterator[Step]]]] = [
            (asked_without(known), partial(self.moves.with_nothing, turn))
        ]
        parts += [(item, partial(self.moves.with_item, turn, item)) for item in known]
        counts = [self._count_last(place, (server, client, key), steps) for key, steps in parts]
        return TROUBLING if TROUBLING in counts else sum(counts)

    def _count_last(self, place: int, key: tuple[int, int, object], steps: Callable[[], Iterator[Step]]) -> int:
        found = self._last_parts.get(key)
        if found is None:
            taken = list(steps())
            for step in taken:
                self.first.setdefault(step.moment, Seen(place, self.progress.depth + 1))
            server = self._servers.parts[key[0]]
            after = {step.server for step in taken if step.server != server}
            troubling = any(self._troubles_of(self._servers.number(each)) for each in after)
            found = self._last_parts[key] = TROUBLING if troubling else len(taken)
        return found

    def _reach(self, place: int, server: int, memories: list[int]) -> None:
        packed = self.packing.canonical(server, memories)
        if packed not in self.index:
            self.index[packed] = len(self.keys)
            self.keys.append(packed)
            self.parents.append(place)

    def _steps(self, place: int, server: int, memory: int, client: int) -> Outgoing:
        outgoing = self._outgoing.get((server, memory, client))
        if outgoing is None:
            outgoing = self._outgoing[server, memory, client] = self._work_out(place, server, memory, client)
        return outgoing

    def _work_out(self, place: int, server: int, memory: int, client: int) -> Outgoing:
        """All steps of a client there; a pair is met first where it is met in the fewest steps."""
        changing: dict[tuple[int, int], None] = {}
        steps = 0
        for step in self._all_steps(server, memory, client):
            steps += 1
            if step.moment not in self.first:
                self.first[step.moment] = Seen(place, self.progress.depth + 1)
            changing[self._servers.number(step.server), self._memories.number(step.memory)] = None
        changing.pop((server, memory), None)
        troubling = (after for after in changing if after[0] != server and self._troubles_of(after[0]))
        return Outgoing(steps, tuple(changing), tuple(troubling))

    def _all_steps(self, server: int, memory: int, client: int) -> Iterator[Step]:
        """The steps from a server and a memory, by number."""
        if client == ENVIRONMENT:
            return self.moves.by_itself(self._servers.parts[server])
        return self.moves.of_client(self._servers.parts[server], self._memories.parts[memory], client)

    # -- what is wrong with states --------------------------------------------------------------------------------

    def _troubles_of(self, server: int) -> tuple[tuple[Trouble, frozenset[int]], ...]:
        found = self._troubles.get(server)
        if found is None:
            board = self._servers.parts[server]
            sorts = (
                (Trouble.UNREACHABLE, unreachable(self.design, board)),
                (Trouble.UNFINDABLE, unfindable(self.design, board)),
                (Trouble.INDISTINCT, indistinct(self.design, board)),
            )
            found = self._troubles[server] = tuple((sort, jobs) for sort, jobs in sorts if jobs)
        return found

    def _note_troubles(self, place: int, server: int, memories: list[int]) -> None:
        for trouble, jobs in self._troubles_of(server):
            moment = Moment(Verb.STAND, trouble=trouble)
            if moment not in self.first and self._is_in(
                trouble, jobs, [self._memories.parts[each] for each in memories]
            ):
                self.first[moment] = Seen(place, self.progress.depth + 1)

    def is_in(self, trouble: Trouble, server: Server, memories: Sequence[Memory]) -> bool:
        """That is wrong with a state."""
        return any(
            each is trouble and self._is_in(trouble, jobs, memories)
            for each, jobs in self._troubles_of(self._servers.number(server))
        )

    @staticmethod
    def _is_in(trouble: Trouble, jobs: frozenset[int], memories: Sequence[Memory]) -> bool:
        if trouble is Trouble.UNFINDABLE:
            jobs -= {item.meant for each in memories for item in each if _names(item)}
        return bool(jobs)

    # -- states as numbers ----------------------------------------------------------------------------------------

    def way(self, place: int) -> list[int]:
        """The states on a shortest way to a state, from the first to itself."""
        places = [place]
        while places[-1]:
            places.append(self.parents[places[-1]])
        return [self.keys[each] for each in reversed(places)]

    def packed(self, server: Server, memories: Sequence[Memory]) -> int:
        """The state of that server and these memories."""
        return self.packing.canonical(self._servers.number(server), [self._memories.number(each) for each in memories])

    def states_by_all_names(self) -> int:
        """How many states there are when those that differ by names are counted one by one."""
        return sum(len(self.packing.all_names(*self.packing.unpack(key))) for key in self.keys)

    def __len__(self) -> int:
        return len(self.keys)


def _with(memories: list[int], client: int, memory: int) -> list[int]:
    """The memories with that client's."""
    if client == ENVIRONMENT:
        return memories
    after = memories.copy()
    after[client] = memory
    return after


def _names(item: Item) -> bool:
    """The item is a reference to one job and no other."""
    return item.by in (By.ID, By.NAME, By.HANDLE)
