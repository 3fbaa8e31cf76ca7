"""Calls worth trying in a position: every verb, on everything there is and on much that is not."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobtck.conformance.calls import (
    BAD_BACKUP_INPUT,
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobGetId,
    BlockJobSetSpeed,
    BlockPull,
    Call,
    Destroy,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    HandleOf,
    IdOf,
    Inspect,
    JobCompose,
    JobFree,
    JobGetDefaultId,
    JobGetId,
    JobGetType,
    JobLookupId,
    JobRef,
    JobSetDefaultId,
    JobType,
    ListAllJobs,
    Mode,
    NoJob,
    Odd,
    Save,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Capabilities, Feature
from jobtck.conformance.design import Design, Handle, Namespace
from jobtck.conformance.judge import Position
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.state import HANDLE_LABELS, LABELS, LIVE_JOBS_MAX, Domain, State

ILL_FORMED_NAMES = ("", "1job")
BLOCK_TYPES = (JobType.BLOCK_COPY, JobType.BLOCK_PULL, JobType.BLOCK_COMMIT)
ODD_IDS = (Odd.ZERO, Odd.NEXT, Odd.HUGE, Odd.NEGATIVE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a design is tried: live jobs over all domains."""

    live_jobs: int = LIVE_JOBS_MAX


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The calls of one design on one backend; in every position the same few kinds, on other things."""

    design: Design
    capabilities: Capabilities
    bounds: Bounds = Bounds()

    def calls(self, position: Position) -> list[Call]:
        """What can be tried in that position, in a fixed order."""
        state = position.state
        label = free_label(position)
        found = [
            call
            for call in (*self._first_domain(state, label), *self._second_domain(state, label))
            if self.capabilities.has(type(call))
        ]
        return found if label is not None else [call for call in found if not hasattr(call, "label") or _handled(call)]

    def _first_domain(self, state: State, label: int | None) -> Iterator[Call]:
        domain = state.domains[0]
        if len([job for each in state.domains for job in each.jobs]) < self.bounds.live_jobs and label is not None:
            yield from self._begins(state, domain, label)
        yield from self._backup_verbs(state)
        if self.design.handle is Handle.OPAQUE:
            yield from self._handle_calls(state)
        yield from self._lists()
        yield from self._legacy()
        if self.design.default_job:
            yield from self._defaults(state)
        yield from self._block_verbs(domain)
        yield from self._environment(domain)

    # -- beginning ------------------------------------------------------------------------------------------------

    def _begins(self, state: State, domain: Domain, label: int) -> Iterator[Call]:
        for mode in Mode:
            for disks in self._disk_choices():
                yield self._begin(label, mode, disks)
        first = self.capabilities.disks[:1]
        for flaw in (*BAD_BACKUP_INPUT, Flaw.UNKNOWN_FLAGS):
            disks = (UNKNOWN_DISK,) if flaw is Flaw.UNKNOWN_DISK else first
            yield self._begin(label, Mode.PULL, disks, flaw)
        yield self._begin(label, Mode.PUSH, first, Flaw.TARGET_EXISTS)
        if Feature.READ_ONLY_CLIENT in self.capabilities.features:
            yield self._begin(label, Mode.PULL, first, client=READ_ONLY_CLIENT)
        for begin in (BlockCopy, BlockPull, BlockCommit):
            for disk in (*self.capabilities.disks, UNKNOWN_DISK):
                yield begin(label=label, disk=disk, name=self._name(label))
        if self.design.handle is Handle.NAME:
            yield from self._name_choices(domain, label)
        del state

    def _disk_choices(self) -> Iterator[tuple[str, ...]]:
        disks = self.capabilities.disks
        yield from ((disk,) for disk in disks)
        if len(disks) > 1:
            yield disks[:2]

    def _begin(
        self, label: int, mode: Mode, disks: tuple[str, ...], flaw: Flaw = Flaw.NOTHING, client: int = 0
    ) -> BackupBegin:
        return BackupBegin(label=label, mode=mode, disks=disks, flaw=flaw, client=client, name=self._name(label))

    def _name(self, label: int) -> str | None:
        return NAME_OF_LABEL[label] if self.design.handle is Handle.NAME else None

    def _name_choices(self, domain: Domain, label: int) -> Iterator[Call]:
        disks = self.capabilities.disks[-1:]
        for name in ILL_FORMED_NAMES:
            yield BackupBegin(label=label, mode=Mode.PULL, disks=disks, name=name, flaw=Flaw.ILL_FORMED_NAME)
        for other in (*(job.label for job in domain.jobs), *(gone.label for gone in domain.gone)):
            yield self._begin(other, Mode.PULL, disks)

    # -- verbs on ids, handles, or the only job -----------------------------------------------------------------

    def _references(self, state: State, index: int) -> Iterator[JobRef]:
        domain = state.domains[index]
        if self.design.handle is Handle.NONE:
            yield NoJob.NAMED
        elif self.design.handle is Handle.OPAQUE:
            yield from (HandleOf(label) for label, _ in state.handles)
        else:
            yield from _ids(domain)
            yield from ODD_IDS

    def _backup_verbs(self, state: State) -> Iterator[Call]:
        for reference in self._references(state, 0):
            yield BackupGetXmlDesc(job=reference)
            yield BackupEnd(job=reference)
            yield BackupEnd(job=reference, abort=True)
        for reference in (reference for reference in self._references(state, 0) if not isinstance(reference, Odd)):
            yield BackupGetXmlDesc(job=reference, flaw=Flaw.UNKNOWN_FLAGS)
            yield BackupEnd(job=reference, flaw=Flaw.UNKNOWN_FLAGS)
            for client in self._other_clients():
                yield BackupGetXmlDesc(job=reference, client=client)
                yield BackupEnd(job=reference, abort=True, client=client)

    def _other_clients(self) -> Iterator[int]:
        if Feature.SECOND_CLIENT in self.capabilities.features:
            yield SECOND_CLIENT
        if Feature.READ_ONLY_CLIENT in self.capabilities.features:
            yield READ_ONLY_CLIENT

    def _handle_calls(self, state: State) -> Iterator[Call]:
        for label, _ in state.handles:
            yield JobGetId(job=HandleOf(label))
            yield JobGetType(job=HandleOf(label))
            yield JobFree(job=HandleOf(label))
        taken = {label for label, handle in state.handles if not handle.freed}
        label = next((label for label in HANDLE_LABELS if label not in taken), None)
        if label is None:
            return
        per_type = self.design.namespace is Namespace.PER_TYPE
        domain = state.domains[0]
        types = {job.label: job.kind.type for job in domain.jobs} | {gone.label: gone.kind.type for gone in domain.gone}
        for reference in _ids(domain):
            type_ = types[reference.label]
            yield JobLookupId(label=label, job=reference, type=type_ if per_type else None)
            yield JobCompose(label=label, job=reference, type=type_)
        for odd in ODD_IDS:
            yield JobLookupId(label=label, job=odd, type=JobType.BACKUP if per_type else None)
        yield JobCompose(label=label, job=Odd.NEXT, type=JobType.BACKUP)

    def _lists(self) -> Iterator[Call]:
        yield ListAllJobs()
        yield ListAllJobs(flaw=Flaw.UNKNOWN_FLAGS)
        yield ListAllJobs(types=frozenset({JobType.BACKUP}))
        yield ListAllJobs(types=frozenset({JobType.BLOCK_COPY}))
        yield from (ListAllJobs(client=client) for client in self._other_clients())

    # -- calls that name no job ---------------------------------------------------------------------------------

    def _legacy(self) -> Iterator[Call]:
        yield GetJobInfo()
        yield GetJobStats()
        yield GetJobStats(completed=True, keep=True)
        yield GetJobStats(completed=True)
        yield GetJobStats(keep=True, flaw=Flaw.KEEP_ALONE)
        yield GetJobStats(flaw=Flaw.UNKNOWN_FLAGS)
        yield AbortJob(flaw=Flaw.UNKNOWN_FLAGS)
        yield AbortJob()
        for client in self._other_clients():
            yield GetJobInfo(client=client)
            yield AbortJob(client=client)

    def _defaults(self, state: State) -> Iterator[Call]:
        yield JobGetDefaultId()
        for reference in self._references(state, 0):
            if reference is not Odd.ZERO:
                yield JobSetDefaultId(job=reference)

    # -- disks --------------------------------------------------------------------------------------------------

    def _block_verbs(self, domain: Domain) -> Iterator[Call]:
        for disk in (*self.capabilities.disks, UNKNOWN_DISK):
            yield GetBlockJobInfo(disk=disk)
            yield BlockJobGetId(disk=disk)
            yield BlockJobSetSpeed(disk=disk)
            yield BlockJobAbort(disk=disk)
            yield BlockJobAbort(disk=disk, pivot=True)
        disk = self.capabilities.disks[0]
        yield GetBlockJobInfo(disk=disk, flaw=Flaw.UNKNOWN_FLAGS)
        yield BlockJobAbort(disk=disk, flaw=Flaw.UNKNOWN_FLAGS)
        yield BlockJobSetSpeed(disk=disk, flaw=Flaw.UNKNOWN_FLAGS)
        for client in self._other_clients():
            yield GetBlockJobInfo(disk=disk, client=client)
            yield BlockJobAbort(disk=disk, client=client)
        del domain

    # -- what happens around the calls ----------------------------------------------------------------------------

    def _environment(self, domain: Domain) -> Iterator[Call]:
        yield Start() if not domain.running else Destroy()
        if domain.running:
            yield Save()
            yield Settle()
        yield TakeEvents(due=len(domain.owed or ()))
        if not domain.backups:
            yield Inspect()

    # -- another domain -------------------------------------------------------------------------------------------

    def _second_domain(self, state: State, label: int | None) -> Iterator[Call]:
        """Enough to see whether ids of one domain reach a job of another."""
        if Feature.SECOND_DOMAIN not in self.capabilities.features or len(state.domains) < 2:  # noqa: PLR2004
            return
        if self.design.handle is not Handle.INTEGER:
            return
        first, second = state.domains[:2]
        live = len(first.jobs) + len(second.jobs)
        if label is not None and not second.jobs and len(first.jobs) <= 1 and live < self.bounds.live_jobs:
            yield BackupBegin(label=label, mode=Mode.PULL, disks=self.capabilities.disks[:1], domain=1)
        for reference in (*_ids(first, backups_only=True), *_ids(second)):
            yield BackupGetXmlDesc(job=reference, domain=1)
            yield BackupEnd(job=reference, domain=1, abort=True)
        for reference in _ids(second, backups_only=True):
            yield BackupGetXmlDesc(job=reference)
            yield BackupEnd(job=reference, abort=True)


def free_label(position: Position) -> int | None:
    """The label for the next job: one never used, else that of the job that ended longest ago; None when all live."""
    live = {job.label for state in position.belief for domain in state.domains for job in domain.jobs}
    gone = [gone.label for domain in position.state.domains for gone in domain.gone]
    unused = [label for label in range(LABELS) if label not in live and label not in gone]
    if unused:
        return unused[0]
    return next((label for label in gone if label not in live), None)


def _ids(domain: Domain, *, backups_only: bool = False) -> Iterator[IdOf]:
    """The ids that were told, of live jobs and of ended ones."""
    yield from (IdOf(job.label) for job in domain.jobs if job.known and (job.kind.is_backup or not backups_only))
    yield from (IdOf(gone.label) for gone in domain.gone if gone.kind.is_backup or not backups_only)


def _handled(call: Call) -> bool:
    return isinstance(call, JobLookupId | JobCompose)
