"""Results as Markdown, for a comment on a merge request: what came of it, and each deviation to unfold.

Whatever a result says stands in code: there no server finds a mention, a link, a reference or HTML.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from jobtck.conformance.record import Deviation, NamedRun, Record, RequirementRecord, Verdict, gravest
from jobtck.conformance.wording import call_text
from jobtck.reports.blocks import Block, blocks
from jobtck.reports.sentences import (
    breaks_run,
    evidence_lines,
    known_text,
    native_text,
    only_deviates,
    power_text,
    rate_text,
    target_text,
)
from jobtck.reports.texts import counted, one_line

CUT = "and {:,} parts more, which do not fit into a comment: see the result"
MARKDOWN_MAX = 60_000  # characters: GitHub refuses a comment of more than 65,536, GitLab one of more than a million
IDS_MAX = 40  # told in one list: more is read in the result
EVIDENCE_LINES_MAX = 20  # of each text that is kept of whoever was lost
LINES_MAX = 30  # calls of one deviation, its last: a screen
TEXT_MAX = 300  # characters of one text: three lines of a comment
ID_MAX = 40  # characters of an id; the longest has ten
BACKTICKS = re.compile("`+")


def markdown(results: Sequence[NamedRun]) -> str:
    """The text; what would make it too long for a comment is left out, and that is said."""
    verdict = gravest([result.run.verdict for result in results])
    text = f"### jobtck: {verdict}\n"
    parts = [*_outlines(results), *_foldings(results)]
    for number, part in enumerate(parts):
        if len(text) + len(part) + 1 > MARKDOWN_MAX - len(CUT):
            return f"{text}\n{CUT.format(len(parts) - number)}\n"
        text += f"\n{part}"
    return text


def _outlines(results: Sequence[NamedRun]) -> Iterator[str]:
    """What came of each record."""
    for result in results:
        if result.run.error or not result.run.records:
            yield f"{_title(result, results, 'the run')}: {code(result.run.error or 'nothing was judged')}\n"
        for record in result.run.records:
            title = _title(result, results, target_text(record.target))
            yield "\n".join([f"{title}: {record.verdict}\n", *_lists(record)])


def _foldings(results: Sequence[NamedRun]) -> Iterator[str]:
    """The deviations of all records."""
    records = [record for result in results for record in result.run.records]
    for record in records:
        for block in blocks(record):
            yield _details(record, block, is_one_of_many=len(records) > 1)


def _title(result: NamedRun, results: Sequence[NamedRun], what: str) -> str:
    name = f" ({code(result.name)})" if len(results) > 1 else ""
    return f"{code(what)}{name}"


def code(text: str, limit: int = TEXT_MAX) -> str:
    """The text as a span of code, on one line."""
    plain = one_line(text, limit)
    fence = _fence(plain, 1)
    # Two blanks are taken away again: a backtick at an end would else belong to the fence.
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _fence(text: str, least: int) -> str:
    return "`" * max([least, *(len(run) + 1 for run in BACKTICKS.findall(text))])


def _lists(record: Record) -> Iterator[str]:
    requirements = record.requirements
    yield from _listed("failed", [each.id for each in requirements if breaks_run(each, record)])
    yield from _listed("not exercised", [each.id for each in requirements if each.is_missed])
    yield from _listed("listed as known, and did not happen", [each.requirement for each in record.stale_known])
    yield from _listed("declared, and not there", list(record.unkept_calls))
    yield from _listed("never succeeded", list(record.never_succeeded))
    yield from _listed("known deviations", [each.id for each in requirements if each.verdict is Verdict.KNOWN])
    yield from _listed("deviates from a SHOULD", [each.id for each in requirements if only_deviates(each, record)])
    counts = [f"{sum(each.verdict is verdict for each in requirements)} {verdict}" for verdict in Verdict]
    if record.power is not None:
        yield f"- {power_text(record.power)}"
    yield f"- of {counted(len(requirements), 'requirement')}: {', '.join(counts)}\n"


def _listed(what: str, ids: Sequence[str]) -> Iterator[str]:
    if not ids:
        return
    unique = list(dict.fromkeys(ids))
    more = f" and {len(unique) - IDS_MAX} more" if len(unique) > IDS_MAX else ""
    yield f"- {what}: {', '.join(code(id, ID_MAX) for id in unique[:IDS_MAX])}{more}"


def _details(record: Record, block: Block, *, is_one_of_many: bool) -> str:
    """A deviation to be unfolded: what is demanded, and the calls that show it."""
    ids = _html(", ".join(each.id for each in block.requirements))
    where = f", {_html(target_text(record.target))}" if is_one_of_many else ""
    how = "known" if block.is_known else "deviates"
    rate = f", {rate_text(block.deviation)}" if block.deviation else ""
    lines = [f"<details><summary>{ids} {how}{rate}{where}</summary>", ""]
    for requirement in block.requirements:
        excuses = [f"known: {code(known_text(each))}" for each in block.excuses_of(requirement)]
        lines += [*_demand(requirement), *excuses, ""]
    if block.deviation is not None:
        lines += [*_calls(block.deviation), ""]
    return "\n".join([*lines, "</details>", ""])


def _html(text: str) -> str:
    return f"<code>{escape(one_line(text, TEXT_MAX))}</code>"


def _demand(requirement: RequirementRecord) -> Iterator[str]:
    yield f"{code(requirement.id)} {'demands' if requirement.level == 'MUST' else 'wants'}: {code(requirement.text)}"
    if requirement.source:
        yield f"source: {code(requirement.source)}"


def _calls(deviation: Deviation) -> Iterator[str]:
    shown = deviation.lines[-LINES_MAX:]
    lines = ["  ..."] if len(shown) < len(deviation.lines) else []
    for place, line in enumerate(shown, 1):
        mark = ">" if place == len(shown) else " "
        lines.append(f"{mark} {one_line(call_text(line.call), TEXT_MAX)} -> {one_line(line.answer, TEXT_MAX)}")
        if native := native_text(line.code, line.text, TEXT_MAX):
            lines.append(f"      {native}")
    lines += evidence_lines(deviation, EVIDENCE_LINES_MAX)
    fence = _fence("\n".join(lines), 3)
    yield from (f"{fence}text", *lines, fence)
