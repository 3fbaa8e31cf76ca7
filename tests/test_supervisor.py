"""What is done in a child ends as the parent is told, whatever it dies of."""

import os
import signal
import time

from jobtck.supervisor import Ended, supervised

LONG_SECONDS = 60.0


def die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def fail_on_a_signal() -> int:
    """Tells the parent to end, and dies while it ends itself, as a driver may."""
    signal.signal(signal.SIGTERM, lambda _, __: os.kill(os.getpid(), signal.SIGKILL))
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(LONG_SECONDS)
    return 0


def test_a_status_is_handed_on() -> None:
    seen: list[int] = []
    assert supervised(lambda: 3, seen.append) == Ended(3)
    [child] = seen
    assert child != os.getpid()


def test_a_death_is_told_by_its_signal() -> None:
    assert supervised(die, lambda _: None) == Ended(4, "SIGKILL")


def test_a_death_after_a_signal_is_told_apart() -> None:
    assert supervised(fail_on_a_signal, lambda _: None) == Ended(4, "SIGKILL", is_interrupted=True)


def test_a_signal_while_things_are_removed_does_not_break_it_off() -> None:
    removed: list[int] = []

    def remove(child: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        removed.append(child)

    assert supervised(lambda: 0, remove) == Ended(0, is_interrupted=True)
    assert removed
