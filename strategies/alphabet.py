"""Calls worth trying in a belief: every verb, on everything there is and on much that is not."""

from collections.abc import Iterator, Sequence

from jobtck.conformance.calls import (
    BAD_BACKUP_INPUT,
    JOB_VERBS,
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobAbort,
    BlockJobGetId,
    BlockJobSetSpeed,
    Call,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    HandleOf,
    IdOf,
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
    Odd,
    Storage,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Capabilities, Feature
from jobtck.conformance.design import Design, Handle, Namespace
from jobtck.conformance.judge import Belief
from jobtck.conformance.state import HANDLE_LABELS, LIVE_JOBS_MAX, Gone, State
from jobtck.strategies.begins import ODD_IDS, Calls, Slot, Variant, free_label
from jobtck.strategies.elsewhere import Elsewhere, ids_elsewhere
from jobtck.strategies.named_jobs import beside_none_led_by_hand

ILL_FORMED_NAMES = ("", "1job")


class Alphabet(Elsewhere):
    """The calls of one design on one backend, made once and offered where they make sense."""

    def __init__(self, design: Design, capabilities: Capabilities, live_jobs: int = LIVE_JOBS_MAX) -> None:
        super().__init__(design, capabilities, live_jobs)
        self._by_hand = design.handle is Handle.NAME and any(map(capabilities.has, JOB_VERBS))
        self._made: dict[object, Calls] = {}
        lawful, unlawful = tuple(self._lawful_slots()), tuple(self._unlawful_slots())
        if self._by_hand:
            lawful = (*map(beside_none_led_by_hand, lawful), *self._lawful_slots_of_names())
            unlawful = (*map(beside_none_led_by_hand, unlawful), *self._unlawful_slots_of_names())
        self.lawful, self.unlawful = lawful, tuple(map(self._beside_sound_storage, unlawful))

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
        storage: Storage = getattr(call, "storage", Storage.SOUND)
        fits = flaw is Flaw.NOTHING or flaw in self.capabilities.flaws
        fits = fits and (flaw is not Flaw.AT_ONCE or SECOND_CLIENT in self._others)
        fits = fits and (storage is Storage.SOUND or storage in self.capabilities.storages)
        return fits and self.capabilities.has(type(call))

    # -- what a state offers --------------------------------------------------------------------------------------

    def _lawful_slots(self) -> Iterator[Slot]:
        yield Slot("begin", self._free_disks, self._begins_on, lawful=True)
        yield Slot("begin on two disks", self._pairs, self._begins_of_two, lawful=True)
        yield Slot("verbs", self._live, self._live_verbs, lawful=True)
        yield Slot("block job", self._block_jobs, self._block_job_verbs, lawful=True)
        yield Slot("questions", _always, self._questions, lawful=True)
        yield Slot("legacy end", _always, self._legacy_ends, lawful=True)
        if self.design.handle is Handle.OPAQUE:
            yield Slot("handles", self._handles, self._handle_verbs, lawful=True)
            yield Slot("look-ups", self._looked_up, self._lookups, lawful=True)
            yield Slot("odd look-ups", self._free_handles, self._odd_lookups, lawful=True)
        yield from self._slots_around()

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
        yield from self._slots_elsewhere()
        if self._two_domains and self.design.handle is Handle.INTEGER:
            yield Slot("verbs from elsewhere", ids_elsewhere, self._verbs, lawful=False)

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

    def _any_reference(self, state: State, belief: Belief) -> Sequence[Variant]:
        return [*self._live(state, belief), *self._dead(state, belief)]

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

    # -- beginning ------------------------------------------------------------------------------------------------

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

    # -- verbs on ids, handles, or the only job -------------------------------------------------------------------

    def _verbs(self, reference: JobRef) -> Iterator[Call]:
        yield BackupGetXmlDesc(job=reference)
        yield BackupEnd(job=reference, abort=True)
        yield BackupEnd(job=reference)
        if self.design.default_job and reference is not Odd.ZERO:
            yield JobSetDefaultId(job=reference)

    def _live_verbs(self, reference: JobRef) -> Iterator[Call]:
        yield from self._verbs(reference)
        yield BackupEnd(job=reference, abort=True, flaw=Flaw.AT_ONCE)

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
        yield AbortJob(flaw=Flaw.AT_ONCE)

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

    def _block_job_verbs(self, disk: str) -> Iterator[Call]:
        yield from self._disk_verbs(disk)
        yield BlockJobAbort(disk=disk, flaw=Flaw.AT_ONCE)


def _always(_: State, __: Belief) -> Sequence[Variant]:
    return ((),)
