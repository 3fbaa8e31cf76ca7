"""ID: what an id is, and whom it names."""

from jobtck.conformance.calls import (
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockJobGetId,
    Flaw,
    IdOf,
    JobCancel,
    JobGetId,
    ListAllJobs,
)
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.design import Handle, Reuse
from jobtck.conformance.listing import lists_an_id_twice
from jobtck.conformance.outcomes import Id, Listed, Refusal, Seen, Value
from jobtck.conformance.predicates import (
    accepted,
    also,
    anything,
    describes,
    faultless,
    first_client,
    ids_in,
    names_id,
    on,
    ordinary,
    pull_or_finished,
    refused,
    second_client,
    steady,
)
from jobtck.conformance.requirement import (
    ANY_IDS,
    IDS,
    INTEGER,
    NAME,
    SENSE,
    Answer,
    Demand,
    Hurt,
    Needs,
    Requirement,
    mail,
)
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Phase

CHOSEN = frozenset({Handle.INTEGER, Handle.OPAQUE})  # ids that the server chose


def positive(_: Scene, answer: Answer) -> bool:
    """No id in the answer is 0 or negative."""
    return not {Seen.ZERO, Seen.NEGATIVE} & set(ids_in(answer))


def tells_for_the_first_time(scene: Scene) -> bool:
    """The id of the job that the call is about was not told before."""
    job = scene.disk_job if isinstance(scene.call, BlockJobGetId) else scene.job
    return scene.is_begin or (job is not None and not job.known)


def told_id(scene: Scene, answer: Answer) -> IdOf | None:
    """The known id that the answer gives for a job whose id was not known."""
    told = answer.outcome.id if isinstance(answer.outcome, Id) else None
    return told if isinstance(told, IdOf) and tells_for_the_first_time(scene) else None


def borne_by_no_live_job(scene: Scene, answer: Answer) -> bool:
    """The id that was drawn is not that of another live job of the domain; no list has it for two jobs."""
    if isinstance(answer.outcome, Listed):
        return not lists_an_id_twice(scene, answer)
    told = told_id(scene, answer)
    return told is None or scene.domain.job(told.label) is None


def tells_ids(scene: Scene) -> bool:
    """The call may tell an id for the first time, or lists them all."""
    return on(BackupBegin, BlockJobGetId, JobGetId)(scene) or (
        on(ListAllJobs, types=frozenset())(scene) and scene.ordinary and not scene.ending
    )


def borne_by_no_job_before(scene: Scene, answer: Answer) -> bool:
    """The id that was drawn is not that of a job that ended while the domain ran."""
    if answer.outcome == Id(Seen.OLD) and tells_for_the_first_time(scene):
        return scene.domain.stopped_before  # it may be from before the stop
    told = told_id(scene, answer)
    gone = scene.domain.gone_job(told.label) if told is not None else None
    return gone is None or gone.stopped


def chooses_bad_name(scene: Scene) -> bool:
    """A begin with an ill-formed name, one in use, or one whose job is gone, and nothing else in its way."""
    if not scene.is_begin or scene.forbidden or not scene.domain.running or scene.unknown_disk:
        return False
    if scene.flaw is Flaw.ILL_FORMED_NAME:
        return True
    return scene.flaw is Flaw.NOTHING and (scene.name_in_use or (scene.unhindered and scene.name_used_before))


def ill_formed_is_refused(scene: Scene, answer: Answer) -> bool:
    """A begin with an ill-formed name is refused."""
    return scene.flaw is not Flaw.ILL_FORMED_NAME or refused(scene, answer)


def in_use_is_refused(scene: Scene, answer: Answer) -> bool:
    """A begin with the name of a live job is refused."""
    return scene.flaw is Flaw.ILL_FORMED_NAME or not scene.name_in_use or refused(scene, answer)


def free_again_is_taken(scene: Scene, answer: Answer) -> bool:
    """A begin with the name of a job that is gone is accepted."""
    return scene.flaw is Flaw.ILL_FORMED_NAME or scene.name_in_use or accepted(scene, answer)


def has_to_work(scene: Scene) -> bool:
    """A verb names the id of a job that nobody could refuse to it."""
    job = scene.job
    if job is None or isinstance(scene.call, JobCancel):
        return job is not None and job.phase in (Phase.RUNNING, Phase.READY)
    described = isinstance(scene.call, BackupGetXmlDesc) or pull_or_finished(scene)
    return names_id(scene) and job.kind.is_backup and described


