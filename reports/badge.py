"""The verdict of a run as a badge: a small SVG that needs nothing from anywhere."""

from xml.sax.saxutils import escape, quoteattr

from jobtck.conformance.record import RunRecord, RunVerdict, Verdict
from jobtck.reports.sentences import backend_text
from jobtck.reports.texts import one_line

HEIGHT = 20
CHARACTER_WIDTH = 6.6  # of 11 px DejaVu Sans or Verdana, on average; textLength makes it exact
PADDING = 6.0
LABEL_MAX = 60  # characters: a badge stands in a line of text
LABEL_COLOUR = "#555"
# Each has a contrast of at least 4.5 to white text (WCAG 2, AA).
COLOURS = {
    RunVerdict.CONFORMING: "#23742d",
    RunVerdict.NONCONFORMING: "#b3261e",
    RunVerdict.INCOMPLETE: "#7a5b00",
    RunVerdict.ERROR: "#5f5f5f",
}


def badge_svg(run: RunRecord) -> str:
    """What was judged, and how it went, in two boxes."""
    label, told = badge_label(run), badge_message(run)
    widths = [len(text) * CHARACTER_WIDTH + 2 * PADDING for text in (label, told)]
    total = sum(widths)
    title = f"{label}: {told}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:.1f}" height="{HEIGHT}" role="img" '
        f"aria-label={quoteattr(title)}><title>{escape(title)}</title>"
        f'<clipPath id="round"><rect width="{total:.1f}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#round)">'
        f'<rect width="{widths[0]:.1f}" height="{HEIGHT}" fill="{LABEL_COLOUR}"/>'
        f'<rect x="{widths[0]:.1f}" width="{widths[1]:.1f}" height="{HEIGHT}" fill="{COLOURS[run.verdict]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(label, PADDING)}{_text(told, widths[0] + PADDING)}</g></svg>\n"
    )


def badge_label(run: RunRecord) -> str:
    """What was judged: the backends, each once."""
    names = dict.fromkeys(backend_text(record.target) for record in run.records)
    return one_line(" + ".join(names) or "jobtck", LABEL_MAX)


def badge_message(run: RunRecord) -> str:
    """The verdict, and how many requirements stand behind it."""
    told = [each for record in run.records for each in record.requirements]
    failed = len({each.id for each in told if each.verdict is Verdict.FAIL and each.level == "MUST"})
    known = len({each.id for each in told if each.verdict is Verdict.KNOWN})
    match run.verdict:
        case RunVerdict.NONCONFORMING if failed:
            return f"nonconforming: {failed}"
        case RunVerdict.CONFORMING if known:
            return f"conforming, {known} known"
        case verdict:
            return str(verdict)


def _text(text: str, x: float) -> str:
    length = len(text) * CHARACTER_WIDTH
    return f'<text x="{x:.1f}" y="14" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
