"""A matrix judges each entry once, in a process of its own; roots are whole or not there; nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import HANG_SECONDS, users_environment

from jobtck.conformance.errors import BackendFailure
from jobtck.fixtures import debian_roots
from jobtck.fixtures.debian_roots import Recipe, check_prerequisites, forget, held, is_whole
from jobtck.fixtures.guarded import Guarded
from jobtck.kit import kit_digest, kit_requirements, pip_environment, this_kit

Jobtck = Callable[..., subprocess.CompletedProcess[str]]

MATRIX = """
judge = ["reference as default-job"]
budget = 5

[[installation]]
name = "plain"
host = true

[[installation]]
name = "wrapped"
wrapper = "./run"
"""
WRAPPER = """#!/bin/sh
echo "$JOBTCK_TEST_WORD" >>"$(dirname "$0")/called"
exec "$@"
"""


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    """A matrix file, with a wrapper that writes down that it was called."""
    (tmp_path / "run").write_text(WRAPPER)
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "m.toml").write_text(MATRIX)
    return tmp_path / "m.toml"


def verdict_in(directory: Path) -> str:
    return str(json.loads((directory / "result.json").read_text())["verdict"])


def test_entries_are_judged_once_and_put_together(jobtck: Jobtck, matrix: Path, tmp_path: Path) -> None:
    first = jobtck("matrix", str(matrix), "--at-once", "1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "plain: conforming" in first.stdout
    assert "wrapped: conforming" in first.stdout
    assert len((tmp_path / "called").read_text().splitlines()) == 1
    for name in ("plain", "wrapped"):
        assert verdict_in(tmp_path / "jobtck-matrix" / name) == "conforming"

    second = jobtck("matrix", str(matrix))
    assert second.returncode == 0
    assert "2 of 2 have a complete result" in second.stdout
    assert len((tmp_path / "called").read_text().splitlines()) == 1

    # A result that was cut off is none.
    result = tmp_path / "jobtck-matrix/wrapped/runs/reference-default-job/result.json"
    result.write_text(result.read_text()[:1000])
    third = jobtck("matrix", str(matrix))
    assert third.returncode == 0
    assert "1 of 2 have a complete result" in third.stdout
    assert len((tmp_path / "called").read_text().splitlines()) == 2


def test_an_installation_that_fails_is_told_and_the_others_go_on(jobtck: Jobtck, matrix: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("#!/bin/sh\necho 'no libvirt was built here' >&2\nexit 9\n")
    done = jobtck("matrix", str(matrix))
    assert done.returncode == 4
    assert "plain: conforming" in done.stdout
    assert "wrapped: error: reference as default-job: no libvirt was built here" in done.stdout
    assert verdict_in(tmp_path / "jobtck-matrix/wrapped") == "error"


def processes_below(directory: Path) -> list[str]:
    """The command lines that name the directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if os.fsencode(directory) in line:
            found.append(line.decode(errors="replace"))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_matrix_leaves_no_process(matrix: Path, tmp_path: Path, number: signal.Signals) -> None:
    matrix.write_text(MATRIX.replace("budget = 5", "budget = 600"))
    command = [sys.executable, "-m", "jobtck.cli", "matrix", str(matrix), "--at-once", "2"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=users_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        begun = tmp_path / "jobtck-matrix/wrapped/runs/reference-default-job/result.json"
        _wait_for(begun.exists)
        running.send_signal(number)
        output = running.communicate(timeout=HANG_SECONDS)[0].decode()
    if number is not signal.SIGKILL:
        assert running.returncode == 4
        assert "interrupted; the same command goes on" in output
    _wait_for(lambda: not processes_below(tmp_path))


def _wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come about")


# -- roots ------------------------------------------------------------------------------------------------------------


def why_no_namespaces() -> str:
    """What keeps roots from being used here."""
    if os.getuid() != 0:
        return "not root"
    trial = [*debian_roots.NAMESPACES, "mount -t tmpfs tmpfs /mnt"]
    return "" if subprocess.run(trial, check=False, stderr=subprocess.DEVNULL).returncode == 0 else "no namespaces"


in_namespaces = pytest.mark.skipif(bool(why_no_namespaces()), reason=why_no_namespaces() or "-")


def inside(results: Path, script: str) -> list[str]:
    """The script as it is run in a root, which is this machine's own."""
    return debian_roots.using(Path("/"), results, this_kit(), ["sh", "-euc", script])


@in_namespaces
def test_a_root_is_not_changed_and_no_mount_is_left(tmp_path: Path) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    script = """
        if touch /etc/jobtck-was-here 2>/dev/null; then exit 9; fi
        test -f /run/jobtck/jobtck/conformance/design.py
        touch /tmp/scratch
        ls /tmp >/mnt/seen
        PYTHONPATH=/run/jobtck "$0" -c 'from importlib.metadata import version; print(version("jobtck"))' >/mnt/version
    """
    command = [*inside(tmp_path, script), str(Path(sys.executable).resolve())]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen").read_text() == "scratch\n"
    assert (tmp_path / "version").read_text().strip()
    assert not Path("/etc/jobtck-was-here").exists()
    assert Path("/proc/self/mountinfo").read_text() == mounts


@in_namespaces
@pytest.mark.parametrize("way", ["end", "kill"])
def test_what_was_started_in_a_root_ends_with_whoever_started_it(tmp_path: Path, way: str) -> None:
    # The word is in the command line of a daemon that left its session.
    script = f"setsid sleep 1{os.getpid()}1 & touch /mnt/begun; sleep 600"
    code = f"""
import sys, time
from pathlib import Path
from jobtck.fixtures.guarded import Guarded
running = Guarded({inside(tmp_path, script)!r}, Path({str(tmp_path / "log")!r}))
if {way!r} == "end":
    while not Path({str(tmp_path / "begun")!r}).exists():
        time.sleep(0.05)
    running.end()
else:
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], env=users_environment()) as kit:
        _wait_for((tmp_path / "begun").exists)
        if way == "kill":
            kit.kill()
        kit.wait(60)
    _wait_for(lambda: not processes_below(Path(f"1{os.getpid()}1")))


@in_namespaces
def test_a_half_made_root_is_not_taken_for_whole(tmp_path: Path) -> None:
    recipe = Recipe("trixie", f"file://{tmp_path}/no-mirror", ())
    cache, log = tmp_path / "roots", tmp_path / "log"
    half = cache / f"new-{recipe.name}"
    half.mkdir(parents=True)
    (half / "half").write_text("made")
    for _ in range(2):
        with (
            pytest.raises(BackendFailure, match="cannot make the root of Debian trixie: "),
            held(cache, recipe, log, lambda: False),
        ):
            raise AssertionError("it cannot be had")
        assert not is_whole(cache, recipe)
        assert not half.exists()


def test_a_root_in_use_is_not_removed(tmp_path: Path) -> None:
    recipe, other = Recipe("trixie", "", ("a==1",)), Recipe("trixie", "", ("a==2",))
    for each in (recipe, other):
        (tmp_path / each.name).mkdir()
        (tmp_path / f"{each.name}.lock").touch()
    with held(tmp_path, recipe, tmp_path / "log", lambda: False) as root:
        assert root == tmp_path / recipe.name
        forget(tmp_path, "trixie")
        assert is_whole(tmp_path, recipe)
        assert not is_whole(tmp_path, other)
    forget(tmp_path, "trix")
    assert is_whole(tmp_path, recipe)
    forget(tmp_path, "trixie")
    assert not is_whole(tmp_path, recipe)


def test_what_is_missing_for_roots_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(BackendFailure, match="by root only"):
        check_prerequisites(making=False)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(debian_roots, "PROGRAMS", ("sh", "debootstrap"))
    monkeypatch.setattr(debian_roots, "SYSTEM_PATH", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackendFailure, match="needs sh and debootstrap, not installed here"):
        check_prerequisites(making=True)
    monkeypatch.setattr(debian_roots, "PROGRAMS", ("debootstrap",))
    check_prerequisites(making=False)


def test_the_kit_pins_what_it_needs_and_leaves_secrets_out() -> None:
    names = {each.partition("==")[0] for each in kit_requirements()}
    assert {"hypothesis", "libvirt-python", "qemu.qmp"} <= names
    assert "pytest" not in names
    assert len(kit_digest()) == 16
    assert all(name.startswith("PIP_") for name in pip_environment())


def test_a_guarded_command_tells_its_status(tmp_path: Path) -> None:
    running = Guarded(["sh", "-c", "echo words; exit 7"], tmp_path / "log")
    assert running.wait(60) == 7
    running.end()
    running.end()
    assert (tmp_path / "log").read_text() == "words\n"
