"""Times calls on the reference behind adapters, and beside them the same calls made directly."""

import argparse
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from jobtck.conformance.calls import BackupBegin, BackupEnd, BackupGetXmlDesc, Call, GetJobInfo, Mode
from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.design import presets
from jobtck.fixtures.adapter_target import AdapterTarget
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.starting_point import new_adapter

DESIGN = presets()["zero-id"]
CYCLE: Sequence[Call] = (  # all are answered, and the last leaves nothing
    BackupBegin(label=0, mode=Mode.PULL, disks=("vda",)),
    BackupGetXmlDesc(job=0),
    GetJobInfo(),
    BackupEnd(job=0, abort=True),
    BackupGetXmlDesc(job=0),
)
MICROSECONDS = 1e6


def seconds_of_calls(backend: Backend, cycles: int) -> list[float]:
    """The seconds that each call took."""
    took: list[float] = []
    for _ in range(cycles):
        for call in CYCLE:
            began = time.perf_counter()
            backend.perform(call)
            took.append(time.perf_counter() - began)
    return took


@contextmanager
def targets() -> Iterator[dict[str, Target]]:
    """What is compared, the direct one first."""
    reference = shlex.join([sys.executable, "-m", "jobtck.fixtures.reference_adapter"])
    found: dict[str, Target] = {
        "the reference, directly": ReferenceTarget(DESIGN),
        "the reference as an adapter": AdapterTarget(reference, DESIGN),
    }
    with tempfile.TemporaryDirectory() as directory:
        new_adapter("python", Path(directory, "python"))
        new_adapter("c", Path(directory, "c"))
        toy = shlex.join([sys.executable, "-B", f"{directory}/python/adapter.py"])
        found["the toy of new-adapter, Python"] = AdapterTarget(toy, DESIGN)
        if subprocess.run(["make", "-s", "-C", f"{directory}/c"], check=False).returncode == 0:
            found["the toy of new-adapter, C"] = AdapterTarget(f"{directory}/c/adapter", DESIGN)
        try:
            yield found
        finally:
            for target in found.values():
                target.close()


def main() -> None:
    """Reads the options, measures in rounds, and prints medians over the rounds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=5_000, help="of each, in each round")
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    with targets() as compared:
        backends = {name: target.fresh() for name, target in compared.items()}
        medians: dict[str, list[float]] = {name: [] for name in backends}
        slow: dict[str, list[float]] = {name: [] for name in backends}
        for _ in range(given.repeats):
            for name, backend in backends.items():
                took = sorted(seconds_of_calls(backend, given.calls // len(CYCLE)))
                medians[name].append(median(took))
                slow[name].append(took[len(took) * 9 // 10])
    direct = median(next(iter(medians.values())))
    print(f"{'microseconds a call':32} {'median':>8} {'more':>8} {'nine of ten below':>18}")
    for name, each in medians.items():
        told = median(each)
        more, nine = (told - direct) * MICROSECONDS, median(slow[name]) * MICROSECONDS
        print(f"{name:32} {told * MICROSECONDS:8.1f} {more:8.1f} {nine:18.1f}")


if __name__ == "__main__":
    main()
