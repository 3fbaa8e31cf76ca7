"""A matrix as a TOML file: which installations are judged, as what, with what seed and how long."""

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jobtck.backends import backend_names, load_backend
from jobtck.budgets import BUDGET_MIN_SECONDS, BUDGET_SECONDS
from jobtck.conformance.design import at, parse_toml
from jobtck.conformance.errors import BadInput
from jobtck.run import DEFAULT_PAIRS

SHIPPED = "matrix.toml"
INSTALLATION = "installation"
KINDS = ("host", "wrapper", "debian")
KEYS = ("name", *KINDS, "mirror")
TOP = ("judge", "seed", "budget", INSTALLATION)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")  # a directory is named after it
SUITE = re.compile(r"[a-z][a-z0-9-]{0,39}")
MIRROR = re.compile(r"(https?|file)://\S+")
INSTALLATIONS_MAX = 40  # a wider table no terminal holds; a bound on mistakes of programs that write matrices
BUDGET_MAX_SECONDS = 86_400.0  # a day for one run
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Installation:
    """Where a libvirt is: on this machine, there behind a wrapper, or in the root of a Debian release.

    `wrapper` are the words of a command that is put before ours, `debian` is a suite, `mirror` where it comes from.
    """

    name: str
    wrapper: tuple[str, ...] = ()
    debian: str = ""
    mirror: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Installations, each judged as all these pairs of backend and design; the budget of each in seconds."""

    installations: tuple[Installation, ...]
    pairs: tuple[Pair, ...]
    seed: int
    budget_seconds: float


def shipped_matrix() -> Matrix:
    """The Debian releases that the project itself looks at."""
    return parse_matrix((files("jobtck") / SHIPPED).read_text(encoding="utf-8"), SHIPPED, Path.cwd())


def read_matrix(path: Path) -> Matrix:
    """The matrix in a user's file; paths in it are seen from there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot read the matrix: {error}") from error
    return parse_matrix(text, str(path), path.resolve().parent)


def parse_matrix(text: str, place: str, directory: Path) -> Matrix:
    """The matrix in a TOML text; *place* names the text in complaints, *directory* is where paths begin."""
    content = parse_toml(text, place)
    for key in content:
        if key not in TOP:
            raise BadInput(f"{at(place, text, key)}: no key {key!r}: the keys are {', '.join(TOP)}")
    tables = content.get(INSTALLATION)
    if tables is None:
        raise BadInput(f"{place}: no installation is named: write tables [[{INSTALLATION}]]")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadInput(f"{at(place, text, INSTALLATION)}: write [[{INSTALLATION}]], in two brackets")
    if not 0 < len(tables) <= INSTALLATIONS_MAX:
        where = at(place, text, INSTALLATION)
        raise BadInput(f"{where}: {len(tables)} installations: name one at least, and {INSTALLATIONS_MAX} at most")
    found = tuple(_Table(table, number, text, place).installation(directory) for number, table in enumerate(tables))
    for number, each in enumerate(found):
        if each.name.lower() in {other.name.lower() for other in found[:number]}:
            where = at(place, text, *(INSTALLATION,) * (number + 1), "name")
            raise BadInput(f"{where}: two installations are called {each.name!r}: their results would be one")
    return Matrix(found, _pairs(content, text, place), _seed(content, text, place), _budget(content, text, place))


