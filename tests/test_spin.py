"""The explorer beside spin: the same design, modelled twice, has the same number of states."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jobtck.conformance.design import presets
from jobtck.strategies.board import Bounds
from jobtck.strategies.explorer import Explorer

MODEL = Path(__file__).parent.parent / "benchmarks" / "zero_id.pml"

pytestmark = pytest.mark.skipif(
    not shutil.which("spin") or not shutil.which("gcc"), reason="spin or gcc is not installed"
)


def states_of_spin(jobs: int, directory: Path) -> int:
    """All states that spin reaches, with nothing reduced."""
    for command in (
        ["spin", f"-DJOBS={jobs}", "-o2", "-a", str(MODEL)],
        ["gcc", "-O1", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"],
    ):
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=120)
    told = subprocess.run(
        ["./pan", "-m1000000", "-n"], cwd=directory, check=True, capture_output=True, text=True, timeout=120
    )
    found = re.search(r"^\s*(\d+) states, stored", told.stdout, re.MULTILINE)
    assert "errors: 0" in told.stdout, told.stdout
    assert found, told.stdout
    return int(found[1])


@pytest.mark.parametrize("jobs", [2, 3])
def test_spin_reaches_as_many_states(jobs: int, tmp_path: Path) -> None:
    explorer = Explorer(presets()["zero-id"], Bounds(jobs=jobs, depth=100))
    explorer.explore(lambda _: "")
    assert explorer.progress.complete
    assert explorer.progress.depth < explorer.bounds.depth
    assert explorer.states_by_all_names() == states_of_spin(jobs, tmp_path)
