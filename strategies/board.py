"""A server on the drawing board: what one that conforms to a design does, from the design's axes alone.

Jobs are called by the order of their begin. A backup is one that waits to be ended where there is a call
for that, and ends by itself where there is none, as the contract has it; a block job ends by itself.
"""

from typing import NamedTuple

from jobtck.conformance.calls import JobType
from jobtck.conformance.design import Design, Handle, Namespace, Reuse, Zero
from jobtck.conformance.histories import By
from jobtck.conformance.outcomes import ErrorKind
from jobtck.strategies.memories import NOWHERE, NOWHERE_ELSE, Item

GONE = -1  # the client that is no more; also the server, as who chose the default
BLOCK = JobType.BLOCK_PULL
SPACES = {JobType.BACKUP: 0, BLOCK: 1}


class Bounds(NamedTuple):
    """How far is looked: clients, jobs begun in all, steps of a history, disks of a domain, domains."""

    clients: int = 2
    jobs: int = 3
    depth: int = 8
    disks: int = 2  # two live jobs are enough to be ambiguous
    domains: int = 1


class Job(NamedTuple):
    """A job that was begun; of one that is over no more is kept than its type."""

    type: JobType
    live: bool = False
    disk: int = 0
    number: int = 0  # its id within its space; 0 where it bears none
    owner: int = GONE
    domain: int = 0


class Server(NamedTuple):
    """All jobs in the order of their begin, and the default with who chose it."""

    jobs: tuple[Job, ...] = ()
    default: int | None = None
    chooser: int = GONE


Found = int | ErrorKind  # a job, or why none is found


def bears_id(design: Design, type: JobType) -> bool:
    """Jobs of that type have ids."""
    return design.has_ids and (type is JobType.BACKUP or design.block_ids)


def space_of(design: Design, type: JobType) -> int:
    """The namespace of a job's id: one for all, or one for each type."""
    return SPACES[type] if design.namespace is Namespace.PER_TYPE else 0


def ends_by_itself(design: Design, type: JobType) -> bool:
    """A job of that type may be over without anybody's call."""
    return type is not JobType.BACKUP or not design.has_ids


def live_backups(server: Server, domain: int) -> list[int]:
    """The live backups of a domain."""
    return [
        label
        for label, job in enumerate(server.jobs)
        if job.live and job.type is JobType.BACKUP and job.domain == domain
    ]


def numbers(design: Design, server: Server, type: JobType, domain: int) -> list[int]:
    """The ids that the next job of that type may be given, the one that the reference would give first.

    One never used is as good as any other such; where ids are used again, each that is free may be.
    """
    if not bears_id(design, type):
        return [0]
    spaces = [job for job in server.jobs if space_of(design, job.type) == space_of(design, type)]
    drawn = [job for job in spaces if job.domain == domain and bears_id(design, job.type)]
    if design.reuse is Reuse.NEVER:
        return [len(drawn) + 1]
    taken = {job.number for job in drawn if job.live}
    return [number for number in range(1, len(drawn) + 2) if number not in taken]


def find_number(design: Design, server: Server, number: int, type: JobType, domain: int = 0) -> Found:
    """The live job of that type and id; one that another type's job bears in the same space is told apart."""
    space = space_of(design, type)
    for label, job in enumerate(server.jobs):
        if job.live and job.number == number and job.domain == domain and space_of(design, job.type) == space:
            return label if job.type is type else ErrorKind.WRONG_TYPE
    return ErrorKind.NO_SUCH_JOB


def find_current(server: Server, domain: int = 0) -> Found:
    """The only backup of a domain."""
    backups = live_backups(server, domain)
    if len(backups) == 1:
        return backups[0]
    return ErrorKind.AMBIGUOUS if backups else ErrorKind.NO_SUCH_JOB


def find_legacy(design: Design, server: Server) -> Found:
    """The default job in a design that has one, and else the only backup."""
    if not design.default_job:
        return find_current(server)
    return ErrorKind.NO_SUCH_JOB if server.default is None else server.default


def find_on_disk(server: Server, disk: int) -> Found:
    """The live job on a disk."""
    for label, job in enumerate(server.jobs):
        if job.live and job.disk == disk:
            return label
    return ErrorKind.NO_SUCH_JOB


def dead_handle(server: Server, label: int) -> int:
    """What a handle stands for whose job is over."""
    return NOWHERE if server.jobs[label].type is JobType.BACKUP else NOWHERE_ELSE


def find_backup(design: Design, server: Server, item: Item, domain: int = 0) -> Found:
    """The live backup that a backup verb acts on when it is given what the item holds."""
    match item.by:
        case By.FREED:
            return ErrorKind.INVALID_ARGUMENT
        case By.HANDLE:
            return _of_handle(server, item, domain)
        case By.ZERO:
            return find_current(server, domain)
        case By.LEGACY:
            return find_legacy(design, server)
        case _:
            return find_number(design, server, item.value, JobType.BACKUP, domain)


def _of_handle(server: Server, item: Item, domain: int) -> Found:
    if item.value < 0:
        return ErrorKind.NO_SUCH_JOB if item.value == NOWHERE else ErrorKind.WRONG_TYPE
    job = server.jobs[item.value]
    if job.live and job.domain != domain:
        return ErrorKind.INVALID_ARGUMENT
    if job.type is not JobType.BACKUP:
        return ErrorKind.WRONG_TYPE
    return item.value if job.live else ErrorKind.NO_SUCH_JOB


def begun(design: Design, server: Server, job: Job) -> Server:
    """The server with a job more; a backup that begins alone becomes the default, unless there is one."""
    label = len(server.jobs)
    jobs = (*server.jobs, job)
    alone = job.type is JobType.BACKUP and not live_backups(server, job.domain)
    if design.default_job and alone and server.default is None:
        return Server(jobs, label, GONE)
    return server._replace(jobs=jobs)


def over(server: Server, label: int) -> Server:
    """The server without that job; with it goes the default, and does not slide."""
    job = server.jobs[label]
    ended = Job(job.type, domain=job.domain)
    jobs = (*server.jobs[:label], ended, *server.jobs[label + 1 :])
    if server.default == label:
        return Server(jobs)
    return server._replace(jobs=jobs)


def unreachable(design: Design, server: Server) -> frozenset[int]:
    """The live jobs that no call reaches, even with everything known."""
    return frozenset(
        label
        for label, job in enumerate(server.jobs)
        if job.live and not job.number and label not in _found_without_id(design, server, job)
    )


def unfindable(design: Design, server: Server) -> frozenset[int]:
    """The live jobs that no call finds for a client that knows nothing but the API."""
    return frozenset(
        label
        for label, job in enumerate(server.jobs)
        if job.live and not (design.listing and job.number) and label not in _found_without_id(design, server, job)
    )


def _found_without_id(design: Design, server: Server, job: Job) -> tuple[Found, ...]:
    if job.type is not JobType.BACKUP:
        return (find_on_disk(server, job.disk),)
    if design.zero is Zero.CURRENT:
        return find_current(server, job.domain), find_legacy(design, server)
    return (find_legacy(design, server),)


def indistinct(design: Design, server: Server) -> frozenset[int]:
    """The live backups of clients that are gone, beside others, where only the server gives ids."""
    if design.handle is Handle.NAME:
        return frozenset()
    backups = live_backups(server, 0)
    if len(backups) < 2:  # noqa: PLR2004
        return frozenset()
    return frozenset(label for label in backups if server.jobs[label].owner == GONE)
