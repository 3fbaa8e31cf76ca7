"""The work is done in a child process: a library that dies in it, dies alone."""

import ctypes
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ERROR_STATUS = 4
LOOK_SECONDS = 1.0  # between two looks at whether the child hangs
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


@dataclass(frozen=True, slots=True)
class Ended:
    """How the work ended: with an exit status, or by the signal of that name; and whether it was to end."""

    status: int
    died_of: str = ""
    is_interrupted: bool = False
    has_hung: bool = False  # and was killed for it


@dataclass(slots=True)
class _Forwarding:
    """Hands to the child what the parent is told, and remembers that it was."""

    child: int
    is_over: bool = False
    is_used: bool = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.is_used = True
        if not self.is_over:
            os.kill(self.child, number)


def supervised(
    work: Callable[[], int], clean_up: Callable[[int], None], hangs: Callable[[int], bool] = lambda _: False
) -> Ended:
    """How *work* ended, which is done in a child; *clean_up* is given the child's process id once it is gone.

    The child is killed once *hangs*, which is given the id too, says that it hangs.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # A signal that comes before it can be forwarded waits until then.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    child = os.fork()
    if child == 0:
        _be_the_child(work, parent)
    forwarding = _Forwarding(child)
    before = {each: signal.signal(each, forwarding) for each in FORWARDED}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    try:
        has_hung = _wait(child, hangs)
        forwarding.is_over = True  # once it is waited for, its id may be somebody else's
        _, status = os.waitpid(child, 0)
        clean_up(child)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    code = os.waitstatus_to_exitcode(status)
    died_of = signal.Signals(-code).name if code < 0 else ""
    return Ended(ERROR_STATUS if died_of else code, died_of, forwarding.is_used, has_hung and bool(died_of))


def _wait(child: int, hangs: Callable[[int], bool]) -> bool:
    """Returns when the child is over; whether it had to be killed for that."""
    process = os.pidfd_open(child)
    has_hung = False
    try:
        while not select.select([process], [], [], LOOK_SECONDS)[0]:
            if not has_hung and hangs(child):
                has_hung = True
                os.kill(child, signal.SIGKILL)
    finally:
        os.close(process)
    return has_hung


def _be_the_child(work: Callable[[], int], parent: int) -> None:
    status = ERROR_STATUS
    try:
        # Whoever kills the parent wants an end of all; the child then ends as if it were told so itself.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        status = work()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else ERROR_STATUS
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
