"""A run judges one or more designs, each on its backend, and leaves a report however it ends."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from jobtck.backends import open_target
from jobtck.claims import undeclared_calls
from jobtck.conformance.capabilities import Options, Target
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BackendFailure
from jobtck.conformance.gate import refuse_useless
from jobtck.conformance.outcomes import Fate
from jobtck.conformance.record import KnownDeviation, NamedRun, RunRecord
from jobtck.crashes import Crash, look_into, with_earlier
from jobtck.findings import IsListed
from jobtck.fixtures.adapter_recorder import RecordedTarget
from jobtck.fixtures.adapter_target import PREFIX
from jobtck.fixtures.builds import LIBVIRT, other_builds
from jobtck.hunt import Hunt, Plan
from jobtck.isolated import IsolatedTarget
from jobtck.journal import JournaledTarget, asking_file
from jobtck.verdicts import exercises, listed_for, record_of

DAY = len("2027-06-30")
DEFAULT_PAIRS = (("libvirt", "default-job"), ("numbered", "zero-id"))
INTERRUPTED = "interrupted; what was found until then is in the report"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be judged, how long (seconds), and against which known deviations."""

    pairs: tuple[tuple[str, str], ...]
    options: Options
    budget_seconds: float
    seed: int
    known: Sequence[KnownDeviation]
    strict: bool
    command: str
    database: Path | None = None
    notes: tuple[str, ...] = ()
    is_quick: bool = False
    baseline: NamedRun | None = None
    date: str = ""  # when it was given, UTC, as 2027-06-30T09:00:00Z; of known deviations, some expire
    record: Path | None = None  # where to write what would be said if the backend were an adapter
    expect_build: Path | None = None  # where all that runs of libvirt has to lie
    journals: Path | None = None  # where calls are written down before they are made
    explain: tuple[str, ...] = ()  # requirements of which to say what exercised them
    crash: Crash | None = None  # of the process that judged before: now each set of guests has one of its own


class Watcher(Protocol):
    """Shows how far a run has come."""

    def begin(self, title: str, cells: int) -> None:
        """A part of the run begins."""
        ...

    def update(self, cells: int, calls: int, deviations: int) -> None:
        """So many cells are visited, calls made, and deviations met."""
        ...

    def end(self) -> None:
        """That part is over."""
        ...


class Silent:
    """Shows nothing."""

    def begin(self, title: str, cells: int) -> None:
        """Nothing is shown."""

    def update(self, cells: int, calls: int, deviations: int) -> None:
        """Nothing is shown."""

    def end(self) -> None:
        """Nothing is shown."""


def judge_all(
    order: Order,
    watcher: Watcher,
    stop: threading.Event,
    keep: Callable[[RunRecord], None] = lambda _: None,
) -> RunRecord:
    """The record of all that the order names; whatever fails is in it, and nothing is left running.

    *keep* is given what there is at each stage.
    """
    plan = Plan(order.budget_seconds, order.seed, order.database, is_quick=order.is_quick)
    hunts: list[Hunt] = []
    error = ""
    with ExitStack() as stack:
        try:
            for name, design in order.pairs:
                target = _opened(name, design, order)
                stack.callback(target.close)
                _refuse_other_build(target, order)
                hunt = Hunt(target, plan, stop, _listed(target, order))
                hunt.notes.extend(order.notes)
                hunts.append(hunt)
            if order.crash is not None:
                for hunt in hunts:
                    look_into(order.crash, hunt, stop.is_set)
                plan_after = _plan_after(order.crash, plan)
                for hunt in hunts:
                    hunt.plan = plan_after
            if order.baseline is not None:
                judged = [(hunt.target.name, hunt.target.design.name) for hunt in hunts]
                refuse_useless(order.baseline.run, order.baseline.name, judged)
            _hunt_all(hunts, watcher, lambda: keep(_record(hunts, order, plan, "")))
        except BackendFailure as failure:
            error = str(failure)
        except KeyboardInterrupt:
            stop.set()
            error = INTERRUPTED
            keep(_record(hunts, order, plan, error))  # a driver may die of what its guests are ended by
        finally:
            stop.set()
            for hunt in hunts:
                stack.callback(hunt.close)
    run = _record(hunts, order, plan, error)
    return run if order.crash is None else with_earlier(run, order.crash.before)


