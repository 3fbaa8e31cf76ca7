"""A client's turn on the drawing board: what it sees, and its moves as moments."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobtck.conformance.calls import JobType
from jobtck.conformance.design import Design
from jobtck.conformance.histories import By, Hit, Kinds, Moment, Standing, Trouble, Verb, Whose
from jobtck.conformance.outcomes import ErrorKind
from jobtck.strategies.board import BLOCK, GONE, Found, Server, live_backups
from jobtck.strategies.memories import NOWHERE, Item, Memory, chosen_before, learn, written_down

ENVIRONMENT = -1  # the client of what happens by itself


class Move(NamedTuple):
    """What was done: by whom, with what it remembered, or on what disk."""

    client: int
    verb: Verb
    item: Item | None = None
    by: By = By.NOTHING
    type: JobType = JobType.BACKUP
    disk: int = 0
    number: int = 0
    domain: int = 0
    label: int = 0


class Step(NamedTuple):
    """A move, what follows from it for the server and the client, the moment it is, and the job it reached."""

    move: Move
    server: Server
    memory: Memory
    moment: Moment
    hit: int = NOWHERE


class Turn(NamedTuple):
    """A client's turn: the server, what it remembers, which client it is, and how many backups each domain has."""

    server: Server
    memory: Memory
    client: int
    backups: tuple[tuple[int, int], ...]  # how many live, and how many of them the client began
    has_default: bool

    def step(self, move: Move, moment: Moment, found: Found = NOWHERE) -> Step:
        """A move that changes nothing."""
        return Step(move, self.server, self.memory, moment, found if isinstance(found, int) else NOWHERE)

    def learns(self, move: Move, moment: Moment, found: Found, *items: Item) -> Step:
        """A move that changes what the client knows."""
        hit = found if isinstance(found, int) else NOWHERE
        return Step(move, self.server, learn(self.memory, *items), moment, hit)

    def moment(self, verb: Verb, by: By = By.NOTHING, refused: ErrorKind | None = None, domain: int = 0) -> Moment:
        """A moment of this turn in which no job is meant."""
        backups, own = self.backups[domain]
        return Moment(verb, by, refused=refused, backups=backups, own=own)

    def aimed(self, verb: Verb, item: Item, found: Found, domain: int = 0) -> Moment:
        """What a call with that item comes to."""
        server = self.server
        meant = server.jobs[item.meant]
        is_hit = isinstance(found, int)
        hit = server.jobs[found] if isinstance(found, int) else meant
        chosen = is_hit and item.by is By.LEGACY and self.has_default and server.chooser != GONE
        backups, own = self.backups[domain]
        return Moment(
            verb,
            item.by,
            item.learnt,
            None if isinstance(found, int) else found,
            Standing.LIVE if meant.live else Standing.OVER,
            Hit.NOTHING if not is_hit else Hit.MEANT if found == item.meant else Hit.ANOTHER,
            Kinds.NONE if not is_hit else Kinds.SAME if hit.type is meant.type else Kinds.OTHER,
            _whose(hit.owner, self.client) if is_hit else Whose.NOBODY,
            _whose(server.chooser, self.client) if chosen else Whose.NOBODY,
            fits=meant.type is (BLOCK if item.by is By.DISK else JobType.BACKUP),
            strayed=meant.domain != domain,
            later=isinstance(found, int) and found > item.meant,
            backups=backups,
            own=own,
        )


def turn_of(design: Design, server: Server, memory: Memory, client: int, domains: Sequence[int]) -> Turn:
    """The turn of that client."""
    backups = [[server.jobs[label].owner for label in live_backups(server, domain)] for domain in domains]
    return Turn(
        server, memory, client, tuple((len(owners), owners.count(client)) for owners in backups), design.default_job
    )


def departures(turn: Turn) -> Iterator[Step]:
    """The client goes, in good order where it holds handles, or before it wrote anything down where it has a job."""
    server, client = turn.server, turn.client
    leaks = any(item.by is By.HANDLE for item in turn.memory)
    trouble = Trouble.LEAKED if leaks else Trouble.NONE
    if leaks:
        moment = turn.moment(Verb.EXIT)._replace(trouble=trouble)
        yield Step(Move(client, Verb.EXIT), server, written_down(turn.memory), moment)
    if not any(job.live and job.owner == client for job in server.jobs):
        return  # one that has nothing running is missed by nobody
    jobs = tuple(job._replace(owner=GONE) if job.owner == client else job for job in server.jobs)
    chooser = GONE if server.chooser == client else server.chooser
    moment = turn.moment(Verb.DIE)._replace(trouble=trouble)
    yield Step(Move(client, Verb.DIE), Server(jobs, server.default, chooser), chosen_before(turn.memory), moment)


def _whose(owner: int, client: int) -> Whose:
    return Whose.OWN if owner == client else Whose.OTHERS
