"""A mistake that is rare, or that outlives the cleaning up between sessions: seen once, it fails the run."""

from pathlib import Path

import pytest
from tests.trials import LONG, replay_driver, try_driver

from jobtck.replay import STILL_THERE

ENDS = {"BEGIN-4", "BEGIN-5", "END-1", "END-4", "LIST-1", "STALE-1", "STALE-2"}  # what a job that stays may break


@pytest.mark.parametrize("rate", [2, 5, 10, 50, 200])
def test_a_strike_is_a_deviation_however_rare(rate: int, tmp_path: Path) -> None:
    trial = try_driver(tmp_path, f"stats-internal={rate}", *(LONG if rate > 10 else ()))
    assert trial.status == (1 if trial.made else 0), trial.told  # each time that it is made, the judge sees it
    assert bool(trial.failed & {"SANE-1", "LEGACY-1"}) == bool(trial.made)
    assert trial.made or rate > 10, "the driver was hardly asked"


@pytest.mark.parametrize(
    ("mistake", "names"), [("end-lost=5", ENDS), ("event-lost=5", {"EVENT-1"}), ("guest-dies=3", {"SANE-2"})]
)
def test_it_is_told_with_its_rate(mistake: str, names: set[str], tmp_path: Path) -> None:
    trial = try_driver(tmp_path, mistake, *LONG)
    assert trial.status == 1, trial.told
    named = names & trial.failed
    assert named, trial.failed
    for each in map(trial.deviation, named):
        assert 0 < each["met"] <= each["exercised"]
        assert each["calls"]


@pytest.mark.parametrize(
    ("mistake", "calls_max"),
    [
        ("address-stays", 3),  # pull, end, pull
        ("bitmap-stays", 3),
        ("file-stays", 4),  # begin, refused begin, end, begin
        ("table-full", 25),  # twelve jobs that end, and one more
    ],
)
def test_what_outlives_the_cleaning_up_is_shown_on_a_fresh_guest(mistake: str, calls_max: int, tmp_path: Path) -> None:
    trial = try_driver(tmp_path, mistake)
    assert trial.status == 1, trial.told
    assert trial.failed & {"BEGIN-4", "BEGIN-5", "ID-4"}
    for shown in map(trial.deviation, trial.failed):
        assert shown["reproduced"] > 0
        assert 2 < len(shown["calls"]) <= calls_max  # a begin alone succeeds on a fresh guest
        assert replay_driver(tmp_path, mistake, shown["trace"]) == STILL_THERE
