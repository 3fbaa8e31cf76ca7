"""Whole runs against backends with a mistake: what they end with, and which requirements they name."""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import HANG_SECONDS, users_environment

DRIVER = Path(__file__).parent / "trial_driver.py"
LONG = ("--budget", "8")  # long sessions as well; a quick run ends when each cell was visited


@dataclass(frozen=True)
class Trial:
    """How a run ended: the result, as it is written."""

    status: int
    told: str
    result: Mapping[str, Any]
    made: int = 0  # how often the driver made its mistake

    @property
    def failed(self) -> set[str]:
        """The requirements that failed."""
        return {each["id"] for run in self.result["runs"] for each in run["requirements"] if each["verdict"] == "fail"}

    def deviation(self, requirement: str) -> Mapping[str, Any]:
        """The deviation from that requirement that the fewest calls show."""
        found = [
            deviation
            for run in self.result["runs"]
            for each in run["requirements"]
            for deviation in each["deviations"]
            if each["id"] == requirement
        ]
        return min(found, key=lambda each: len(each["calls"]))


def run(folder: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Trial:
    """A whole run by the command line."""
    command = [sys.executable, "-m", "jobtck.cli", "run", "-o", str(folder / "report"), *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**users_environment(), **(environment or {})},
        timeout=HANG_SECONDS,
    )
    result = json.loads((folder / "report" / "result.json").read_text())
    result.setdefault("runs", [result] if "requirements" in result else [])
    made = folder / "made"
    times = len(made.read_text().splitlines()) if made.exists() else 0
    return Trial(done.returncode, done.stdout + done.stderr, result, times)


def try_driver(folder: Path, mistake: str, *arguments: str) -> Trial:
    """A run against the driver with that mistake, a quick one without arguments."""
    wanted = ["--backend", driver(mistake), *(arguments or ["--quick"])]
    return run(folder, wanted, {"TRIAL_MADE": str(folder / "made")})


def replay_driver(folder: Path, mistake: str, trace: str) -> int:
    """The exit status of a replay of the trace against that driver, started anew."""
    command = [sys.executable, "-m", "jobtck.cli", "replay", str(folder / "report" / trace), "--backend"]
    return subprocess.run(
        [*command, driver(mistake)],
        stdout=subprocess.DEVNULL,
        check=False,
        env=users_environment(),
        timeout=HANG_SECONDS,
    ).returncode


def driver(mistake: str) -> str:
    """The driver with that mistake as a backend."""
    return "exec:" + shlex.join([sys.executable, "-S", str(DRIVER), *([mistake] if mistake else [])])
