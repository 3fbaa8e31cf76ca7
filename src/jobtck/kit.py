"""The kit itself, as it is brought to where it is not installed."""

import ast
import hashlib
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path

from packaging.requirements import Requirement

import jobtck
from jobtck.fixtures.debian_roots import Kit

NAME = "jobtck"
EXTRAS = ("", "libvirt", "qemu")
SETTING = re.compile(r"(?:global|install|:env:)\.([a-z-]+)=(.+)")
SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout", "timeout")


def this_kit() -> Kit:
    """The kit that runs."""
    entry_points = distribution(NAME).read_text("entry_points.txt") or ""
    description = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {jobtck.__version__}"
    return Kit(_package(), description, entry_points)


@cache
def kit_digest() -> str:
    """A word that kits of other content do not have: what one has found, another may not find."""
    digest = hashlib.sha256()
    package = _package()
    for path in sorted((*package.glob("*.*"), *package.glob("*/*.*"))):
        if path.suffix in {".py", ".toml", ".json"}:
            digest.update(f"{path.relative_to(package)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def kit_requirements() -> tuple[str, ...]:
    """What pip installs for the kit, in the releases that are installed here: elsewhere it does the same then."""
    wanted = [Requirement(each) for each in requires(NAME) or ()]
    used = [each for each in wanted if any(_is_for(each, extra) for extra in EXTRAS)]
    return tuple(sorted(_pinned(each) for each in used))


def pip_environment() -> dict[str, str]:
    """Where pip finds packages here, as an environment: no file with it, or a password in it, is left in a root."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    for line in reversed(told.splitlines()):  # the environment, which comes first, has the last word
        match = SETTING.fullmatch(line.strip())
        if match and match[1] in SETTINGS:
            found[f"PIP_{match[1].upper().replace('-', '_')}"] = str(ast.literal_eval(match[2]))
    return found


def _package() -> Path:
    return Path(jobtck.__path__[0])


def _is_for(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _pinned(requirement: Requirement) -> str:
    try:
        return f"{requirement.name}=={version(requirement.name)}"
    except PackageNotFoundError:
        return f"{requirement.name}{requirement.specifier}"
