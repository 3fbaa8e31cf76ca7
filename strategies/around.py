"""Calls on what is around jobs: domains, clients, servers and storage; and two clients that end a job at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobtck.conformance.calls import (
    BAD_STORAGES,
    AbortJob,
    BackupEnd,
    Call,
    CrashGuest,
    Destroy,
    Disconnect,
    Flaw,
    HandleOf,
    IdOf,
    Inspect,
    JobRef,
    Manner,
    Mode,
    NoJob,
    Odd,
    RestartServer,
    Save,
    Settle,
    Start,
    Storage,
    TakeEvents,
)
from jobtck.conformance.capabilities import SECOND_CLIENT
from jobtck.conformance.design import Handle
from jobtck.conformance.judge import Belief
from jobtck.conformance.state import State
from jobtck.strategies.begins import Slot, Variant, events_due, is_on_bad_storage
from jobtck.strategies.named_jobs import NamedJobs


class Around(NamedJobs):
    """What is offered of all that happens around jobs."""

    def _slots_around(self) -> Iterator[Slot]:
        yield Slot("surroundings", _around, self._surroundings, lawful=True)
        yield self._beside_sound_storage(Slot("faults", _running, self._faults, lawful=True))
        yield Slot("begin on bad storage", self._free_first_disk, self._begins_on_bad_storage, lawful=True)
        yield Slot("begin that is cut off", self._free_first_disk, self._begins_cut_off, lawful=True)
        yield Slot("end that is cut off", self._alone, self._ends_cut_off, lawful=True)

    def _beside_sound_storage(self, slot: Slot) -> Slot:
        """The slot, in a tour only where no job is on bad storage: there it teaches next to nothing more."""

        def variants(state: State, belief: Belief) -> Sequence[Variant]:
            return () if not self._is_roomy and is_on_bad_storage(state) else slot.variants(state, belief)

        return slot._replace(variants=variants)

    # -- what a state offers --------------------------------------------------------------------------------------

    def _free_first_disk(self, state: State, belief: Belief) -> Sequence[Variant]:
        """A label, where it is enough to see what becomes of a begin."""
        domain = state.domains[0]
        return self._labels(state, belief) if domain.running and not domain.jobs else ()

    def _alone(self, state: State, belief: Belief) -> Sequence[Variant]:
        """The only job there is, if it is sure to be there: beside others nobody could tell which one was ended."""
        is_clear = belief.is_sure and sum([len(domain.jobs) for domain in state.domains]) == 1
        return self._live(state, belief)[:1] if is_clear and state.domains[0].backups else ()

    def _live(self, state: State, _: Belief) -> Sequence[Variant]:
        match self.design.handle:
            case Handle.NONE:
                return ((NoJob.NAMED,),)
            case Handle.OPAQUE:
                return [(HandleOf(label),) for label, _ in state.handles]
            case _:
                return [*((IdOf(job.label),) for job in state.domains[0].jobs if self._told(job)), (Odd.ZERO,)]

    def _block_jobs(self, state: State, _: Belief) -> Sequence[Variant]:
        return [(job.disks[0],) for job in state.domains[0].jobs if not job.kind.is_backup]

    # -- the calls ------------------------------------------------------------------------------------------------

    def _surroundings(self, running: bool, backups: bool, due: int) -> Iterator[Call]:  # noqa: FBT001
        yield from (Settle(), Save(), Destroy()) if running else (Start(),)
        yield TakeEvents(due=due)
        if not backups:
            yield Inspect()

    def _faults(self, running: bool) -> Iterator[Call]:  # noqa: FBT001
        yield from (Disconnect(manner=manner) for manner in Manner)
        if SECOND_CLIENT in self._others:
            yield Disconnect(client=SECOND_CLIENT, manner=Manner.KILLED)
        yield from (RestartServer(manner=manner) for manner in Manner)
        if running:
            yield CrashGuest()

    def _begins_on_bad_storage(self, label: int) -> Iterator[Call]:
        push, pull = (self._begin(label, mode, self.capabilities.disks[:1]) for mode in (Mode.PUSH, Mode.PULL))
        yield from (replace(push, storage=storage) for storage in BAD_STORAGES)
        if self.design.handle is not Handle.NAME:  # there no guest writes, and a pull does not either
            yield replace(pull, storage=Storage.FULL)

    def _begins_cut_off(self, label: int) -> Iterator[Call]:
        yield self._begin(label, Mode.PULL, self.capabilities.disks[:1], Flaw.CUT_OFF)

    def _ends_cut_off(self, reference: JobRef) -> Iterator[Call]:
        if self.capabilities.has(BackupEnd):
            yield BackupEnd(job=reference, abort=True, flaw=Flaw.CUT_OFF)
        else:
            yield AbortJob(flaw=Flaw.CUT_OFF)


def _around(state: State, belief: Belief) -> Sequence[Variant]:
    domain = state.domains[0]
    return ((domain.running, bool(domain.backups), events_due(belief)),)


def _running(state: State, _: Belief) -> Sequence[Variant]:
    return ((state.domains[0].running,),)
