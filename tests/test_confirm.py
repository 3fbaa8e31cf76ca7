"""What was seen broken is reported: with its rate if it comes now and then, with what went before if that is needed."""

import math
import threading
from collections.abc import Callable

import pytest
from tests.judged import judged, prepare
from tests.mutants_table import DEFAULT_JOB, ZERO_ID

from jobtck import confirm
from jobtck.conformance.calls import AbortJob, BackupBegin, Call, EndSession, Inspect, Mode, call_name
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import DONE, ErrorKind, Leftovers, Outcome, Refusal
from jobtck.conformance.rates import interval
from jobtck.conformance.record import Deviation, Record, Verdict
from jobtck.conformance.stopwatch import housekeeping, housekeeping_seconds
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import Guest
from jobtck.hunt import Hunt, Plan

TAKEN = Refusal(ErrorKind.OTHER, "EADDRINUSE", "address already in use")


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)


class LosesSomeEnds(Reference):
    """Says of one abort in so many that it is done, and leaves the job running."""

    one_in = 0

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.aborts = 0

    def abort_job(self, guest: Guest, call: AbortJob) -> Outcome:
        if not guest.backups:
            return super().abort_job(guest, call)
        type(self).aborted += 1
        lost = type(self).aborted % self.one_in == 0
        return DONE if lost else super().abort_job(guest, call)

    aborted = 0


def losing(one_in: int) -> Callable[[Design], Backend]:
    """A backend that loses one end in so many, whichever guests it is made on."""
    return type("LosesOneIn", (LosesSomeEnds,), {"one_in": one_in, "aborted": 0})


def failed(record: Record) -> dict[str, tuple[Deviation, ...]]:
    """The deviations of each requirement that fails."""
    return {each.id: each.deviations for each in record.requirements if each.verdict is Verdict.FAIL}


@pytest.mark.parametrize("one_in", [2, 5, 10, 50])
def test_a_flaw_that_comes_now_and_then_fails_with_its_rate(one_in: int) -> None:
    record = judged(DEFAULT_JOB, losing(one_in)).records[0]
    found = [deviation for deviations in failed(record).values() for deviation in deviations]
    assert found
    assert all(0 < each.met <= each.exercised for each in found)
    assert all(each.lines and each.symptoms for each in found)
    assert any(each.is_flaky for each in found)


def test_one_strike_in_a_run_fails_it_with_all_that_was_called() -> None:
    """It cannot come again: the backend was wrong once in its life."""

    class WrongOnce(Reference):
        strikes = 0

        def inspect(self, guest: Guest, call: Inspect) -> Outcome:
            outcome = super().inspect(guest, call)
            if not guest.backups and not WrongOnce.strikes:
                WrongOnce.strikes += 1
                return Leftovers(("scratch",))
            return outcome

    record = judged(DEFAULT_JOB, WrongOnce).records[0]
    ((id, (deviation, *more)),) = failed(record).items()
    assert (id, more) == ("FAULT-4", [])
    assert (deviation.met, deviation.reproduced) == (1, 0)
    assert deviation.runs > confirm.RUNS
    assert deviation.lines[-1].answer == "scratch"


class AddressStays(Reference):
    """Keeps the address of a pull that was ended, by whoever, until the guest is another one."""

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self.taken: set[int] = set()

    def backup_begin(self, guest: Guest, call: BackupBegin) -> Outcome:
        outcome = super().backup_begin(guest, call)
        number = next(at for at, each in self.guests.items() if each is guest)
        if isinstance(outcome, Refusal) or call.mode is Mode.PUSH:
            return outcome
        if number in self.taken:
            self.remove_job(guest, guest.backups[-1])
            return TAKEN
        return outcome

    def abort_job(self, guest: Guest, call: AbortJob) -> Outcome:
        self.ended(guest)
        return super().abort_job(guest, call)

    def end_all_jobs(self) -> None:
        for guest in self.guests.values():
            self.ended(guest)
        super().end_all_jobs()

    def ended(self, guest: Guest) -> None:
        """What is pulled there will not be pulled again."""
        if any(job.mode is Mode.PULL for job in guest.backups):
            self.taken.add(next(at for at, each in self.guests.items() if each is guest))


