"""A witness is a shortest history to a moment, told in a reader's terms and in calls that a backend can be given."""

from collections.abc import Sequence

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobAbort,
    BlockJobGetId,
    BlockPull,
    Call,
    GetBlockJobInfo,
    GetJobInfo,
    HandleOf,
    IdOf,
    JobCompose,
    JobFree,
    JobGetDefaultId,
    JobGetId,
    JobLookupId,
    JobRef,
    JobSetDefaultId,
    JobType,
    ListAllJobs,
    Mode,
    Odd,
    Settle,
)
from jobtck.conformance.design import Design, Handle, Namespace
from jobtck.conformance.exploration import Line, Witness
from jobtck.conformance.histories import By, Hit, Moment, Verb
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.state import HANDLE_LABELS
from jobtck.conformance.wording import LETTERS
from jobtck.strategies.board import Server, bears_id
from jobtck.strategies.explorer import Explorer, Seen
from jobtck.strategies.memories import NOWHERE, Item, Memory
from jobtck.strategies.moves import ENVIRONMENT, Move, Step

DISKS = ("vda", "vdb", "vdc")
CONNECTIONS = 2  # read-write ones, of a backend


def witness(explorer: Explorer, moment: Moment, seen: Seen) -> Witness:
    """A shortest history that ends in that moment."""
    taken = history(explorer, moment, seen)
    teller = Teller(explorer.design)
    return Witness(tuple(teller.line(server, step) for server, step in taken), window(taken))


def history(explorer: Explorer, moment: Moment, seen: Seen) -> list[tuple[Server, Step]]:
    """The steps to the moment, each with the server before it, all under the names of the first state."""
    way = explorer.way(seen.state)
    server, memories = Server(), [()] * explorer.bounds.clients
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
        step
        for client, memory in enumerate(memories)
        for step in explorer.moves.of_client(server, memory, client)
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


