"""Capabilities are checked, not believed: what is declared must be there, and what is there should be declared."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from jobtck.conformance.calls import Call, Flaw, call_name
from jobtck.conformance.capabilities import EVERY_CALL, Backend, Capabilities, Target
from jobtck.conformance.errors import JobtckError
from jobtck.conformance.judge import Judge
from jobtck.conformance.ledger import Ledger
from jobtck.conformance.order import Fared
from jobtck.conformance.outcomes import ErrorKind, Refusal
from jobtck.conformance.tally import Tally
from jobtck.conformance.wording import answer_text, call_text
from jobtck.strategies.alphabet import Alphabet


def unkept_calls(capabilities: Capabilities, tally: Tally) -> tuple[str, ...]:
    """The declared calls that were made, and answered as unsupported every time."""
    answers: defaultdict[str, set[str]] = defaultdict(set)
    for visited, outcome, *_ in tally.visits:
        answers[visited.call_name].add(outcome.partition(" ")[0])
    return tuple(sorted(call for call in capabilities.calls if answers.get(call) == {ErrorKind.UNSUPPORTED}))


def never_succeeded(tally: Tally) -> tuple[str, ...]:
    """The calls that were refused where they are in order, and never once succeeded."""
    refused = {call for call, fared in tally.fared if fared is Fared.REFUSED}
    return tuple(sorted(call for call in refused if (call, Fared.SUCCEEDED) not in tally.fared))


def never_answered(tally: Tally) -> tuple[str, ...]:
    """The calls that were made, and of which no answer ever came."""
    silent = {call for call, fared in tally.fared if fared is Fared.UNANSWERED}
    heard = {call for call, fared in tally.fared if fared not in (Fared.UNANSWERED, Fared.CUT_OFF)}
    return tuple(sorted(silent - heard))


def never_answered_text(call: str) -> str:
    """What a run says of a call that got no answer."""
    return f"{call} was never answered: nothing is known of it, and the run is incomplete"


def undeclared_calls(target: Target) -> list[str]:
    """Notes on calls of the design that are not declared and answer all the same: each is tried once.

    They are tried where guests cost nothing, and on guests of their own.
    """
    calls = list(_undeclared(target))
    if not calls or target.capabilities.costly_calls:
        return []
    try:
        backend = target.fresh()
        try:
            return [note for call in calls if (note := _tried(target, backend, call))]
        finally:
            backend.close()
    except JobtckError as error:
        return [f"calls that are not declared were tried, and it failed of that: {error}"]


def _undeclared(target: Target) -> Iterator[Call]:
    """A call of each sort that the design has and the backend does not declare."""
    everything = replace(target.capabilities, calls=EVERY_CALL)
    seen = set(target.capabilities.calls)
    belief = Judge(target.design, everything).start()
    for call in Alphabet(target.design, everything).calls(belief):
        name = call_name(type(call))
        if name not in seen and not getattr(call, "flaw", Flaw.NOTHING):
            seen.add(name)
            yield call


def _tried(target: Target, backend: Backend, call: Call) -> str:
    """What is to be said of a call that answers; nothing of one that is not there."""
    backend.end_all_jobs()
    outcome = backend.perform(Ledger(target.design).bind(call))
    if isinstance(outcome, Refusal) and outcome.kind is ErrorKind.UNSUPPORTED:
        return ""
    return (
        f"{call_name(type(call))} is not declared, and there all the same: {call_text(call)} was answered with "
        f"{answer_text(outcome)!r}; declare it to have it judged"
    )
