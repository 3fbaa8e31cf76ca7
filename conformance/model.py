"""What may have happened by itself, and what follows from an outcome: the model predicts no outcome."""

from collections.abc import Callable, Iterator
from functools import partial

from jobtck.conformance.calls import (
    JOB_VERBS,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobBegin,
    BlockJobGetId,
    BlockPull,
    Call,
    CrashGuest,
    Destroy,
    EndSession,
    GetJobStats,
    HandleOf,
    JobCancel,
    JobComplete,
    JobCompose,
    JobDismiss,
    JobFinalize,
    JobFree,
    JobGetId,
    JobLookupId,
    JobPause,
    JobResume,
    JobSetDefaultId,
    JobType,
    Kind,
    RestartServer,
    Save,
    Settle,
    Start,
    Storage,
    TakeEvents,
)
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.endings import at_once, has_worked, over, ran_through, removed
from jobtck.conformance.outcomes import Completed, Ended, Id, Outcome, Refusal, Seen, Unknown
from jobtck.conformance.scene import Scene, begun_kind
from jobtck.conformance.state import (
    Domain,
    HandleState,
    Job,
    Kept,
    Phase,
    Result,
    State,
    initial,
)


def futures(design: Design, capabilities: Capabilities, state: State) -> frozenset[State]:
    """The state, and every state that may have come of it without any call."""
    seen = {state}
    fresh = [state]
    while fresh:
        for successor in _spontaneous(design, capabilities, fresh.pop()):
            if successor not in seen:
                seen.add(successor)
                fresh.append(successor)
    return frozenset(seen)


def _spontaneous(design: Design, capabilities: Capabilities, state: State) -> Iterator[State]:
    for index, domain in enumerate(state.domains):
        for job in domain.jobs:
            if job.phase is Phase.ENDING:
                results = (Result.NORMAL, Result.CUT_SHORT) if job.result is Result.UNSURE else (job.result,)
                for result in results:
                    yield state.with_domain(index, over(design, domain, job, result))
            elif job.phase is Phase.RUNNING and job.kind in capabilities.transient:
                yield state.with_domain(index, ran_through(design, domain, job))


def after(scene: Scene, outcome: Outcome) -> State:
    """The state that follows from *outcome*; a refused call changes nothing."""
    if not follows(scene.call, outcome):
        return scene.state
    return FOLLOW[type(scene.call)](scene, scene.call, outcome)


def unheard(scene: Scene) -> frozenset[State]:
    """The states that may follow from a call whose answer nobody heard: it was done, or it was not."""
    call, state = scene.call, scene.state
    if type(call) not in FOLLOW or isinstance(call, JobLookupId | JobCompose) or not scene.may_take_effect:
        return frozenset({state})
    done = {state, FOLLOW[type(call)](scene, call, Unknown())}
    return frozenset(done | _settled_in_part(scene.design, state, call.domain) if isinstance(call, Settle) else done)


def _settled_in_part(design: Design, state: State, index: int) -> set[State]:
    """The states in which only some jobs of the domain have done what they do by themselves."""
    seen, fresh = set[State](), [state]
    while fresh:
        domain = fresh.pop().domains[index]
        for job in domain.jobs:
            later = state.with_domain(index, ran_through(design, domain, job))
            if later not in seen:
                seen.add(later)
                fresh.append(later)
    return seen


def follows(call: Call, outcome: Outcome) -> bool:
    """Something may follow from that outcome."""
    return type(call) in FOLLOW and not isinstance(outcome, Refusal | Unknown)


def end_result(scene: Scene, job: Job) -> Result:
    """How a live job ends when it is told to end now."""
    if job.phase is Phase.FAILED:
        return Result.CUT_SHORT
    if job.kind is not Kind.PUSH or job.phase is Phase.FINISHED:
        return Result.NORMAL
    may_finish = job.kind in scene.capabilities.transient and job.storage is not Storage.FULL
    return Result.UNSURE if may_finish else Result.CUT_SHORT


