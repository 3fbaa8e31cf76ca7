"""A cell is what coverage counts: a state without names, and a call with what its id stands for."""

from typing import NamedTuple

from jobtck.conformance.calls import (
    KIND_OF_MODE,
    UNKNOWN_DISK,
    BackupBegin,
    BackupGetXmlDesc,
    BlockJobBegin,
    BlockJobGetId,
    Call,
    Flaw,
    GetJobStats,
    HandleOf,
    IdOf,
    Inspect,
    JobCompose,
    JobGetDefaultId,
    JobGetId,
    JobLookupId,
    ListAllJobs,
    NoJob,
    Odd,
    Storage,
    TakeEvents,
    call_name,
    is_at_once,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT
from jobtck.conformance.outcomes import (
    AnsweredId,
    BlockInfo,
    Both,
    Completed,
    Description,
    Done,
    Ended,
    Events,
    GotHandle,
    Id,
    JobInfo,
    Leftovers,
    Listed,
    Lost,
    Outcome,
    Reading,
    Refusal,
    Seen,
    StatusOf,
    TypeOf,
    Unknown,
)
from jobtck.conformance.state import Domain, Gone, HandleState, Job, Kept, Phase, Result, State

ODD_WORDS = {Odd.ZERO: "0", Odd.NEXT: "an id never issued", Odd.HUGE: "a huge id", Odd.NEGATIVE: "a negative id"}
CLIENT_WORDS = {0: "", SECOND_CLIENT: "second client", READ_ONLY_CLIENT: "read-only client"}


STORAGE_WORDS = {Storage.SOUND: "", Storage.FULL: " on a full disk", Storage.SLOW: " on slow storage"}


class Cell(NamedTuple):
    """A state and a call, in words; of a belief the state in which most jobs live."""

    state: str
    call: str

    @property
    def call_name(self) -> str:
        """The name of the cell's call."""
        return self.call.partition("(")[0]


def cell(state: State, call: Call) -> Cell:
    """The cell of making that call in that state."""
    return Cell(state_words(state, call), call_words(state, call))


def state_words(state: State, call: Call) -> str:
    """What matters of a state: the jobs of the call's domain, and what a few calls ask for besides."""
    domain = state.domains[call.domain]
    words = domain_words(domain)
    asks_of_the_past = isinstance(call, Inspect) or (isinstance(call, GetJobStats) and call.completed)
    if asks_of_the_past and domain.kept is not Kept.NONE:
        words += f", {kept_words(domain)}"
    if isinstance(call, TakeEvents):
        words += f", {owed_words(domain)}"
    if domain.default is not None and _asks_for_default(call):
        words += ", default set"
    if call.domain and state.is_busy_besides(call.domain):
        words += ", a job elsewhere"
    return words


def _asks_for_default(call: Call) -> bool:
    name = call_name(type(call))
    return (
        "default" in name
        or name in ("abort_job", "get_job_info")
        or (isinstance(call, GetJobStats) and not call.completed)
    )


def owed_words(domain: Domain) -> str:
    """The terminal events that were not taken yet, without how many of a sort."""
    if domain.owed is None:
        return "many events due"
    return "events due of " + " + ".join(sorted(set(domain.owed))) if domain.owed else "no event due"


def is_determined(state: State, call: Call) -> bool:
    """The state says all that an answer depends on.

    It does not of an end that went either way, of an id that was not told, of how a domain was stopped, which may
    have events of its own, and of who came first where two clients call at once.
    """
    domain = state.domains[call.domain]
    if is_at_once(call):
        return False
    if isinstance(call, GetJobStats) and call.completed and domain.kept is Kept.UNSURE:
        return False
    if isinstance(call, TakeEvents) and (domain.owed is None or Result.UNSURE in domain.owed or domain.stopped_before):
        return False
    tells_ids = isinstance(call, BackupGetXmlDesc | BlockJobGetId | JobGetDefaultId | JobGetId)
    either_way = any(job.phase is Phase.CONCLUDED and job.result is Result.UNSURE for job in domain.jobs)
    return not either_way and not (tells_ids and any(not job.known for job in domain.jobs))


def kept_words(domain: Domain) -> str:
    """What statistics there are."""
    sure = domain.kept in (Kept.NORMAL, Kept.CUT_SHORT, Kept.DIED) and domain.last is not None
    return f"statistics {domain.kept}" + (f": {domain.last}" if sure else "")


def domain_words(domain: Domain) -> str:
    """The live jobs of a domain without their names."""
    if not domain.running:
        return "not running"
    return " + ".join(sorted(job_words(job) for job in domain.jobs)) or "no job"


def job_words(job: Job) -> str:
    """A live job without its name."""
    disks = "" if len(job.disks) == 1 else f" of {len(job.disks)} disks"
    phase = "" if job.phase is Phase.RUNNING else f" {job.phase}"
    result = f" {job.result}" if job.phase is Phase.CONCLUDED else ""
    waits = f" that {job.waits}" if job.waits and not result else ""
    storage = STORAGE_WORDS[job.storage] if job.phase is Phase.RUNNING else ""  # later it makes no difference
    return f"{job.kind}{disks}{phase}{result}{waits}{storage}"


def call_words(state: State, call: Call) -> str:
    """The call with what it is aimed at in the place of names."""
    arguments = [
        *_aims(state, call),
        *(["abort"] if getattr(call, "abort", False) else []),
        *(["pivot"] if getattr(call, "pivot", False) else []),
        *_details(call),
        *(getattr(call, name, "") for name in ("manner", "waits", "storage", "flaw")),
        CLIENT_WORDS[call.client],
        "second domain" if call.domain else "",
    ]
    return f"{call_name(type(call))}({', '.join(str(word) for word in arguments if word)})"


def _details(call: Call) -> list[str]:
    match call:
        case GetJobStats():
            return [word for word in ("completed", "keep") if getattr(call, word)]
        case ListAllJobs(types=types):
            return [f"only {type}" for type in sorted(types)]
        case JobCompose(type=type):
            return [f"as {type}"]
        case JobLookupId(type=wanted) if wanted is not None:
            return [f"as {wanted}"]
        case _:
            return []


def _aims(state: State, call: Call) -> list[str]:
    domain = state.domains[call.domain]
    words: list[str] = []
    if isinstance(call, BackupBegin):
        words.append(KIND_OF_MODE[call.mode])
    disk: str | None = getattr(call, "disk", None)
    disks: tuple[str, ...] = getattr(call, "disks", ()) if disk is None else (disk,)
    words += sorted(_disk_words(domain, disk) for disk in disks)
    if isinstance(call, BackupBegin | BlockJobBegin) and call.name is not None and call.flaw is Flaw.NOTHING:
        words.append(_name_words(state, call.label))
    reference = getattr(call, "job", NoJob.NAMED)
    match reference:
        case Odd():
            words.append(ODD_WORDS[reference])
        case IdOf(label):
            words.append("id of " + _label_words(state, call.domain, label))
        case HandleOf(label):
            words.append(_handle_words(state, call.domain, state.handle(label)))
        case _:
            pass
    return words


def _disk_words(domain: Domain, disk: str) -> str:
    if disk == UNKNOWN_DISK:
        return "unknown disk"
    job = domain.on_disk(disk)
    if job is None:
        return finished_words(domain, disk) if domain.finished_on(disk) else "free disk"
    return f"disk in {job_words(job)}"


def finished_words(domain: Domain, disk: str) -> str:
    """A disk that a job is through with, and the kind of that job where it might be another."""
    through = [job for job in domain.jobs if job.phase in (Phase.FINISHED, Phase.CONCLUDED)]
    kinds = sorted({str(job.kind) for job in through if disk in job.disks})
    return "finished disk" if len({job.kind for job in through}) == 1 else f"disk finished by {' and '.join(kinds)}"


def _name_words(state: State, label: int) -> str:
    for domain in state.domains:
        if domain.job(label):
            return "a name in use"
        if domain.gone_job(label):
            return "a name that is free again"
    return "a new name"


def _label_words(state: State, domain: int, label: int) -> str:
    job, gone = state.domains[domain].job(label), state.domains[domain].gone_job(label)
    if job is not None:
        return job_words(job)
    if gone is not None:
        return gone_words(gone)
    return "a job of another domain"


def gone_words(gone: Gone) -> str:
    """An ended job without its name."""
    if gone.stopped:
        return f"a {gone.kind} from before the stop"
    return f"an ended {gone.kind}" + (", others begun since" if gone.followed else "")


def _handle_words(state: State, domain: int, handle: HandleState | None) -> str:
    if handle is None:
        return "no handle"
    if handle.freed:
        return "freed handle"
    if handle.domain != domain:
        return "handle of another domain"
    if handle.job is None:
        return f"handle of no {handle.type}"
    return "handle of " + _label_words(state, domain, handle.job)


def told_words(state: State, call: Call, outcome: Outcome) -> str:
    """What an answer tells, as the session reads it: its value without names, or why it was refused."""
    match outcome:
        case Done():
            return "done"
        case Id(id):
            return _id_words(state, call, id)
        case GotHandle():
            return "a handle"
        case TypeOf(type):
            return str(type)
        case Description(id, mode, disks, flaw):
            words = [f"{mode} of {len(disks)} disk{'' if len(disks) == 1 else 's'}", _id_words(state, call, id)]
            words += ["invalid"] if flaw else []
            return ", ".join(word for word in words if word)
        case Listed(jobs):
            return " + ".join(sorted(type for _, type in jobs)) or "an empty list"
        case Completed(type=type, success=success, error=error) if type is not None:
            result = "success" if success else "no success" if success is False else "success not told"
            return f"{type}: {result}{', with an error message' if error else ''}"
        case JobInfo(reading=reading) | BlockInfo(reading=reading) if reading_words(reading):
            return f"{outcome_words(outcome)}, {reading_words(reading)}"
        case Events(events):
            told = {f"{type} {'succeeded' if well else 'did not succeed'}" for type, well in events}
            return " + ".join(sorted(told)) or "no event"
        case Leftovers(names):
            return " + ".join(sorted(set(names))) or "nothing left"
        case Both(answers):
            return " + ".join(sorted(told_words(state, call, each) for each in answers))
        case _:
            return outcome_words(outcome)


def reading_words(reading: Reading) -> str:
    """What does not fit in the progress of an answer; empty for nothing."""
    if reading.ran_backwards:
        return str(reading.ran_backwards)
    if reading.exceeds_total:
        return "more done than there is"
    return "another total than its disks have" if reading.is_no_sum else ""


def _id_words(state: State, call: Call, told: AnsweredId) -> str:
    match told:
        case IdOf(label):
            return "id of " + _label_words(state, call.domain, label)
        case Seen.NOTHING:
            return ""
        case Seen():
            return f"id {told.value}"
        case _:
            return "an id"


def outcome_words(outcome: Outcome, code: str = "") -> str:
    """What a call ended in: a value, or a kind of error with the backend's own code."""
    match outcome:
        case Refusal(kind):
            return f"{kind} {code}".rstrip()
        case Unknown():
            return "unknown"
        case Lost(party, fate):
            return f"the {party} {fate}"
        case Ended(completed):
            return "completed" if completed else "aborted"
        case JobInfo(type=told) | BlockInfo(kind=told) | Completed(type=told):
            return "no job" if told is None else str(told)
        case StatusOf(status, error):
            return "no job" if status is None else f"{status}{', with an error' if error else ''}"
        case Both(answers):
            return " + ".join(sorted(map(outcome_words, answers)))
        case _:
            return "value"
