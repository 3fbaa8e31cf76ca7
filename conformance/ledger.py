"""The ledger translates between a session's labels and a backend's own ids, names and handles."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from operator import attrgetter

from jobtck.conformance.calls import (
    JOB_VERBS,
    NAMES,
    WITH_JOB,
    BackupBegin,
    BlockJobBegin,
    BlockJobGetId,
    Call,
    Disconnect,
    GetJobInfo,
    GetJobStats,
    HandleOf,
    IdOf,
    JobArgument,
    JobCompose,
    JobGetId,
    JobLookupId,
    JobSetDefaultId,
    JobType,
    Kind,
    NoJob,
    Odd,
    RestartServer,
    Token,
)
from jobtck.conformance.design import Design, Handle, Namespace, Reuse
from jobtck.conformance.judge import Belief
from jobtck.conformance.outcomes import (
    STANDS,
    AnsweredId,
    Backwards,
    BlockInfo,
    Both,
    Description,
    GotHandle,
    Id,
    JobInfo,
    Listed,
    Lost,
    Outcome,
    Progress,
    Reading,
    Refusal,
    Seen,
    Single,
    Unknown,
)
from jobtck.conformance.ranges import Ranges
from jobtck.conformance.state import LABELS

HUGE_ID = 2**31 - 1
FAR_ID = 2**30  # further than any server counts while it is tested
NAME_OF_LABEL = tuple(f"job-{letter}" for letter in "abcdefghijklmnop"[:LABELS])
ODD_NAMES = {Odd.ZERO: "0", Odd.NEXT: "job-nobody", Odd.HUGE: "x" * 300, Odd.NEGATIVE: "-1"}
UNKNOWN_TOKEN = Token(-1)
NUMBER = re.compile(r"\d+")
FLAW_MAX = 200  # characters of what is wrong with XML

_SILENT_REFUSALS: dict[object, Refusal] = {}
_CREATING = (BackupBegin, BlockJobBegin)


class Ledger:
    """What the session was told of ids and handles, bounded however long the session lasts.

    Ids of the same space are kept together: a domain's, of one type where namespaces are per type.
    """

    def __init__(self, design: Design) -> None:
        self._design = design
        self._ids: dict[int, int | str] = {}
        self._home: dict[int, tuple[int, JobType | None]] = {}
        self._labels: dict[tuple[int, JobType | None], dict[int | str, list[int]]] = {}
        self._issued: dict[tuple[int, JobType | None], Ranges] = {}
        self._begins: dict[int, int] = {}  # by domain: each may have drawn an id that was never told
        self._tokens: dict[int, Token] = {}
        self._progress: dict[tuple[int, str], Progress] = {}

    def copy(self) -> "Ledger":
        """A ledger that was told the same, and goes on alone."""
        return deepcopy(self, {id(self._design): self._design})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and vars(self) == vars(other)

    __hash__ = object.__hash__

    def canonical(self, call: Call) -> Call:
        """The call as it is judged: an id of another domain that this domain knows too is its own."""
        reference = call.job if type(call) in WITH_JOB else None  # type: ignore[attr-defined]
        if not isinstance(reference, IdOf):
            return call
        home = self._home.get(reference.label)
        if home is None or home[0] == call.domain:
            return call
        labels = self._labels.get((call.domain, home[1]), {}).get(self._ids[reference.label])
        return _with_job(call, IdOf(labels[-1])) if labels else call

    def bind(self, call: Call) -> Call:
        """The call with the backend's own ids in the place of labels."""
        if type(call) not in WITH_JOB:
            return call
        reference: JobArgument = call.job  # type: ignore[attr-defined]
        return call if reference is NoJob.NAMED else _with_job(call, self._native(call, reference))

    def _native(self, call: Call, reference: JobArgument) -> JobArgument:
        match reference:
            case IdOf(label):
                return self._ids[label]
            case HandleOf(label):
                return self._tokens.get(label, UNKNOWN_TOKEN)
            case Odd():
                return self._odd(call, reference)
            case _:
                return reference

    def _odd(self, call: Call, odd: Odd) -> int | str:
        if self._design.handle is Handle.NAME:
            return ODD_NAMES[odd]
        if odd is Odd.NEXT:
            issued = (each.greatest for (home, _), each in self._issued.items() if home == call.domain)
            greatest, begins = max(issued, default=None), self._begins.get(call.domain, 0)
            if greatest is None:  # sessions before may have left off anywhere
                return FAR_ID if begins else 1
            return greatest + 1 + begins
        return {Odd.ZERO: 0, Odd.HUGE: HUGE_ID, Odd.NEGATIVE: -1}[odd]

    def read(self, call: Call, outcome: Outcome, belief: Belief) -> Outcome:
        """The outcome with labels in the place of ids, and without what differs from run to run."""
        if isinstance(outcome, Both):
            return Both.in_any_order(*(self._single(call, each, belief) for each in outcome.answers))
        if isinstance(outcome, Lost):
            return Lost(outcome.party, outcome.fate)
        return self._single(call, outcome, belief)

    def _single(self, call: Call, outcome: Single, belief: Belief) -> Single:
        if isinstance(outcome, Refusal):
            self._note_begin(call)
            return _silent(outcome)
        if isinstance(outcome, Unknown):
            self._note_change(call)  # it may have been done all the same
            return Unknown()
        self._note_change(call)
        reader = _READERS.get(type(outcome))
        return outcome if reader is None else reader(self, call, outcome, belief)

    def _note_begin(self, call: Call) -> None:
        if isinstance(call, _CREATING):
            self._begins[call.domain] = self._begins.get(call.domain, 0) + 1

    def _note_change(self, call: Call) -> None:
        """A call that may have changed what is running begins progress anew."""
        if isinstance(call, _CREATING):
            self._note_begin(call)
            self._forget(call.label)
            if self._design.handle is Handle.NAME:
                self._bind_id(call.label, call.domain, None, NAME_OF_LABEL[call.label])
        if type(call) not in _PROGRESS_GOES_ON and self._progress:
            self._progress = {key: value for key, value in self._progress.items() if key[0] != call.domain}

    def _id(self, call: Call, outcome: Single, belief: Belief) -> Single:
        assert isinstance(outcome, Id)
        state = belief.state
        if isinstance(call, _CREATING):
            seen = self._see(call.domain, JobType.BACKUP, outcome.id, belief)
            self._bind_id(call.label, call.domain, self._space(JobType.BACKUP), outcome.id)
            return Id(seen)
        kind = JobType.BACKUP
        label: int | None = None
        if isinstance(call, BlockJobGetId):
            job = state.domains[call.domain].on_disk(call.disk)
            kind, label = (job.kind.type, job.label) if job else (kind, None)
        elif isinstance(call, JobGetId) and isinstance(call.job, HandleOf):
            handle = state.handle(call.job.label)
            kind, label = (handle.type, handle.job) if handle else (kind, None)
        seen = self._see(call.domain, kind, outcome.id, belief)
        if seen is Seen.FRESH and label is not None and label not in self._ids:
            self._bind_id(label, call.domain, self._space(kind), outcome.id)
        return Id(seen)

    def _handle(self, call: Call, outcome: Single, _: Belief) -> Single:
        assert isinstance(outcome, GotHandle)
        if isinstance(call, BackupBegin | JobLookupId | JobCompose) and outcome.token is not None:
            self._tokens[call.label] = outcome.token
        return GotHandle()

    def _description(self, call: Call, outcome: Single, belief: Belief) -> Single:
        assert isinstance(outcome, Description)
        told = Seen.NOTHING if outcome.id is None else self._see(call.domain, JobType.BACKUP, outcome.id, belief)
        return Description(told, outcome.mode, outcome.disks, _steady(outcome.flaw))

    def _list(self, call: Call, outcome: Single, belief: Belief) -> Single:
        assert isinstance(outcome, Listed)
        jobs = ((self._see(call.domain, type, id, belief), type) for id, type in outcome.jobs)
        return Listed(tuple(sorted(jobs, key=repr)))

    def _job_info(self, call: Call, outcome: Single, belief: Belief) -> Single:
        assert isinstance(outcome, JobInfo)
        source = NAMES[type(call)]  # the two queries count in units of their own
        return JobInfo(outcome.type, STANDS, self._read_progress(call, source, outcome.progress, outcome.type, belief))

    def _block_info(self, call: Call, outcome: Single, belief: Belief) -> Single:
        assert isinstance(outcome, BlockInfo)
        disk = getattr(call, "disk", "")
        return BlockInfo(outcome.kind, STANDS, self._read_progress(call, disk, outcome.progress, outcome.kind, belief))

    def _read_progress(
        self, call: Call, source: str, progress: Progress, shown: Kind | JobType | None, belief: Belief
    ) -> Reading:
        key = (call.domain, source)
        last = self._progress.get(key)
        self._progress[key] = progress
        return Reading(
            is_compared=last is not None and shown is not None,
            ran_backwards=Backwards.NOTHING if last is None else _behind(progress, last),
            exceeds_total=_is_less(progress.total, progress.done),
            is_no_sum=shown is not None and self._is_no_sum(call.domain, source, belief),
        )

    def _is_no_sum(self, domain: int, source: str, belief: Belief) -> bool:
        """What was told last of the only backup's total and of those of its disks does not fit; *source* told one."""
        backups = belief.state.domains[domain].backups
        if not belief.is_sure or len(backups) != 1:
            return False
        disks = [self._progress.get((domain, disk), STANDS).total for disk in backups[0].disks]
        if None in disks or source not in (*_OF_THE_JOB, *backups[0].disks):
            return False
        asked = (source,) if source in _OF_THE_JOB else _OF_THE_JOB
        told = (self._progress.get((domain, each), STANDS).total for each in asked)
        return any(total is not None and total != sum(each or 0 for each in disks) for total in told)

    def _space(self, type: JobType) -> JobType | None:
        return type if self._design.namespace is Namespace.PER_TYPE else None

    def _see(self, domain: int, type: JobType, number: AnsweredId, belief: Belief) -> AnsweredId:
        assert isinstance(number, int | str)
        space = (domain, self._space(type))
        labels = self._labels.get(space, {}).get(number)
        live = [label for label in labels or () if belief.state.domains[domain].job(label)]
        if labels and (live or self._design.reuse is not Reuse.AFTER_END):
            return IdOf((live or labels)[-1])
        if isinstance(number, str) or (number > 0 and self._design.reuse is Reuse.AFTER_END):
            return Seen.FRESH
        if number <= 0:
            return Seen.ZERO if number == 0 else Seen.NEGATIVE
        return Seen.OLD if space in self._issued and number in self._issued[space] else Seen.FRESH

    def _bind_id(self, label: int, domain: int, type: JobType | None, number: AnsweredId) -> None:
        assert isinstance(number, int | str)
        space = (domain, type)
        self._ids[label] = number
        self._home[label] = space
        self._labels.setdefault(space, {}).setdefault(number, []).append(label)
        if isinstance(number, int):
            self._issued.setdefault(space, Ranges()).add(number)

    def _forget(self, label: int) -> None:
        """Lets the label be given to another job."""
        self._tokens.pop(label, None)
        number = self._ids.pop(label, None)
        space = self._home.pop(label, None)
        if number is None or space is None:
            return
        labels = self._labels[space][number]
        labels.remove(label)
        if not labels:
            del self._labels[space][number]

    def knows(self, reference: object) -> bool:
        """The reference can be bound: it is no label, or one whose id or handle was told."""
        match reference:
            case IdOf(label):
                return label in self._ids
            case HandleOf(label):
                return label in self._tokens
            case _:
                return True


