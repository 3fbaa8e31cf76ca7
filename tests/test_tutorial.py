"""The tutorial's blocks, pasted into a shell as they stand, do what the tutorial says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import users_environment

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- pasted, status "

pytestmark = pytest.mark.skipif(not TUTORIAL.is_file(), reason="a source archive has no documentation")


class Pasted(NamedTuple):
    """What came of a block."""

    block: str
    status: int
    told: str


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> list[Pasted]:
    """All blocks, pasted into one shell in an empty directory."""
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    script = "".join(f'{block}echo "{MARK}$?"\n' for block in blocks)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**users_environment(), "PATH": path, "COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1"}
    directory = tmp_path_factory.mktemp("tutorial")
    done = subprocess.run(
        ["bash"], input=script, cwd=directory, env=environment, text=True, check=True, stdout=subprocess.PIPE
    )
    parts = re.split(rf"^{MARK}(\d+)\n", done.stdout, flags=re.MULTILINE)
    return [Pasted(*each) for each in zip(blocks, map(int, parts[1::2]), parts[::2], strict=False)]


def test_every_block_ends_as_the_tutorial_says(pasted: list[Pasted]) -> None:
    assert [(each.block.split("\n", 1)[0][:40], each.status) for each in pasted] == [
        ("jobtck new-adapter python toy", 0),
        ("cat > driver.py <<'END'", 0),
        ("jobtck run --backend 'exec:python3 adapt", 1),
        ("jobtck replay jobtck-report/traces/exec-", 1),
        ("sed -i 's/^        return self.backup.id", 0),
        ("jobtck run --backend 'exec:python3 adapt", 0),
        ("cp adapter.py honest.py", 1),
        ("mv honest.py adapter.py", 0),
        ("jobtck run --backend 'exec:python3 adapt", 0),
    ]


def test_the_two_bugs_are_found_and_nothing_else_is(pasted: list[Pasted]) -> None:
    assert "2 failed requirements: ID-3, END-2" in pasted[2].told
    shown = re.findall(
        r"^([A-Z]+-\d+) \(MUST\) deviates +reproduced 3 of 3, met [\d,]+ of [\d,]+$", pasted[2].told, re.MULTILINE
    )
    assert shown == ["ID-3", "END-2"]
    assert "still there. ID-3" in pasted[3].told


def test_what_is_mended_is_fixed_and_conforms(pasted: list[Pasted]) -> None:
    assert "fixed: ID-3 held" in pasted[4].told
    assert "exec:toy as zero-id: conforming" in pasted[5].told


def test_what_is_declared_and_not_there_is_told(pasted: list[Pasted]) -> None:
    told = " ".join(pasted[6].told.split())
    assert "block_copy is declared, and was refused as unsupported every time" in told
    assert "1 declared call that is not there: block_copy" in told


def test_a_conversation_can_be_looked_at(pasted: list[Pasted]) -> None:
    lines = pasted[8].told.splitlines()[-12:]
    assert [line[:2] for line in lines] == ["> ", "< "] * 6
