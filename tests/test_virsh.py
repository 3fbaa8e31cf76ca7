"""virsh, where each call is a process: what it prints is told in libvirt's codes, and jobs outlive who began them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import missing_for_libvirtd

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobBegin,
    BlockJobSetSpeed,
    BlockPull,
    Destroy,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    JobType,
    Kind,
    Mode,
    Save,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT, SECOND_CLIENT, Options, OwnHost
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BackendFailure, BadInput, SessionLost
from jobtck.conformance.libvirt_errors import CODES
from jobtck.conformance.outcomes import (
    DONE,
    BlockInfo,
    Completed,
    Description,
    ErrorKind,
    Events,
    JobInfo,
    Lost,
    Outcome,
    Party,
    Refusal,
)
from jobtck.fixtures.builds import VIRSH_LIBRARY
from jobtck.fixtures.virsh_backend import backend as plugin
from jobtck.fixtures.virsh_errors import code_of, message

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")

from jobtck.fixtures.client_process import ClientGone
from jobtck.fixtures.libvirt_api import CODE_NAMES, LibvirtError, code_name, error_text
from jobtck.fixtures.libvirt_calls import LibvirtBackend
from jobtck.fixtures.libvirt_target import LibvirtTarget
from jobtck.fixtures.virsh import VirshClient, virsh

DEFAULT_JOB = find_design("default-job")
PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
real = pytest.mark.skipif(bool(missing_for_libvirtd()), reason=missing_for_libvirtd())


# -- what is printed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("complaints", "text", "code"),
    [
        (
            "error: Domain backup job id not found: no domain backup job present\n",
            "Domain backup job id not found: no domain backup job present",
            "VIR_ERR_NO_DOMAIN_BACKUP",
        ),
        (
            "error: Failed to destroy domain 'g'\nerror: Requested operation is not valid: domain is not running\n",
            "Requested operation is not valid: domain is not running",
            "VIR_ERR_OPERATION_INVALID",
        ),
        (
            "error: XML document failed to validate against schema: Unable to validate\nElement x failed\n\n",
            "XML document failed to validate against schema: Unable to validate\nElement x failed",
            "VIR_ERR_XML_INVALID_SCHEMA",
        ),
        (
            "error: (domain_backup):1: Couldn't find end of Start Tag\n<domainbackup\n-------------^\n",
            "(domain_backup):1: Couldn't find end of Start Tag\n<domainbackup\n-------------^",
            "VIR_ERR_XML_DETAIL",
        ),
        (
            "error: command 'domjobabort' doesn't support option --jobtck-unheard-of\n",
            "command 'domjobabort' doesn't support option --jobtck-unheard-of",
            "VIR_ERR_INVALID_ARG",
        ),
        ("error: what nobody has heard of\n", "what nobody has heard of", ""),
        ("", "", ""),
    ],
)
def test_the_last_complaint_has_the_code_that_libvirt_gives_it(complaints: str, text: str, code: str) -> None:
    assert message(complaints) == text
    assert code_of(text) == code


def test_every_code_of_the_table_is_one_of_libvirts() -> None:
    assert set(CODES.values()) - set(CODE_NAMES.values()) == set()


def a_virsh(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a program in the place of virsh."""
    program = folder / "virsh"
    program.write_text(f"#!{sys.executable}\nimport os, signal, sys\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize(
    ("printed", "code", "text"),
    [
        ("error: internal error: disk 'vda' has a blockjob assigned", "VIR_ERR_INTERNAL_ERROR", "internal error: "),
        ("error: cannot do that today", "VIR_ERR_-1", "cannot do that today"),
    ],
)
def test_a_refusal_keeps_virshs_own_words(
    printed: str, code: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_virsh(tmp_path, f"sys.exit({printed!r})", monkeypatch)
    with pytest.raises(LibvirtError) as caught:
        virsh("domjobabort", "guest")
    assert code_name(caught.value) == code
    assert error_text(caught.value).startswith(text)


def test_what_is_asked_for_is_asked_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    a_virsh(tmp_path, "print(os.environ['LC_ALL'], *sys.argv[1:], sys.stdin.read())", monkeypatch)
    domain = VirshClient("-r", "-c", "test:///default").lookupByUUIDString("1234")
    assert domain.backupGetXMLDesc(0) == "C -q -r -c test:///default backup-dumpxml 1234 \n"
    assert virsh("backup-begin", "1234", text="<x/>") == "C -q backup-begin 1234 <x/>\n"


def test_a_virsh_that_dies_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_virsh(tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)", monkeypatch)
    with pytest.raises(ClientGone, match="virsh died of SIGSEGV"):
        virsh("domjobabort", "guest")


def test_where_there_is_no_virsh_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendFailure, match=r"^there is no virsh here: install it \(libvirt-clients\)$"):
        plugin.open(DEFAULT_JOB, Options())
    with pytest.raises(BackendFailure, match=r"^cannot run virsh: No such file or directory: "):
        virsh("--version")


