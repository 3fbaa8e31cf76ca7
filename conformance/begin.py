"""BEGIN: what may start, and what must not."""

from jobtck.conformance.calls import (
    BAD_BACKUP_INPUT,
    BEGINS,
    STOPS,
    BackupBegin,
    Flaw,
    Inspect,
)
from jobtck.conformance.design import Handle
from jobtck.conformance.outcomes import Leftovers, Refusal
from jobtck.conformance.predicates import (
    CONFLICT,
    accepted,
    also,
    begins_backup,
    ordinary,
    refused,
)
from jobtck.conformance.requirement import SENSE, Answer, Demand, Hurt, Needs, Requirement, doc, mail, whole_answer
from jobtck.conformance.scene import Scene


def refused_or_waited(scene: Scene, answer: Answer) -> bool:
    """The begin is refused for what is in its way; that a server without a list starts it is LIST-2's concern."""
    if isinstance(answer.outcome, Refusal):
        return answer.outcome.kind in CONFLICT
    return not scene.design.listing


def bad_input(scene: Scene) -> bool:
    """The domain runs, the connection may, and the input of the begin is bad."""
    if not scene.is_begin or scene.forbidden or not scene.domain.running:
        return False
    return scene.flaw in BAD_BACKUP_INPUT or (scene.flaw is Flaw.NOTHING and scene.unknown_disk)


def bad_input_is_refused(scene: Scene, answer: Answer) -> bool:
    """A begin with bad input is refused."""
    return isinstance(scene.call, Inspect) or isinstance(answer.outcome, Refusal)


def refused_left_nothing(scene: Scene, answer: Answer) -> bool:
    """An inspection finds nothing of begins that were refused."""
    if not isinstance(scene.call, Inspect):
        return True
    return isinstance(answer.outcome, Leftovers) and "rejected" not in answer.outcome.names


def left_by_refused(scene: Scene, answer: Answer) -> str:
    """What an inspection found of begins that were refused."""
    return "rejected" if isinstance(answer.outcome, Leftovers) else whole_answer(scene, answer)


def fresh_name(scene: Scene) -> bool:
    """No name is chosen that an ended job bore: whether that is free again is ID-9's question."""
    return not scene.name_used_before


def disk_is_busy(scene: Scene) -> bool:
    """A begin within the limits names a disk that has a job."""
    return (
        scene.is_begin
        and scene.ordinary
        and not scene.limit_reached
        and not scene.unknown_disk
        and scene.disk_job is not None
        and not (scene.design.handle is Handle.NAME and scene.name_in_use)
    )


def other_disk(scene: Scene) -> bool:
    """Nothing is in the begin's way, and jobs run on other disks."""
    return scene.unhindered and bool(scene.domain.jobs) and fresh_name(scene)


def busy_disk_is_refused(scene: Scene, answer: Answer) -> bool:
    """A begin on a disk that has a job is refused."""
    return scene.disk_job is None or refused(scene, answer)


def other_disk_is_taken(scene: Scene, answer: Answer) -> bool:
    """A begin on a disk that has no job is not hindered by jobs on others."""
    return scene.disk_job is not None or accepted(scene, answer)


BEGIN = (
    Requirement(
        id="BEGIN-1",
        text="A begin beyond the parallel limit is refused, or waits and then either starts or times out; "
        "the running job is untouched.",
        source=mail("since we know that qemu won't have parallel jobs") + "; " + doc("virDomainBackupBegin"),
        needs=Needs(all_calls=(BackupBegin,), limited=True),
        when=also(
            ordinary,
            begins_backup,
            lambda scene: scene.limit_reached and not scene.unknown_disk,
            lambda scene: not (scene.design.handle is Handle.NAME and scene.name_in_use),
        ),
        then=refused_or_waited,
        keeps=Hurt.LOST,
    ),
    Requirement(
        id="BEGIN-2",
        text="A begin on a domain that is not running is refused.",
        source=doc("virDomainBackupBegin"),
        needs=Needs(any_call=BEGINS, also_any_call=STOPS),
        when=lambda scene: scene.is_begin and not scene.domain.running and not scene.forbidden,
        then=refused,
    ),
    Requirement(
        id="BEGIN-3",
        text="Bad input (not XML, fails the schema, unknown disk, a disk twice, no disk, target exists, "
        "unknown checkpoint) is refused as the caller's error and leaves nothing: no job, no file.",
        source=doc("virDomainBackupBegin"),
        needs=Needs(any_call=BEGINS),
        when=lambda scene: bad_input(scene) or isinstance(scene.call, Inspect),
        then=(
            Demand("bad input is refused", bad_input_is_refused),
            Demand("no file is left of it", refused_left_nothing, tells=left_by_refused),
        ),
        keeps=Hurt.FILE,
    ),
    Requirement(
        id="BEGIN-4",
        text="After a job ended, the same begin succeeds again.",
        source=SENSE,
        needs=Needs(any_call=BEGINS),
        when=lambda scene: scene.unhindered and not scene.domain.jobs and fresh_name(scene),
        then=accepted,
    ),
    Requirement(
        id="BEGIN-5",
        text="A begin on a disk that has a job is refused, that job goes on; "
        "a begin on another disk is not hindered by it.",
        source=mail("where multiple jobs can be run in parallel if you have multiple disks"),
        needs=Needs(any_call=BEGINS, second_job=True),
        when=lambda scene: disk_is_busy(scene) or other_disk(scene),
        then=(
            Demand("a disk that has a job is refused", busy_disk_is_refused),
            Demand("another disk is not hindered", other_disk_is_taken),
        ),
        keeps=Hurt.LOST,
        presumes=("BEGIN-4",),
    ),
)
