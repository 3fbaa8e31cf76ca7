"""Folding makes one deviation of one mistake: what only follows from a deviation is kept with it, not beside it."""

from collections.abc import Sequence
from dataclasses import replace

from jobtck.conformance.calls import QUERIES, Call
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.record import Deviation, TraceLine
from jobtck.conformance.requirement import Level

REFUSED = "refused"  # what the answers of all refusals begin with
SORT = ("mode", "flaw", "storage", "completed", "keep", "abort", "pivot", "types")  # no label, id, disk or client


def folded(deviations: Sequence[Deviation]) -> tuple[Deviation, ...]:
    """The deviations that are no consequence of another, each with all that follows from it, in the order given."""
    inner = [_folded_in_itself(each) for each in deviations]
    root_of = dict(enumerate(inner))
    for at, deviation in sorted(enumerate(inner), key=lambda pair: (_is_general(pair[1]), len(pair[1].lines))):
        roots = (root for other, root in enumerate(inner) if root_of[other] is root and other != at)
        root_of[at] = next((root for root in roots if follows_from(deviation, root)), deviation)
    return tuple(
        _with_followers(root, [inner[other] for other, of in root_of.items() if of is root and other != at])
        for at, root in enumerate(inner)
        if root_of[at] is root
    )


def follows_from(deviation: Deviation, root: Deviation) -> bool:
    """The calls hold those of the root, and one mistake explains both.

    Either the root breaks with the same answer what the deviation takes for granted; or both need, before the same
    last call, the same call of which nothing should have come. A mistake of its own needs calls of its own.
    """
    if _is_general(deviation) and _explains_all(root, deviation):
        return True
    if not _is_like(deviation.lines[-1], root.lines[-1]) or len(root.lines) >= len(deviation.lines):
        return False
    held = _held(root.lines[:-1], deviation.lines[:-1])
    if held is None:
        return False
    if deviation.symptoms and deviation.symptoms == root.symptoms:
        return True
    presumes = all(
        any(BY_ID[id].takes_for_granted(BY_ID[other]) for other in root.requirements) for id in deviation.requirements
    )
    return presumes or any(_should_do_nothing(line) for line in held)


def _is_general(deviation: Deviation) -> bool:
    return all(BY_ID[id].general for id in deviation.requirements)


def _explains_all(root: Deviation, general: Deviation) -> bool:
    """The same call breaks a MUST of its own: that it also answers in no way it may is the same mistake."""
    is_special = any(BY_ID[id].level is Level.MUST and not BY_ID[id].general for id in root.requirements)
    return is_special and type(root.lines[-1].call) is type(general.lines[-1].call)


def _with_followers(root: Deviation, followers: Sequence[Deviation]) -> Deviation:
    ids = dict.fromkeys(id for each in followers for id in (*each.requirements, *each.follows))
    follows = (*root.follows, *(id for id in ids if id not in (*root.requirements, *root.follows)))
    return root if follows == root.follows else replace(root, follows=follows)


def _folded_in_itself(deviation: Deviation) -> Deviation:
    """Of requirements that one answer breaks, those that take another for granted follow from it.

    A MUST stays beside a SHOULD: it fails the run.
    """
    follows = tuple(id for id in deviation.requirements if any(_explains(o, id) for o in deviation.requirements))
    if not follows:
        return deviation
    roots = tuple(id for id in deviation.requirements if id not in follows)
    return replace(deviation, requirements=roots, follows=(*deviation.follows, *follows))


def _explains(root: str, id: str) -> bool:
    as_binding = BY_ID[root].level is Level.MUST or BY_ID[id].level is Level.SHOULD
    return root != id and as_binding and BY_ID[id].takes_for_granted(BY_ID[root])


def _held(few: Sequence[TraceLine], many: Sequence[TraceLine]) -> list[TraceLine] | None:
    """The lines of *many* that are like those of *few*, in their order; None if some are missing."""
    found: list[TraceLine] = []
    rest = iter(many)
    for wanted in few:
        line = next((each for each in rest if _is_like(each, wanted)), None)
        if line is None:
            return None
        found.append(line)
    return found


def _is_like(line: TraceLine, other: TraceLine) -> bool:
    """The same call, whatever it is about, answered by a value as well, or refused alike."""
    refused = line.answer.startswith(REFUSED), other.answer.startswith(REFUSED)
    return _sort(line.call) == _sort(other.call) and (line.answer == other.answer or not any(refused))


def _sort(call: Call) -> tuple[object, ...]:
    return (type(call), *(getattr(call, name, None) for name in SORT))


def _should_do_nothing(line: TraceLine) -> bool:
    """Nothing should have come of the call: it only asks, or was refused."""
    return isinstance(line.call, QUERIES) or line.answer.startswith(REFUSED)
