"""How far a run has come, while it runs: a bar on a terminal, elsewhere a line now and then."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from jobtck.reports.texts import counted, one_line

LINES_APART_SECONDS = 10.0  # seldom enough for a log, often enough to see life
WIDE_COLUMNS = 100  # room for the time beside the bar and the numbers
TITLE_MAX = 40  # characters beside the bar


class ProgressReport(Protocol):
    """Whom a run tells how far it has come."""

    def update(self, done: int, calls: int, deviations: int) -> None:
        """Cells visited, calls made and deviations found so far."""
        ...


class ProgressBar:
    """Shows cells visited of *total*, calls and deviations; safe to update from several threads."""

    def __init__(
        self,
        console: Console,
        title: str,
        total: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._title = one_line(title, TITLE_MAX)
        self._total = total
        self._clock = clock
        self._lock = threading.Lock()
        self._told_at = clock()
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = _bar(console)
            self._task = self._bar.add_task(self._title, total=total, told=_told(0, 0, 0, total))
            self._bar.start()
        else:
            self._say(f"{self._title}: {counted(total, 'cell')} to visit")

    def update(self, done: int, calls: int, deviations: int) -> None:
        """Shows what is reached; without a terminal only if the last line is ten seconds old."""
        told = _told(done, calls, deviations, self._total)
        with self._lock:
            if self._bar is not None:
                self._bar.update(self._task, completed=done, told=told)
            elif self._clock() - self._told_at >= LINES_APART_SECONDS:
                self._told_at = self._clock()
                self._say(f"{self._title}: {told}")

    def close(self) -> None:
        """Takes the bar off the terminal; a second time does nothing."""
        with self._lock:
            bar, self._bar = self._bar, None
            self._told_at = float("inf")
            if bar is not None:
                bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _say(self, line: str) -> None:
        self._console.print(Text(line))


def _told(done: int, calls: int, deviations: int, total: int) -> str:
    found = counted(deviations, "deviation") if deviations else "no deviation"
    return f"{done:,}/{counted(total, 'cell')}, {counted(calls, 'call')}, {found}"


def _bar(console: Console) -> Progress:
    narrow = console.width < WIDE_COLUMNS
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=8 if narrow else None),
        TextColumn("{task.fields[told]}", markup=False),
        *([] if narrow else [TimeElapsedColumn()]),
        console=console,
        transient=True,
        expand=True,
    )