@pytest.mark.parametrize("name", ["zero-id", "listed-ids", "qemu-jobs"])
def test_a_design_that_it_cannot_play_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=name):
        plugin.open(find_design(name), Options())


def test_a_driver_in_this_process_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot reach a driver inside this process"):
        plugin.open(DEFAULT_JOB, Options(host=OwnHost.EMBEDDED))


# -- on a daemon -----------------------------------------------------------------------------------

on_a_daemon = [pytest.mark.real, pytest.mark.xdist_group("libvirt"), real]


@pytest.fixture(scope="module")
def target() -> Iterator[LibvirtTarget]:
    opened = plugin.open(DEFAULT_JOB, Options())
    assert isinstance(opened, LibvirtTarget)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def guests(target: LibvirtTarget) -> Iterator[LibvirtBackend]:
    backend = target.fresh()
    assert isinstance(backend, LibvirtBackend)
    yield backend
    backend.close()


@pytest.fixture
def backend(guests: LibvirtBackend) -> Iterator[LibvirtBackend]:
    yield guests
    guests.end_all_jobs()


def kind(outcome: Outcome) -> ErrorKind:
    assert isinstance(outcome, Refusal), outcome
    return outcome.kind


class TestOnADaemon:
    """The calls of the mail's demonstration, each in a process of its own."""

    pytestmark = on_a_daemon

    def test_it_declares_what_it_has_a_command_for(self, target: LibvirtTarget) -> None:
        assert "virsh" in target.versions
        assert all(each.path and each.build_id for each in target.builds)
        assert target.builds[-1].what == VIRSH_LIBRARY
        assert "get_job_info" not in target.capabilities.calls
        assert "domjobinfo" in target.capabilities.reasons["get_job_info"]
        missing = {"get_job_info"}
        assert set(target.capabilities.reasons) - target.capabilities.calls == missing

    def test_one_process_begins_and_another_ends(self, backend: LibvirtBackend) -> None:
        assert backend.perform(PULL) == DONE
        for client in (0, SECOND_CLIENT, READ_ONLY_CLIENT):
            told = backend.perform(BackupGetXmlDesc(client=client))
            assert isinstance(told, Description)
            assert (told.mode, told.disks) == (Mode.PULL, ("vda",))
            info = backend.perform(GetJobStats(client=client))
            assert isinstance(info, JobInfo)
            assert info.type is JobType.BACKUP
        assert backend.perform(GetBlockJobInfo(disk="vda")) != BlockInfo(None)
        assert kind(backend.perform(AbortJob(client=READ_ONLY_CLIENT))) is ErrorKind.READ_ONLY
        assert backend.perform(AbortJob(client=SECOND_CLIENT)) == DONE
        assert backend.perform(Settle()) == DONE
        assert backend.perform(TakeEvents(due=1)) == Events(((JobType.BACKUP, True),))
        assert kind(backend.perform(AbortJob())) is ErrorKind.INVALID_STATE
        assert kind(backend.perform(BackupGetXmlDesc())) is ErrorKind.NO_SUCH_JOB
        done = Completed(JobType.BACKUP, success=True, error=True)
        assert backend.perform(GetJobStats(completed=True, keep=True)) == done
        assert backend.perform(GetJobStats(completed=True)) == done
        assert backend.perform(GetJobStats(completed=True)) == Completed(None)

    @pytest.mark.parametrize("begin", [BlockCopy, BlockPull, BlockCommit])
    def test_block_jobs(self, begin: type[BlockJobBegin], backend: LibvirtBackend) -> None:
        kinds = {BlockCopy: Kind.BLOCK_COPY, BlockPull: Kind.BLOCK_PULL, BlockCommit: Kind.BLOCK_COMMIT}
        assert backend.perform(begin(label=0, disk="vda")) == DONE
        told = backend.perform(GetBlockJobInfo(disk="vda", client=READ_ONLY_CLIENT))
        assert isinstance(told, BlockInfo)
        assert told.kind is kinds[begin]
        assert backend.perform(BlockJobSetSpeed(disk="vda", bandwidth=2)) == DONE
        assert kind(backend.perform(BlockJobAbort(disk="vda", pivot=True))) is not ErrorKind.OTHER
        assert backend.perform(BlockJobAbort(disk="vda", client=SECOND_CLIENT)) == DONE
        assert backend.perform(GetBlockJobInfo(disk="vda")) == BlockInfo(None)

    def test_a_copy_is_pivoted_to(self, backend: LibvirtBackend) -> None:
        assert backend.perform(BlockCopy(label=0, disk="vdb")) == DONE
        assert backend.perform(Settle()) == DONE
        assert backend.perform(BlockJobAbort(disk="vdb", pivot=True)) == DONE
        assert backend.perform(GetBlockJobInfo(disk="vdb")) == BlockInfo(None)

    def test_what_is_around_jobs(self, backend: LibvirtBackend) -> None:
        assert kind(backend.perform(Start())) is ErrorKind.INVALID_STATE
        assert backend.perform(Save()) == DONE
        assert kind(backend.perform(GetJobStats())) is ErrorKind.INVALID_STATE
        assert backend.perform(Start()) == DONE
        assert backend.perform(Destroy()) == DONE
        assert kind(backend.perform(PULL)) is ErrorKind.UNSUPPORTED
        assert backend.perform(Start(client=SECOND_CLIENT)) == DONE

    @pytest.mark.parametrize("flaw", [Flaw.NOT_XML, Flaw.BAD_SCHEMA, Flaw.UNKNOWN_DISK, Flaw.UNKNOWN_FLAGS])
    def test_bad_input_is_the_callers_mistake(self, flaw: Flaw, backend: LibvirtBackend) -> None:
        begin = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), flaw=flaw)
        assert kind(backend.perform(begin)) is ErrorKind.INVALID_ARGUMENT
        alone = GetJobStats(keep=True, flaw=Flaw.KEEP_ALONE)
        assert kind(backend.perform(alone)) is ErrorKind.INVALID_ARGUMENT

    def test_what_it_has_no_command_for_is_unsupported(self, backend: LibvirtBackend) -> None:
        assert kind(backend.perform(GetJobInfo())) is ErrorKind.UNSUPPORTED

    def test_a_daemon_that_died_gives_no_answer(self, target: LibvirtTarget, backend: LibvirtBackend) -> None:
        assert backend.perform(PULL) == DONE
        assert target.host.daemon is not None
        target.host.daemon.kill()
        lost = backend.perform(BackupGetXmlDesc())
        assert isinstance(lost, Lost)
        assert (lost.party, lost.code) == (Party.SERVER, "SIGKILL")
        target.host.revive()
        with pytest.raises(SessionLost, match="libvirtd is gone: it died of SIGKILL"):
            backend.perform(BackupGetXmlDesc())  # virsh connects to whoever is there: this is another
        backend.connect(0)
        told = backend.perform(BackupGetXmlDesc())
        assert isinstance(told, Description)