@dataclass(frozen=True, slots=True)
class _Table:
    """One [[installation]] of the text, the *number*-th from 0."""

    table: Mapping[str, object]
    number: int
    text: str
    place: str

    def installation(self, directory: Path) -> Installation:
        for key in self.table:
            if key not in KEYS:
                raise BadInput(f"{self._at(key)}: no key {key!r}: the keys are {', '.join(KEYS)}")
        name = self._text("name", NAME, "letters, digits, dots, dashes, at most 40")
        kinds = [kind for kind in KINDS if kind in self.table]
        if len(kinds) != 1:
            told = " and ".join(kinds) or "none of them"
            raise BadInput(f"{self._at()}: an installation is one of {', '.join(KINDS)}, and {name!r} has {told}")
        if "mirror" in self.table and "debian" not in self.table:
            raise BadInput(f"{self._at('mirror')}: 'mirror' is where a Debian release comes from: write debian = too")
        match kinds[0]:
            case "host":
                if self.table["host"] is not True:
                    raise BadInput(f"{self._at('host')}: host = {self.table['host']!r}: write true, or nothing")
                return Installation(name)
            case "wrapper":
                return Installation(name, wrapper=self._wrapper(directory))
            case _:
                suite = self._text("debian", SUITE, "the name of a release, as 'trixie'")
                mirror = self._text("mirror", MIRROR, "a URL") if "mirror" in self.table else ""
                return Installation(name, debian=suite, mirror=mirror)

    def _wrapper(self, directory: Path) -> tuple[str, ...]:
        told = self._text("wrapper", re.compile(r".*\S.*"), "a command, as 'libvirt/build/run'")
        try:
            program, *arguments = shlex.split(told)
        except ValueError as error:
            raise BadInput(f"{self._at('wrapper')}: wrapper = {told!r}: this is no command: {error}") from error
        path = str(directory / Path(program).expanduser()) if "/" in program else program
        found = shutil.which(path)
        if found is None:
            raise BadInput(f"{self._at('wrapper')}: the program {program!r} is not there, or cannot be executed")
        return (found, *arguments)

    def _text(self, key: str, form: re.Pattern[str], wanted: str) -> str:
        if key not in self.table:
            raise BadInput(f"{self._at()}: {key!r} is missing")
        value = self.table[key]
        if not isinstance(value, str) or not form.fullmatch(value):
            raise BadInput(f"{self._at(key)}: {key} = {value!r}: write {wanted}")
        return value

    def _at(self, *keys: str) -> str:
        return at(self.place, self.text, *(INSTALLATION,) * (self.number + 1), *keys)


def _pairs(content: Mapping[str, object], text: str, place: str) -> tuple[Pair, ...]:
    if "judge" not in content:
        return DEFAULT_PAIRS
    told, where = content["judge"], at(place, text, "judge")
    if not isinstance(told, list) or not told or not all(isinstance(each, str) for each in told):
        raise BadInput(f'{where}: judge = {told!r}: write a list, as ["libvirt as default-job", "qemu-jobs"]')
    pairs = tuple(_pair(str(each), where) for each in told)
    if len(set(pairs)) < len(pairs):
        raise BadInput(f"{where}: one backend is to play one design twice: name it once")
    return pairs


def _pair(told: str, where: str) -> Pair:
    backend, _, design = (part.strip() for part in told.partition(" as "))
    if backend not in backend_names():
        raise BadInput(f"{where}: no backend {backend!r}: there are {', '.join(backend_names())}")
    plugin = load_backend(backend)
    design = design or plugin.default_design
    if design not in plugin.designs:
        raise BadInput(f"{where}: {backend} does not play {design!r}: it plays {', '.join(plugin.designs)}")
    return backend, design


def _seed(content: Mapping[str, object], text: str, place: str) -> int:
    seed = content.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise BadInput(f"{at(place, text, 'seed')}: seed = {seed!r}: write a whole number")
    return seed


def _budget(content: Mapping[str, object], text: str, place: str) -> float:
    budget = content.get("budget", BUDGET_SECONDS)
    wanted = f"seconds from {BUDGET_MIN_SECONDS:.0f} to {BUDGET_MAX_SECONDS:.0f}"
    if isinstance(budget, bool) or not isinstance(budget, int | float):
        raise BadInput(f"{at(place, text, 'budget')}: budget = {budget!r}: write {wanted}")
    if not BUDGET_MIN_SECONDS <= budget <= BUDGET_MAX_SECONDS:
        raise BadInput(f"{at(place, text, 'budget')}: budget = {budget!r}: write {wanted}")
    return float(budget)
