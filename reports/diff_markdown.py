"""A comparison as Markdown for a merge request: short enough for a comment, and nothing of a backend's is markup."""

from collections.abc import Iterator

from jobtck.conformance.comparison import Comparison, PairComparison, RequirementChange
from jobtck.conformance.wording import call_text
from jobtck.reports.diff_groups import CellGroup, groups, news, pair_title, replayed_text, standing_text
from jobtck.reports.diff_sentences import verdict_text
from jobtck.reports.texts import one_line

ROWS_MAX = 12  # of one table: a comment is read, a list is filed
CALLS_MAX = 8  # of one trace, its last
TEXT_MAX = 200  # characters of one text
COMMENT_MAX = 60_000  # characters; some servers refuse comments of more than 65,536
MARKUP = r"\`*_{}[]()#|~<>@:&$^!"  # also what mentions people, links, or begins a formula or a quick action


def diff_markdown(comparison: Comparison) -> str:
    """The text of the comment."""
    lines = [f"**jobtck: {escaped(verdict_text(comparison), COMMENT_MAX // 10)}**", ""]
    for pair in comparison.pairs:
        lines += _pair(pair)
    text = "\n".join(lines).rstrip() + "\n"
    if len(text) <= COMMENT_MAX:
        return text
    return text[:COMMENT_MAX].rpartition("\n\n")[0] + "\n\nMore is in the report: the comment ends here.\n"


def _pair(pair: PairComparison) -> Iterator[str]:
    requirements, cells = news(pair), groups(pair)
    if not requirements and not cells:
        return
    yield f"### {escaped(pair_title(pair))}"
    yield ""
    if requirements:
        yield "| requirement | became | |"
        yield "|---|---|---|"
        yield from (_requirement(each) for each in requirements[:ROWS_MAX])
        yield ""
        yield from _more(len(requirements), "requirements")
    for group in cells[:ROWS_MAX]:
        yield from _group(group)
    yield from _more(len(cells), "sorts of change")


def _more(count: int, what: str) -> Iterator[str]:
    if count > ROWS_MAX:
        yield f"{count - ROWS_MAX:,} {what} more are in the report."
        yield ""


def _requirement(change: RequirementChange) -> str:
    told = change.told
    words = f"{escaped(told.id)} ({escaped(told.level)})"
    return f"| {words} | **{change.change}** ({standing_text(change)}) | {escaped(told.text)} |"


def _group(group: CellGroup) -> Iterator[str]:
    cells = f" in {group.count:,} cells" if group.count > 1 else ""
    broken = f" (breaks {escaped(', '.join(group.broken))})" if group.broken else ""
    old, new = escaped(group.old), escaped(group.new)
    yield f"* **{group.change}** {escaped(group.call)}{cells}: {old} → **{new}**{broken}"
    where = f"{group.shown.cell.call} in the state: {group.shown.cell.state}"
    yield f"  first in {escaped(where)}"
    if group.shown.way:
        yield ""
        calls = [one_line(call_text(call), TEXT_MAX) for call in group.shown.way]
        yield from (f"      {call}" for call in calls[-CALLS_MAX:])
    if group.shown.replays is not None:
        yield ""
        yield f"  {escaped(replayed_text(group.shown))}"
    yield ""


def escaped(text: str, limit: int = TEXT_MAX) -> str:
    """The text on one line, with nothing in it that Markdown, HTML or a server reads as more than text."""
    told = "".join(f"&#{ord(each)};" if each in MARKUP else each for each in one_line(text, limit))
    return told.replace("www.", "www&#46;")
