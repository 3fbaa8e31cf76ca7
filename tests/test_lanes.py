"""What goes wrong in a backend itself: tried once more on fresh guests, and told as the backend's own."""

import threading

import pytest

from jobtck.backends import GuardedBackend, open_target
from jobtck.conformance.calls import BackupGetXmlDesc, Call, GetJobInfo
from jobtck.conformance.capabilities import Backend, Options
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import Outcome
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.hunt import Hunt, Plan
from jobtck.lanes import Lane
from jobtck.strategies.tour import NewSession

DESIGN = find_design("default-job")


class Failing(ReferenceTarget):
    """Its first guests cannot be made as good as new."""

    def __init__(self, failures: int) -> None:
        super().__init__(DESIGN)
        self.failures = failures
        self.handed_out = self.closed = 0

    def fresh(self) -> Backend:
        self.handed_out += 1
        return _Guests(super().fresh(), self)


class _Guests:
    def __init__(self, guests: Backend, target: Failing) -> None:
        self._guests = guests
        self._target = target

    def perform(self, call: Call) -> Outcome:
        return self._guests.perform(call)

    def end_all_jobs(self) -> None:
        if self._target.failures:
            self._target.failures -= 1
            raise BackendFailure("somebody killed the guest")
        self._guests.end_all_jobs()

    def close(self) -> None:
        self._target.closed += 1
        self._guests.close()


def hold_two_sessions(new_session: NewSession) -> None:
    new_session().perform(GetJobInfo())
    new_session()


def worked(target: Failing) -> Lane:
    """A lane that opened one session there."""
    lane = Lane(target, Judge(DESIGN, target.capabilities), lambda _: None)
    lane.work(hold_two_sessions, lambda: False)
    return lane


def test_guests_that_fail_once_are_exchanged() -> None:
    target = Failing(failures=1)
    lane = worked(target)
    assert [str(each) for each in lane.mishaps] == ["somebody killed the guest"]
    lane.close()
    assert (target.handed_out, target.closed) == (2, 2)


def test_what_fails_twice_in_a_row_is_a_failure() -> None:
    with pytest.raises(BackendFailure, match="somebody killed the guest"):
        worked(Failing(failures=2))


def test_a_lane_that_is_to_stop_does_not_try_again() -> None:
    target = Failing(failures=1)
    lane = Lane(target, Judge(DESIGN, target.capabilities), lambda _: None)
    lane.work(hold_two_sessions, lambda: True)
    assert target.handed_out == 1


def test_a_hunt_says_that_guests_were_exchanged_and_visits_all_the_same() -> None:
    hunt = Hunt(Failing(failures=1), Plan(300.0, 1), threading.Event())
    hunt.go_on_tour(lambda *_: None, 300.0)
    hunt.wait_for_excursions()
    hunt.close()
    assert hunt.failure is None
    assert hunt.notes == ["guests were exchanged for fresh ones once: somebody killed the guest"]
    assert hunt.cells_visited == len(hunt.chart.ways)


def test_a_mistake_in_a_backend_is_told_with_its_place() -> None:
    class Mistaken:
        def perform(self, call: Call) -> Outcome:
            raise KeyError(call.client)

        def end_all_jobs(self) -> None:
            raise ZeroDivisionError

        def close(self) -> None:
            """There is nothing to close."""

    backend = GuardedBackend("mine", Mistaken())
    with pytest.raises(BackendFailure, match=r"'mine' failed at backup_get_xml_desc\(\): KeyError: 0 \(.*test_lanes"):
        backend.perform(BackupGetXmlDesc())
    with pytest.raises(
        BackendFailure, match=r"'mine' failed when a session was ended: ZeroDivisionError \(.*test_lanes"
    ):
        backend.end_all_jobs()


def test_the_reference_has_no_use_for_a_uri() -> None:
    with pytest.raises(BadInput, match="no use for qemu:///system: leave -c out"):
        open_target("reference", DESIGN, Options(uri="qemu:///system"))
