"""EVENT, FAULT, TIME, ISO, SANE: what surrounds every call."""

from jobtck.conformance.calls import (
    QUERIES,
    STOPS,
    BackupBegin,
    CrashGuest,
    Destroy,
    Disconnect,
    Flaw,
    GetJobStats,
    Inspect,
    JobType,
    RestartServer,
    Save,
    Start,
    Storage,
    TakeEvents,
    call_name,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.order import beside_a_job_elsewhere
from jobtck.conformance.outcomes import (
    HELD_UP,
    Both,
    ErrorKind,
    Events,
    Fate,
    Leftovers,
    Lost,
    Outcome,
    Party,
    Refusal,
    Single,
    Waited,
    refusals_in,
)
from jobtck.conformance.predicates import accepted, also, anything, on, statistics
from jobtck.conformance.requirement import (
    ANY_TROUBLE,
    EVERYTHING,
    SENSE,
    Answer,
    Demand,
    Hurt,
    Level,
    Needs,
    Requirement,
    Trouble,
    doc,
    mail,
    trouble_in,
)
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Kept, Result


def one_event_each(scene: Scene, answer: Answer) -> bool:
    """As many terminal events came as backups ended."""
    owed = scene.domain.owed
    return owed is None or (isinstance(answer.outcome, Events) and len(_told_of_backups(answer.outcome)) == len(owed))


def results_agree(scene: Scene, answer: Answer) -> bool:
    """Of as many events as backups ended, as many are of success; jobs may end at once in any order."""
    owed = scene.domain.owed
    if owed is None or not isinstance(answer.outcome, Events) or not one_event_each(scene, answer):
        return True
    surely, perhaps = owed.count(Result.NORMAL), owed.count(Result.UNSURE)
    return surely <= sum(_told_of_backups(answer.outcome)) <= surely + perhaps


def _told_of_backups(told: Events) -> list[bool]:
    return [success for type, success in told.events if type is JobType.BACKUP]


def died_with_a_job(scene: Scene) -> bool:
    """Statistics are asked of a backup that was running when its domain died."""
    completed = on(GetJobStats, completed=True, flaw=Flaw.NOTHING)(scene)
    return completed and not scene.domain.running and scene.domain.kept is Kept.DIED


def no_success(_: Scene, answer: Answer) -> bool:
    """No success is told."""
    told = statistics(answer)
    return told is None or not told.success


def none_left(name: str) -> Demand:
    """Nothing of that sort is left; what stays after a stop of the domain is not what stays after an end."""

    def tells(scene: Scene, _: Answer) -> str:
        stopped = not scene.domain.running or scene.domain.stopped_before
        return f"{name}, after a stop of the domain" if stopped else name

    def holds(_: Scene, answer: Answer) -> bool:
        return not isinstance(answer.outcome, Leftovers) or name not in answer.outcome.names

    return Demand(f"no {name} is left", holds, tells)


def how_long(_: Scene, answer: Answer) -> str:
    """How long the answer took."""
    return str(answer.waited)


def internal(_: Scene, __: Answer) -> str:
    """The error, whoever else was answered otherwise in the same moment."""
    return str(ErrorKind.INTERNAL)


def needs_no_waiting(scene: Scene, answer: Answer) -> bool:
    """The query, or the refusal that does not wait for another job, comes at once; a query does not time out."""
    if scene.is_query and _timed_out(answer):
        return False
    refused = isinstance(answer.outcome, Refusal) and answer.outcome.kind not in HELD_UP
    needs_none = scene.is_query or refused
    return answer.waited is Waited.AT_ONCE or not needs_none


def _timed_out(answer: Answer) -> bool:
    return isinstance(answer.outcome, Refusal) and answer.outcome.kind is ErrorKind.TIMED_OUT


def not_held_up(scene: Scene, answer: Answer) -> bool:
    """The call neither waits nor is refused for what is in its way; what takes seconds anyway may take them."""
    if isinstance(answer.outcome, Refusal) and answer.outcome.kind in HELD_UP:
        return False
    takes_seconds = call_name(type(scene.call)) in scene.capabilities.costly_calls
    return takes_seconds or answer.waited is Waited.AT_ONCE


def in_bounded_time(_: Scene, answer: Answer) -> bool:
    """The answer came, and not too late."""
    return answer.waited is not Waited.TOO_LONG and not has_met(answer, Fate.HUNG, *Party)


def no_internal_error(_: Scene, answer: Answer) -> bool:
    """None of the answers is that of an internal error, and neither the server nor the client died."""
    died = has_met(answer, Fate.DIED, Party.SERVER, Party.CLIENT)
    return not died and all(each.kind is not ErrorKind.INTERNAL for each in refusals_in(answer.outcome))


def may_stop_the_guest(scene: Scene) -> bool:
    """The call is there to stop the guest."""
    return isinstance(scene.call, (*STOPS, CrashGuest))


def the_guest_lives(scene: Scene, answer: Answer) -> bool:
    """The guest neither died nor stopped, unless the call was there to stop it."""
    died = has_met(answer, Fate.DIED, Party.GUEST) or trouble_in(scene, answer.outcome) is Trouble.STOPPED
    return may_stop_the_guest(scene) or not died


def has_met(answer: Answer, fate: Fate, *parties: Party) -> bool:
    """One of the parties met that fate in the call."""
    lost = answer.outcome
    return isinstance(lost, Lost) and lost.fate is fate and lost.party in parties


SANITY = (
    Requirement(
        id="EVENT-1",
        text="Each job that began ends with exactly one terminal event, and its result agrees with the statistics.",
        source=doc("VIR_DOMAIN_EVENT_ID_JOB_COMPLETED"),
        needs=Needs(all_calls=(BackupBegin, TakeEvents)),
        when=also(on(TakeEvents), lambda scene: scene.domain.owed is not None and not scene.ending),
        then=(
            Demand("each job has one event", one_event_each),
            Demand("its result is that of the job", results_agree),
        ),
    ),
    Requirement(
        id="FAULT-1",
        text="A client that goes away ends no job.",
        source=mail("Note the time and process separation"),
        needs=Needs(all_calls=(Disconnect,)),
        when=on(Disconnect),
        then=anything,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="FAULT-2",
        text="After a daemon restart (also kill -9) every job is there as before: same id, type, description.",
        source=doc("virDomainBackupBegin") + "; libvirt restores jobs from the status XML",
        needs=Needs(all_calls=(RestartServer,)),
        when=on(RestartServer),
        then=anything,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="FAULT-3",
        text="A domain that dies ends its jobs; they count as cancelled or failed, never as success.",
        source=doc("virDomainGetJobStats"),
        needs=Needs(any_call=(Destroy, CrashGuest), all_calls=(BackupBegin, GetJobStats)),
        when=died_with_a_job,
        then=no_success,
    ),
    Requirement(
        id="FAULT-4",
        text="When a job is over nothing of it is left: no scratch file, no block job, no busy disk.",
        source=doc("virDomainBackupBegin"),
        needs=Needs(all_calls=(BackupBegin, Inspect)),
        when=also(on(Inspect), lambda scene: not scene.domain.backups),
        then=(
            Demand("what is left is told", lambda _, answer: isinstance(answer.outcome, Leftovers)),
            *map(none_left, ("scratch", "socket", "busy disk")),
        ),
    ),
    Requirement(
        id="FAULT-5",
        text="A domain that stopped, or died, can be started again.",
        source=doc("virDomainCreate"),
        needs=Needs(any_call=(Destroy, CrashGuest, Save), all_calls=(Start,)),
        when=also(on(Start), lambda scene: not scene.domain.running),
        then=accepted,
    ),
    Requirement(
        id="TIME-1",
        text="Every call returns in bounded time (the server's lock wait plus a margin).",
        source=doc("virDomainBackupBegin") + "; the state lock of libvirt's QEMU driver",
        needs=Needs(any_call=(BackupBegin, *QUERIES)),
        when=lambda scene: not scene.is_environment,
        then=(Demand("", in_bounded_time, tells=how_long),),
        speaks_of=Outcome,
        form_only=True,
        troubles=ANY_TROUBLE,
    ),
    Requirement(
        id="TIME-2",
        level=Level.SHOULD,
        text="A query, and a refusal that needs no waiting, does not wait.",
        source=SENSE,
        needs=Needs(any_call=(BackupBegin, *QUERIES)),
        when=lambda scene: not scene.is_environment and not beside_a_job_elsewhere(scene),
        then=(Demand("", needs_no_waiting, tells=how_long),),
        speaks_of=Single,
        form_only=True,
        troubles=ANY_TROUBLE,
        presumes=("ISO-1",),
    ),
    Requirement(
        id="ISO-1",
        text="What happens to one domain, slow or stuck storage included, delays no call that is not about it.",
        source=SENSE,
        needs=Needs(all_calls=(BackupBegin,), features=frozenset({Feature.SECOND_DOMAIN})),
        when=beside_a_job_elsewhere,
        then=not_held_up,
        form_only=True,
        troubles=frozenset({Trouble.HELD_UP}),
        presumes=EVERYTHING,
        about_the_answer=True,
    ),
    Requirement(
        id="SANE-1",
        text="What a caller can do wrong is never answered as an internal error, "
        "and never crashes the server or the client.",
        source=SENSE,
        needs=Needs(any_call=(BackupBegin, *QUERIES)),
        when=lambda scene: not scene.is_environment and scene.storage is not Storage.FULL,
        then=(Demand("", no_internal_error, tells=internal),),
        speaks_of=Refusal | Both | Lost,
        form_only=True,
        troubles=frozenset({Trouble.INTERNAL}),
    ),
    Requirement(
        id="SANE-2",
        text="No calls make the guest die, or stop, of themselves.",
        source=SENSE,
        needs=Needs(any_call=(BackupBegin, *QUERIES)),
        when=lambda scene: scene.domain.running and not may_stop_the_guest(scene),
        then=the_guest_lives,
        speaks_of=Outcome,
        troubles=frozenset({Trouble.STOPPED}),
    ),
)
