"""A life is all that was done to guests since their start: one session after the other, each with its end."""

from collections.abc import Iterator, Sequence

from jobtck.conformance.calls import (
    AbortJob,
    BackupEnd,
    BlockJobAbort,
    Call,
    EndSession,
    HandleOf,
    IdOf,
    JobCancel,
    JobDismiss,
    Settle,
    Start,
)
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.state import Job, Phase, State


def sessions_of(calls: Sequence[Call]) -> tuple[tuple[Call, ...], ...]:
    """The calls of each session, its end the last of them."""
    sessions: list[tuple[Call, ...]] = []
    begun = 0
    for at, call in enumerate(calls, 1):
        if isinstance(call, EndSession) or at == len(calls):
            sessions.append(tuple(calls[begun:at]))
            begun = at
    return tuple(sessions)


def ending_calls(design: Design, capabilities: Capabilities, state: State) -> tuple[Call, ...]:
    """What a client calls to end all that lives, and to have all domains run again."""
    calls = [call for at in range(len(state.domains)) for call in _of_domain(design, state, at)]
    if any(job.phase is not Phase.CONCLUDED for domain in state.domains for job in domain.jobs):
        calls += [Settle(domain=at) for at, domain in enumerate(state.domains) if domain.jobs]
    return tuple(call for call in calls if capabilities.has(type(call)))


def _of_domain(design: Design, state: State, at: int) -> Iterator[Call]:
    domain = state.domains[at]
    if not domain.running:
        yield Start(domain=at)
    for job in domain.jobs:
        yield from _of_job(design, job, at)


def _of_job(design: Design, job: Job, at: int) -> Iterator[Call]:
    if design.handle is Handle.NAME:
        if job.phase is not Phase.CONCLUDED:
            yield JobCancel(job=IdOf(job.label), domain=at)
        if job.waits.to_dismiss:
            yield JobDismiss(job=IdOf(job.label), domain=at)
    elif not job.kind.is_backup:
        yield from (BlockJobAbort(disk=disk, domain=at) for disk in job.disks)
    elif design.has_ids:
        reference = HandleOf(job.label) if design.handle is Handle.OPAQUE else IdOf(job.label)
        yield BackupEnd(job=reference, abort=True, domain=at)
    else:
        yield AbortJob(domain=at)
