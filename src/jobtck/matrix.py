"""`jobtck matrix`: the same seeds on several installations, each entry a run of its own in a process of its own."""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console

from jobtck import reportdir
from jobtck.command import terminated_as_interrupted
from jobtck.conformance.errors import BackendFailure
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.record import EXIT_STATUS, RunVerdict
from jobtck.fixtures import debian_roots
from jobtck.fixtures.debian_roots import Recipe
from jobtck.fixtures.guarded import Guarded, last_words
from jobtck.kit import kit_digest, kit_requirements, pip_environment, this_kit
from jobtck.matrices import Installation, Matrix, Pair

SCHEMA = "jobtck-entry/1"
DONE, OUTPUT, ROOTS = "entry.json", "output.txt", "roots"
MEMORY_MIB = 1_536  # of one run: a dozen guests side by side, and what they write
POLL_SECONDS = 0.2
LATE_FACTOR, LATE_SECONDS = 4, 300.0  # beyond its budget a run may be kept waiting; then it is taken to hang
ENDED_WELL = frozenset({0, 1, 3})
RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a matrix is judged: directories for results and roots, how many runs at once, and what is done anew."""

    output: Path
    cache: Path
    at_once: int
    again: bool = False
    new_roots: bool = False

    def judges_again(self, entry: "Entry") -> bool:
        """The entry is to be judged also where it has a result."""
        return self.again or (self.new_roots and bool(entry.installation.debian))


@dataclass(frozen=True, slots=True)
class Entry:
    """One installation judged as one pair; the order is all that its result depends on."""

    installation: Installation
    pair: Pair
    directory: Path
    order: JsonObject = field(hash=False)

    @property
    def title(self) -> str:
        """Which one it is, in words."""
        return f"{self.installation.name}: {self.pair[0]} as {self.pair[1]}"


def default_cache() -> Path:
    """Where roots are kept where nothing is said."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jobtck"


