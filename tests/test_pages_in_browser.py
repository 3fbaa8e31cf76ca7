"""Pages in a real Chromium: they work, with keyboard and phone and in the dark, and ask nobody for anything."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browser import LAPTOP, PHONE, browsing, opened
from tests.test_reports import RECORD, a_run, spoilt
from tests.test_results_html import NEWER, OLDER, page_of

from jobtck.conformance.design import presets
from jobtck.conformance.exploration import DesignRecord, DesignsRecord
from jobtck.conformance.hazard_catalogue import HAZARDS
from jobtck.conformance.record import NamedRun
from jobtck.reports.designs_html import designs_html
from jobtck.strategies.board import Bounds
from jobtck.strategies.costs import costs
from jobtck.strategies.survey import explore, extents, findings, worlds

pytestmark = pytest.mark.xdist_group("browser")

HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>\"'><svg onload=alert(1)> javascript:alert(1)"
FOCUSABLE = "a[href], button, input, select, summary, [tabindex='0']"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "results.html"
    path.write_text(page_of(OLDER, NEWER), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "hostile.html"
    run = a_run(spoilt(HOSTILE), replace(RECORD, notes=(HOSTILE,)), error=HOSTILE)
    path.write_text(page_of(NamedRun(HOSTILE, run), NamedRun("other", run)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def designs_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "designs.html"
    design = presets()["zero-id"]
    explorers = worlds(design, Bounds(depth=5), HAZARDS)
    explore(explorers, lambda _: "")
    found = DesignRecord(design, extents(explorers), findings(design, explorers, HAZARDS), costs(design))
    path.write_text(designs_html(DesignsRecord((found,), HAZARDS, "jobtck designs")), encoding="utf-8")
    return path


@pytest.fixture(params=["page", "hostile_page", "designs_page"])
def any_page(request: pytest.FixtureRequest) -> Path:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Path)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_a_page_is_for_everybody(browser: Browser, any_page: Path, size: tuple[int, int], scheme: str) -> None:
    with opened(browser, any_page, size=size, scheme=scheme) as seen:
        assert seen.grave_violations() == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert seen.grave_violations() == []
        assert seen.said == []
        assert seen.asked == [any_page.as_uri()]


def test_the_dark_has_other_colours(browser: Browser, any_page: Path) -> None:
    colours = []
    for scheme in ("light", "dark"):
        with opened(browser, any_page, scheme=scheme) as seen:
            colours.append(
                seen.page.evaluate(
                    "[document.body, document.querySelector('h1'), document.querySelector('svg.sequence text')]"
                    ".filter(each => each).map(each => getComputedStyle(each)).map(each =>"
                    " [each.backgroundColor, each.color, each.fill].join())"
                )
            )
    assert [pair for pair in zip(*colours, strict=True) if pair[0] == pair[1]] == []


def test_the_keyboard_reaches_everything(browser: Browser, any_page: Path) -> None:
    with opened(browser, any_page) as seen:
        seen.page.evaluate("window.reached = new Set()")
        wanted = seen.page.evaluate(
            f"Array.from(document.querySelectorAll({FOCUSABLE!r})).filter(each => each.checkVisibility()).length"
        )
        assert wanted > 10
        for _ in range(wanted):
            seen.page.keyboard.press("Tab")
            seen.page.evaluate("reached.add(document.activeElement)")
        missed = seen.page.evaluate(
            f"Array.from(document.querySelectorAll({FOCUSABLE!r}))"
            ".filter(each => each.checkVisibility() && !reached.has(each)).map(each => each.outerHTML.slice(0, 100))"
        )
        assert missed == []


def test_filters_leave_what_fits(browser: Browser, page: Path) -> None:
    rows = "#requirements tbody tr"
    with opened(browser, page) as seen:
        whole = seen.count(rows)
        assert whole == len(RECORD.requirements)
        seen.page.select_option("#filter-word", "regressed")
        assert [each.split()[0] for each in seen.page.locator(rows).filter(visible=True).all_inner_texts()] == [
            "END-6",
            "SANE-1",
        ]
        assert seen.page.locator("#filter-count").inner_text() == f"2 of {whole} requirements"
        seen.page.select_option("#filter-chapter", "END")
        assert seen.count(rows) == 1
        seen.page.get_by_role("button", name="Show all").click()
        assert seen.count(rows) == whole
        seen.page.get_by_label("Text").fill("re-tune")
        assert seen.count(rows) == 1
        seen.page.get_by_label("Text").fill("nothing is like this")
        assert seen.count(rows) == 0
        seen.page.get_by_label("Text").fill("")
        columns = seen.count("#requirements thead th")
        seen.page.locator("#filters input[type=checkbox]").first.press("Space")
        assert seen.count("#requirements thead th") == columns - 1
        assert seen.count(f"{rows}:first-child td") == columns - 2


def test_a_regression_is_shown_with_its_picture_and_its_command(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        card = seen.page.locator("#changes .card").first
        assert card.locator("svg.sequence").is_visible()
        box = card.locator("svg.sequence").bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert card.locator(".offence").count() == 1
        assert card.locator(".call").count() == 2
        assert card.locator("rect.job").count() == 1
        assert card.locator("pre").first.inner_text() == "jobtck replay newer/traces/libvirt-default-job-END-6.json"
        card.locator("button.copy").first.click()
        seen.page.wait_for_function(
            "['Copied', 'Selected'].includes(document.querySelector('#changes button.copy').firstChild.data.trim())"
        )
        assert seen.said == []


def test_a_link_opens_what_it_leads_to(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        card = seen.page.locator("#deviations .card.known")
        assert card.get_attribute("open") is None
        seen.page.locator('#requirements a[href="#' + str(card.get_attribute("id")) + '"]').last.click()
        seen.page.wait_for_function(f"document.getElementById('{card.get_attribute('id')}').open")
        assert card.locator("svg.sequence").is_visible()


def test_a_state_is_chosen_by_the_keyboard_and_shows_its_cells(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        assert seen.count(".state-cells") == 0
        seen.page.locator('.state[aria-label^="backup-pull:"]').press("Enter")
        assert seen.count(".state-cells") == 1
        assert "abort_job()" in seen.page.locator(".state-cells[open]").inner_text()
        assert seen.page.locator(".edge.out").count() > 0
        assert seen.page.locator(".edge.in").count() > 0


def test_without_script_everything_is_there_and_plain(browser: Browser, page: Path) -> None:
    with opened(browser, page, script=False) as seen:
        assert seen.count("#requirements tbody tr") == len(RECORD.requirements)
        assert seen.count("#filters") == 0
        assert seen.count(".copy") == 0
        assert seen.count(".state-cells") > 3


def test_hostile_words_do_nothing(browser: Browser, hostile_page: Path) -> None:
    with opened(browser, hostile_page) as seen:
        assert seen.page.locator("img, script + script, svg[onload]").count() == 0
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert "<script>alert(1)</script>" in seen.page.inner_text("main")
        assert seen.said == []
        assert seen.asked == [hostile_page.as_uri()]
