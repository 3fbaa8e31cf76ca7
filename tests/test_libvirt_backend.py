"""The libvirt backend translates on real guests, and its sessions start the same."""

import shutil
import time
from collections.abc import Iterator

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
    BlockJobBegin,
    BlockPull,
    Destroy,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    JobType,
    Kind,
    Mode,
    Save,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Options
from jobtck.conformance.design import find_design
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Completed,
    Description,
    ErrorKind,
    Events,
    JobInfo,
    Leftovers,
    Outcome,
    Refusal,
)

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")
if shutil.which("qemu-img") is None:
    pytest.skip("QEMU is not installed", allow_module_level=True)

from jobtck.fixtures.libvirt_backend import backend as plugin
from jobtck.fixtures.libvirt_calls import LibvirtBackend
from jobtck.fixtures.libvirt_target import LibvirtTarget

pytestmark = pytest.mark.real

PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
PUSH = BackupBegin(label=0, mode=Mode.PUSH, disks=("vda", "vdb"))


@pytest.fixture(scope="module")
def target() -> Iterator[LibvirtTarget]:
    opened = plugin.open(find_design("default-job"), Options())
    assert isinstance(opened, LibvirtTarget)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def guests(target: LibvirtTarget) -> Iterator[LibvirtBackend]:
    fresh = target.fresh()
    assert isinstance(fresh, LibvirtBackend)
    yield fresh
    fresh.close()


@pytest.fixture
def backend(guests: LibvirtBackend) -> Iterator[LibvirtBackend]:
    yield guests
    guests.end_all_jobs()


def refused(outcome: Outcome) -> tuple[ErrorKind, str]:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.text
    return outcome.kind, outcome.code


def is_idle(backend: LibvirtBackend) -> bool:
    disks = [backend.perform(GetBlockJobInfo(disk=disk)) for disk in ("vda", "vdb")]
    return backend.perform(GetJobInfo()) == JobInfo(None) and disks == [BlockInfo(None)] * 2


def test_the_target_says_what_it_is(target: LibvirtTarget) -> None:
    assert set(target.versions) == {"libvirt", "qemu", "libvirt-python"}
    assert {"backup_begin", "abort_job", "block_copy", "inspect"} <= target.capabilities.calls
    assert "backup_end" not in target.capabilities.calls
    assert target.capabilities.transient == {Kind.PUSH}
    assert target.capabilities.reasons["abort_job"].startswith("VIR_ERR_OPERATION_INVALID: ")


def test_a_pull_is_held_until_it_is_aborted(backend: LibvirtBackend) -> None:
    assert backend.perform(PULL) == DONE
    for client in (0, SECOND_CLIENT, READ_ONLY_CLIENT):
        told = backend.perform(BackupGetXmlDesc(client=client))
        assert isinstance(told, Description)
        assert (told.mode, told.disks) == (Mode.PULL, ("vda",))
    info = backend.perform(GetJobStats())
    assert isinstance(info, JobInfo)
    assert info.type is JobType.BACKUP
    assert backend.perform(Settle()) == DONE
    assert backend.perform(Inspect()) == Leftovers(())
    refusal = backend.perform(AbortJob(client=READ_ONLY_CLIENT))
    assert refused(refusal) == (ErrorKind.READ_ONLY, "VIR_ERR_OPERATION_DENIED")
    assert backend.perform(AbortJob(client=SECOND_CLIENT)) == DONE
    assert backend.perform(Settle()) == DONE
    assert is_idle(backend)
    events = backend.perform(TakeEvents(due=1))
    assert isinstance(events, Events)
    assert [type_ for type_, _ in events.events] == [JobType.BACKUP]
    assert backend.perform(Inspect()) == Leftovers(())


def test_a_push_runs_through(backend: LibvirtBackend) -> None:
    assert backend.perform(PUSH) == DONE
    assert backend.perform(Settle()) == DONE
    assert backend.perform(GetJobInfo()) == JobInfo(None)
    done = Completed(JobType.BACKUP, success=True, error=False)
    assert backend.perform(GetJobStats(completed=True, keep=True)) == done
    assert backend.perform(GetJobStats(completed=True)) == done
    assert backend.perform(GetJobStats(completed=True)) == Completed(None)
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, True),))


