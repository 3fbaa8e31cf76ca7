"""What a backend declares of itself, and the verbs through which it is driven."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from jobtck.conformance.calls import ALL_CALLS, ARRANGED, NAMES, Call, Flaw, Kind, Storage
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Outcome


class Feature(StrEnum):
    """What some requirements need besides calls."""

    SECOND_CLIENT = "a second read-write connection"
    READ_ONLY_CLIENT = "a read-only connection"
    SECOND_DOMAIN = "a second domain"
    SCHEMA = "the server's XML schema"
    TYPE_FILTER = "a list of only some types"


SECOND_CLIENT, READ_ONLY_CLIENT = 1, 2  # client 0 begins everything
EVERY_CALL = frozenset(NAMES[call] for call in ALL_CALLS)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do. Times in seconds; no limit is None.

    `transient` are the kinds of job that may finish by themselves at any time; all others are held until
    they are ended or settled. `costly_calls` take seconds; where `disks_wear`, a block job that completes makes
    the next guest cost seconds too. Guests that are driven `in_another_process` are driven side by side.
    `lock_wait_seconds` is how long one of `waiting_calls` may wait for another job's end. `flaws` are the mistakes
    that its calls leave room for, and those of `ARRANGED` that it can bring about; `storages` what else than sound
    storage can be put under its backups. `notes` are what a reader of a verdict must know of how the backend was
    driven.
    """

    calls: frozenset[str] = EVERY_CALL
    features: frozenset[Feature] = frozenset(Feature)
    disks: tuple[str, ...] = ("vda", "vdb")
    disks_per_backup: int | None = None
    parallel_backups: int | None = 1
    flaws: frozenset[Flaw] = frozenset(Flaw) - ARRANGED
    storages: frozenset[Storage] = frozenset()
    transient: frozenset[Kind] = frozenset()
    abort_is_asynchronous: bool = False
    in_another_process: bool = False
    lock_wait_seconds: float = 0.0
    waiting_calls: frozenset[str] = frozenset()
    costly_calls: frozenset[str] = frozenset()
    disks_wear: bool = False
    dies_of_stop_in_block_job: bool = False
    notes: tuple[str, ...] = field(default=(), hash=False, compare=False)
    reasons: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)

    def has(self, call: type[Call]) -> bool:
        """The backend has that call."""
        return NAMES[call] in self.calls


class Backend(Protocol):
    """Guests of a backend, driven through calls: it translates and never judges."""

    def perform(self, call: Call) -> Outcome:
        """The outcome of one call, whose references are bound to this backend's own ids."""
        ...

    def end_all_jobs(self) -> None:
        """Ends a session: no job is left, the domains run, and the guests stay."""
        ...

    def close(self) -> None:
        """Removes the guests and everything else that was made for them."""
        ...


@dataclass(frozen=True, slots=True)
class Build:
    """A file that ran as a part of what is judged: which part, where it lies, its GNU build id, and its date in UTC.

    What could not be read is empty; a part without a path was not seen.
    """

    what: str
    path: str = ""
    build_id: str = ""
    date: str = ""


class Target(Protocol):
    """What is judged: it says what it is, and hands out fresh guests.

    `builds` are the files that really run in it, as far as they can be told.
    """

    name: str
    uri: str
    design: Design
    capabilities: Capabilities
    versions: Mapping[str, str]
    builds: tuple[Build, ...]

    def fresh(self) -> Backend:
        """Guests of their own, just started, with no job ever begun on them."""
        ...

    def close(self) -> None:
        """Ends everything that the target started."""
        ...


class OwnHost(StrEnum):
    """Where guests live that are on nobody else's host; without a choice, where the backend likes it best."""

    EMBEDDED = "embedded"
    LIBVIRTD = "libvirtd"
    VIRTQEMUD = "virtqemud"


@dataclass(frozen=True, slots=True)
class Options:
    """Where a backend is to be had: a libvirt URI (None: a host of its own), and a directory for its files.

    A backend that finds out by asking what calls there are writes the name of each into the file *asking* before, for
    the process may die of it; those in *assumed* it does not ask for, and takes to be there.
    `build` is the directory that libvirt was built in; None: the one that is installed.
    """

    uri: str | None = None
    read_only: bool = False
    host: OwnHost | None = None
    work_dir: Path | None = None
    asking: Path | None = None
    assumed: frozenset[str] = frozenset()
    build: Path | None = None


class BackendPlugin(Protocol):
    """What an entry point of `jobtck.backends` names: a backend before it is opened."""

    @property
    def name(self) -> str:
        """The name by which it is chosen."""
        ...

    @property
    def designs(self) -> tuple[str, ...]:
        """The presets that it can play."""
        ...

    @property
    def default_design(self) -> str:
        """What it plays when nothing is said."""
        ...

    def open(self, design: Design, options: Options) -> Target:
        """The target; `BadInput` for a design it cannot play, `BackendFailure` where it cannot be had."""
        ...
