"""The adapters in C, as they are written for users: they compile without a warning, and are judged."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    GetJobInfo,
    GetJobStats,
    JobType,
    Mode,
    Settle,
)
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.design import presets
from jobtck.conformance.outcomes import DONE, Completed, Description, JobInfo
from jobtck.fixtures.adapter_target import AdapterTarget
from jobtck.fixtures.own_hosts import AS_ROOT, QEMU_CONF
from jobtck.starting_point import new_adapter

Jobtck = Callable[..., "subprocess.CompletedProcess[str]"]
SANITIZED = "-Werror -fsanitize=address,undefined"


def compiled(language: str, directory: Path, flags: str, *libraries: str) -> Path:
    """The adapter that `make` makes of a starting point."""
    missing = [tool for tool in ("gcc", "make", "pkg-config") if shutil.which(tool) is None]
    asked = ["pkg-config", "--exists", "jansson", *libraries]
    if missing or subprocess.run(asked, check=False).returncode:
        pytest.skip(f"needs gcc, make, pkg-config, jansson {' '.join(libraries)}")
    new_adapter(language, directory)
    made = subprocess.run(["make", f"CFLAGS={flags}"], cwd=directory, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    return directory / "adapter"


def test_the_toy_in_c_is_conforming_as_it_stands(jobtck: Jobtck, tmp_path: Path) -> None:
    adapter = compiled("c", tmp_path / "toy", SANITIZED)
    done = jobtck("run", "--backend", f"exec:{shlex.quote(str(adapter))}", "--budget", "20")
    assert done.returncode == 0, done.stdout
    assert "exec:toy as zero-id: conforming" in done.stdout


def test_the_toy_in_c_answers_what_it_does_not_have(tmp_path: Path) -> None:
    adapter = compiled("c", tmp_path / "toy", SANITIZED)
    requests = [
        {"jsonrpc": "2.0", "method": "cancel", "params": {"id": 3}},
        {"jsonrpc": "2.0", "id": 1, "method": "make_tea", "params": {"guests": 1}},
        {"jsonrpc": "2.0", "id": 2, "method": "end_all_jobs", "params": {"guests": 7}},
        {"jsonrpc": "2.0", "id": 3, "method": "hello", "params": {"design": {"name": "qemu-jobs"}}},
    ]
    said = "".join(json.dumps(each) + "\n" for each in requests)
    with subprocess.Popen(
        [adapter], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(said)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.stdin.close()
        assert (process.wait(), process.stderr.read()) == (0, "")
    assert {each["id"]: each["error"]["code"] for each in answers} == {1: -32601, 2: -32000, 3: -32602}


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory with so short a path that the names of sockets below it fit."""
    with tempfile.TemporaryDirectory(prefix="jobtck-t-", dir="/tmp") as path:
        yield Path(path)


def guests_of_adapters() -> list[bytes]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            content = process.read_bytes()
        except OSError:
            continue
        if b"guest=jobtck-c-" in content:
            found.append(content)
    return found


def begun_pull(backend: Backend) -> None:
    assert backend.perform(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))) == DONE


@pytest.mark.real
@pytest.mark.xdist_group("libvirt")
def test_libvirt_is_driven_by_its_c_api(tmp_path: Path, root: Path) -> None:
    adapter = compiled("c-libvirt", tmp_path / "libvirt", "-Werror", "libvirt", "libxml-2.0")
    (root / "etc").mkdir()
    (root / "etc" / "qemu.conf").write_text(QEMU_CONF + (AS_ROOT if os.getuid() == 0 else ""))
    target = AdapterTarget(shlex.join([str(adapter), f"qemu:///embed?root={root}"]), presets()["default-job"])
    try:
        assert target.name == "exec:libvirt-c"
        backend = target.fresh()
        begun_pull(backend)
        assert backend.perform(BackupGetXmlDesc()) == Description(None, Mode.PULL, ("vda",))
        told = backend.perform(GetJobStats())
        assert isinstance(told, JobInfo)
        assert told.type is JobType.BACKUP
        assert backend.perform(AbortJob(client=1)) == DONE
        assert backend.perform(Settle()) == DONE
        completed = backend.perform(GetJobStats(completed=True))
        assert isinstance(completed, Completed)
        assert completed.success
        assert backend.perform(GetJobInfo()) == JobInfo(None)
        begun_pull(backend)
        backend.end_all_jobs()
        assert backend.perform(GetJobInfo()) == JobInfo(None)
        # Closed with guests that run: the adapter removes them when its input ends.
    finally:
        target.close()
    assert guests_of_adapters() == []
    assert list(Path("/tmp").glob("jobtck-c-*")) == []  # noqa: S108
