"""Repeats the default run until there were enough of it, and counts every verdict but the expected one.

Every third run has busy processes beside it. A run is a line in a file, and the same command goes on after the last
line, so that a soak of hours may be ended at any time. What another kit has judged does not count. It ends with 0 if
every run ended as expected.
"""

import argparse
import json
import os
import re
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from jobtck.command import terminated_as_interrupted
from jobtck.conformance.errors import JobtckError
from jobtck.conformance.record import EXIT_STATUS, Deviation, Record, RunRecord, RunVerdict, Verdict, judged_below
from jobtck.conformance.wording import call_text
from jobtck.fixtures import debian_roots
from jobtck.fixtures.debian_roots import Recipe
from jobtck.fixtures.guarded import Guarded, last_words
from jobtck.kit import kit_digest, kit_requirements, pip_environment, this_kit
from jobtck.matrices import Installation, read_matrix
from jobtck.matrix import OUTPUT, ROOTS, default_cache
from jobtck.results import read_result

HOST = Installation("here")
BUSY = (sys.executable, "-I", "-S", "-c", "while True: pass")
BUSY_PROCESSES, BUSY_EVERY = 8, 3
HANGS_AFTER_SECONDS = 900.0
POLL_SECONDS = 0.2
CALLS_TOLD = 4  # the last ones of what deviated; all are in the report that is kept
DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Line:
    """One run, as it is kept."""

    date: str
    kit: str
    arguments: tuple[str, ...]
    installation: str
    release: str
    number: int
    busy: int  # processes beside it
    status: int | None  # None: it did not end
    seconds: float
    verdict: str
    unexpected: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_expected(self) -> bool:
        """The run ended as runs of an installation whose deviations are all listed should."""
        return self.status == EXIT_STATUS[RunVerdict.CONFORMING] and not self.unexpected


def read_lines(path: Path) -> list[Line]:
    """The runs that the file holds; a line that was cut off as it was written is none."""
    lines: list[Line] = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(ValueError):
            content = json.loads(text)
            for name in ("arguments", "unexpected", "notes"):
                content[name] = tuple(content[name])
            lines.append(Line(**content))
    return lines


