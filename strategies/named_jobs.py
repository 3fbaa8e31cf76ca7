"""Calls on jobs that their clients named: begins that leave the last steps to them, and the verbs that lead on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobtck.conformance.calls import (
    JOB_VERBS,
    BackupBegin,
    BlockJobBegin,
    Call,
    Flaw,
    IdOf,
    Inspect,
    JobCancel,
    JobGetStatus,
    JobPause,
    JobRef,
    Kind,
    ListAllJobs,
    Mode,
    Odd,
    Settle,
    TakeEvents,
    Waits,
)
from jobtck.conformance.capabilities import SECOND_CLIENT, Feature
from jobtck.conformance.judge import Belief
from jobtck.conformance.state import State
from jobtck.strategies.begins import Begins, Slot, Variant, events_due

CROWD_MAX = 2  # live jobs of which one is led by hand, in a tour


class NamedJobs(Begins):
    """What is offered besides where clients name the jobs."""

    def _lawful_slots_of_names(self) -> Iterator[Slot]:
        yield Slot("begin to be led by hand", self._to_lead, self._begins_to_lead, lawful=True)
        yield Slot("begin beside one led by hand", self._beside, self._begins_of_one, lawful=True)
        yield Slot("cancel by name", self._told_jobs, self._cancels, lawful=True)
        yield Slot("job verbs", self._led, self._job_verbs, lawful=True)
        yield Slot("pauses", self._pausable, self._pauses, lawful=True)
        yield Slot("around jobs led by hand", self._around_led, self._surroundings_of_led, lawful=True)

    def _unlawful_slots_of_names(self) -> Iterator[Slot]:
        yield Slot("begin by name", self._names, self._begins_named, lawful=False)
        yield Slot("job verbs on nobody", self._nobody, self._verbs_on_nobody, lawful=False)
        yield Slot("job verbs elsewhere", self._led_anywhere, self._job_verbs_elsewhere, lawful=False)
        yield Slot("odd job verbs", self._led, self._odd_job_verbs, lawful=False)

    def _to_lead(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        free = [disk for disk in self.capabilities.disks if domain.running and domain.on_disk(disk) is None]
        if not free or (domain.jobs and not self._is_roomy):
            return ()
        return [(*label, free[0]) for label in self._labels(state, belief)]

    def _beside(self, state: State, belief: Belief) -> Sequence[Variant]:
        """A label for a backup on the last disk, beside a job that is led by hand."""
        domain = state.domains[0]
        alone = len(domain.jobs) == 1 and domain.jobs[0].is_led_by_hand
        free = domain.on_disk(self.capabilities.disks[-1]) is None
        return self._labels(state, belief) if free and alone and domain.running else ()

    def _names(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        return [(each.label,) for each in domain.all_jobs] if self._labels(state, belief) else ()

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

    def _around_led(self, state: State, belief: Belief) -> Sequence[Variant]:
        domain = state.domains[0]
        led = any(job.is_led_by_hand for job in domain.jobs)
        return ((bool(domain.backups), events_due(belief)),) if led else ()

    def _begins_named(self, label: int) -> Iterator[Call]:
        yield self._begin(label, Mode.PULL, self.capabilities.disks[-1:])

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
        yield from (verb(job=reference) for verb in JOB_VERBS if verb is not JobPause)

    def _verbs_on_nobody(self, reference: JobRef) -> Iterator[Call]:
        yield from self._job_verbs(reference)
        yield from self._pauses(reference)

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


def beside_none_led_by_hand(slot: Slot) -> Slot:
    """The slot where no job is led by hand: what other calls make of such a job no source says."""

    def variants(state: State, belief: Belief) -> Sequence[Variant]:
        if any(job.is_led_by_hand for domain in state.domains for job in domain.jobs):
            return ()
        return slot.variants(state, belief)

    return slot._replace(variants=variants)
