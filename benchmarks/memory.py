"""Shows what memory a judged walk takes, in sessions of 200 calls and in one that never ends."""

import argparse
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jobtck.conformance.design import presets
from jobtck.conformance.judge import Judge
from jobtck.conformance.session import Session
from jobtck.conformance.tally import Tally
from jobtck.fixtures.reference import ReferenceTarget
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import BYTES_PER_CALL, PROGRAM_CALLS, run_program

MIB = 1024 * 1024
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5, 0.75, 1.0)  # of all calls, after which memory is measured


def resident_mib() -> float:
    """The memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def tell(session: Session) -> bool:
    """The reference conforms: a deviation would end the walk, and the measurement with it."""
    step = session.history[-1].step
    sys.exit(f"{', '.join(step.deviations)}: {step.call} ended in {step.outcome}")


def endless(new_session: Callable[[], Session]) -> Iterator[Session]:
    """One session, for ever."""
    session = new_session()
    while True:
        yield session


def short(new_session: Callable[[], Session]) -> Iterator[Session]:
    """A session for each program."""
    while True:
        yield new_session()


SESSIONS = {"short": short, "endless": endless}


def walk(design_name: str, sessions: str, calls: int, seed: int) -> None:
    """Makes that many calls and prints what they held, a line for each share."""
    design = presets()[design_name]
    target = ReferenceTarget(design)
    judge = Judge(design, target.capabilities)
    alphabet = Alphabet(design, target.capabilities)
    backend, tally, chance = target.fresh(), Tally(), random.Random(seed)

    def new_session() -> Session:
        backend.end_all_jobs()
        return Session(judge, backend, tally)

    marks = [int(calls * share) for share in SHARES]
    print(f"{design_name}, {sessions} sessions, {resident_mib():.1f} MiB before the first call")
    began = time.perf_counter()
    for session in SESSIONS[sessions](new_session):
        run_program(chance.randbytes(BYTES_PER_CALL * PROGRAM_CALLS), session, alphabet, tell)
        if tally.calls >= marks[0]:
            seconds = time.perf_counter() - began
            print(f"{tally.calls:>12,} calls {resident_mib():8.1f} MiB {seconds:8.1f} s", flush=True)
            del marks[0]
        if not marks:
            return


def main() -> None:
    """Reads the options and walks."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=10_000_000)
    options.add_argument("--design", choices=list(presets()), default="zero-id")
    options.add_argument("--sessions", choices=list(SESSIONS), default="endless")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    walk(given.design, given.sessions, given.calls, given.seed)


if __name__ == "__main__":
    main()
