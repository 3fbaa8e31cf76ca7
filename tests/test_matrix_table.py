"""The table of a matrix tells what differs, and shows nothing that steers a terminal."""

import io
from dataclasses import replace

from rich.console import Console
from tests.test_reports import NASTY, RECORD, TYPE_2, requirement

from jobtck.conformance.record import NamedRun, Record, RunRecord, RunVerdict
from jobtck.reports.matrix_table import print_matrix, rows_of

PASSING = replace(RECORD, requirements=tuple(requirement(each.id) for each in RECORD.requirements))
NEWER = replace(PASSING, target=replace(PASSING.target, versions={"libvirt": "12.8.0"}), verdict=RunVerdict.CONFORMING)


def run_of(*records: Record, error: str = "") -> RunRecord:
    return RunRecord(records, "jobtck run", 1, 2.0, error)


def shown(*runs: NamedRun) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    print_matrix(console, runs)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_is_not_the_same_everywhere_is_marked() -> None:
    rows = {row.id: row for row in rows_of([RECORD, NEWER, None])}
    assert rows["TYPE-2"].words == ("fail\nblock_job_set_speed", "pass", "-")
    assert rows["TYPE-2"].differs
    assert not rows["TYPE-3"].differs
    assert rows["TYPE-3"].is_plain


def test_the_same_verdict_for_another_call_differs() -> None:
    [row] = rows_of(
        [
            replace(RECORD, requirements=(requirement("TYPE-2", deviations=deviations),))
            for deviations in ((TYPE_2,), (replace(TYPE_2, lines=TYPE_2.lines[:1]),))
        ]
    )
    assert row.differs


def test_each_installation_has_its_versions_and_its_verdict() -> None:
    text = shown(NamedRun("old", run_of(RECORD)), NamedRun("new", run_of(NEWER)), NamedRun("none", run_of(error="no")))
    assert "libvirt as default-job" in text
    for words in ("libvirt 9.0.0", "libvirt 12.8.0", "*TYPE-2", "not judged", "new: conforming", "none: error: no"):
        assert words in text
    assert "pass everywhere (3 requirements): ID-4, TYPE-3, END-1" in text


def test_texts_of_others_are_made_fit_to_show() -> None:
    record = replace(RECORD, target=replace(RECORD.target, backend=NASTY, versions={"libvirt": NASTY}))
    text = shown(NamedRun(NASTY, run_of(record, error=NASTY)))
    assert not {"\x1b", "\x00", "\x9b", "\u202e"} & set(text)