def _steady(flaw: str) -> str:
    """What is said to be wrong with XML, without what may differ each time it is said."""
    return NUMBER.sub("#", flaw)[:FLAW_MAX]


def _behind(progress: Progress, last: Progress) -> Backwards:
    if progress.total == last.total and _is_less(progress.done, last.done):
        return Backwards.DONE
    return Backwards.TIME if _is_less(progress.elapsed_ms, last.elapsed_ms) else Backwards.NOTHING


def _is_less(now: int | None, before: int | None) -> bool:
    return now is not None and before is not None and now < before


def _others(call: type[Call]) -> tuple[list[str], Callable[[Call], tuple[object, ...]]]:
    names = [name for name in call.__dataclass_fields__ if name != "job"]
    return names, attrgetter(*names)


_OTHERS_OF: Mapping[type[Call], tuple[list[str], Callable[[Call], tuple[object, ...]]]] = {
    call: _others(call) for call in WITH_JOB
}


def _with_job(call: Call, job: JobArgument) -> Call:
    """The call about another job: `dataclasses.replace`, five times as fast."""
    names, values = _OTHERS_OF[type(call)]
    return type(call)(job=job, **dict(zip(names, values(call), strict=True)))  # type: ignore[call-arg, arg-type]


def _silent(refusal: Refusal) -> Refusal:
    silent = _SILENT_REFUSALS.get(refusal.kind)
    if silent is None:
        silent = _SILENT_REFUSALS[refusal.kind] = Refusal(refusal.kind)
    return silent


_OF_THE_JOB = (NAMES[GetJobInfo], NAMES[GetJobStats])  # queries that tell of a whole job, not of one disk of it
_PROGRESS_GOES_ON = frozenset(
    call
    for call in NAMES
    if call in (Disconnect, RestartServer) or call.__name__.startswith(("Get", "BackupGet", "List", "Job"))
) - {JobSetDefaultId, *JOB_VERBS}  # another default is another job, whose progress may be less
_READERS: dict[type, Callable[[Ledger, Call, Single, Belief], Single]] = {
    Id: Ledger._id,  # noqa: SLF001
    GotHandle: Ledger._handle,  # noqa: SLF001
    Description: Ledger._description,  # noqa: SLF001
    Listed: Ledger._list,  # noqa: SLF001
    JobInfo: Ledger._job_info,  # noqa: SLF001
    BlockInfo: Ledger._block_info,  # noqa: SLF001
}