@pytest.mark.parametrize("flaw", [*BAD_BACKUP_INPUT, Flaw.UNKNOWN_FLAGS])
def test_bad_input_is_refused_and_leaves_nothing(backend: LibvirtBackend, flaw: Flaw) -> None:
    for mode in Mode:
        begin = BackupBegin(label=0, mode=mode, disks=("vda", "vdb"), flaw=flaw)
        assert refused(backend.perform(begin))[0] is ErrorKind.INVALID_ARGUMENT
    assert is_idle(backend)
    assert backend.perform(Inspect()) == Leftovers(())


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (BlockCopy, Kind.BLOCK_COPY),
        (BlockPull, Kind.BLOCK_PULL),
        (BlockCommit, Kind.BLOCK_COMMIT),
    ],
)
def test_a_block_job_is_held_and_runs_when_let(backend: LibvirtBackend, begin: type[BlockJobBegin], kind: Kind) -> None:
    assert backend.perform(begin(label=0, disk="vda")) == DONE
    time.sleep(0.3)  # long enough for it to end, if it were not held
    told = backend.perform(GetBlockJobInfo(disk="vda"))
    assert isinstance(told, BlockInfo)
    assert told.kind is kind
    assert refused(backend.perform(BlockJobAbort(disk="vda", pivot=True)))[0] is ErrorKind.BUSY
    assert backend.perform(BlockJobAbort(disk="vda")) == DONE
    assert is_idle(backend)
    assert backend.perform(begin(label=0, disk="vda")) == DONE
    assert backend.perform(Settle()) == DONE
    pivoted = backend.perform(BlockJobAbort(disk="vda", pivot=True))
    assert (pivoted == DONE) is (begin is BlockCopy)
    assert is_idle(backend)


def test_a_worn_chain_is_made_as_good_as_new(backend: LibvirtBackend) -> None:
    guest = backend.jobs[0].guest
    identity = guest.domain.XMLDesc().partition(">")[0]  # with the number of this start
    for kind in (BlockCopy, BlockPull, BlockCommit):
        for disk in ("vda", "vdb"):
            assert backend.perform(kind(label=0, disk=disk)) == DONE
            assert backend.perform(Settle()) == DONE
            if kind is BlockCopy:
                assert backend.perform(BlockJobAbort(disk=disk, pivot=True)) == DONE
        assert guest.worn_disks() == ("vda", "vdb")
        backend.end_all_jobs()
        assert guest.worn_disks() == ()
    assert guest.domain.XMLDesc().partition(">")[0] == identity
    assert backend.perform(Destroy()) == DONE
    assert backend.perform(Start()) == DONE  # from the stored definition
    assert guest.worn_disks() == ()


def test_a_session_ends_whatever_is_going_on(backend: LibvirtBackend) -> None:
    assert backend.perform(PULL) == DONE
    assert backend.perform(BlockCopy(label=1, disk="vdb")) == DONE
    other = BackupBegin(label=2, mode=Mode.PUSH, disks=("vdb",), domain=1)
    assert backend.perform(other) == DONE
    backend.end_all_jobs()
    assert is_idle(backend)
    assert backend.perform(TakeEvents()) == Events(())
    assert backend.perform(GetJobStats(completed=True)) == Completed(None)


def test_a_stopped_domain_is_running_in_the_next_session(backend: LibvirtBackend) -> None:
    assert backend.perform(PULL) == DONE
    assert backend.perform(Destroy()) == DONE
    stopped = refused(backend.perform(GetJobInfo()))
    assert stopped == (ErrorKind.INVALID_STATE, "VIR_ERR_OPERATION_INVALID")
    assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, False),))
    assert refused(backend.perform(PULL))[1] == "VIR_ERR_OPERATION_UNSUPPORTED"
    backend.end_all_jobs()
    assert is_idle(backend)
    assert backend.perform(Save()) == DONE
    backend.end_all_jobs()
    assert is_idle(backend)


def test_what_is_not_there_is_refused_with_the_code_and_the_text(backend: LibvirtBackend) -> None:
    none = refused(backend.perform(BackupGetXmlDesc()))
    assert none == (ErrorKind.NO_SUCH_JOB, "VIR_ERR_NO_DOMAIN_BACKUP")
    nowhere = refused(backend.perform(GetBlockJobInfo(disk=UNKNOWN_DISK)))
    assert nowhere == (ErrorKind.INVALID_ARGUMENT, "VIR_ERR_INVALID_ARG")
    alone = refused(backend.perform(GetJobStats(keep=True, flaw=Flaw.KEEP_ALONE)))
    assert alone == (ErrorKind.INVALID_ARGUMENT, "VIR_ERR_INVALID_ARG")
    assert refused(backend.perform(BackupEnd(job=1)))[0] is ErrorKind.UNSUPPORTED


def test_domains_have_jobs_of_their_own(backend: LibvirtBackend) -> None:
    assert backend.perform(PULL) == DONE
    assert backend.perform(GetJobInfo(domain=1)) == JobInfo(None)
    assert backend.perform(BackupBegin(label=1, mode=Mode.PULL, disks=("vda",), domain=1)) == DONE
    assert backend.perform(AbortJob(domain=1)) == DONE
    assert backend.perform(Settle(domain=1)) == DONE
    assert backend.perform(GetJobInfo()) != JobInfo(None)
