"""A symptom says how a requirement was seen broken, so that an excuse for one is no excuse for another."""

from collections.abc import Iterable

from jobtck.conformance.cells import told_words
from jobtck.conformance.judge import Step
from jobtck.conformance.record import Symptom


def symptoms(step: Step, requirements: Iterable[str]) -> tuple[Symptom, ...]:
    """One symptom for each of the requirements, of the last step of a deviation."""
    answer = told_words(step.before.state, step.call, step.outcome)
    call, job, flaw = step.ruling.context
    return tuple(Symptom(each, call, answer, job=job, flaw=flaw) for each in requirements)
