"""What the commands share: which backends are meant, and a run with its report, whatever ends it."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from rich.console import Console

from jobtck import reportdir
from jobtck.backends import load_backend
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import Handle, find_design
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import EXIT_STATUS, KnownDeviation
from jobtck.known import read_known, shipped_known
from jobtck.reports.progress import ProgressBar
from jobtck.reports.terminal import print_run
from jobtck.run import DEFAULT_PAIRS, Order, judge_all


def pairs_for(backend: str | None, design: str | None) -> tuple[tuple[str, str], ...]:
    """Which backend plays which design; a design alone is played by real libvirt, with ids if it has any."""
    if backend is None and design is None:
        return DEFAULT_PAIRS
    if backend is None:
        assert design is not None
        backend = "libvirt" if find_design(design).handle is Handle.NONE else "numbered"
    plugin = load_backend(backend)
    return ((backend, design or plugin.default_design),)


def options_for(uri: str | None, *, read_only: bool) -> Options:
    """Where the backend is to be had."""
    if read_only and uri is None:
        raise BadInput("-r needs a URI: give one with -c")
    return Options(uri=uri, read_only=read_only)


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
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that what was started is removed."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def run_and_report(order: Order, directory: Path, console: Console) -> int:
    """The exit status; the report is written and shown, also of a run that ended early."""
    reportdir.prepare(directory)
    order = replace(order, database=directory / reportdir.DATABASE)
    with terminated_as_interrupted():
        run = judge_all(order, _Bars(console), threading.Event())
        run = reportdir.write(run, directory)
    print_run(console, run, str(directory))
    return EXIT_STATUS[run.verdict]
