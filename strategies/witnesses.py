"""A witness is a shortest history to a moment, told in a reader's terms and in calls that a backend can be given."""

from collections.abc import Sequence

from jobtck.conformance.exploration import Witness
from jobtck.conformance.histories import Moment, Verb
from jobtck.strategies.board import Server
from jobtck.strategies.explorer import Explorer, Seen
from jobtck.strategies.memories import Item, Memory
from jobtck.strategies.telling import Teller
from jobtck.strategies.turns import Step


def witness(explorer: Explorer, moment: Moment, seen: Seen) -> Witness:
    """A shortest history that ends in that moment."""
    taken = history(explorer, moment, seen)
    teller = Teller(explorer.design)
    return Witness(tuple(teller.line(server, step) for server, step in taken), window(taken))


def history(explorer: Explorer, moment: Moment, seen: Seen) -> list[tuple[Server, Step]]:
    """The steps to the moment, each with the server before it, all under the names of the first state."""
    way = explorer.way(seen.state)
    server = Server()
    memories: list[Memory] = [()] * explorer.bounds.clients
    taken: list[tuple[Server, Step]] = []
    for state in way[1:]:
        step = next(each for each in steps_from(explorer, server, memories) if after(explorer, memories, each) == state)
        taken.append((server, step))
        server, memories = step.server, remembered(memories, step)
    steps = steps_from(explorer, server, memories)
    if moment.verb is Verb.STAND:
        shows = (each for each in steps if explorer.is_in(moment.trouble, each.server, remembered(memories, each)))
    else:
        shows = (each for each in steps if each.moment == moment)
    taken.append((server, next(shows)))
    return taken


def steps_from(explorer: Explorer, server: Server, memories: Sequence[Memory]) -> list[Step]:
    """Every step of every client there, and what can happen by itself."""
    steps = [
        step for client, memory in enumerate(memories) for step in explorer.moves.of_client(server, memory, client)
    ]
    return steps + list(explorer.moves.by_itself(server))


def remembered(memories: Sequence[Memory], step: Step) -> list[Memory]:
    """What the clients know after a step."""
    client = step.move.client
    return [step.memory if number == client else memory for number, memory in enumerate(memories)]


def after(explorer: Explorer, memories: Sequence[Memory], step: Step) -> int:
    """The state that a step leads to."""
    return explorer.packed(step.server, remembered(memories, step))


def window(taken: Sequence[tuple[Server, Step]]) -> int | None:
    """How many steps lie between the last one's reference being learnt and its use; None where none is used."""
    if not taken or taken[-1][1].move.item is None:
        return None
    last = taken[-1][1].move
    item = last.item
    for back, (_, step) in enumerate(reversed(taken[:-1])):
        if step.move.client == last.client and item in step.memory and not _knew(taken, len(taken) - 2 - back, item):
            return back
    return None


def _knew(taken: Sequence[tuple[Server, Step]], place: int, item: Item | None) -> bool:
    """The client of that step knew the item before it."""
    client = taken[place][1].move.client
    before = [step for _, step in taken[:place] if step.move.client == client]
    return bool(before) and item in before[-1].memory
