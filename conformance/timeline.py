"""Many results in the order of time: since when each requirement and cell stands as it does, how often, how flaky."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from jobtck.conformance.record import Verdict

BUCKETS = 120  # columns of a plot: more cannot be told apart
TARGETS_MAX = 64  # backends and designs followed
REQUIREMENTS_MAX = 2_000  # of one target; the catalogue has some hundred
CELLS_MAX = 50_000  # of one target; the largest design has some 17,000 cells
WORDS_MAX = 1_000  # characters of a cell; longer are none of the kit's
ANSWERS_MAX = 40  # different answers of a cell told apart

# Worst last: a bucket shows the worst that it holds.
RANKS: Sequence[str] = ("", Verdict.PASS, Verdict.UNSUPPORTED, Verdict.NOT_EXERCISED, Verdict.KNOWN, Verdict.FAIL)
STEADY, VARIED, CHANGED = 1, 2, 3  # what a bucket says of a cell


@dataclass(frozen=True, slots=True)
class Moment:
    """One result in the row: its place, when it was made (UTC), and the release that was judged."""

    place: int
    date: str
    name: str
    version: str = ""


@dataclass(slots=True)
class Track:
    """How one thing stood, result after result; `marks` has a number for each bucket of the whole time."""

    standing: str
    since: Moment
    before: str = ""
    told: int = 0
    changes: int = 0
    varied: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    marks: bytearray = field(default_factory=lambda: bytearray(BUCKETS))

    @property
    def flakiness(self) -> float:
        """The share of results that were otherwise than the one before, or otherwise within themselves."""
        return min(1.0, (self.changes + self.varied) / (self.told - 1)) if self.told > 1 else 0.0

    @property
    def is_steady(self) -> bool:
        """It always stood the same."""
        return not self.changes and not self.varied

    def turn(self, standing: str, now: Moment) -> None:
        """From now on it stands otherwise."""
        self.before, self.standing, self.since = self.standing, standing, now
        self.changes += 1

    def mark(self, bucket: int, rank: int) -> None:
        """The bucket shows that, if nothing graver."""
        self.marks[bucket] = max(self.marks[bucket], rank)


class ToldCell(Protocol):
    """A cell as a result tells it."""

    @property
    def state(self) -> str:
        """The state in words."""
        ...

    @property
    def call(self) -> str:
        """The call in words."""
        ...

    @property
    def outcome(self) -> str:
        """What was told."""
        ...

    @property
    def sure(self) -> bool:
        """The state is the only one that may have been true."""
        ...


@dataclass(slots=True)
class Followed:
    """A design on a backend through all results that judged it."""

    backend: str
    design: str
    results: int = 0
    last: Moment | None = None
    requirements: dict[str, Track] = field(default_factory=dict)
    cells: dict[tuple[str, str], Track] = field(default_factory=dict)
    left_out: int = 0  # requirements and cells beyond the limits

    def add_requirements(self, told: Iterable[tuple[str, str, bool]], now: Moment, bucket: int) -> None:
        """The requirements of one result: id, verdict, and whether it deviates not every time."""
        for id, verdict, varies in told:
            track = self.requirements.get(id)
            if track is None:
                if len(self.requirements) >= REQUIREMENTS_MAX or len(id) > WORDS_MAX:
                    self.left_out += 1
                    continue
                track = self.requirements[id] = Track(verdict, now)
            elif track.standing != verdict:
                track.turn(verdict, now)
            track.told += 1
            track.varied += varies
            track.counts[verdict] += 1
            track.mark(bucket, RANKS.index(verdict))

    def add_cells(self, told: Iterable[ToldCell], now: Moment, bucket: int) -> None:
        """The cells of one result, of which the state was sure."""
        sure = (each for each in told if each.sure)
        for key, records in groupby(sure, key=lambda each: (each.state, each.call)):
            outcomes = [each.outcome for each in records]
            standing = outcomes[0] if len(outcomes) == 1 else " or ".join(sorted(set(outcomes)))
            track = self.cells.get(key)
            if track is None:
                if len(self.cells) >= CELLS_MAX or sum(map(len, (*key, standing))) > WORDS_MAX:
                    self.left_out += 1
                    continue
                track = self.cells[key] = Track(standing, now)
            elif track.standing != standing:
                self._moved(track, standing, now, bucket)
            track.told += 1
            if not track.marks[bucket]:
                track.marks[bucket] = STEADY

    def _moved(self, track: Track, standing: str, now: Moment, bucket: int) -> None:
        """The cell answers otherwise; where it does so beside what it answered before, it only varies."""
        if set(standing.split(" or ")) & set(track.standing.split(" or ")):
            track.varied += 1
            track.mark(bucket, VARIED)
        else:
            track.turn(standing[:WORDS_MAX], now)
            track.mark(bucket, CHANGED)
        if len(track.counts) < ANSWERS_MAX:
            track.counts[standing[:WORDS_MAX]] += 1


@dataclass(slots=True)
class Timeline:
    """All that was read: targets, and files that could not be; of the latter the first are named."""

    results: int
    followed: dict[tuple[str, str], Followed] = field(default_factory=dict)
    read: int = 0
    damaged: list[str] = field(default_factory=list)
    damaged_count: int = 0
    first: str = ""
    last: str = ""

    def bucket(self, place: int) -> int:
        """The column of a result in a plot."""
        return min(BUCKETS - 1, place * BUCKETS // max(BUCKETS, self.results))

    def target(self, backend: str, design: str) -> Followed | None:
        """What is followed of that target; None where there are too many."""
        found = self.followed.get((backend, design))
        if found is None and len(self.followed) < TARGETS_MAX:
            found = self.followed[backend, design] = Followed(backend[:WORDS_MAX], design[:WORDS_MAX])
        return found
