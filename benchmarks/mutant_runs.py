"""Judges mutants of libvirt: the quick run on each, the default run on what survives that."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from c_mutations import Mutation, drawn, mutations
from libvirt_tree import JUDGED_FILES, Tree, ended, environment
from mutant_record import End, Judged, append, key_of, of_one_measurement, read_record
from reached_lines import (
    Reached,
    counted,
    forget_counts,
    is_looked_at,
    preloaded,
    read_reached,
    write_reached,
)

from jobtck.conformance.errors import BackendFailure, JobtckError
from jobtck.conformance.record import EXIT_STATUS, RunRecord, RunVerdict
from jobtck.fixtures.guarded import Guarded, last_words
from jobtck.kit import kit_digest
from jobtck.results import read_result

# How long each sort of run may take; one takes half a minute, the other two minutes, and a busy machine is slower.
HANGS_AFTER_SECONDS: Mapping[str, float] = {"quick": 400.0, "default": 1000.0}
ARGUMENTS: Mapping[str, tuple[str, ...]] = {"quick": ("--quick",), "default": ()}
CONTROL_EVERY = 10  # so many mutants after each judgement of the unchanged source
TRIES_MAX, PAUSE_SECONDS = 10, 60.0  # where the machine is too busy for the unchanged source
SENTENCES_KEPT = 6
USAGE_STATUS = 2
OUTPUT = "output.txt"
ENDS: Mapping[int, End] = {
    EXIT_STATUS[RunVerdict.CONFORMING]: End.SURVIVED,
    EXIT_STATUS[RunVerdict.NONCONFORMING]: End.KILLED,
    EXIT_STATUS[RunVerdict.INCOMPLETE]: End.INCOMPLETE,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the kit; without a status it did not end."""

    status: int | None
    seconds: float
    result: RunRecord | None
    last_words: str

    @property
    def end(self) -> End:
        """What the run says of a mutant."""
        if self.status is None:
            return End.HUNG
        return End.ERROR if self.result is None else ENDS.get(self.status, End.ERROR)


