"""The import law: all arrows point at conformance, and its neighbours do not know each other."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jobtck

OWN_LIBRARIES = {
    "conformance": frozenset[str](),
    "fixtures": frozenset({"libvirt", "libvirt_qemu", "lxml", "qemu"}),
    "reports": frozenset({"jinja2", "jsonschema", "junitparser", "markupsafe", "rich"}),
    "strategies": frozenset({"hypothesis"}),
}


def imports(source: str) -> Iterator[str]:
    """The dotted names that *source* imports; a relative one begins with its dots."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                yield from ("." * level + ".".join(filter(None, [module, alias.name])) for alias in names)
            case _:
                pass


def is_well_formed(name: str) -> bool:
    """The name is absolute, and calls our packages by their whole name."""
    return not name.startswith(".") and name.partition(".")[0] not in OWN_LIBRARIES


def is_lawful(name: str, package: str) -> bool:
    """The package may import this name."""
    match name.split("."):
        case ["jobtck", neighbour, *_]:
            return neighbour in {package, "conformance"}
        case [library, *_]:
            return library in sys.stdlib_module_names | OWN_LIBRARIES[package]
        case _:
            return False


def breaches(source: str, package: str | None) -> list[str]:
    """The imports that break the law; without a package, *source* composes and may import all."""
    return [name for name in imports(source) if not is_well_formed(name) or (package and not is_lawful(name, package))]


def modules(package: str | None) -> list[Path]:
    """The files of a package, or of what composes them, where Python finds them."""
    return sorted(Path(jobtck.__path__[0], package or "").glob("*.py"))


@pytest.mark.parametrize("package", [*OWN_LIBRARIES, None])
def test_imports_keep_the_law(package: str | None) -> None:
    found = modules(package)
    assert found
    assert {path.name: broken for path in found if (broken := breaches(path.read_text(), package))} == {}


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("conformance", "import hypothesis"),
        ("conformance", "from jobtck.fixtures import reference"),
        ("conformance", "from jobtck import run"),
        ("strategies", "import jobtck.fixtures.reference"),
        ("fixtures", "from hypothesis.strategies import integers"),
        ("reports", "from jobtck import strategies"),
        ("reports", "import libvirt"),
        ("reports", "def late() -> None:\n    import lxml.etree"),
        ("strategies", "from .calls import calls"),
        ("strategies", "from . import calls"),
        (None, "import fixtures"),
        (None, "from conformance.model import State"),
        (None, "from . import cli"),
    ],
)
def test_a_breach_is_seen(package: str | None, line: str) -> None:
    assert len(breaches(line, package)) == 1


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("conformance", "from collections.abc import Iterator"),
        ("conformance", "from jobtck.conformance.model import State"),
        ("strategies", "from hypothesis import strategies"),
        ("fixtures", "import libvirt, lxml.etree"),
        ("reports", "from rich.table import Table"),
        (None, "from jobtck import conformance, fixtures, reports, strategies"),
    ],
)
def test_what_is_lawful_is_no_breach(package: str | None, line: str) -> None:
    assert breaches(line, package) == []
