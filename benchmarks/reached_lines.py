"""Which lines of libvirt's source the kit's runs reach, by gcov."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from c_mutations import Mutation
from libvirt_tree import JUDGED_FILES

from jobtck.conformance.errors import BackendFailure
from jobtck.reportdir import write_whole

DRIVER = "src/qemu/qemu_driver.c"
# The driver is large, and the kit is about jobs: these are the functions of its calls, and what they share.
DRIVER_FUNCTIONS = frozenset(
    {
        "qemuBlockJobInfoTranslate",
        "qemuDomainAbortJob",
        "qemuDomainAbortJobFlags",
        "qemuDomainAbortJobMigration",
        "qemuDomainAbortJobPostcopy",
        "qemuDomainBackupBegin",
        "qemuDomainBackupGetXMLDesc",
        "qemuDomainBlockCommit",
        "qemuDomainBlockCopy",
        "qemuDomainBlockCopyCommon",
        "qemuDomainBlockCopyCommonValidateUserMirrorBackingStore",
        "qemuDomainBlockCopyValidateMirror",
        "qemuDomainBlockJobAbort",
        "qemuDomainBlockJobSetSpeed",
        "qemuDomainBlockPivot",
        "qemuDomainBlockPull",
        "qemuDomainBlockPullCommon",
        "qemuDomainBlockRebase",
        "qemuDomainGetBlockJobInfo",
        "qemuDomainGetJobInfo",
        "qemuDomainGetJobInfoDumpStats",
        "qemuDomainGetJobInfoMigrationStats",
        "qemuDomainGetJobStats",
        "qemuDomainGetJobStatsInternal",
    }
)
# A process that hands out work ends by _exit(), which writes no counters; here it ends by exit().
EXIT_IN_ORDER = "#include <stdlib.h>\nvoid _exit(int status) { exit(status); }\n"

Lines = Mapping[str, int]  # how often each line was run, by its number, which JSON wants as text


@dataclass(frozen=True, slots=True)
class Reached:
    """How often each line of code was run, by file, in the quick run and in the default run."""

    kit: str
    source: str
    version: str
    mutations: int  # on these lines
    quick: Mapping[str, Lines]
    default: Mapping[str, Lines]

    def holds(self, mutation: Mutation) -> bool:
        """A run reaches the line of the mutation, or where the compiler sees none there, its statement."""
        return any(_is_reached(run.get(mutation.file, {}), mutation) for run in (self.quick, self.default))

    def told(self) -> Iterator[tuple[str, int, int, int]]:
        """Each file with its lines of code, how many of them the quick run reaches, and how many either run."""
        for file in JUDGED_FILES:
            quick, default = (
                {line for line, count in run.get(file, {}).items() if count} for run in (self.quick, self.default)
            )
            yield file, len(self.default.get(file, {})), len(quick), len(quick | default)


def _is_reached(lines: Lines, mutation: Mutation) -> bool:
    own = lines.get(str(mutation.line))
    return bool(lines.get(str(mutation.statement), 0) if own is None else own)


def is_looked_at(file: str, function: str) -> bool:
    """The function is of the files that are about jobs, or of the driver's that the kit's calls lead to."""
    return file != DRIVER or function in DRIVER_FUNCTIONS


def read_reached(path: Path) -> Reached | None:
    """What was measured; None if nothing was, or nothing whole."""
    try:
        return Reached(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_reached(path: Path, reached: Reached) -> None:
    """The file has what was measured, whole."""
    write_whole(path, json.dumps(asdict(reached)))


def preloaded(directory: Path) -> Path:
    """A library that makes every process of a run write its counters."""
    source, library = directory / "exit_in_order.c", directory / "exit_in_order.so"
    source.write_text(EXIT_IN_ORDER, encoding="utf-8")
    command = ["cc", "-w", "-shared", "-fPIC", "-o", str(library), str(source)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BackendFailure(f"the C compiler, cc, does not work: {error}") from error
    return library


def forget_counts(build: Path) -> None:
    """No line of that build was run."""
    for path in build.rglob("*.gcda"):
        path.unlink()


def counted(build: Path) -> dict[str, dict[str, int]]:
    """How often each line of code of the files was run in that build since the counts were forgotten."""
    return {file: _counted(build, file) for file in JUDGED_FILES}


def _counted(build: Path, file: str) -> dict[str, int]:
    found = list(build.rglob(f"{Path(file).name}.gcda"))
    if len(found) != 1:
        raise BackendFailure(f"no line of {file} was counted: the run did not load the build in {build}")
    command = ["gcov", "--json-format", "--stdout", str(found[0])]
    try:
        done = subprocess.run(command, cwd=build, capture_output=True, check=True)
        content = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise BackendFailure(f"gcov does not tell the counts of {file}: {error}") from error
    return _lines(content["files"], file)


def _lines(files: Iterable[dict[str, object]], file: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for told in files:
        lines = told["lines"]
        if not str(told["file"]).endswith(file) or not isinstance(lines, list):
            continue
        for line in lines:
            if is_looked_at(file, line.get("function_name", "")):
                number = str(line["line_number"])
                counts[number] = max(counts.get(number, 0), line["count"])
    return counts
