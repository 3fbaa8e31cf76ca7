"""A witness as a picture: a line for each client and each job, an arrow for each call to the job that it reached."""

from collections.abc import Iterator, Sequence
from html import escape

from jobtck.conformance.exploration import DesignsRecord, Line, Witness
from jobtck.reports.texts import one_line

ROW, TOP, BOTTOM = 30, 34, 12  # of a step, above the first, below the last
CLIENT_WIDTH, TEXT_WIDTH, JOB_WIDTH, MARGIN = 74, 330, 46, 8
LETTER_WIDTH = 6.7  # of the text's monospaced letters

STYLE = """
.sequence { --ink: #1b1f24; --soft: #6e7781; --line: #afb8c1; --job: #0969da; --bad: #cf222e; --paper: #ffffff;
  font: 12px ui-monospace, "DejaVu Sans Mono", monospace; background: var(--paper); max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) {
  .sequence { --ink: #e6edf3; --soft: #8d96a0; --line: #444c56; --job: #58a6ff; --bad: #ff7b72; --paper: #0d1117; } }
.sequence text { fill: var(--ink); } .sequence .soft { fill: var(--soft); } .sequence .bad { fill: var(--bad); }
.sequence .life { stroke: var(--line); } .sequence .job { stroke: var(--job); stroke-width: 6; }
.sequence .call { stroke: var(--ink); marker-end: url(#arrow); } .sequence .call.bad { stroke: var(--bad);
  stroke-width: 2; marker-end: url(#arrow-bad); } .sequence .meant { stroke: var(--bad); stroke-width: 2; }
.sequence .tip { fill: var(--ink); } .sequence .tip.bad { fill: var(--bad); }
""".strip()
MARKERS = "".join(
    f'<marker id="{id}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"'
    f' markerUnits="userSpaceOnUse"><path class="tip{tip}" d="M0 0L8 4L0 8z"/></marker>'
    for id, tip in (("arrow", ""), ("arrow-bad", " bad"))
)


def witness_pictures(record: DesignsRecord) -> Iterator[tuple[str, str]]:
    """A name and a picture for each witness."""
    for design in record.designs:
        for finding in design.findings:
            if finding.witness is not None:
                title = f"{design.design.name}: {finding.hazard.text}"
                yield f"{design.design.name}-{finding.hazard.id}", sequence_svg(finding.witness, title)


def sequence_svg(witness: Witness, title: str) -> str:
    """The picture with its own style, for a file of its own."""
    return _svg(witness, title, f"<style>{STYLE}</style><defs>{MARKERS}</defs>")


def sequence_inline(witness: Witness, title: str) -> str:
    """The picture for a page that has the style and the arrowheads once."""
    return _svg(witness, title, "")


def arrowheads() -> str:
    """What all pictures of a page share."""
    return f'<svg width="0" height="0" class="sequence" aria-hidden="true"><defs>{MARKERS}</defs></svg>'


def _svg(witness: Witness, title: str, head: str) -> str:
    lines = witness.lines
    clients = sorted({line.client for line in lines if line.client is not None})
    jobs = [line.begins for line in lines if line.begins]
    text = max([TEXT_WIDTH, *(int(len(_label(line)) * LETTER_WIDTH) + 30 for line in lines)])
    jobs_from = MARGIN + CLIENT_WIDTH * len(clients) + text
    width = jobs_from + JOB_WIDTH * max(len(jobs), 1) + MARGIN
    height = TOP + ROW * len(lines) + BOTTOM
    x_of = {str(client): MARGIN + CLIENT_WIDTH * place + CLIENT_WIDTH // 2 for place, client in enumerate(clients)}
    x_of |= {job: jobs_from + JOB_WIDTH * place + JOB_WIDTH // 2 for place, job in enumerate(jobs)}
    body = "".join([*_lanes(clients, jobs, x_of, height), *_jobs(lines, x_of), *_steps(lines, x_of, text)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sequence" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img"><title>{escape(one_line(title))}</title>{head}'
        f'<rect width="{width}" height="{height}" style="fill: var(--paper)"/>{body}</svg>'
    )


def _lanes(clients: Sequence[int], jobs: Sequence[str], x_of: dict[str, int], height: int) -> Iterator[str]:
    for client in clients:
        x = x_of[str(client)]
        yield f'<text x="{x}" y="16" text-anchor="middle">client {client + 1}</text>'
        yield f'<path class="life" d="M{x} 24V{height - BOTTOM}"/>'
    for job in jobs:
        yield f'<text x="{x_of[job]}" y="16" text-anchor="middle">job {job}</text>'


def _jobs(lines: Sequence[Line], x_of: dict[str, int]) -> Iterator[str]:
    """Each job as a bar from its begin to its end."""
    for begun, line in enumerate(lines):
        if line.begins:
            ended = next((place for place, each in enumerate(lines) if line.begins in each.ends), len(lines))
            bottom = min(_y(ended), _y(len(lines) - 1) + ROW // 2)
            yield f'<path class="job" d="M{x_of[line.begins]} {_y(begun)}V{bottom}"/>'


def _steps(lines: Sequence[Line], x_of: dict[str, int], text: int) -> Iterator[str]:
    right = max(x_of.values())
    for place, line in enumerate(lines):
        y = _y(place)
        astray = bool(line.meant and line.meant != line.hit and (line.hit or place == len(lines) - 1))
        bad = " bad" if astray else ""
        if line.client is None:
            start = x_of[line.ends[0]] if line.ends else right
            yield f'<text class="soft" x="{start - 12}" y="{y + 4}" text-anchor="end">{_escaped(line.text)}</text>'
            continue
        start = x_of[str(line.client)]
        target = line.hit or line.begins or line.ends[:1]
        end = x_of[target] - 4 if target in x_of and target else start + text
        if line.call is not None:
            yield f'<path class="call{bad}" d="M{start} {y}H{end}"/>'
            if astray and line.meant in x_of and line.hit:
                x = x_of[line.meant]
                yield f'<path class="meant" d="M{x - 5} {y - 5}L{x + 5} {y + 5}M{x - 5} {y + 5}L{x + 5} {y - 5}"/>'
        labels = max(x for name, x in x_of.items() if name.isdecimal()) + 12
        yield f'<text class="{bad.strip()}" x="{labels}" y="{y - 5}">{_escaped(_label(line))}</text>'


def _label(line: Line) -> str:
    told = line.text + (f" → {line.answer}" if line.answer else "")
    if line.meant and line.meant != line.hit:
        told += f"   meant {line.meant}" + (f", hit {line.hit}" if line.hit else "")
    return told


def _y(place: int) -> int:
    return TOP + ROW * place + 16


def _escaped(text: str) -> str:
    return escape(one_line(text))
