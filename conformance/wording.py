"""Calls and answers as people write them: `a = backup_begin(pull, vda)`."""

from dataclasses import replace
from itertools import product

from jobtck.conformance.calls import (
    BackupBegin,
    BlockJobBegin,
    Call,
    GetJobStats,
    HandleOf,
    IdOf,
    JobCompose,
    JobLookupId,
    ListAllJobs,
    NoJob,
    Odd,
    TakeEvents,
    call_name,
)
from jobtck.conformance.cells import CLIENT_WORDS, outcome_words
from jobtck.conformance.outcomes import (
    BlockInfo,
    Both,
    Completed,
    Description,
    Done,
    Events,
    Fate,
    Id,
    JobInfo,
    Leftovers,
    Listed,
    Lost,
    Outcome,
    Party,
    Refusal,
    TypeOf,
)

LETTERS = "abcdefghijklmnop"
ODD_ID_WORDS = {Odd.ZERO: "0", Odd.NEXT: "never issued", Odd.HUGE: "2147483647", Odd.NEGATIVE: "-1"}


def call_text(call: Call) -> str:
    """The call as one line; the job it begins is given a letter."""
    arguments = [str(word) for word in _arguments(call) if word]
    text = f"{call_name(type(call))}({', '.join(arguments)})"
    if isinstance(call, BackupBegin | BlockJobBegin):
        return f"{LETTERS[call.label]} = {text}"
    if isinstance(call, JobLookupId | JobCompose):
        return f"handle {LETTERS[call.label]} = {text}"
    return text


def _arguments(call: Call) -> list[object]:
    words: list[object] = []
    if isinstance(call, BackupBegin):
        words += [call.mode, *call.disks]
    words += [getattr(call, "disk", "")]
    if isinstance(call, BackupBegin | BlockJobBegin) and call.name is not None:
        words.append(f'named "{call.name}"')
    words.append(reference_text(getattr(call, "job", NoJob.NAMED)))
    if isinstance(call, JobCompose | JobLookupId) and call.type is not None:
        words.append(f"as {call.type}")
    if isinstance(call, ListAllJobs):
        words += [f"only {type}" for type in sorted(call.types)]
    if isinstance(call, GetJobStats):
        words += [word for word in ("completed", "keep") if getattr(call, word)]
    if isinstance(call, TakeEvents) and call.due:
        words.append(f"{call.due} due")
    words += [word for word in ("abort", "pivot") if getattr(call, word, False)]
    words += [getattr(call, name, "") for name in ("manner", "waits", "storage", "flaw")]
    words += [CLIENT_WORDS[call.client], "second domain" if call.domain else ""]
    return words


def reference_text(reference: object) -> str:
    """The letter of a job or handle, or the odd id itself."""
    match reference:
        case IdOf(label):
            return LETTERS[label]
        case HandleOf(label):
            return f"handle {LETTERS[label]}"
        case Odd():
            return ODD_ID_WORDS[reference]
        case _:
            return ""


LOSSES = frozenset(outcome_words(Lost(party, fate)) for party, fate in product(Party, Fate))  # as answers in a trace


def sort_text(outcome: Outcome) -> str:
    """What was said, as far as it can be said again: no id, not how far a job is, nor what is wrong with XML."""
    match outcome:
        case Done():
            return "done"
        case JobInfo() | BlockInfo():
            return outcome_words(outcome)
        case Description(flaw=flaw):
            plain = answer_text(replace(outcome, id=None, flaw=""))
            return f"{plain}, invalid XML" if flaw else plain
        case _:
            return answer_text(outcome)


def answer_text(outcome: Outcome) -> str:
    """What was said, in a few words; the backend's own code comes beside it."""
    match outcome:
        case Refusal(kind):
            return f"refused: {kind}"
        case Id(id):
            return f"id {id}"
        case TypeOf(type):
            return str(type)
        case Description(id, mode, disks, flaw):
            told = f"{mode} of {', '.join(disks)}" + ("" if id is None else f", id {id}")
            return told + (f", invalid XML: {flaw}" if flaw else "")
        case Listed(jobs):
            return "; ".join(f"{id} ({type})" for id, type in jobs) or "an empty list"
        case Completed(type=type, success=success, error=error):
            if type is None:
                return "no statistics"
            result = "success" if success else "no success" if success is False else "success not told"
            return f"{type}: {result}" + (", with an error message" if error else "")
        case JobInfo(progress=progress) | BlockInfo(progress=progress) if progress.total:
            return f"{outcome_words(outcome)}, {progress.done} of {progress.total}"
        case Events(events):
            return "; ".join(f"{type} {'succeeded' if well else 'did not succeed'}" for type, well in events) or "none"
        case Leftovers(names):
            return ", ".join(names) or "nothing left"
        case Both(answers):
            return " and ".join(map(sort_text, answers))
        case _:
            return outcome_words(outcome)
