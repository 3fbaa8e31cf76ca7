"""Every interleaving within bounds: breadth first over states that are told apart only where it matters.

A state is the server and what each client remembers. Each part is kept once and called by a number (as
in spin's collapse compression), so a state is a few small numbers, and what a client can do is worked out
once for each pair of a server and a memory. States that differ by names of clients or disks count as one.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from jobtck.conformance.design import Design
from jobtck.conformance.histories import By, Moment, Trouble, Verb
from jobtck.strategies.board import GONE, Bounds, Server, indistinct, unfindable, unreachable
from jobtck.strategies.memories import Item, Memory
from jobtck.strategies.moves import Moves
from jobtck.strategies.turns import ENVIRONMENT, Step

WIDTH = 21  # bits of a part's number: two million servers, or memories, are far more than fit in memory
MASK = (1 << WIDTH) - 1
NO_STATE = 1 << 62 * 8  # more than any state
CHECK_EVERY = 4096  # states expanded between two looks at the clock

Part = TypeVar("Part", Server, Memory)


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


class Parts(Generic[Part]):
    """Each part of a state once, by number, with the numbers of what it is under other names."""

    def __init__(self, rename: Callable[[Part, int], Part], renamings: int) -> None:
        self.parts: list[Part] = []
        self._rename: Callable[[Part, int], Part] = rename
        self._renamings = renamings
        self._number: dict[Part, int] = {}
        self._names: list[tuple[int, ...]] = []

    def number(self, part: Part) -> int:
        """The number of a part, a new one if it was never seen."""
        number = self._number.setdefault(part, len(self.parts))
        if number == len(self.parts):
            self.parts.append(part)
            self._names.append(())
        return number

    def names(self, number: int) -> tuple[int, ...]:
        """The numbers of that part under all names, its own first."""
        found = self._names[number]
        if not found:
            part, rename = self.parts[number], self._rename
            found = (number, *(self.number(rename(part, renaming)) for renaming in range(1, self._renamings)))
            self._names[number] = found
        return found


class Explorer:
    """The states of one design within bounds, and the moments met on the way there."""

    def __init__(self, design: Design, bounds: Bounds) -> None:
        self.design = design
        self.bounds = bounds
        self.moves = Moves(design, bounds)
        self.progress = Progress()
        self.first: dict[Moment, Seen] = {}
        self.parents = array("I", [0])
        self._clients = tuple(permutations(range(bounds.clients)))
        self._disks = tuple(permutations(range(bounds.disks)))
        self._servers = Parts[Server](self._rename_server, len(self._clients) * len(self._disks))
        self._memories = Parts[Memory](self._rename_memory, len(self._disks))
        self._renamings = tuple(
            (_inverse(clients), disks) for clients in self._clients for disks in range(len(self._disks))
        )
        self._outgoing: dict[tuple[int, int, int], Outgoing] = {}
        self._troubles: dict[int, tuple[tuple[Trouble, frozenset[int]], ...]] = {}
        start = self._pack(self._servers.number(Server()), [self._memories.number(())] * bounds.clients)
        self.index = {start: 0}
        self._keys = [start]

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
            progress.stopped = stop(len(self._keys))
        progress.seconds += monotonic() - begun

    def _end_level(self) -> None:
        progress = self.progress
        progress.depth += 1
        new = len(self._keys) - progress.level_end
        progress.levels.append(new)
        progress.level_end = len(self._keys)
        progress.complete = progress.depth == self.bounds.depth or not new

    def _expand(self, place: int) -> None:
        """Takes every step from a state; of the last ones it is enough to know what they are, not where they lead."""
        server, memories = self._unpack(self._keys[place])
        is_last = self.progress.depth + 1 == self.bounds.depth
        for client in (*range(len(memories)), ENVIRONMENT):
            outgoing = self._steps(place, server, 0 if client == ENVIRONMENT else memories[client], client)
            self.progress.transitions += outgoing.steps
            for server_after, memory_after in outgoing.troubling:
                self._note_troubles(place, server_after, _with(memories, client, memory_after))
            if not is_last:
                for server_after, memory_after in outgoing.changing:
                    self._reach(place, server_after, _with(memories, client, memory_after))

    def _reach(self, place: int, server: int, memories: list[int]) -> None:
        packed = self._canonical(server, memories)
        if packed not in self.index:
            self.index[packed] = len(self._keys)
            self._keys.append(packed)
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
        return [self._keys[each] for each in reversed(places)]

    def packed(self, server: Server, memories: Sequence[Memory]) -> int:
        """The state of that server and these memories."""
        return self._canonical(self._servers.number(server), [self._memories.number(each) for each in memories])

    def __len__(self) -> int:
        return len(self._keys)

    def _pack(self, server: int, memories: list[int]) -> int:
        packed = server
        for memory in memories:
            packed = packed << WIDTH | memory
        return packed

    def _unpack(self, packed: int) -> tuple[int, list[int]]:
        memories = []
        for _ in range(self.bounds.clients):
            memories.append(packed & MASK)
            packed >>= WIDTH
        memories.reverse()
        return packed, memories

    def _canonical(self, server: int, memories: list[int]) -> int:
        """The least of the states that this one is but for names."""
        known = [self._memories.names(memory) for memory in memories]
        best = NO_STATE
        for packed, (order, disks) in zip(self._servers.names(server), self._renamings, strict=True):
            for client in order:
                packed = packed << WIDTH | known[client][disks]  # noqa: PLW2901
            best = min(best, packed)
        return best

    def _rename_server(self, server: Server, renaming: int) -> Server:
        clients = self._clients[renaming // len(self._disks)]
        disks = self._disks[renaming % len(self._disks)]
        jobs = tuple(
            job._replace(disk=disks[job.disk], owner=_renamed(job.owner, clients)) if job.live else job
            for job in server.jobs
        )
        return Server(jobs, server.default, _renamed(server.chooser, clients))

    def _rename_memory(self, memory: Memory, renaming: int) -> Memory:
        disks = self._disks[renaming]
        return tuple(sorted(each._replace(value=disks[each.value]) if each.by is By.DISK else each for each in memory))


def _with(memories: list[int], client: int, memory: int) -> list[int]:
    """The memories with that client's."""
    if client == ENVIRONMENT:
        return memories
    after = memories.copy()
    after[client] = memory
    return after


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def _renamed(client: int, clients: tuple[int, ...]) -> int:
    return GONE if client == GONE else clients[client]


def _names(item: Item) -> bool:
    """The item is a reference to one job and no other."""
    return item.by in (By.ID, By.NAME, By.HANDLE)