def _begun(scene: Scene, call: Call, outcome: Outcome) -> State:
    assert isinstance(call, BackupBegin | BlockJobBegin)
    kind, design = begun_kind(call), scene.design
    answered = kind.is_backup and not isinstance(outcome, Unknown)  # with an id or a handle, where it has one
    told = not design.has_ids or design.handle is Handle.NAME
    told = told or (answered and design.handle is Handle.INTEGER) or not (kind.is_backup or design.block_ids)
    disks, storage = tuple(sorted(scene.disks)), scene.storage
    job = Job(call.label, kind, disks, known=told, waits=call.waits, storage=storage)
    domains = tuple([_without_gone(domain, call.label) for domain in scene.state.domains])
    domain = domains[call.domain]
    first = design.default_job and kind.is_backup and not domain.backups and domain.default is None
    domain = domain._replace(
        jobs=tuple(sorted((*domain.jobs, job))),  # by label
        gone=tuple([gone if gone.followed else gone._replace(followed=True) for gone in domain.gone]),
        default=call.label if first else domain.default,
        kept=_kept_through(domain) if kind.is_backup else domain.kept,
    )
    # a handle of the job that had this label before stands for nothing that can still be told
    handles = tuple([pair for pair in scene.state.handles if pair[1].job != call.label and pair[0] != call.label])
    state = State((*domains[: call.domain], domain, *domains[call.domain + 1 :]), handles)
    if design.handle is Handle.OPAQUE and answered:
        state = state.with_handle(call.label, HandleState(call.domain, call.label, JobType.BACKUP))
    return state


def _without_gone(domain: Domain, label: int) -> Domain:
    """The domain without the ended job of that label."""
    if domain.gone_job(label) is None:
        return domain
    return domain._replace(gone=tuple([gone for gone in domain.gone if gone.label != label]))


def _ended(scene: Scene, call: Call, outcome: Outcome) -> State:
    if scene.job is None:
        return scene.state
    result = end_result(scene, scene.job)
    if isinstance(outcome, Ended) and scene.job.kind is Kind.PUSH:
        result = Result.NORMAL if outcome.completed else Result.CUT_SHORT
    domain = over(scene.design, scene.domain, scene.job, result)
    return scene.state.with_domain(call.domain, domain)


def _aborted(scene: Scene, call: Call, _: Outcome) -> State:
    job = scene.legacy
    if job is None or job.phase is Phase.ENDING:
        return scene.state
    result = end_result(scene, job)
    if scene.capabilities.abort_is_asynchronous:
        domain = scene.domain.changed(job._replace(phase=Phase.ENDING, result=result))
    else:
        domain = over(scene.design, scene.domain, job, result)
    return scene.state.with_domain(call.domain, domain)


def _block_aborted(scene: Scene, call: Call, _: Outcome) -> State:
    job = scene.disk_job
    if job is None or job.kind.is_backup:
        return scene.state
    return scene.state.with_domain(call.domain, over(scene.design, scene.domain, job, Result.NORMAL))


def _settled(scene: Scene, call: Call, _: Outcome) -> State:
    settled = at_once(scene.domain, partial(ran_through, scene.design))
    return scene.state.with_domain(call.domain, settled)


def _stopped(scene: Scene, call: Call, _: Outcome) -> State:
    def stop(domain: Domain, job: Job) -> Domain:
        unsure = job.phase in (Phase.FINISHED, Phase.ENDING)
        return removed(scene.design, domain, job, Result.UNSURE if unsure else Result.CUT_SHORT)

    domain = at_once(scene.domain, stop)
    gone = tuple(each._replace(stopped=True) for each in domain.gone)
    kept = Kept.UNSURE if isinstance(call, Save) else domain.kept  # a save has statistics of its own
    if scene.domain.backups and kept is Kept.CUT_SHORT:
        kept = Kept.DIED
    return scene.state.with_domain(
        call.domain, domain._replace(running=False, gone=gone, default=None, kept=kept, stopped_before=True)
    )


def _restarted(scene: Scene, _: Call, __: Outcome) -> State:
    return scene.state._replace(domains=tuple(map(_served_anew, scene.state.domains)))


def _served_anew(domain: Domain) -> Domain:
    """What a server keeps for itself may be gone with it: statistics, and events that nobody took."""
    quiet = domain.owed == () and not domain.is_ending
    return domain._replace(kept=_kept_through(domain), owed=() if quiet else None)


def _kept_through(domain: Domain) -> Kept:
    """What is left of statistics after something that may have cost them."""
    return Kept.NONE if domain.kept.is_nothing else Kept.UNSURE


def _started(scene: Scene, call: Call, _: Outcome) -> State:
    domain = scene.domain._replace(running=True, kept=_kept_through(scene.domain))
    return scene.state.with_domain(call.domain, domain)


def _statistics_told(scene: Scene, call: Call, outcome: Outcome) -> State:
    assert isinstance(call, GetJobStats)
    had_none = isinstance(outcome, Completed) and outcome.type is None
    if not call.completed or (call.keep and not had_none):
        return scene.state
    kept = scene.domain.kept if scene.domain.kept.is_nothing else Kept.READ
    return scene.state.with_domain(call.domain, scene.domain._replace(kept=kept, last=None))


