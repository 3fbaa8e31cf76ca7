"""QUERY: asking changes nothing, and the answers make sense."""

from jobtck.conformance.calls import (
    BEGINS,
    QUERIES,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    JobType,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, Feature
from jobtck.conformance.design import Handle
from jobtck.conformance.outcomes import (
    Backwards,
    BlockInfo,
    Completed,
    Description,
    JobInfo,
    Outcome,
    Refusal,
    Seen,
)
from jobtck.conformance.predicates import also, anything, describes, on, ordinary, steady
from jobtck.conformance.requirement import SENSE, Answer, Demand, Hurt, Needs, Requirement, Then, doc
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Kept, Phase


def answered_with_xml(scene: Scene, answer: Answer) -> bool:
    """An XML is answered; where there are ids, whether it has to be is asked by the requirements on ids."""
    may_be_refused = scene.design.has_ids or not must_be_described(scene)
    return isinstance(answer.outcome, Description) or (may_be_refused and isinstance(answer.outcome, Refusal))


def valid(_: Scene, answer: Answer) -> bool:
    """The XML keeps the schema."""
    return not (isinstance(answer.outcome, Description) and answer.outcome.flaw)


def flaw_told(_: Scene, answer: Answer) -> str:
    """What is wrong with the XML."""
    assert isinstance(answer.outcome, Description)
    return f"invalid: {answer.outcome.flaw}"


def names_mode(_: Scene, answer: Answer) -> bool:
    """The XML says whether it is a push or a pull."""
    return not isinstance(answer.outcome, Description) or answer.outcome.mode is not None


def names_disks(_: Scene, answer: Answer) -> bool:
    """The XML names disks."""
    return not isinstance(answer.outcome, Description) or bool(answer.outcome.disks)


def names_id(scene: Scene, answer: Answer) -> bool:
    """The XML names an id, where ids exist."""
    if not isinstance(answer.outcome, Description) or not scene.design.has_ids:
        return True
    return answer.outcome.id not in (None, Seen.NOTHING)


def fits_the_only_job(scene: Scene, answer: Answer) -> bool:
    """What the XML says is true of the job; where there are ids, ID-8 asks for that."""
    if scene.design.handle is not Handle.NONE or not isinstance(answer.outcome, Description):
        return True
    return describes(scene, answer)


def must_be_described(scene: Scene) -> bool:
    """The only backup is asked for in a design without ids, or one that is named by its id or handle."""
    return steady(scene) and (scene.design.handle is Handle.NONE or scene.odd is None)


def never_back(number: Backwards) -> Then:
    """That number is not behind the one answered before about the same job."""

    def then(_: Scene, answer: Answer) -> bool:
        told = answer.outcome
        return not (isinstance(told, JobInfo | BlockInfo) and told.reading.ran_backwards is number)

    return then


def was_told_before(_: Scene, answer: Answer) -> bool:
    """The same query told of the same job before: one answer alone runs neither way."""
    return isinstance(answer.outcome, JobInfo | BlockInfo) and answer.outcome.reading.is_compared


def reader_asks_or_changes(scene: Scene) -> bool:
    """A read-only connection asks for the description of a live job, or for a change."""
    if scene.call.client != READ_ONLY_CLIENT:
        return False
    return scene.forbidden or (
        scene.ordinary
        and isinstance(scene.call, BackupGetXmlDesc)
        and steady(scene)
        and scene.job is not None
        and scene.job.kind.is_backup
        and scene.odd is None
        and not (scene.handle is not None and scene.handle.freed)
    )


def query_works(scene: Scene, answer: Answer) -> bool:
    """What only asks is answered."""
    return scene.forbidden or not isinstance(answer.outcome, Refusal)


def change_is_refused(scene: Scene, answer: Answer) -> bool:
    """What would change something is refused."""
    return not scene.forbidden or isinstance(answer.outcome, Refusal)


def are_answered(scene: Scene, answer: Answer) -> bool:
    """The question for statistics is answered, if only by none; of a domain that does not run it may be refused."""
    return isinstance(answer.outcome, Completed) or not scene.domain.running


def are_there(scene: Scene, answer: Answer) -> bool:
    """Statistics are there if a backup completed and nobody read them away; whether they outlive a stop is open."""
    if not surely_kept(scene) or not isinstance(answer.outcome, Completed):
        return True
    return answer.outcome.type is JobType.BACKUP or (answer.outcome.type is None and not scene.domain.running)


def surely_kept(scene: Scene) -> bool:
    """A backup completed, and nobody read its statistics away."""
    return not scene.domain.kept.is_nothing and scene.domain.kept is not Kept.UNSURE


def are_there_once(scene: Scene, answer: Answer) -> bool:
    """Statistics are not there if nobody completed a backup, or somebody read them away."""
    return not scene.domain.kept.is_nothing or not _of_backup(answer.outcome)


def _of_backup(told: Outcome) -> bool:
    return isinstance(told, Completed) and told.type is JobType.BACKUP


def asks_for_the_job(scene: Scene) -> bool:
    """A query asks about the job that the legacy calls act on, or about the block job on a disk."""
    job = scene.disk_job if isinstance(scene.call, GetBlockJobInfo) else scene.legacy
    if job is None or job.phase is Phase.ENDING or scene.ending:
        return False
    if isinstance(scene.call, GetBlockJobInfo):
        return not job.kind.is_backup
    return on(GetJobInfo)(scene) or on(GetJobStats, completed=False)(scene)


def shows_a_job(_: Scene, answer: Answer) -> bool:
    """Some job is shown."""
    match answer.outcome:
        case JobInfo(shown) | BlockInfo(shown):
            return shown is not None
        case _:
            return False


def is_shown_as_backup(scene: Scene, answer: Answer) -> bool:
    """A domain job is shown as a backup, or without saying what it is. The type of a block job is TYPE-5's."""
    if not isinstance(answer.outcome, JobInfo) or answer.outcome.type in (None, JobType.BACKUP):
        return True
    says_nothing = isinstance(scene.call, GetJobInfo) and answer.outcome.type is JobType.DOMAIN
    return says_nothing or scene.design.has_ids  # LEGACY-1 and DEFAULT-1 say which job it is there


QUERY = (
    Requirement(
        id="QUERY-1",
        text="Queries change nothing.",
        source=SENSE,
        needs=Needs(any_call=QUERIES),
        when=lambda scene: scene.is_query,
        then=anything,
        keeps=Hurt.ANY,
        general=True,
    ),
    Requirement(
        id="QUERY-2",
        text="The XML answered is valid against the schema the server ships, and names the disks, mode and, "
        "where ids exist, the id.",
        source=doc("virDomainBackupGetXMLDesc") + "; libvirt's schema domainbackup.rng",
        needs=Needs(all_calls=(BackupGetXmlDesc,), features=frozenset({Feature.SCHEMA})),
        when=also(ordinary, on(BackupGetXmlDesc)),
        is_tested=lambda scene, answer: isinstance(answer.outcome, Description) or must_be_described(scene),
        then=(
            Demand("the XML is answered", answered_with_xml),
            Demand("it is valid", valid, tells=flaw_told),
            Demand("it names the mode", names_mode),
            Demand("it names the disks", names_disks),
            Demand("it names the id", names_id),
            Demand("it is true of the job", fits_the_only_job),
        ),
        form_only=True,
    ),
    Requirement(
        id="QUERY-3",
        text="Progress never runs backwards; elapsed time never runs backwards, also not across a daemon restart.",
        source=doc("virDomainGetJobStats"),
        needs=Needs(any_call=(GetJobInfo, GetJobStats, GetBlockJobInfo)),
        when=on(GetJobInfo, GetJobStats, GetBlockJobInfo),
        then=(
            Demand("progress never runs backwards", never_back(Backwards.DONE)),
            Demand("elapsed time never runs backwards", never_back(Backwards.TIME)),
        ),
        form_only=True,
        speaks_of=JobInfo | BlockInfo,
        is_tested=was_told_before,
    ),
    Requirement(
        id="QUERY-4",
        text="Over a read-only connection queries work and begin/end/abort are refused.",
        source=doc("virConnectOpenReadOnly"),
        needs=Needs(
            any_call=(BackupBegin, BackupEnd, AbortJob),
            features=frozenset({Feature.READ_ONLY_CLIENT}),
        ),
        when=reader_asks_or_changes,
        then=(Demand("a query works", query_works), Demand("a change is refused", change_is_refused)),
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="QUERY-5",
        text="Statistics of a completed job are there once after it ended (again with keep), and describe that job.",
        source=doc("virDomainGetJobStats"),
        needs=Needs(all_calls=(BackupBegin, GetJobStats)),
        when=on(GetJobStats, completed=True, flaw=Flaw.NOTHING),
        then=(
            Demand("the question is answered", are_answered),
            Demand("the statistics are there", are_there),
            Demand("they are there only once", are_there_once),
        ),
        keeps=Hurt.STATISTICS,
    ),
    Requirement(
        id="QUERY-6",
        text="A query shows the job that runs.",
        source=doc("virDomainGetJobInfo") + "; " + doc("virDomainGetBlockJobInfo"),
        needs=Needs(any_call=(GetJobInfo, GetJobStats, GetBlockJobInfo), also_any_call=BEGINS),
        when=also(ordinary, asks_for_the_job),
        then=(Demand("a job is shown", shows_a_job), Demand("it is shown as what it is", is_shown_as_backup)),
    ),
)
