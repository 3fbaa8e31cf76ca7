"""What calls are made of: a label, a disk or a name, and a begin with them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from jobtck.conformance.calls import (
    BackupBegin,
    BlockCommit,
    BlockCopy,
    BlockPull,
    Call,
    Flaw,
    IdOf,
    Kind,
    Mode,
    Odd,
    Storage,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Capabilities, Feature
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.judge import Belief
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.state import LABELS, LIVE_JOBS_MAX, Job, State

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


class Begins:
    """Begins of one design on one backend, as far as there is room for another job."""

    def __init__(self, design: Design, capabilities: Capabilities, live_jobs: int) -> None:
        self.design = design
        self.capabilities = capabilities
        self.live_jobs = live_jobs
        features = capabilities.features
        clients = ((SECOND_CLIENT, Feature.SECOND_CLIENT), (READ_ONLY_CLIENT, Feature.READ_ONLY_CLIENT))
        self._others = tuple(client for client, feature in clients if feature in features)

    def _labels(self, state: State, belief: Belief) -> Sequence[Variant]:
        if not self._has_room(state):
            return ()
        label = free_label(belief)
        return () if label is None else ((label,),)

    def _has_room(self, state: State) -> bool:
        """There are few jobs, or it makes the third of nothing but pull backups."""
        live = sum([len(domain.jobs) for domain in state.domains])
        if is_on_bad_storage(state) and not self._is_roomy:
            return False
        if live < self.live_jobs or live >= LIVE_JOBS_MAX:
            return live < self.live_jobs
        jobs = [job for domain in state.domains for job in domain.jobs]
        return all(job.kind is Kind.PULL and len(job.disks) == 1 for job in jobs)

    @property
    def _is_roomy(self) -> bool:
        """Long sessions go on where a tour would get lost."""
        return self.live_jobs >= LIVE_JOBS_MAX

    def _told(self, job: Job) -> bool:
        """The job bears an id, and the client knows it."""
        return job.known and (job.kind.is_backup or self.design.block_ids)

    def _dead(self, state: State, _: Belief) -> Sequence[Variant]:
        if self.design.handle not in (Handle.INTEGER, Handle.NAME):
            return ()
        return [*((IdOf(gone.label),) for gone in state.domains[0].gone), *((odd,) for odd in ODD_IDS[1:])]

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


def is_on_bad_storage(state: State) -> bool:
    """Some job was begun on a full disk or on slow storage."""
    return any(job.storage is not Storage.SOUND for domain in state.domains for job in domain.jobs)


def events_due(belief: Belief) -> int:
    """Terminal events of the first domain that are sure to come: for others nobody should wait."""
    return min([len(state.domains[0].owed or ()) for state in belief.states])


def free_label(belief: Belief) -> int | None:
    """The label for the next job: one never used, else that of the job that ended longest ago; None when all live."""
    states = (belief.state,) if belief.is_sure else belief.states
    taken = {job.label for state in states for domain in state.domains for job in domain.jobs}
    gone = [each.label for domain in belief.state.domains for each in domain.gone]
    for label in range(LABELS):
        if label not in taken and label not in gone:
            return label
    return next((label for label in gone if label not in taken), None)