def append(path: Path, line: Line) -> None:
    """The line is in the file, whatever happens next."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line)) + "\n")
        file.flush()
        os.fsync(file.fileno())


class Soak:
    """Runs that are repeated, and where they are kept."""

    def __init__(self, path: Path, cache: Path, arguments: Sequence[str], stop: threading.Event) -> None:
        self._path = path
        self._roots = cache / ROOTS
        self._arguments = tuple(arguments)
        self._stop = stop
        path.parent.mkdir(parents=True, exist_ok=True)

    def lines_of(self, installation: Installation) -> list[Line]:
        """The runs of that installation that were made by this kit, and in the same way."""
        asked = (kit_digest(), self._arguments, installation.name)
        return [each for each in read_lines(self._path) if (each.kit, each.arguments, each.installation) == asked]

    def repeat(self, installation: Installation, runs: int) -> None:
        """The file has so many runs of that installation."""
        for number in range(len(self.lines_of(installation)) + 1, runs + 1):
            line = self._run(installation, number)
            append(self._path, line)
            told = f"{line.installation} {line.release}, run {number}"
            told += f" beside {line.busy} busy processes" if line.busy else ""
            print(f"{told}: {line.verdict}, {line.seconds:.0f} s", flush=True)

    def _run(self, installation: Installation, number: int) -> Line:
        directory = self._path.with_name(f"{self._path.name}.reports") / f"{installation.name}-{number:03}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        busy = BUSY_PROCESSES if number % BUSY_EVERY == 0 else 0
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self._place(installation, directory, number) as (command, environment), busy_processes(busy):
            began = time.monotonic()
            status = self._ended(Guarded(command, directory / OUTPUT, environment))
            seconds = time.monotonic() - began
        release, verdict, unexpected, notes = said_in(directory)
        return Line(
            date=date,
            kit=kit_digest(),
            arguments=self._arguments,
            installation=installation.name,
            release=release,
            number=number,
            busy=busy,
            status=status,
            seconds=round(seconds, 1),
            verdict="did not end" if status is None else verdict,
            unexpected=unexpected,
            notes=notes,
        )

    def _ended(self, running: Guarded) -> int | None:
        deadline = time.monotonic() + HANGS_AFTER_SECONDS
        status: int | None = None
        try:
            while status is None and time.monotonic() < deadline:
                status = running.wait(POLL_SECONDS)
        finally:
            running.end()
        return status

    @contextmanager
    def _place(
        self, installation: Installation, directory: Path, number: int
    ) -> Iterator[tuple[Sequence[str], Mapping[str, str] | None]]:
        """The command of a run, and its environment, while the installation is held."""
        results = directory.resolve() if not installation.debian else Path(debian_roots.RESULTS)
        run = ["-m", "jobtck.cli", "run", "--seed", str(number), "-o", str(results), *self._arguments]
        if not installation.debian:
            yield [*installation.wrapper, sys.executable, *run], None
            return
        recipe = Recipe(installation.debian, installation.mirror, kit_requirements(), pip_environment())
        debian_roots.check_prerequisites(making=not debian_roots.is_whole(self._roots, recipe))
        with debian_roots.held(self._roots, recipe, directory / "root.txt", self._stop.is_set) as root:
            inner = [f"{debian_roots.ENVIRONMENT}/bin/python", *run]
            yield debian_roots.using(root, directory.resolve(), this_kit(), inner), debian_roots.inner_environment()


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that do nothing but work, until the block ends."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.callback(Guarded(BUSY, Path(os.devnull)).end)
        yield


# -- what a run said --------------------------------------------------------------------------------------------------


def said_in(directory: Path) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    """The release, the verdict, what was not expected, and the notes of a run."""
    try:
        run = read_result(directory)
    except JobtckError as error:
        return "", last_words(directory / OUTPUT) or "no report", (str(error),), ()
    releases = [judged_below(record.target.versions)[1] for record in run.records]
    unexpected = [run.error] if run.error else []
    unexpected += [sentence for record in run.records for sentence in _unexpected(record)]
    return next(filter(None, releases), ""), str(run.verdict), tuple(unexpected), tuple(_notes(run))


def _unexpected(record: Record) -> Iterator[str]:
    """What a run of an installation whose deviations are all listed should not say."""
    name = record.target.design.name
    for each in record.requirements:
        if each.verdict is Verdict.FAIL:
            yield from (_told(name, each.id, deviation) for deviation in each.deviations)
        elif each.is_missed:
            yield f"{name}: {each.id} was not exercised: {each.reason}"
    for known in record.stale_known:
        yield f"{name}: {known.requirement} is listed and did not happen"
    for call in record.unkept_calls:
        yield f"{name}: {call} is declared and was never supported"


def _told(name: str, id: str, deviation: Deviation) -> str:
    calls = "; ".join(f"{call_text(line.call)} -> {line.answer}" for line in deviation.lines[-CALLS_TOLD:])
    before = len(deviation.lines) - CALLS_TOLD
    first = f"{before} calls; " if before > 0 else ""
    again = deviation.not_again or f"reproduced {deviation.reproduced} of {deviation.runs}"
    return f"{name}: {id}, met {deviation.met} of {deviation.exercised}, {again}: {first}{calls}"


def _notes(run: RunRecord) -> Iterator[str]:
    for record in run.records:
        yield from (f"{record.target.design.name}: {note}" for note in record.notes)
        for each in record.requirements:
            if each.verdict is Verdict.KNOWN and each.reason:
                yield f"{record.target.design.name}: {each.id}: {each.reason}"


# -- the table --------------------------------------------------------------------------------------------------------


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The runs of each installation: how they ended, how long they took, and what they said how often."""
    yield f"{'installation':24} {'runs':>5} {'busy':>5} {'expected':>9} {'seconds':>15}  verdicts"
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(f"{line.installation} {line.release}".rstrip(), []).append(line)
    for name, group in groups.items():
        seconds = sorted(line.seconds for line in group)
        verdicts = Counter(f"{line.verdict} ({line.status})" for line in group)
        yield (
            f"{name:24} {len(group):5} {sum(line.busy > 0 for line in group):5} "
            f"{sum(line.is_expected for line in group):9} {seconds[0]:7.0f}-{seconds[-1]:<7.0f}  "
            f"{', '.join(f'{times} {verdict}' for verdict, times in verdicts.most_common())}"
        )
    for name, group in groups.items():
        for what in ("unexpected", "notes"):
            said = Counter(alike for line in group for alike in {DIGITS.sub("N", each) for each in getattr(line, what)})
            yield from (f"{name}: {what}, {times} of {len(group)}: {each}" for each, times in said.most_common())


def installations_in(options: argparse.Namespace) -> Sequence[Installation]:
    """The installations that are asked for; without any it is this machine's."""
    found = list(read_matrix(options.matrix).installations) if options.matrix else []
    found += [Installation(suite, debian=suite) for suite in options.debian]
    return found or [HOST]


def main() -> int:
    """Makes the runs that are missing, and prints the table of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="a line for each run; reports are kept in a directory beside it")
    parser.add_argument("--runs", type=int, default=0, help="so many of each installation; without it, only the table")
    parser.add_argument("--matrix", type=Path, help="installations of a file as 'jobtck matrix' reads")
    parser.add_argument("--debian", action="append", default=[], metavar="SUITE", help="a release, in its root")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where roots are kept")
    parser.epilog = "What follows -- is given to 'jobtck run', as in: -- --quick"
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:at])
    stop = threading.Event()
    soak = Soak(options.file, options.cache, sys.argv[at + 1 :], stop)
    installations = installations_in(options)
    try:
        with terminated_as_interrupted(stop):
            for each in installations:
                soak.repeat(each, options.runs)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on", file=sys.stderr)
    lines = [line for each in installations for line in soak.lines_of(each)]
    print(*table(lines), sep="\n")
    return int(not all(line.is_expected for line in lines))


if __name__ == "__main__":
    sys.exit(main())
