"""What was found of designs, as one page that needs nothing beside itself."""

from collections.abc import Iterator
from html import escape

from jobtck.conformance.exploration import Answer, DesignRecord, DesignsRecord, Finding, Observed
from jobtck.reports.design_tables import different, window_words
from jobtck.reports.sequence_diagram import STYLE as SEQUENCE_STYLE
from jobtck.reports.sequence_diagram import arrowheads, sequence_inline
from jobtck.reports.texts import one_line

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --rule: #d1d9e0; --paper: #fff; --bad: #cf222e;
  --good: #1a7f37; --warn: #9a6700; --tint: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #8d96a0; --rule: #3d444d; --paper: #0d1117;
  --bad: #ff7b72; --good: #3fb950; --warn: #d29922; --tint: #151b23; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .25rem .6rem; border-bottom: 1px solid
  var(--rule); text-align: left; vertical-align: top; } td.mark, th.mark { text-align: center; } thead th {
  position: sticky; top: 0; background: var(--paper); } .wide { overflow-x: auto; }
.present a, .present { color: var(--bad); font-weight: 600; } .absent { color: var(--good); } .impossible, .soft {
  color: var(--soft); } .not-proved { color: var(--warn); } details { border: 1px solid var(--rule); border-radius: 6px;
  margin: .5rem 0; padding: .4rem .8rem; } summary { cursor: pointer; } td details { border: 0; margin: 0; padding: 0;
  max-width: 24rem; } code { background: var(--tint); }
""".strip()
INTRODUCTION = """<p>A number says how many steps the shortest history has that shows the hazard: follow it to the
picture; a star says that it was observed on real libvirt. <b class=absent>no</b>: proved absent, all histories within
the bounds were looked at. <b class=impossible>-</b>: the design lacks what it takes. <b class=not-proved>?</b>: not
proved, a limit ended the search.</p>"""
SIGNS = {Answer.ABSENT: "no", Answer.IMPOSSIBLE: "-", Answer.NOT_PROVED: "?"}


def designs_html(record: DesignsRecord) -> str:
    """The page: the table, what workflows cost, how far was looked, and the witnesses as pictures."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Hazards by design</title><style>{STYLE}\n{SEQUENCE_STYLE}</style></head><body>",
        "<h1>Hazards by design</h1>",
        f"<p class=soft><code>{_text(record.command)}</code></p>",
        INTRODUCTION,
        *_hazards(record),
        "<h2>What workflows cost</h2><p>The fewest calls, and in brackets the round trips among them.</p>",
        *_costs(record),
        "<h2>How far was looked</h2>",
        *_extents(record),
        "<h2>Witnesses</h2>",
        arrowheads(),
        *(part for design in record.designs for part in _witnesses(design)),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _heads(record: DesignsRecord, first: str) -> str:
    names = "".join(f"<th class=mark>{_text(each.design.name)}</th>" for each in record.designs)
    return f"<div class=wide><table><thead><tr><th>{first}</th>{names}</tr></thead><tbody>"


def _hazards(record: DesignsRecord) -> Iterator[str]:
    yield _heads(record, "hazard")
    for place, hazard in enumerate(record.hazards):
        marks = "".join(_mark(design, design.findings[place]) for design in record.designs)
        told = f"{_text(hazard.text)}<br><span class=soft>{_text(hazard.source)}</span>"
        yield f"<tr><td><details><summary>{_text(hazard.id)}</summary>{told}</details></td>{marks}</tr>"
    yield "</tbody></table></div>"


def _mark(design: DesignRecord, finding: Finding) -> str:
    kind = str(finding.answer).replace(" ", "-")
    if finding.witness is None:
        return f'<td class="mark {kind}" title="{_text(finding.reason)}">{SIGNS[finding.answer]}</td>'
    seen = any(each.observed is Observed.YES and each.backend != "reference" for each in finding.witness.observations)
    sign = f"{len(finding.witness.lines)}{' ★' if seen else ''}"
    return f'<td class="mark present"><a href="#{_anchor(design, finding)}">{sign}</a></td>'


def _anchor(design: DesignRecord, finding: Finding) -> str:
    return escape(f"{design.design.name}--{finding.hazard.id}", quote=True)


def _costs(record: DesignsRecord) -> Iterator[str]:
    yield _heads(record, "workflow")
    for place, cost in enumerate(record.designs[0].costs if record.designs else ()):
        marks = ""
        for design in record.designs:
            each = design.costs[place]
            told = "cannot" if each.calls is None else f"{each.calls} ({each.round_trips})"
            marks += f'<td class=mark title="{_text("; ".join(each.way))}">{told}</td>'
        yield f"<tr><td>{_text(cost.workflow)}</td>{marks}</tr>"
    yield "</tbody></table></div>"


def _extents(record: DesignsRecord) -> Iterator[str]:
    titles = ("design", "clients", "jobs", "backups at once", "steps", "states", "transitions", "seconds")
    heads = "".join(f"<th>{title}</th>" for title in titles)
    yield f"<div class=wide><table><thead><tr>{heads}</tr></thead><tbody>"
    for design in record.designs:
        for each in different(design.extents):
            steps = f"{each.depth_reached} of {each.depth}: {_text(each.stopped)}" if each.stopped else str(each.depth)
            cells = (
                f"{_text(design.design.name)} {each.world}",
                each.clients,
                each.jobs,
                each.design.parallel,
                steps,
                f"{each.states:,}",
                f"{each.transitions:,}",
                f"{each.seconds:.1f}",
            )
            yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _witnesses(design: DesignRecord) -> Iterator[str]:
    yield f"<h3>{_text(design.design.name)}</h3><p class=soft>{_text(design.design.source)}</p>"
    for finding in design.findings:
        if finding.witness is None:
            continue
        title = f"{design.design.name}: {finding.hazard.text}"
        told = f"{_text(finding.hazard.text)} {window_words(finding.witness)}"
        yield f'<details id="{_anchor(design, finding)}"><summary><b>{_text(finding.hazard.id)}</b> {told}</summary>'
        yield sequence_inline(finding.witness, title)
        for each in finding.witness.observations:
            detail = f": {_text(each.detail)}" if each.detail else ""
            yield f"<p class=soft>{_text(each.backend)}: {each.observed}{detail}</p>"
        yield "</details>"


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
