"""What the usual workflows cost in a design: the fewest calls, and the fewest round trips among those."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from jobtck.conformance.calls import JobType
from jobtck.conformance.design import Design
from jobtck.conformance.exploration import Cost
from jobtck.conformance.histories import By, Hit, Verb
from jobtck.strategies.board import BLOCK, Bounds, Server
from jobtck.strategies.memories import OF_HANDLES, Memory, written_down
from jobtck.strategies.moves import Moves
from jobtck.strategies.telling import Teller
from jobtck.strategies.turns import Move, Step

WAYS_MAX = 200_000  # states looked at for one workflow; the longest needs a few thousand
CALLS_MAX = 12  # no workflow of use needs more
BOUNDS = Bounds(clients=2, jobs=3, depth=CALLS_MAX, disks=3)
LOCAL = (Verb.FREE, Verb.COMPOSE)  # and asking a handle for its id: the server is not asked
PROCESS, OTHERS = 0, 1  # the client whose calls are counted, and the one that was there before
HANDED_OVER = "(the next process)"

FRESH, RUNNING, TAKEN_OVER, TIDYING, DONE = range(5)

Reached = tuple[Server, Memory, int]  # the server, what the process knows, and the stage of the work


@dataclass(frozen=True, slots=True)
class Workflow:
    """What is to be done: what others begin before, whether a second process takes over, and the last step.

    `begins` says that the process first begins a backup of its own, and `ends_at_least` how many calls it takes
    at the least to be done, from a server on.
    """

    name: str
    others: Callable[[Design], tuple[JobType, ...]]
    begins: bool
    hands_over: bool
    is_done: Callable[[Step], bool]
    ends_at_least: Callable[[Server], int]


def _nobody(_: Design) -> tuple[JobType, ...]:
    return ()


def _a_backup(_: Design) -> tuple[JobType, ...]:
    return (JobType.BACKUP,)


def _as_many_as_may(design: Design) -> tuple[JobType, ...]:
    return (*(JobType.BACKUP for _ in range(min(design.parallel, 2))), BLOCK)


def _nothing_lives(step: Step) -> bool:
    return step.move.verb is Verb.END and not _live(step.server)


def _live(server: Server) -> int:
    return sum(job.live for job in server.jobs)


def _one(_: Server) -> int:
    return 1


def _watched(step: Step) -> bool:
    """Its own backup's progress was told, while all live: no call but those of the domain job tells that."""
    told = step.move.verb is Verb.QUERY and step.move.by is By.LEGACY and step.moment.hit is Hit.MEANT
    return told and step.hit == len(step.server.jobs) - 1 and all(job.live for job in step.server.jobs)


def _own_is_over(step: Step) -> bool:
    return step.move.verb is Verb.END and step.hit == len(step.server.jobs) - 1


WORKFLOWS = (
    Workflow("begin and end, in one process", _nobody, True, False, _nothing_lives, _live),
    Workflow("begin and end, in two processes", _nobody, True, True, _nothing_lives, _live),
    Workflow("watch its progress once", _nobody, True, False, _watched, _one),
    Workflow("watch it beside another's backup", _a_backup, True, False, _watched, _one),
    Workflow("end it beside another's backup", _a_backup, True, True, _own_is_over, _one),
    Workflow("find and cancel everything", _as_many_as_may, False, False, _nothing_lives, _live),
)


def costs(design: Design) -> tuple[Cost, ...]:
    """The cost of each workflow."""
    return tuple(_cost(design, workflow) for workflow in WORKFLOWS)


def _cost(design: Design, workflow: Workflow) -> Cost:
    way = _cheapest(design, workflow)
    if way is None:
        return Cost(workflow.name, None, None)
    teller = Teller(design)
    lines = [teller.line(server, step).text if step else HANDED_OVER for server, step in way[0]]
    own = lines[way[2] :]
    own = own[:-1] if own[-1] == HANDED_OVER else own
    return Cost(workflow.name, *way[1], tuple(own))


Way = list[tuple[Server, Step | None]]


def _cheapest(design: Design, workflow: Workflow) -> tuple[Way, tuple[int, int], int] | None:
    """The steps of a cheapest way, what they cost, and how many others made before; None if there is no way."""
    moves = Moves(design, BOUNDS)
    before = _before(moves, workflow.others(design))
    if before is None:
        return None
    last = before[-1][1] if before else None
    server = last.server if last else Server()
    order = count()
    start: Reached = (server, (), FRESH)
    queue: list[tuple[int, int, int, int, Reached, Way]] = [(0, 0, next(order), 0, start, list(before))]
    seen: set[Reached] = set()
    while queue and len(seen) < WAYS_MAX:
        _, trips, _, calls, reached, way = heappop(queue)
        if reached[2] == DONE:
            return way, (calls, trips), len(before)
        if reached in seen or calls >= CALLS_MAX:
            continue
        seen.add(reached)
        for step, after, price in _next(moves, workflow, reached):
            spent = calls + price[0]
            bound = spent + _at_least(workflow, after)
            heappush(queue, (bound, trips + price[1], next(order), spent, after, [*way, (reached[0], step)]))
    return None


def _at_least(workflow: Workflow, reached: Reached) -> int:
    """The fewest calls that are missing: the ends, and a free for each handle."""
    server, memory, stage = reached
    handles = sum(item.by is By.HANDLE for item in memory)
    return handles + (0 if stage >= TIDYING else workflow.ends_at_least(server))


def _next(moves: Moves, workflow: Workflow, reached: Reached) -> Iterator[tuple[Step | None, Reached, tuple[int, int]]]:
    """What can be done next, where that leads, and the calls and round trips it costs."""
    server, memory, stage = reached
    if stage == FRESH and not workflow.begins:
        stage = RUNNING
    if stage == RUNNING and workflow.hands_over and not any(item.by is By.HANDLE for item in memory):
        yield None, (server, written_down(memory), TAKEN_OVER), (0, 0)
    if stage == TIDYING and not any(item.by is By.HANDLE for item in memory):
        yield None, (server, memory, DONE), (0, 0)
    for step in moves.of_client(server, memory, PROCESS):
        verb = step.move.verb
        begins = verb is Verb.BEGIN and step.moment.refused is None and step.move.type is JobType.BACKUP
        if verb in (Verb.DIE, Verb.EXIT) or (verb is Verb.BEGIN) != (stage == FRESH) or (stage == FRESH and not begins):
            continue
        if verb is Verb.END and moves.design.has_ids and step.move.by in (By.LEGACY, By.ZERO):
            continue  # it may mean another job by then
        if step.server == server and step.memory == memory and verb is not Verb.QUERY:
            continue
        after = RUNNING if stage == FRESH else stage
        if stage >= (TAKEN_OVER if workflow.hands_over else RUNNING) and workflow.is_done(step):
            after = TIDYING
        yield step, (step.server, step.memory, after), (1, 0 if _is_local(step.move) else 1)


def _is_local(move: Move) -> bool:
    return move.verb in LOCAL or (move.verb is Verb.GET_ID and move.by in OF_HANDLES)


def _before(moves: Moves, types: tuple[JobType, ...]) -> Way | None:
    """The steps by which others begin jobs of these types; None where the design does not let them."""
    server: Server = Server()
    memory: Memory = ()
    way: Way = []
    for type in types:
        begins = (
            step
            for step in moves.of_client(server, memory, OTHERS)
            if step.move.verb is Verb.BEGIN and step.move.type is type and step.moment.refused is None
        )
        step = next(begins, None)
        if step is None:
            return None
        way.append((server, step))
        server, memory = step.server, step.memory
    return way
