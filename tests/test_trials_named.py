"""A driver with a mistake that has a name of its own: the run names that, and nothing that follows from it."""

from pathlib import Path

import pytest
from tests.trials import try_driver


@pytest.mark.parametrize(
    ("mistake", "names", "calls_max"),
    [
        ("id-given-back", {"ID-2", "ID-3"}, 7),
        ("guest-dies", {"SANE-2"}, 3),  # what is called next shows it
        ("lock-stays", {"BEGIN-1", "BEGIN-4", "FAULT-1", "FAULT-4"}, 5),
    ],
)
def test_it_is_named(mistake: str, names: set[str], calls_max: int, tmp_path: Path) -> None:
    trial = try_driver(tmp_path, mistake)
    assert trial.status == 1, trial.told
    named = names & trial.failed
    assert named, trial.failed
    assert min(len(trial.deviation(name)["calls"]) for name in named) <= calls_max


def test_progress_that_restarts_is_named(tmp_path: Path) -> None:
    trial = try_driver(tmp_path, "progress-restarts")
    assert trial.status == 1, trial.told
    assert trial.failed == {"QUERY-3"}
    assert len(trial.deviation("QUERY-3")["calls"]) <= 4


def test_a_job_that_holds_up_another_domain_is_named(tmp_path: Path) -> None:
    trial = try_driver(tmp_path, "others-wait", "--budget", "20")
    assert trial.status == 1, trial.told
    assert "ISO-1" in trial.failed
    assert len(trial.deviation("ISO-1")["calls"]) <= 2
