"""A deviation as a shell script that asks by virsh, and needs nothing of the kit."""

from collections.abc import Iterator
from itertools import groupby
from shlex import quote

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
    Flaw,
    GetBlockJobInfo,
    GetJobStats,
    Inspect,
    Save,
    Settle,
    Start,
)
from jobtck.conformance.capabilities import READ_ONLY_CLIENT
from jobtck.conformance.libvirt_errors import CODES, KINDS
from jobtck.conformance.outcomes import ErrorKind
from jobtck.conformance.record import Deviation, Record
from jobtck.reports.script_steps import Step, answer_of, convincing, steps_of
from jobtck.reports.script_texts import FLAKY_TRIES, backup_xml, copy_xml, header, heredoc, shell_text, templates
from jobtck.reports.texts import one_line


def virsh_script(record: Record, deviation: Deviation) -> str:
    """The text of the script."""
    steps = steps_of(deviation)
    *_, last = steps
    used = {answer_of(last.call)} | {_NEEDS[type(each.call)] for each in steps if type(each.call) in _NEEDS}
    return (
        templates()
        .get_template("virsh_script.sh.jinja")
        .render(
            header=header(record, deviation),
            used=used,
            tries=FLAKY_TRIES if deviation.is_flaky else 1,
            messages=_messages(),
            domains=sorted({each.call.domain for each in steps}),
            steps=[{"told": one_line(each.told), "lines": list(_lines(each, is_last=each is last))} for each in steps],
            breaking=list(map(one_line, deviation.breaking)),
            allowed=list(map(one_line, convincing(deviation))),
        )
    )


_NEEDS = {Settle: "settle", Inspect: "leftovers", CrashGuest: "crash"}


def _messages() -> list[tuple[str, list[str]]]:
    """How messages begin, by the kind of refusal that they tell."""
    told = sorted((str(KINDS.get(code, ErrorKind.OTHER)), beginning) for beginning, code in CODES.items())
    return [
        (kind, [beginning for _, beginning in group])
        for kind, group in groupby(told, key=lambda each: each[0])
        if kind != ErrorKind.OTHER
    ]


def _lines(step: Step, *, is_last: bool) -> Iterator[str]:
    """The lines of a step."""
    guest = f'"$guest{step.call.domain}"'
    yield from _prepared(step)
    match step.call:
        case Settle():
            yield "  " + " ".join(["settle", guest, *map(quote, step.held)])
        case CrashGuest():
            yield f"  crash {guest}"
        case Inspect():
            yield "  " + " ".join(["leftovers", guest, quote(" ".join(step.has_block_job)), *_looked_for(step)])
        case _:
            client = "-r " if step.call.client == READ_ONLY_CLIENT else ""
            expected = "call" if is_last else f"step {shell_text(step.expected)}"
            yield f"  {expected} {client}{_command(step, guest)}"
            if is_last and (reader := answer_of(step.call)) != "done":
                yield f"  {reader}"
    if isinstance(step.call, Save):
        yield f'  rm -f "$dir/{step.file}"'
    if is_last and isinstance(step.call, Settle | CrashGuest):
        yield "  answer='done'"


def _prepared(step: Step) -> Iterator[str]:
    """What a call needs before it is made: files."""
    match step.call:
        case BackupBegin():
            assert step.files is not None
            if step.files.planted:
                yield f'  touch "$dir/{step.files.planted}"'
            yield from (f'  cat >"$dir/{step.file}.xml" <<XML', heredoc(backup_xml(step)), "XML")
        case BlockCopy():
            if step.call.flaw is Flaw.TARGET_EXISTS:
                yield f'  echo "in the way" >"$dir/{step.file}"'
            yield from (f'  cat >"$dir/{step.file}.xml" <<XML', heredoc(copy_xml(step)), "XML")
        case _:
            return


def _looked_for(step: Step) -> list[str]:
    over, last = ([quote(f"{word}:{name}") for word, name in each] for each in (step.looked_for, step.if_over))
    return [*over, *(["--", *last] if last else [])]


def _command(step: Step, guest: str) -> str:
    """The words for virsh."""
    xml = f'"$dir/{step.file}.xml"'
    match step.call:
        case BackupBegin():
            return f"backup-begin {guest} {xml}"
        case BackupGetXmlDesc():
            return f"backup-dumpxml {guest}"
        case GetJobStats(completed=completed, keep=keep):
            more = (" --completed" if completed else "") + (" --keep-completed" if keep else "")
            return f"domjobinfo {guest} --rawstats --anystats{more}"
        case AbortJob():
            return f"domjobabort {guest}"
        case BlockCopy(disk=disk):
            return f"blockcopy {guest} {quote(disk)} --xml {xml} --bandwidth 1 --bytes --transient-job"
        case BlockPull(disk=disk):
            return f"blockpull {guest} {quote(disk)} --bandwidth 1 --bytes"
        case BlockCommit(disk=disk):
            images = f'"$dir"/{guest}-{quote(disk)}'
            places = f"--base {images}/low.qcow2 --top {images}/mid.qcow2"
            return f"blockcommit {guest} {quote(disk)} {places} --bandwidth 1 --bytes"
        case BlockJobAbort(disk=disk, pivot=pivot):
            return f"blockjob {guest} {quote(disk)} {'--pivot' if pivot else '--abort'}"
        case GetBlockJobInfo(disk=disk):
            return f"blockjob {guest} {quote(disk)} --raw --bytes"
        case BlockJobSetSpeed(disk=disk, bandwidth=bandwidth):
            return f"blockjob {guest} {quote(disk)} --bandwidth {bandwidth}"
        case Start():
            return f"start --paused {guest}"
        case Destroy():
            return f"destroy {guest}"
        case Save():
            return f'save {guest} "$dir/{step.file}"'
        case call:
            raise AssertionError(call)
