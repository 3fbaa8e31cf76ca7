"""Moves of the drawing board as calls that a backend can be given."""

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
from jobtck.conformance.histories import By, Verb
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.state import HANDLE_LABELS
from jobtck.strategies.board import Server, bears_id
from jobtck.strategies.memories import NOWHERE, Item
from jobtck.strategies.turns import Move, Step

DISKS = ("vda", "vdb", "vdc")
CONNECTIONS = 2  # read-write ones, of a backend


class AsCalls:
    """Makes the calls, one after the other; remembers which job bears which label and which handle is which."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._labels: list[int] = []  # of the jobs, in the order of their begin
        self._handles: dict[tuple[int, int, int], int] = {}  # by client, what it stands for, what is meant
        self._next_handle = 0

    def call(self, step: Step, server: Server) -> Call | None:
        """The call of a step, None where it is none; *server* is what was before it."""
        if step.move.verb is Verb.BEGIN:
            self._label(step.move, len(server.jobs), began=step.moment.refused is None)
        return self._call(step.move, server)

    def _label(self, move: Move, place: int, *, began: bool) -> None:
        """A label is a job's place; where clients choose names, it stands for the name."""
        named = self._design.handle is Handle.NAME
        label = move.number - 1 if named and move.number else place
        del self._labels[place:]
        self._labels.append(label)
        if began and self._design.handle is Handle.OPAQUE and move.type is JobType.BACKUP:
            self._handles[move.client, place, place] = label

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
