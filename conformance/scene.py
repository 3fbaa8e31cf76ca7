"""A scene is a call in the state it meets: whom its id, handle or disk stands for, and what is in its way."""

from dataclasses import dataclass

from jobtck.conformance.calls import (
    BLOCK_KIND,
    ENVIRONMENT,
    KIND_OF_MODE,
    QUERIES,
    UNKNOWN_DISK,
    BackupBegin,
    BlockJobBegin,
    Call,
    Flaw,
    GetJobStats,
    HandleOf,
    IdOf,
    JobFree,
    Kind,
    NoJob,
    Odd,
    RestartServer,
    Start,
    Storage,
    TakeEvents,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, Capabilities
from jobtck.conformance.design import PARALLEL_MAX, Design, Handle, Zero
from jobtck.conformance.state import GONE_MAX, Domain, Gone, HandleState, Job, Phase, State

OF_ANY_DOMAIN = (GetJobStats, JobFree, RestartServer, TakeEvents)  # done also where the domain is not running


@dataclass(frozen=True, slots=True)
class Scene:
    """A call in a state. `job` is the live and `gone` the ended job that the call's reference stands for.

    `foreign` says that the id is of a job of another domain; `legacy` is the job that calls without an id act on.
    """

    design: Design
    capabilities: Capabilities
    state: State
    call: Call
    domain: Domain
    job: Job | None
    gone: Gone | None
    handle: HandleState | None
    foreign: bool
    legacy: Job | None

    @property
    def odd(self) -> Odd | None:
        """The id that no begin returned, if the call gives one."""
        reference = getattr(self.call, "job", None)
        return reference if isinstance(reference, Odd) else None

    @property
    def flaw(self) -> Flaw:
        """What is wrong with the call's input."""
        flaw: Flaw = getattr(self.call, "flaw", Flaw.NOTHING)
        return flaw

    @property
    def storage(self) -> Storage:
        """What the storage is like that the call begins a backup on."""
        storage: Storage = getattr(self.call, "storage", Storage.SOUND)
        return storage

    @property
    def busy_elsewhere(self) -> bool:
        """A job is live on another domain."""
        return self.state.is_busy_besides(self.call.domain)

    @property
    def is_query(self) -> bool:
        """The call only asks."""
        return isinstance(self.call, QUERIES)

    @property
    def is_begin(self) -> bool:
        """The call begins a job."""
        return isinstance(self.call, BackupBegin | BlockJobBegin)

    @property
    def is_environment(self) -> bool:
        """The call is something that happens around the job API."""
        return isinstance(self.call, ENVIRONMENT)

    @property
    def forbidden(self) -> bool:
        """A read-only connection asks for a change."""
        return self.call.client == READ_ONLY_CLIENT and not self.is_query and not self.is_environment

    @property
    def ordinary(self) -> bool:
        """The domain runs, the connection may, and the input is in order."""
        return self._may_be_done and self.flaw is Flaw.NOTHING

    @property
    def _may_be_done(self) -> bool:
        return self.domain.running and not self.forbidden

    @property
    def ending(self) -> bool:
        """Some job of the domain may or may not have ended."""
        return any(job.phase is Phase.ENDING for job in self.domain.jobs)

    @property
    def disks(self) -> tuple[str, ...]:
        """The disks that the call names."""
        disk: str | None = getattr(self.call, "disk", None)
        disks: tuple[str, ...] = getattr(self.call, "disks", ())
        return disks if disk is None else (disk,)

    @property
    def unknown_disk(self) -> bool:
        """The call names a disk that the domain does not have."""
        return UNKNOWN_DISK in self.disks

    @property
    def disk_job(self) -> Job | None:
        """A live job on one of the disks that the call names."""
        return next((job for disk in self.disks if (job := self.domain.on_disk(disk))), None)

    @property
    def finished_on_disk(self) -> bool:
        """A job that waits to be ended or dismissed may, or may not, still hold a disk that the call names."""
        return any(self.domain.finished_on(disk) for disk in self.disks)

    @property
    def backups_limit(self) -> int:
        """How many backups may run at once on a domain: one where no call lists them (LIST-2)."""
        if not self.design.listing:
            return 1
        parallel = self.capabilities.parallel_backups
        return PARALLEL_MAX if parallel is None else min(self.design.parallel, parallel)

    @property
    def limit_reached(self) -> bool:
        """One more backup would be too many."""
        return isinstance(self.call, BackupBegin) and len(self.domain.backups) >= self.backups_limit

    @property
    def name_in_use(self) -> bool:
        """The client chose the name of a live job."""
        return any(job.label == getattr(self.call, "label", None) for job in live_jobs(self.state))

    @property
    def name_used_before(self) -> bool:
        """The client chose the name of an ended job, or there are too many of them to tell."""
        label: int = getattr(self.call, "label", -1)
        return self.design.handle is Handle.NAME and any(
            len(domain.gone) == GONE_MAX or domain.gone_job(label) for domain in self.state.domains
        )

    @property
    def unhindered(self) -> bool:
        """Nothing is in the way of this begin."""
        return self.ordinary and self._finds_room and self.storage is not Storage.FULL

    @property
    def may_take_effect(self) -> bool:
        """A call that nobody hears the answer to may have been done: a conforming backend could have done it."""
        if self.flaw not in (Flaw.NOTHING, Flaw.CUT_OFF) or self.forbidden:
            return False
        if isinstance(self.call, Start):
            return not self.domain.running
        may_be_done = self.domain.running or isinstance(self.call, OF_ANY_DOMAIN)
        return may_be_done and (self._may_find_room or not self.is_begin)

    @property
    def _finds_room(self) -> bool:
        return self._may_find_room and not self.ending and not self.finished_on_disk

    @property
    def _may_find_room(self) -> bool:
        """Nothing is surely in the way of this begin."""
        return (
            self.is_begin
            and not self.limit_reached
            and not self.unknown_disk
            and self.disk_job is None
            and not (self.design.handle is Handle.NAME and self.name_in_use)
        )


def live_jobs(state: State) -> tuple[Job, ...]:
    """The live jobs of all domains."""
    return tuple(job for domain in state.domains for job in domain.jobs)


def begun_kind(call: BackupBegin | BlockJobBegin) -> Kind:
    """The kind of job that a begin begins."""
    return KIND_OF_MODE[call.mode] if isinstance(call, BackupBegin) else BLOCK_KIND[type(call)]


def scene(design: Design, capabilities: Capabilities, state: State, call: Call) -> Scene:
    """The call in that state."""
    domain = state.domains[call.domain]
    reference = getattr(call, "job", None)
    job: Job | None = None
    gone: Gone | None = None
    handle: HandleState | None = None
    foreign = False
    if isinstance(reference, IdOf):
        job, gone = domain.job(reference.label), domain.gone_job(reference.label)
        foreign = job is None and gone is None and _elsewhere(state, reference.label)
    elif isinstance(reference, HandleOf):
        handle = state.handle(reference.label)
        if handle is not None and handle.domain == call.domain and handle.job is not None:
            job, gone = domain.job(handle.job), domain.gone_job(handle.job)
    elif (reference is Odd.ZERO and design.zero is Zero.CURRENT) or reference is NoJob.NAMED:
        job = _only(domain.backups)
    return Scene(
        design=design,
        capabilities=capabilities,
        state=state,
        call=call,
        domain=domain,
        job=job,
        gone=gone,
        handle=handle,
        foreign=foreign,
        legacy=legacy_target(design, domain),
    )


def legacy_target(design: Design, domain: Domain) -> Job | None:
    """The job that calls without an id act on: the default where there is one to set, else the only backup."""
    if design.default_job:
        return None if domain.default is None else domain.job(domain.default)
    return _only(domain.backups)


def _only(jobs: tuple[Job, ...]) -> Job | None:
    return jobs[0] if len(jobs) == 1 else None


def _elsewhere(state: State, label: int) -> bool:
    return any(domain.job(label) or domain.gone_job(label) for domain in state.domains)
