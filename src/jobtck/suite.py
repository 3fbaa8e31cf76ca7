"""The suite for driver authors: `pytest --pyargs jobtck.suite --jobtck-backend NAME`."""


def test_requirement(jobtck_requirement: None) -> None:
    """The backend keeps the requirement."""