def _plan_after(crash: Crash, plan: Plan) -> Plan:
    """What is still to be searched: nothing where calls hang, for each of them takes a minute."""
    if crash.fate is Fate.HUNG:
        return replace(plan, budget_seconds=0.0)
    return replace(plan, began=time.monotonic())  # what it took to make the calls again is not the search's


def _opened(name: str, design: str, order: Order) -> Target:
    target: Target
    options = order.options
    if order.crash is not None and not name.startswith(PREFIX):
        target = IsolatedTarget(name, find_design(design), replace(options, assumed=order.crash.assumed))
    elif order.journals is not None:
        asking = asking_file(order.journals, design)
        target = open_target(name, find_design(design), replace(options, asking=asking))
        asking.unlink(missing_ok=True)
    else:
        target = open_target(name, find_design(design), options)
    if order.record is not None:
        target = RecordedTarget(target, order.record)
    # What is answered within this interpreter alone cannot take it down, and would be slowed down.
    if order.journals is None or order.crash is not None or not target.capabilities.in_another_process:
        return target
    return JournaledTarget(target, order.journals)


def _refuse_other_build(target: Target, order: Order) -> None:
    """`BackendFailure` where something else runs than the build that is expected."""
    for directory in filter(None, (order.options.build, order.expect_build)):
        others = other_builds(target.builds, directory)
        if others:
            told = ", ".join(f"{each.what} {each.path or 'not seen'}" for each in others)
            raise BackendFailure(f"it is not the build in {directory} that runs: {told}")
        if not any(each.what in LIBVIRT for each in target.builds):
            told = f"{target.name} tells of no build"
            raise BackendFailure(f"it is not known whether the build in {directory} runs: {told}")


def _listed(target: Target, order: Order) -> IsListed:
    """Whether all symptoms of a deviation are listed as known."""
    listed = listed_for(target, order.known, order.date[:DAY])
    return lambda symptoms: bool(symptoms) and all(any(each.covers(symptom) for each in listed) for symptom in symptoms)


def _record(hunts: Sequence[Hunt], order: Order, plan: Plan, error: str) -> RunRecord:
    records = tuple(
        replace(
            record_of(hunt, order.known, order.command, strict=order.strict, today=order.date[:DAY]),
            explained=tuple(exercises(hunt.counted(), order.explain)) if order.explain else (),
        )
        for hunt in hunts
    )
    if not error:
        error = next((str(hunt.failure) for hunt in hunts if hunt.failure is not None), "")
    return RunRecord(records, order.command, order.seed, time.monotonic() - plan.began, error, date=order.date)


def _hunt_all(hunts: Sequence[Hunt], watcher: Watcher, keep: Callable[[], None]) -> None:
    for hunt in hunts:
        hunt.begin_excursions()
    for number, hunt in enumerate(hunts):
        until = _share(hunt, len(hunts) - number)
        _watched(hunt, watcher, "tour", partial(hunt.go_on_tour, watcher.update, until))
        keep()
    for number, hunt in enumerate(hunts):
        if hunt.plan.is_quick:
            continue  # every cell was visited once, or there was no time for it
        until = _share(hunt, len(hunts) - number)
        _watched(hunt, watcher, "long sessions", partial(hunt.run_machine, watcher.update, until))
    for hunt in hunts:
        hunt.catch_up(watcher.update)
    for hunt in hunts:
        hunt.wait_for_excursions()
    keep()
    for hunt in hunts:
        hunt.close()
        hunt.confirm_all()
        if hunt.failure is None:
            hunt.notes += undeclared_calls(hunt.target)
    keep()
    for hunt in hunts:
        hunt.measure_power()


def _share(hunt: Hunt, parts: int) -> float:
    """The second of the hunt at which its part of the time left for searching is used up."""
    now = hunt.seconds_gone
    return now + max(0.0, (hunt.plan.searching_seconds - now) / parts)


def _watched(hunt: Hunt, watcher: Watcher, what: str, work: Callable[[], None]) -> None:
    watcher.begin(f"{hunt.target.name} as {hunt.target.design.name}: {what}", len(hunt.chart.ways))
    try:
        work()
    finally:
        watcher.end()
