"""A deviation as a program that asks by libvirt-python, and needs nothing of the kit."""

from collections.abc import Iterator

from jobtck.conformance.calls import (
    AbortJob,
    BackupBegin,
    BackupGetXmlDesc,
    BlockCommit,
    BlockCopy,
    BlockJobAbort,
    BlockJobSetSpeed,
    BlockPull,
    CrashGuest,
    Destroy,
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
from jobtck.conformance.libvirt_errors import KINDS
from jobtck.conformance.record import Deviation, Record
from jobtck.reports.script_steps import Step, answer_of, convincing, steps_of
from jobtck.reports.script_texts import DIRECTORY, FLAKY_TRIES, backup_xml, copy_xml, header, python_text, templates
from jobtck.reports.texts import one_line

UNKNOWN_FLAG = "1 << 30"  # no call of libvirt's has given it a meaning
XML_READERS = frozenset({"description", "settle"})
_NEEDS = {Settle: "settle", Inspect: "leftovers", CrashGuest: "crash", TakeEvents: "events"}


def libvirt_program(record: Record, deviation: Deviation) -> str:
    """The text of the program."""
    steps = steps_of(deviation)
    *_, last = steps
    used = {answer_of(last.call)} | {_NEEDS[type(each.call)] for each in steps if type(each.call) in _NEEDS}
    return (
        templates()
        .get_template("libvirt_program.py.jinja")
        .render(
            header=header(record, deviation),
            used=used,
            plants=any(getattr(each.call, "flaw", None) is Flaw.TARGET_EXISTS for each in steps),
            reads_xml=bool(used & XML_READERS),
            tries=FLAKY_TRIES if deviation.is_flaky else 1,
            kinds=KINDS,
            directory=DIRECTORY,
            clients=sorted({0} | {each.call.client for each in steps}),
            domains=sorted({each.call.domain for each in steps}),
            steps=[_shown(each, is_last=each is last) for each in steps],
            breaking=_words(deviation.breaking),
            allowed=_words(convincing(deviation)),
        )
    )


def _words(answers: tuple[str, ...]) -> str:
    """A set of words, as Python has it."""
    return "{" + ", ".join(map(python_text, answers)) + "}"


def _shown(step: Step, *, is_last: bool) -> dict[str, object]:
    match step.call:
        case BackupBegin():
            xml = backup_xml(step)
        case BlockCopy():
            xml = copy_xml(step)
        case _:
            xml = ""
    return {
        "told": one_line(step.told),
        "xml": xml,
        "constant": _constant(step),
        "lines": list(_lines(step, is_last=is_last)),
    }


def _constant(step: Step) -> str:
    return step.file.upper().replace("-", "_")


def _lines(step: Step, *, is_last: bool) -> Iterator[str]:
    """The lines of a step."""
    domain, client = step.call.domain, step.call.client
    told, guest = python_text(one_line(step.told)), f"guests.seen({domain}, 0)"
    if isinstance(step.call, BackupBegin) and step.files is not None and step.files.planted:
        yield _planted(step.files.planted, "")
    if isinstance(step.call, BlockCopy) and step.call.flaw is Flaw.TARGET_EXISTS:
        yield _planted(step.file, "in the way")
    match step.call:
        case Settle():
            yield f"settle({', '.join([guest, *map(python_text, step.held)])})"
        case CrashGuest():
            yield f"crash(guests, {domain})"
        case Disconnect():
            yield f"guests.connections[{client}].close()"
            yield f"guests.connect({client})"
        case TakeEvents(due=due) if is_last:
            yield f"answer = events(taken(came{domain}, {due}))"
        case TakeEvents(due=due):
            yield f"taken(came{domain}, {due})"
        case Inspect():
            arguments = f"guests, {guest}, {step.has_block_job!r}, {step.looked_for!r}, {step.if_over!r}"
            yield f"{'answer = ' if is_last else ''}leftovers({arguments})"
        case _ if is_last:
            yield f"print({told})"
            yield f"answer = asked(guests, lambda: {_call(step)}, {answer_of(step.call)})"
        case _:
            yield f"step(guests, {told}, {python_text(step.expected)}, lambda: {_call(step)})"
    if is_last and isinstance(step.call, Settle | CrashGuest | Disconnect):
        yield 'answer = "done"'


def _planted(name: str, text: str) -> str:
    return f"guests.plant({python_text(name)}, {python_text(text)})"


def _call(step: Step) -> str:
    """The expression that makes the call."""
    call = step.call
    seen = f"guests.seen({call.domain}, {call.client})"
    flags = UNKNOWN_FLAG if getattr(call, "flaw", None) is Flaw.UNKNOWN_FLAGS else "0"
    match call:
        case BackupBegin():
            return f"{seen}.backupBegin(guests.filled({_constant(step)}), None, {flags})"
        case BackupGetXmlDesc():
            return f"{seen}.backupGetXMLDesc({flags})"
        case GetJobInfo():
            return f"{seen}.jobInfo()"
        case GetJobStats():
            return f"{seen}.jobStats({_statistics_flags(call, flags)})"
        case AbortJob(flaw=Flaw.NOTHING):
            return f"{seen}.abortJob()"
        case AbortJob():
            return f"{seen}.abortJobFlags({flags})"
        case BlockCopy(disk=disk):
            held = "{libvirt.VIR_DOMAIN_BLOCK_COPY_BANDWIDTH: 1}"
            more = f"libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB | {flags}"
            return f"{seen}.blockCopy({python_text(disk)}, guests.filled({_constant(step)}), {held}, {more})"
        case BlockPull(disk=disk):
            return f"{seen}.blockPull({python_text(disk)}, 1, libvirt.VIR_DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES | {flags})"
        case BlockCommit(disk=disk):
            places = ", ".join(
                f'guests.image({call.domain}, {python_text(disk)}, "{layer}")' for layer in ("low", "mid")
            )
            more = f"libvirt.VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES | {flags}"
            return f"{seen}.blockCommit({python_text(disk)}, {places}, 1, {more})"
        case BlockJobAbort(disk=disk, pivot=pivot):
            more = f"libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT | {flags}" if pivot else flags
            return f"{seen}.blockJobAbort({python_text(disk)}, {more})"
        case GetBlockJobInfo(disk=disk):
            return f"{seen}.blockJobInfo({python_text(disk)}, {flags})"
        case BlockJobSetSpeed(disk=disk, bandwidth=bandwidth):
            return f"{seen}.blockJobSetSpeed({python_text(disk)}, {bandwidth}, {flags})"
        case Start():
            return f"{seen}.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)"
        case Destroy():
            return f"{seen}.destroy()"
        case Save():
            return f"{seen}.save(guests.path({python_text(step.file)}))"
        case _:
            raise AssertionError(call)


def _statistics_flags(call: GetJobStats, flags: str) -> str:
    wanted = [flags] if flags != "0" else []
    if call.completed and call.flaw is not Flaw.KEEP_ALONE:
        wanted.append("libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED")
    if call.keep or call.flaw is Flaw.KEEP_ALONE:
        wanted.append("libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED")
    return " | ".join(wanted) or "0"
