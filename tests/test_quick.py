"""A quick run leaves out what waits for the server's lock, says so, and judges the rest."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from subprocess import CompletedProcess

import pytest

from jobtck.conformance.design import presets
from jobtck.conformance.record import Record, RequirementRecord, RunRecord, RunVerdict, Verdict
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.hunt import Hunt, Plan
from jobtck.reports.junit import junit_xml
from jobtck.reports.result_json import dumps, result
from jobtck.reports.result_reading import read_run
from jobtck.reports.sentences import summary
from jobtck.verdicts import record_of

AMPLE_SECONDS = 300.0
SHORT_SECONDS = 20.0  # less than the lock is waited for


def judged(plan: Plan) -> Record:
    """The record of a tour of a server on which a second begin is said to wait."""
    target = ReferenceTarget(presets()["default-job"])
    target.capabilities = replace(
        target.capabilities, lock_wait_seconds=30.0, waiting_calls=frozenset({"backup_begin", "save"})
    )
    hunt = Hunt(target, plan, threading.Event())
    hunt.begin_excursions()
    hunt.go_on_tour(lambda *_: None, AMPLE_SECONDS)
    hunt.wait_for_excursions()
    hunt.close()
    hunt.confirm_all()
    return record_of(hunt, (), "jobtck run", strict=False)


@pytest.fixture(scope="module")
def quick() -> Record:
    return judged(Plan(AMPLE_SECONDS, 1, is_quick=True))


def told_of(record: Record, id: str) -> RequirementRecord:
    return next(each for each in record.requirements if each.id == id)


def test_what_only_waiting_exercises_is_left_out_and_fails_nothing(quick: Record) -> None:
    left_out = {each.id for each in quick.requirements if each.left_out}
    assert left_out == {"BEGIN-1", "LIST-2"}
    assert all(told_of(quick, id).verdict is Verdict.NOT_EXERCISED for id in left_out)
    assert quick.verdict is RunVerdict.CONFORMING
    assert "2 requirements left out: LIST-2, BEGIN-1" in summary(quick)
    assert "wait for the server's lock" in told_of(quick, "BEGIN-1").reason


def test_what_is_exercised_without_waiting_too_is_judged(quick: Record) -> None:
    for id in ("BEGIN-4", "QUERY-4", "TIME-1"):
        assert told_of(quick, id).verdict is Verdict.PASS


def test_a_run_that_is_too_short_to_wait_and_not_quick_is_incomplete() -> None:
    record = judged(Plan(SHORT_SECONDS, 1))
    assert record.verdict is RunVerdict.INCOMPLETE
    assert not any(each.left_out for each in record.requirements)


def test_reports_tell_it_and_results_keep_it(quick: Record) -> None:
    run = RunRecord((quick,), "jobtck run --quick", 1, 2.0)
    content = json.loads(dumps(result(run)))
    assert read_run(json.dumps(content), "r.json").records[0].requirements == quick.requirements
    assert 'type="left-out"' in junit_xml(run)
    for each in content["requirements"]:  # as older results have it
        del each["left_out"]
    assert not any(each.left_out for each in read_run(json.dumps(content), "r.json").records[0].requirements)


def test_a_quick_run_of_what_never_waits_judges_all(jobtck: Callable[..., CompletedProcess[str]]) -> None:
    done = jobtck("run", "--quick", "--backend", "reference", "--design", "default-job", "--budget", "10")
    assert done.returncode == 0, done.stdout
    assert "left out" not in done.stdout
    assert "changed answers" in done.stdout
