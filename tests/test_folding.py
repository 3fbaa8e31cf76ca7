"""One mistake gives one deviation, and two mistakes give two."""

from collections.abc import Sequence

import pytest
from tests.mutants_domains import BusyWithAJob, CurrentOfAnyDomain, OneBackupForAll, ShowsNoJob, TimesOutBehindAJob
from tests.mutants_ids import ReusesIds, SharesIds
from tests.mutants_table import DEFAULT_JOB, LISTED_IDS, ZERO_ID, Mutant
from tests.mutants_told import QueryWaits, WritesInvalidXml
from tests.test_mutants import _prepared, hunted

from jobtck.conformance.calls import BackupBegin, BackupEnd, Call, GetJobInfo, IdOf, Mode
from jobtck.conformance.design import Design
from jobtck.conformance.folding import folded
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.fixtures.reference import Reference

prepared = _prepared  # judges and charts are drawn once, and slow mutants say themselves how slow they were

PULL_A = TraceLine(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",)), "id 1")
PULL_B = TraceLine(BackupBegin(label=1, mode=Mode.PULL, disks=("vdb",)), "id 1")
REFUSED = TraceLine(BackupBegin(label=1, mode=Mode.PULL, disks=("vda",)), "refused: busy")
END_A = TraceLine(BackupEnd(job=IdOf(0), abort=True), "completed")


def deviation(*lines: TraceLine, of: Sequence[str]) -> Deviation:
    return Deviation(tuple(of), lines, reproduced=3, runs=3)


def told(deviations: Sequence[Deviation]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(each.requirements, each.follows) for each in deviations]


def test_what_needs_the_same_refused_begin_before_the_same_answer_is_one_mistake() -> None:
    live = deviation(PULL_A, REFUSED, PULL_B, of=["ID-2"])
    ended = deviation(PULL_A, REFUSED, END_A, PULL_B, of=["ID-3"])
    assert told(folded([ended, live])) == [(("ID-2",), ("ID-3",))]


def test_ids_given_twice_without_a_call_to_blame_are_two_mistakes() -> None:
    live, ended = deviation(PULL_A, PULL_B, of=["ID-2"]), deviation(PULL_A, END_A, PULL_B, of=["ID-3"])
    assert told(folded([live, ended])) == [(("ID-2",), ()), (("ID-3",), ())]


def test_what_takes_the_other_for_granted_follows_from_it() -> None:
    query = TraceLine(GetJobInfo(), "no job")
    elsewhere = TraceLine(GetJobInfo(domain=1), "no job")
    slow, held_up = deviation(query, of=["TIME-2"]), deviation(PULL_A, elsewhere, of=["ISO-1"])
    assert told(folded([held_up, slow])) == [(("TIME-2",), ("ISO-1",))]
    other = deviation(PULL_A, TraceLine(GetJobInfo(domain=1), "refused: busy"), of=["ISO-1"])
    assert told(folded([other, slow])) == [(("ISO-1",), ()), (("TIME-2",), ())]


def test_a_must_is_not_folded_under_a_should_of_the_same_answer() -> None:
    both = deviation(TraceLine(GetJobInfo(), "refused: timed-out"), of=["TIME-2", "ANS-3"])
    assert told(folded([both])) == [(("TIME-2", "ANS-3"), ())]
    begins = deviation(PULL_A, of=["BEGIN-4", "BEGIN-5"])
    assert told(folded([begins])) == [(("BEGIN-4",), ("BEGIN-5",))]


def named(make: type[Reference], design: Design) -> set[str]:
    """The requirements that roots break."""
    hunt = hunted(Mutant(make, design, "", 0, calls_more=2_000))
    return {id for each in folded(hunt.findings.deviations) for id in each.requirements}


def both(one: type[Reference], other: type[Reference]) -> type[Reference]:
    """A backend with two mistakes."""
    return type(f"{one.__name__}And{other.__name__}", (one, other), {})


PAIRS = (
    (SharesIds, ReusesIds, LISTED_IDS, {"ID-2", "ID-3"}),
    (WritesInvalidXml, ShowsNoJob, ZERO_ID, {"QUERY-2", "QUERY-6"}),
    (OneBackupForAll, BusyWithAJob, DEFAULT_JOB, {"ISO-1", "ANS-3"}),
    (QueryWaits, OneBackupForAll, DEFAULT_JOB, {"TIME-2", "ISO-1"}),
    (CurrentOfAnyDomain, WritesInvalidXml, ZERO_ID, {"ZERO-3", "QUERY-2"}),
)


@pytest.mark.parametrize(("one", "other", "design", "expected"), PAIRS)
def test_two_mistakes_at_once_are_two_deviations(
    one: type[Reference], other: type[Reference], design: Design, expected: set[str]
) -> None:
    assert named(both(one, other), design) >= expected


def test_a_question_that_times_out_is_named_by_its_wait_and_fails_the_run() -> None:
    assert named(TimesOutBehindAJob, DEFAULT_JOB) == {"TIME-2", "ANS-3"}


def test_a_call_is_no_other_call() -> None:
    calls: list[Call] = [GetJobInfo(), BackupEnd(job=IdOf(0))]
    few = deviation(TraceLine(calls[0], "no job"), of=["QUERY-6"])
    many = deviation(PULL_A, REFUSED, TraceLine(calls[1], "refused: no-such-job"), of=["END-1"])
    assert told(folded([few, many])) == [(("QUERY-6",), ()), (("END-1",), ())]
