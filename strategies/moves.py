"""What a client can do next on the drawing board, what it then knows, and what that comes to in words.

A client acts on a job only by what it remembers of it. What it remembers it may use at any later time,
until it is told that the job is over, or means another job by the same reference.
"""

from collections.abc import Iterator

from jobtck.conformance.calls import JobType
from jobtck.conformance.design import Design, Handle, Namespace, Zero
from jobtck.conformance.histories import By, Learnt, Moment, Verb
from jobtck.conformance.outcomes import ErrorKind
from jobtck.strategies.board import (
    BLOCK,
    Bounds,
    Found,
    Job,
    Server,
    bears_id,
    begun,
    dead_handle,
    ends_by_itself,
    find_backup,
    find_current,
    find_legacy,
    find_number,
    find_on_disk,
    live_backups,
    numbers,
    over,
    space_of,
)
from jobtck.strategies.memories import NOWHERE, OF_HANDLES, OF_IDS, Item, Memory, freed, learn, told_over
from jobtck.strategies.turns import ENVIRONMENT, Move, Step, Turn, departures, turn_of


class Moves:
    """The moves of one design within bounds."""

    def __init__(self, design: Design, bounds: Bounds) -> None:
        self.design = design
        self.bounds = bounds
        self._by_id = By.NAME if design.handle is Handle.NAME else By.ID
        self._domains = range(bounds.domains)
        self._one_domain = bounds.domains == 1
        self._types = (JobType.BACKUP, BLOCK) if self._one_domain else (JobType.BACKUP,)

    def of_client(self, server: Server, memory: Memory, client: int) -> Iterator[Step]:
        """Everything that the client can do, knowing this."""
        turn = self.turn(server, memory, client)
        yield from self.with_nothing(turn)
        for item in memory:
            yield from self.with_item(turn, item)

    def turn(self, server: Server, memory: Memory, client: int) -> Turn:
        """The turn of that client."""
        return turn_of(self.design, server, memory, client, self._domains)

    def with_nothing(self, turn: Turn) -> Iterator[Step]:
        """What the client can do without a reference: as moments, these depend on the items in `asked_without` only."""
        yield from self._begins(turn)
        if self._one_domain:
            yield from self._looks(turn)
        yield from departures(turn)

    def by_itself(self, server: Server) -> Iterator[Step]:
        """Everything that can happen without a client."""
        for label, job in enumerate(server.jobs):
            if job.live and ends_by_itself(self.design, job.type):
                moment = Moment(Verb.FINISH, backups=len(live_backups(server, job.domain)))
                yield Step(Move(ENVIRONMENT, Verb.FINISH, label=label), over(server, label), (), moment)

    # -- beginning ------------------------------------------------------------------------------------------------

    def _begins(self, turn: Turn) -> Iterator[Step]:
        jobs = turn.server.jobs
        if len(jobs) >= self.bounds.jobs:
            return
        for domain in self._domains:
            busy = {job.disk for job in jobs if job.live and job.domain == domain}
            for type in self._types:
                for disk in range(self.bounds.disks):
                    if disk not in busy:
                        job = Job(type, live=True, disk=disk, owner=turn.client, domain=domain)
                        yield from self._begins_of(turn, job)

    def _begins_of(self, turn: Turn, job: Job) -> Iterator[Step]:
        backup = job.type is JobType.BACKUP
        moment = turn.moment(Verb.BEGIN, domain=job.domain)._replace(fits=backup)
        for number in numbers(self.design, turn.server, job.type, job.domain):
            move = Move(turn.client, Verb.BEGIN, type=job.type, disk=job.disk, number=number, domain=job.domain)
            if backup and moment.backups >= self.design.parallel:
                yield turn.step(move, moment._replace(refused=ErrorKind.BUSY))
                return
            after = begun(self.design, turn.server, job._replace(number=number))
            known = learn(turn.memory, *self._learnt_by_begin(job, number, len(turn.server.jobs)))
            yield Step(move, after, known, moment)

    def _learnt_by_begin(self, job: Job, number: int, label: int) -> Iterator[Item]:
        """A begin of a backup tells the id, one of a block job tells nothing; a name was chosen by the client."""
        backup, handle = job.type is JobType.BACKUP, self.design.handle
        if bears_id(self.design, job.type) and (handle is Handle.NAME or (backup and handle is Handle.INTEGER)):
            yield self._id_item(job.type, number, label, Learnt.BEGAN)
        if backup and handle is Handle.OPAQUE:
            yield Item(By.HANDLE, label, label, Learnt.BEGAN)
        if not self._one_domain:
            return
        if backup:
            if self.design.zero is Zero.CURRENT:
                yield Item(By.ZERO, 0, label, Learnt.BEGAN)
            yield Item(By.LEGACY, 0, label, Learnt.BEGAN)
        else:
            yield Item(By.DISK, job.disk, label, Learnt.BEGAN)

    def _id_item(self, type: JobType, number: int, label: int, learnt: Learnt) -> Item:
        return Item(self._by_id, number, label, learnt, space_of(self.design, type))

    # -- using what is remembered ---------------------------------------------------------------------------------

    def with_item(self, turn: Turn, item: Item) -> Iterator[Step]:
        """What the client can do with one thing that it remembers, whatever else it does."""
        if item.by is By.DISK:
            yield self._end(turn, item, self._block_job(turn.server, item.value))
            return
        if item.by in OF_IDS and self.design.handle is Handle.OPAQUE:
            yield from self._handles_from(turn, item)
            return
        for domain in self._domains:
            found = find_backup(self.design, turn.server, item, domain)
            yield self._end(turn, item, found, domain)
            if item.by not in (By.ZERO, By.LEGACY):
                move = Move(turn.client, Verb.QUERY, item, item.by, domain=domain)
                yield turn.step(move, turn.aimed(Verb.QUERY, item, found, domain), found)
        if self.design.default_job and self._one_domain and item.by in (*OF_IDS, *OF_HANDLES):
            yield self._set_default(turn, item)
        if item.by in OF_HANDLES:
            yield from self._handle_calls(turn, item)

    def _block_job(self, server: Server, disk: int) -> Found:
        found = find_on_disk(server, disk)
        if isinstance(found, ErrorKind) or server.jobs[found].type is BLOCK:
            return found
        return ErrorKind.WRONG_TYPE

    def _end(self, turn: Turn, item: Item, found: Found, domain: int = 0) -> Step:
        moment = turn.aimed(Verb.END, item, found, domain)
        move = Move(turn.client, Verb.END, item, item.by, domain=domain)
        if isinstance(found, ErrorKind):
            return turn.step(move, moment)
        return Step(move, over(turn.server, found), told_over(turn.memory, item), moment, found)

    def _set_default(self, turn: Turn, item: Item) -> Step:
        found = find_backup(self.design, turn.server, item)
        moment = turn.aimed(Verb.SET_DEFAULT, item, found)
        move = Move(turn.client, Verb.SET_DEFAULT, item, item.by)
        if isinstance(found, ErrorKind):
            return turn.step(move, moment)
        after = turn.server._replace(default=found, chooser=turn.client)
        known = learn(turn.memory, Item(By.LEGACY, 0, item.meant, Learnt.CHOSE))
        return Step(move, after, known, moment, found)

    # -- handles --------------------------------------------------------------------------------------------------

    def _handles_from(self, turn: Turn, item: Item) -> Iterator[Step]:
        """A handle is looked up, or composed: of nothing, if there is no such job."""
        server = turn.server
        type = server.jobs[item.meant].type
        found = self._look_up(server, item, type)
        handles = [Item(By.HANDLE, found, item.meant, Learnt.LOOKED_UP)] if isinstance(found, int) else []
        moment = turn.aimed(Verb.LOOK_UP, item, found)
        yield turn.learns(Move(turn.client, Verb.LOOK_UP, item, item.by), moment, found, *handles)
        target = find_number(self.design, server, item.value, type)
        stands_for = dead_handle(server, item.meant) if isinstance(target, ErrorKind) else target
        composed = Item(By.HANDLE, stands_for, item.meant, Learnt.COMPOSED)
        moment = turn.aimed(Verb.COMPOSE, item, target)._replace(refused=None)
        yield turn.learns(Move(turn.client, Verb.COMPOSE, item, item.by), moment, target, composed)

    def _look_up(self, server: Server, item: Item, type: JobType) -> Found:
        """The live job of that id; where ids are per type, also of that type."""
        found = find_number(self.design, server, item.value, type)
        if found is ErrorKind.WRONG_TYPE and self.design.namespace is Namespace.SHARED:
            return find_number(self.design, server, item.value, BLOCK if type is JobType.BACKUP else JobType.BACKUP)
        return found

    def _handle_calls(self, turn: Turn, item: Item) -> Iterator[Step]:
        move = Move(turn.client, Verb.GET_ID, item, item.by)
        found = self._behind(turn.server, item)
        if self._one_domain:
            moment = turn.aimed(Verb.GET_ID, item, found)
            yield turn.learns(move, moment, found, *self._ids_behind(turn.server, item, found))
        refused = turn.aimed(Verb.FREE, item, ErrorKind.INVALID_ARGUMENT)
        free = move._replace(verb=Verb.FREE)
        if item.by is By.FREED:
            yield turn.step(free, refused)
        else:
            yield Step(free, turn.server, freed(turn.memory, item), refused._replace(refused=None))

    def _ids_behind(self, server: Server, item: Item, found: Found) -> Iterator[Item]:
        if isinstance(found, int):
            job = server.jobs[found]
            yield self._id_item(job.type, job.number, item.meant, Learnt.GOT_ID)

    def _behind(self, server: Server, item: Item) -> Found:
        if item.by is By.FREED:
            return ErrorKind.INVALID_ARGUMENT
        live = item.value >= 0 and server.jobs[item.value].live
        return item.value if live else ErrorKind.NO_SUCH_JOB

    # -- looking --------------------------------------------------------------------------------------------------

    def _looks(self, turn: Turn) -> Iterator[Step]:
        server, design = turn.server, self.design
        if design.zero is Zero.CURRENT:
            yield self._look(turn, Item(By.ZERO, 0, NOWHERE, Learnt.LOOKED), find_current(server))
        yield self._look(turn, Item(By.LEGACY, 0, NOWHERE, Learnt.LOOKED), find_legacy(design, server))
        for disk in range(self.bounds.disks):
            found = find_on_disk(server, disk)
            yield self._look(turn, Item(By.DISK, disk, NOWHERE, Learnt.LOOKED), found)
            if design.block_ids and not isinstance(found, ErrorKind):
                yield self._get_id(turn, found, Move(turn.client, Verb.GET_ID, by=By.DISK, disk=disk))
        if design.listing:
            yield self._list(turn)
        if design.default_job and server.default is not None:
            yield self._get_id(turn, server.default, Move(turn.client, Verb.GET_DEFAULT))

    def _list(self, turn: Turn) -> Step:
        listed = [
            self._id_item(job.type, job.number, label, Learnt.LISTED)
            for label, job in enumerate(turn.server.jobs)
            if job.live and job.number
        ]
        return turn.learns(Move(turn.client, Verb.LIST), turn.moment(Verb.LIST), NOWHERE, *listed)

    def _look(self, turn: Turn, item: Item, found: Found) -> Step:
        """A query without an id: where the client means a job, is it that one? Afterwards it means what it saw."""
        before = next((each for each in turn.memory if (each.by, each.value) == (item.by, item.value)), None)
        move = Move(turn.client, Verb.QUERY, before, item.by, disk=item.value)
        if before is None:
            moment = turn.moment(Verb.QUERY, item.by, None if isinstance(found, int) else found)
        else:
            moment = turn.aimed(Verb.QUERY, before, found)
        if isinstance(found, ErrorKind):
            return turn.step(move, moment)
        job = turn.server.jobs[found]
        means_it = item.by is not By.DISK or job.type is BLOCK  # of a backup there is nothing to do by disk
        seen = [item._replace(meant=found)] if means_it else []
        if item.by is By.ZERO and self.design.handle is Handle.INTEGER:  # the description tells the id
            seen.append(self._id_item(job.type, job.number, found, Learnt.LOOKED))
        return turn.learns(move, moment, found, *seen)

    def _get_id(self, turn: Turn, found: int, move: Move) -> Step:
        job = turn.server.jobs[found]
        learnt = Learnt.DEFAULT if move.verb is Verb.GET_DEFAULT else Learnt.GOT_ID
        item = self._id_item(job.type, job.number, found, learnt)
        return turn.learns(move, turn.moment(move.verb, move.by), found, item)
