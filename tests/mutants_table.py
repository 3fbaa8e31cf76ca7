"""What a table of mutants has in a row."""

from typing import NamedTuple

from jobtck.conformance.design import Design, Handle, Namespace, Reuse, Zero, presets
from jobtck.fixtures.reference import Reference

DEFAULT_JOB = presets()["default-job"]
ZERO_ID = presets()["zero-id"]
LISTED_IDS = presets()["listed-ids"]
PARALLEL_IDS = presets()["parallel-ids"]
OPAQUE_HANDLES = presets()["opaque-handles"]
QEMU_JOBS = presets()["qemu-jobs"]


def user_made(name: str, *, parallel: int, listing: bool) -> Design:
    """A design of a user's own: ids as in zero-id, several backups at once."""
    return Design(
        name=name,
        handle=Handle.INTEGER,
        zero=Zero.CURRENT,
        parallel=parallel,
        listing=listing,
        default_job=False,
        block_ids=False,
        namespace=Namespace.SHARED,
        reuse=Reuse.NEVER,
        source="tests",
    )


TWO_AT_ONCE = user_made("two-at-once", parallel=2, listing=True)
UNLISTED = user_made("unlisted", parallel=3, listing=False)


class Mutant(NamedTuple):
    """A flawed reference, where it matters, what it alone breaks, and in how few calls.

    `calls_more` are made after the last new sort of deviation: what innocents would be named by, and what is shorter.
    """

    make: type[Reference]
    design: Design
    requirement: str
    calls: int
    calls_more: int = 1_000

    @property
    def name(self) -> str:
        """What the mutant does wrong, where."""
        return f"{self.requirement}-{self.make.__name__}-{self.design.name}"
