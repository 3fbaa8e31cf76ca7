"""A driver with a mistake that is made every time: the run fails, and names it by what it is, in few calls."""

from pathlib import Path

import pytest
from tests.trials import try_driver


def test_the_driver_without_a_mistake_is_right(tmp_path: Path) -> None:
    trial = try_driver(tmp_path, "")
    assert (trial.status, trial.failed) == (0, set()), trial.told


@pytest.mark.parametrize(
    ("mistake", "requirement", "calls_max"),
    [
        ("zero-guesses", "ZERO-4", 3),
        ("ghost", "LIST-1", 3),
        ("second-disk-stays", "BEGIN-4", 3),
        ("stats-internal", "SANE-1", 3),
    ],
)
def test_a_mistake_is_named(mistake: str, requirement: str, calls_max: int, tmp_path: Path) -> None:
    trial = try_driver(tmp_path, mistake)
    assert trial.status == 1, trial.told
    assert requirement in trial.failed
    assert len(trial.deviation(requirement)["calls"]) <= calls_max
