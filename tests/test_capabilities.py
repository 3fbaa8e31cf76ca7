"""A right backend can be conforming, whatever it declares: what cannot be tried is unsupported, all else is tried."""

import math
import threading
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from jobtck.conformance.calls import BAD_STORAGES, BEGINS, Flaw, call_name
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.design import Design, presets
from jobtck.conformance.outcomes import Refusal
from jobtck.conformance.record import Record, RunVerdict, Verdict
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import DISKS, Guest
from jobtck.fixtures.reference_refusals import TOO_MANY_BACKUPS
from jobtck.hunt import Hunt, Plan
from jobtck.verdicts import record_of

EXAMPLES = 5  # each is a whole tour; a hundred and more were run when this was written
DESIGNS = tuple(design for design in presets().values() if design.name != "recycled-ids")  # whose stale ids do harm
SMALL = tuple(design for design in DESIGNS if design.name in ("default-job", "zero-id", "listed-ids"))


def limited(parallel: int) -> type[Reference]:
    """The reference with so many backups at once."""

    class Limited(Reference):
        """Runs no more backups at once than it declares."""

        def check_parallel(self, guest: Guest) -> Refusal | None:
            return TOO_MANY_BACKUPS if len(guest.backups) >= parallel else super().check_parallel(guest)

    return Limited


@st.composite
def targets(draw: st.DrawFn, designs: tuple[Design, ...]) -> ReferenceTarget:
    """The reference, declaring no more than was drawn."""
    design = draw(st.sampled_from(designs))
    parallel = draw(st.integers(1, max(1, min(3, design.parallel))))
    target = ReferenceTarget(design, limited(parallel))
    told = target.capabilities
    some = draw(st.frozensets(st.sampled_from(sorted(told.calls)), max_size=6))
    calls = told.calls - some if draw(st.booleans()) else some | {call_name(draw(st.sampled_from(BEGINS)))}
    target.capabilities = replace(
        told,
        calls=calls & told.calls,
        features=frozenset(draw(st.sets(st.sampled_from(sorted(Feature))))),
        disks=DISKS[: draw(st.integers(1, len(DISKS)))],
        disks_per_backup=draw(st.sampled_from([None, 1])),
        parallel_backups=parallel,
        flaws=frozenset(draw(st.sets(st.sampled_from([flaw for flaw in Flaw if flaw])))),
        storages=frozenset(draw(st.sets(st.sampled_from(BAD_STORAGES)))),
    )
    return target


def toured(target: ReferenceTarget) -> tuple[Hunt, Record]:
    """A tour of all cells, and its record."""
    hunt = Hunt(target, Plan(math.inf, 1), threading.Event())
    hunt.go_on_tour(lambda *_: None, math.inf)
    hunt.confirm_all()
    hunt.close()
    return hunt, record_of(hunt, (), "jobtck run", strict=False)


def words(target: ReferenceTarget) -> Mapping[str, object]:
    """What the target lacks."""
    told, whole = target.capabilities, ReferenceTarget(target.design).capabilities
    return {
        "design": target.design.name,
        "calls": sorted(told.calls) if len(told.calls) < 8 else sorted(whole.calls - told.calls),
        "features": sorted(whole.features - told.features),
        "disks": (told.disks, told.disks_per_backup, told.parallel_backups),
        "flaws": sorted(told.flaws),
    }


def check(target: ReferenceTarget) -> None:
    hunt, record = toured(target)
    assert hunt.findings.deviations == [], words(target)
    assert hunt.tour.is_through, words(target)
    missed = [each.id for each in record.requirements if each.verdict is Verdict.NOT_EXERCISED]
    assert missed == [], words(target)
    assert (record.unkept_calls, record.never_succeeded) == ((), ()), words(target)
    judged = any(each.verdict is Verdict.PASS and each.level == "MUST" for each in record.requirements)
    assert record.verdict is (RunVerdict.CONFORMING if judged else RunVerdict.INCOMPLETE), words(target)


@settings(max_examples=EXAMPLES, deadline=None)
@given(target=targets(SMALL))
def test_the_reference_conforms_whatever_it_declares(target: ReferenceTarget) -> None:
    check(target)
