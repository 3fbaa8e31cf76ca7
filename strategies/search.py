"""The machine: Hypothesis draws programs until the time is up; what it finds is kept in its database."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase
from hypothesis.errors import FlakyFailure

from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS

PROGRAM_BYTES = BYTES_PER_CALL * PROGRAM_CALLS
ROUND_EXAMPLES = 100  # programs in one run of Hypothesis; it begins each run with what its database kept


class Deviated(Exception):
    """A program ended in a deviation that was not known yet: Hypothesis keeps the program."""


def search(
    play: Callable[[bytes], bool], stop: Callable[[], bool], random_seed: int, database: Path | None = None
) -> None:
    """Draws programs until *stop* says so; *play* runs one, and says whether it showed a deviation that is new."""
    kept = InMemoryExampleDatabase() if database is None else DirectoryBasedExampleDatabase(str(database))
    round_number = 0
    while not stop():
        # a program that deviated once and then not: whether it happens again is found out on fresh guests
        with suppress(Deviated, FlakyFailure):
            _round(play, stop, kept, random_seed + round_number)()
        round_number += 1


def _round(
    play: Callable[[bytes], bool], stop: Callable[[], bool], kept: ExampleDatabase, random_seed: int
) -> Callable[[], None]:
    news: set[bytes] = set()

    @settings(
        max_examples=ROUND_EXAMPLES,
        database=kept,
        deadline=None,
        phases=(Phase.reuse, Phase.generate),
        suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @seed(random_seed)  # below the settings, or it takes the database from them
    @given(program=st.binary(min_size=PROGRAM_BYTES, max_size=PROGRAM_BYTES))
    def one_round(program: bytes) -> None:
        if program in news:
            raise Deviated  # Hypothesis makes sure; the backend need not be asked again
        if stop():
            return
        if play(program):
            news.add(program)
            raise Deviated

    return one_round
