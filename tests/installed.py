"""Compares jobtck as it is installed with the sources here: `python tests/installed.py`."""

import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEMPLATES = "jobtck/templates"
KINDS = {".css", ".jinja", ".js", ".json", ".py", ".toml", ".typed"}


def sources() -> set[str]:
    """The files that belong into a wheel."""
    source = ROOT / "src"
    found = [path for path in (*source.glob("jobtck/*"), *source.glob("jobtck/*/*")) if path.suffix in KINDS]
    found += [path for path in source.glob(f"{TEMPLATES}/*/*") if path.is_file()]
    return {path.relative_to(source).as_posix() for path in found}


def installed() -> set[str]:
    """The files that are installed, but for what describes them."""
    files = distribution("jobtck").files or []
    ours = [path for path in files if path.parts[0] == "jobtck" and path.suffix != ".pyc"]
    return {path.as_posix() for path in ours if path.suffix in KINDS or path.as_posix().startswith(TEMPLATES)}


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
