"""A program is a string of bytes: three for each call, read as a choice among what can be tried there and then."""

from collections.abc import Callable

from jobtck.conformance.calls import Call
from jobtck.conformance.judge import Belief
from jobtck.conformance.session import Session
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import costly

PROGRAM_CALLS = 200  # long sessions find what short ones never reach
BYTES_PER_CALL = 3
LAWFUL_OF_256 = 192  # families meant to succeed; some of their calls must be refused all the same


def choose(alphabet: Alphabet, belief: Belief, law: int, about: int, pick: int) -> Call | None:
    """The call that three numbers below 256 stand for in that belief; None when it offers none."""
    slots = alphabet.lawful if law < LAWFUL_OF_256 else alphabet.unlawful
    slot = slots[law % len(slots)]
    variants = slot.variants(belief.state, belief)
    if not variants:
        return None
    calls = alphabet.family(slot, variants[about % len(variants)])
    return calls[pick % len(calls)] if calls else None


def run_program(
    program: bytes,
    session: Session,
    alphabet: Alphabet,
    is_news: Callable[[Session], bool],
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Makes the calls of the program, but for costly ones; *is_news* is told of deviations, and ends it if so."""
    capabilities = alphabet.capabilities
    spares = bool(capabilities.costly_calls or capabilities.waiting_calls or capabilities.disks_wear)
    for at in range(0, len(program) - 2, BYTES_PER_CALL):
        call = choose(alphabet, session.belief, program[at], program[at + 1], program[at + 2])
        if call is None or (spares and costly(capabilities, session.belief, call)) or not session.can(call):
            continue
        step = session.perform(call)
        if step.deviations and is_news(session):
            return True
        if step.belief is None:
            return False
        if stop():
            return False
    return False
