"""The measure of libvirt's mutants: its record goes on, its tree is put right, its survivors are explained."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import libvirt_tree
import mutant_runs
import pytest
import reached_lines
from c_mutations import Mutation, mutations
from libvirt_tree import Tree, ended, source_entries, version_of
from mutant_record import End, Judged, Sort, append, key_of, of_one_measurement, read_record, read_sorted, stale
from mutant_runs import Measurement, Run, said
from mutant_table import plot, shown, table
from reached_lines import Reached, counted, preloaded, read_reached, write_reached
from tests.conftest import HANG_SECONDS, users_environment

from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import Became, Gate, RunRecord
from jobtck.fixtures.guarded import Guarded

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
FILE = "src/qemu/qemu_backup.c"
TEXT = """int f(int a)
{
    if (a < 3)
        return 0;
    return -1;
}

int main(void)
{
    return f(2);
}
"""
DRAW = mutations(FILE, TEXT.encode())


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A tree that holds one file, as if it were libvirt's."""
    for module in (libvirt_tree, reached_lines, mutant_runs):
        monkeypatch.setattr(module, "JUDGED_FILES", (FILE,))
    tree = Tree(tmp_path / "cache")
    tree.have_source(a_source(tmp_path / "theirs"))
    return tree


def a_source(place: Path, version: str = "9.0.0") -> Path:
    (place / FILE).parent.mkdir(parents=True)
    (place / FILE).write_text(TEXT)
    (place / "meson.build").write_text(f"project(\n  'libvirt', 'c',\n  version: '{version}',\n)\n")
    return place


def line(number: int, mutation: Mutation | None, end: End, **more: object) -> Judged:
    judged = Judged("2026-11-27T22:00:00Z", "kit", "source", "9.0.0", 1, number, mutation, end)
    return replace(judged, **more)  # type: ignore[arg-type]


# -- the tree ---------------------------------------------------------------------------------------------------------


def test_a_mutant_is_in_the_copy_only_and_only_while_it_is_judged(tree: Tree, tmp_path: Path) -> None:
    with tree.held():
        for each in DRAW[:2]:
            tree.mutate(each)
            text = (tree.source / FILE).read_text()
            assert text[: each.start] + each.was + text[each.start + len(each.now) :] == TEXT
    assert (tree.source / FILE).read_text() == TEXT
    assert (tmp_path / "theirs" / FILE).read_text() == TEXT


