"""The work is done in a child process: a library that dies in it, dies alone."""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ERROR_STATUS = 4
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


@dataclass(frozen=True, slots=True)
class Ended:
    """How the work ended: with an exit status, or by the signal of that name; and whether it was told to end."""

    status: int
    died_of: str = ""
    is_interrupted: bool = False


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


def supervised(work: Callable[[], int], clean_up: Callable[[int], None]) -> Ended:
    """How *work* ended, which is done in a child; *clean_up* is given the child's process id once it is gone."""
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
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        forwarding.is_over = True  # once it is waited for, its id may be somebody else's
        _, status = os.waitpid(child, 0)
        clean_up(child)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    code = os.waitstatus_to_exitcode(status)
    died_of = signal.Signals(-code).name if code < 0 else ""
    return Ended(ERROR_STATUS if died_of else code, died_of, forwarding.is_used)


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
