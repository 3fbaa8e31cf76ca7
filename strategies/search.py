"""The machine: Hypothesis draws programs until the time is up; what it finds is kept in its database."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase
from hypothesis.errors import FlakyFailure

from jobtck.conformance.session import Session
from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS, run_program
from jobtck.strategies.alphabet import Alphabet

PROGRAM_BYTES = BYTES_PER_CALL * PROGRAM_CALLS
ROUND_EXAMPLES = 100  # programs in one run of Hypothesis; it begins each run with what its database kept


class Deviated(Exception):
    """A program ended in a deviation that was not known yet: Hypothesis keeps the program."""


def search(
    alphabet: Alphabet,
    new_session: Callable[[], Session],
    is_news: Callable[[Session], bool],
    stop: Callable[[], bool],
    random_seed: int,
    database: Path | None = None,
) -> None:
    """Draws programs until *stop* says so; *is_news* is told of each deviation, and says whether it is a new one."""
    kept: ExampleDatabase = (
        InMemoryExampleDatabase() if database is None else DirectoryBasedExampleDatabase(str(database))
    )
    round_number = 0
    while not stop():
        one_round = _round(alphabet, new_session, is_news, stop, kept, random_seed + round_number)
        try:
            one_round()
        except Deviated:
            pass
        except FlakyFailure:
            pass  # the deviation was told already; whether it happens again is found out on a fresh guest
        round_number += 1


def _round(
    alphabet: Alphabet,
    new_session: Callable[[], Session],
    is_news: Callable[[Session], bool],
    stop: Callable[[], bool],
    kept: ExampleDatabase,
    random_seed: int,
) -> Callable[[], None]:
    news: set[bytes] = set()

    @seed(random_seed)
    @settings(
        max_examples=ROUND_EXAMPLES,
        database=kept,
        deadline=None,
        phases=(Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(program=st.binary(min_size=PROGRAM_BYTES, max_size=PROGRAM_BYTES))
    def one_round(program: bytes) -> None:
        if stop():
            return
        if program in news:
            raise Deviated  # Hypothesis makes sure; the backend need not be asked again
        session = new_session()
        if run_program(program, session, alphabet, is_news, stop):
            news.add(program)
            raise Deviated

    return one_round
