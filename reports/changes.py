"""What changed between two results in a row, as a page tells it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jobtck.conformance.comparison import Change, Comparison, PairComparison, RequirementChange
from jobtck.conformance.record import RequirementRecord
from jobtck.conformance.wording import call_text
from jobtck.reports.columns import Column
from jobtck.reports.diff_groups import CellGroup, answers_text, groups
from jobtck.reports.state_views import Place

OTHERWISE = (Change.REGRESSED, Change.FIXED, Change.CHANGED, Change.FLAKY, Change.NOT_SEEN)  # judged in both results


class Turn(NamedTuple):
    """A requirement that is judged otherwise, with both verdicts in words."""

    change: Change
    requirement: RequirementRecord
    older: str
    newer: str


class CellTurn(NamedTuple):
    """Cells that answer otherwise in the same way, and the fewest calls that show one of them, where they are known."""

    group: CellGroup
    calls: Sequence[str]


class Succession(NamedTuple):
    """A backend and a design in two results in a row, and what is not as it was."""

    older: Column
    newer: Column
    pair: PairComparison

    def turns(self, *changes: Change) -> tuple[Turn, ...]:
        """The requirements that changed so."""
        return tuple(self._turn(each) for each in self.pair.requirements if each.change in changes)

    def _turn(self, found: RequirementChange) -> Turn:
        told = found.told
        return Turn(found.change, told, self.older.standing(told.id), self.newer.standing(told.id))

    @property
    def cells(self) -> tuple[CellTurn, ...]:
        """The cells that answer otherwise, the gravest first."""
        return tuple(CellTurn(each, tuple(map(call_text, each.shown.way))) for each in groups(self.pair))

    @property
    def cells_otherwise(self) -> int:
        """How many cells answer otherwise."""
        return sum(each.is_news for each in self.pair.cells)

    @property
    def cells_worse(self) -> int:
        """How many cells break what they kept before."""
        return sum(each.change is Change.REGRESSED for each in self.pair.cells)

    @property
    def cells_alone(self) -> int:
        """How many cells only one of the results visited."""
        return sum(not each.is_news for each in self.pair.cells)

    @property
    def changed_places(self) -> Mapping[Place, str]:
        """The cells that answer otherwise, with what they answered before."""
        return {(each.cell.state, each.cell.call): answers_text(each.old) for each in self.pair.cells if each.is_news}


def successions(comparisons: Sequence[Comparison], shown: Sequence[Column]) -> tuple[Succession, ...]:
    """Each result compared with the one before it, the newest first."""
    found = [each for older, comparison in enumerate(comparisons) for each in _between(comparison, shown, older)]
    return tuple(sorted(found, key=lambda each: -each.newer.result))


def _between(comparison: Comparison, shown: Sequence[Column], older: int) -> Iterator[Succession]:
    column_of = {(column.result, id(column.record)): column for column in shown if column.result in (older, older + 1)}
    for pair in comparison.pairs:
        if pair.old is not None and pair.new is not None:
            yield Succession(column_of[older, id(pair.old)], column_of[older + 1, id(pair.new)], pair)
