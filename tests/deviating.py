"""Records with the deviations that tests want, as if a run had found them."""

from collections.abc import Sequence
from pathlib import Path

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    BlockCopy,
    BlockJobAbort,
    BlockJobSetSpeed,
    Call,
    Destroy,
    GetJobStats,
    Inspect,
    Mode,
    Settle,
)
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.record import (
    Cost,
    Deviation,
    NamedRun,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    TargetRecord,
    Verdict,
)

PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",))
PUSH = BackupBegin(label=0, mode=Mode.PUSH, disks=("vda",))
# The known deviations of libvirt 9.0.0 that happen every time, in docs/findings.md.
KNOWN: dict[str, tuple[str, Sequence[Call]]] = {
    "speed": ("TYPE-2", [PULL, BlockJobSetSpeed(disk="vda")]),
    "abort": ("TYPE-2", [PULL, BlockJobAbort(disk="vda")]),
    "statistics": ("END-6", [PULL, AbortJob(), Settle(), GetJobStats(completed=True)]),
    "description": ("QUERY-2", [PULL, BackupGetXmlDesc()]),
    "socket": ("FAULT-4", [PULL, Destroy(), Inspect()]),
    "busy": ("SANE-1", [BlockCopy(label=0, disk="vda"), BackupBegin(label=1, mode=Mode.PULL, disks=("vda",))]),
}


def record_with(target: TargetRecord, deviations: Sequence[Deviation]) -> Record:
    """A record of the target in which these deviations are what was found."""
    broken = {
        id: [each for each in deviations if id in each.requirements] for each in deviations for id in each.requirements
    }
    requirements = [
        RequirementRecord(
            id=each.id,
            chapter=each.chapter,
            level=each.level,
            text=each.text,
            source=each.source,
            verdict=Verdict.FAIL,
            exercised=1,
            deviations=tuple(broken[each.id]),
        )
        for each in CATALOGUE
        if each.id in broken
    ]
    return Record(
        verdict=RunVerdict.NONCONFORMING,
        target=target,
        requirements=tuple(requirements),
        cells=(),
        cells_open=0,
        cost=Cost(1, 1.0, 1.0),
        seed=1,
        command="jobtck run",
    )


def run_of(record: Record) -> NamedRun:
    """A result that holds that record alone."""
    return NamedRun("result", RunRecord((record,), "jobtck run", 1, 1.0))


def written(files: dict[str, str], directory: Path) -> dict[str, Path]:
    """The files in that directory, by their names."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return {name: directory / name for name in files}
