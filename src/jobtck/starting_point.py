"""`jobtck new-adapter`: a starting point for an adapter that runs as it is."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from jobtck.conformance.errors import BackendFailure, BadInput

LANGUAGES = {
    "python": ("python",),
    "c": ("c",),
    "c-libvirt": ("c", "c-libvirt"),  # what is of the same name is taken from the second
}


def new_adapter(language: str, directory: Path) -> list[Path]:
    """The files that were written, all new; `BadInput` where one is there already."""
    sources: dict[str, Traversable] = {}
    for template in LANGUAGES[language]:
        for source in (files("jobtck") / "templates" / template).iterdir():
            if source.is_file():
                sources[source.name] = source
    written = {directory / name: source for name, source in sorted(sources.items())}
    there = [path for path in written if path.exists() or path.is_symlink()]
    if there:
        raise BadInput(f"{there[0]} is there already, and nothing was written: give a directory that is new")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, source in written.items():
            with path.open("xb") as file:
                file.write(source.read_bytes())
    except FileExistsError as error:
        raise BadInput(f"{directory} is no directory") from error
    except OSError as error:
        raise BackendFailure(f"{directory}: cannot be written to: {error.strerror}") from error
    return list(written)
