"""What became of each mutant, a line of JSON each; and the survivors, sorted by hand."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
from c_mutations import Mutation

from jobtck.conformance.errors import BadInput

Key = tuple[str, int, int, str, str]  # what tells a mutation from others of the same source


class End(StrEnum):
    """How it ended."""

    KILLED = "killed"  # something got worse, and was named
    INCOMPLETE = "incomplete"  # something was not judged any more
    ERROR = "error"  # nothing could be judged
    HUNG = "hung"  # the run did not end
    SURVIVED = "survived"
    NOT_COMPILED = "not compiled"


class Sort(StrEnum):
    """Why a mutant survived."""

    EQUIVALENT = "equivalent"
    NOT_CALLED = "no call reaches it"
    NOT_DEMANDED = "no requirement speaks of it"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Judged:
    """One mutant, or the unchanged source where `mutation` is None; `number` is its place in the draw.

    `by` is the run that ended it: quick or default. `seconds` are those of all its runs, `calls` those of the last one,
    in its main lanes, and `shortest` is the number of calls that show what deviates. `told` is what the last run said.
    """

    date: str
    kit: str
    source: str
    version: str
    seed: int
    number: int
    mutation: Mutation | None
    end: End
    by: str = ""
    status: int | None = None
    requirements: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    build_seconds: float = 0.0
    seconds: float = 0.0
    calls: int = 0
    shortest: int = 0

    @property
    def is_noticed(self) -> bool:
        """Whoever holds a run against the unchanged source would have noticed."""
        return self.end not in (End.SURVIVED, End.NOT_COMPILED)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What was found out about one survivor."""

    file: str
    line: int
    column: int
    operator: str
    now: str
    sort: Sort
    why: str

    @property
    def key(self) -> Key:
        """The mutation that it is about."""
        return self.file, self.line, self.column, self.operator, self.now


@dataclass(frozen=True, slots=True)
class _Survivors:
    """A file of survivors; their lines are those of one source."""

    source: str
    survivor: tuple[Sorted, ...] = ()


def key_of(mutation: Mutation) -> Key:
    """What tells the mutation from others; its text on one line, for people write it down."""
    now = " ".join(mutation.now.split())
    return mutation.file, mutation.line, mutation.column, str(mutation.operator), now


def read_record(path: Path) -> list[Judged]:
    """All lines of the record; one that was cut off as it was written is none."""
    lines: list[Judged] = []
    for text in path.read_bytes().splitlines() if path.exists() else ():
        try:
            lines.append(msgspec.json.decode(text, type=Judged))
        except msgspec.MsgspecError:
            continue
    return lines


def append(path: Path, line: Judged) -> None:
    """The line is in the record, whatever happens next; it begins a line also after one that was cut off."""
    with path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def of_one_measurement(lines: Sequence[Judged], kit: str, source: str, seed: int) -> list[Judged]:
    """The lines of one kit, one source and one draw: others say nothing about it."""
    return [each for each in lines if (each.kit, each.source, each.seed) == (kit, source, seed)]


def read_sorted(path: Path, source: str) -> dict[Key, Sorted]:
    """The survivors of that source that were sorted by hand, from a TOML file; none if it is about another source."""
    try:
        content = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Survivors)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise BadInput(f"{path}: cannot read the sorted survivors: {error}") from error
    found: dict[Key, Sorted] = {}
    for each in content.survivor:
        place = f"{path}: {each.file}:{each.line}:{each.column}, {each.operator}"
        if each.key in found:
            raise BadInput(f"{place}: it is sorted twice")
        if not each.why.strip():
            raise BadInput(f"{place}: it does not say why")
        found[each.key] = each
    return found if content.source == source else {}


def stale(entries: Mapping[Key, Sorted], lines: Sequence[Judged]) -> list[Sorted]:
    """Entries about mutants that did not survive: the reason that they give is no longer true."""
    ends = {key_of(each.mutation): each.end for each in lines if each.mutation is not None}
    return [entry for key, entry in entries.items() if ends.get(key, End.SURVIVED) is not End.SURVIVED]
