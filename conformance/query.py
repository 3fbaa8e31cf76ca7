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
from jobtck.conformance.outcomes import BlockInfo, Completed, JobInfo, Refusal
from jobtck.conformance.predicates import also, anything, describes, is_complete, on, ordinary, steady
from jobtck.conformance.requirement import SENSE, Answer, Hurt, Needs, Requirement, doc
from jobtck.conformance.scene import Scene
from jobtck.conformance.state import Kept, Phase


def complete_and_true(scene: Scene, answer: Answer) -> bool:
    """The XML is complete; without ids this is also where it must fit the only job, and be there at all."""
    if scene.design.handle is not Handle.NONE:
        return is_complete(scene, answer)
    return is_complete(scene, answer) and describes(scene, answer)


def described_without_id(scene: Scene) -> bool:
    """The only backup is asked for in a design without ids, or a described one is told in any."""
    return isinstance(scene.call, BackupGetXmlDesc) and steady(scene)


def never_back(_: Scene, answer: Answer) -> bool:
    """No number told is behind the one told before of the same job."""
    return not (isinstance(answer.outcome, JobInfo | BlockInfo) and answer.outcome.ran_backwards)


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


def asks_only(scene: Scene, answer: Answer) -> bool:
    """The query is answered, the change is refused."""
    return isinstance(answer.outcome, Refusal) is scene.forbidden


def there_once(scene: Scene, answer: Answer) -> bool:
    """Statistics are there if a backup completed and nobody read them away, and only then."""
    told = answer.outcome
    return isinstance(told, Completed) and (told.type is JobType.BACKUP) is (scene.domain.kept is not Kept.NONE)


def asks_for_the_job(scene: Scene) -> bool:
    """A query asks about the job that the legacy calls act on, or about the block job on a disk."""
    job = scene.disk_job if isinstance(scene.call, GetBlockJobInfo) else scene.legacy
    if job is None or job.phase is Phase.ENDING or scene.ending:
        return False
    if isinstance(scene.call, GetBlockJobInfo):
        return not job.kind.is_backup
    return on(GetJobInfo)(scene) or on(GetJobStats, completed=False)(scene)


def shows_a_job(_: Scene, answer: Answer) -> bool:
    """Some job is shown; of what type is another requirement's concern."""
    match answer.outcome:
        case JobInfo(shown) | BlockInfo(shown):
            return shown is not None
        case _:
            return False


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
        when=lambda scene: (
            scene.ordinary and described_without_id(scene) and (scene.design.handle is Handle.NONE or scene.odd is None)
        ),
        then=lambda scene, answer: (
            complete_and_true(scene, answer) or (scene.design.has_ids and isinstance(answer.outcome, Refusal))
        ),
        form_only=True,
    ),
    Requirement(
        id="QUERY-3",
        text="Progress never runs backwards; elapsed time never runs backwards, also not across a daemon restart.",
        source=doc("virDomainGetJobStats"),
        needs=Needs(any_call=(GetJobInfo, GetJobStats, GetBlockJobInfo)),
        when=on(GetJobInfo, GetJobStats, GetBlockJobInfo),
        then=never_back,
        form_only=True,
        speaks_of=JobInfo | BlockInfo,
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
        then=asks_only,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="QUERY-5",
        text="Statistics of a completed job are there once after it ended (again with keep), and describe that job.",
        source=doc("virDomainGetJobStats"),
        needs=Needs(all_calls=(BackupBegin, GetJobStats)),
        when=also(
            on(GetJobStats, completed=True, flaw=Flaw.NOTHING),
            lambda scene: scene.domain.running and scene.domain.kept is not Kept.UNSURE,
        ),
        then=there_once,
        keeps=Hurt.STATISTICS,
    ),
    Requirement(
        id="QUERY-6",
        text="A query shows the job that runs.",
        source=doc("virDomainGetJobInfo") + "; " + doc("virDomainGetBlockJobInfo"),
        needs=Needs(any_call=(GetJobInfo, GetJobStats, GetBlockJobInfo), also_any_call=BEGINS),
        when=also(ordinary, asks_for_the_job),
        then=shows_a_job,
    ),
)
