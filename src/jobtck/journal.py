"""Each call is written down before it is made, so that it is known which were under way when the process died."""

import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jobtck.conformance.calls import (
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobSetSpeed,
    BlockPull,
    Call,
    Destroy,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Mode,
    Save,
    Start,
)
from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.errors import BadInput
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.session import MARGIN_SECONDS
from jobtck.conformance.traces import call_in, call_json, design_in, design_json

BYTES_MAX = 16 * 1024 * 1024  # of one file; one that is longer begins anew with the next session
SLACK_SECONDS = 45.0  # beyond what TIME-1 grants, before a call counts as one that never returns: a debugger takes long
TIMES_LONGER = 3.0  # the end of a session may take: it makes several calls
LINE_MAX = 4_096  # bytes that the last line may have
ASKING = ".asking"
ASKING_SECONDS_MAX = 105.0  # for what a backend is asked while it is opened: as for any call of libvirt's
# What a backend asks for by the plainest call of that name.
ASKED: Mapping[str, Call] = {
    "backup_begin": BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), flaw=Flaw.UNKNOWN_FLAGS),
    "backup_get_xml_desc": BackupGetXmlDesc(),
    "get_job_info": GetJobInfo(),
    "get_job_stats": GetJobStats(),
    "abort_job": AbortJob(),
    "block_copy": BlockCopy(label=0, disk=UNKNOWN_DISK),
    "block_pull": BlockPull(label=0, disk=UNKNOWN_DISK),
    "block_commit": BlockCommit(label=0, disk=UNKNOWN_DISK),
    "block_job_abort": BlockJobAbort(disk=UNKNOWN_DISK),
    "get_block_job_info": GetBlockJobInfo(disk=UNKNOWN_DISK),
    "block_job_set_speed": BlockJobSetSpeed(disk=UNKNOWN_DISK),
    "start": Start(),
    "destroy": Destroy(),
    "save": Save(),
}
SESSION, CALL, DONE, CLOSED = "session", "call", "done", "closed"

_numbers = itertools.count()


class JournaledTarget:
    """A target whose calls are written down, in a file for each set of guests.

    That costs some microseconds a call: as good as nothing where the answer comes from outside this interpreter.
    """

    def __init__(self, target: Target, directory: Path) -> None:
        self.name = target.name
        self.uri = target.uri
        self.design = target.design
        self.capabilities = target.capabilities
        self.versions: Mapping[str, str] = target.versions
        self.builds = target.builds
        self._target = target
        self._directory = directory

    def fresh(self) -> Backend:
        backend = self._target.fresh()
        bound = self.capabilities.lock_wait_seconds + MARGIN_SECONDS + SLACK_SECONDS
        head = [self.name, design_json(self.design), bound]
        return JournaledBackend(backend, self._directory / f"{next(_numbers)}.calls", head)

    def close(self) -> None:
        self._target.close()


class JournaledBackend:
    """Guests whose calls are written down, those of all sessions that were held on them."""

    def __init__(self, backend: Backend, path: Path, head: list[object]) -> None:
        self._backend = backend
        self._head = json.dumps(head).encode() + b"\n"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.write(self._file, self._head)

    def announce(self, call: Call) -> None:
        """The call, as the session names it, is about to be made."""
        self._write(CALL, _call_text(call))

    def perform(self, call: Call) -> Outcome:
        outcome = self._backend.perform(call)
        self._write(DONE)
        return outcome

    def end_all_jobs(self) -> None:
        if self._size > BYTES_MAX:
            os.ftruncate(self._file, 0)
            self._size = os.write(self._file, self._head)
        self._write(SESSION)
        self._backend.end_all_jobs()
        self._write(DONE)

    def close(self) -> None:
        self._write(CLOSED)
        self._backend.close()
        os.close(self._file)

    def _write(self, what: str, text: str = "null") -> None:
        line = f'["{what}", {time.monotonic():.6f}, {text}]\n'
        self._size += os.write(self._file, line.encode())


@lru_cache(maxsize=10_000)
def _call_text(call: Call) -> str:
    return json.dumps(call_json(call))


@dataclass(frozen=True, slots=True)
class Life:
    """All that was done to one set of guests: the calls of each session, the last of which may be under way.

    Where it `is_ending` it is not a call that is under way, but the end of the last session. `since` is when the last
    line was written, in seconds of the monotonic clock.
    """

    backend: str
    design: str
    sessions: tuple[tuple[Call, ...], ...]
    is_under_way: bool
    since: float
    is_ending: bool = False

    @property
    def last(self) -> tuple[Call, ...]:
        """The calls of the last session in which any was made."""
        return next((session for session in reversed(self.sessions) if session), ())

    @property
    def calls(self) -> tuple[Call, ...]:
        """All of them."""
        return tuple(itertools.chain.from_iterable(self.sessions))


def lives_in(directory: Path) -> tuple[Life, ...]:
    """What the journals there tell, that of the newest line first; what cannot be read is left out."""
    lives = [life for path in directory.glob("*.calls") if (life := _life_in(path)) is not None]
    return tuple(sorted(lives, key=lambda life: life.since, reverse=True))


def _life_in(path: Path) -> Life | None:
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        name, axes, _ = json.loads(head)
        design = design_in(axes, path.name)
        sessions: list[list[Call]] = [[]]
        what, since = CLOSED, 0.0
        for line in lines:
            what, since, content = json.loads(line)
            if what == SESSION:
                sessions.append([])
            elif what == CALL:
                sessions[-1].append(call_in(content, design, path.name))
    except (OSError, ValueError, TypeError, BadInput):
        return None
    told = tuple(tuple(session) for session in sessions if session)
    return Life(str(name), design.name, told, what == CALL, float(since), what == SESSION)


def asking_file(directory: Path, design: str) -> Path:
    """Where a backend of that design writes what it asks for while it is opened."""
    return directory / (design.replace("/", "_") + ASKING)


def asked_in(directory: Path) -> Life | None:
    """The call that was asked for when the process died, if it died while a backend was opened."""
    for path in directory.glob(f"*{ASKING}"):
        with suppress(OSError):
            name = path.read_text(encoding="utf-8")
            if name in ASKED:
                design = path.name.removesuffix(ASKING)
                return Life("", design, ((ASKED[name],),), is_under_way=True, since=time.monotonic())
    return None


def has_hung(directory: Path) -> bool:
    """A call there has been under way for longer than any may be."""
    if any(_age(path) > ASKING_SECONDS_MAX for path in directory.glob(f"*{ASKING}")):
        return True
    return any(_hangs(*last) for path in directory.glob("*.calls") if (last := _last_line(path)) is not None)


def _age(path: Path) -> float:
    """Seconds since the file was written."""
    with suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _hangs(bound: float, what: str, since: float) -> bool:
    limit = {CALL: bound, SESSION: TIMES_LONGER * bound}.get(what)
    return limit is not None and time.monotonic() - since > limit


def _last_line(path: Path) -> tuple[float, str, float] | None:
    """The bound of a journal, and what its last line says."""
    with suppress(OSError, ValueError, TypeError, IndexError), path.open("rb") as file:
        bound = json.loads(file.readline())[2]
        file.seek(max(file.tell(), path.stat().st_size - LINE_MAX))
        lines: Iterator[bytes] = (line for line in reversed(file.read().splitlines()) if line)
        what, since, _ = json.loads(next(lines, b"[]"))
        return float(bound), str(what), float(since)
    return None
