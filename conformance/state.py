"""What may be true of a job manager, as frozen values: domains with live jobs and jobs that are gone.

They are tuples, and not frozen dataclasses as calls are, because a quarter of all calls makes new ones.
"""

from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from jobtck.conformance.calls import JobType, Kind, Storage, Waits

LIVE_JOBS_MAX = 3  # enough to be ambiguous twice over
LABELS = 6  # live jobs, and as many ended ones whose ids are still worth trying
HANDLE_LABELS = range(LABELS, LABELS + 3)  # handles that were looked up or composed; a begin's has its job's label
OWED_MAX = 3  # terminal events waited for one by one; more are taken without being judged
GONE_MAX = 3  # ended jobs of a domain whose ids are still tried; the label of the oldest is given again


class Phase(StrEnum):
    """Where a live job stands."""

    RUNNING = "running"
    READY = "ready"  # a copy that the guest can be pivoted to
    FINISHED = "finished"  # a push backup that has copied all and waits to be ended
    FAILED = "failed"  # a backup that broke off and waits to be ended
    ENDING = "ending"  # its end was asked for and may not be final yet
    PAUSED = "paused"
    STANDBY = "standby"  # a copy that was ready, and paused
    HALTED = "standby and told to complete"  # which it does once it is resumed
    PENDING = "pending"  # it has done its work, and waits to be finalized
    CONCLUDED = "concluded"  # it is over, and waits to be dismissed


AT_REST = frozenset({Phase.FINISHED, Phase.FAILED, Phase.CONCLUDED})  # nothing is done any more
LED_BY_HAND = frozenset({Phase.PAUSED, Phase.STANDBY, Phase.HALTED, Phase.PENDING, Phase.CONCLUDED})


class Result(StrEnum):
    """How a job ended."""

    NORMAL = "normally"
    CUT_SHORT = "cut short"
    UNSURE = "either way"  # it was let finish and told to abort at once


class Job(NamedTuple):
    """A live job; `known` says that its id was told; `result` is how it ended, once ENDING or CONCLUDED."""

    label: int
    kind: Kind
    disks: tuple[str, ...]
    phase: Phase = Phase.RUNNING
    known: bool = True
    result: Result = Result.NORMAL
    waits: Waits = Waits.NOTHING
    storage: Storage = Storage.SOUND

    @property
    def is_led_by_hand(self) -> bool:
        """Only the verbs of its name lead it on, or will."""
        return self.waits is not Waits.NOTHING or self.phase in LED_BY_HAND


class Gone(NamedTuple):
    """A job that ended and whose id is remembered; `followed` by another begin, or `stopped` with its domain."""

    label: int
    kind: Kind
    followed: bool = False
    stopped: bool = False


class Kept(StrEnum):
    """Statistics of the backup that completed last."""

    NONE = "none"
    NORMAL = "of a normal end"
    CUT_SHORT = "of one cut short"
    DIED = "of one that died with the domain"
    READ = "read already"
    UNSURE = "unsure"

    @property
    def is_nothing(self) -> bool:
        """There are none: no backup completed, or somebody read them."""
        return self in (Kept.NONE, Kept.READ)


KEPT_OF_RESULT = {Result.NORMAL: Kept.NORMAL, Result.CUT_SHORT: Kept.CUT_SHORT, Result.UNSURE: Kept.UNSURE}


class _DomainFields(NamedTuple):
    running: bool = True
    jobs: tuple[Job, ...] = ()
    gone: tuple[Gone, ...] = ()
    default: int | None = None
    kept: Kept = Kept.NONE
    last: Kind | None = None
    owed: tuple[Result, ...] | None = ()
    stopped_before: bool = False


class Domain(_DomainFields):
    """One domain: its live jobs by label, the gone ones oldest first, and what the legacy calls know.

    `owed` are the results whose terminal events were not taken yet, in no order of theirs; None when there are too many
    to tell.
    """

    @cached_property
    def profile(self) -> str:
        """The domain without labels, disks and what only few calls ask for; a text, which is hashed only once."""
        if not self.jobs:
            return "" if self.running else "not running"
        jobs = sorted([f"{job.kind} {job.phase} {len(job.disks)} {job.storage}" for job in self.jobs])
        jobs += sorted([f"{job.kind} {job.phase} {job.waits} {job.result}" for job in self.jobs if job.is_led_by_hand])
        if not self.running:
            jobs.append("not running")
        if not all(job.known for job in self.jobs):
            jobs.append("some not known")
        default = None if self.default is None else self.job(self.default)
        if default is not None:
            jobs.append(f"default {default.kind} {default.phase} {default.known}")
        return ", ".join(jobs)

    @cached_property
    def is_ending(self) -> bool:
        """Some job may or may not have ended."""
        return any(job.phase is Phase.ENDING for job in self.jobs)

    @cached_property
    def backups(self) -> tuple[Job, ...]:
        """The live backups, ending ones too, but none that has concluded."""
        return tuple(job for job in self.jobs if job.kind.is_backup and job.phase is not Phase.CONCLUDED)

    @property
    def all_jobs(self) -> tuple[Job | Gone, ...]:
        """The live jobs, and those that are gone and remembered."""
        live: tuple[Job | Gone, ...] = self.jobs
        return live + self.gone

    def job(self, label: int) -> Job | None:
        """The live job of that label."""
        for job in self.jobs:
            if job.label == label:
                return job
        return None

    def gone_job(self, label: int) -> Gone | None:
        """The ended job of that label."""
        for gone in self.gone:
            if gone.label == label:
                return gone
        return None

    def on_disk(self, disk: str) -> Job | None:
        """The live job that uses the disk; one that only waits to be ended or dismissed may have left it."""
        for job in self.jobs:
            if disk in job.disks and job.phase not in AT_REST:
                return job
        return None

    def finished_on(self, disk: str) -> bool:
        """A job that has done all with the disk waits to be ended or dismissed."""
        return any(disk in job.disks and job.phase in AT_REST for job in self.jobs)

    def changed(self, job: Job) -> "Domain":
        """The domain with that job in the place of the one of its label."""
        return self._replace(jobs=tuple([job if other.label == job.label else other for other in self.jobs]))


class HandleState(NamedTuple):
    """An opaque handle: of a job of a domain (live or gone, by label), or composed of what is not there."""

    domain: int
    job: int | None
    type: JobType
    freed: bool = False


class State(NamedTuple):
    """All that is believed of the backend; handles by label."""

    domains: tuple[Domain, ...]
    handles: tuple[tuple[int, HandleState], ...] = ()

    def handle(self, label: int) -> HandleState | None:
        """The handle of that label, freed or not."""
        for number, handle in self.handles:
            if number == label:
                return handle
        return None

    def is_busy_besides(self, index: int) -> bool:
        """A job is live on another domain than that."""
        return any(domain.jobs for other, domain in enumerate(self.domains) if other != index)

    def with_domain(self, index: int, domain: Domain) -> "State":
        """The state with one domain replaced."""
        return State((*self.domains[:index], domain, *self.domains[index + 1 :]), self.handles)

    def with_handle(self, label: int, handle: HandleState) -> "State":
        """The state with one handle added or replaced."""
        others = tuple(pair for pair in self.handles if pair[0] != label)
        return State(self.domains, tuple(sorted((*others, (label, handle)), key=lambda pair: pair[0])))


def initial(domains: int) -> State:
    """Running domains without any job."""
    return State(domains=(Domain(),) * domains)
