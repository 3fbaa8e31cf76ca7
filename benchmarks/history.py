"""Ten thousand results: how long `jobtck history` reads them, in how much memory, beside plain `json.loads`.

    python benchmarks/history.py RESULT.json [COUNT]

The result is copied COUNT times, each with another date, and every hundredth with a cell that answers otherwise.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

PLAIN = """
import json, sys
from pathlib import Path
for file in sorted(Path(sys.argv[1]).iterdir()):
    json.loads(file.read_text())
"""


def generate(source: Path, directory: Path, count: int) -> int:
    """Writes the copies; the answer is their size in bytes."""
    content = json.loads(source.read_text())
    begun, size = datetime(2024, 1, 1, tzinfo=UTC), 0
    usual = content["cells"][0]["outcome"]
    content["date"], content["cells"][0]["outcome"] = "WHEN", "WHAT"
    template = json.dumps(content, indent=2)
    for number in range(count):
        date = (begun + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = "another answer" if number % 100 == 99 else usual
        text = template.replace("WHEN", date, 1).replace("WHAT", told, 1)
        (directory / f"{number:06}.json").write_text(text)
        size += len(text)
    return size


def measured(name: str, command: list[str], size: int) -> None:
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    child = subprocess.run(["/usr/bin/env", *command], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begun
    assert child.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / 1024  # of all children so far
    print(
        f"{name:24} {seconds:7.1f} s, {busy:7.1f} s of a core, {size / busy / 1e6:6.0f} MB/s, {peak:.0f} MiB",
        flush=True,
    )


def main() -> None:
    source, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        size = generate(source, directory, count)
        print(f"{count:,} results of {size / count / 1e3:.0f} kB, {size / 1e6:,.0f} MB")
        # The one that needs less memory goes first.
        measured("jobtck history", [sys.executable, "-m", "jobtck.cli", "history", name], size)
        measured("json.loads of the same", [sys.executable, "-c", PLAIN, name], size)


if __name__ == "__main__":
    main()
