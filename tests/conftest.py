"""What several tests share: charts, drawn once, and the command line in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import Chart, draw

TOUR_JOBS = 2
HANG_SECONDS = 240.0  # what takes longer hangs, on however busy a machine

pytest_plugins = ["pytester"]


@cache
def drawn_once(name: str) -> Chart:
    target = ReferenceTarget(presets()[name])
    judge = Judge(target.design, target.capabilities)
    return draw(judge, Alphabet(target.design, target.capabilities, TOUR_JOBS))


@pytest.fixture
def chart_of() -> Callable[[str], Chart]:
    """The chart of a preset on the reference; to be looked at only."""
    return drawn_once


@cache
def missing_for_libvirtd() -> str:
    """What keeps a libvirtd of the kit's own from being started here, in words; empty if nothing does."""
    programs = ("libvirtd", "virsh", "qemu-img")
    absent = [each for each in programs if shutil.which(each, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if absent:
        return f"{' and '.join(absent)} not installed"
    namespaces = ["unshare", "--mount", "--net", "true"]
    if os.getuid() == 0 and subprocess.run(namespaces, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        return "this root may make no namespaces"
    return ""


def pids_of(program: str, folder: Path) -> list[int]:
    """Processes of that program that were told of a file in the folder."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        named = Path(words[0].decode()).name.startswith(program)
        if entry.name.isdecimal() and named and any(bytes(folder) in word for word in words):
            found.append(int(entry.name))
    return found


@cache
def validator(package: str, schema: str) -> Draft202012Validator:
    """Holds values against a schema that is shipped."""
    content = json.loads((files(package) / schema).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


def users_environment() -> dict[str, str]:
    """The environment without what tells this Python how to behave: users have not set it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@pytest.fixture
def jobtck(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `jobtck` with these arguments in an empty directory."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "jobtck.cli", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=users_environment(), timeout=120
        )

    return run
