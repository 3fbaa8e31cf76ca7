"""The work is done in a child process: a library that dies in it, dies alone."""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ERROR_STATUS = 4
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def supervised(work: Callable[[], int], clean_up: Callable[[int], None]) -> int | str:
    """The exit status of *work*, done in a child; the name of the signal that killed it, if one did.

    *clean_up* is given the child's process id once it is gone.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # A signal that comes before it can be forwarded waits until then.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    child = os.fork()
    if child == 0:
        _be_the_child(work, parent)
    before = {each: signal.signal(each, _forward_to(child)) for each in FORWARDED}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    try:
        status = _status_of(child)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    clean_up(child)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    return signal.Signals(-code).name


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


def _forward_to(child: int) -> Callable[[int, FrameType | None], None]:
    def forward(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    return forward


def _status_of(child: int) -> int:
    return os.waitpid(child, 0)[1]