class Teller:
    """Tells steps one by one; remembers which job bears which label and which handle is which."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._labels: list[int] = []  # of the jobs, in the order of their begin
        self._numbers: list[int] = []
        self._handles: dict[tuple[int, int, int], int] = {}  # by client, what it stands for, what is meant
        self._next_handle = 0

    def line(self, server: Server, step: Step) -> Line:
        """The step as a line; *server* is what was before it."""
        move, moment = step.move, step.moment
        began = move.verb is Verb.BEGIN and moment.refused is None
        if move.verb is Verb.BEGIN:
            self._label(move, len(server.jobs), began=began)
        call = self._call(move, server)
        text = self._text(move, server)
        told = step.server if began else server
        return Line(
            client=None if move.client == ENVIRONMENT else move.client,
            text=text,
            answer=self._answer(step, told),
            call=call,
            refused=moment.refused is not None,
            meant=LETTERS[move.item.meant] if move.item is not None else "",
            hit=self._hit(step, server),
        )

    def _label(self, move: Move, place: int, *, began: bool) -> None:
        """A label is a job's place; where clients choose names, it stands for the name."""
        named = self._design.handle is Handle.NAME
        label = move.number - 1 if named and move.number else place
        del self._labels[place:], self._numbers[place:]
        self._labels.append(label)
        self._numbers.append(move.number)
        if began and self._design.handle is Handle.OPAQUE and move.type is JobType.BACKUP:
            self._handles[move.client, place, place] = label

    # -- as calls -------------------------------------------------------------------------------------------------

    def _call(self, move: Move, server: Server) -> Call | None:
        client, domain = max(move.client, 0) % CONNECTIONS, move.domain
        item = move.item
        match move.verb:
            case Verb.BEGIN:
                return self._begin(move, client)
            case Verb.END if item and item.by is By.DISK:
                return BlockJobAbort(disk=DISKS[item.value], client=client)
            case Verb.END if item and item.by is By.LEGACY:
                return AbortJob(client=client)
            case Verb.END if item:
                return BackupEnd(job=self._reference(move, item), abort=True, client=client, domain=domain)
            case Verb.QUERY if move.by is By.DISK:
                return GetBlockJobInfo(disk=DISKS[move.disk], client=client)
            case Verb.QUERY if move.by is By.LEGACY:
                return GetJobInfo(client=client)
            case Verb.QUERY if move.by is By.ZERO:
                return BackupGetXmlDesc(job=Odd.ZERO, client=client, domain=domain)
            case Verb.QUERY if item:
                return BackupGetXmlDesc(job=self._reference(move, item), client=client, domain=domain)
            case Verb.FINISH:
                return Settle()
            case _:
                return self._call_on_ids(move, client, server)

    def _call_on_ids(self, move: Move, client: int, server: Server) -> Call | None:
        item = move.item
        match move.verb:
            case Verb.LIST:
                return ListAllJobs(client=client)
            case Verb.GET_DEFAULT:
                return JobGetDefaultId(client=client)
            case Verb.GET_ID if move.by is By.DISK:
                return BlockJobGetId(disk=DISKS[move.disk], client=client)
            case Verb.SET_DEFAULT if item:
                return JobSetDefaultId(job=self._reference(move, item), client=client)
            case Verb.GET_ID if item:
                return JobGetId(job=self._reference(move, item), client=client)
            case Verb.FREE if item:
                return self._free(move, item, client)
            case Verb.LOOK_UP | Verb.COMPOSE if item:
                return self._new_handle(move, item, client, server)
            case _:
                return None  # a client that goes makes no call

    def _begin(self, move: Move, client: int) -> Call:
        label = self._labels[-1]
        name = NAME_OF_LABEL[label] if self._design.handle is Handle.NAME else None
        disk = DISKS[move.disk]
        if move.type is not JobType.BACKUP:
            return BlockPull(label=label, disk=disk, name=name, client=client)
        mode = Mode.PULL if self._design.has_ids else Mode.PUSH
        return BackupBegin(label=label, mode=mode, disks=(disk,), name=name, client=client, domain=move.domain)

    def _reference(self, move: Move, item: Item) -> JobRef:
        match item.by:
            case By.ZERO:
                return Odd.ZERO
            case By.HANDLE | By.FREED:
                return HandleOf(self._handle_label(move.client, item))
            case _:
                return IdOf(self._labels[item.meant])

    def _handle_label(self, client: int, item: Item) -> int:
        return self._handles.get((client, item.value, item.meant), HANDLE_LABELS[0])

    def _free(self, move: Move, item: Item, client: int) -> Call:
        label = self._handle_label(move.client, item)
        self._handles[move.client, NOWHERE, item.meant] = label
        return JobFree(job=HandleOf(label), client=client)

    def _new_handle(self, move: Move, item: Item, client: int, server: Server) -> Call:
        label = HANDLE_LABELS[self._next_handle % len(HANDLE_LABELS)]
        self._next_handle += 1
        type = server.jobs[item.meant].type
        target = next(
            (
                place
                for place, job in enumerate(server.jobs)
                if job.live and job.number == item.value and job.type is type and bears_id(self._design, job.type)
            ),
            NOWHERE,
        )
        self._handles[move.client, target, item.meant] = label
        reference = IdOf(self._labels[item.meant])
        if move.verb is Verb.COMPOSE:
            return JobCompose(label=label, type=type, job=reference, client=client)
        per_type = self._design.namespace is Namespace.PER_TYPE
        return JobLookupId(label=label, job=reference, type=type if per_type else None, client=client)

    # -- in words -------------------------------------------------------------------------------------------------

    def _text(self, move: Move, server: Server) -> str:
        item, elsewhere = move.item, ", other domain" if move.domain else ""
        what = self._what(item) if item is not None else ""
        match move.verb:
            case Verb.BEGIN:
                verb = "backup_begin" if move.type is JobType.BACKUP else "block_pull"
                name = f', "{self._id(move.number)}"' if self._design.handle is Handle.NAME and move.number else ""
                return f"{verb}({DISKS[move.disk]}{name}{elsewhere})"
            case Verb.END if move.by is By.DISK:
                return f"block_job_abort({what})"
            case Verb.END if move.by is By.LEGACY:
                return "abort_job()"
            case Verb.END:
                return f"backup_end({what}{elsewhere})"
            case Verb.QUERY if move.by is By.DISK:
                return f"get_block_job_info({DISKS[move.disk]})"
            case Verb.QUERY if move.by is By.LEGACY:
                return "get_job_info()"
            case Verb.QUERY:
                return f"backup_get_xml_desc({what or 0}{elsewhere})"
            case Verb.GET_ID if move.by is By.DISK:
                return f"block_job_get_id({DISKS[move.disk]})"
            case Verb.FINISH:
                return f"{LETTERS[move.label]} ends by itself"
            case Verb.DIE:
                return "dies, and a new client takes its place"
            case Verb.EXIT:
                return "ends, and what it wrote down is left"
            case _:
                return f"{VERB_WORDS[move.verb]}({what})"

    def _what(self, item: Item) -> str:
        match item.by:
            case By.ZERO:
                return "0"
            case By.DISK:
                return DISKS[item.value]
            case By.HANDLE:
                return f"handle for {LETTERS[item.meant]}"
            case By.FREED:
                return f"freed handle for {LETTERS[item.meant]}"
            case _:
                return self._id(item.value)

    def _id(self, number: int) -> str:
        return NAME_OF_LABEL[number - 1] if self._design.handle is Handle.NAME else str(number)

    def _answer(self, step: Step, server: Server) -> str:
        moment, move = step.moment, step.move
        if moment.refused is not None:
            return f"refused: {moment.refused}"
        match move.verb:
            case Verb.BEGIN:
                return self._begin_answer(move, LETTERS[len(server.jobs) - 1])
            case Verb.LIST:
                listed = [f"{self._id(job.number)} ({job.type})" for job in server.jobs if job.live and job.number]
                return ", ".join(listed) or "none"
            case Verb.GET_ID | Verb.GET_DEFAULT:
                learnt = [item for item in step.memory if item.by in (By.ID, By.NAME)]
                found = self._asked(move, server)
                return ", ".join(sorted({self._id(each.value) for each in learnt if found in (None, each.meant)}))
            case _:
                return ""

    def _asked(self, move: Move, server: Server) -> int | None:
        if move.verb is Verb.GET_DEFAULT:
            return server.default
        if move.item is not None:
            return move.item.meant
        return next((place for place, job in enumerate(server.jobs) if job.live and job.disk == move.disk), None)

    def _begin_answer(self, move: Move, letter: str) -> str:
        told = self._design.handle is Handle.INTEGER and move.type is JobType.BACKUP
        if told:
            return f"{letter} = {move.number}"
        handle = self._design.handle is Handle.OPAQUE and move.type is JobType.BACKUP
        return f"handle for {letter}" if handle else letter

    def _hit(self, step: Step, server: Server) -> str:
        """The letter of the job that a call on a reference reached."""
        if step.moment.hit is Hit.NOTHING:
            return ""
        assert step.move.item is not None
        if step.moment.hit is Hit.MEANT:
            return LETTERS[step.move.item.meant]
        return LETTERS[step.hit]


VERB_WORDS = {
    Verb.LIST: "list_all_jobs",
    Verb.GET_DEFAULT: "job_get_default_id",
    Verb.SET_DEFAULT: "job_set_default_id",
    Verb.GET_ID: "job_get_id",
    Verb.LOOK_UP: "job_lookup_id",
    Verb.COMPOSE: "job_compose",
    Verb.FREE: "job_free",
}
