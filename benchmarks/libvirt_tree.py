"""Libvirt's source and its builds, in a cache of their own: a tree to break, and to put right again."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from c_mutations import Mutation, mutated

from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.fixtures.guarded import Guarded, last_words
from jobtck.reportdir import write_whole

PACKAGE, LIBRARY = "libvirt", "libvirt0"
JUDGED_FILES = (
    "src/qemu/qemu_backup.c",
    "src/qemu/qemu_blockjob.c",
    "src/qemu/qemu_domainjob.c",
    "src/conf/virdomainjob.c",
    "src/conf/backup_conf.c",
    "src/qemu/qemu_driver.c",
)
OPTIONS = (
    "-Dauto_features=disabled",  # the least that makes the embedded driver work
    "-Dbuildtype=debug",  # not optimized: a build takes half the time
    "-Dgit_werror=disabled",  # a mutant may leave something unused
    "-Ddriver_qemu=enabled",
    "-Ddriver_remote=enabled",
    "-Ddriver_libvirtd=enabled",
    "-Dyajl=enabled",
    "-Dstorage_fs=enabled",  # without it no file is made for a job
    "-Dqemu_user=root",
    "-Dqemu_group=root",
    "-Dsystem=true",
    "-Dprefix=/usr",
)
COVERAGE_OPTION = "-Db_coverage=true"
# Those that the embedded driver loads; the first one's name ends in its version.
TARGETS = (
    "src/libvirt.so.0.*",
    "src/libvirt-qemu.so.0.*",
    "src/libvirt_driver_qemu.so",
    "src/libvirt_storage_file_fs.so",
    "src/libvirt_iohelper",
)
BUILD_SECONDS_MAX, REBUILD_SECONDS_MAX, COMMAND_SECONDS_MAX = 7200.0, 600.0, 1800.0
VERSION = re.compile(r"^project\(.*?version: '([0-9.]+)'", re.DOTALL | re.MULTILINE)
LOADED = "import libvirt\nprint(libvirt.getVersion())\nprint(open('/proc/self/maps').read())"


class Tree:
    """A source tree with two builds; the tree is unchanged except while a mutant is judged."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.source, self._pristine = cache / "source", cache / "pristine"
        self.plain, self.with_coverage = cache / "build", cache / "coverage"
        self.log = cache / "log.txt"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else changes the tree; it is unchanged before and after, whatever ended who had it last."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BackendFailure(
                    f"{self._cache} is in use by another run: wait, or give another --cache"
                ) from error
            self.restore()
            try:
                yield
            finally:
                self.restore()

    def restore(self) -> None:
        """Each file that is mutated reads as it was; only what differs is written, for it is built again."""
        for name in JUDGED_FILES if self._pristine.exists() else ():
            content = (self._pristine / name).read_bytes()
            if (self.source / name).read_bytes() != content:
                write_whole(self.source / name, content.decode())

    def mutate(self, mutation: Mutation) -> None:
        """The tree has that mistake, and no other."""
        self.restore()
        write_whole(self.source / mutation.file, mutated(self.text(mutation.file), mutation).decode())

    def text(self, name: str) -> bytes:
        """A file that is mutated, as it was."""
        return (self._pristine / name).read_bytes()

    @property
    def version(self) -> str:
        """The release of the source, as it says itself."""
        return version_of(self.source)

    def digest(self) -> str:
        """A word for what is mutated: what was found with one source need not hold for another."""
        content = hashlib.sha256(self.version.encode())
        for name in JUDGED_FILES:
            content.update(self.text(name))
        return content.hexdigest()[:16]

    # -- making it -------------------------------------------------------------------------------------------------

    def have_source(self, given: Path | None) -> None:
        """The source is in the cache: a copy of the tree that is *given*, or what the distribution has."""
        if self._pristine.exists():
            if given is not None and (theirs := version_of(given)) != self.version:
                raise BadInput(
                    f"{given} is libvirt {theirs}, and {self._cache} holds {self.version}: give another --cache"
                )
            return
        for half_made in (self.source, self.plain, self.with_coverage):
            shutil.rmtree(half_made, ignore_errors=True)
        if given is None:
            fetch(self._cache, self.source, self.log)
        else:
            version_of(given)
            shutil.copytree(given, self.source, symlinks=True, ignore=shutil.ignore_patterns("build", ".git"))
        whole = self._cache / "pristine.part"
        shutil.rmtree(whole, ignore_errors=True)
        for name in JUDGED_FILES:
            if not (self.source / name).is_file():
                raise BadInput(f"libvirt {self.version} has no {name}, which is to be mutated: take another release")
            (whole / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.source / name, whole / name)
        whole.rename(self._pristine)

    def have_builds(self) -> None:
        """Both builds are there, are those of the unchanged source, and can be loaded."""
        for build, options in ((self.with_coverage, (*OPTIONS, COVERAGE_OPTION)), (self.plain, OPTIONS)):
            if not (build / "build.ninja").exists():
                shutil.rmtree(build, ignore_errors=True)
                self._run([_tool("meson"), "setup", str(build), str(self.source), *options], COMMAND_SECONDS_MAX)
            self._run([_tool("ninja"), "-C", str(build), *_targets(build)], BUILD_SECONDS_MAX)
            self._load(build)

    def rebuild(self) -> str:
        """What the compiler said last of a tree that it did not build; empty once it is built."""
        status = ended(
            self._guarded([_tool("ninja"), "-C", str(self.plain), *_targets(self.plain)]), REBUILD_SECONDS_MAX
        )
        if status is None:
            return f"it was not built in {REBUILD_SECONDS_MAX:.0f} s"
        return "" if status == 0 else last_words(self.log) or f"ninja ended with {status}"

    def _run(self, command: Sequence[str], seconds_max: float) -> None:
        status = ended(self._guarded(command), seconds_max)
        if status != 0:
            how = "did not end" if status is None else f"ended with {status}"
            raise BackendFailure(f"{Path(command[0]).name} {how}: {_error(self.log)} (all of it is in {self.log})")

    def _guarded(self, command: Sequence[str]) -> Guarded:
        self.log.unlink(missing_ok=True)
        return Guarded(command, self.log)

    def _load(self, build: Path) -> None:
        """The build's library is loaded by the binding, and no other."""
        done = subprocess.run(
            [sys.executable, "-c", LOADED], env=environment(build), capture_output=True, text=True, check=False
        )
        if done.returncode or f"{build}/src/libvirt.so" not in done.stdout:
            said = done.stderr.strip().rpartition("\n")[2] or "another library is loaded"
            raise BackendFailure(f"the libvirt in {build} cannot be loaded: {said}")


