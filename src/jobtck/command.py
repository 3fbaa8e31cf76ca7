"""What the commands share: which backends are meant, and a run with its report, whatever ends it."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from rich.console import Console

from jobtck import reportdir
from jobtck.backends import load_backend
from jobtck.conformance.capabilities import Options, OwnHost
from jobtck.conformance.catalogue import find_requirement
from jobtck.conformance.design import Design, Handle, find_design
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.outcomes import Evidence
from jobtck.conformance.record import EXIT_STATUS, KnownDeviation, RunRecord, RunVerdict
from jobtck.crashes import Crash, crash_from
from jobtck.failures import failures_told
from jobtck.fixtures import run_directory
from jobtck.fixtures.build_directory import check_holds_libvirt
from jobtck.fixtures.innocence import oom_kills, proof_for
from jobtck.fixtures.post_mortem import backtrace_of_process
from jobtck.fixtures.run_directory import JOURNALS
from jobtck.gate import held_against
from jobtck.isolated import leave_nothing_of
from jobtck.journal import has_hung
from jobtck.known import read_known, shipped_known
from jobtck.reports.progress import ProgressBar
from jobtck.reports.terminal import print_run
from jobtck.results import read_result
from jobtck.run import DEFAULT_PAIRS, INTERRUPTED, Order, judge_all
from jobtck.supervisor import Ended, supervised

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REAL_BACKENDS = {Handle.NONE: "libvirt", Handle.NAME: "qemu-jobs"}
CUT_OFF = "the run was cut off: what it had counted until then is all that is here"


def pairs_for(backend: str | None, design: str | None) -> tuple[tuple[str, str], ...]:
    """Which backend plays which design; a design alone is played by real software, libvirt or QEMU."""
    if backend is None and design is None:
        return DEFAULT_PAIRS
    if backend is None:
        assert design is not None
        backend = real_backend_for(find_design(design))
    plugin = load_backend(backend)
    design = design or plugin.default_design
    find_design(design)  # a mistake in it is told before anything is begun
    return ((backend, design),)


def real_backend_for(design: Design) -> str:
    """The backend on real software that can play the design, if any can."""
    return REAL_BACKENDS.get(design.handle, "numbered")


def options_for(uri: str | None, host: str | None, *, read_only: bool, build: Path | None = None) -> Options:
    """Where the backend is to be had, and from which build directory."""
    if uri is not None and host is not None:
        raise BadInput("--host is where guests live without -c: give one of the two")
    if read_only and uri is None:
        raise BadInput("-r needs a URI: give one with -c")
    if build is not None and uri is not None:
        raise BadInput("--build is for what runs here without -c: for what runs there, --expect-build says what it is")
    place = None if build is None else check_holds_libvirt(build, "--build")
    return Options(uri=uri, read_only=read_only, host=None if host is None else OwnHost(host), build=place)


def requirements_named(ids: Sequence[str]) -> tuple[str, ...]:
    """The ids, each once; `BadInput` for one that no requirement has."""
    try:
        return tuple(dict.fromkeys(find_requirement(id).id for id in ids))
    except BadInput as error:
        raise BadInput(f"--explain: {error}") from None


def known_deviations(known: str) -> Sequence[KnownDeviation]:
    """The list that `--known` names."""
    if known == "none":
        return ()
    return shipped_known() if known == "shipped" else read_known(Path(known))


class _Bars:
    """Shows each part of a run as a bar."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: ProgressBar | None = None

    def begin(self, title: str, cells: int) -> None:
        self._bar = ProgressBar(self._console, title, cells)

    def update(self, cells: int, calls: int, deviations: int) -> None:
        if self._bar is not None:
            self._bar.update(cells, calls, deviations)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def terminated_as_interrupted(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that what was started is removed; *stop* is set at once.

    Only the first of them counts: a second one would break off the removal.
    """

    def interrupt(_: int, __: FrameType | None) -> None:
        for each in INTERRUPTIONS:
            signal.signal(each, signal.SIG_IGN)
        stop.set()
        interrupted.set()
        raise KeyboardInterrupt

    interrupted = threading.Event()

    before = {each: signal.signal(each, interrupt) for each in INTERRUPTIONS}
    try:
        with _adapters_given_up(interrupted):
            yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _adapters_given_up(interrupted: threading.Event) -> Iterator[None]:
    """Lanes that wait for an adapter are not waited for once the block is interrupted."""
    is_over = threading.Event()

    def watch() -> None:
        from jobtck.fixtures.adapter_process import give_up_all

        interrupted.wait()
        if not is_over.is_set():
            give_up_all()

    watcher = threading.Thread(target=watch, name="given up", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        interrupted.set()


def run_and_report(order: Order, directory: Path, console: Console) -> int:
    """The exit status; the report is written and shown, also of a run that ended early or died."""
    reportdir.prepare(directory)
    # What Hypothesis keeps for itself lies there too, and not in the user's working directory.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(directory.resolve() / reportdir.STORAGE))
    order = replace(order, database=directory / reportdir.DATABASE)
    reportdir.write(RunRecord((), order.command, order.seed, 0.0, CUT_OFF, date=order.date), directory)

    ended, crash = _attempt(order, directory, console)
    if ended.died_of and not ended.is_interrupted and crash is not None:
        console.print(f"jobtck: {crash.text}; its calls are made again in fresh processes", markup=False)
        ended, _ = _attempt(replace(order, crash=crash, notes=(crash.note,)), directory, console)
    if not ended.died_of:
        return ended.status
    told = (
        f"error: {INTERRUPTED}; the process in which the backend was driven died of {ended.died_of} as it ended"
        if ended.is_interrupted
        else f"jobtck: the process in which the backend was driven died of {ended.died_of}: no verdict can rest on "
        f"this run; what it had counted until then is in {directory}"
    )
    console.print(told, markup=False, highlight=False)
    return EXIT_STATUS[RunVerdict.ERROR]


def _attempt(order: Order, directory: Path, console: Console) -> tuple[Ended, Crash | None]:
    """How the run ended that was made in a child, and what is known of the calls that it died, or hung, of."""
    place = run_directory.make(run_directory.parent_of_files(), JOURNALS, JOURNALS)
    journals, evidence, before = place.path, list[Evidence](), oom_kills()

    def hangs(child: int) -> bool:
        if not has_hung(journals):
            return False
        evidence.append(backtrace_of_process(child, "the run's process"))
        return True

    try:
        journaled = replace(order, journals=journals)
        ended = supervised(lambda: _run_and_report(journaled, directory, console), leave_nothing_of, hangs)
        crash = None
        if ended.died_of:
            crash = crash_from(journals, ended.died_of, has_hung=ended.has_hung, evidence=tuple(evidence))
        if crash is not None and (proof := proof_for(ended.died_of, before)):
            console.print(f"jobtck: {crash.text}: {proof}", markup=False)
            crash = None
    finally:
        place.remove()
    return ended, None if crash is None else replace(crash, before=_reported(directory))


def _reported(directory: Path) -> RunRecord | None:
    """What the run had reported before its process was lost."""
    try:
        return read_result(directory)
    except BadInput:
        return None


def _run_and_report(order: Order, directory: Path, console: Console) -> int:
    unwritten: BackendFailure | None = None
    stop = threading.Event()
    with failures_told(), terminated_as_interrupted(stop):
        try:
            run = judge_all(order, _Bars(console), stop, lambda so_far: _keep(so_far, directory))
        except BadInput as error:
            reportdir.write(RunRecord((), order.command, order.seed, 0.0, str(error), date=order.date), directory)
            raise
        run = held_against(run, order.baseline, strict=order.strict)
        try:
            run = reportdir.write(run, directory)
        except BackendFailure as failure:
            unwritten = failure
    with failures_told():
        print_run(console, run, str(directory))
        if unwritten is not None:
            raise unwritten
    return run.exit_status


def _keep(so_far: RunRecord, directory: Path) -> None:
    """The report of a run that goes on, for the case that it dies."""
    with suppress(BackendFailure):
        reportdir.write(replace(so_far, error=so_far.error or CUT_OFF), directory)
