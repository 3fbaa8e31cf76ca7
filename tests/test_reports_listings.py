"""Lists of what there is to judge, and the progress of a run."""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from rich.console import Console

from jobtck.conformance.calls import BackupBegin, BackupEnd, BackupGetXmlDesc
from jobtck.conformance.capabilities import Feature
from jobtck.conformance.catalogue import BY_ID, CATALOGUE
from jobtck.conformance.design import Handle, Zero, presets
from jobtck.conformance.record import TargetRecord
from jobtck.conformance.requirement import Needs
from jobtck.reports import listings, tables
from jobtck.reports.progress import ProgressBar

NASTY = "[red] \x1b[31m \udc80 {task}"
DESIGN = presets()["default-job"]
TARGET = TargetRecord(
    "libvirt",
    "test:///default",
    DESIGN,
    {"libvirt": "9.0.0"},
    ("abort_job", "save"),
    ("a second domain",),
    {"list_all_jobs": "libvirt has no such call", "abort_job": "not shown: it is there"},
)
BACKENDS = [("libvirt", ("default-job",), "default-job"), (NASTY, list(presets()), "zero-id")]
CELLS = [("no job", "abort_job()", 1), (NASTY, "backup_end(" + "x" * 200 + ")", 4)]


@dataclass
class Found:
    present: bool
    answer: str


EVIDENCE = {
    "backup_begin": Found(present=False, answer=f"VIR_ERR_NO_SUPPORT: {NASTY}"),
    "abort_job": Found(present=True, answer="it answers"),
}
PRINTED: dict[str, Callable[[Console], None]] = {
    "requirements": lambda console: tables.print_requirements(console, CATALOGUE, None),
    "of a design": lambda console: tables.print_requirements(console, CATALOGUE, DESIGN),
    "designs": lambda console: tables.print_designs(console, presets().values()),
    "backends": lambda console: tables.print_backends(console, BACKENDS),
    "cells": lambda console: tables.print_cells(console, CELLS),
    "probe": lambda console: tables.print_probe(console, TARGET, EVIDENCE),
}


def printed(name: str, width: int = 80) -> str:
    output = io.StringIO()
    PRINTED[name](Console(file=output, width=width))
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", PRINTED)
def test_tables_fit_and_steer_nothing(name: str, width: int) -> None:
    text = printed(name, width)
    assert max(map(len, text.splitlines())) <= width
    assert not {"\x1b", "\udc80"} & set(text)


def test_every_requirement_is_listed_with_its_needs() -> None:
    text = printed("requirements", 200)
    for requirement in CATALOGUE:
        assert f"{requirement.id} " in text
        assert requirement.text in text
    assert text.endswith(f"{len(CATALOGUE)} requirements\n")


def test_what_does_not_apply_to_a_design_is_told_apart() -> None:
    listed = {each["id"]: each for each in listings.requirements(CATALOGUE, DESIGN)}
    assert listed["ID-4"]["applies"] is True
    assert "it is valid" in str(listed["QUERY-2"]["demands"])
    assert listed["ID-2"]["missing"] == BY_ID["ID-2"].needs.missing_in_design(DESIGN)
    text = printed("of a design", 120)
    applying = sum(1 for each in listed.values() if each["applies"])
    assert 0 < applying < len(CATALOGUE)
    assert text.endswith(f"{applying} requirements of {len(CATALOGUE)} apply to default-job\n")


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (Needs(), []),
        (
            Needs(handle=frozenset({Handle.NAME, Handle.INTEGER}), zero=Zero.CURRENT, many=True),
            ["jobs named by integer or name", "zero current", "several backups at once"],
        ),
        (Needs(listing=False, all_calls=(BackupBegin,)), ["no list of jobs", "backup_begin"]),
        (
            Needs(
                any_call=(BackupGetXmlDesc, BackupEnd),
                features=frozenset({Feature.SECOND_DOMAIN}),
            ),
            ["backup_get_xml_desc or backup_end", "a second domain"],
        ),
    ],
)
def test_needs_are_told_in_words(needs: Needs, words: list[str]) -> None:
    assert listings.needs_words(needs) == words


def test_listings_are_plain_values() -> None:
    for content in (
        listings.requirements(CATALOGUE, None),
        listings.designs(presets().values()),
        listings.backends(BACKENDS),
        listings.cells(CELLS),
        listings.probe(TARGET, EVIDENCE),
    ):
        assert json.loads(json.dumps(content)) == content


def test_a_design_is_listed_without_the_axes_it_lacks() -> None:
    default_job, zero_id, *_ = listings.designs(presets().values())
    assert "zero" not in default_job
    assert (zero_id["name"], zero_id["zero"], zero_id["parallel"]) == ("zero-id", "current", 1)


def test_a_probe_tells_what_was_asked_declared_and_excused() -> None:
    assert [row[:2] for row in listings.probe_rows(TARGET, EVIDENCE)] == [
        ("backup_begin", False),
        ("abort_job", True),
        ("save", True),
        ("list_all_jobs", False),
    ]
    assert "2 of 4 calls" in printed("probe")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_comes_every_ten_seconds() -> None:
    output, clock = io.StringIO(), Clock()
    console = Console(file=output, width=100)
    with ProgressBar(console, "libvirt as default-job", 1200, clock) as progress:
        for second in range(0, 25, 4):
            clock.now = second
            progress.update(second * 10, second * 100, second // 20)
    progress.update(1200, 9999, 9)
    assert output.getvalue().splitlines() == [
        "libvirt as default-job: 1,200 cells to visit",
        "libvirt as default-job: 120/1,200 cells, 1,200 calls, no deviation",
        "libvirt as default-job: 240/1,200 cells, 2,400 calls, 1 deviation",
    ]


@pytest.mark.parametrize("title", ["libvirt as default-job", NASTY])
def test_a_terminal_has_a_bar(title: str) -> None:
    output = io.StringIO()
    console = Console(file=output, width=100, force_terminal=True, color_system=None)
    with ProgressBar(console, title, 10) as progress:
        progress.update(5, 1000, 2)
    progress.close()
    text = output.getvalue()
    assert "5/10 cells, 1,000 calls, 2 deviations" in text
    assert title[:5] in text
    assert "\x1b[31m" not in text


def test_many_threads_may_tell() -> None:
    output, clock = io.StringIO(), Clock()
    clock.now = -1000.0
    with ProgressBar(Console(file=output, width=100), "title", 8, clock) as progress:
        clock.now = 0.0
        threads = [threading.Thread(target=progress.update, args=(n, n, 0)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(output.getvalue().splitlines()) == 2
