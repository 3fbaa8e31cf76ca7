"""The suite for driver authors: `pytest --pyargs jobtck.suite --jobtck-backend NAME`."""

from jobtck.conformance.record import Record, RequirementRecord
from jobtck.plugin import conclude


def test_requirement(jobtck_requirement: RequirementRecord, jobtck_record: Record) -> None:
    """The backend keeps the requirement."""
    conclude(jobtck_requirement, jobtck_record.stale_known)
