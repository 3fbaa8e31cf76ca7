"""A toy driver: one backup at a time on a domain, each with an id. Put yours in its place."""

from dataclasses import dataclass
from itertools import count

DISKS = ("vda", "vdb")
KNOWN_FLAGS = 0


class DriverError(Exception):
    """The driver refuses; `code` is one of its own error codes."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class Backup:
    """A running backup."""

    id: int
    mode: str
    disks: list[str]


class Domain:
    """A domain, and the backup that runs on it."""

    def __init__(self) -> None:
        self.ids = count(1)
        self.backup: Backup | None = None

    def begin(self, mode: str, disks: list[str], flags: int = 0) -> int:
        """Begins a backup; returns its id."""
        if flags & ~KNOWN_FLAGS:
            raise DriverError("EINVAL", f"unsupported flags {flags:#x}")
        if not disks or len(set(disks)) < len(disks) or not set(disks) <= set(DISKS):
            raise DriverError("EINVAL", f"cannot back up {disks}")
        if self.backup is not None:
            raise DriverError("EBUSY", f"backup {self.backup.id} is running")
        self.backup = Backup(next(self.ids), mode, disks)
        return self.backup.id

    def find(self, id: int) -> Backup:
        """The running backup of that id; 0 stands for the one that runs."""
        if id < 0:
            raise DriverError("EINVAL", f"{id} is no id")
        if self.backup is None or id not in (0, self.backup.id):
            raise DriverError("ESRCH", f"no backup {id} is running")
        return self.backup

    def describe(self, id: int, flags: int = 0) -> Backup:
        """What the backup of that id does."""
        if flags & ~KNOWN_FLAGS:
            raise DriverError("EINVAL", f"unsupported flags {flags:#x}")
        return self.find(id)

    def end(self, id: int, *, abort: bool, flags: int = 0) -> bool:
        """Ends a backup; true if it is complete, which a pull is whenever its reader says so."""
        if flags & ~KNOWN_FLAGS:
            raise DriverError("EINVAL", f"unsupported flags {flags:#x}")
        backup = self.find(id)
        if backup.mode == "push" and not abort:
            raise DriverError("EBUSY", f"backup {backup.id} is not finished")
        self.backup = None
        return backup.mode == "pull"
