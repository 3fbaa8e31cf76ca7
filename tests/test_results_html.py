"""The page of results, as text: what it says, what it leaves out, and that nobody's words are more than words."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.test_reports import END_6, HUGE, NASTY, RECORD, RUNS, SPEED, TYPE_2, a_run, requirement, spoilt

from jobtck.charts import model_of
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.record import CellRecord, NamedRun, Record, Symptom, Verdict
from jobtck.reports.deviation_cards import CARDS_MAX
from jobtck.reports.result_json import dumps, result
from jobtck.reports.results_html import results_html
from jobtck.reports.sequence_steps import STEPS_MAX

MAX_BYTES = 3_000_000


def with_passed(record: Record, *ids: str) -> Record:
    """The record as it was when these requirements still held, and a cell answered otherwise."""
    kept = tuple(
        replace(each, verdict=Verdict.PASS, deviations=()) if each.id in ids else each for each in record.requirements
    )
    first, *others = record.cells
    return replace(record, requirements=kept, cells=(replace(first, outcome="refused: busy"), *others))


def steady(record: Record) -> Record:
    """The record with deviations that happen every time: one that does not is flaky, and no regression."""
    return replace(
        record,
        requirements=tuple(
            replace(each, deviations=tuple(replace(one, reproduced=one.runs) for one in each.deviations))
            for each in record.requirements
        ),
    )


OLDER = NamedRun("older", a_run(with_passed(steady(RECORD), "END-6", "SANE-1")))
NEWER = NamedRun("newer", a_run(steady(RECORD)))


class Elements(HTMLParser):
    """What a page is made of: its tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        return [value for _, each in self.found if (value := each.get(attribute)) is not None]


def page_of(*results: NamedRun) -> str:
    model = model_of(results)
    return results_html(results, model.comparisons, model.charts)


@pytest.mark.parametrize("name", RUNS)
def test_every_record_has_a_page_which_is_a_function_of_it(name: str) -> None:
    one = NamedRun(name, RUNS[name])
    page = page_of(one)
    assert page == page_of(one)
    assert page.startswith("<!doctype html>")
    assert len(page.encode()) < MAX_BYTES
    found = Elements(page)
    assert [tag for tag, _ in found.found if tag in {"script", "img", "iframe", "link", "object", "base"}] == ["script"]
    assert len(found.values("id")) == len(set(found.values("id")))
    inside = {f"#{id}" for id in found.values("id")}
    assert [each for each in found.values("href") if each.startswith("#") and each not in inside] == []


def test_what_nobody_watches_is_listed_by_name() -> None:
    page = page_of(NEWER)
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", page[page.index('id="power-title"') :])).split())
    assert "libvirt 9.0.0 as default-job: noticed 1,912 of 2,000 changed answers" in told
    assert "abort_job 1879 of 1912 kind of error 0/33 success 1879/1879" in told
    assert "Nobody watches Of the answer to What Changed to abort_job kind of error busy, other save kind" in told
    assert "END-4 1879 SANE-1 33" in told
    assert "save time waited it may wait" in told
    assert 'id="power"' not in page_of(NamedRun("conforming", RUNS["conforming"]))


def test_what_regressed_comes_first_with_demand_answer_and_command() -> None:
    page = page_of(OLDER, NEWER)
    told = " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())
    places = [
        told.index(words)
        for words in (
            "2 regressed",
            "END-6 regressed: was pass , now fails",
            "What END-6 demands.",
            "abort_job() was answered with refused: internal",
            "VIR_ERR_INTERNAL_ERROR: internal error: unable to execute QEMU command",
            "jobtck replay newer/traces/libvirt-default-job-END-6.json",
            "Other deviations",
            SPEED,
        )
    ]
    assert places == sorted(places)
    assert told.count("What END-6 demands. (MUST)") == 1


def test_without_a_regression_the_page_says_so() -> None:
    assert "<b>0</b> regressed" in page_of(OLDER, replace(OLDER, name="again"))
    assert "Nothing is compared" in page_of(OLDER, NamedRun("none", RUNS["none"]))


@pytest.mark.parametrize("text", [NASTY, "</script><script>alert(1)</script>", "javascript:alert(1)", "--> ]]> ' \""])
def test_nobodys_words_are_more_than_words(text: str) -> None:
    run = NamedRun(text, a_run(spoilt(text), error=text))
    found = Elements(page_of(run, replace(run, name=text + "2")))
    assert sum(tag == "script" for tag, _ in found.found) == 1
    assert [name for _, attributes in found.found for name in attributes if name.startswith("on")] == []
    assert "style" not in {name for _, attributes in found.found for name in attributes}
    assert [href for href in found.values("href") if not href.startswith(("#", "https://", "http://"))] == []


