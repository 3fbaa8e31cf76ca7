"""A deviation as the steps of a script: what each call needs of those before it, in no language yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jobtck.conformance.calls import (
    UNKNOWN_DISK,
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    BlockCopy,
    BlockJobBegin,
    Call,
    Disconnect,
    Flaw,
    GetBlockJobInfo,
    GetJobInfo,
    GetJobStats,
    Inspect,
    Manner,
    Mode,
    RestartServer,
    Save,
    Settle,
    TakeEvents,
)
from jobtck.conformance.outcomes import ErrorKind
from jobtck.conformance.record import Deviation, TargetRecord
from jobtck.conformance.wording import LOSSES, call_text
from jobtck.reports.texts import one_line

DISKS = ("vda", "vdb")  # of the guests that scripts make
STEPS_MAX = 100  # the shortest calls are a handful; a thousand show nothing to a reader
REFUSED = "refused: "
LOST = (f"{REFUSED}{ErrorKind.NO_DOMAIN}", f"{REFUSED}{ErrorKind.OTHER}")
LIBVIRTS = frozenset({"libvirt", "virsh"})  # backends that are libvirt as it is


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a backup: its images by disk, and its socket."""

    images: tuple[tuple[str, str], ...]
    socket: str
    planted: str = ""  # an image that stands in its way


@dataclass(frozen=True, slots=True)
class Step:
    """One call, and how it is to end so that the next one can be made: `done`, or as `refused: KIND`.

    `file` is a name for what it makes, `files` are those of a backup; `held` are the disks of a pull that goes on until
    it is ended. `looked_for` are leftovers, each with a file that would be one, and `if_over` those of the backup that
    was begun last.
    """

    call: Call
    told: str
    expected: str
    file: str = ""
    files: Files | None = None
    held: tuple[str, ...] = ()
    looked_for: tuple[tuple[str, str], ...] = ()
    if_over: tuple[tuple[str, str], ...] = ()
    has_block_job: tuple[str, ...] = ()


def why_none(target: TargetRecord, deviation: Deviation) -> str:
    """Why no script can show it, in words; empty if one can."""
    calls = [line.call for line in deviation.lines]
    if target.backend not in LIBVIRTS or target.design.has_ids:
        return f"it was seen on {target.backend} as {target.design.name}, and scripts speak to libvirt as it is"
    if not deviation.lines:
        return "the result was written by a release that did not keep its calls: run again"
    if why := next(filter(None, map(_why_never, calls)), ""):
        return why
    if deviation.evidence or deviation.lines[-1].answer in LOSSES:
        return "somebody dies or hangs of it, and a script as well: play its trace with jobtck replay"
    if not deviation.breaking or not convincing(deviation):
        return "it is about how long the call takes or how far a job is, and not about the sort of its answer"
    if not all(_is_writable(call) for call in calls):
        return "a disk in it has a name that no script can write"
    if len(calls) > STEPS_MAX:
        return f"it has more than {STEPS_MAX} calls"
    return ""


def _why_never(call: Call) -> str:
    """Why a script cannot show anything that needs the call, in words; empty if one can."""
    if isinstance(call, RestartServer) or (isinstance(call, Disconnect) and call.manner is Manner.KILLED):
        return "it needs a server, or a client, that is killed: play its trace with jobtck replay"
    match getattr(call, "flaw", None):
        case Flaw.CUT_OFF:
            return "it needs a client that is killed in the middle of a call: play its trace with jobtck replay"
        case Flaw.AT_ONCE:
            return "it needs two clients that call at once: play its trace with jobtck replay"
        case _:
            return ""


def _is_writable(call: Call) -> bool:
    """The disks that it names are written on one line, without control characters."""
    return all(disk.isprintable() for disk in (getattr(call, "disk", ""), *getattr(call, "disks", ())))


def why_no_virsh(deviation: Deviation) -> str:
    """Why virsh cannot show what a program can, in words; empty if it can."""
    for line in deviation.lines:
        if isinstance(line.call, TakeEvents | Disconnect | GetJobInfo):
            return "virsh has no command that does the same as one of its calls"
        if getattr(line.call, "flaw", None) in (Flaw.UNKNOWN_FLAGS, Flaw.KEEP_ALONE):
            return "virsh itself refuses such options, and asks no server"
    return ""


