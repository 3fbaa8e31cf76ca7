"""From witnesses and deviations to the steps of a picture."""

from collections.abc import Iterator, Mapping, Sequence

from jobtck.conformance.calls import BackupBegin, BlockJobBegin, Call, HandleOf, IdOf
from jobtck.conformance.capabilities import READ_ONLY_CLIENT
from jobtck.conformance.exploration import DesignsRecord, Line, Witness
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.wording import LETTERS, call_text
from jobtck.reports.sequence_diagram import Picture, Step, sequence_svg
from jobtck.reports.texts import LINE_MAX, counted, one_line

STEPS_MAX = 30  # drawn of one trace, its last: more than a screen shows nobody anything
TEXT_MAX = 180  # letters of a backend's own words in a picture; beside it stands more


def witness_picture(witness: Witness, title: str) -> Picture:
    """A shortest history that shows a hazard."""
    last = len(witness.lines) - 1
    return Picture(title, tuple(_witness_step(line, is_last=place == last) for place, line in enumerate(witness.lines)))


def witness_pictures(record: DesignsRecord) -> Iterator[tuple[str, str]]:
    """A name and a picture for each witness."""
    for design in record.designs:
        for finding in design.findings:
            if finding.witness is not None:
                title = f"{design.design.name}: {finding.hazard.text}"
                yield f"{design.design.name}-{finding.hazard.id}", sequence_svg(witness_picture(finding.witness, title))


def _witness_step(line: Line, *, is_last: bool) -> Step:
    astray = bool(line.meant and line.meant != line.hit)
    told = f" (meant {line.meant}{f', hit {line.hit}' if line.hit else ''})" if astray else ""
    return Step(
        text=line.text + told,
        actor="" if line.client is None else f"client {line.client + 1}",
        answer=(line.answer,) if line.answer else (),
        meant=line.meant,
        hit=line.hit,
        begins=line.begins,
        ends=tuple(line.ends),
        is_call=line.call is not None,
        is_offence=astray and bool(line.hit or is_last),
    )


def deviation_picture(deviation: Deviation, title: str) -> Picture:
    """The calls that show a deviation, the last of them the offending one."""
    lines = deviation.lines
    first = max(len(lines) - STEPS_MAX, 0)
    steps = tuple(_step(lines, place) for place in range(first, len(lines)))
    return Picture(title, steps, lines[first - 1].jobs if first else ())


def left_out(deviation: Deviation) -> str:
    """How many calls before those in the picture there are, in words; empty for none."""
    more = len(deviation.lines) - STEPS_MAX
    return f"{counted(more, 'call')} before these, in the trace file" if more > 0 else ""


def _step(lines: Sequence[TraceLine], place: int) -> Step:
    line = lines[place]
    before = lines[place - 1].jobs if place else ()
    is_last = place == len(lines) - 1
    native = one_line(": ".join(filter(None, [line.code, line.text])), TEXT_MAX)
    hit = _hit(lines, place, before)
    return Step(
        text=call_text(line.call),
        actor=_actor(line.call),
        answer=tuple(filter(None, [answered(line), native])),
        hit=hit,
        begins=_begun(line, before, is_last=is_last),
        ends=tuple(job for job in before if job not in line.jobs),
        is_offence=is_last,
    )


def answered(line: TraceLine) -> str:
    """The answer in words that need no explanation."""
    return "success" if line.answer == "value" else one_line(line.answer, LINE_MAX)


def _actor(call: Call) -> str:
    return "read-only" if call.client == READ_ONLY_CLIENT else f"client {call.client + 1}"


def _begun(line: TraceLine, before: Sequence[str], *, is_last: bool) -> str:
    """The job that the call begins; of the last call, after which nothing is known, by its answer."""
    if not isinstance(line.call, BackupBegin | BlockJobBegin):
        return ""
    job = LETTERS[line.call.label]
    there = job in line.jobs or (is_last and not line.answer.startswith(("refused", "unknown")))
    return job if there and job not in before else ""


def _hit(lines: Sequence[TraceLine], place: int, living: Sequence[str]) -> str:
    """The live job that the call names, or works on the disk of."""
    call = lines[place].call
    match getattr(call, "job", None):
        case IdOf(label) | HandleOf(label) if label < len(LETTERS):
            return LETTERS[label] if LETTERS[label] in living else ""
        case _:
            return _disks(lines[:place], living).get(getattr(call, "disk", ""), "")


def _disks(lines: Sequence[TraceLine], living: Sequence[str]) -> Mapping[str, str]:
    """Which live job works on a disk, by the calls that began it."""
    found: dict[str, str] = {}
    for line in lines:
        call = line.call
        if isinstance(call, BackupBegin | BlockJobBegin) and LETTERS[call.label] in living:
            disks = call.disks if isinstance(call, BackupBegin) else (call.disk,)
            found |= dict.fromkeys(disks, LETTERS[call.label])
    return found
