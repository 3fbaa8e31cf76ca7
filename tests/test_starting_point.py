"""`jobtck new-adapter` writes what runs as it stands, and overwrites nothing."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobtck.conformance.errors import BadInput
from jobtck.starting_point import LANGUAGES, new_adapter

Jobtck = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_python_adapter_is_conforming_as_it_stands(jobtck: Jobtck, tmp_path: Path) -> None:
    written = jobtck("new-adapter", "python", "mine")
    assert (written.returncode, written.stdout) == (0, "mine/README.md\nmine/adapter.py\nmine/driver.py\n")
    command = shlex.join([sys.executable, "-B", str(tmp_path / "mine" / "adapter.py")])
    done = jobtck("run", "--backend", f"exec:{command}", "--budget", "20")
    assert done.returncode == 0, done.stdout
    assert "exec:toy as zero-id: conforming" in done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_overwritten(language: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"README\.md is there already, and nothing was written"):
        new_adapter(language, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_directory_that_is_a_file_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(BadInput, match="is no directory"):
        new_adapter("python", tmp_path / "mine")


def test_a_language_that_there_is_not_is_told_with_those_there_are(jobtck: Jobtck) -> None:
    done = jobtck("new-adapter", "fortran", "mine")
    assert done.returncode == 2
    assert all(f"'{language}'" in done.stderr for language in LANGUAGES)
