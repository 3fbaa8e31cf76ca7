"""What the last call of a deviation could answer instead: which answers break the same, and which break nothing."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import NamedTuple

from jobtck.conformance.calls import (
    BLOCK_KIND,
    BackupGetXmlDesc,
    Call,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    JobType,
    Mode,
    TakeEvents,
    is_at_once,
)
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Completed,
    Description,
    ErrorKind,
    Events,
    JobInfo,
    Leftovers,
    Outcome,
    Refusal,
    Seen,
)
from jobtck.conformance.wording import sort_text

EVENTS_MAX = 2  # terminal events in one answer: nothing is demanded of a third that is not of a second
LEFTOVERS = ("busy disk", "rejected", "scratch", "socket")
INVALID = "it breaks the schema"


class Alternatives(NamedTuple):
    """Sorts of answers: those that `break` the same as the one that was given, and those that are `allowed`."""

    breaking: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


def alternatives(judge: Judge, step: Step) -> Alternatives:
    """The sorts of answers to the step's call, by what the judge says of each.

    Nothing where the sort of the answer alone is not what breaks: where it came too late, or shows less done than
    before, or where ids are answered, or two clients at once.
    """
    if judge.design.has_ids or is_at_once(step.call):
        return Alternatives()
    breaking, allowed = set[str](), set[str]()
    for outcome in answers(step.call, judge.capabilities.disks):
        broken = judge.step(step.before, step.call, outcome, step.ruling.waited).deviations
        if set(broken) & set(step.deviations):
            breaking.add(sort_text(outcome))
        elif not broken:
            allowed.add(sort_text(outcome))
    if sort_text(step.outcome) not in breaking - allowed or not allowed:
        return Alternatives()
    return Alternatives(tuple(sorted(breaking - allowed)), tuple(sorted(allowed - breaking)))


def answers(call: Call, disks: tuple[str, ...]) -> Iterator[Outcome]:
    """An answer of each sort that a backend without ids can give to the call."""
    yield from (Refusal(kind) for kind in ErrorKind)
    match call:
        case BackupGetXmlDesc():
            chosen = [each for each in _subsets(disks) if each]
            yield from (Description(Seen.NOTHING, *each) for each in product(Mode, chosen, ("", INVALID)))
        case GetJobStats(completed=True):
            yield Completed(None)
            told = product((JobType.BACKUP, JobType.DOMAIN), (None, False, True), (False, True))
            yield from (Completed(*each) for each in told)
        case GetJobInfo() | GetJobStats():
            yield from map(JobInfo, (None, JobType.BACKUP, JobType.DOMAIN))
        case GetBlockJobInfo():
            yield from map(BlockInfo, (None, JobType.BACKUP, *BLOCK_KIND.values()))
        case TakeEvents():
            event = tuple(product((JobType.BACKUP, JobType.DOMAIN), (False, True)))
            yield from (Events(each) for count in range(EVENTS_MAX + 1) for each in product(event, repeat=count))
        case Inspect():
            yield from map(Leftovers, _subsets(LEFTOVERS))
        case _:
            yield DONE


def _subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(names, count) for count in range(len(names) + 1))
