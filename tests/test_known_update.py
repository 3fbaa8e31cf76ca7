"""`jobtck known update`: a list is made true by the smallest edits, and all else in it stays as it was."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.test_comparison import FAILS, FLAKY, PASSES, a_run
from tests.test_reports import NASTY, RECORD, TYPE_2

from jobtck import reportdir
from jobtck.conformance.errors import BadInput
from jobtck.conformance.record import KnownDeviation, Record, RequirementRecord, RunRecord, Symptom, Verdict
from jobtck.known import PLACEHOLDER, expired_text, has_expired, parse_drafts, parse_known
from jobtck.known_edits import edited
from jobtck.known_update import edits, open_range

Run = Callable[..., CompletedProcess[str]]

LIST = '''# What is known of the release.
[seen]
libvirt = ["9.0.0"]

# of the first kind
[[known]]
requirement = "END-6"  # told twice
demand = "a success carries no error message"
call = "get_job_stats"
answer = "backup: success, with an error message"
job = "backup-pull"
backend = "libvirt"
versions = "==9.0.0"
reason = """
[[known]]
is no table here"""
reference = "docs"

# it is old
[[known]]
requirement = 'SANE-1'
call = "backup_begin"
answer = "internal"
job = ["block-copy"]
backend = "libvirt"
versions = ">=8.0"   # and later
reason = "so it is"
reference = "docs"
# the end
'''


PLAIN_LIST = LIST.replace('"""\n[[known]]\nis no table here"""', '"first"')


def a_record(*stale: KnownDeviation, requirements: tuple[object, ...] = (), **values: object) -> Record:
    given = {"stale_known": stale, "requirements": requirements, "expired_known": (), "cells": ()}
    return replace(RECORD, **(given | values))  # type: ignore[arg-type]


def on(version: str, record: Record) -> Record:
    target = replace(record.target, versions={"libvirt": version})
    return replace(record, target=target)


def with_symptom(symptom: Symptom, **values: object) -> RequirementRecord:
    deviation = replace(TYPE_2, requirements=(symptom.requirement,), symptoms=(symptom,))
    return replace(FAILS, id=symptom.requirement, deviations=(deviation,), **values)  # type: ignore[arg-type]


def made_true(text: str, *records: Record) -> str:
    return edited(text, edits(parse_drafts(text, "known.toml"), records), "known.toml")


FIRST, SECOND = parse_drafts(PLAIN_LIST, "known.toml")
BUSY = Symptom("SANE-1", "backup_begin", "internal", job="block-copy")


def test_a_list_that_is_true_stays_as_it_is() -> None:
    assert made_true(LIST, a_record()) == LIST
    assert made_true(LIST, a_record(requirements=(with_symptom(BUSY),))) == LIST
    assert made_true("", a_record(requirements=(PASSES,))) == ""


def test_a_stale_entry_goes_with_its_comment() -> None:
    text = made_true(PLAIN_LIST, a_record(FIRST))
    start = PLAIN_LIST.index("# of the first kind")
    assert text == PLAIN_LIST[:start] + PLAIN_LIST[PLAIN_LIST.index("# it is old") :]


def test_a_stale_entry_of_a_range_is_narrowed() -> None:
    """It is gone from the newest release that was judged, and so from what is newer."""
    text = made_true(PLAIN_LIST, on("12.8.0", a_record(SECOND)))
    assert '">=8.0,<12.8.0"   # and later' in text
    assert 'libvirt = ["9.0.0", "12.8.0"]' in text
    assert made_true(text, on("12.8.0", a_record())) == text
    listed = PLAIN_LIST.replace('["9.0.0"]', '["9.0.0", "11.3.0", "12.8.0"]')
    assert '">=8.0,!=11.3.0"' in made_true(listed, on("11.3.0", a_record(parse_drafts(listed, "known.toml")[1])))


def test_an_entry_that_is_absent_from_a_release_not_seen_before_is_narrowed_too() -> None:
    text = made_true(PLAIN_LIST, on("13.0.0", a_record(absent_known=(SECOND,))))
    assert parse_known(text, "known.toml")[1].versions == ">=8.0,<13.0.0"


def test_an_entry_that_happens_in_one_design_is_narrowed_to_it() -> None:
    other = replace(RECORD.target, design=replace(RECORD.target.design, name="zero-id"))
    happened = with_symptom(BUSY, verdict=Verdict.KNOWN, known=(SECOND,))
    text = made_true(PLAIN_LIST, a_record(SECOND), a_record(requirements=(happened,), target=other))
    assert text.startswith(PLAIN_LIST.rstrip())
    assert parse_known(text, "known.toml")[1] == replace(SECOND, design="zero-id")


def test_an_entry_is_widened_to_a_release_and_to_a_kind_of_job_in_which_it_happens_too() -> None:
    narrow = PLAIN_LIST.replace(">=8.0", "==9.0.0")
    text = made_true(narrow, on("12.8.0", a_record(requirements=(with_symptom(BUSY),))))
    second = parse_known(text, "known.toml")[1]
    assert (second.versions, second.seen) == (">=9.0.0", ("9.0.0", "12.8.0"))
    text = made_true(PLAIN_LIST, a_record(requirements=(with_symptom(replace(BUSY, job="block-pull")),)))
    assert 'job = ["block-copy", "block-pull"]' in text


@pytest.mark.parametrize(
    ("happened", "absent", "expected"),
    [
        (["9.0.0"], [], ">=9.0.0"),
        (["9.0.0", "12.8.0"], [], ">=9.0.0"),
        (["9.0.0"], ["11.3.0", "12.8.0"], ">=9.0.0,<11.3.0"),
        (["9.0.0", "12.8.0"], ["11.3.0"], ">=9.0.0,!=11.3.0"),
        (["12.8.0"], ["9.0.0", "11.3.0"], ">=12.8.0"),
        (["9.0.0", "10.0.0"], ["9.9.0", "11.0.0", "12.0.0"], ">=9.0.0,!=9.9.0,<11.0.0"),
        ([""], [], ">=0"),
    ],
)
def test_a_range_is_open_unless_the_newest_release_is_without_it(
    happened: list[str], absent: list[str], expected: str
) -> None:
    assert open_range(happened, absent) == expected


def test_what_is_new_is_added_with_its_symptom_and_a_reason_to_be_written() -> None:
    text = made_true(LIST, a_record(requirements=(FAILS,)))
    assert text.startswith(LIST)
    (added,) = parse_drafts(text, "known.toml")[2:]
    assert (added.requirement, added.backend, added.versions) == ("TYPE-2", "libvirt", ">=9.0.0")
    assert all(map(added.covers, TYPE_2.symptoms))
    assert (added.flaky, added.reason) == (False, PLACEHOLDER)
    with pytest.raises(BadInput, match=r"known\.toml:\d+:1: the reason of TYPE-2 is still to be written"):
        parse_known(text, "known.toml")
    assert made_true(text, a_record(requirements=(FAILS,))) == text
    flaky = made_true("", a_record(requirements=(replace(FAILS, deviations=(FLAKY,)),)))
    assert parse_drafts(flaky, "known.toml")[0].flaky


def test_a_symptom_that_shows_with_several_kinds_of_job_and_on_several_releases_is_one_entry() -> None:
    symptoms = [Symptom("SANE-1", "block_job_abort", "internal", job=job) for job in ("block-copy", "block-pull")]
    records = [on("9.0.0", a_record(requirements=tuple(map(with_symptom, symptoms))))]
    records += [on("11.3.0", a_record()), on("12.8.0", a_record(requirements=(with_symptom(symptoms[0]),)))]
    (added,) = parse_drafts(made_true("", *records), "known.toml")
    assert (added.job, added.versions) == (("block-copy", "block-pull"), ">=9.0.0,!=11.3.0")
    assert added.seen == ("9.0.0", "11.3.0", "12.8.0")


def test_what_was_met_and_not_run_again_is_not_absent() -> None:
    met = replace(RECORD.cells[0], symptoms=(BUSY,))
    records = [on("9.0.0", a_record(requirements=(with_symptom(BUSY),))), on("12.8.0", a_record(cells=(met,)))]
    (added,) = parse_drafts(made_true("", *records), "known.toml")
    assert added.versions == ">=9.0.0"


def test_a_list_of_the_old_form_is_renewed_with_its_reasons() -> None:
    old = LIST[: LIST.index("# of the first")].replace('[seen]\nlibvirt = ["9.0.0"]\n', "")
    old += '[[known]]\nrequirement = "SANE-1"\nbackend = "libvirt"\nversions = "==9.0.0"\n'
    old += 'reason = "so it is"\nreference = "docs"\ncall = "backup_begin"\n'
    with pytest.raises(BadInput, match="SANE-1 has no 'answer', as in lists of the old form: renew the list with 'job"):
        parse_known(old, "known.toml")
    text = made_true(old, a_record(requirements=(with_symptom(BUSY),)))
    (listed,) = parse_known(text, "known.toml")
    assert listed.covers(BUSY)
    assert (listed.reason, listed.reference, listed.seen) == ("so it is", "docs", ("9.0.0",))


def test_line_ends_and_hostile_names_are_kept() -> None:
    text = made_true(LIST.replace("\n", "\r\n"), a_record(requirements=(FAILS,)))
    assert text.count("\n") == text.count("\r\n")
    target = replace(RECORD.target, backend=f'x"\n[[known]]\n{NASTY}'.replace("\udc80", ""))
    text = made_true("", a_record(requirements=(FAILS,), target=target))
    assert [each.backend for each in parse_drafts(text, "known.toml")] == [target.backend]


def test_what_cannot_be_edited_is_left_to_its_author() -> None:
    (first, _) = parse_drafts(LIST, "known.toml")
    with pytest.raises(BadInput, match="remove the entries by hand"):
        made_true(LIST, a_record(first))
    target = replace(RECORD.target, versions={"libvirt": "nine"})
    with pytest.raises(BadInput, match="'nine' is no version"):
        made_true("", a_record(requirements=(FAILS,), target=target))


def test_an_entry_may_expire() -> None:
    def with_expiry(value: str) -> KnownDeviation:
        (read,) = parse_known(LIST.partition("# it is old")[0] + f"expires = {value}\n", "known.toml")
        return read

    known = with_expiry("2026-01-31")
    assert (known.expires, with_expiry('"2026-01-31"')) == ("2026-01-31", known)
    assert not has_expired(known, "2026-01-31")
    assert has_expired(known, "2026-02-01")
    assert not has_expired(FIRST, "2026-02-01")
    assert "END-6 is listed as known until 2026-01-31, which is past" in expired_text(known)
    for value in ('"soon"', "2026-01-31T10:00:00", "5", '"20260131"'):
        with pytest.raises(BadInput, match=r"known\.toml:\d+:1: expires = .*: write a day, as 2027-06-30"):
            with_expiry(value)


def test_the_command_edits_a_file(tmp_path: Path, jobtck: Run) -> None:
    directory = tmp_path / "report"
    reportdir.prepare(directory)
    reportdir.write(RunRecord((a_record(FIRST, requirements=(FAILS,)),), "jobtck run", 1, 1.0), directory)
    file = tmp_path / "list.toml"
    file.write_bytes(PLAIN_LIST.encode())
    shown = jobtck("known", "update", "report", "--file", "list.toml", "--dry-run")
    assert (shown.returncode, file.read_bytes()) == (0, PLAIN_LIST.encode())
    assert '-requirement = "END-6"  # told twice\n' in shown.stdout
    assert '+requirement = "TYPE-2"\n' in shown.stdout
    done = jobtck("known", "update", "report", "--file", "list.toml")
    assert (done.returncode, "a reason is still to be written" in done.stdout) == (0, True)
    listed = parse_drafts(file.read_text(), "list.toml")
    assert [each.requirement for each in listed] == ["SANE-1", "TYPE-2"]
    assert jobtck("known", "update", "report", "--file", "list.toml").stdout == "list.toml: nothing is to be done\n"
    refused = jobtck("run", "--backend", "reference", "--known", "list.toml")
    assert (refused.returncode, "still to be written" in refused.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_bad_list_is_refused(tmp_path: Path, jobtck: Run) -> None:
    directory = tmp_path / "report"
    reportdir.prepare(directory)
    reportdir.write(a_run(), directory)
    (tmp_path / "known.toml").write_text("[[known]]\nrequirement = 5\n")
    ran = jobtck("known", "update", "report")
    assert (ran.returncode, "known.toml:2:1: requirement = 5: write a text" in ran.stderr) == (2, True)
