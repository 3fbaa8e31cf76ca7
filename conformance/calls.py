"""The calls of a job-management API are values; ids in them are symbols, so that one trace fits every backend."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum


class Mode(StrEnum):
    """How a backup delivers its data."""

    PUSH = "push"
    PULL = "pull"


class Kind(StrEnum):
    """What a job does."""

    PUSH = "backup-push"
    PULL = "backup-pull"
    BLOCK_COPY = "block-copy"
    BLOCK_PULL = "block-pull"
    BLOCK_COMMIT = "block-commit"

    @property
    def type(self) -> "JobType":
        """The type that lists and handles tell: both modes of a backup are one type."""
        return TYPE_OF_KIND[self]

    @property
    def is_backup(self) -> bool:
        """The kind is a backup, in either mode."""
        return self in BACKUPS


class JobType(StrEnum):
    """The type of a job as a list or a handle tells it."""

    BACKUP = "backup"
    BLOCK_COPY = "block-copy"
    BLOCK_PULL = "block-pull"
    BLOCK_COMMIT = "block-commit"
    DOMAIN = "domain"


BACKUPS = frozenset({Kind.PUSH, Kind.PULL})
TYPE_OF_KIND = {
    Kind.PUSH: JobType.BACKUP,
    Kind.PULL: JobType.BACKUP,
    Kind.BLOCK_COPY: JobType.BLOCK_COPY,
    Kind.BLOCK_PULL: JobType.BLOCK_PULL,
    Kind.BLOCK_COMMIT: JobType.BLOCK_COMMIT,
}
KIND_OF_MODE = {Mode.PUSH: Kind.PUSH, Mode.PULL: Kind.PULL}


class Waits(StrEnum):
    """Which of its last steps a job leaves to its client, where clients name the jobs; as its begin asked for."""

    NOTHING = ""
    FINALIZE = "waits to be finalized"
    DISMISS = "waits to be dismissed"
    BOTH = "waits for both last steps"

    @property
    def to_finalize(self) -> bool:
        """A job that has done its work stays pending."""
        return self in (Waits.FINALIZE, Waits.BOTH)

    @property
    def to_dismiss(self) -> bool:
        """A job that is over stays in the list, and keeps its name."""
        return self in (Waits.DISMISS, Waits.BOTH)


class Odd(Enum):
    """An id that no begin ever returned."""

    ZERO = "0"
    NEXT = "next"  # one more than the greatest issued
    HUGE = "huge"  # 2**31 - 1
    NEGATIVE = "negative"  # -1

    __hash__ = object.__hash__  # there is one of each, and that of Enum is slow


@dataclass(frozen=True, slots=True)
class IdOf:
    """The id of the job that the session calls by this label, dead or alive."""

    label: int


@dataclass(frozen=True, slots=True)
class HandleOf:
    """The opaque handle that the session calls by this label, freed or not."""

    label: int


class NoJob(Enum):
    """What stands for the job in a design without ids."""

    NAMED = ""

    __hash__ = object.__hash__


JobRef = IdOf | HandleOf | Odd | NoJob


@dataclass(frozen=True, slots=True)
class Token:
    """An opaque handle as a backend gave it; only that backend knows what the number stands for."""

    number: int


JobArgument = JobRef | int | str | Token  # bound for a backend: a number, a name, a token, or NoJob


class Flaw(StrEnum):
    """What is wrong with the input of a call, if anything."""

    NOTHING = ""
    UNKNOWN_FLAGS = "unknown flags"
    NOT_XML = "not XML"
    BAD_SCHEMA = "fails the schema"
    UNKNOWN_DISK = "unknown disk"
    DISK_TWICE = "a disk twice"
    NO_DISK = "no disk"
    TARGET_EXISTS = "target exists"
    UNKNOWN_CHECKPOINT = "unknown checkpoint"
    KEEP_ALONE = "keep without completed"
    ILL_FORMED_NAME = "ill-formed name"
    CUT_OFF = "cut off"  # the client is killed before it hears the answer
    AT_ONCE = "two clients at once"  # another client makes the same call at the same time


class Storage(StrEnum):
    """What the storage is like that a backup is begun on."""

    SOUND = ""
    FULL = "full disk"  # what it writes to, its target or its scratch file, has no room for it
    SLOW = "slow storage"  # what it reads comes so slowly that a push takes seconds


BAD_STORAGES = (Storage.FULL, Storage.SLOW)


class Manner(StrEnum):
    """How a client or a server goes away."""

    ORDERLY = ""
    KILLED = "killed"


BAD_BACKUP_INPUT = (
    Flaw.NOT_XML,
    Flaw.BAD_SCHEMA,
    Flaw.UNKNOWN_DISK,
    Flaw.DISK_TWICE,
    Flaw.NO_DISK,
    Flaw.TARGET_EXISTS,
    Flaw.UNKNOWN_CHECKPOINT,
)
ARRANGED = frozenset({Flaw.CUT_OFF, Flaw.AT_ONCE})  # nothing is wrong with the input: somebody brings it about
UNKNOWN_DISK = "vdz"  # well-formed for libvirt's schema, and on no guest of the kit's


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call names the domain it is about and the client (connection) that makes it."""

    domain: int = 0
    client: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupBegin(Call):
    """Begins a backup; the session calls the new job by `label`."""

    label: int
    mode: Mode
    disks: tuple[str, ...]
    name: str | None = None
    waits: Waits = Waits.NOTHING
    storage: Storage = Storage.SOUND
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGetXmlDesc(Call):
    """Asks for the description of a backup."""

    job: JobArgument = NoJob.NAMED
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupEnd(Call):
    """Ends a backup; with `abort` also one that is not finished."""

    job: JobArgument
    abort: bool = False
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAllJobs(Call):
    """Lists the jobs with id and type; `types` empty means all."""

    types: frozenset[JobType] = frozenset()
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJobInfo(Call):
    """Asks the legacy way what domain job is running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJobStats(Call):
    """Asks for the statistics of the domain job, or of the one that completed last."""

    completed: bool = False
    keep: bool = False
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortJob(Call):
    """Ends the domain job the legacy way."""

    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockJobBegin(Call):
    """Begins a job on one disk; the session calls it by `label`."""

    label: int
    disk: str
    name: str | None = None
    waits: Waits = Waits.NOTHING
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCopy(BlockJobBegin):
    """Copies a disk to a new image that the guest can be pivoted to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPull(BlockJobBegin):
    """Pulls the data of the backing images into the disk's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCommit(BlockJobBegin):
    """Commits an image below the top one into its backing image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockJobAbort(Call):
    """Ends the job on a disk; with `pivot` by switching the guest to the copy."""

    disk: str
    pivot: bool = False
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBlockJobInfo(Call):
    """Asks what job is on a disk."""

    disk: str
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockJobSetSpeed(Call):
    """Limits the bandwidth of the job on a disk, in MiB/s."""

    disk: str
    bandwidth: int = 1
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGetDefaultId(Call):
    """Asks which job the legacy calls act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSetDefaultId(Call):
    """Points the legacy calls at a job."""

    job: JobArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockJobGetId(Call):
    """Asks for the id of the job on a disk."""

    disk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLookupId(Call):
    """Asks for a handle of the job with that id; where ids are per type, the type is named too."""

    label: int
    job: JobArgument
    type: JobType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompose(Call):
    """Makes a handle of a type and an id; the session calls the handle by `label`."""

    label: int
    type: JobType
    job: JobArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGetId(Call):
    """Asks a handle for its id."""

    job: JobArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGetType(Call):
    """Asks a handle for its type."""

    job: JobArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFree(Call):
    """Gives a handle back."""

    job: JobArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGetStatus(Call):
    """Asks where the job of that name stands in its life."""

    job: JobArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class JobVerb(Call):
    """Leads the job of that name on."""

    job: JobArgument
    flaw: Flaw = Flaw.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancel(JobVerb):
    """Ends a job before it has done its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPause(JobVerb):
    """Lets a job stand still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResume(JobVerb):
    """Lets a paused job go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobComplete(JobVerb):
    """Tells a job that is ready to do its last work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinalize(JobVerb):
    """Lets a job that has done its work take effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDismiss(JobVerb):
    """Takes a job that is over out of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Call):
    """Starts the domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy(Call):
    """Stops the domain at once, as pulling its plug does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashGuest(Call):
    """The process that runs the domain is killed: the domain stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect(Call):
    """The client goes away, and another one takes its place."""

    manner: Manner = Manner.ORDERLY


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartServer(Call):
    """The server goes away and is started again, and clients connect anew; domains run on meanwhile."""

    manner: Manner = Manner.ORDERLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Save(Call):
    """Saves the domain's memory to a file and stops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Call):
    """Waits until what ends or finishes by itself has done so; block jobs are let run free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeEvents(Call):
    """Takes the terminal events that came since the last time; waits for as many as are `due`."""

    due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect(Call):
    """Looks for what backups that are over, or never began, left behind: files, sockets, busy disks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession(Call):
    """Ends a session: no job is left on any domain, all run again, and their disks are as good as new.

    The kit makes it between two sessions on the same guests; no backend is asked for it as for a call of the API.
    """


BLOCK_KIND: Mapping[type[Call], Kind] = {
    BlockCopy: Kind.BLOCK_COPY,
    BlockPull: Kind.BLOCK_PULL,
    BlockCommit: Kind.BLOCK_COMMIT,
}
JOB_VERBS: tuple[type[JobVerb], ...] = (JobCancel, JobPause, JobResume, JobComplete, JobFinalize, JobDismiss)
BEGINS: tuple[type[Call], ...] = (BackupBegin, *BLOCK_KIND)
STOPS = (Destroy, Save)
ENDS: tuple[type[Call], ...] = (BackupEnd, AbortJob, BlockJobAbort)  # what two clients may call at once
HANDLE_CALLS = (JobGetId, JobGetType, JobFree)
QUERIES = (
    BackupGetXmlDesc,
    ListAllJobs,
    GetJobInfo,
    GetJobStats,
    GetBlockJobInfo,
    JobGetDefaultId,
    BlockJobGetId,
    JobLookupId,
    JobCompose,
    JobGetId,
    JobGetType,
    JobGetStatus,
)
FAULTS: tuple[type[Call], ...] = (CrashGuest, Disconnect, RestartServer)
ENVIRONMENT: tuple[type[Call], ...] = (Start, Destroy, *FAULTS, Settle, TakeEvents, Inspect, EndSession)
ALL_CALLS: tuple[type[Call], ...] = (
    BackupBegin,
    BackupGetXmlDesc,
    BackupEnd,
    ListAllJobs,
    GetJobInfo,
    GetJobStats,
    AbortJob,
    BlockCopy,
    BlockPull,
    BlockCommit,
    BlockJobAbort,
    GetBlockJobInfo,
    BlockJobSetSpeed,
    JobGetDefaultId,
    JobSetDefaultId,
    BlockJobGetId,
    JobLookupId,
    JobCompose,
    JobGetId,
    JobGetType,
    JobFree,
    JobGetStatus,
    *JOB_VERBS,
    Start,
    Destroy,
    *FAULTS,
    Save,
    Settle,
    TakeEvents,
    Inspect,
)


def is_at_once(call: Call) -> bool:
    """Two clients make the call at the same time."""
    return getattr(call, "flaw", Flaw.NOTHING) is Flaw.AT_ONCE


def alone(call: Call, client: int = 0) -> Call:
    """The call with nothing wrong, as that client makes it by itself."""
    return replace(call, client=client, flaw=Flaw.NOTHING)  # type: ignore[call-arg]


def call_name(call: type[Call]) -> str:
    """The name libvirt's style gives a call: `backup_begin` for `BackupBegin`."""
    return NAMES[call]


NAMES: Mapping[type[Call], str] = {
    call: "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in call.__name__).lstrip("_")
    for call in (*ALL_CALLS, EndSession)
}
WITH_JOB = frozenset(call for call in ALL_CALLS if "job" in call.__dataclass_fields__)
CALL_OF_NAME: Mapping[str, type[Call]] = {name: call for call, name in NAMES.items()}
