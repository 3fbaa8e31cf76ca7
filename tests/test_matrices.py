"""A matrix file is read with care: what is wrong in it is told with its place."""

from pathlib import Path

import pytest

from jobtck.conformance.errors import BadInput
from jobtck.matrices import Installation, parse_matrix, read_matrix, shipped_matrix
from jobtck.run import DEFAULT_PAIRS

GOOD = """
judge = ["libvirt", "numbered as zero-id"]
seed = 7
budget = 20

[[installation]]
name = "here"
host = true

[[installation]]
name = "mine"
wrapper = "./build/run --quiet"

[[installation]]
name = "next"
debian = "trixie"
mirror = "http://deb.example.org/debian"
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A directory with a wrapper in it."""
    wrapper = tmp_path / "build" / "run"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    wrapper.chmod(0o755)
    return tmp_path


def test_a_matrix_is_read_with_all_that_it_says(build: Path) -> None:
    file = build / "m.toml"
    file.write_text(GOOD)
    matrix = read_matrix(file)
    assert matrix.installations == (
        Installation("here"),
        Installation("mine", wrapper=(str(build / "build/run"), "--quiet")),
        Installation("next", debian="trixie", mirror="http://deb.example.org/debian"),
    )
    assert matrix.pairs == (("libvirt", "default-job"), ("numbered", "zero-id"))
    assert (matrix.seed, matrix.budget_seconds) == (7, 20.0)


def test_what_is_not_said_is_as_in_a_run(tmp_path: Path) -> None:
    matrix = parse_matrix("[[installation]]\nname = 'a'\nhost = true\n", "m.toml", tmp_path)
    assert matrix.pairs == DEFAULT_PAIRS
    assert (matrix.seed, matrix.budget_seconds) == (1, 60.0)


def test_the_shipped_matrix_has_three_releases_of_debian() -> None:
    matrix = shipped_matrix()
    assert [each.debian for each in matrix.installations] == ["bookworm", "trixie", "sid"]
    assert ("qemu-jobs", "qemu-jobs") in matrix.pairs


ONE = "[[installation]]\nname = 'a'\nhost = true\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "m.toml: no installation is named"),
        ("[installation]\nname = 'a'", "m.toml:1:2: write [[installation]], in two brackets"),
        ("installation = []", "m.toml:1:1: 0 installations"),
        ("seed = 'x'\n" + ONE, "m.toml:1:1: seed = 'x': write a whole number"),
        ("seed = true\n" + ONE, "m.toml:1:1: seed = True"),
        ("budget = 4\n" + ONE, "m.toml:1:1: budget = 4: write seconds from 5 to 86400"),
        ("budget = inf\n" + ONE, "m.toml:1:1: budget = inf"),
        ("budget = nan\n" + ONE, "m.toml:1:1: budget = nan"),
        ("\nbudgets = 60\n" + ONE, "m.toml:2:1: no key 'budgets'"),
        ("judge = 'libvirt'\n" + ONE, "m.toml:1:1: judge = 'libvirt': write a list"),
        ("judge = []\n" + ONE, "m.toml:1:1: judge = []: write a list"),
        ("judge = ['nobody']\n" + ONE, "m.toml:1:1: no backend 'nobody'"),
        ("judge = ['libvirt as zero-id']\n" + ONE, "m.toml:1:1: libvirt does not play 'zero-id': it plays default-job"),
        ("judge = ['libvirt', 'libvirt as default-job']\n" + ONE, "m.toml:1:1: one backend is to play one design"),
        ("[[installation]]\nhost = true", "m.toml:1:3: 'name' is missing"),
        ("[[installation]]\nname = '../x'\nhost = true", "m.toml:2:1: name = '../x'"),
        ("[[installation]]\nname = 'a'", "m.toml:1:3: an installation is one of host, wrapper, debian"),
        (ONE + "debian = 'sid'", "and 'a' has host and debian"),
        ("[[installation]]\nname = 'a'\nhost = false", "m.toml:3:1: host = False"),
        (ONE + "colour = 1", "m.toml:4:1: no key 'colour'"),
        (ONE + "mirror = 'http://x'", "m.toml:4:1: 'mirror' is where a Debian release comes from"),
        ("[[installation]]\nname = 'a'\ndebian = '--x'", "m.toml:3:1: debian = '--x'"),
        ("[[installation]]\nname = 'a'\ndebian = 'sid'\nmirror = 'x y'", "m.toml:4:1: mirror = 'x y': write a URL"),
        ("[[installation]]\nname = 'a'\nwrapper = './none'", "m.toml:3:1: the program './none' is not there"),
        ("[[installation]]\nname = 'a'\nwrapper = '\"'", "this is no command"),
        (ONE + ONE.replace("'a'", "'A'"), "m.toml:5:1: two installations are called 'A'"),
        ("[[installation", "m.toml:1:15: not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as told:
        parse_matrix(text, "m.toml", tmp_path)
    assert complaint in str(told.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read the matrix"):
        read_matrix(tmp_path / "none.toml")
