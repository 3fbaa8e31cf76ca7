"""Whether a cell answers otherwise than before: not by chance, and not because a machine was busy."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import comb
from statistics import median

from jobtck.conformance.cells import Cell
from jobtck.conformance.outcomes import ErrorKind, Fate, Party, Waited
from jobtck.conformance.record import CellRecord

CHANCE_MAX = 1e-6  # that answers drawn from one urn fall apart so; a run has some thousand cells
SLOW_MIN = 3  # slow answers of a call before it is the call's: a busy machine makes one or two of any
SLOWER = 4.0  # times as slow, over what the machine itself was slower


class Answers:
    """What a cell answered in one result: of states that were sure, else of all."""

    def __init__(self, records: Sequence[CellRecord]) -> None:
        sure = [each for each in records if each.sure]
        self.is_sure = bool(sure)
        self.records = sure or list(records)
        self.told = frozenset(each.outcome for each in self.records)
        self.waited = frozenset(each.waited is not Waited.AT_ONCE for each in self.records)
        self.count = sum(each.count for each in self.records)
        self.seconds_max = max(each.seconds_max for each in self.records)


# How outcomes begin, as `told_words` has them, in which the backend does not deal with what it was asked.
NO_ANSWERS = (
    str(ErrorKind.TIMED_OUT),
    str(ErrorKind.INTERNAL),
    *(f"the {party} {fate}" for party in Party for fate in Fate),
)

Both = tuple[Cell, Answers, Answers]


def differ(cells: Sequence[Both]) -> Mapping[Cell, bool]:
    """The cells that answer otherwise, each with whether that is certain; it is not where answers vary anyway."""
    found = {cell: certain for cell, old, new in cells if (certain := _told_otherwise(old, new)) is not None}
    slower = machine_slower(cells)
    waits = [each for each in cells if each[0] not in found and _waits_otherwise(*each[1:], slower)]
    slow = Counter[str]()
    for cell, old, new in waits:
        slow[_verb(cell)] += (new if True in new.waited else old).count
    return found | {cell: slow[_verb(cell)] >= SLOW_MIN for cell, _, _ in waits}


def _verb(cell: Cell) -> str:
    return cell.call.partition("(")[0]


def _told_otherwise(old: Answers, new: Answers) -> bool | None:
    """Whether it is certain that something else is told; None where nothing says so."""
    if old.told == new.told:
        return None
    is_apart = not old.told & new.told
    if old.is_sure and new.is_sure:
        return is_apart
    likely = old.is_sure is not new.is_sure or 1 / comb(old.count + new.count, old.count) > CHANCE_MAX
    return True if is_apart and not likely else None


def _waits_otherwise(old: Answers, new: Answers, slower: float) -> bool:
    if old.told != new.told or old.waited & new.waited:
        return False
    if True in new.waited:
        return new.seconds_max >= SLOWER * max(1.0, slower) * old.seconds_max
    return old.seconds_max >= SLOWER * max(1.0, 1 / slower) * new.seconds_max


def is_worse_answer(old: Answers, new: Answers) -> bool:
    """What was answered, be it with a caller's error, is a time-out, an internal error or a loss now, every time.

    Where something else was in the way before, a time-out is as good.
    """
    dealt_with = not any(each.startswith((*NO_ANSWERS, ErrorKind.BUSY)) for each in old.told)
    return dealt_with and all(each.startswith(NO_ANSWERS) for each in new.told)


def machine_slower(cells: Iterable[Both]) -> float:
    """How many times as long the new answers took, by and large: what the machine makes of it, and not the backend."""
    ratios = [new.seconds_max / old.seconds_max for _, old, new in cells if old.seconds_max and new.seconds_max]
    return median(ratios) if ratios else 1.0
