"""The suite for driver authors: `pytest --pyargs jobtck.suite --jobtck-backend NAME`."""

from jobtck.conformance.record import Record, RequirementRecord
from jobtck.plugin import conclude
from jobtck.reports.sentences import call_complaints


def test_requirement(jobtck_requirement: RequirementRecord, jobtck_record: Record) -> None:
    """The backend keeps the requirement."""
    conclude(jobtck_requirement, jobtck_record.stale_known)


def test_capabilities(jobtck_record: Record) -> None:
    """What the backend declares is there, and can succeed."""
    assert [complaint for _, complaint in call_complaints(jobtck_record)] == []
