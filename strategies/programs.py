"""A program is a string of bytes: two for each call, read as a choice among what can be tried there and then."""

from collections.abc import Callable

from jobtck.conformance.session import Session
from jobtck.strategies.prospect import Prospect

PROGRAM_CALLS = 200  # long sessions find what short ones never reach
SUCCEED_OF_256 = 154  # six calls in ten may succeed; the others must be refused


def run_program(
    program: bytes, session: Session, prospect: Prospect, stop: Callable[[], bool] = lambda: False
) -> bool:
    """Makes the calls of the program; the answer is whether the session ended in a deviation."""
    chances, perform = prospect.chances, session.perform
    for at in range(0, len(program) - 1, 2):
        if stop():
            return False
        here = chances(session.position)
        wanted = here.succeed if program[at] < SUCCEED_OF_256 else here.refused
        options = wanted or here.succeed or here.refused
        call = options[program[at + 1] % len(options)].call
        if session.can(call) and perform(call).position is None:
            return True
    return False
