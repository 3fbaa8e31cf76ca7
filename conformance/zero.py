"""ZERO: the magic 0 that stands for the current job."""

from dataclasses import replace

from jobtck.conformance.calls import (
    BLOCK_KIND,
    JOB_VERBS,
    BackupEnd,
    BackupGetXmlDesc,
    JobLookupId,
    JobSetDefaultId,
    Odd,
)
from jobtck.conformance.design import Zero
from jobtck.conformance.predicates import accepted, also, describes, on, ordinary, pull_or_finished, refused, steady
from jobtck.conformance.requirement import ANY_IDS, INTEGER, SENSE, Answer, Demand, Hurt, Needs, Requirement, When, mail
from jobtck.conformance.scene import Scene

CURRENT = Needs(handle=INTEGER, zero=Zero.CURRENT, any_call=(BackupGetXmlDesc, BackupEnd))


def names_zero(scene: Scene) -> bool:
    """A backup verb is given 0, and nothing else is wrong."""
    return scene.ordinary and isinstance(scene.call, BackupGetXmlDesc | BackupEnd) and scene.call.job is Odd.ZERO


def of_backups(fits: When) -> When:
    """The backups are all live and steady, and their number fits."""
    return lambda scene: names_zero(scene) and not scene.ending and fits(scene)


def can_end_as_it_is(scene: Scene) -> bool:
    """The end names an abort, or a job that needs none."""
    return isinstance(scene.call, BackupEnd) and (scene.call.abort or pull_or_finished(scene))


def equals_the_job(scene: Scene, answer: Answer) -> bool:
    """A description that is answered is the one that the job's own id gives."""
    return not accepted(scene, answer) or describes(scene, answer)


ZERO = (
    Requirement(
        id="ZERO-1",
        text="With exactly one running backup job, get-xml(0) describes that job, equal to get-xml(its id).",
        source=mail("the reserved job id '0' stands for"),
        needs=CURRENT,
        when=also(of_backups(steady), on(BackupGetXmlDesc)),
        then=(Demand("0 is answered", accepted), Demand("it describes that job", equals_the_job)),
    ),
    Requirement(
        id="ZERO-2",
        text="With exactly one running backup job, end(0) ends that job.",
        source=mail("the reserved job id '0' stands for"),
        needs=CURRENT,
        when=also(of_backups(steady), can_end_as_it_is),
        then=accepted,
    ),
    Requirement(
        id="ZERO-3",
        text="With no running backup job, 0 is refused and nothing changes.",
        source=mail("If there is no active backup job"),
        needs=CURRENT,
        when=of_backups(lambda scene: not scene.domain.jobs),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="ZERO-4",
        text="With more than one running backup job, 0 is refused and nothing changes.",
        source=mail("or if there are more than one active backup jobs"),
        needs=Needs(handle=INTEGER, zero=Zero.CURRENT, many=True, any_call=(BackupGetXmlDesc, BackupEnd)),
        when=of_backups(lambda scene: len(scene.domain.backups) > 1),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="ZERO-5",
        text="0 never stands for a job that is not a backup, also when that is the only job.",
        source=mail("we've already implied that we want to operate on backup job 1"),
        needs=replace(CURRENT, also_any_call=tuple(BLOCK_KIND)),
        when=of_backups(lambda scene: bool(scene.domain.jobs) and not scene.domain.backups),
        then=refused,
        keeps=Hurt.ANY,
    ),
    Requirement(
        id="ZERO-6",
        text="Where zero is `invalid`, 0 is refused always.",
        source=SENSE,
        needs=Needs(
            handle=ANY_IDS,
            zero=Zero.INVALID,
            any_call=(BackupGetXmlDesc, BackupEnd, JobLookupId, JobSetDefaultId, *JOB_VERBS),
        ),
        when=also(
            ordinary,
            on(BackupGetXmlDesc, BackupEnd, JobLookupId, JobSetDefaultId, *JOB_VERBS, job=Odd.ZERO),
        ),
        then=refused,
        keeps=Hurt.ANY,
    ),
)