def as_many_as_fit() -> int:
    """How many runs there may be at once: one a processor, as far as memory goes."""
    told = Path("/proc/meminfo").read_text(encoding="ascii").split()
    free_mib = int(told[told.index("MemAvailable:") + 1]) // 1024
    return max(1, min(len(os.sched_getaffinity(0)), free_mib // MEMORY_MIB))


def entries_of(matrix: Matrix, output: Path) -> tuple[Entry, ...]:
    """The entries, by installation."""
    return tuple(_entry(matrix, each, pair, output) for each in matrix.installations for pair in matrix.pairs)


def _entry(matrix: Matrix, installation: Installation, pair: Pair, output: Path) -> Entry:
    order: JsonObject = {
        "schema": SCHEMA,
        "installation": {**asdict(installation), "wrapper": list(installation.wrapper)},
        "backend": pair[0],
        "design": pair[1],
        "seed": matrix.seed,
        "budget": matrix.budget_seconds,
        "kit": kit_digest(),
        "requirements": list(kit_requirements()),
    }
    return Entry(installation, pair, output / installation.name / RUNS / "-".join(pair), order)


def is_complete(entry: Entry) -> bool:
    """The entry was judged to the end by this very kit: doing it again would tell nothing new."""
    try:
        done = json.loads((entry.directory / DONE).read_text(encoding="utf-8"))
        result = json.loads((entry.directory / reportdir.RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    verdicts = {RunVerdict.CONFORMING, RunVerdict.NONCONFORMING}
    return bool(done == entry.order and isinstance(result, dict) and result.get("verdict") in verdicts)


class Workshop:
    """Judges the entries of a matrix; what could not be done is told, and the rest goes on."""

    def __init__(self, matrix: Matrix, place: Place, console: Console) -> None:
        self._matrix = matrix
        self._place = place
        self._console = console
        self._stop = threading.Event()
        self._recipes: Mapping[str, Recipe] = {each.name: _recipe(each) for each in matrix.installations if each.debian}
        self.failures: dict[Entry, str] = {}

    def renew_roots(self) -> None:
        """The roots of the matrix are gone, and will be made anew."""
        for recipe in self._recipes.values():
            debian_roots.forget(self._roots, recipe.suite)

    def judge(self, entries: Sequence[Entry]) -> None:
        """Each of these entries has its result, or a sentence that says why not; none keeps an earlier one."""
        for entry in entries:
            reportdir.prepare(entry.directory)
            (entry.directory / DONE).unlink(missing_ok=True)
        wanted = {entry.installation.name: entry.installation for entry in entries if entry.installation.debian}
        if wanted:
            recipes = [self._recipes[name] for name in wanted]
            whole = all(debian_roots.is_whole(self._roots, recipe) for recipe in recipes)
            debian_roots.check_prerequisites(making=not whole)
        with (
            terminated_as_interrupted(self._stop),
            ThreadPoolExecutor(self._place.at_once, thread_name_prefix="entry") as pool,
        ):
            try:
                self._judge_all(entries, list(wanted.values()), pool)
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _judge_all(self, entries: Sequence[Entry], needing_roots: Sequence[Installation], pool: Executor) -> None:
        """An entry is begun as soon as its installation is ready."""
        preparing = {pool.submit(self._prepare, each): each.name for each in needing_roots}
        judging = {pool.submit(self._judge, entry): entry for entry in entries if not entry.installation.debian}
        for prepared in as_completed(preparing):
            sentence = prepared.result()
            for entry in entries:
                if entry.installation.name != preparing[prepared]:
                    continue
                if sentence:
                    self.failures[entry] = sentence
                else:
                    judging[pool.submit(self._judge, entry)] = entry
        for judged, entry in judging.items():
            if sentence := judged.result():
                self.failures[entry] = f"{' as '.join(entry.pair)}: {sentence}"

    @property
    def _roots(self) -> Path:
        return self._place.cache / ROOTS

    def _prepare(self, installation: Installation) -> str:
        """The root of the installation is there; else why not."""
        recipe = self._recipes[installation.name]
        if not debian_roots.is_whole(self._roots, recipe):
            self._say(f"{installation.name}: making a root of Debian {recipe.suite} in {self._roots}")
        try:
            with self._root(installation):
                return ""
        except BackendFailure as failure:
            return str(failure)

    @contextmanager
    def _root(self, installation: Installation) -> Iterator[Path]:
        log = self._place.output / installation.name / "root.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        with debian_roots.held(self._roots, self._recipes[installation.name], log, self._stop.is_set) as root:
            yield root

    def _judge(self, entry: Entry) -> str:
        """The entry has its result; else why not."""
        try:
            for remembered in (reportdir.DATABASE, reportdir.STORAGE):  # the same seed does the same
                shutil.rmtree(entry.directory / remembered, ignore_errors=True)
            (entry.directory / OUTPUT).write_bytes(b"")
            began = time.monotonic()
            self._say(f"{entry.title}: begun")
            status = self._status(entry)
        except BackendFailure as failure:
            return str(failure)
        if status not in ENDED_WELL:
            return self._why(entry, status)
        (entry.directory / DONE).write_text(json.dumps(entry.order, indent=2) + "\n", encoding="utf-8")
        verdict = next(verdict for verdict, code in EXIT_STATUS.items() if code == status)
        self._say(f"{entry.title}: {verdict}, after {time.monotonic() - began:.0f} s")
        return ""

    def _status(self, entry: Entry) -> int | None:
        if not entry.installation.debian:
            command = [*entry.installation.wrapper, sys.executable, *_arguments(entry, entry.directory.resolve())]
            return self._run(entry, command, None)
        with self._root(entry.installation) as root:
            python = f"{debian_roots.ENVIRONMENT}/bin/python"
            inner = [python, *_arguments(entry, Path(debian_roots.RESULTS))]
            command = debian_roots.using(root, entry.directory.resolve(), this_kit(), inner)
            return self._run(entry, command, debian_roots.inner_environment())

    def _run(self, entry: Entry, command: Sequence[str], environment: Mapping[str, str] | None) -> int | None:
        running = Guarded(command, entry.directory / OUTPUT, environment)
        deadline = time.monotonic() + self._matrix.budget_seconds * LATE_FACTOR + LATE_SECONDS
        status: int | None = None
        try:
            while status is None and not self._stop.is_set() and time.monotonic() < deadline:
                status = running.wait(POLL_SECONDS)
        finally:
            running.end()
        return status

    def _why(self, entry: Entry, status: int | None) -> str:
        if self._stop.is_set():
            return "interrupted"
        if status is None:
            return "it did not end, long after its time was up"
        return last_words(entry.directory / OUTPUT) or f"it ended with status {status}"

    def _say(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _recipe(installation: Installation) -> Recipe:
    return Recipe(installation.debian, installation.mirror, kit_requirements(), pip_environment())


def _arguments(entry: Entry, results: Path) -> list[str]:
    """The run of an entry, for Python."""
    backend, design = entry.pair
    searched = ["--seed", str(entry.order["seed"]), "--budget", str(entry.order["budget"])]
    return ["-m", "jobtck.cli", "run", "--backend", backend, "--design", design, *searched, "-o", str(results)]
