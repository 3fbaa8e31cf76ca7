"""What a client remembers of jobs: by which reference it means which, and whence it knows that."""

from typing import NamedTuple

from jobtck.conformance.histories import By, Learnt

NOWHERE = -1  # what a freed handle stands for, and one of a backup that is not there
NOWHERE_ELSE = -2  # what a handle stands for of a block job that is not there


class Item(NamedTuple):
    """A reference, the job that is meant by it, and how the client came to mean it.

    `value` is an id's number, what a handle stands for, or a disk; `space` is where an id's number counts.
    """

    by: By
    value: int
    meant: int
    learnt: Learnt
    space: int = 0


Memory = tuple[Item, ...]
OF_IDS = (By.ID, By.NAME)
OF_HANDLES = (By.HANDLE, By.FREED)


def learn(memory: Memory, *items: Item) -> Memory:
    """The memory with these items; one that says the same of a job as before changes nothing."""
    known = {_key(item): item for item in memory}
    for item in items:
        before = known.get(_key(item))
        if before is None or before.meant != item.meant:
            known[_key(item)] = item
    return tuple(sorted(known.values()))


def _key(item: Item) -> tuple[object, ...]:
    """What two items cannot both say something of."""
    match item.by:
        case By.HANDLE:
            return item.by, item.value, item.meant
        case By.FREED:  # one is as dead as another
            return (item.by,)
        case _:
            return item.by, item.value, item.space


def freed(memory: Memory, item: Item) -> Memory:
    """The memory of a client that gave that handle back."""
    without = tuple(other for other in memory if other != item)
    return learn(without, item._replace(by=By.FREED, value=NOWHERE))


def asked_without(memory: Memory) -> Memory:
    """What decides which moments the calls without an id are: what is meant by them, and whether a handle is held."""
    handles = [each for each in memory if each.by is By.HANDLE]
    return (*(each for each in memory if each.by in (By.ZERO, By.LEGACY, By.DISK)), *handles[:1])


def told_over(memory: Memory, item: Item) -> Memory:
    """The memory of a client that was told that the job it means is over; handles stay until they are freed."""
    return tuple(each for each in memory if each.meant != item.meant or each.by in OF_HANDLES)


def written_down(memory: Memory) -> Memory:
    """What is left when the process ends: not its handles."""
    return tuple(each for each in memory if each.by not in OF_HANDLES)


def chosen_before(memory: Memory) -> Memory:
    """What a client knew before the call was answered: the names that it chose itself."""
    return tuple(each for each in memory if each.by is By.NAME and each.learnt is Learnt.BEGAN)
