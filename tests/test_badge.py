"""A badge is a picture that any program reads, whatever a backend is called."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from tests.test_reports import CONFORMING, HUGE, NASTY, NOTHING, RECORD

from jobtck.conformance.record import RunRecord, RunVerdict
from jobtck.reports.badge import COLOURS, LABEL_MAX, badge_label, badge_message, badge_svg

SVG = "{http://www.w3.org/2000/svg}"


def run_of(*records: object, error: str = "") -> RunRecord:
    return RunRecord(records, "jobtck run", 1, 2.0, error)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "label", "message"),
    [
        (run_of(RECORD), "libvirt 9.0.0", "nonconforming: 2"),
        (run_of(CONFORMING), "reference", "conforming, 1 known"),
        (run_of(NOTHING), "reference", "incomplete"),
        (run_of(RECORD, CONFORMING, RECORD), "libvirt 9.0.0 + reference", "nonconforming: 2"),
        (run_of(error="it died"), "jobtck", "error"),
    ],
)
def test_a_badge_tells_what_was_judged_and_how_it_went(run: RunRecord, label: str, message: str) -> None:
    assert (badge_label(run), badge_message(run)) == (label, message)
    root = ET.fromstring(badge_svg(run))  # noqa: S314 - it is ours
    assert [each.text for each in root.iter(f"{SVG}text")] == [label, message]
    assert root.get("aria-label") == f"{label}: {message}"
    assert COLOURS[run.verdict] in badge_svg(run)


@pytest.mark.parametrize("name", [NASTY, HUGE, "a\"'<b>&c"])
def test_no_name_breaks_a_badge(name: str) -> None:
    svg = badge_svg(run_of(replace(RECORD, target=replace(RECORD.target, backend=name, versions={name: name}))))
    root = ET.fromstring(svg)  # noqa: S314 (written here)
    assert not list(root.iter(f"{SVG}script"))
    assert len(svg) < 2_000 + 10 * LABEL_MAX
    assert float(root.get("width", "inf")) < 1_000


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * each for each in digits) if len(digits) == 3 else digits
    parts = [int(each, 16) / 255 for each in re.findall("..", digits)]
    red, green, blue = (each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("verdict", RunVerdict)
def test_white_text_is_legible_on_each_colour(verdict: RunVerdict) -> None:
    assert 1.05 / (luminance(COLOURS[verdict]) + 0.05) >= 4.5