def steps_of(deviation: Deviation) -> tuple[Step, ...]:
    """The steps of a script that shows it."""
    planner = _Planner()
    return tuple(planner.steps(deviation))


@dataclass(slots=True)
class _Planner:
    """What the calls so far have made."""

    begun: list[Step] = field(default_factory=list)
    refused: list[Step] = field(default_factory=list)
    has_block_job: set[str] = field(default_factory=set)
    held: tuple[str, ...] = ()

    def steps(self, deviation: Deviation) -> Iterator[Step]:
        for number, line in enumerate(deviation.lines, 1):
            expected = one_line(line.answer) if line.answer.startswith(REFUSED) else "done"
            told = f"{call_text(line.call)} -> {line.answer}"
            step = self._planned(line.call, told, expected, number)
            self._remember(step)
            yield step

    def _planned(self, call: Call, told: str, expected: str, number: int) -> Step:
        match call:
            case BackupBegin():
                name = f"backup-{number}"
                return Step(call, told, expected, name, _files(call, name))
            case BlockCopy() | Save():
                return Step(call, told, expected, f"file-{number}")
            case Settle():
                return Step(call, told, expected, held=self.held)
            case Inspect():
                begun, refused = (
                    [step for step in steps if step.call.domain == call.domain] for steps in (self.begun, self.refused)
                )
                return Step(
                    call,
                    told,
                    expected,
                    looked_for=(*_traces(begun[:-1]), *_rejected(refused)),
                    if_over=tuple(_traces(begun[-1:])),
                    has_block_job=tuple(sorted(self.has_block_job)),
                )
            case _:
                return Step(call, told, expected)

    def _remember(self, step: Step) -> None:
        accepted = step.expected == "done"
        match step.call:
            case BackupBegin(mode=mode, disks=disks):
                (self.begun if accepted else self.refused).append(step)
                if accepted:
                    self.held = disks or DISKS if mode is Mode.PULL else ()
            case AbortJob() if accepted:
                self.held = ()
            case BlockJobBegin(disk=disk) if accepted:
                self.has_block_job.add(disk)
            case _:
                pass


def _files(call: BackupBegin, name: str) -> Files:
    disks = tuple(disk for disk in call.disks if disk in DISKS) or DISKS
    images = tuple((disk, f"{name}-{disk}") for disk in disks)
    planted = images[-1][1] if call.flaw is Flaw.TARGET_EXISTS else ""
    return Files(images, f"{name}.sock", planted)


def _traces(over: Sequence[Step]) -> Iterator[tuple[str, str]]:
    for step in over:
        assert step.files is not None
        if isinstance(step.call, BackupBegin) and step.call.mode is Mode.PULL:
            yield from (("scratch", name) for _, name in step.files.images)
        yield ("socket", step.files.socket)


def _rejected(refused: Sequence[Step]) -> Iterator[tuple[str, str]]:
    for step in refused:
        assert step.files is not None
        made = {name for _, name in step.files.images} | {step.files.socket}
        yield from (("rejected", name) for name in sorted(made - {step.files.planted}))


def begun_disks(step: Step) -> list[tuple[str, str]]:
    """The disks that the XML of a begin names, each with its image."""
    assert isinstance(step.call, BackupBegin)
    assert step.files is not None
    images = list(step.files.images)
    match step.call.flaw:
        case Flaw.NO_DISK:
            return []
        case Flaw.UNKNOWN_DISK:
            return [(UNKNOWN_DISK, images[0][1]), *images[1:]]
        case Flaw.DISK_TWICE:
            return [*images, (images[0][0], f"{images[0][1]}-again")]
        case _:
            return images


def convincing(deviation: Deviation) -> tuple[str, ...]:
    """The answers that show that it is not there: of a lost guest, or a refusal that nobody knows, none is shown."""
    return tuple(answer for answer in deviation.allowed if answer not in LOST)


def answer_of(call: Call) -> str:
    """The sort of value that the call answers with: what a script reads in it."""
    if isinstance(call, GetJobStats) and call.completed:
        return "statistics"
    return _ANSWERS.get(type(call), "done")


_ANSWERS: Mapping[type[Call], str] = {
    BackupGetXmlDesc: "description",
    GetJobInfo: "job_info",
    GetJobStats: "job_stats",
    GetBlockJobInfo: "block_info",
    TakeEvents: "events",
    Inspect: "leftovers",
}
