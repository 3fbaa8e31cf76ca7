"""A state machine for `zero-id` as people write them by hand: what the kit is measured against."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    multiple,
    precondition,
    rule,
)

from jobtck.conformance.calls import (
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupEnd,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobBegin,
    BlockPull,
    Call,
    Destroy,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    JobType,
    Mode,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Completed,
    Description,
    Ended,
    ErrorKind,
    Events,
    Id,
    JobInfo,
    Leftovers,
    Refusal,
)

DISKS = st.sampled_from(("vda", "vdb", UNKNOWN_DISK))
BLOCK_BEGINS = st.sampled_from((BlockCopy, BlockPull, BlockCommit))
WRONG_IDS = st.sampled_from((-1, 2**31 - 1))


def plain_machine(fresh: Callable[[], Backend]) -> type[RuleBasedStateMachine]:
    """A machine on fresh guests: bundles, a tiny model, an assertion in each rule."""

    class PlainMachine(RuleBasedStateMachine):
        jobs: Bundle[int] = Bundle("jobs")

        def __init__(self) -> None:
            super().__init__()
            self.backend = fresh()
            self.running = True
            self.backup: tuple[int, Mode, str] | None = None
            self.finished = False
            self.block_jobs: dict[str, type[BlockJobBegin]] = {}
            self.ready: set[str] = set()
            self.events = 0

        def is_refused(self, call: Call, kind: ErrorKind) -> None:
            outcome = self.backend.perform(call)
            assert isinstance(outcome, Refusal), outcome
            assert outcome.kind is kind, outcome

        def backup_is_over(self) -> None:
            self.backup, self.finished = None, False
            self.events += 1

        def is_the_backup(self, number: int) -> bool:
            return self.backup is not None and self.backup[0] == number

        def is_busy(self, disk: str) -> bool:
            return disk in self.block_jobs or (self.backup is not None and self.backup[2] == disk)

        @rule(target=jobs, mode=st.sampled_from(Mode), disk=DISKS)
        def begin_backup(self, mode: Mode, disk: str) -> int | MultipleResults[int]:
            call = BackupBegin(label=0, mode=mode, disks=(disk,))
            if not self.running:
                self.is_refused(call, ErrorKind.NOT_RUNNING)
            elif disk == UNKNOWN_DISK:
                self.is_refused(call, ErrorKind.INVALID_ARGUMENT)
            elif self.backup is not None or self.is_busy(disk):
                self.is_refused(call, ErrorKind.BUSY)
            else:
                begun = self.backend.perform(call)
                assert isinstance(begun, Id)
                assert isinstance(begun.id, int)
                assert begun.id > 0
                self.backup = (begun.id, mode, disk)
                return begun.id
            return multiple()

        @rule(disk=DISKS, begin=BLOCK_BEGINS)
        def begin_block_job(self, disk: str, begin: type[BlockJobBegin]) -> None:
            call = begin(label=0, disk=disk)
            if not self.running:
                self.is_refused(call, ErrorKind.NOT_RUNNING)
            elif disk == UNKNOWN_DISK:
                self.is_refused(call, ErrorKind.INVALID_ARGUMENT)
            elif self.is_busy(disk):
                self.is_refused(call, ErrorKind.BUSY)
            else:
                assert self.backend.perform(call) == DONE
                self.block_jobs[disk] = begin

        def describes(self, number: int, *, names_the_backup: bool) -> None:
            call = BackupGetXmlDesc(job=number)
            if not self.running:
                self.is_refused(call, ErrorKind.NOT_RUNNING)
            elif self.backup is None or not names_the_backup:
                self.is_refused(call, ErrorKind.NO_SUCH_JOB)
            else:
                job, mode, disk = self.backup
                assert self.backend.perform(call) == Description(job, mode, (disk,))

        @rule(number=jobs)
        def describe(self, number: int) -> None:
            self.describes(number, names_the_backup=self.is_the_backup(number))

        @rule()
        def describe_current(self) -> None:
            self.describes(0, names_the_backup=True)

        def ends(self, number: int, *, names_the_backup: bool, abort: bool) -> None:
            call = BackupEnd(job=number, abort=abort)
            if not self.running:
                self.is_refused(call, ErrorKind.NOT_RUNNING)
            elif self.backup is None or not names_the_backup:
                self.is_refused(call, ErrorKind.NO_SUCH_JOB)
            elif self.backup[1] is Mode.PUSH and not self.finished and not abort:
                self.is_refused(call, ErrorKind.BUSY)
            else:
                well = self.backup[1] is Mode.PULL or self.finished
                assert self.backend.perform(call) == Ended(int(well))
                self.backup_is_over()

        @rule(number=jobs, abort=st.booleans())
        def end(self, number: int, abort: bool) -> None:  # noqa: FBT001
            self.ends(
                number,
                names_the_backup=self.is_the_backup(number),
                abort=abort,
            )

        @rule(number=consumes(jobs))
        def end_for_the_last_time(self, number: int) -> None:
            self.ends(
                number,
                names_the_backup=self.is_the_backup(number),
                abort=True,
            )

        @rule(abort=st.booleans())
        def end_current(self, abort: bool) -> None:  # noqa: FBT001
            self.ends(0, names_the_backup=True, abort=abort)

        @precondition(lambda self: self.running)
        @rule(number=WRONG_IDS)
        def end_what_never_was(self, number: int) -> None:
            wrong = ErrorKind.INVALID_ARGUMENT if number < 0 else ErrorKind.NO_SUCH_JOB
            self.is_refused(BackupEnd(job=number, abort=True), wrong)

        @rule()
        def use_unknown_flags(self) -> None:
            self.is_refused(BackupEnd(job=0, flaw=Flaw.UNKNOWN_FLAGS), ErrorKind.INVALID_ARGUMENT)

        @precondition(lambda self: self.running)
        @rule()
        def ask_for_the_job(self) -> None:
            told = self.backend.perform(GetJobInfo())
            assert isinstance(told, JobInfo)
            assert told.type is (None if self.backup is None else JobType.BACKUP)

        @rule(keep=st.booleans())
        def ask_for_statistics(self, keep: bool) -> None:  # noqa: FBT001
            assert isinstance(self.backend.perform(GetJobStats(completed=True, keep=keep)), Completed)

        @precondition(lambda self: self.running)
        @rule()
        def abort(self) -> None:
            if self.backup is None:
                self.is_refused(AbortJob(), ErrorKind.NO_SUCH_JOB)
            else:
                assert self.backend.perform(AbortJob()) == DONE
                self.backup_is_over()

        @precondition(lambda self: self.running)
        @rule(disk=st.sampled_from(("vda", "vdb")))
        def ask_for_a_block_job(self, disk: str) -> None:
            told = self.backend.perform(GetBlockJobInfo(disk=disk))
            assert isinstance(told, BlockInfo)
            assert (told.kind is not None) == self.is_busy(disk)

        @precondition(lambda self: self.running)
        @rule(disk=DISKS, pivot=st.booleans())
        def abort_a_block_job(self, disk: str, pivot: bool) -> None:  # noqa: FBT001
            begun = self.block_jobs.get(disk)
            well = begun is not None and (not pivot or disk in self.ready)
            outcome = self.backend.perform(BlockJobAbort(disk=disk, pivot=pivot))
            assert (outcome == DONE) == well
            if well:
                del self.block_jobs[disk]
                self.ready.discard(disk)

        @rule()
        def settle(self) -> None:
            assert self.backend.perform(Settle()) == DONE
            self.finished = self.backup is not None and self.backup[1] is Mode.PUSH
            self.block_jobs = {disk: begun for disk, begun in self.block_jobs.items() if begun is BlockCopy}
            self.ready = set(self.block_jobs)

        @rule()
        def destroy_or_start(self) -> None:
            assert self.backend.perform(Destroy() if self.running else Start()) == DONE
            if self.backup is not None:
                self.backup_is_over()
            self.block_jobs.clear()
            self.ready.clear()
            self.running = not self.running

        @rule()
        def take_events(self) -> None:
            told = self.backend.perform(TakeEvents())
            assert isinstance(told, Events)
            assert len(told.events) == self.events
            self.events = 0

        @rule()
        def inspect(self) -> None:
            assert self.backend.perform(Inspect()) == Leftovers(())

        def teardown(self) -> None:
            self.backend.close()

    return PlainMachine
