"""Measures how long `jobtck --help` takes, beside what it cannot do without."""

import argparse
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

JOBTCK = Path(sys.executable).with_name("jobtck")
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "python -c 'import click'": (sys.executable, "-c", "import click"),
    "jobtck --help": (str(JOBTCK), "--help"),
}


def seconds(command: tuple[str, ...]) -> float:
    """The wall time of one process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Runs each command in turn, as often as asked for, and prints medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=10)
    repeats = options.parse_args().repeats
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, command in COMMANDS.items():
            found[name].append(seconds(command))
    bare = median(found["python -c pass"])
    print(f"Python {platform.python_version()}, medians of {repeats}")
    for name, all_seconds in found.items():
        middle = median(all_seconds)
        print(f"{name:26} {middle * 1000:6.0f} ms {middle / bare:6.1f} x bare python")


if __name__ == "__main__":
    main()