class AddressOutlivesSessions(AddressStays):
    """Keeps the address of a pull that ran when the session was ended."""

    def abort_job(self, guest: Guest, call: AbortJob) -> Outcome:
        return Reference.abort_job(self, guest, call)


def names(lines: tuple[object, ...]) -> list[str]:
    """The names of the calls of a trace."""
    return [call_name(type(each.call)) for each in lines]  # type: ignore[attr-defined]


def test_what_stays_after_a_job_is_shown_by_the_next_begin() -> None:
    deviations = failed(judged(DEFAULT_JOB, AddressStays).records[0])["BEGIN-4"]
    shortest = min(deviations, key=lambda each: len(each.lines))
    assert names(shortest.lines) == ["backup_begin", "abort_job", "backup_begin"]
    assert not shortest.is_flaky


def test_what_outlives_the_cleaning_up_is_shown_by_two_sessions() -> None:
    deviations = failed(judged(DEFAULT_JOB, AddressOutlivesSessions).records[0])["BEGIN-4"]
    shortest = min(deviations, key=lambda each: len(each.lines))
    assert names(shortest.lines) == ["backup_begin", "end_session", "backup_begin"]
    assert not shortest.is_flaky


def test_what_is_listed_is_run_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class LeavesAFile(Reference):
        def inspect(self, guest: Guest, call: Inspect) -> Outcome:
            return super().inspect(guest, call) if guest.backups else Leftovers(("scratch",))

    target = ReferenceTarget(DEFAULT_JOB, LeavesAFile)
    hunt = Hunt(target, Plan(math.inf, 1), threading.Event(), lambda _: True)
    hunt.go_on_tour(lambda *_: None, math.inf)
    monkeypatch.setattr("jobtck.reruns.confirm", lambda *_: pytest.fail("it is listed"))
    hunt.confirm_all()
    hunt.close()
    found = [each for each in hunt.findings.deviations if each.requirements == ("FAULT-4",)]
    assert {(each.reproduced, each.runs) for each in found} == {(1, 1)}


def test_without_time_what_was_met_is_kept_as_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobtck.reruns.NEWS_SECONDS", -1.0)
    found = failed(judged(DEFAULT_JOB, AddressStays).records[0])
    assert "BEGIN-4" in found
    deviations = [each for of_one in found.values() for each in of_one]
    assert {(each.not_again, each.runs) for each in deviations} == {(confirm.TOO_LATE, 0)}
    assert all(isinstance(line.call, Call) for each in deviations for line in each.lines)


def test_an_innocent_backend_has_no_deviation_however_its_sessions_end() -> None:
    for design in (DEFAULT_JOB, ZERO_ID):
        record = judged(design).records[0]
        assert failed(record) == {}
        exercised = {each.id: each.exercised for each in record.requirements}
        assert exercised["END-9"] > 0
        assert not any(call_name(EndSession) in cell.call for cell in record.cells)


@pytest.mark.parametrize(
    ("seen", "tries", "low", "high"),
    [(0, 10, 0.0, 0.278), (1, 50, 0.0035, 0.105), (5, 10, 0.237, 0.763), (10, 10, 0.722, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_of_a_rate_is_wilsons(seen: int, tries: int, low: float, high: float) -> None:
    """The figures are those of published tables."""
    assert list(interval(seen, tries)) == pytest.approx([low, high], abs=6e-4)


def test_housekeeping_is_asked_for_once_and_by_the_thread_that_did_it() -> None:
    def keep_house() -> None:
        with housekeeping():
            pass

    other = threading.Thread(target=keep_house)
    other.start()
    other.join()
    assert housekeeping_seconds() == 0.0
    keep_house()
    assert housekeeping_seconds() > 0.0
    assert housekeeping_seconds() == 0.0
