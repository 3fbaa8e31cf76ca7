"""Compares jobtck as it is installed with the sources here: `python tests/installed.py`."""

import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
KINDS = {".c", ".h", ".json", ".md", ".py", ".toml", ".typed"}


def sources() -> set[str]:
    """The files that belong into a wheel."""
    source = ROOT / "src"
    found = [*source.glob("jobtck/*"), *source.glob("jobtck/*/*"), *source.glob("jobtck/templates/*/*")]
    return {path.relative_to(source).as_posix() for path in found if path.suffix in KINDS}


def installed() -> set[str]:
    """The files that are installed, but for what describes them."""
    files = distribution("jobtck").files or []
    return {path.as_posix() for path in files if path.suffix in KINDS and path.parts[0] == "jobtck"}


def main() -> str | None:
    """What is missing or too much, if anything."""
    here, there = sources(), installed()
    if not here:
        return "found no sources"
    if here != there:
        return f"missing: {sorted(here - there)}, too much: {sorted(there - here)}"
    return None


if __name__ == "__main__":
    sys.exit(main())
