"""The suite for driver authors: `pytest --pyargs jobtck.suite --jobtck-backend NAME`."""

from jobtck.conformance.record import Record, RequirementRecord
from jobtck.plugin import conclude
from jobtck.reports.sentences import unkept_text


def test_requirement(jobtck_requirement: RequirementRecord, jobtck_record: Record) -> None:
    """The backend keeps the requirement."""
    conclude(jobtck_requirement, jobtck_record.stale_known)


def test_capabilities(jobtck_record: Record) -> None:
    """What the backend declares is there."""
    assert [unkept_text(call) for call in jobtck_record.unkept_calls] == []