class Measurement:
    """A record, with what it rests on: reports, baselines and the lines that are reached."""

    def __init__(self, record: Path, tree: Tree, seed: int) -> None:
        self._record, self._tree, self._seed = record, tree, seed
        self._reports = record.with_name(f"{record.name}.reports")
        self._reports.mkdir(parents=True, exist_ok=True)
        self._kit, self._source = kit_digest(), tree.digest()

    # -- what it rests on ------------------------------------------------------------------------------------------

    def prepare(self) -> Reached:
        """The lines that are reached, and baselines of the unchanged source; both of this kit."""
        path = reached_of(self._record)
        known = read_reached(path)
        if known is not None and (known.kit, known.source) == (self._kit, self._source):
            return known
        for name in ARGUMENTS:
            print(f"the unchanged source, {name}: the baseline", flush=True)
            self._usable(self._run(name, self._baseline(name), environment(self._tree.plain)), "baseline")
        counts = {name: self._reached(name) for name in ARGUMENTS}
        reached = Reached(self._kit, self._source, self._tree.version, 0, **counts)
        reached = replace(reached, mutations=len(self.draw(reached)))
        write_reached(path, reached)  # last: what is measured by half is measured again
        return reached

    def _reached(self, name: str) -> dict[str, dict[str, int]]:
        print(f"the unchanged source, {name}: the lines that are reached", flush=True)
        build, directory = self._tree.with_coverage, self._reports / f"coverage-{name}"
        forget_counts(build)
        run = self._run(name, directory, {**environment(build), "LD_PRELOAD": str(preloaded(self._reports))})
        self._usable(run, "run that counts lines")
        return counted(build)

    def _usable(self, run: Run, what: str) -> None:
        if run.result is None or run.result.error or not any(record.cells for record in run.result.records):
            raise BackendFailure(f"the {what} judged nothing of the unchanged source: {run.last_words}")

    def _baseline(self, name: str) -> Path:
        return self._reports / f"baseline-{name}"

    def draw(self, reached: Reached) -> list[Mutation]:
        """All mutations on lines that are reached, in the order of the draw."""
        found = [each for file in JUDGED_FILES for each in mutations(file, self._tree.text(file))]
        looked_at = [each for each in found if is_looked_at(each.file, each.function) and reached.holds(each)]
        return drawn(looked_at, self._seed)

    # -- judging ---------------------------------------------------------------------------------------------------

    def judge(self, draw: Sequence[Mutation], count: int) -> None:
        """The record has the first so many of the draw, and the unchanged source now and then."""
        done = of_one_measurement(read_record(self._record), self._kit, self._source, self._seed)
        judged = {key_of(each.mutation) for each in done if each.mutation is not None}
        controls = sum(each.mutation is None for each in done)
        for number, mutation in enumerate(draw[:count], start=1):
            if controls * CONTROL_EVERY < number:
                self._keep(self._judged(number, None))
                controls += 1
            if key_of(mutation) not in judged:
                self._keep(self._believed(number, mutation))

    def _believed(self, number: int, mutation: Mutation) -> Judged:
        """What became of the mutant; what names nothing is believed only if the unchanged source passes right after."""
        for _ in range(TRIES_MAX):
            line = self._judged(number, mutation)
            if line.requirements or line.end in (End.KILLED, End.SURVIVED, End.NOT_COMPILED):
                return line
            control = self._judged(number, None)
            self._keep(control)
            if control.end is End.SURVIVED:
                return line
            print(f"{number}: judged again later: the machine is too busy", flush=True)
            time.sleep(PAUSE_SECONDS)
        raise BackendFailure("the machine is too busy: the unchanged source is not judged whole; go on when it is not")

    def _keep(self, line: Judged) -> None:
        append(self._record, line)
        what = "the unchanged source" if line.mutation is None else f"{line.mutation.place} {line.mutation.operator}"
        by = f" by {', '.join(line.requirements) or 'no requirement'} in {line.by}" if line.is_noticed else ""
        print(f"{line.number}: {what}: {line.end}{by}, {line.build_seconds + line.seconds:.0f} s", flush=True)

    def _judged(self, number: int, mutation: Mutation | None) -> Judged:
        line = Judged(
            date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            kit=self._kit,
            source=self._source,
            version=self._tree.version,
            seed=self._seed,
            number=number,
            mutation=mutation,
            end=End.NOT_COMPILED,
        )
        try:
            return self._built_and_run(line)
        finally:
            self._tree.restore()

    def _built_and_run(self, line: Judged) -> Judged:
        if line.mutation is not None:
            self._tree.mutate(line.mutation)
        began = time.monotonic()
        complaint = self._tree.rebuild()
        line = replace(line, build_seconds=round(time.monotonic() - began, 1))
        if complaint:
            self._tree.restore()
            if line.mutation is None or self._tree.rebuild():
                raise BackendFailure(f"the unchanged source is not built any more: {complaint}")
            return replace(line, told=(complaint,))
        for name in ARGUMENTS:
            line = self._with_run(line, name)
            if line.end is not End.SURVIVED:
                break
        return line

    def _with_run(self, line: Judged, name: str) -> Judged:
        what = f"control-{line.number:04}" if line.mutation is None else f"{line.number:04}"
        directory = self._reports / f"{what}-{name}"
        baseline = self._baseline(name) / "result.json"
        run = self._run(name, directory, environment(self._tree.plain), "--baseline", str(baseline))
        if run.status == USAGE_STATUS:
            raise BackendFailure(f"jobtck run does not take what it was given: {run.last_words}")
        requirements, told, shortest = said(run)
        return replace(
            line,
            end=run.end,
            by=name,
            status=run.status,
            requirements=requirements,
            told=told,
            seconds=round(line.seconds + run.seconds, 1),
            calls=0 if run.result is None else sum(each.cost.calls for each in run.result.records),
            shortest=shortest,
        )

    def _run(self, name: str, directory: Path, surroundings: Mapping[str, str], *more: str) -> Run:
        arguments = [*ARGUMENTS[name], *more, "-o", str(directory)]
        directory.mkdir(parents=True, exist_ok=True)
        for old in (directory / OUTPUT, directory / "result.json"):
            old.unlink(missing_ok=True)
        began = time.monotonic()
        command = [sys.executable, "-m", "jobtck.cli", "run", *arguments]
        running = Guarded(command, directory / OUTPUT, surroundings)
        status = ended(running, HANGS_AFTER_SECONDS[name])
        seconds, result = time.monotonic() - began, None
        with suppress(JobtckError):
            result = read_result(directory)
        return Run(status, seconds, result, last_words(directory / OUTPUT))


def reached_of(record: Path) -> Path:
    """The file beside a record that says which lines are reached."""
    return record.with_name(f"{record.name}.reached.json")


def said(run: Run) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """The requirements that a run names as worse, its first sentences, and the fewest calls that show what is worse."""
    if run.result is None or run.result.gate is None:
        return (), (run.last_words,), 0
    gate, ids = run.result.gate, {each.id for record in run.result.records for each in record.requirements}
    worse = [each for each in gate.became if each.fails]
    named = tuple(dict.fromkeys(each.what for each in worse if each.what in ids))
    sentences = [f"{each.target}: {each.what}: {each.told}" for each in worse]
    sentences += [*gate.complaints, *gate.gaps, *([run.result.error] if run.result.error else [])]
    lengths = [
        len(deviation.lines)
        for record in run.result.records
        for deviation in record.deviations
        if set(deviation.requirements) & set(named)
    ]
    return named, tuple(sentences[:SENTENCES_KEPT]), min(lengths, default=0)
