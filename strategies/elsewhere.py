"""Calls on a second domain: whether jobs, ids and handles of one domain keep out of the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobtck.conformance.calls import (
    AbortJob,
    BackupEnd,
    BackupGetXmlDesc,
    Call,
    GetBlockJobInfo,
    GetJobInfo,
    HandleOf,
    IdOf,
    JobCancel,
    JobGetId,
    JobGetStatus,
    JobGetType,
    JobRef,
    ListAllJobs,
    Mode,
    NoJob,
    Odd,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.design import Handle
from jobtck.conformance.judge import Belief
from jobtck.conformance.state import State
from jobtck.strategies.around import Around
from jobtck.strategies.begins import Slot, Variant

BESIDE_MAX = 1  # live jobs of the first domain where the second is tried: more teach nothing about it


class Elsewhere(Around):
    """What is offered of a second domain."""

    @property
    def _two_domains(self) -> bool:
        """There is a second domain."""
        return Feature.SECOND_DOMAIN in self.capabilities.features

    def _slots_elsewhere(self) -> Iterator[Slot]:
        if not self._two_domains:
            return
        yield Slot("begin elsewhere", self._idle_elsewhere, self._begin_elsewhere, lawful=False)
        yield Slot("verbs elsewhere", self._named_elsewhere, self._verbs_elsewhere, lawful=False)
        yield Slot("questions elsewhere", self._beside_few, self._questions_elsewhere, lawful=False)

    # -- what a state offers --------------------------------------------------------------------------------------

    def _idle_elsewhere(self, state: State, belief: Belief) -> Sequence[Variant]:
        """A label for the only job of the second domain."""
        first, second = state.domains[:2]
        return self._labels(state, belief) if not second.jobs and len(first.jobs) <= BESIDE_MAX else ()

    def _named_elsewhere(self, state: State, _: Belief) -> Sequence[Variant]:
        """All ids and handles, and 0; where clients choose the names only those of the second domain."""
        first, second = state.domains[:2]
        match self.design.handle:
            case Handle.NONE:
                return ((NoJob.NAMED,),) if second.jobs else ()
            case Handle.OPAQUE:
                return [(HandleOf(label),) for label, _ in state.handles if len(first.jobs) <= BESIDE_MAX]
            case Handle.NAME:
                return [(IdOf(job.label),) for job in second.jobs]
            case _:
                everything = (*first.all_jobs, *second.all_jobs)
                zero = [(Odd.ZERO,)] if len(first.jobs) <= BESIDE_MAX else []
                return [*((IdOf(each.label),) for each in everything if each.kind.is_backup), *zero]

    def _beside_few(self, state: State, _: Belief) -> Sequence[Variant]:
        first, second = state.domains[:2]
        return ((bool(second.jobs),),) if len(first.jobs) <= BESIDE_MAX else ()

    # -- the calls ------------------------------------------------------------------------------------------------

    def _begin_elsewhere(self, label: int) -> Iterator[Call]:
        yield replace(self._begin(label, Mode.PULL, self.capabilities.disks[:1]), domain=1)

    def _verbs_elsewhere(self, reference: JobRef) -> Iterator[Call]:
        yield BackupGetXmlDesc(job=reference, domain=1)
        yield BackupEnd(job=reference, domain=1, abort=True)
        if isinstance(reference, HandleOf):
            yield JobGetId(job=reference, domain=1)
            yield JobGetType(job=reference, domain=1)
        if self.design.handle is Handle.NAME:
            yield JobGetStatus(job=reference, domain=1)
            yield JobCancel(job=reference, domain=1)

    def _questions_elsewhere(self, busy: bool) -> Iterator[Call]:  # noqa: FBT001
        yield GetJobInfo(domain=1)
        yield GetBlockJobInfo(disk=self.capabilities.disks[0], domain=1)
        if self.design.listing:
            yield ListAllJobs(domain=1)
        if busy:
            yield AbortJob(domain=1)


def ids_elsewhere(state: State, _: Belief) -> Sequence[Variant]:
    """The ids of the second domain, to be used on the first."""
    first, second = state.domains[:2]
    if not all(job.known for job in first.backups):
        return ()  # an id that nobody heard may be the same as one over there
    return [(IdOf(each.label),) for each in second.all_jobs]
