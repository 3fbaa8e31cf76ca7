"""The checkout, the list of packages and the links between them agree."""

import re
import tomllib
from pathlib import Path

import pytest

import jobtck

ROOT = Path(__file__).parent.parent
FOLDERS = ["conformance", "fixtures", "reports", "strategies"]

in_checkout = pytest.mark.skipif(not (ROOT / "conformance").is_dir(), reason="a source archive has no links")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, dict[str, object]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


@in_checkout
@pytest.mark.parametrize("name", FOLDERS)
def test_each_folder_is_a_package_by_its_link(name: str) -> None:
    link = ROOT / "src" / "jobtck" / name
    assert str(link.readlink()) == f"../../{name}"
    assert (link / "__init__.py").is_file()


def test_packages_listed_are_the_folders_there(pyproject: dict[str, dict[str, object]]) -> None:
    tool = pyproject["tool"]["setuptools"]
    assert isinstance(tool, dict)
    source = ROOT / "src" / "jobtck"
    there = [path.parent.name for path in source.glob("*/__init__.py")]
    assert there
    assert tool["packages"] == ["jobtck", *(f"jobtck.{name}" for name in sorted(there))]


@pytest.mark.parametrize("name", FOLDERS)
def test_packages_are_flat(name: str) -> None:
    nested = (ROOT / "src" / "jobtck" / name).glob("*/**/*.py")
    assert list(nested) == []


def test_the_version_is_said_twice_alike(pyproject: dict[str, dict[str, object]]) -> None:
    assert pyproject["project"]["version"] == jobtck.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", jobtck.__version__)