IDENTITY = (
    Requirement(
        id="ID-1",
        text="A successful begin returns an id greater than 0; 0 is never an id, in no answer and no list.",
        source=mail("virDomainBackupBegin() always returns a non-zero job id"),
        needs=Needs(handle=CHOSEN, all_calls=(BackupBegin,)),
        when=lambda scene: not scene.is_environment,
        then=positive,
        speaks_of=Value,
        about_the_answer=True,
    ),
    Requirement(
        id="ID-2",
        text="No two live jobs of a domain share an id (of a type, where namespaces are per type).",
        source=mail("Since multiple backup jobs can be run in parallel"),
        needs=Needs(handle=CHOSEN, all_calls=(BackupBegin,)),
        when=tells_ids,
        then=borne_by_no_live_job,
        speaks_of=Id | Listed,
        about_the_answer=True,
    ),
    Requirement(
        id="ID-3",
        text="Where reuse is `never`, an id once returned names no other job while the domain runs.",
        source=mail("the case where a stale job ID was passed in"),
        needs=Needs(handle=CHOSEN, reuse=Reuse.NEVER, all_calls=(BackupBegin,)),
        when=on(BackupBegin, BlockJobGetId, JobGetId),
        then=borne_by_no_job_before,
        speaks_of=Id,
        about_the_answer=True,
    ),
    Requirement(
        id="ID-4",
        text="A begin that fails leaves no job behind and changes no other job. Gaps in ids are fine.",
        source=SENSE,
        needs=Needs(any_call=(BackupBegin,)),
        when=lambda scene: scene.is_begin,
        then=anything,
        speaks_of=Refusal,
        keeps=Hurt.LOST | Hurt.NEW,
        general=True,
    ),
    Requirement(
        id="ID-5",
        text="An id works from every connection and process, not only the one that began the job.",
        source=mail("Note the time and process separation"),
        needs=Needs(
            handle=IDS,
            any_call=(BackupGetXmlDesc, BackupEnd, JobCancel),
            features=frozenset({Feature.SECOND_CLIENT}),
        ),
        when=also(ordinary, steady, second_client, has_to_work),
        then=accepted,
    ),
    Requirement(
        id="ID-6",
        text="An id works until its job is ended, also when all data is copied but the job has not been ended.",
        source=mail("this job id must be used for") + "; documentation of the proposed virDomainBackupEnd",
        needs=Needs(handle=ANY_IDS, all_calls=(BackupGetXmlDesc,)),
        when=also(
            ordinary,
            on(BackupGetXmlDesc),
            steady,
            first_client,
            lambda scene: scene.job is not None and scene.job.kind.is_backup and not _by_zero_or_freed(scene),
        ),
        then=accepted,
    ),
    Requirement(
        id="ID-7",
        text="Ids of one domain never reach a job of another.",
        source=mail("when calling virDomainBackupEnd(domain, 1)") + ": every call names the domain",
        needs=Needs(
            handle=INTEGER,
            any_call=(BackupGetXmlDesc, BackupEnd),
            features=frozenset({Feature.SECOND_DOMAIN}),
        ),
        when=also(faultless, names_id, lambda scene: scene.foreign),
        then=refused,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="ID-8",
        text="What is asked about an id is answered about that job: "
        "the same id, type, mode and disks it was begun with.",
        source=mail("this job id must be used for"),
        needs=Needs(handle=ANY_IDS, all_calls=(BackupGetXmlDesc,)),
        when=also(ordinary, on(BackupGetXmlDesc), steady, lambda scene: not _by_zero_or_freed(scene)),
        then=describes,
        speaks_of=Value,
    ),
    Requirement(
        id="ID-9",
        text="An ill-formed name is refused; a name in use is refused; a name is free again once its job is dismissed.",
        source="QEMU, qapi/job.json",
        needs=Needs(handle=NAME, all_calls=(BackupBegin,)),
        when=chooses_bad_name,
        then=(
            Demand("an ill-formed name is refused", ill_formed_is_refused),
            Demand("a name in use is refused", in_use_is_refused),
            Demand("a name is free again", free_again_is_taken),
        ),
    ),
)


def _by_zero_or_freed(scene: Scene) -> bool:
    return scene.odd is not None or (scene.handle is not None and scene.handle.freed)
