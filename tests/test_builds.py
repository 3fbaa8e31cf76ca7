"""Which files really ran: read from processes and from ELF files, and held against the build that is expected."""

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from tests.test_reports import NASTY, RECORD, TARGET, TYPE_2

from jobtck.conformance.capabilities import Build, Options, OwnHost
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import NamedRun, RunRecord
from jobtck.fixtures.build_directory import check_build, check_holds_libvirt, schema_of
from jobtck.fixtures.builds import CLIENT, DAEMON, DRIVER, LIBRARY, QEMU, build_id, is_whole, other_builds, program_of
from jobtck.fixtures.private_places import covering, places_of, state_directory
from jobtck.fixtures.run_directory import EMBEDDED, make
from jobtck.reports.junit import junit_xml
from jobtck.reports.matrix_table import print_matrix
from jobtck.reports.result_json import dumps, result
from jobtck.reports.result_reading import read_run
from jobtck.reports.results_html import results_html
from jobtck.reports.sentences import build_text, build_words, replay_command
from jobtck.reports.terminal import print_run
from jobtck.run import Order, Silent, judge_all

LIBVIRTD = Path("/usr/sbin/libvirtd")
BUILT = "/b/libvirt/build/src"

# -- ELF files ---------------------------------------------------------------------------------------------------------


def elf(kind: int, order: str, notes: bytes) -> bytes:
    """A file of a header, one segment of notes, and nothing else."""
    form, segment = {1: ("HHIIIIIHHHHH", "IIIIIIII"), 2: ("HHIQQQIHHHHH", "IIQQQQQQ")}[kind]
    size = 16 + struct.calcsize(order + form)
    each = struct.calcsize(order + segment)
    head = struct.pack(order + form, 3, 62, 1, 0, size, 0, 0, size, each, 1, 0, 0)
    start = size + each
    numbers = {1: (4, start, 0, 0, len(notes), 0, 4, 4), 2: (4, 4, start, 0, 0, len(notes), 0, 4)}[kind]
    ident = b"\x7fELF" + bytes([kind, 1 if order == "<" else 2]) + bytes(10)
    return ident + head + struct.pack(order + segment, *numbers) + notes


def note(order: str, name: bytes, kind: int, content: bytes) -> bytes:
    padded = name + bytes(-len(name) % 4)
    return struct.pack(order + "III", len(name), len(content), kind) + padded + content + bytes(-len(content) % 4)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_build_id_is_that_of_the_note_of_gnu(kind: int, order: str) -> None:
    others = note(order, b"stapsdt\0", 3, b"not it") + note(order, b"GNU\0", 1, b"abi")
    notes = others + note(order, b"GNU\0", 3, b"\1\2\xff")
    assert build_id(BytesIO(elf(kind, order, notes))) == "0102ff"
    assert build_id(BytesIO(elf(kind, order, others))) == ""


WHOLE = elf(2, "<", note("<", b"GNU\0", 3, bytes(20)))


@given(st.integers(0, len(WHOLE) - 1))
def test_what_is_cut_short_has_no_build_id(length: int) -> None:
    assert build_id(BytesIO(WHOLE[:length])) == ""


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.binary(max_size=80))
def test_what_is_broken_or_no_elf_file_is_no_failure(place: int, value: int, other: bytes) -> None:
    for content in (WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :], other, WHOLE[:16] + other):
        build_id(BytesIO(content))


@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils are not installed")
def test_build_ids_are_those_that_readelf_shows() -> None:
    programs = [path for name in ("qemu-system-x86_64", "libvirtd", "gcc", "ls") if (path := shutil.which(name))]
    assert programs
    for path in programs:
        told = subprocess.run(["readelf", "-n", path], check=True, capture_output=True, text=True).stdout
        with Path(path).open("rb") as file:
            assert build_id(file) == told.partition("Build ID: ")[2].partition("\n")[0]
        assert is_whole(Path(path))


