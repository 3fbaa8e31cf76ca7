"""Calls worth trying in a belief: every verb, on everything there is and on much that is not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from jobtck.conformance.calls import (
    BAD_BACKUP_INPUT,
    JOB_VERBS,
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobBegin,
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
    JobCancel,
    JobCompose,
    JobFree,
    JobGetDefaultId,
    JobGetId,
    JobGetStatus,
    JobGetType,
    JobLookupId,
    JobPause,
    JobRef,
    JobSetDefaultId,
    JobType,
    Kind,
    ListAllJobs,
    Mode,
    NoJob,
    Odd,
    Save,
    Settle,
    Start,
    TakeEvents,
    Waits,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Capabilities, Feature
from jobtck.conformance.design import Design, Handle, Namespace
from jobtck.conformance.judge import Belief
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.state import HANDLE_LABELS, LABELS, LIVE_JOBS_MAX, Gone, Job, State

ILL_FORMED_NAMES = ("", "1job")
CROWD_MAX = 2  # live jobs of which one is led by hand, in a tour
ODD_IDS = (Odd.ZERO, Odd.NEXT, Odd.HUGE, Odd.NEGATIVE)
BLOCK_BEGINS = (BlockCopy, BlockPull, BlockCommit)

Calls = tuple[Call, ...]
Variant = tuple[object, ...]


class Slot(NamedTuple):
    """A place in the alphabet: what it could be about in a belief, and the calls about one such thing.

    `lawful` slots offer calls that are meant to succeed where they are offered.
    """

    name: str
    variants: Callable[[State, Belief], Sequence[Variant]]
    make: Callable[..., Iterator[Call]]
    lawful: bool


class Alphabet:
    """The calls of one design on one backend, made once and offered where they make sense."""

    def __init__(self, design: Design, capabilities: Capabilities, live_jobs: int = LIVE_JOBS_MAX) -> None:
        self.design = design
        self.capabilities = capabilities
        self.live_jobs = live_jobs
        features = capabilities.features
        clients = ((SECOND_CLIENT, Feature.SECOND_CLIENT), (READ_ONLY_CLIENT, Feature.READ_ONLY_CLIENT))
        self._others = tuple(client for client, feature in clients if feature in features)
        self._two_domains = Feature.SECOND_DOMAIN in features and design.handle is Handle.INTEGER
        self._by_hand = design.handle is Handle.NAME and any(map(capabilities.has, JOB_VERBS))
        self._made: dict[object, Calls] = {}
        lawful, unlawful = tuple(self._lawful_slots()), tuple(self._unlawful_slots())
        if self._by_hand:
            lawful = (*map(_beside_none_led_by_hand, lawful), *self._lawful_slots_of_names())
            unlawful = (*map(_beside_none_led_by_hand, unlawful), *self._unlawful_slots_of_names())
        self.lawful, self.unlawful = lawful, unlawful

    def calls(self, belief: Belief) -> list[Call]:
        """What can be tried, each call once, in a fixed order."""
        found: dict[Call, None] = {}
        for slot in (*self.lawful, *self.unlawful):
            for variant in slot.variants(belief.state, belief):
                found.update(dict.fromkeys(self.family(slot, variant)))
        return list(found)

    def family(self, slot: Slot, variant: Variant) -> Calls:
        """The calls about that thing, as far as the backend has them."""
        key = (slot.make, variant)
        calls = self._made.get(key)
        if calls is None:
            calls = self._made[key] = tuple(call for call in slot.make(*variant) if self._fits(call))
        return calls

    def _fits(self, call: Call) -> bool:
        """The backend has the call, and it leaves room for what is wrong with it."""
        flaw: Flaw = getattr(call, "flaw", Flaw.NOTHING)
        return self.capabilities.has(type(call)) and (flaw is Flaw.NOTHING or flaw in self.capabilities.flaws)

    # -- what a state offers --------------------------------------------------------------------------------------

    def _lawful_slots(self) -> Iterator[Slot]:
        yield Slot("begin", self._free_disks, self._begins_on, lawful=True)
        yield Slot("begin on two disks", self._pairs, self._begins_of_two, lawful=True)
        yield Slot("verbs", self._live, self._verbs, lawful=True)
        yield Slot("block job", self._block_jobs, self._disk_verbs, lawful=True)
        yield Slot("questions", _always, self._questions, lawful=True)
        yield Slot("legacy end", _always, self._legacy_ends, lawful=True)
        if self.design.handle is Handle.OPAQUE:
            yield Slot("handles", self._handles, self._handle_verbs, lawful=True)
            yield Slot("look-ups", self._looked_up, self._lookups, lawful=True)
            yield Slot("odd look-ups", self._free_handles, self._odd_lookups, lawful=True)
        yield Slot("surroundings", _around, self._surroundings, lawful=True)

    def _unlawful_slots(self) -> Iterator[Slot]:
        yield Slot("flawed begin", self._labels, self._flawed_begins, lawful=False)
        yield Slot("one too many", self._one_too_many, self._begins_of_one, lawful=False)
        yield Slot("hindered begin", self._busy_disks, self._begins_on, lawful=False)
        if self.design.handle is Handle.NAME and not self._by_hand:
            yield Slot("begin by name", self._names, self._begins_named, lawful=False)
        yield Slot("verbs on the dead", self._dead, self._verbs, lawful=False)
        yield Slot("wrong verbs", self._any_reference, self._wrong_verbs, lawful=False)
        yield Slot("disk", self._any_disk, self._disk_verbs, lawful=False)
        yield Slot("bad questions", _always, self._bad_questions, lawful=False)
        if self._two_domains:
            yield Slot("begin elsewhere", self._idle_elsewhere, self._begin_elsewhere, lawful=False)
            yield Slot("verbs elsewhere", _backups_anywhere, self._verbs_elsewhere, lawful=False)
            yield Slot("verbs from elsewhere", _backups_elsewhere, self._verbs, lawful=False)

    def _lawful_slots_of_names(self) -> Iterator[Slot]:
        """Where clients name the jobs: what leads them on."""
        yield Slot("begin to be led by hand", self._to_lead, self._begins_to_lead, lawful=True)
        yield Slot("begin beside one led by hand", self._beside, self._begins_of_one, lawful=True)
        yield Slot("cancel by name", self._told_jobs, self._cancels, lawful=True)
        yield Slot("job verbs", self._led, self._job_verbs, lawful=True)
        yield Slot("pauses", self._pausable, self._pauses, lawful=True)
        yield Slot("around jobs led by hand", self._around_led, self._surroundings_of_led, lawful=True)

    def _unlawful_slots_of_names(self) -> Iterator[Slot]:
        yield Slot("begin by name", self._names, self._begins_named, lawful=False)
        yield Slot("job verbs on nobody", self._nobody, self._job_verbs, lawful=False)
        yield Slot("job verbs elsewhere", self._led_anywhere, self._job_verbs_elsewhere, lawful=False)
        yield Slot("odd job verbs", self._led, self._odd_job_verbs, lawful=False)

    def _to_lead(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        free = [disk for disk in self.capabilities.disks if domain.running and domain.on_disk(disk) is None]
        if not free or (domain.jobs and not self._is_roomy):
            return ()
        return [(*label, free[0]) for label in self._labels(state, belief)]

    @property
    def _is_roomy(self) -> bool:
        """Long sessions go on where a tour would get lost."""
        return self.live_jobs >= LIVE_JOBS_MAX

    def _beside(self, state: State, belief: Belief) -> Sequence[Variant]:
        """A label for a backup on the last disk, beside a job that is led by hand."""
        domain = state.domains[0]
        alone = len(domain.jobs) == 1 and domain.jobs[0].is_led_by_hand
        free = domain.on_disk(self.capabilities.disks[-1]) is None
        return self._labels(state, belief) if free and alone and domain.running else ()

    def _told_jobs(self, state: State, _: Belief) -> Sequence[Variant]:
        return [(IdOf(job.label),) for job in state.domains[0].jobs if self._told(job)]

    def _led(self, state: State, belief: Belief) -> Sequence[Variant]:
        """All jobs; in a tour several plain ones only where one is led by hand."""
        jobs = state.domains[0].jobs
        if len(jobs) > 1 and not self._is_roomy and not any(job.is_led_by_hand for job in jobs):
            return ()
        return self._told_jobs(state, belief)

    def _pausable(self, state: State, _: Belief) -> Sequence[Variant]:
        """Jobs to pause: in a tour one beside no more than a plain pull backup, or one that is led by hand."""
        jobs = state.domains[0].jobs
        told = [(IdOf(job.label),) for job in jobs if self._told(job)]
        if self._is_roomy:
            return told
        plain = [job for job in jobs if job.kind is Kind.PULL and not job.is_led_by_hand]
        crowded = len(jobs) > CROWD_MAX or len(jobs) - len(plain) > 1 or any(len(job.disks) > 1 for job in jobs)
        led = [(IdOf(job.label),) for job in jobs if job.is_led_by_hand]
        return led if crowded or led else told

    def _nobody(self, state: State, belief: Belief) -> Sequence[Variant]:
        """Names that no job bears; beside several jobs, or one led by hand, they teach nothing more."""
        jobs = state.domains[0].jobs
        if not self._is_roomy and (len(jobs) > 1 or any(job.is_led_by_hand for job in jobs)):
            return ()
        return [*self._dead(state, belief), (Odd.ZERO,)]

    def _led_anywhere(self, state: State, _: Belief) -> Sequence[Variant]:
        if Feature.SECOND_DOMAIN not in self.capabilities.features or len(state.domains[0].jobs) > 1:
            return ()
        return [(each.label,) for each in state.domains[0].jobs]

    def _around_led(self, state: State, _: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        led = any(job.is_led_by_hand for job in domain.jobs)
        return ((bool(domain.backups), len(domain.owed or ())),) if led else ()

    def _labels(self, state: State, belief: Belief) -> Sequence[Variant]:
        if not self._has_room(state):
            return ()
        label = free_label(belief)
        return () if label is None else ((label,),)

    def _has_room(self, state: State) -> bool:
        """There are few jobs, or it makes the third of nothing but pull backups."""
        live = sum([len(domain.jobs) for domain in state.domains])
        if live < self.live_jobs or live >= LIVE_JOBS_MAX:
            return live < self.live_jobs
        jobs = [job for domain in state.domains for job in domain.jobs]
        return all(job.kind is Kind.PULL and len(job.disks) == 1 for job in jobs)

    def _one_too_many(self, state: State, belief: Belief) -> Sequence[Variant]:
        """A label for a backup beyond the limit, where there is no room for others."""
        parallel = self.capabilities.parallel_backups
        if parallel is None or self._has_room(state):
            return ()
        if len(state.domains[0].backups) < min(self.design.parallel, parallel):
            return ()
        label = free_label(belief)
        return () if label is None else ((label,),)

    def _free_disks(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        if not domain.running:
            return ()
        free = [disk for disk in self.capabilities.disks if domain.on_disk(disk) is None]
        return [(*label, disk) for label in self._labels(state, belief) for disk in free]

    def _busy_disks(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        busy = [disk for disk in self.capabilities.disks if not domain.running or domain.on_disk(disk) is not None]
        return [(*label, disk) for label in self._labels(state, belief) for disk in (*busy, UNKNOWN_DISK)]

    def _pairs(self, state: State, belief: Belief) -> Sequence[Variant]:
        return self._labels(state, belief) if state.domains[0].running else ()

    def _names(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        return [(each.label,) for each in domain.all_jobs] if self._labels(state, belief) else ()

    def _live(self, state: State, _: Belief) -> Sequence[Variant]:
        match self.design.handle:
            case Handle.NONE:
                return ((NoJob.NAMED,),)
            case Handle.OPAQUE:
                return [(HandleOf(label),) for label, _ in state.handles]
            case _:
                return [*((IdOf(job.label),) for job in state.domains[0].jobs if self._told(job)), (Odd.ZERO,)]

    def _told(self, job: Job) -> bool:
        """The job bears an id, and the client knows it."""
        return job.known and (job.kind.is_backup or self.design.block_ids)

    def _dead(self, state: State, _: Belief) -> Sequence[Variant]:
        if self.design.handle not in (Handle.INTEGER, Handle.NAME):
            return ()
        return [*((IdOf(gone.label),) for gone in state.domains[0].gone), *((odd,) for odd in ODD_IDS[1:])]

    def _any_reference(self, state: State, belief: Belief) -> Sequence[Variant]:
        return [*self._live(state, belief), *self._dead(state, belief)]

    def _block_jobs(self, state: State, _: Belief) -> Sequence[Variant]:
        return [(job.disks[0],) for job in state.domains[0].jobs if not job.kind.is_backup]

    def _any_disk(self, _: State, __: Belief) -> Sequence[Variant]:
        return [(disk,) for disk in (*self.capabilities.disks, UNKNOWN_DISK)]

    def _handles(self, state: State, _: Belief) -> Sequence[Variant]:
        return [(label,) for label, _ in state.handles]

    def _free_handles(self, state: State, _: Belief) -> Sequence[Variant]:
        taken = {label for label, handle in state.handles if not handle.freed}
        return [(label,) for label in HANDLE_LABELS if label not in taken][:1]

    def _looked_up(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        known = [each for each in domain.all_jobs if isinstance(each, Gone) or self._told(each)]
        free = self._free_handles(state, belief)
        return [(*handle, IdOf(each.label), each.kind.type) for handle in free for each in known]

    def _idle_elsewhere(self, state: State, belief: Belief) -> Sequence[Variant]:
        """Enough to see whether ids of one domain reach a job of another."""
        first, second = state.domains[:2]
        return self._labels(state, belief) if not second.jobs and len(first.jobs) <= 1 else ()

    # -- beginning ------------------------------------------------------------------------------------------------

    def _begin(
        self, label: int, mode: Mode, disks: tuple[str, ...], flaw: Flaw = Flaw.NOTHING, client: int = 0
    ) -> BackupBegin:
        return BackupBegin(label=label, mode=mode, disks=disks, flaw=flaw, client=client, name=self._name(label))

    def _name(self, label: int) -> str | None:
        return NAME_OF_LABEL[label] if self.design.handle is Handle.NAME else None

    def _begins_on(self, label: int, disk: str) -> Iterator[Call]:
        yield from (self._begin(label, mode, (disk,)) for mode in (Mode.PULL, Mode.PUSH))
        yield from (begin(label=label, disk=disk, name=self._name(label)) for begin in BLOCK_BEGINS)

    def _begins_of_one(self, label: int) -> Iterator[Call]:
        yield self._begin(label, Mode.PULL, self.capabilities.disks[-1:])

    def _begins_of_two(self, label: int) -> Iterator[Call]:
        if len(self.capabilities.disks) > 1 and self.capabilities.disks_per_backup != 1:
            yield from (self._begin(label, mode, self.capabilities.disks[:2]) for mode in (Mode.PULL, Mode.PUSH))

    def _flawed_begins(self, label: int) -> Iterator[Call]:
        first = self.capabilities.disks[:1]
        for flaw in (*BAD_BACKUP_INPUT, Flaw.UNKNOWN_FLAGS):
            yield self._begin(label, Mode.PULL, (UNKNOWN_DISK,) if flaw is Flaw.UNKNOWN_DISK else first, flaw)
        yield self._begin(label, Mode.PUSH, first, Flaw.TARGET_EXISTS)
        if READ_ONLY_CLIENT in self._others:
            yield self._begin(label, Mode.PULL, first, client=READ_ONLY_CLIENT)
        if self.design.handle is Handle.NAME:
            for name in ILL_FORMED_NAMES:
                yield BackupBegin(label=label, mode=Mode.PULL, disks=first, name=name, flaw=Flaw.ILL_FORMED_NAME)

    def _begins_named(self, label: int) -> Iterator[Call]:
        yield self._begin(label, Mode.PULL, self.capabilities.disks[-1:])

    # -- verbs on ids, handles, or the only job -------------------------------------------------------------------

    def _verbs(self, reference: JobRef) -> Iterator[Call]:
        yield BackupGetXmlDesc(job=reference)
        yield BackupEnd(job=reference, abort=True)
        yield BackupEnd(job=reference)
        if self.design.default_job and reference is not Odd.ZERO:
            yield JobSetDefaultId(job=reference)

    def _wrong_verbs(self, reference: JobRef) -> Iterator[Call]:
        if not isinstance(reference, Odd):
            yield BackupGetXmlDesc(job=reference, flaw=Flaw.UNKNOWN_FLAGS)
            yield BackupEnd(job=reference, flaw=Flaw.UNKNOWN_FLAGS)
            for client in self._others:
                yield BackupGetXmlDesc(job=reference, client=client)
                yield BackupEnd(job=reference, abort=True, client=client)

    def _handle_verbs(self, label: int) -> Iterator[Call]:
        yield JobGetId(job=HandleOf(label))
        yield JobGetType(job=HandleOf(label))
        yield JobFree(job=HandleOf(label))

    def _lookups(self, label: int, reference: JobRef, type: JobType) -> Iterator[Call]:
        per_type = self.design.namespace is Namespace.PER_TYPE
        yield JobLookupId(label=label, job=reference, type=type if per_type else None)
        yield JobCompose(label=label, job=reference, type=type)

    def _odd_lookups(self, label: int) -> Iterator[Call]:
        per_type = self.design.namespace is Namespace.PER_TYPE
        for odd in ODD_IDS:
            yield JobLookupId(label=label, job=odd, type=JobType.BACKUP if per_type else None)
        yield JobCompose(label=label, job=Odd.NEXT, type=JobType.BACKUP)

    # -- verbs on names -------------------------------------------------------------------------------------------

    def _begins_to_lead(self, label: int, disk: str) -> Iterator[Call]:
        for call in self._begins_on(label, disk):
            assert isinstance(call, BackupBegin | BlockJobBegin)
            yield replace(call, waits=Waits.BOTH)
        push = self._begin(label, Mode.PUSH, (disk,))
        yield from (replace(push, waits=waits) for waits in (Waits.FINALIZE, Waits.DISMISS))

    def _cancels(self, reference: JobRef) -> Iterator[Call]:
        yield JobGetStatus(job=reference)
        yield JobCancel(job=reference)

    def _job_verbs(self, reference: JobRef) -> Iterator[Call]:
        yield JobGetStatus(job=reference)
        yield from (verb(job=reference) for verb in JOB_VERBS if verb is not JobPause or isinstance(reference, Odd))

    def _pauses(self, reference: JobRef) -> Iterator[Call]:
        yield JobPause(job=reference)

    def _odd_job_verbs(self, reference: JobRef) -> Iterator[Call]:
        yield JobCancel(job=reference, flaw=Flaw.UNKNOWN_FLAGS)
        if SECOND_CLIENT in self._others:
            yield JobGetStatus(job=reference, client=SECOND_CLIENT)
            yield JobCancel(job=reference, client=SECOND_CLIENT)

    def _job_verbs_elsewhere(self, label: int) -> Iterator[Call]:
        yield JobGetStatus(job=IdOf(label), domain=1)
        yield JobCancel(job=IdOf(label), domain=1)

    def _surroundings_of_led(self, backups: bool, due: int) -> Iterator[Call]:  # noqa: FBT001
        yield from (ListAllJobs(), Settle(), TakeEvents(due=due))
        if not backups:
            yield Inspect()

    # -- calls that name no job -----------------------------------------------------------------------------------

    def _questions(self) -> Iterator[Call]:
        yield GetJobInfo()
        yield GetJobStats()
        yield GetJobStats(completed=True, keep=True)
        yield GetJobStats(completed=True)
        if self.design.listing:
            yield ListAllJobs()
            if Feature.TYPE_FILTER in self.capabilities.features:
                yield ListAllJobs(types=frozenset({JobType.BACKUP}))
                yield ListAllJobs(types=frozenset({JobType.BLOCK_COPY}))
            yield from (ListAllJobs(client=client) for client in self._others)
        yield from (GetJobInfo(client=client) for client in self._others)
        yield from (GetBlockJobInfo(disk=disk) for disk in self.capabilities.disks)
        if self.design.default_job:
            yield JobGetDefaultId()

    def _legacy_ends(self) -> Iterator[Call]:
        yield AbortJob()
        if SECOND_CLIENT in self._others:
            yield AbortJob(client=SECOND_CLIENT)

    def _bad_questions(self) -> Iterator[Call]:
        disk = self.capabilities.disks[0]
        yield GetJobStats(keep=True, flaw=Flaw.KEEP_ALONE)
        yield GetJobStats(flaw=Flaw.UNKNOWN_FLAGS)
        yield AbortJob(flaw=Flaw.UNKNOWN_FLAGS)
        yield GetBlockJobInfo(disk=disk, flaw=Flaw.UNKNOWN_FLAGS)
        yield BlockJobAbort(disk=disk, flaw=Flaw.UNKNOWN_FLAGS)
        yield BlockJobSetSpeed(disk=disk, flaw=Flaw.UNKNOWN_FLAGS)
        if self.design.listing:
            yield ListAllJobs(flaw=Flaw.UNKNOWN_FLAGS)
        if self.design.default_job:
            yield from (JobSetDefaultId(job=odd) for odd in (Odd.NEXT, Odd.HUGE, Odd.NEGATIVE))
        if READ_ONLY_CLIENT in self._others:
            yield AbortJob(client=READ_ONLY_CLIENT)
        for client in self._others:
            yield GetBlockJobInfo(disk=disk, client=client)
            yield BlockJobAbort(disk=disk, client=client)

    def _disk_verbs(self, disk: str) -> Iterator[Call]:
        yield GetBlockJobInfo(disk=disk)
        if self.design.block_ids:
            yield BlockJobGetId(disk=disk)
        yield BlockJobSetSpeed(disk=disk)
        yield BlockJobAbort(disk=disk)
        yield BlockJobAbort(disk=disk, pivot=True)

    # -- what happens around the calls, and in another domain -----------------------------------------------------

    def _surroundings(self, running: bool, backups: bool, due: int) -> Iterator[Call]:  # noqa: FBT001
        yield from (Settle(), Save(), Destroy()) if running else (Start(),)
        yield TakeEvents(due=due)
        if not backups:
            yield Inspect()

    def _begin_elsewhere(self, label: int) -> Iterator[Call]:
        yield BackupBegin(label=label, mode=Mode.PULL, disks=self.capabilities.disks[:1], domain=1)

    def _verbs_elsewhere(self, label: int) -> Iterator[Call]:
        yield BackupGetXmlDesc(job=IdOf(label), domain=1)
        yield BackupEnd(job=IdOf(label), domain=1, abort=True)


def _beside_none_led_by_hand(slot: Slot) -> Slot:
    """The slot where no job is led by hand: what other calls make of such a job no source says."""

    def variants(state: State, belief: Belief) -> Sequence[Variant]:
        if any(job.is_led_by_hand for domain in state.domains for job in domain.jobs):
            return ()
        return slot.variants(state, belief)

    return slot._replace(variants=variants)


def _always(_: State, __: Belief) -> Sequence[Variant]:
    return ((),)


def _around(state: State, _: Belief) -> Sequence[Variant]:
    domain = state.domains[0]
    return ((domain.running, bool(domain.backups), len(domain.owed or ())),)


def _backups_anywhere(state: State, _: Belief) -> Sequence[Variant]:
    everything = (each for domain in state.domains[:2] for each in domain.all_jobs)
    return [(each.label,) for each in everything if each.kind.is_backup]


def _backups_elsewhere(state: State, _: Belief) -> Sequence[Variant]:
    second = state.domains[1]
    return [(IdOf(each.label),) for each in second.all_jobs]


def free_label(belief: Belief) -> int | None:
    """The label for the next job: one never used, else that of the job that ended longest ago; None when all live."""
    states = (belief.state,) if belief.is_sure else belief.states
    taken = {job.label for state in states for domain in state.domains for job in domain.jobs}
    gone = [each.label for domain in belief.state.domains for each in domain.gone]
    for label in range(LABELS):
        if label not in taken and label not in gone:
            return label
    return next((label for label in gone if label not in taken), None)
