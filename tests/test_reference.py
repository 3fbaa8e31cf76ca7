"""The reference conforms to the contract in every design, told call by call."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import pytest

from jobtck.conformance.calls import (
    BAD_BACKUP_INPUT,
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobGetId,
    BlockJobSetSpeed,
    BlockPull,
    Call,
    Destroy,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    JobArgument,
    JobCompose,
    JobFree,
    JobGetDefaultId,
    JobGetId,
    JobGetType,
    JobLookupId,
    JobSetDefaultId,
    JobType,
    Kind,
    ListAllJobs,
    Mode,
    NoJob,
    Save,
    Settle,
    Start,
    TakeEvents,
    Token,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, Feature, Options, Target
from jobtck.conformance.design import Design, Handle, Namespace, Reuse, presets
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Completed,
    Description,
    Ended,
    ErrorKind,
    Events,
    GotHandle,
    Id,
    JobInfo,
    Leftovers,
    Listed,
    Outcome,
    Progress,
    Refusal,
    TypeOf,
)
from jobtck.fixtures.reference import Reference, ReferenceTarget, backend
from jobtck.fixtures.reference_jobs import HANDLES_MAX

DESIGNS = presets()
WITH_IDS = [name for name, design in DESIGNS.items() if design.has_ids]
PULL, PUSH = Mode.PULL, Mode.PUSH
HUGE = 2**31 - 1
WELL = Completed(JobType.BACKUP, success=True)
CUT_SHORT = Completed(JobType.BACKUP, success=False, error=True)
GAVE_WELL, GAVE_CUT_SHORT = (JobType.BACKUP, True), (JobType.BACKUP, False)

every_design = pytest.mark.parametrize("design", DESIGNS)
every_design_with_ids = pytest.mark.parametrize("design", WITH_IDS)


def reference(design: str) -> Reference:
    return Reference(DESIGNS[design])


def begin(server: Reference, *disks: str, mode: Mode = PULL, name: str = "job", domain: int = 0) -> JobArgument:
    """What a client holds of the backup that it began."""
    handle = server.design.handle
    outcome = server.perform(
        BackupBegin(
            label=0,
            mode=mode,
            disks=disks or ("vda",),
            name=name if handle is Handle.NAME else None,
            domain=domain,
        )
    )
    match outcome, handle:
        case Id(id=int(number)), Handle.INTEGER:
            return number
        case GotHandle(), Handle.OPAQUE:
            return token(outcome)
        case _, Handle.NAME:
            assert outcome == DONE
            return name
        case _:
            assert outcome == DONE
            return NoJob.NAMED


def copy(server: Reference, disk: str = "vdb", name: str = "copy") -> None:
    named = name if server.design.handle is Handle.NAME else None
    assert server.perform(BlockCopy(label=1, disk=disk, name=named)) == DONE


def kind(outcome: Outcome) -> ErrorKind:
    """Why the call was refused."""
    assert isinstance(outcome, Refusal), outcome
    assert outcome.code
    assert outcome.text
    return outcome.kind


def end(server: Reference, job: JobArgument, *, abort: bool = True, domain: int = 0) -> Outcome:
    """The outcome of ending the backup, in the way that the design has."""
    if server.design.has_ids:
        return server.perform(BackupEnd(job=job, abort=abort, domain=domain))
    return server.perform(AbortJob(domain=domain))


def token(outcome: Outcome) -> Token:
    """The handle that was got."""
    assert isinstance(outcome, GotHandle)
    assert outcome.token
    return outcome.token


def snapshot(server: Reference) -> list[Outcome]:
    """All that queries tell which change nothing."""
    disks = ("vda", "vdb", "vdc")
    calls: list[Call] = [ListAllJobs(), GetJobInfo(), GetJobStats(completed=True, keep=True)]
    calls += [GetBlockJobInfo(disk=disk) for disk in disks]
    calls += [JobGetDefaultId(), Inspect()]
    return [server.perform(call) for call in calls]


# Beginning


@every_design
def test_a_backup_is_described_as_it_was_begun(design: str) -> None:
    server = reference(design)
    job = begin(server, "vdc", "vda", mode=PUSH)
    description = server.perform(BackupGetXmlDesc(job=job))
    assert isinstance(description, Description)
    assert (description.mode, description.disks) == (PUSH, ("vda", "vdc"))
    assert description.flaw == ""
    match server.design.handle:
        case Handle.NONE:
            assert description.id is None
        case Handle.OPAQUE:
            assert server.perform(JobGetId(job=job)) == Id(description.id) == Id(1)
        case _:
            assert description.id == job


@every_design
def test_a_begin_leaves_nothing_when_it_is_refused(design: str) -> None:
    server = reference(design)
    begin(server, "vda")
    before = snapshot(server)
    good = BackupBegin(label=1, mode=PULL, disks=("vdb",), name="other")
    for flaw in (*BAD_BACKUP_INPUT, Flaw.UNKNOWN_FLAGS, Flaw.ILL_FORMED_NAME):
        assert kind(server.perform(replace(good, flaw=flaw))) is ErrorKind.INVALID_ARGUMENT
    for disks in ((), ("vdb", "vdb"), ("vdb", UNKNOWN_DISK)):
        assert kind(server.perform(replace(good, disks=disks))) is ErrorKind.INVALID_ARGUMENT
    assert kind(server.perform(replace(good, disks=("vda",)))) is ErrorKind.BUSY
    assert snapshot(server) == before


@every_design
def test_no_more_backups_run_than_the_design_allows(design: str) -> None:
    server = reference(design)
    for number, disk in zip(range(server.design.parallel), ("vda", "vdb", "vdc"), strict=False):
        begin(server, disk, name=f"job{number}")
    beyond = BackupBegin(label=9, mode=PULL, disks=("vdc",), name="beyond")
    assert kind(server.perform(beyond)) is ErrorKind.BUSY


@every_design
def test_a_disk_has_one_job_and_the_next_can_begin_when_it_is_over(design: str) -> None:
    server = reference(design)
    copy(server, "vda")
    busy = BackupBegin(label=1, mode=PULL, disks=("vdb", "vda"), name="job")
    assert kind(server.perform(busy)) is ErrorKind.BUSY
    job = begin(server, "vdb")
    again = BlockPull(label=2, disk="vdb", name="pull")
    assert kind(server.perform(again)) is ErrorKind.BUSY
    end(server, job)
    assert server.perform(again) == DONE
    begin(server, "vdc")


def test_checks_are_made_in_order() -> None:
    server = reference("zero-id")
    call = BackupBegin(label=0, mode=PULL, disks=("vdz",), flaw=Flaw.UNKNOWN_FLAGS, client=READ_ONLY_CLIENT)
    server.perform(Destroy())
    assert kind(server.perform(call)) is ErrorKind.READ_ONLY
    assert kind(server.perform(replace(call, client=0))) is ErrorKind.INVALID_ARGUMENT
    assert kind(server.perform(replace(call, client=0, flaw=Flaw.NOTHING))) is ErrorKind.NOT_RUNNING


# Ids


@pytest.mark.parametrize("design", [name for name in WITH_IDS if name != "qemu-jobs"])
def test_ids_count_for_each_domain_and_are_given_again_only_where_the_design_says_so(
    design: str,
) -> None:
    server = reference(design)
    reused = server.design.reuse is Reuse.AFTER_END

    def next_id(domain: int = 0) -> object:
        job = begin(server, domain=domain)
        description = server.perform(BackupGetXmlDesc(job=job, domain=domain))
        assert isinstance(description, Description)
        end(server, job, domain=domain)
        return description.id

    assert [next_id(), next_id()] == ([1, 1] if reused else [1, 2])
    assert next_id(domain=1) == 1
    server.perform(Destroy())
    server.perform(Start())
    assert next_id() == (1 if reused else 3)
    server.end_all_jobs()
    assert next_id() == (1 if reused else 4)


def test_the_smallest_free_id_is_given_again() -> None:
    server = reference("recycled-ids")
    jobs = [begin(server, disk) for disk in ("vda", "vdb", "vdc")]
    end(server, jobs[1])
    copy(server, "vdb")
    assert server.perform(BlockJobGetId(disk="vdb")) == Id(2)


@pytest.mark.parametrize("design", ["parallel-ids", "opaque-handles", "recycled-ids", "qemu-jobs"])
def test_block_jobs_bear_ids_in_their_namespace(design: str) -> None:
    server = reference(design)
    begin(server, "vda")
    copy(server, "vdb")
    per_type = server.design.namespace is Namespace.PER_TYPE
    backup, block = ("job", "copy") if design == "qemu-jobs" else (1, 1 if per_type else 2)
    assert server.perform(BlockJobGetId(disk="vda")) == Id(backup)
    assert server.perform(BlockJobGetId(disk="vdb")) == Id(block)
    assert kind(server.perform(BlockJobGetId(disk="vdc"))) is ErrorKind.NO_SUCH_JOB
    both = ((backup, JobType.BACKUP), (block, JobType.BLOCK_COPY))
    assert server.perform(ListAllJobs()) == Listed(both)
    assert server.perform(ListAllJobs(types=frozenset({JobType.BLOCK_COPY}))) == Listed(both[1:])
    unknown = ListAllJobs(flaw=Flaw.UNKNOWN_FLAGS)
    assert kind(server.perform(unknown)) is ErrorKind.INVALID_ARGUMENT


@every_design_with_ids
def test_an_id_is_stale_once_its_job_is_over(design: str) -> None:
    server = reference(design)
    job = begin(server)
    end(server, job)
    next_job = begin(server, name="next")
    if server.design.reuse is Reuse.NEVER or server.design.handle is Handle.NAME:
        for call in (BackupGetXmlDesc(job=job), BackupEnd(job=job, abort=True)):
            assert kind(server.perform(call)) is ErrorKind.NO_SUCH_JOB
    assert isinstance(server.perform(BackupGetXmlDesc(job=next_job)), Description)
    server.perform(Destroy())
    server.perform(Start())
    for stale in (job, next_job):
        assert kind(server.perform(BackupGetXmlDesc(job=stale))) is ErrorKind.NO_SUCH_JOB
    assert server.perform(GetJobInfo()) == JobInfo(None)


@pytest.mark.parametrize("design", ["zero-id", "listed-ids", "parallel-ids", "recycled-ids"])
def test_ids_that_no_begin_returned_are_refused(design: str) -> None:
    server = reference(design)
    begin(server)
    for number, expected in (
        (2, ErrorKind.NO_SUCH_JOB),
        (HUGE, ErrorKind.NO_SUCH_JOB),
        (-1, ErrorKind.INVALID_ARGUMENT),
    ):
        assert kind(server.perform(BackupGetXmlDesc(job=number))) is expected
        assert kind(server.perform(BackupEnd(job=number, abort=True))) is expected
    assert kind(server.perform(BackupGetXmlDesc(job=1, domain=1))) is ErrorKind.NO_SUCH_JOB
    assert kind(server.perform(BackupGetXmlDesc(job=1, domain=9))) is ErrorKind.NO_DOMAIN


@pytest.mark.parametrize("design", ["parallel-ids", "recycled-ids", "qemu-jobs"])
def test_a_block_jobs_id_is_no_backups(design: str) -> None:
    server = reference(design)
    copy(server)
    job: JobArgument = "copy" if design == "qemu-jobs" else 1
    before = snapshot(server)
    assert kind(server.perform(BackupGetXmlDesc(job=job))) is ErrorKind.WRONG_TYPE
    assert kind(server.perform(BackupEnd(job=job, abort=True))) is ErrorKind.WRONG_TYPE
    assert snapshot(server) == before


def test_names_are_the_clients_choice_while_free_and_well_formed() -> None:
    server = reference("qemu-jobs")
    begin(server, "vda", name="a.b_c-1")
    call = BackupBegin(label=1, mode=PULL, disks=("vdb",), name="a.b_c-1")
    for name in ("a.b_c-1", "1a", "", "a b", "ä", "a\n", None):
        assert kind(server.perform(replace(call, name=name))) is ErrorKind.INVALID_ARGUMENT
    block = BlockCopy(label=1, disk="vdb", name="a.b_c-1")
    assert kind(server.perform(block)) is ErrorKind.INVALID_ARGUMENT
    assert server.perform(BackupEnd(job="a.b_c-1")) == Ended(1)
    assert server.perform(block) == DONE
    for odd, expected in (
        ("0", ErrorKind.INVALID_ARGUMENT),
        (0, ErrorKind.INVALID_ARGUMENT),
        (-1, ErrorKind.INVALID_ARGUMENT),
        (str(HUGE), ErrorKind.NO_SUCH_JOB),
        ("never-begun", ErrorKind.NO_SUCH_JOB),
    ):
        assert kind(server.perform(BackupGetXmlDesc(job=odd))) is expected


# Id 0


@pytest.mark.parametrize("design", ["zero-id", "listed-ids", "parallel-ids", "recycled-ids"])
def test_zero_stands_for_the_only_backup(design: str) -> None:
    server = reference(design)
    copy(server, "vdc")
    assert kind(server.perform(BackupGetXmlDesc(job=0))) is ErrorKind.NO_SUCH_JOB
    job = begin(server, "vda")
    named = server.perform(BackupGetXmlDesc(job=job))
    assert isinstance(named, Description)
    assert server.perform(BackupGetXmlDesc(job=0)) == named
    if server.design.parallel > 1:
        begin(server, "vdb")
        before = snapshot(server)
        assert kind(server.perform(BackupGetXmlDesc(job=0))) is ErrorKind.AMBIGUOUS
        assert kind(server.perform(BackupEnd(job=0, abort=True))) is ErrorKind.AMBIGUOUS
        assert snapshot(server) == before
        end(server, job)
    assert server.perform(BackupEnd(job=0)) == Ended(1)
    assert kind(server.perform(BackupEnd(job=0))) is ErrorKind.NO_SUCH_JOB


# Ending


@pytest.mark.parametrize("design", [name for name in WITH_IDS if name != "qemu-jobs"])
def test_a_push_ends_when_it_has_copied_all_or_is_aborted(design: str) -> None:
    server = reference(design)
    job = begin(server, mode=PUSH)
    assert kind(server.perform(BackupEnd(job=job))) is ErrorKind.BUSY
    assert server.perform(BackupEnd(job=job, abort=True)) == Ended(0)
    assert server.perform(GetJobStats(completed=True)) == CUT_SHORT
    for abort in (False, True):
        job = begin(server, mode=PUSH)
        assert server.perform(Settle()) == DONE
        assert isinstance(server.perform(BackupGetXmlDesc(job=job)), Description)
        assert server.perform(BackupEnd(job=job, abort=abort)) == Ended(1)
        assert server.perform(GetJobStats(completed=True)) == WELL
    assert server.perform(TakeEvents()) == Events((GAVE_CUT_SHORT, GAVE_WELL, GAVE_WELL))
    assert server.perform(TakeEvents()) == Events(())


def test_a_finished_push_is_over_where_there_is_no_call_to_end_it() -> None:
    server = reference("default-job")
    begin(server, mode=PUSH)
    server.perform(Settle())
    assert kind(server.perform(BackupGetXmlDesc())) is ErrorKind.NO_SUCH_JOB
    assert server.perform(TakeEvents()) == Events((GAVE_WELL,))
    begin(server, mode=PUSH)
    assert server.perform(AbortJob()) == DONE
    assert server.perform(TakeEvents()) == Events((GAVE_CUT_SHORT,))


@every_design
def test_ending_a_pull_is_its_normal_end_and_leaves_nothing(design: str) -> None:
    server = reference(design)
    empty = snapshot(server)
    job = begin(server)
    server.perform(Settle())
    assert isinstance(server.perform(BackupGetXmlDesc(job=job)), Description)
    end(server, job, abort=False)
    assert kind(end(server, job)) is ErrorKind.NO_SUCH_JOB
    assert server.perform(GetJobStats(completed=True, keep=True)) == WELL
    assert server.perform(GetJobStats(completed=True)) == WELL
    assert server.perform(GetJobStats(completed=True)) == Completed(None)
    assert snapshot(server) == empty
    assert server.perform(Inspect()) == Leftovers(())
    keep_alone = GetJobStats(keep=True, flaw=Flaw.KEEP_ALONE)
    assert kind(server.perform(keep_alone)) is ErrorKind.INVALID_ARGUMENT


# The legacy calls and the default job


@every_design
def test_legacy_calls_act_on_the_only_backup_and_never_on_block_jobs(design: str) -> None:
    server = reference(design)
    copy(server)
    assert server.perform(GetJobInfo()) == JobInfo(None)
    assert server.perform(GetJobStats()) == JobInfo(None)
    assert kind(server.perform(AbortJob())) is ErrorKind.NO_SUCH_JOB
    begin(server, mode=PUSH)
    info = server.perform(GetJobInfo())
    assert isinstance(info, JobInfo)
    assert info.type is JobType.BACKUP
    assert server.perform(GetJobStats()) == info
    assert server.perform(AbortJob()) == DONE
    assert server.perform(GetJobStats(completed=True)) == CUT_SHORT
    assert kind(server.perform(AbortJob())) is ErrorKind.NO_SUCH_JOB
    left = server.perform(GetBlockJobInfo(disk="vdb"))
    assert isinstance(left, BlockInfo)
    assert left.kind is Kind.BLOCK_COPY


def test_legacy_calls_are_ambiguous_with_several_backups_and_no_default() -> None:
    server = reference("listed-ids")
    begin(server, "vda")
    begin(server, "vdb")
    assert server.perform(GetJobInfo()) == JobInfo(None)
    assert kind(server.perform(AbortJob())) is ErrorKind.AMBIGUOUS


@pytest.mark.parametrize("design", ["parallel-ids", "opaque-handles"])
def test_the_default_is_the_first_backup_or_the_one_that_is_set_and_does_not_slide(
    design: str,
) -> None:
    server = reference(design)
    default = JobGetDefaultId()
    assert kind(server.perform(default)) is ErrorKind.NO_SUCH_JOB
    copy(server, "vdc")
    first = begin(server, "vda")
    second = begin(server, "vdb")
    assert server.perform(default) == server.perform(BlockJobGetId(disk="vda"))
    assert server.perform(JobSetDefaultId(job=second)) == DONE
    assert server.perform(default) == server.perform(BlockJobGetId(disk="vdb"))
    end(server, first)
    assert kind(server.perform(JobSetDefaultId(job=first))) is ErrorKind.NO_SUCH_JOB
    assert server.perform(default) == server.perform(BlockJobGetId(disk="vdb"))
    third = begin(server, "vda")
    assert server.perform(AbortJob()) == DONE
    assert kind(server.perform(default)) is ErrorKind.NO_SUCH_JOB
    assert kind(server.perform(AbortJob())) is ErrorKind.NO_SUCH_JOB
    assert server.perform(GetJobInfo()) == JobInfo(None)
    begin(server, "vdb")
    assert kind(server.perform(default)) is ErrorKind.NO_SUCH_JOB
    assert server.perform(JobSetDefaultId(job=third)) == DONE


def test_a_default_is_a_live_backup() -> None:
    server = reference("parallel-ids")
    copy(server)
    begin(server, "vda")
    for number, expected in (
        (-1, ErrorKind.INVALID_ARGUMENT),
        (0, ErrorKind.NO_SUCH_JOB),
        (1, ErrorKind.WRONG_TYPE),
        (HUGE, ErrorKind.NO_SUCH_JOB),
    ):
        assert kind(server.perform(JobSetDefaultId(job=number))) is expected
        assert server.perform(JobGetDefaultId()) == Id(2)


# Block jobs


@every_design
def test_block_job_verbs_leave_a_backup_alone(design: str) -> None:
    server = reference(design)
    begin(server, "vda")
    before = snapshot(server)
    for call in (
        BlockJobAbort(disk="vda"),
        BlockJobAbort(disk="vda", pivot=True),
        BlockJobSetSpeed(disk="vda"),
    ):
        assert kind(server.perform(call)) is ErrorKind.WRONG_TYPE
    info = server.perform(GetBlockJobInfo(disk="vda"))
    assert isinstance(info, BlockInfo)
    assert info.kind is JobType.BACKUP
    assert snapshot(server) == before


@every_design
def test_only_a_ready_copy_can_be_pivoted_to(design: str) -> None:
    server = reference(design)
    pivot = BlockJobAbort(disk="vda", pivot=True)
    assert kind(server.perform(pivot)) is ErrorKind.NO_SUCH_JOB
    copy(server, "vda")
    assert kind(server.perform(pivot)) is ErrorKind.BUSY
    server.perform(Settle())
    assert server.perform(pivot) == DONE
    assert server.perform(GetBlockJobInfo(disk="vda")) == BlockInfo(None)
    for call in (
        BlockPull(label=1, disk="vda", name="p"),
        BlockCommit(label=1, disk="vda", name="c"),
    ):
        assert server.perform(call) == DONE
        assert kind(server.perform(pivot)) is ErrorKind.WRONG_TYPE
        assert server.perform(BlockJobAbort(disk="vda")) == DONE
        assert server.perform(call) == DONE
        server.perform(Settle())
        assert server.perform(GetBlockJobInfo(disk="vda")) == BlockInfo(None)
    assert server.perform(TakeEvents()) == Events(())


@every_design
def test_a_disk_that_is_not_there_is_the_callers_error(design: str) -> None:
    server = reference(design)
    calls: list[Call] = [
        BlockCopy(label=1, disk=UNKNOWN_DISK, name="job"),
        BlockJobAbort(disk=UNKNOWN_DISK),
        GetBlockJobInfo(disk=UNKNOWN_DISK),
        BlockJobSetSpeed(disk=UNKNOWN_DISK),
    ]
    if server.design.block_ids:
        calls.append(BlockJobGetId(disk=UNKNOWN_DISK))
    assert {kind(server.perform(call)) for call in calls} == {ErrorKind.INVALID_ARGUMENT}


def test_progress_and_elapsed_time_follow_the_clock() -> None:
    seconds = 0.0
    server = Reference(DESIGNS["parallel-ids"], clock=lambda: seconds)
    begin(server, mode=PUSH)
    copy(server)
    seconds = 16.0
    quarter = Progress(done=16 * 1024, total=64 * 1024, elapsed_ms=16_000)
    assert server.perform(GetJobInfo()) == JobInfo(JobType.BACKUP, quarter)
    assert server.perform(GetBlockJobInfo(disk="vdb")) == BlockInfo(Kind.BLOCK_COPY, quarter)
    assert server.perform(BlockJobSetSpeed(disk="vdb", bandwidth=48)) == DONE
    assert server.perform(GetBlockJobInfo(disk="vdb")) == BlockInfo(Kind.BLOCK_COPY, quarter)
    seconds = 17.0
    assert server.perform(BlockJobAbort(disk="vdb", pivot=True)) == DONE
    assert kind(server.perform(BackupEnd(job=1))) is ErrorKind.BUSY
    seconds = 64.0
    assert server.perform(BackupEnd(job=1)) == Ended(1)


def test_settling_one_domain_leaves_the_other_as_it_is() -> None:
    server = reference("zero-id")
    begin(server, mode=PUSH)
    begin(server, mode=PUSH, domain=1)
    server.perform(Settle(domain=1))
    assert server.perform(BackupEnd(job=1, domain=1)) == Ended(1)
    assert kind(server.perform(BackupEnd(job=1))) is ErrorKind.BUSY


# Opaque handles


def test_a_handle_has_the_id_and_type_that_were_looked_up() -> None:
    server = reference("opaque-handles")
    begin(server, "vda")
    copy(server)

    def lookup(number: int, type_: JobType | None) -> Outcome:
        return server.perform(JobLookupId(label=2, job=number, type=type_))

    for type_ in (JobType.BACKUP, JobType.BLOCK_COPY):
        handle = token(lookup(1, type_))
        assert server.perform(JobGetId(job=handle)) == Id(1)
        assert server.perform(JobGetType(job=handle)) == TypeOf(type_)
    block = token(lookup(1, JobType.BLOCK_COPY))
    assert kind(server.perform(BackupGetXmlDesc(job=block))) is ErrorKind.WRONG_TYPE
    assert kind(lookup(1, None)) is ErrorKind.AMBIGUOUS
    assert kind(lookup(1, JobType.BLOCK_PULL)) is ErrorKind.NO_SUCH_JOB
    assert kind(lookup(2, JobType.BACKUP)) is ErrorKind.NO_SUCH_JOB
    assert kind(lookup(0, JobType.BACKUP)) is ErrorKind.NO_SUCH_JOB
    assert kind(lookup(-1, JobType.BACKUP)) is ErrorKind.INVALID_ARGUMENT


def test_a_handle_outlives_neither_its_free_nor_its_job() -> None:
    server = reference("opaque-handles")
    job = begin(server)
    copied = token(server.perform(JobLookupId(label=2, job=1, type=JobType.BACKUP)))
    assert kind(server.perform(JobGetId(job=job, domain=1))) is ErrorKind.INVALID_ARGUMENT
    assert kind(server.perform(BackupEnd(job=job, domain=1))) is ErrorKind.INVALID_ARGUMENT
    assert server.perform(JobFree(job=job)) == DONE
    freed: list[Call] = [JobFree(job=job), JobGetType(job=job), BackupEnd(job=job)]
    assert {kind(server.perform(call)) for call in freed} == {ErrorKind.INVALID_ARGUMENT}
    assert server.perform(BackupEnd(job=copied)) == Ended(1)
    begin(server)
    over: list[Call] = [JobGetId(job=copied), BackupEnd(job=copied)]
    assert {kind(server.perform(call)) for call in over} == {ErrorKind.NO_SUCH_JOB}
    server.perform(Destroy())
    assert server.perform(JobFree(job=copied)) == DONE


def test_a_handle_composed_of_no_job_is_refused_when_it_is_used() -> None:
    server = reference("opaque-handles")

    def compose(type_: JobType, number: int) -> Token:
        return token(server.perform(JobCompose(label=2, type=type_, job=number)))

    early = compose(JobType.BACKUP, 1)
    zero = compose(JobType.BACKUP, 0)
    block = compose(JobType.BLOCK_COPY, 1)
    begin(server)
    assert kind(server.perform(BackupEnd(job=early))) is ErrorKind.NO_SUCH_JOB
    assert kind(server.perform(JobGetId(job=early))) is ErrorKind.NO_SUCH_JOB
    assert kind(server.perform(BackupEnd(job=zero))) is ErrorKind.INVALID_ARGUMENT
    assert kind(server.perform(BackupEnd(job=block))) is ErrorKind.WRONG_TYPE
    negative = JobCompose(label=2, type=JobType.BACKUP, job=-1)
    assert kind(server.perform(negative)) is ErrorKind.INVALID_ARGUMENT
    assert server.perform(BackupEnd(job=compose(JobType.BACKUP, 1))) == Ended(1)


def test_handles_that_nobody_frees_are_bounded() -> None:
    server = reference("opaque-handles")
    for _ in range(HANDLES_MAX + 10):
        server.perform(JobCompose(label=2, type=JobType.BACKUP, job=1))
    assert len(server.guests[0].handles) == HANDLES_MAX


# Clients, domains, sessions


@every_design
def test_a_read_only_client_can_ask_and_change_nothing(design: str) -> None:
    server = reference(design)
    job = begin(server)
    before = snapshot(server)
    ro = READ_ONLY_CLIENT
    changes: list[Call] = [
        BackupBegin(label=1, mode=PULL, disks=("vdb",), name="other", client=ro),
        AbortJob(client=ro),
        BlockCopy(label=1, disk="vdb", name="other", client=ro),
        BlockPull(label=1, disk="vdb", name="other", client=ro),
        BlockCommit(label=1, disk="vdb", name="other", client=ro),
        BlockJobAbort(disk="vda", client=ro),
        BlockJobSetSpeed(disk="vda", client=ro),
        Save(client=ro),
    ]
    if server.design.has_ids:
        changes.append(BackupEnd(job=job, client=ro))
    if server.design.default_job:
        changes.append(JobSetDefaultId(job=job, client=ro))
    assert {kind(server.perform(call)) for call in changes} == {ErrorKind.READ_ONLY}
    assert isinstance(server.perform(BackupGetXmlDesc(job=job, client=ro)), Description)
    assert snapshot(server) == before


@every_design
def test_a_domain_that_dies_ends_its_jobs_and_they_are_no_success(design: str) -> None:
    server = reference(design)
    job = begin(server, "vda")
    copy(server)
    assert kind(server.perform(Save())) is ErrorKind.BUSY
    assert kind(server.perform(Start())) is ErrorKind.INVALID_ARGUMENT
    assert server.perform(Destroy()) == DONE
    not_running: list[Call] = [
        BackupBegin(label=1, mode=PULL, disks=("vda",), name="other"),
        BackupGetXmlDesc(job=job),
        GetJobInfo(),
        GetJobStats(),
        GetBlockJobInfo(disk="vda"),
        Destroy(),
        Save(),
    ]
    assert {kind(server.perform(call)) for call in not_running} == {ErrorKind.NOT_RUNNING}
    assert server.perform(GetJobStats(completed=True, keep=True)) == CUT_SHORT
    assert server.perform(TakeEvents()) == Events((GAVE_CUT_SHORT,))
    assert server.perform(Inspect()) == Leftovers(())
    assert server.perform(Settle()) == DONE
    assert server.perform(Start()) == DONE
    assert server.perform(GetJobStats(completed=True)) == Completed(None)
    assert server.perform(GetBlockJobInfo(disk="vdb")) == BlockInfo(None)
    assert server.perform(Save()) == DONE


@every_design
def test_a_session_ends_as_if_it_had_never_been(design: str) -> None:
    server = reference(design)
    empty = snapshot(server)
    end(server, begin(server, "vda"))
    held = begin(server, "vda", mode=PUSH)
    copy(server)
    server.perform(Destroy(domain=1))
    server.end_all_jobs()
    assert snapshot(server) == empty
    assert server.perform(TakeEvents()) == Events(())
    assert server.perform(GetJobInfo(domain=1)) == JobInfo(None)
    expected = ErrorKind.INVALID_ARGUMENT if isinstance(held, Token) else ErrorKind.NO_SUCH_JOB
    assert kind(server.perform(BackupGetXmlDesc(job=held))) is expected


@every_design
def test_a_target_says_what_it_is_and_hands_out_fresh_guests(design: str) -> None:
    target: Target = backend.open(DESIGNS[design], Options())
    assert isinstance(target, ReferenceTarget)
    assert (target.name, target.uri, target.design.name) == ("reference", "", design)
    assert target.capabilities.features == frozenset(Feature)
    assert target.capabilities.has(BackupEnd) == (design != "default-job")
    assert target.capabilities.has(JobFree) == (design == "opaque-handles")
    server = target.fresh()
    assert kind(server.perform(Start())) is ErrorKind.INVALID_ARGUMENT
    if not target.capabilities.has(ListAllJobs):
        assert kind(server.perform(ListAllJobs())) is ErrorKind.UNSUPPORTED
    server.close()
    assert kind(server.perform(GetJobInfo())) is ErrorKind.NO_DOMAIN
    target.close()


# Threads


class Tally(NamedTuple):
    """What one client of several saw."""

    drawn: list[int]
    ended: list[int]


def drive(server: Reference, seed: int) -> Tally:
    """Begins, ends and lists at random, also the jobs that others began."""
    rng = random.Random(seed)
    tally = Tally([], [])
    for _ in range(3000):
        disk = rng.choice(("vda", "vdb", "vdc"))
        outcome = server.perform(BackupBegin(label=0, mode=PUSH, disks=(disk,), client=seed % 2))
        if isinstance(outcome, Id):
            assert isinstance(outcome.id, int)
            tally.drawn.append(outcome.id)
        listed = server.perform(ListAllJobs())
        assert isinstance(listed, Listed)
        ids = [number for number, _type in listed.jobs]
        assert len(ids) == len(set(ids)) <= server.design.parallel
        for number in ids[:1]:
            assert isinstance(number, int)
            outcome = server.perform(BackupEnd(job=number, abort=rng.random() < 0.8))
            if isinstance(outcome, Ended):
                tally.ended.append(number)
            else:
                assert kind(outcome) in {ErrorKind.NO_SUCH_JOB, ErrorKind.BUSY}
    return tally


def test_four_clients_at_once_share_no_id_and_end_no_job_twice() -> None:
    server = reference("listed-ids")
    with ThreadPoolExecutor(4) as threads:
        tallies = list(threads.map(drive, [server] * 4, range(4)))
    drawn = sorted(number for tally in tallies for number in tally.drawn)
    ended = sorted(number for tally in tallies for number in tally.ended)
    assert drawn == list(range(1, len(drawn) + 1))
    assert len(ended) == len(set(ended))
    live = [job.id for job in server.guests[0].jobs]
    assert sorted([*ended, *(number for number in live if isinstance(number, int))]) == drawn
    assert server.perform(Inspect()) == Leftovers(())


def test_designs_of_a_users_own_are_played_too() -> None:
    design: Design = replace(DESIGNS["opaque-handles"], reuse=Reuse.AFTER_END)
    server = Reference(design)
    stale = begin(server)
    end(server, stale)
    begin(server)
    assert kind(server.perform(BackupEnd(job=stale, abort=True))) is ErrorKind.NO_SUCH_JOB
