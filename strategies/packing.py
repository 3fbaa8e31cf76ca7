"""States as numbers: each part is kept once, and states that differ by names of clients or disks are one."""

from collections.abc import Callable, Hashable, Sequence
from itertools import permutations
from typing import Generic, TypeVar

from jobtck.conformance.histories import By
from jobtck.strategies.board import GONE, Bounds, Server
from jobtck.strategies.memories import Memory

WIDTH = 21  # bits of a part's number: two million servers, or memories, are far more than fit in memory
MASK = (1 << WIDTH) - 1
NO_STATE = 1 << 62 * 8  # more than any state

Part = TypeVar("Part", bound=Hashable)


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
            part = self.parts[number]
            renamed = [self._rename(part, renaming) for renaming in range(1, self._renamings)]
            found = (number, *[self.number(other) for other in renamed])
            self._names[number] = found
        return found


class Packing:
    """Turns a server and memories into the number of the state that they are, and back into their numbers."""

    def __init__(self, bounds: Bounds) -> None:
        self._count = bounds.clients
        self._clients = tuple(permutations(range(bounds.clients)))
        self._disks = tuple(permutations(range(bounds.disks)))
        self._renamings = tuple(
            (_inverse(clients), disks) for clients in self._clients for disks in range(len(self._disks))
        )
        self.servers: Parts[Server] = Parts(self._rename_server, len(self._renamings))
        self.memories: Parts[Memory] = Parts(self._rename_memory, len(self._disks))

    def pack(self, server: int, memories: Sequence[int]) -> int:
        """The number of these parts in this order."""
        packed = server
        for memory in memories:
            packed = packed << WIDTH | memory
        return packed

    def unpack(self, packed: int) -> tuple[int, list[int]]:
        """The number of the server, and of each memory."""
        memories = []
        for _ in range(self._count):
            memories.append(packed & MASK)
            packed >>= WIDTH
        memories.reverse()
        return packed, memories

    def canonical(self, server: int, memories: list[int]) -> int:
        """The least of the states that this one is but for names."""
        known = [self.memories.names(memory) for memory in memories]
        best = NO_STATE
        for packed, (order, disks) in zip(self.servers.names(server), self._renamings, strict=True):
            for client in order:
                packed = packed << WIDTH | known[client][disks]  # noqa: PLW2901
            best = min(best, packed)
        return best

    def all_names(self, server: int, memories: list[int]) -> set[int]:
        """The states that are one with this but for names."""
        known = [self.memories.names(memory) for memory in memories]
        return {
            self.pack(renamed, [known[client][disks] for client in order])
            for renamed, (order, disks) in zip(self.servers.names(server), self._renamings, strict=True)
        }

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


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def _renamed(client: int, clients: tuple[int, ...]) -> int:
    return GONE if client == GONE else clients[client]
