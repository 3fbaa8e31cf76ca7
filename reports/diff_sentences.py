"""What a comparison comes to, in one sentence; all reports of it say the same."""

from collections.abc import Iterator, Mapping

from jobtck.conformance.comparison import Change, Comparison
from jobtck.reports.texts import counted, one_line

TOLD = (Change.REGRESSED, Change.CHANGED, Change.FLAKY, Change.FIXED, Change.NOT_SEEN)


def verdict_text(comparison: Comparison) -> str:
    """Whether anything is worse, with what stands behind it."""
    first = "worse than before" if comparison.is_worse else "nothing is worse"
    if not comparison.is_worse and not comparison.is_whole:
        first = "cannot be compared whole"
    return ": ".join(filter(None, [first, "; ".join([*counts_text(comparison), *gaps(comparison)])]))


def counts_text(comparison: Comparison) -> Iterator[str]:
    """`2 requirements and 14 cells regressed`, for each class that has any."""
    requirements = _count(each.change for pair in comparison.pairs for each in pair.requirements)
    cells = _count(each.change for pair in comparison.pairs for each in pair.cells)
    for change in TOLD:
        told = [
            counted(many.get(change, 0), noun)
            for many, noun in ((requirements, "requirement"), (cells, "cell"))
            if many.get(change)
        ]
        if told:
            yield f"{' and '.join(told)} {change}"
    for change in (Change.NEW, Change.GONE):
        many = requirements.get(change, 0)
        if many:
            yield f"{counted(many, 'requirement')} {change}"


def _count(changes: Iterator[Change]) -> Mapping[Change, int]:
    many: dict[Change, int] = {}
    for each in changes:
        many[each] = many.get(each, 0) + 1
    return many


def gaps(comparison: Comparison) -> Iterator[str]:
    """What keeps the comparison from being whole."""
    if comparison.error:
        yield f"the new run ended early: {one_line(comparison.error)}"
    if not any(pair.old and pair.new for pair in comparison.pairs):
        yield "the two results have no design in common"
    whys: dict[str, list[str]] = {}
    for pair in comparison.pairs:
        for each in pair.gaps:
            whys.setdefault(each.why, []).append(each.what)
    for why, what in whys.items():
        yield f"judged before and not now: {one_line(', '.join(dict.fromkeys(what)))} ({one_line(why)})"
