"""What was found of designs, as one page that needs nothing beside itself."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from jobtck.conformance.design import Design
from jobtck.conformance.exploration import Answer, Cost, DesignRecord, DesignsRecord, Finding, Observed
from jobtck.conformance.hazards import Hazard
from jobtck.reports.design_tables import different, window_words
from jobtck.reports.pages import page
from jobtck.reports.sequence_diagram import sequence_inline
from jobtck.reports.sequence_steps import witness_picture

EXTENT_TITLES = ("design", "clients", "jobs", "backups at once", "steps", "states", "transitions", "seconds")


class Mark(NamedTuple):
    """A sign in the table of hazards; `style` says what it means, `reason` says more."""

    sign: str
    style: str
    reason: str = ""
    link: str = ""


SIGNS = {Answer.ABSENT: Mark("no", "good"), Answer.IMPOSSIBLE: Mark("-", "soft"), Answer.NOT_PROVED: Mark("?", "warn")}


class HazardRow(NamedTuple):
    """A hazard with what was found of it in each design."""

    hazard: Hazard
    marks: Sequence[Mark]


class CostRow(NamedTuple):
    """A workflow with what it costs in each design."""

    workflow: str
    costs: Sequence[Cost]


class Shown(NamedTuple):
    """A witness as the page shows it."""

    anchor: str
    finding: Finding
    window: str
    picture: Markup


class Witnesses(NamedTuple):
    """The witnesses of one design."""

    design: Design
    witnesses: Sequence[Shown]


def designs_html(record: DesignsRecord) -> str:
    """The page: the table, what workflows cost, how far was looked, and the witnesses as pictures."""
    costs = record.designs[0].costs if record.designs else ()
    return page(
        "designs.html.jinja",
        {
            "command": record.command,
            "designs": record.designs,
            "hazards": [
                HazardRow(hazard, [_mark(design, design.findings[place]) for design in record.designs])
                for place, hazard in enumerate(record.hazards)
            ],
            "costs": [
                CostRow(cost.workflow, [design.costs[place] for design in record.designs])
                for place, cost in enumerate(costs)
            ],
            "extent_titles": EXTENT_TITLES,
            "extents": list(_extents(record)),
            "witnesses": [Witnesses(design.design, list(_witnesses(design))) for design in record.designs],
        },
    )


def _mark(design: DesignRecord, finding: Finding) -> Mark:
    if finding.witness is None:
        return SIGNS[finding.answer]._replace(reason=finding.reason)
    seen = any(each.observed is Observed.YES and each.backend != "reference" for each in finding.witness.observations)
    sign = f"{len(finding.witness.lines)}{' ★' if seen else ''}"
    return Mark(sign, "bad", link=_anchor(design, finding))


def _anchor(design: DesignRecord, finding: Finding) -> str:
    return f"{design.design.name}--{finding.hazard.id}"


def _extents(record: DesignsRecord) -> Iterator[Sequence[str]]:
    for design in record.designs:
        for each in different(design.extents):
            steps = f"{each.depth_reached} of {each.depth}: {each.stopped}" if each.stopped else str(each.depth)
            yield (
                f"{design.design.name} {each.world}",
                str(each.clients),
                str(each.jobs),
                str(each.design.parallel),
                steps,
                f"{each.states:,}",
                f"{each.transitions:,}",
                f"{each.seconds:.1f}",
            )


def _witnesses(design: DesignRecord) -> Iterator[Shown]:
    for finding in design.findings:
        if finding.witness is not None:
            picture = sequence_inline(witness_picture(finding.witness, f"{design.design.name}: {finding.hazard.text}"))
            yield Shown(_anchor(design, finding), finding, window_words(finding.witness), Markup(picture))  # noqa: S704
