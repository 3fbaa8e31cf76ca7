"""The states of a design with what was seen of their cells: visited, deviating, changed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobtck.conformance.outcomes import Waited
from jobtck.conformance.record import CellRecord
from jobtck.reports.texts import counted

Place = tuple[str, str]  # a cell: a state and a call, in words

STATES_MAX = 200  # drawn: the largest preset has 129
SIGNS: Mapping[str, str] = {"deviating": "✗", "changed": "≠"}
STYLE_WORDS: Mapping[str, str] = {
    "deviating": "deviate",
    "changed": "changed",
    "covered": "visited",
    "open": "not visited",
}
LINES_MAX = 400  # told of one state's calls: the largest has some 150


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls that lead from one state to another."""

    start: str
    end: str
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DesignChart:
    """What the model says of a design: where calls lead, and every cell that can be reached."""

    edges: tuple[Edge, ...] = ()
    cells: frozenset[Place] = frozenset()


class Told(NamedTuple):
    """A call in a state with what it answered; `style` is of the gravest that was seen."""

    call: str
    answers: str
    style: str
    word: str


@dataclass(slots=True)
class StateView:
    """A state without what few calls ask for: the jobs that live."""

    words: str
    number: int = 0
    records: list[CellRecord] = field(default_factory=list)
    reachable: set[Place] = field(default_factory=set)
    changed: set[Place] = field(default_factory=set)
    calls: Sequence[Told] = ()
    ways: Sequence[str] = ()
    calls_more: int = 0

    @property
    def visited(self) -> set[Place]:
        """The cells that were visited."""
        return {(each.state, each.call) for each in self.records}

    @property
    def style(self) -> str:
        """The gravest that was seen of its cells."""
        return next((style for style, count in self.shares.items() if count), "open") if self.visited else "open"

    @property
    def shares(self) -> Mapping[str, int]:
        """How many of its cells deviate, changed, were visited besides, and were not."""
        deviating = {(each.state, each.call) for each in self.records if each.broken}
        visited, changed = self.visited, self.changed - deviating
        return {
            "deviating": len(deviating),
            "changed": len(changed),
            "covered": len(visited - deviating - changed),
            "open": len(self.reachable - visited),
        }

    @property
    def count_text(self) -> str:
        """How many of its cells were visited, and how many of these are news."""
        shares = self.shares
        news = [f"{count} {STYLE_WORDS[style]}" for style in SIGNS if (count := shares[style])]
        return ", ".join([f"{len(self.visited)} of {counted(len(self.visited | self.reachable), 'cell')}", *news])

    @property
    def short_text(self) -> str:
        """The same in signs."""
        shares = self.shares
        news = [f"{SIGNS[style]} {count}" for style in SIGNS if (count := shares[style])]
        return "  ".join([f"{len(self.visited)} of {len(self.visited | self.reachable)}", *news])

    @property
    def jobs(self) -> int:
        """How many jobs live in it; -1 where the guest does not run."""
        if self.words == "not running":
            return -1
        return 0 if self.words == "no job" else self.words.count(" + ") + 1


def base(state: str) -> str:
    """The jobs that live in the state of a cell, without what few calls ask for besides."""
    return state.partition(", ")[0]


def states(cells: Iterable[CellRecord], chart: DesignChart, changed: Mapping[Place, str]) -> tuple[StateView, ...]:
    """The states of a design, emptiest first, each with its cells."""
    records = sorted(cells, key=lambda each: (each.call, each.state, each.outcome, each.waited))
    words = {base(each.state) for each in records} | {base(state) for state, _ in (*chart.cells, *changed)}
    words |= {state for edge in chart.edges for state in (edge.start, edge.end)}
    found = {each: StateView(each) for each in words}
    for each in records:
        found[base(each.state)].records.append(each)
    for place in chart.cells:
        found[base(place[0])].reachable.add(place)
    for place in changed:
        found[base(place[0])].changed.add(place)
    drawn = sorted(found.values(), key=lambda view: (view.jobs, view.words))[:STATES_MAX]
    for number, view in enumerate(drawn):
        view.number = number
        told = list(_told(view, changed))
        view.calls, view.calls_more = told[:LINES_MAX], max(len(told) - LINES_MAX, 0)
        view.ways = [f"{edge.end}: {', '.join(edge.calls)}" for edge in chart.edges if edge.start == view.words]
    return tuple(drawn)


def _told(view: StateView, changed: Mapping[Place, str]) -> Iterator[Told]:
    """The calls of a state: what deviates first, then what changed, what answered, and what was not tried."""
    by_call: defaultdict[str, list[CellRecord]] = defaultdict(list)
    for each in view.records:
        by_call[each.call].append(each)
    grades = {call: min(_grade(each, changed) for each in found) for call, found in by_call.items()}
    for call, (_, style, word) in sorted(grades.items(), key=lambda item: (item[1][0], item[0])):
        yield Told(call, "; ".join(answers(by_call[call])), style, word)
    untried = {call for _, call in view.reachable} - by_call.keys()
    if untried:
        yield Told(f"{counted(len(untried), 'call')} not tried", ", ".join(sorted(untried)), "open", "")


def _grade(record: CellRecord, changed: Mapping[Place, str]) -> tuple[int, str, str]:
    """How grave it is, the style of that, and the words."""
    place = (record.state, record.call)
    if record.broken:
        return 0, "deviating", f"deviates from {', '.join(record.broken)}:"
    if place in changed:
        return 1, "changed", f"changed, was {changed[place]}; now"
    return 2, "covered", ""


def answer(record: CellRecord) -> str:
    """What was answered, and how long that took where it took long."""
    return record.outcome + ("" if record.waited is Waited.AT_ONCE else f" ({record.waited})")


def answers(records: Iterable[CellRecord]) -> Iterator[str]:
    """Each answer to a call, in what of a state few calls ask for, and how often it was given."""
    found: dict[str, int] = {}
    for each in records:
        asked = each.state.partition(", ")[2]
        told = answer(each) + (f" [{asked}]" if asked else "")
        found[told] = found.get(told, 0) + each.count
    return (told + (f" ({count:,} times)" if count > 1 else "") for told, count in found.items())
