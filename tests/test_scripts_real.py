"""Scripts on real libvirt: those of known deviations show them, doctored ones do not, and nothing is left behind."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.conftest import missing_for_libvirtd, users_environment
from tests.deviating import KNOWN, PULL, PUSH, record_with
from tests.test_scripts import hostile

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
pytest.importorskip("lxml", reason="lxml is not installed")

from jobtck.confirm import Seen, recall
from jobtck.conformance.calls import (
    AbortJob,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobSetSpeed,
    BlockPull,
    Call,
    CrashGuest,
    Disconnect,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    Save,
    Settle,
    Start,
    TakeEvents,
)
from jobtck.conformance.capabilities import Options
from jobtck.conformance.design import find_design
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.wording import answer_text, sort_text
from jobtck.fixtures.libvirt_api import open_connection
from jobtck.fixtures.libvirt_backend import libvirtd
from jobtck.fixtures.libvirt_target import LibvirtTarget
from jobtck.replays import Stage, when_nothing_is_known
from jobtck.reports.scripts import scripts_for
from jobtck.verdicts import target_record

pytestmark = [
    pytest.mark.real,
    pytest.mark.xdist_group("libvirt"),
    pytest.mark.skipif(missing_for_libvirtd() != "", reason=missing_for_libvirtd()),
]

SECONDS_MAX = 120.0  # a script takes three; a busy machine is slower
INTERPRETERS = {"sh": ["sh"], "py": [sys.executable]}
each_language = pytest.mark.parametrize("language", ["sh", "py"])


@pytest.fixture(scope="module")
def target() -> Iterator[LibvirtTarget]:
    opened = libvirtd.open(find_design("default-job"), Options())
    assert isinstance(opened, LibvirtTarget)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def found(target: LibvirtTarget) -> Callable[[str], Deviation]:
    """The known deviation of that name, as it is found on this libvirt."""

    @cache
    def find(name: str) -> Deviation:
        requirement, calls = KNOWN[name]
        judge = Judge(target.design, target.capabilities)
        stage = Stage(target, judge)
        try:
            performed = tuple(stage.replay(calls, when_nothing_is_known))
            if performed[-1].step.deviations != (requirement,):
                assert target.versions["libvirt"] != "9.0.0", performed
                pytest.skip(f"libvirt {target.versions['libvirt']} does not have it")
            told = recall(judge, Seen(performed[-1].step, performed, performed), stage, lambda: False)
        finally:
            stage.close()
        assert told.requirements == (requirement,)
        assert told.breaking
        return told

    return find


class Place:
    """Where scripts are run: with a directory for temporary files of its own, and the URI of a private libvirtd."""

    def __init__(self, target: LibvirtTarget, directory: Path) -> None:
        self.target = target_record(target)
        self.uri = target.host.uri
        self.directory = directory
        self.temporary = directory / "t"
        self.temporary.mkdir()

    def write(self, deviation: Deviation, language: str) -> Path:
        """The script of that language that shows it."""
        made = scripts_for(record_with(self.target, [deviation]), deviation)
        script = next(each for each in made.scripts if each.suffix == language)
        path = self.directory / f"show.{language}"
        path.write_text(script.text, encoding="utf-8")
        return path

    def start(self, script: Path, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        environment = {**users_environment(), "TMPDIR": str(self.temporary), **variables}
        # Who runs the tests may ignore SIGINT, as shells do for what they start in the background.
        command = ["env", "--default-signal=INT", *INTERPRETERS[script.suffix[1:]], str(script), *arguments]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=self.directory
        )

    def run(self, script: Path, *arguments: str, **variables: str) -> tuple[int, str]:
        """The exit status, and all that was said."""
        with self.start(script, *arguments, **variables) as running:
            told, _ = running.communicate(timeout=SECONDS_MAX)
        return running.returncode, told

    def show(self, deviation: Deviation, language: str) -> tuple[int, str]:
        """What the script says where it is meant to run: virsh asks the daemon, Python its own driver."""
        script = self.write(deviation, language)
        return self.run(script, self.uri) if language == "sh" else self.run(script)

    def left(self) -> list[str]:
        """What is left: files, guests, and processes that know the place."""
        connection = open_connection(self.uri)
        guests = [each.name() for each in connection.listAllDomains() if each.name().startswith("deviation")]
        connection.close()
        return [*map(str, self.temporary.iterdir()), *guests, *self._processes()]

    def _processes(self) -> list[str]:
        found: list[str] = []
        for entry in Path("/proc").iterdir():
            try:
                used = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if bytes(self.temporary) in used:
                found.append(used.replace(b"\0", b" ").decode())
        return found


@pytest.fixture
def place(target: LibvirtTarget) -> Iterator[Place]:
    """A directory of a short name: sockets have to fit."""
    with TemporaryDirectory(prefix="js-") as name:
        Path(name).chmod(0o755)
        yield Place(target, Path(name))


# -- known deviations ------------------------------------------------------------------------------


@each_language
@pytest.mark.parametrize("name", KNOWN)
def test_a_known_deviation_is_shown(place: Place, found: Callable[[str], Deviation], name: str, language: str) -> None:
    if name == "description" and language == "sh" and shutil.which("xmllint") is None:
        pytest.skip("xmllint is not installed")
    status, told = place.show(found(name), language)
    assert (status, place.left()) == (1, []), told
    assert "the deviation is there" in told


@each_language
def test_what_is_answered_as_allowed_is_no_deviation(
    place: Place, found: Callable[[str], Deviation], language: str
) -> None:
    deviation = found("statistics")
    doctored = replace(deviation, breaking=deviation.allowed, allowed=deviation.breaking)
    status, told = place.show(doctored, language)
    assert (status, place.left()) == (0, []), told
    assert "the deviation is not there" in told


@each_language
def test_an_answer_that_is_neither_shows_nothing(
    place: Place, found: Callable[[str], Deviation], language: str
) -> None:
    status, told = place.show(replace(found("speed"), breaking=("one",), allowed=("another",)), language)
    assert (status, place.left()) == (125, []), told
    assert "it took another turn: done" in told


@each_language
def test_a_call_on_the_way_that_ends_otherwise_shows_nothing(
    place: Place, found: Callable[[str], Deviation], language: str
) -> None:
    deviation = found("speed")
    first, last = deviation.lines
    status, told = place.show(replace(deviation, lines=(replace(first, answer="refused: busy"), last)), language)
    assert (status, place.left()) == (125, []), told
    assert "it took another turn: 'done' instead of 'refused: busy'" in told


def test_a_program_is_shown_the_libvirtd_that_it_is_to_ask(place: Place, found: Callable[[str], Deviation]) -> None:
    status, told = place.run(place.write(found("speed"), "py"), place.uri)
    assert (status, place.left()) == (1, []), told


def test_a_race_is_tried_until_it_happens(place: Place, found: Callable[[str], Deviation]) -> None:
    flaky = replace(found("speed"), reproduced=1, runs=3)
    assert place.show(flaky, "sh")[0] == 1
    never = replace(flaky, breaking=flaky.allowed, allowed=flaky.breaking)
    for language, arguments in (("sh", [place.uri]), ("py", [])):
        status, told = place.run(place.write(never, language), *arguments, TRIES="2")
        assert (status, place.left()) == (0, []), told
        assert told.count("the deviation is not there") == 2


# -- as the kit reads it ---------------------------------------------------------------------------

COPY_B = BlockCopy(label=1, disk="vdb")
FLAWS = (
    Flaw.NOT_XML,
    Flaw.BAD_SCHEMA,
    Flaw.UNKNOWN_DISK,
    Flaw.DISK_TWICE,
    Flaw.NO_DISK,
    Flaw.TARGET_EXISTS,
    Flaw.UNKNOWN_CHECKPOINT,
)
SESSIONS: dict[str, Sequence[Call]] = {
    "copy": [PULL, COPY_B, BlockPull(label=2, disk="vda"), Settle(), GetBlockJobInfo(disk="vdb")],
    "pull": [BlockPull(label=0, disk="vda"), Settle(), GetBlockJobInfo(disk="vda")],
    "commit": [BlockCommit(label=0, disk="vda"), GetBlockJobInfo(disk="vda")],
    "pivot": [COPY_B, BlockJobAbort(disk="vdb", pivot=True)],
    "push": [PUSH, Settle(), GetJobStats(completed=True, keep=True)],
    "running": [BlockJobSetSpeed(disk="vda"), PULL, GetJobStats()],
    "none": [GetBlockJobInfo(disk="vda"), GetJobStats(completed=True), GetJobStats()],
    "crash": [PULL, CrashGuest(), Start(), GetJobStats(completed=True)],
    "save": [Save(), GetJobStats(), Start(), Inspect()],
    "rejected": [*(replace(PUSH, disks=("vda", "vdb"), flaw=flaw) for flaw in FLAWS), PULL, AbortJob(), Inspect()],
    "several": [
        PULL,
        replace(PULL, label=1, domain=1),
        AbortJob(domain=1),
        Settle(domain=1),
        BackupGetXmlDesc(domain=1, client=1),
    ],
    "looking": [replace(PULL, client=2), GetJobStats(client=2)],
    "events": [PULL, AbortJob(), TakeEvents(due=1)],
    "info": [PULL, Disconnect(client=1), AbortJob(flaw=Flaw.UNKNOWN_FLAGS), GetJobInfo(client=1)],
}


@pytest.fixture(scope="module")
def stage(target: LibvirtTarget) -> Iterator[Stage]:
    opened = Stage(target, Judge(target.design, target.capabilities))
    yield opened
    opened.close()


@pytest.mark.parametrize("name", SESSIONS)
def test_scripts_read_answers_as_the_kit_does(place: Place, stage: Stage, name: str) -> None:
    performed = stage.replay(SESSIONS[name], when_nothing_is_known)
    assert [each.call for each in performed] == SESSIONS[name]
    lines = tuple(TraceLine(each.call, answer_text(each.outcome)) for each in performed)
    told = sort_text(performed[-1].outcome)
    deviation = Deviation(("SANE-1",), lines, 1, 1, breaking=(told,), allowed=("else",))
    for made in scripts_for(record_with(place.target, [deviation]), deviation).scripts:
        status, said = place.show(deviation, made.suffix)
        assert (status, place.left()) == (1, []), f"the kit reads {told!r}: {said}"


@each_language
def test_libvirt_is_asked_what_a_result_says_and_a_shell_is_not(place: Place, language: str) -> None:
    """All lines run with foreign texts in them: disks that no guest has."""
    canary = place.directory / "pwned"
    names = [text for text in hostile(canary) if text.isprintable()]
    assert len(names) > 5
    calls = [call for name in names for call in (GetBlockJobInfo(disk=name), BlockCopy(label=0, disk=name))]
    lines = tuple(TraceLine(call, "refused: invalid-argument") for call in calls)
    deviation = Deviation(("SANE-1",), lines, 1, 1, breaking=("refused: invalid-argument",), allowed=("else",))
    status, told = place.show(deviation, language)
    assert (status, place.left()) == (1, []), told
    assert not canary.exists()
    assert [name for name in names if f"'{name}'" not in told] == []


# -- where it cannot be tried ----------------------------------------------------------------------


@each_language
def test_without_a_connection_nothing_is_tried(place: Place, found: Callable[[str], Deviation], language: str) -> None:
    script = place.write(found("speed"), language)
    status, told = place.run(script, "qemu+unix:///system?socket=/nowhere")
    assert (status, place.left()) == (125, []), told
    assert "not tried: no connection to qemu+unix" in told
    assert place.run(script, "test:///default")[0] == 125
    assert place.left() == []


def test_without_virsh_nothing_is_tried(place: Place, found: Callable[[str], Deviation]) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    script = place.write(found("speed"), "sh")
    done = subprocess.run(
        [shell, str(script)], env={"PATH": ""}, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )
    assert (done.returncode, done.stderr) == (125, "not tried: virsh is not installed\n")


def test_without_libvirt_python_nothing_is_tried(place: Place, found: Callable[[str], Deviation]) -> None:
    script = place.write(found("speed"), "py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )
    assert done.returncode == 125
    assert done.stderr.startswith("not tried: libvirt-python: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@each_language
def test_a_script_that_is_ended_leaves_nothing(place: Place, language: str, number: signal.Signals) -> None:
    # The second begin waits half a minute for the lock: that is when the signal comes.
    lines = tuple(TraceLine(replace(PULL, label=label), "value") for label in (0, 1))
    deviation = Deviation(("SANE-1",), lines, 1, 1, breaking=("value",), allowed=("else",))
    script = place.write(deviation, language)
    with place.start(script, place.uri) as running:
        assert running.stdout is not None
        told = running.stdout.readline()  # a guest runs now
        running.send_signal(number)
        told += running.stdout.read()
    assert (running.returncode, place.left()) == (128 + number, []), told


def test_git_bisect_takes_it(place: Place, found: Callable[[str], Deviation]) -> None:
    """A history of six, of which the third cannot be tried, and the fifth brings the deviation."""
    there = found("speed")
    fixed = replace(there, breaking=there.allowed, allowed=there.breaking)
    untried = replace(there, breaking=("one",), allowed=("another",))
    repository = place.directory / "repository"
    repository.mkdir()

    def git(*arguments: str) -> str:
        told = ["-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false"]
        environment = {**users_environment(), "TMPDIR": str(place.temporary), "HOME": str(place.directory)}
        done = subprocess.run(
            ["git", *told, *arguments], cwd=repository, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    git("init", "-q")
    for number, deviation in enumerate((fixed, fixed, untried, fixed, there, there)):
        place.write(deviation, "py").rename(repository / "show.py")
        (repository / "number").write_text(str(number))
        git("add", ".")
        git("commit", "-q", "-m", f"commit {number}")
    git("bisect", "start", "HEAD", "HEAD~5")
    told = git("bisect", "run", sys.executable, "show.py")
    assert "commit 4" in told[told.index("is the first bad commit") :]
    assert place.left() == []
