"""A change of one answer in a conversation, and what is known at its place to make one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from jobtck.conformance.calls import (
    BEGINS,
    JOB_VERBS,
    STOPS,
    AbortJob,
    BackupBegin,
    BackupEnd,
    Call,
    CrashGuest,
    JobSetDefaultId,
    TakeEvents,
)
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.conversations import Conversation, Exchange
from jobtck.conformance.design import Design, Namespace
from jobtck.conformance.forms import form_of
from jobtck.conformance.judge import Belief
from jobtck.conformance.outcomes import (
    AnsweredId,
    BlockInfo,
    Description,
    Events,
    Id,
    JobInfo,
    Listed,
    Outcome,
    Progress,
    Refusal,
)
from jobtck.conformance.session import MARGIN_SECONDS, PATIENCE_SECONDS

LOOKED_BACK_MAX = 60  # calls before an answer that are looked at for what was answered earlier
OLDER_MAX = 2  # different values of earlier answers that are tried
ANOTHER_NAME = "job-of-nobody"
NEXT_TOKEN = 1_000_000_000  # further than any client counts its handles
MAY_CHANGE_WHOSE = (BackupBegin, BackupEnd, AbortJob, JobSetDefaultId, *STOPS, CrashGuest, *JOB_VERBS)


class Change(NamedTuple):
    """An answer changed: what of it, and in what way; `also` is the place of a second answer that changes with it."""

    at: int
    field: str
    how: str
    outcome: Outcome
    seconds: float
    also: tuple[int, Outcome] | None = None


@dataclass(frozen=True)
class Place:
    """An answer in its conversation, with what other answers tell that it could be mixed up with.

    `before` is what was believed when the call was made.
    """

    design: Design
    capabilities: Capabilities
    conversation: Conversation
    at: int
    exchange: Exchange
    before: Belief

    @property
    def call(self) -> Call:
        """The call that was answered."""
        return self.exchange.call

    @property
    def outcome(self) -> Outcome:
        """The answer as it was given."""
        return self.exchange.outcome

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.exchange.seconds

    def to(self, field: str, how: str, outcome: Outcome) -> Change:
        """The change to that outcome."""
        return Change(self.at, field, how, outcome, self.seconds)

    def with_answer(self, call: Call, outcome: Outcome) -> "Place":
        """The same place, as if that call had been answered so."""
        return replace(self, exchange=Exchange(call, outcome, self.seconds))

    @cached_property
    def _before(self) -> Conversation:
        """The exchanges before, the latest first."""
        return self.conversation[max(0, self.at - LOOKED_BACK_MAX) : self.at][::-1]

    @cached_property
    def older(self) -> tuple[Outcome, ...]:
        """What was answered to the same call about the same domain before, and is another value than now."""
        form = form_of(self.call, self.design)
        told = (
            each.outcome
            for each in self._before
            if type(each.call) is type(self.call)
            and each.call.domain == self.call.domain
            and isinstance(each.outcome, form)
            and each.outcome != self.outcome
        )
        return tuple(dict.fromkeys(told))[:OLDER_MAX]

    @cached_property
    def ids(self) -> tuple[int | str, ...]:
        """The ids that were told before of jobs whose ids this answer may not tell, the latest first."""
        per_type = self.design.namespace is Namespace.PER_TYPE  # there a job of another type may have the same id
        told = (
            id
            for each in self._before
            if each.call.domain == self.call.domain and (not per_type or type(each.call) is type(self.call))
            for id in ids_told(each.outcome)
        )
        return tuple(dict.fromkeys(id for id in told if isinstance(id, int | str)))

    def wrong_ids(self, id: AnsweredId) -> Iterator[tuple[str, int | str]]:
        """Ids of other jobs, and of none, by what is wrong with them."""
        if isinstance(id, str):
            yield "of no job", ANOTHER_NAME
        elif isinstance(id, int):
            yield "one too great", id + 1
            yield "0", 0
        for other in [each for each in self.ids if each != id][:OLDER_MAX]:
            yield "of an older answer", other

    @property
    def next_id(self) -> int | str | None:
        """An id that no answer told before, as the design has them."""
        if not self.design.has_ids:
            return None
        numbers = [each for each in (*self.ids, *ids_told(self.outcome)) if isinstance(each, int)]
        if not numbers and any(isinstance(each, str) for each in self.ids):
            return ANOTHER_NAME
        return max(numbers, default=0) + 1

    @property
    def other_disks(self) -> tuple[str, ...] | None:
        """The disks of another backup that was begun, or others that there are."""
        mine = getattr(self.outcome, "disks", ())
        begun = (each.call.disks for each in self._before if isinstance(each.call, BackupBegin))
        others = (disks for disks in (*begun, *((disk,) for disk in self.capabilities.disks)) if disks)
        return next((disks for disks in others if sorted(disks) != sorted(mine)), None)

    @property
    def later_events(self) -> tuple[int, Events] | None:
        """The next answer that tells of events on the same domain, and its place."""
        for at in range(self.at + 1, min(len(self.conversation), self.at + LOOKED_BACK_MAX)):
            call, outcome, _ = self.conversation[at]
            if isinstance(call, TakeEvents) and call.domain == self.call.domain and isinstance(outcome, Events):
                return at, outcome
        return None

    @property
    def progress_before(self) -> Progress | None:
        """What the same query answered before about the same job."""
        disk = getattr(self.call, "disk", None)
        for call, outcome, _ in self._before:
            if call.domain != self.call.domain or isinstance(outcome, Refusal):
                continue
            same_query = type(call) is type(self.call) and getattr(call, "disk", None) == disk
            if same_query and isinstance(outcome, JobInfo | BlockInfo):
                return outcome.progress
            if isinstance(call, MAY_CHANGE_WHOSE) or (isinstance(call, BEGINS) and getattr(call, "disk", "") == disk):
                return None
        return None

    @property
    def late(self) -> Iterator[tuple[str, float]]:
        """Seconds that are more than a busy machine takes, and more than any call may."""
        too_long = self.capabilities.lock_wait_seconds + MARGIN_SECONDS
        if self.seconds < PATIENCE_SECONDS:
            yield "waited", PATIENCE_SECONDS
        if self.seconds < too_long:
            yield "too long", too_long


def ids_told(outcome: Outcome) -> tuple[AnsweredId, ...]:
    """The ids that an answer tells, as the backend gave them."""
    match outcome:
        case Id(id) | Description(id=id):
            return (id,)
        case Listed(jobs):
            return tuple(id for id, _ in jobs)
        case _:
            return ()
