"""ANS: every answer has the form, the kind of error and the numbers that it may have; nothing else is an answer."""

from jobtck.conformance.calls import BEGINS, QUERIES, EndSession, GetBlockJobInfo, GetJobInfo, GetJobStats, TakeEvents
from jobtck.conformance.forms import form_of
from jobtck.conformance.obstacles import fits, is_open, obstacles
from jobtck.conformance.order import beside_a_job_elsewhere, in_order
from jobtck.conformance.outcomes import HELD_UP, BlockInfo, Ended, JobInfo, Refusal, Value
from jobtck.conformance.predicates import on, refused
from jobtck.conformance.requirement import (
    EVERYTHING,
    Answer,
    Demand,
    Needs,
    Requirement,
    Trouble,
    doc,
    was_held_up,
)
from jobtck.conformance.scene import Scene

ANY_CALL = Needs(any_call=(*BEGINS, *QUERIES))


def has_its_form(scene: Scene, answer: Answer) -> bool:
    """The value is of the sort that the call promises; an end answers 1 or 0."""
    if isinstance(answer.outcome, Ended) and answer.outcome.completed not in (0, 1):
        return False
    return isinstance(answer.outcome, form_of(scene.call, scene.design))


def may_be_refused(scene: Scene) -> bool:
    """It is known what stands in the way, and something does."""
    return not is_open(scene) and not in_order(scene) and bool(obstacles(scene))


def must_be_refused(scene: Scene) -> bool:
    """It is known what stands in the way, and the call has to be refused for it."""
    return not is_open(scene) and any(obstacles(scene).values())


def says_what_is_wrong(scene: Scene, answer: Answer) -> bool:
    """The kind of error is one that fits something which stands in the way."""
    return isinstance(answer.outcome, Refusal) and fits(scene, answer.outcome.kind)


def has_to_succeed(scene: Scene) -> bool:
    """The call is in order, or a question about a domain that runs, which is answered if only with a refusal."""
    if isinstance(scene.call, TakeEvents):  # the kit's own way to listen: it works in any state
        return True
    asks = scene.is_query and scene.domain.running and not beside_a_job_elsewhere(scene)
    return not scene.is_environment and (asks or in_order(scene))


def succeeds(scene: Scene, answer: Answer) -> bool:
    """The call succeeds; that a job elsewhere holds it up is ISO-1's."""
    if not isinstance(answer.outcome, Refusal):
        return True
    if answer.outcome.kind in HELD_UP and beside_a_job_elsewhere(scene):
        return True
    return not (in_order(scene) or was_held_up(scene, answer.outcome))


def is_within_total(_: Scene, answer: Answer) -> bool:
    """No more is done than there is to do."""
    return not isinstance(answer.outcome, JobInfo | BlockInfo) or not answer.outcome.reading.exceeds_total


def is_sum_of_disks(_: Scene, answer: Answer) -> bool:
    """The total of a backup is the sum of what is told of its disks, where all of that is told."""
    return not isinstance(answer.outcome, JobInfo | BlockInfo) or not answer.outcome.reading.is_no_sum


ANSWERING = (
    Requirement(
        id="ANS-1",
        text="An answer has the form that its call promises; nothing else is an answer.",
        source=doc("each function, under what it returns"),
        needs=ANY_CALL,
        when=lambda scene: not isinstance(scene.call, EndSession),  # which is the kit's own affair
        then=has_its_form,
        speaks_of=Value,
        general=True,
        about_the_answer=True,
    ),
    Requirement(
        id="ANS-2",
        text="A refusal says what is wrong: its kind is one that fits what stands in the way of the call.",
        source=doc("virErrorNumber") + "; where it is silent, sense",
        needs=ANY_CALL,
        when=may_be_refused,
        then=says_what_is_wrong,
        speaks_of=Refusal,
        form_only=True,
        general=True,
        presumes=EVERYTHING,
    ),
    Requirement(
        id="ANS-3",
        text="A call that is in order in its state succeeds; a question about a domain that runs is answered.",
        source=doc("each function") + "; query jobs of libvirt's QEMU driver wait for no other job",
        needs=ANY_CALL,
        when=has_to_succeed,
        then=succeeds,
        form_only=True,
        general=True,
        troubles=frozenset({Trouble.HELD_UP}),
        presumes=EVERYTHING,
    ),
    Requirement(
        id="ANS-4",
        text="A call that is not in order in its state is refused.",
        source=doc("each function"),
        needs=ANY_CALL,
        when=must_be_refused,
        then=refused,
        general=True,
        presumes=EVERYTHING,
    ),
    Requirement(
        id="ANS-5",
        text="Numbers in answers fit each other: done is at most the total, a total of several disks is their sum.",
        source=doc("virDomainGetJobStats") + "; sense",
        needs=Needs(any_call=(GetJobInfo, GetJobStats, GetBlockJobInfo)),
        when=on(GetJobInfo, GetJobStats, GetBlockJobInfo),
        then=(
            Demand("done is at most the total", is_within_total),
            Demand("a total of several disks is their sum", is_sum_of_disks),
        ),
        speaks_of=JobInfo | BlockInfo,
        form_only=True,
        about_the_answer=True,
    ),
)
