"""Deviations as cards: what was demanded, what was answered, the picture, and how to see it for oneself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from jobtck.conformance.calls import Call
from jobtck.conformance.record import TraceLine, Verdict
from jobtck.conformance.wording import call_text
from jobtck.reports.blocks import Block, blocks
from jobtck.reports.columns import Column
from jobtck.reports.scripts import scripts_for
from jobtck.reports.sentences import evidence_lines, native_text, rate_text, replay_command, standing
from jobtck.reports.sequence_diagram import sequence_inline
from jobtck.reports.sequence_steps import STEPS_MAX, answered, deviation_picture, left_out
from jobtck.reports.texts import one_line

CARDS_MAX = 100  # in a page: each has a picture, and nobody reads more
SCRIPTS_MAX = 30  # of them have scripts, of which each takes tens of kilobytes
EVIDENCE_LINES_MAX = 60  # of each text that is kept of whoever was lost
GRAVITY = ("fails", "deviates", "known")


LANGUAGES = {"sh": "Shell script for virsh", "py": "Program for libvirt-python"}


@dataclass(frozen=True, slots=True)
class Card:
    """A deviation wherever it was seen, the newest result last; without calls where a result has none of them."""

    anchor: str
    block: Block
    seen: tuple[Column, ...]
    scripts: tuple[tuple[str, Markup], ...] = ()
    why_no_script: str = ""

    @property
    def newest(self) -> Column:
        """The last result that shows it."""
        return self.seen[-1]

    @property
    def ids(self) -> tuple[str, ...]:
        """The requirements broken."""
        return tuple(each.id for each in self.block.requirements)

    @property
    def word(self) -> str:
        """The gravest verdict on what it breaks, or that all of it is known."""
        if self.block.is_known:
            return str(Verdict.KNOWN)
        record = self.newest.record
        return min((standing(each, record) or "pass" for each in self.block.requirements), key=_gravity)

    @property
    def level(self) -> str:
        """MUST, if it breaks one."""
        return min(each.level for each in self.block.requirements)

    @property
    def text(self) -> str:
        """What is demanded first."""
        return self.block.requirements[0].text

    @property
    def offence(self) -> TraceLine | None:
        """The call whose answer deviates."""
        deviation = self.block.deviation
        return deviation.lines[-1] if deviation is not None and deviation.lines else None

    @property
    def offence_call(self) -> str:
        """That call as one line."""
        return "" if self.offence is None else call_text(self.offence.call)

    @property
    def answered(self) -> str:
        """What it answered, in words."""
        return "" if self.offence is None else answered(self.offence)

    @property
    def native(self) -> str:
        """The backend's own code and words."""
        return "" if self.offence is None else native_text(self.offence.code, self.offence.text)

    @property
    def picture(self) -> Markup:
        """The calls as a sequence diagram."""
        assert self.block.deviation is not None
        title = f"{', '.join(self.ids)} on {self.newest.release}"
        return Markup(sequence_inline(deviation_picture(self.block.deviation, title)))  # noqa: S704

    @property
    def left_out(self) -> str:
        """What the picture lacks."""
        return "" if self.block.deviation is None else left_out(self.block.deviation)

    @property
    def rate(self) -> str:
        """How often it happened when run again."""
        return "not run again" if self.block.deviation is None else rate_text(self.block.deviation)

    @property
    def calls(self) -> Markup:
        """The calls as text, to copy."""
        assert self.block.deviation is not None
        shown = self.block.deviation.lines[-STEPS_MAX:]
        return escape("\n".join(_line(line, is_last=line is shown[-1]) for line in shown))

    @property
    def evidence(self) -> Markup:
        """What is kept of whoever was lost in the last call; empty where nobody was."""
        deviation = self.block.deviation
        return Markup() if deviation is None else escape("\n".join(evidence_lines(deviation, EVIDENCE_LINES_MAX)))

    @property
    def command(self) -> Markup:
        """The command that plays the calls again, whole; empty where there is no trace."""
        deviation = self.block.deviation
        if deviation is None or not deviation.trace_file:
            return Markup()
        name = self.newest.name
        directory = "" if name.endswith(".json") else name
        return escape(" ".join(replay_command(deviation, self.newest.record.target, directory)))


def _gravity(word: str) -> int:
    """The smaller, the graver; a result of somebody else's may list a deviation and tell of a pass."""
    return GRAVITY.index(word) if word in GRAVITY else len(GRAVITY)


def _line(line: TraceLine, *, is_last: bool) -> str:
    native = native_text(line.code, line.text)
    told = f"{'>' if is_last else ' '} {one_line(call_text(line.call))}  ->  {answered(line)}"
    return told + (f"\n      {native}" if native else "")


def cards(shown: Sequence[Column]) -> tuple[Card, ...]:
    """Each deviation once for a backend and a design, the gravest first."""
    found: dict[tuple[object, ...], list[tuple[Column, Block]]] = {}
    for column in shown:
        for block in blocks(column.record):
            found.setdefault((column.judged, *_same(block)), []).append((column, block))
    made = [
        Card(f"d{number}", seen[-1][1], tuple(column for column, _ in seen))
        for number, seen in enumerate(found.values(), 1)
    ]
    gravest_first = sorted(made, key=lambda card: _gravity(card.word))
    return (*(_with_scripts(card) for card in gravest_first[:SCRIPTS_MAX]), *gravest_first[SCRIPTS_MAX:])


def _same(block: Block) -> tuple[object, ...]:
    """What two blocks have in common that are the same deviation in two releases."""
    calls: tuple[Call, ...] = ()
    answer = ""
    if block.deviation is not None and block.deviation.lines:
        calls = tuple(line.call for line in block.deviation.lines)
        answer = block.deviation.lines[-1].answer
    return tuple(each.id for each in block.requirements), calls, answer


def _with_scripts(card: Card) -> Card:
    if card.block.deviation is None:
        return card
    made = scripts_for(card.newest.record, card.block.deviation)
    texts = tuple((LANGUAGES[script.suffix], escape(script.text)) for script in made.scripts)
    return replace(card, scripts=texts, why_no_script=made.why_not)


def links(made: Iterable[Card]) -> dict[tuple[int, str], str]:
    """Where the page shows why a requirement got its verdict in a column."""
    found: dict[tuple[int, str], str] = {}
    for card in made:
        for column in card.seen:
            for requirement in card.block.requirements:
                found.setdefault((column.place, requirement.id), card.anchor)
    return found