def test_the_policy_names_the_pages_own_script_and_style_alone() -> None:
    policy = next(
        attributes["content"]
        for tag, attributes in Elements(page_of(NEWER)).found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_thousands_of_deviations_and_calls_are_cut_and_counted() -> None:
    many = tuple(
        requirement(
            f"END-{number}",
            Verdict.FAIL,
            deviations=(replace(END_6, requirements=(f"END-{number}",), lines=END_6.lines * 2_000),),
        )
        for number in range(1_000)
    )
    page = page_of(NamedRun("many", a_run(replace(RECORD, requirements=many))))
    assert f"and {1_000 - CARDS_MAX} more" in page
    assert f"{4_000 - STEPS_MAX:,} calls before these" in page
    assert len(page.encode()) < MAX_BYTES * 2


def test_ten_megabytes_of_text_are_cut() -> None:
    page = page_of(NamedRun("huge", a_run(spoilt(HUGE))))
    assert "[cut: 10,000,000 characters in all]" in page
    assert len(page.encode()) < MAX_BYTES


def test_a_result_of_the_first_schema_has_a_page_without_pictures() -> None:
    bare = tuple(
        replace(each, deviations=tuple(replace(one, lines=()) for one in each.deviations))
        for each in RECORD.requirements
    )
    page = page_of(NamedRun("first", a_run(replace(RECORD, requirements=bare))))
    assert 'class="picture' not in page
    assert "jobtck replay" in page


def test_scripts_that_stand_alone_are_in_the_page() -> None:
    told = unescape(page_of(OLDER, NEWER))
    assert "#!/bin/sh" in told
    assert "#!/usr/bin/env python3" in told


def test_a_timeline_has_a_strip_for_each_requirement_that_was_ever_not_passed() -> None:
    results = [replace(OLDER if number % 7 else NEWER, name=f"night {number}") for number in range(200)]
    page = page_of(*results)
    strips = re.search(r'<svg[^>]*class="timeline".*?</svg>', page, re.DOTALL)
    assert strips is not None
    assert re.findall(r'href="#r-([^"]+)"', strips[0]) == ["TYPE-2", "END-6", "END-7", "TIME-1", "SANE-1"]
    assert strips[0].count("<rect") == 5 * 200
    assert strips[0].count('<rect class="fails"') == 2 * 29


def test_states_tell_what_deviates_what_changed_and_what_was_not_tried() -> None:
    cell = CellRecord(
        "backup-pull", "abort_job()", "refused: internal", 2, 0.1, symptoms=(Symptom("END-6", "abort_job", "internal"),)
    )
    changed = replace(RECORD, cells=(*RECORD.cells, cell))
    page = page_of(OLDER, NamedRun("newer", a_run(changed)))
    by_words = {words: style for style, words in re.findall(r'class="state (\w+)"[^>]*aria-label="([^:]+):', page)}
    assert by_words["backup-pull"] == "deviating"
    assert by_words["no job"] == "changed"
    assert by_words["backup-push"] == "open"
    assert "deviates from END-6:" in page
    assert "calls not tried" in page


@pytest.mark.parametrize(
    "declared", [Capabilities(disks=()), Capabilities(calls=frozenset()), Capabilities(disks=("x",))]
)
def test_whatever_was_declared_there_is_a_page(declared: Capabilities) -> None:
    run = a_run(replace(RECORD, target=replace(RECORD.target, capabilities=declared)))
    assert 'class="state ' in page_of(NamedRun("odd", run))


def test_the_newest_change_is_told_with_the_fewest_calls_that_show_it() -> None:
    page = page_of(OLDER, NEWER)
    cells = page[page.index("Cells that answer otherwise") :]
    assert "refused: busy" in cells
    assert "<li><code>a = backup_begin(pull, vda)</code></li>" in cells


def test_the_command_writes_the_page(jobtck: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    for each in (OLDER, NEWER):
        (tmp_path / each.name).mkdir()
        (tmp_path / each.name / "result.json").write_text(dumps(result(each.run)))
    ran = jobtck("report", "older", "newer", "--html", "page.html")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    written = (tmp_path / "page.html").read_text()
    assert "From older to newer" in written
    assert jobtck("report", "older", "newer", "--html", "-").stdout == written


def test_a_flaky_deviation_says_how_often() -> None:
    flaky = requirement("TYPE-2", Verdict.FAIL, deviations=(replace(TYPE_2, reproduced=1),))
    page = page_of(NamedRun("flaky", a_run(replace(RECORD, requirements=(flaky,)))))
    assert "flaky: reproduced 1 of 3" in page
