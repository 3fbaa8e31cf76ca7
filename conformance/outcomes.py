"""What a call can end in: a value, a refusal, or silence; the native code and text are kept verbatim."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from jobtck.conformance.calls import IdOf, JobType, Kind, Mode, Token


class ErrorKind(StrEnum):
    """Why a call was refused, in the words of the contract."""

    NO_SUCH_JOB = "no-such-job"
    WRONG_TYPE = "wrong-type"
    AMBIGUOUS = "ambiguous"
    BUSY = "busy"
    TIMED_OUT = "timed-out"
    INVALID_ARGUMENT = "invalid-argument"
    INVALID_STATE = "invalid-state"  # a code that libvirt uses for "no job", "not running" and more
    NOT_RUNNING = "not-running"
    NO_DOMAIN = "no-domain"
    READ_ONLY = "read-only"
    UNSUPPORTED = "unsupported"
    INTERNAL = "internal"
    OTHER = "other"


HELD_UP = frozenset({ErrorKind.TIMED_OUT, ErrorKind.BUSY})  # something else was in the way


class Waited(StrEnum):
    """How long a call took, as far as the contract cares."""

    AT_ONCE = "at once"
    WAITED = "waited"
    TOO_LONG = "too long"


class Seen(Enum):
    """An id in an answer that is the id of no job the session has a label for."""

    FRESH = "new"
    OLD = "used before"
    ZERO = "0"
    NEGATIVE = "negative"
    NOTHING = "none"

    __hash__ = object.__hash__  # there is one of each, and that of Enum is slow


AnsweredId = IdOf | Seen | int | str | None  # read by the session, or as the backend gave it


@dataclass(frozen=True, slots=True)
class Refusal:
    """The call was refused; `code` and `text` are the backend's own."""

    kind: ErrorKind
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer came: the call may or may not have taken effect."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The call succeeded and says nothing more."""


@dataclass(frozen=True, slots=True)
class Id:
    """The id of a job."""

    id: AnsweredId


@dataclass(frozen=True, slots=True)
class GotHandle:
    """An opaque handle; as read by the session, no more than that there is one."""

    token: Token | None = None


@dataclass(frozen=True, slots=True)
class TypeOf:
    """The type of a job."""

    type: JobType


class JobStatus(StrEnum):
    """Where a job stands in its life, as QEMU's `JobStatus` in qapi/job.json has it."""

    UNDEFINED = "undefined"
    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    READY = "ready"
    STANDBY = "standby"
    WAITING = "waiting"
    PENDING = "pending"
    ABORTING = "aborting"
    CONCLUDED = "concluded"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class StatusOf:
    """The status of a job, None when there is none of that name; `error` says that it tells of one."""

    status: JobStatus | None
    error: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """A backup's XML, parsed; `flaw` says where it breaks the server's own schema, if it does."""

    id: AnsweredId
    mode: Mode | None
    disks: tuple[str, ...]
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer of an end: 1 for completed, 0 for aborted."""

    completed: int


@dataclass(frozen=True, slots=True)
class Listed:
    """The jobs of a list, each with id and type."""

    jobs: tuple[tuple[AnsweredId, JobType], ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come: units done and in all, and the milliseconds since it began, where told."""

    done: int | None = None
    total: int | None = None
    elapsed_ms: int | None = None


STANDS = Progress()


class Backwards(StrEnum):
    """What in an answer is behind what the same query answered before about the same job, if anything."""

    NOTHING = ""
    DONE = "less done than before"
    TIME = "less time than before"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the session reads in the progress of an answer: compared with an earlier one about the same job, if any.

    `is_no_sum` says that the total of a job and those told of its disks do not fit.
    """

    is_compared: bool = False
    ran_backwards: Backwards = Backwards.NOTHING
    exceeds_total: bool = False
    is_no_sum: bool = False


UNREAD = Reading()


@dataclass(frozen=True, slots=True)
class JobInfo:
    """What the legacy query tells; `type` is None when no job is running."""

    type: JobType | None
    progress: Progress = STANDS
    reading: Reading = UNREAD


@dataclass(frozen=True, slots=True)
class Completed:
    """Statistics of the job that completed last; `type` is None when there are none."""

    type: JobType | None
    success: bool | None = None
    error: bool = False  # an error message comes with it


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """What is told of the job on a disk; `kind` is None when there is none."""

    kind: Kind | JobType | None
    progress: Progress = STANDS
    reading: Reading = UNREAD


@dataclass(frozen=True, slots=True)
class Events:
    """The terminal events of domain jobs, as (type, success), oldest first."""

    events: tuple[tuple[JobType, bool], ...]


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is left of backups that are over ("scratch", "socket", "busy disk") or never began ("rejected")."""

    names: tuple[str, ...]


Value = (
    Done
    | Id
    | GotHandle
    | TypeOf
    | StatusOf
    | Description
    | Ended
    | Listed
    | JobInfo
    | Completed
    | BlockInfo
    | Events
    | Leftovers
)
Heard = Value | Refusal
Single = Heard | Unknown


@dataclass(frozen=True, slots=True)
class Both:
    """The answers to a call that several clients made at once; as read by the session, in an order of its own."""

    answers: tuple[Single, ...]

    @classmethod
    def in_any_order(cls, *answers: Single) -> "Both":
        """The same for the same answers, whoever got which."""
        return cls(tuple(sorted(answers, key=repr)))


class Party(StrEnum):
    """Whoever takes part in a call, and can be lost in it."""

    SERVER = "server"  # also a driver that is in the kit's own process
    CLIENT = "client"
    GUEST = "guest"


class Fate(StrEnum):
    """What became of a party that was lost."""

    DIED = "died"
    HUNG = "hung"  # it was ended once it had taken longer than any call may


@dataclass(frozen=True, slots=True)
class Evidence:
    """A text that is kept with a deviation: a backtrace, or the end of a log. `title` says what it is."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A party was lost in the call; `code` is the signal or status that it ended with, `text` says it in words.

    An answer that was given as well does not count. After it nothing is known, and the session ends.
    """

    party: Party
    fate: Fate = Fate.DIED
    code: str = ""
    text: str = ""
    evidence: tuple[Evidence, ...] = ()


Outcome = Single | Both | Lost
DONE = Done()


def native(outcome: Outcome) -> tuple[str, str]:
    """The backend's own code and text: of a refusal, of the first of several, or of a loss."""
    if isinstance(outcome, Lost):
        return outcome.code, outcome.text
    refusal = next(iter(refusals_in(outcome)), None)
    return ("", "") if refusal is None else (refusal.code, refusal.text)


def is_silent(outcome: Outcome) -> bool:
    """A client got no answer."""
    return isinstance(outcome, Unknown) or (
        isinstance(outcome, Both) and any(isinstance(each, Unknown) for each in outcome.answers)
    )


def answers_in(outcome: Outcome) -> tuple[Outcome, ...]:
    """The answers of several clients, or the one there is."""
    return outcome.answers if isinstance(outcome, Both) else (outcome,)


def refusals_in(outcome: Outcome) -> tuple[Refusal, ...]:
    """The refusal that the outcome is, or those of several clients."""
    return tuple(each for each in answers_in(outcome) if isinstance(each, Refusal))
