"""What a backend declares is there, and what it does not declare is told if it is there all the same."""

import math
import threading
from dataclasses import replace

from jobtck.claims import undeclared_calls
from jobtck.conformance.calls import BlockCopy, Call, Save, call_name
from jobtck.conformance.design import Design, presets
from jobtck.conformance.errors import BackendFailure
from jobtck.conformance.outcomes import ErrorKind, Outcome, Refusal
from jobtck.conformance.record import Record, RunRecord, RunVerdict
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.hunt import Hunt, Plan
from jobtck.reports.junit import junit_xml
from jobtck.reports.result_json import result, validate
from jobtck.reports.sentences import summary
from jobtck.verdicts import record_of

DESIGN = presets()["default-job"]


class WithoutCopies(Reference):
    """Has no block copies, whatever is declared."""

    def perform(self, call: Call) -> Outcome:
        if isinstance(call, BlockCopy):
            return Refusal(ErrorKind.UNSUPPORTED, "NO_COPIES")
        return super().perform(call)


class Touchy(Reference):
    """Dies of what is not declared."""

    def perform(self, call: Call) -> Outcome:
        if isinstance(call, Save):
            raise BackendFailure("the server died")
        return super().perform(call)


def judged(target: ReferenceTarget) -> Record:
    hunt = Hunt(target, Plan(math.inf, 1), threading.Event())
    hunt.go_on_tour(lambda *_: None, math.inf)
    hunt.close()
    return record_of(hunt, (), "jobtck run", strict=False)


def declaring_less(design: Design, *left_out: type[Call], make: type[Reference] = Reference) -> ReferenceTarget:
    target = ReferenceTarget(design, make)
    left = target.capabilities.calls - {call_name(call) for call in left_out}
    target.capabilities = replace(target.capabilities, calls=left)
    return target


def test_a_declared_call_that_is_not_there_fails_the_run() -> None:
    record = judged(ReferenceTarget(DESIGN, WithoutCopies))
    assert (record.verdict, record.unkept_calls) == (RunVerdict.NONCONFORMING, ("block_copy",))
    assert "1 declared call that is not there: block_copy" in summary(record)
    run = RunRecord((record,), "jobtck run", 1, 1.0)
    validate(result(run))
    assert 'message="block_copy is declared, and was refused as unsupported every time' in junit_xml(run)


def test_a_call_that_is_not_there_and_not_declared_fails_nothing() -> None:
    record = judged(declaring_less(DESIGN, BlockCopy, make=WithoutCopies))
    assert (record.unkept_calls, undeclared_calls(declaring_less(DESIGN, BlockCopy, make=WithoutCopies))) == ((), [])


def test_the_reference_declares_what_it_has() -> None:
    for design in presets().values():
        assert undeclared_calls(ReferenceTarget(design)) == []


def test_a_call_that_works_and_is_not_declared_is_told() -> None:
    notes = undeclared_calls(declaring_less(DESIGN, Save, BlockCopy))
    assert notes == [
        f"{name} is not declared, and there all the same: {text} was answered with 'value'; "
        "declare it to have it judged"
        for name, text in (("block_copy", "a = block_copy(vda)"), ("save", "save()"))
    ]


def test_a_backend_that_dies_of_what_it_does_not_declare_is_told_and_no_failure() -> None:
    notes = undeclared_calls(declaring_less(DESIGN, Save, make=Touchy))
    assert notes == ["calls that are not declared were tried, and it failed of that: the server died"]


def test_where_guests_cost_seconds_nothing_is_tried() -> None:
    target = declaring_less(DESIGN, Save)
    target.capabilities = replace(target.capabilities, costly_calls=frozenset({"destroy"}))
    assert undeclared_calls(target) == []