def test_a_library_that_is_cut_short_is_not_whole(tmp_path: Path) -> None:
    content = Path(sys.executable).read_bytes()
    file = tmp_path / "library"
    for length, expected in ((len(content), True), (len(content) // 2, False), (3, False), (0, False)):
        file.write_bytes(content[:length])
        assert is_whole(file) is expected


# -- processes ---------------------------------------------------------------------------------------------------------


def test_a_program_that_was_replaced_is_still_the_one_that_runs(tmp_path: Path) -> None:
    program = tmp_path / "sleep"
    shutil.copy(shutil.which("sleep") or "", program)
    with program.open("rb") as file:
        expected = build_id(file)
    with subprocess.Popen([program, "60"]) as running:
        try:
            program.unlink()
            program.write_text("another one")
            found = program_of(running.pid, "sleeper")
        finally:
            running.kill()
    assert (found.what, found.path, found.build_id) == ("sleeper", str(program), expected)
    assert found.date


def test_a_process_that_is_gone_is_not_seen() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert program_of(gone.pid, DAEMON) == Build(DAEMON)
    assert build_text(Build(DAEMON)) == "not seen"


# -- what is expected --------------------------------------------------------------------------------------------------

EMBEDDED_BUILDS = (Build(LIBRARY, f"{BUILT}/libvirt.so.0.1"), Build(DRIVER, f"{BUILT}/libvirt_driver_qemu.so"))
QEMU_BUILD = Build(QEMU, "/usr/bin/qemu-system-x86_64")


def test_all_of_libvirt_has_to_lie_in_the_directory_and_qemu_need_not() -> None:
    there = Path("/b/libvirt/build")
    assert other_builds((*EMBEDDED_BUILDS, QEMU_BUILD), there) == ()
    assert other_builds(EMBEDDED_BUILDS, Path("/b/libvirt/bui")) == EMBEDDED_BUILDS
    installed = Build(DAEMON, str(LIBVIRTD))
    assert other_builds((*EMBEDDED_BUILDS, installed), there) == (installed,)
    unseen = (Build(CLIENT, f"{BUILT}/libvirt.so.0"), Build(DAEMON), Build(LIBRARY), Build(DRIVER))
    assert other_builds(unseen, there) == unseen[1:]


def test_a_directory_without_libvirt_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such directory"):
        check_holds_libvirt(tmp_path / "nosuch", "--expect-build")
    with pytest.raises(BadInput, match=r"--expect-build .*: there is no libvirt in it: is it built"):
        check_holds_libvirt(tmp_path, "--expect-build")
    (tmp_path / "src/conf/schemas").mkdir(parents=True)
    (tmp_path / "src/conf/schemas/domainbackup.rng").touch()
    with pytest.raises(BadInput, match="these are its sources"):
        check_holds_libvirt(tmp_path, "--build")


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Sources, and a build of them that has all that is looked for."""
    schemas = tmp_path / "sources/src/conf/schemas"
    schemas.mkdir(parents=True)
    (schemas / "domainbackup.rng").touch()
    build = tmp_path / "build"
    for folder in ("src", "meson-info"):
        (build / folder).mkdir(parents=True)
    for name in ("libvirt.so.0", "libvirt_driver_qemu.so", "libvirt_storage_file_fs.so", "libvirtd"):
        shutil.copy(sys.executable, build / "src" / name)
    info = {"directories": {"source": str(tmp_path / "sources"), "build": str(build)}}
    (build / "meson-info/meson-info.json").write_text(json.dumps(info))
    return build


@pytest.mark.parametrize(
    ("lost", "host", "told"),
    [
        ("src/libvirt_storage_file_fs.so", OwnHost.EMBEDDED, "configure it with -Dstorage_fs=enabled"),
        ("src/libvirt_driver_qemu.so", OwnHost.EMBEDDED, "configure it with -Ddriver_qemu=enabled"),
        ("src/libvirtd", OwnHost.LIBVIRTD, "it has no src/libvirtd: configure it with -Ddriver_remote=enabled"),
        ("meson-info/meson-info.json", OwnHost.EMBEDDED, "give the directory that 'meson setup' made"),
        ("../sources/src/conf/schemas/domainbackup.rng", OwnHost.EMBEDDED, "which are not there any more"),
    ],
)
def test_a_build_that_lacks_something_is_told_before_the_run(build: Path, lost: str, host: OwnHost, told: str) -> None:
    check_build(build, host)
    (build / lost).unlink()
    with pytest.raises(BadInput, match=told):
        check_build(build, host)


def test_a_build_whose_library_was_cut_short_is_told_before_the_run(build: Path) -> None:
    (build / "src/libvirt.so.0").write_bytes(b"\x7fELF")
    with pytest.raises(BadInput, match=r"src/libvirt\.so\.0 is cut short"):
        check_build(build, OwnHost.EMBEDDED)


def test_a_build_of_other_sources_than_are_there_now_is_told(build: Path, tmp_path: Path) -> None:
    (build / "meson-info/intro-projectinfo.json").write_text('{"version": "9.0.0"}')
    for version in ("9.0.0", "9.1.0"):
        (tmp_path / "sources/meson.build").write_text(f"project(\n  'libvirt', 'c',\n  version: '{version}',\n)\n")
        if version == "9.0.0":
            check_build(build, OwnHost.EMBEDDED)
    with pytest.raises(BadInput, match=r"it is of 9.0.0, and its sources in .* are of 9.1.0: build it anew"):
        check_build(build, OwnHost.EMBEDDED)


def test_the_schema_is_that_of_the_build_that_runs(build: Path, tmp_path: Path) -> None:
    ran = (Build(LIBRARY, str(build / "src/libvirt.so.0")),)
    assert schema_of(ran) == tmp_path / "sources/src/conf/schemas/domainbackup.rng"
    installed = tmp_path / "opt/share/libvirt/schemas/domainbackup.rng"
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert schema_of((Build(LIBRARY, str(tmp_path / "opt/lib/libvirt.so.0")),)) == installed
    assert schema_of((Build(LIBRARY),)) == Path("/usr/share/libvirt/schemas/domainbackup.rng")


def test_a_trace_of_a_build_is_replayed_on_that_build() -> None:
    ours = replace(
        TARGET, builds=EMBEDDED_BUILDS, uri="qemu+unix:///system?socket=/tmp/jobtck-daemon-1/s/virtqemud-sock"
    )
    assert build_words(ours) == ["--build", "/b/libvirt/build"]
    assert replay_command(TYPE_2, ours, "")[-4:] == ["--host", "virtqemud", "--build", "/b/libvirt/build"]
    assert build_words(replace(TARGET, builds=(Build(LIBRARY, "/usr/lib/libvirt.so.0"), QEMU_BUILD))) == []


def test_every_report_tells_what_ran_and_nothing_of_it_is_markup() -> None:
    seen = Build(LIBRARY, f"/b/{NASTY}/libvirt.so.0", "0102ff", "2026-11-27T21:18:04Z")
    target = replace(TARGET, builds=(seen, Build(DAEMON), Build(DRIVER, "/b/driver.so")))
    run = RunRecord((replace(RECORD, target=target, stale_known=()),), "jobtck run", 1, 1.0)
    read = read_run(dumps(result(run)), "result.json").records[0].target.builds
    assert (read[0].build_id, read[0].date, read[1:]) == (seen.build_id, seen.date, target.builds[1:])
    output = io.StringIO()
    print_run(Console(file=output, width=1000), run)
    print_matrix(Console(file=output, width=1000), [NamedRun("here", run)])
    html = results_html([NamedRun("here", run)], (), {})
    assert "<script>&amp;" not in html
    told = output.getvalue() + html + junit_xml(run)
    assert not {"\x1b", "\x00"} & set(told)
    assert told.count("libvirt.so.0, build id 0102ff, 2026-11-27T21:18:04Z") >= 4
    assert told.count("not seen") >= 4
    assert told.count("/b/driver.so, no build id was read") >= 4


# -- where a build keeps its files -------------------------------------------------------------------------------------


def test_an_installed_daemon_has_its_files_where_they_always_are() -> None:
    places = dict(places_of(Path("/usr/sbin/libvirtd")))
    assert places["run"] == Path("/run")
    assert places["etc"] == Path("/etc/libvirt")
    assert {places[each] for each in ("lib", "cache", "log")} == {
        Path(f"/var/{each}/libvirt") for each in ("lib", "cache", "log")
    }


def test_the_daemon_of_a_build_has_its_files_where_it_was_configured_to(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    text = '#define SYSCONFDIR "/o/etc"\n#define LOCALSTATEDIR "/o/var"\n#define RUNSTATEDIR "/o/var/run"\n'
    (tmp_path / "configmake.h").write_text(text)
    program = tmp_path / "src/virtqemud"
    places = [(name, str(place)) for name, place in places_of(program)]
    assert places[:3] == [("run", "/run"), ("run", "/o/var/run"), ("etc", "/o/etc/libvirt")]
    assert places[3:] == [(each, f"/o/var/{each}/libvirt") for each in ("lib", "cache", "log")]
    assert state_directory(program) == Path("/o/var/run/libvirt")


@pytest.mark.skipif(os.getuid() != 0, reason="only root mounts")
def test_places_that_are_not_there_are_made_for_the_daemon_alone(tmp_path: Path) -> None:
    ours, above = tmp_path / "ours", tmp_path / "above"
    for each in (ours / "lib", above / "folder"):
        each.mkdir(parents=True)
    (ours / "lib/mine").write_text("ours")
    (above / "folder/file").write_text("kept")
    (above / "file").write_text("kept too")
    (above / "link").symlink_to("file")
    place = above / "new/lib/libvirt"
    shown = f"cat {place}/mine {above}/folder/file {above}/file {above}/link; echo written >{place}/theirs"
    script = "\n".join([*covering(ours, [("lib", place)]), shown])
    inside = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", script]
    done = subprocess.run(inside, check=False, capture_output=True, text=True)
    if "unshare failed" in done.stderr:
        pytest.skip("this root may make no namespaces")
    assert (done.stdout, done.stderr) == ("ourskeptkept tookept too", "")
    assert (ours / "lib/theirs").read_text() == "written\n"
    assert sorted(path.name for path in above.iterdir()) == ["file", "folder", "link"]


def test_what_a_driver_makes_elsewhere_is_removed_if_it_was_not_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    for state, left in ((there / "run/libvirt", there / "run"), (there, None)):
        directory = make(tmp_path, EMBEDDED, EMBEDDED)
        directory.remove_too(state)
        (state / "common").mkdir(parents=True)
        directory.remove()
        assert left is None or not left.exists()
    assert (there / "common").is_dir()


# -- the command -------------------------------------------------------------------------------------------------------


def test_a_backend_that_tells_of_no_build_is_refused(
    jobtck: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    (tmp_path / "libvirt.so.0").touch()
    done = jobtck("run", "--backend", "reference", "--expect-build", str(tmp_path))
    assert done.returncode == 4
    told = f"it is not known whether the build in {tmp_path} runs: reference tells of no build"
    assert json.loads((tmp_path / "jobtck-report/result.json").read_text())["error"] == told


@pytest.mark.parametrize("option", ["--build", "--expect-build"])
def test_a_directory_that_is_not_there_is_bad_input(
    option: str, jobtck: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    done = jobtck("run", "--backend", "reference", option, "nosuch")
    assert (done.returncode, done.stderr) == (2, f"jobtck: {option} nosuch: there is no such directory\n")


@pytest.fixture(scope="module")
def real_builds() -> Iterator[tuple[Build, ...]]:
    pytest.importorskip("libvirt", reason="libvirt-python is not installed")
    pytest.importorskip("lxml", reason="lxml is not installed")
    from jobtck.fixtures.libvirt_backend import backend

    opened = backend.open(find_design("default-job"), Options())
    yield opened.builds
    opened.close()


@pytest.mark.real
@pytest.mark.xdist_group("libvirt")
def test_what_ran_of_the_installed_libvirt_is_told(real_builds: tuple[Build, ...]) -> None:
    assert [each.what for each in real_builds] == [LIBRARY, DRIVER, QEMU]
    for each in real_builds:
        with Path(each.path).open("rb") as file:
            assert each.build_id == build_id(file) != ""
    assert other_builds(real_builds, Path(real_builds[0].path).parent) == ()
    assert len(other_builds(real_builds, Path("/tmp/x"))) == 2  # noqa: S108 - it is not there


@pytest.mark.real
@pytest.mark.xdist_group("libvirt")
def test_another_build_than_the_expected_one_is_refused_before_anything_is_judged(
    real_builds: tuple[Build, ...], tmp_path: Path
) -> None:
    options = Options()
    order = Order((("libvirt", "default-job"),), options, 5.0, 1, (), strict=False, command="", expect_build=tmp_path)
    run = judge_all(order, Silent(), threading.Event())
    assert (run.exit_status, run.records) == (4, ())
    assert run.error.startswith(f"it is not the build in {tmp_path} that runs: {LIBRARY} {real_builds[0].path}, ")
