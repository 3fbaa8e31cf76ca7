"""A symptom says how a requirement was seen broken, so that an excuse for one is no excuse for another."""

from jobtck.conformance.context import Context
from jobtck.conformance.record import Symptom
from jobtck.conformance.requirement import Answer, Requirement
from jobtck.conformance.scene import Scene


def symptoms(here: Scene, about: Context, answer: Answer, requirement: Requirement) -> tuple[Symptom, ...]:
    """A symptom for each demand of the requirement that the answer does not meet."""
    return tuple(
        Symptom(requirement.id, about.call, each.tells(here, answer), each.name, about.job, about.flaw)
        for each in requirement.broken_demands(here, answer)
    )