def test_the_tree_is_put_right_after_its_user_was_killed(tree: Tree) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import libvirt_tree, c_mutations, pathlib, time\n"
        f"libvirt_tree.JUDGED_FILES = ({FILE!r},)\n"
        "tree = libvirt_tree.Tree(pathlib.Path(sys.argv[2]))\n"
        "with tree.held():\n"
        f"    tree.mutate(c_mutations.mutations({FILE!r}, tree.text({FILE!r}))[0])\n"
        "    print('mutated', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", program, str(BENCHMARKS), str(tree.source.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mutated\n"
        with pytest.raises(BackendFailure, match="in use by another run"), tree.held():
            pass
        assert (tree.source / FILE).read_text() != TEXT
        os.kill(process.pid, signal.SIGKILL)
    with tree.held():
        assert (tree.source / FILE).read_text() == TEXT


def test_a_source_of_another_release_is_refused_and_the_one_here_is_kept(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is libvirt 10\.1\.0, and .* holds 9\.0\.0: give another --cache"):
        tree.have_source(a_source(tmp_path / "newer", "10.1.0"))
    tree.have_source(None)  # it is here: nothing is fetched
    assert tree.version == "9.0.0"


def test_what_is_no_source_of_libvirt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no source tree of libvirt: it has no meson\.build"):
        version_of(tmp_path)
    (tmp_path / "meson.build").write_text("project('other', version: '1.0')\n")
    with pytest.raises(BadInput, match="no source tree of libvirt"):
        version_of(tmp_path)


def test_a_source_without_the_files_that_are_mutated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"libvirt 8\.0\.0 has no src/qemu/qemu_blockjob\.c"):
        Tree(tmp_path / "cache").have_source(a_source(tmp_path / "theirs", "8.0.0"))


def test_the_digest_is_that_of_the_unchanged_source(tree: Tree) -> None:
    before = tree.digest()
    tree.mutate(DRAW[0])
    assert tree.digest() == before


def test_sources_are_got_from_where_packages_come_from() -> None:
    told = "http://a.example/debian/ bookworm main\nhttp://a.example/debian/ bookworm main\n"
    assert source_entries(told) == "deb-src http://a.example/debian/ bookworm main\n"
    with pytest.raises(BackendFailure, match="apt has no repository"):
        source_entries("\n")


def test_without_a_tool_that_is_one_sentence(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(BackendFailure, match="there is no meson"):
        tree.have_builds()
    with pytest.raises(BackendFailure, match=r"apt-get and dpkg-source .*: give a tree by --source"):
        libvirt_tree.fetch(tree.source.parent, tree.source, tree.log)


def test_what_meson_complains_of_is_said(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meson = tmp_path / "bin" / "meson"
    meson.parent.mkdir()
    meson.write_text("#!/bin/sh\necho 'meson.build:1:0: ERROR: Unknown compiler(s)'\necho 'see the log'\nexit 1\n")
    meson.chmod(0o755)
    monkeypatch.setenv("PATH", f"{meson.parent}:{os.environ['PATH']}")
    with pytest.raises(BackendFailure, match=r"meson ended with 1: .*ERROR: Unknown compiler"):
        tree.have_builds()


def test_a_build_that_the_binding_does_not_load_is_refused(tree: Tree) -> None:
    with pytest.raises(BackendFailure, match=f"the libvirt in {tree.plain} cannot be loaded: "):
        tree._load(tree.plain)  # there is none: the installed one is loaded, or none


def test_what_does_not_end_is_ended(tmp_path: Path) -> None:
    running = Guarded(
        [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"], tmp_path / "log"
    )
    while not (tmp_path / "log").read_text().endswith("\n"):
        assert running.wait(0.01) is None
    assert ended(running, 0.01) is None
    assert not Path(f"/proc/{(tmp_path / 'log').read_text().strip()}").exists()


# -- the record -------------------------------------------------------------------------------------------------------


def test_a_record_that_was_cut_off_loses_only_the_line_that_was_being_written(tmp_path: Path) -> None:
    path = tmp_path / "mutants.jsonl"
    first, second, third = (line(number, DRAW[number], End.KILLED, requirements=("END-1",)) for number in range(3))
    append(path, first)
    append(path, second)
    path.write_bytes(path.read_bytes()[:-20])
    append(path, third)
    assert read_record(path) == [first, third]


def test_lines_of_another_kit_source_or_draw_do_not_count() -> None:
    own = line(1, DRAW[0], End.KILLED)
    others = [replace(own, kit="other"), replace(own, source="other"), replace(own, seed=2)]
    assert of_one_measurement([*others, own], "kit", "source", 1) == [own]


class Counting(Measurement):
    """Judges nothing, and notes what it was to judge."""

    def __init__(self, record: Path, tree: Tree) -> None:
        super().__init__(record, tree, 1)
        self.judged: list[Mutation | None] = []

    def _judged(self, number: int, mutation: Mutation | None) -> Judged:
        self.judged.append(mutation)
        ours = line(number, mutation, End.SURVIVED)
        return replace(ours, kit=self._kit, source=self._source)


def test_a_measurement_goes_on_where_it_was_ended(tree: Tree, tmp_path: Path) -> None:
    record = tmp_path / "mutants.jsonl"
    first = Counting(record, tree)
    first.judge(DRAW, 3)
    assert first.judged == [None, *DRAW[:3]]
    again = Counting(record, tree)
    again.judge(DRAW, 5)
    assert again.judged == DRAW[3:5]  # the unchanged source was judged already
    assert [each.number for each in read_record(record) if each.mutation] == [1, 2, 3, 4, 5]


class Busy(Counting):
    """Mutants end without a name; so does the unchanged source, as long as the machine is busy."""

    def __init__(self, record: Path, tree: Tree, busy: int) -> None:
        super().__init__(record, tree)
        self._busy = busy

    def _judged(self, number: int, mutation: Mutation | None) -> Judged:
        judged = super()._judged(number, mutation)
        if mutation is not None:
            return replace(judged, end=End.INCOMPLETE)
        self._busy -= 1
        return judged if self._busy < 0 else replace(judged, end=End.INCOMPLETE)


def test_what_names_nothing_is_believed_once_the_unchanged_source_passes(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutant_runs, "PAUSE_SECONDS", 0.0)
    record = tmp_path / "mutants.jsonl"
    measurement = Busy(record, tree, busy=3)
    measurement.judge(DRAW, 1)
    assert measurement.judged == [None, *[DRAW[0], None] * 3]
    kept = [(each.mutation is None, each.end) for each in read_record(record)]
    assert kept == [(True, End.INCOMPLETE)] * 3 + [(True, End.SURVIVED), (False, End.INCOMPLETE)]


def test_a_machine_that_stays_too_busy_is_one_sentence(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutant_runs, "PAUSE_SECONDS", 0.0)
    with pytest.raises(BackendFailure, match="the machine is too busy"):
        Busy(tmp_path / "mutants.jsonl", tree, busy=1000).judge(DRAW, 1)


class Compiling(Measurement):
    """Runs nothing."""

    def _run(self, name: str, directory: Path, surroundings: Mapping[str, str], *more: str) -> Run:
        raise AssertionError(name)


def test_a_mutant_that_does_not_compile_is_noted_and_judged_by_no_run(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rebuild(tree: Tree) -> str:
        return "" if (tree.source / FILE).read_text() == TEXT else "error: expected ';'"

    monkeypatch.setattr(Tree, "rebuild", rebuild)
    judged = Compiling(tmp_path / "record", tree, 1)._judged(1, DRAW[0])
    assert (judged.end, judged.told) == (End.NOT_COMPILED, ("error: expected ';'",))
    monkeypatch.setattr(Tree, "rebuild", lambda _: "no space left on device")
    with pytest.raises(BackendFailure, match=r"the unchanged source is not built any more: no space"):
        Compiling(tmp_path / "record", tree, 1)._judged(1, DRAW[0])
    assert (tree.source / FILE).read_text() == TEXT


def test_what_a_run_says_is_how_the_mutant_ends() -> None:
    result = RunRecord((), "jobtck run", 1, 1.0)
    ends = {status: Run(status, 1.0, result, "").end for status in (0, 1, 3, 4, 139, None)}
    assert ends == {
        0: End.SURVIVED,
        1: End.KILLED,
        3: End.INCOMPLETE,
        4: End.ERROR,
        139: End.ERROR,
        None: End.HUNG,
    }
    assert Run(0, 1.0, None, "").end is End.ERROR  # it said nothing


def test_complaints_and_gaps_are_told_beside_what_is_worse() -> None:
    became = (
        Became("libvirt", "save", "regressed", "worse", True),
        Became("libvirt", "END-1", "fixed", "better", False),
    )
    gate = Gate("baseline", became, complaints=("save never succeeded",), gaps=("END-2 is not judged now",))
    run = Run(1, 1.0, RunRecord((), "jobtck run", 1, 1.0, gate=gate), "")
    assert said(run) == ((), ("libvirt: save: worse", "save never succeeded", "END-2 is not judged now"), 0)


# -- lines that are reached -------------------------------------------------------------------------------------------


def test_lines_are_counted_by_gcov_also_where_a_process_ends_at_once(tree: Tree, tmp_path: Path) -> None:
    build = tmp_path / "counting"
    build.mkdir()
    options = ["--coverage", "-fPIC", "-shared"]
    for made, of in (("qemu_backup.c.o", ["-c", str(tree.source / FILE)]), ("library.so", ["qemu_backup.c.o"])):
        subprocess.run(["cc", *options, *of, "-o", made], cwd=build, check=True)
    program = f"import ctypes, os; ctypes.CDLL({str(build / 'library.so')!r}).f(2); os._exit(0)"
    ending_in_order = {**os.environ, "LD_PRELOAD": str(preloaded(build))}
    subprocess.run([sys.executable, "-c", program], check=True, env=ending_in_order)
    reached = Reached("kit", "source", "9.0.0", 0, {}, counted(build))
    lines = {each.line for each in DRAW if reached.holds(each)}
    assert lines == {3, 4}  # of f(2) the first return
    assert list(reached.told()) == [(FILE, 6, 0, 3)]
    write_reached(tmp_path / "reached.json", reached)
    assert read_reached(tmp_path / "reached.json") == reached
    (tmp_path / "reached.json").write_text('{"kit": "a"')
    assert read_reached(tmp_path / "reached.json") is None


@pytest.mark.usefixtures("tree")
def test_a_build_that_no_run_has_loaded_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BackendFailure, match=f"no line of {FILE} was counted: the run did not load the build"):
        counted(tmp_path)


# -- the survivors, and what is told ----------------------------------------------------------------------------------


def sorted_file(place: Path, *entries: dict[str, object]) -> Path:
    text = 'source = "source"\n'
    for entry in entries:
        text += "[[survivor]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
    (place / "sorted.toml").write_text(text)
    return place / "sorted.toml"


def entry_for(mutation: Mutation, sort: str, why: str) -> dict[str, object]:
    file, row, column, operator, now = key_of(mutation)
    return {"file": file, "line": row, "column": column, "operator": operator, "now": now, "sort": sort, "why": why}


def test_survivors_are_sorted_by_a_file_that_says_why(tmp_path: Path) -> None:
    path = sorted_file(tmp_path, entry_for(DRAW[0], "equivalent", "a is never 3"))
    entries = read_sorted(path, "source")
    assert entries[key_of(DRAW[0])].sort is Sort.EQUIVALENT
    assert read_sorted(path, "another") == {}
    assert stale(entries, [line(1, DRAW[0], End.SURVIVED)]) == []
    assert stale(entries, [line(1, DRAW[0], End.KILLED)]) == list(entries.values())


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([entry_for(DRAW[0], "equivalent", " ")], "does not say why"),
        ([entry_for(DRAW[0], "equivalent", "a")] * 2, "sorted twice"),
        ([entry_for(DRAW[0], "whatever", "a")], "Invalid enum value 'whatever'"),
        ([{"file": "a"}], "missing required field"),
    ],
)
def test_a_file_of_survivors_that_says_nothing_is_refused(
    tmp_path: Path, entries: list[dict[str, object]], complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        read_sorted(sorted_file(tmp_path, *entries), "source")


def test_the_file_of_the_kit_can_be_read() -> None:
    read_sorted(BENCHMARKS / "libvirt_mutants.toml", "source")


LINES = (
    line(1, None, End.SURVIVED, by="default", seconds=100.0),
    line(1, DRAW[0], End.KILLED, by="quick", requirements=("END-1", "END-4"), seconds=30.0),
    line(2, DRAW[1], End.KILLED, by="default", requirements=("END-1",), seconds=130.0),
    line(3, DRAW[2], End.SURVIVED, by="default", seconds=150.0),
    line(4, DRAW[3], End.SURVIVED, by="default", seconds=150.0),
    line(5, DRAW[4], End.NOT_COMPILED),
    line(6, DRAW[5], End.ERROR, by="quick", seconds=20.0),
)
REACHED = Reached("kit", "source", "9.0.0", 40, {FILE: {"1": 1, "2": 0}}, {FILE: {"1": 5, "2": 1}})


def test_the_table_leaves_equivalent_mutants_out_of_the_share(tmp_path: Path) -> None:
    entries = read_sorted(sorted_file(tmp_path, entry_for(DRAW[2], "equivalent", "a is never 3")), "source")
    told = list(table(LINES, REACHED, entries))
    assert f"{FILE:28} {'1 of 2 (50%)':>18} {'2 of 2 (100%)':>18}" in told
    assert "6 mutants judged, drawn by seed 1 from 40 on lines that are reached" in told
    assert "of those that compile and are not equivalent: noticed 3 of 4 (75%)," in told
    assert "  by the quick run 2 of 4 (50%);" in told
    assert "  a requirement was named for 2 of 4 (50%)" in told
    assert "  2 within 30 s, 2 within 60 s, 2 within 120 s, 3 within 240 s, from the start of the first run" in told
    assert "the unchanged source, judged as if it were a mutant: nothing noticed in 1 of 1" in told
    assert f"{'END-1':24} {2:8} {1:9}" in told
    assert f"{'none (error)':24} {1:8} {0:9}" in told
    assert "survivors: 2 (1 equivalent, 1 not sorted yet)" in told
    assert "    equivalent: a is never 3" in told


def test_the_table_of_nothing_is_a_table() -> None:
    assert "0 mutants judged, drawn by seed  from 40 on lines that are reached" in list(table([], REACHED, {}))
    ET.fromstring(plot([]))  # noqa: S314


def test_what_two_long_texts_share_is_cut_off() -> None:
    long = "a_long_name == ANOTHER_LONG_NAME_OF_A_CONSTANT &&\n    "
    was, now = shown(f"{long}!first && !second", f"{long}!first")
    assert was.endswith("&& !first && !second")
    assert now.endswith("&& !first")
    assert was.startswith("…")
    assert shown("a  <\n b", "a") == ("a < b", "a")


def test_the_picture_has_a_step_for_each_mutant_that_was_noticed() -> None:
    picture = plot(LINES)
    ET.fromstring(picture)  # noqa: S314
    curves = [part for part in picture.split("<path ") if 'stroke-width="2"' in part]
    assert [curve.count("V") for curve in curves] == [3, 2]
    assert "mutants of libvirt that were noticed, of 5" in picture


def test_the_command_says_that_nothing_was_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "libvirt_mutants.py"), str(tmp_path / "mutants.jsonl")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=users_environment(), timeout=HANG_SECONDS
    )
    assert done.returncode == 2
    assert done.stderr.endswith("nothing was measured yet: say how many mutants by --count\n")
