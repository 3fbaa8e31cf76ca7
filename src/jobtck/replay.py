"""A trace is replayed: the deviation is fixed, still there, or the calls took another turn."""

import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from jobtck.backends import open_target
from jobtck.command import real_backend_for, terminated_as_interrupted
from jobtck.conformance.blame import blame
from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Options, Target
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.exploration import Line, Observed, Witness
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import Lost, Refusal
from jobtck.conformance.session import Performed
from jobtck.conformance.traces import BYTES_MAX, Trace, parse_trace
from jobtck.conformance.wording import answer_text, call_text
from jobtck.fixtures.adapter_target import PREFIX
from jobtck.isolated import IsolatedTarget
from jobtck.observe import observation
from jobtck.replays import replay, when_nothing_is_known
from jobtck.reports.texts import legible
from jobtck.results import text_of

FIXED, STILL_THERE, ANOTHER_TURN = 0, 1, 3
MAY_BE_DEADLY = frozenset({"SANE-1", "TIME-1"})


def replay_and_tell(path: Path, backend_name: str | None, options: Options) -> int:
    """The exit status: 0 fixed, 1 still there, 3 it took another turn; says so line by line."""
    trace = read_trace(path)
    backend = backend_name or backend_of(trace, options)
    console = Console()
    with terminated_as_interrupted(threading.Event()):
        try:
            target = _opened(backend, trace, options)
        except KeyboardInterrupt as error:
            raise BackendFailure("interrupted") from error
        try:
            if trace.hazard:
                return _show_hazard(console, target, trace)
            judge = Judge(target.design, target.capabilities)
            guests = target.fresh()
            try:
                performed = replay(judge, guests, trace.calls, when_nothing_is_known)
            finally:
                guests.close()
        except KeyboardInterrupt as error:
            raise BackendFailure("interrupted") from error
        finally:
            target.close()
    _print(console, performed, trace.calls)
    conclude = conclusion_of_change if trace.since else conclusion
    status, words = conclude(judge, trace, performed)
    console.print(Text(f"{target.name} as {target.design.name}: {words}"))
    return status


def _opened(backend: str, trace: Trace, options: Options) -> Target:
    """The target; in a process of its own where the calls may take that down."""
    is_deadly = MAY_BE_DEADLY.intersection(trace.requirements)
    if is_deadly and not backend.startswith(PREFIX):
        return IsolatedTarget(backend, trace.design, options)
    return open_target(backend, trace.design, options)


def _show_hazard(console: Console, target: Target, trace: Trace) -> int:
    """Plays a witness of `jobtck designs`: the hazard is still there when every answer is as on the drawing board."""
    lines = [
        Line(call.client, "", call=call, refused=no)
        for call, no in zip(trace.calls, trace.refused or [False] * len(trace.calls), strict=True)
    ]
    guests = target.fresh()
    try:
        told = observation(target, guests, Witness(tuple(lines)))
    finally:
        guests.close()
    for line in lines:
        assert line.call is not None
        console.print(Text(legible(f"    {call_text(line.call)}") + ("  refused" if line.refused else "")))
    words = f"{trace.hazard}: {told.observed}" + (f", {told.detail}" if told.detail else "")
    console.print(Text(legible(f"{target.name} as {target.design.name}: {words}")))
    return STILL_THERE if told.observed is Observed.YES else ANOTHER_TURN


def backend_of(trace: Trace, options: Options) -> str:
    """The backend that the trace was seen on; with a URI, one that has use for it."""
    if trace.backend.startswith(PREFIX):
        # What a file says is not run: the file may be anybody's.
        raise BadInput(f"the trace was seen on an adapter ({trace.backend}): give its command with --backend 'exec:…'")
    in_memory = trace.backend == "reference"
    return real_backend_for(trace.design) if in_memory and options.uri is not None else trace.backend


def read_trace(path: Path) -> Trace:
    """The trace in that file."""
    return parse_trace(text_of(path, BYTES_MAX, "trace"), str(path))


def conclusion(judge: Judge, trace: Trace, performed: Sequence[Performed]) -> tuple[int, str]:
    """The exit status of a replay, and what it says in words."""
    if not performed:
        return ANOTHER_TURN, "took another turn: no call of the trace can be made here"
    last = performed[-1]
    if last.step.deviations:
        broken = blame(judge, [each.step for each in performed])
        if set(broken) & set(trace.requirements):
            demand = "; ".join(f"{id}: {BY_ID[id].text}" for id in broken)
            return STILL_THERE, f"still there. {demand}"
        return ANOTHER_TURN, f"took another turn: deviates from {', '.join(broken)}"
    if len(performed) < len(trace.calls):
        return ANOTHER_TURN, "took another turn: some calls need ids that were never told here"
    return FIXED, f"fixed: {', '.join(trace.requirements)} held"


def conclusion_of_change(_: Judge, trace: Trace, performed: Sequence[Performed]) -> tuple[int, str]:
    """The same for a cell that answers otherwise: still so, as it was before, or some third way."""
    if len(performed) < len(trace.calls):
        return ANOTHER_TURN, "took another turn: not all calls of the trace can be made here"
    told = told_by(performed[-1])
    if told in trace.since and told not in trace.before:
        return STILL_THERE, f"still there: answers {told!r}, and before that {' or '.join(map(repr, trace.before))}"
    if told in trace.before:
        return FIXED, f"as before: answers {told!r}"
    return ANOTHER_TURN, f"took another turn: answers {told!r}"


def told_by(performed: Performed) -> str:
    """What a call told, in the words by which cells are compared."""
    code = performed.outcome.code if isinstance(performed.outcome, Refusal) else ""
    return f"{performed.step.ruling.told} {code}".rstrip()


def _print(console: Console, performed: Sequence[Performed], calls: Sequence[Call]) -> None:
    width = max((len(call_text(each)) for each in calls), default=0)
    for each in performed:
        mark = ">" if each.step.deviations else " "
        line = f"  {mark} {call_text(each.call):<{width}}  {answer_text(each.outcome)}"
        if isinstance(each.outcome, Refusal | Lost):
            line += f"  {each.outcome.code}: {each.outcome.text}"
        console.print(Text(legible(line)))