def environment(build: Path) -> dict[str, str]:
    """The environment in which that build is used, and nothing of the installed one."""
    here = str(build / "src")
    return {**os.environ, "LD_LIBRARY_PATH": here, "LIBVIRT_DRIVER_DIR": here, "LIBVIRT_DIR_OVERRIDE": "1"}


def version_of(source: Path) -> str:
    """The release of a source tree; `BadInput` if it is none of libvirt's."""
    try:
        told = VERSION.search((source / "meson.build").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} is no source tree of libvirt: it has no meson.build that can be read") from error
    if told is None or not (source / "src" / "qemu").is_dir():
        raise BadInput(f"{source} is no source tree of libvirt")
    return told[1]


def ended(running: Guarded, seconds_max: float) -> int | None:
    """The exit status; None for what did not end in that time, and was ended."""
    try:
        return running.wait(seconds_max)
    finally:
        running.end()


def fetch(cache: Path, source: Path, log: Path) -> None:
    """The source package of the installed libvirt, unpacked with the distribution's changes."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-source") is None:
        raise BackendFailure("no source is fetched without apt-get and dpkg-source (dpkg-dev): give a tree by --source")
    told = _output(["dpkg-query", "-W", "-f", "${source:Version}", LIBRARY])
    if not told:
        raise BackendFailure(f"{LIBRARY} is not installed: give a tree by --source")
    lists, place = cache / "apt", cache / "unpacking"
    shutil.rmtree(place, ignore_errors=True)
    for directory in (place, lists / "lists" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    entries = lists / "sources.list"
    entries.write_text(source_entries(_output(["apt-get", "indextargets", "--format", TARGET, "Created-By: Packages"])))
    own = [f"Dir::Etc::sourcelist={entries}", "Dir::Etc::sourceparts=/dev/null", f"Dir::State::lists={lists / 'lists'}"]
    options = [word for each in own for word in ("-o", each)]
    log.unlink(missing_ok=True)
    wanted = f"{PACKAGE}={told}"
    for command in (["update"], ["source", "--only-source", wanted]):
        running = Guarded(["sh", "-c", 'cd "$0" && exec "$@"', str(place), "apt-get", *options, *command], log)
        if ended(running, COMMAND_SECONDS_MAX) != 0:
            raise BackendFailure(f"apt-get {command[0]} did not get {wanted}: {_error(log)}; give a tree by --source")
    next(each for each in place.iterdir() if each.is_dir()).rename(source)
    shutil.rmtree(place)


TARGET = "$(REPO_URI) $(RELEASE) $(COMPONENT)"


def source_entries(targets: str) -> str:
    """The entries from which apt gets the sources of what it gets packages from; `BackendFailure` without any."""
    lines = dict.fromkeys(f"deb-src {line}" for line in targets.splitlines() if len(line.split()) == 3)
    if not lines:
        raise BackendFailure("apt has no repository, and so no source: give a tree by --source")
    return "".join(f"{line}\n" for line in lines)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _tool(name: str) -> str:
    """A program; that of the environment which this runs in only if there is no other."""
    path = f"{os.environ.get('PATH', '')}:{Path(sys.executable).parent}"
    found = shutil.which(name, path=path)
    if found is None:
        raise BackendFailure(f"there is no {name}: libvirt cannot be built without it")
    return found


def _targets(build: Path) -> list[str]:
    """The names of what is built, as that build has them."""
    told = _output([_tool("ninja"), "-C", str(build), "-t", "targets", "all"])
    names = [line.partition(":")[0] for line in told.splitlines()]
    found = [
        name
        for each in TARGETS
        for name in names
        if re.fullmatch(each.replace(".", r"\.").replace("*", "[0-9.]+"), name)
    ]
    if len(found) != len(TARGETS):
        raise BackendFailure(f"{build} builds no {', '.join(TARGETS)}: it is a libvirt of another shape")
    return found


def _error(log: Path) -> str:
    """The first line that tells an error, else the last one."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line.strip() for line in lines if "ERROR" in line or line.startswith("E: ")), "") or last_words(log)