def _events_taken(scene: Scene, call: Call, _: Outcome) -> State:
    return scene.state.with_domain(call.domain, scene.domain._replace(owed=()))


def _default_set(scene: Scene, call: Call, _: Outcome) -> State:
    if scene.job is None:
        return scene.state
    return scene.state.with_domain(call.domain, scene.domain._replace(default=scene.job.label))


def _id_told(scene: Scene, call: Call, outcome: Outcome) -> State:
    job = scene.disk_job if isinstance(call, BlockJobGetId) else scene.job
    if job is None or job.known or outcome != Id(Seen.FRESH):
        return scene.state
    return scene.state.with_domain(call.domain, scene.domain.changed(job._replace(known=True)))


def _handle_made(scene: Scene, call: Call, _: Outcome) -> State:
    assert isinstance(call, JobLookupId | JobCompose)
    wanted = call.type
    meant = scene.job
    if meant is not None and wanted is not None and meant.kind.type is not wanted:
        meant = None
    made = wanted or (meant.kind.type if meant else JobType.BACKUP)
    handle = HandleState(call.domain, meant.label if meant else None, made)
    return scene.state.with_handle(call.label, handle)


def _handle_freed(scene: Scene, call: Call, _: Outcome) -> State:
    reference = getattr(call, "job", None)
    if scene.handle is None or not isinstance(reference, HandleOf):
        return scene.state
    return scene.state.with_handle(reference.label, scene.handle._replace(freed=True))


def _led_on(scene: Scene, call: Call, _: Outcome) -> State:
    job = scene.job
    if job is None:
        return scene.state
    lead = LEADS.get((type(call), job.phase))
    return scene.state if lead is None else scene.state.with_domain(call.domain, lead(scene, job))


def _to(phase: Phase) -> Callable[[Scene, Job], Domain]:
    return lambda scene, job: scene.domain.changed(job._replace(phase=phase))


def _cut_short(scene: Scene, job: Job) -> Domain:
    if scene.capabilities.abort_is_asynchronous:
        return scene.domain.changed(job._replace(phase=Phase.ENDING, result=Result.CUT_SHORT))
    return over(scene.design, scene.domain, job, Result.CUT_SHORT)


def _done(scene: Scene, job: Job) -> Domain:
    return has_worked(scene.design, scene.domain, job)


# what QEMU's job.c makes of a verb in a phase; in all others it refuses it
NOT_OVER = [phase for phase in Phase if phase not in (Phase.CONCLUDED, Phase.ENDING)]
LEADS: dict[tuple[type[Call], Phase], Callable[[Scene, Job], Domain]] = {
    **dict.fromkeys(((JobCancel, phase) for phase in NOT_OVER), _cut_short),
    (JobPause, Phase.RUNNING): _to(Phase.PAUSED),
    (JobPause, Phase.READY): _to(Phase.STANDBY),
    (JobResume, Phase.PAUSED): _to(Phase.RUNNING),
    (JobResume, Phase.STANDBY): _to(Phase.READY),
    (JobResume, Phase.HALTED): _done,
    (JobComplete, Phase.READY): _done,
    (JobComplete, Phase.STANDBY): _to(Phase.HALTED),
    (JobFinalize, Phase.PENDING): lambda scene, job: over(scene.design, scene.domain, job, Result.NORMAL),
    (JobDismiss, Phase.CONCLUDED): lambda scene, job: removed(scene.design, scene.domain, job, job.result),
}
FOLLOW: dict[type[Call], Callable[[Scene, Call, Outcome], State]] = {
    BackupBegin: _begun,
    BlockCopy: _begun,
    BlockPull: _begun,
    BlockCommit: _begun,
    BackupEnd: _ended,
    AbortJob: _aborted,
    BlockJobAbort: _block_aborted,
    Settle: _settled,
    Destroy: _stopped,
    CrashGuest: _stopped,
    RestartServer: _restarted,
    Save: _stopped,
    Start: _started,
    GetJobStats: _statistics_told,
    TakeEvents: _events_taken,
    EndSession: lambda scene, _, __: initial(len(scene.state.domains)),
    JobSetDefaultId: _default_set,
    BlockJobGetId: _id_told,
    JobGetId: _id_told,
    JobLookupId: _handle_made,
    JobCompose: _handle_made,
    JobFree: _handle_freed,
    **dict.fromkeys(JOB_VERBS, _led_on),
}
