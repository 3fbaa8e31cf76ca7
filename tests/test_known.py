"""Known deviations: a list is read with care, matched by where it speaks of, and strict both ways."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jobtck.conformance.calls import BackupBegin, BlockJobAbort, BlockJobSetSpeed, Inspect, Mode
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.outcomes import DONE, Leftovers, Outcome
from jobtck.conformance.record import (
    Deviation,
    KnownDeviation,
    Record,
    RunVerdict,
    TraceLine,
    Verdict,
)
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import Guest
from jobtck.hunt import Hunt, Plan
from jobtck.known import concerns, covers, parse_known, read_known, shipped_known
from jobtck.verdicts import record_of

GOOD = """
[[known]]
requirement = "END-6"
backend = "mine"
versions = ">=9.0,<9.1"
reason = "it lies"
reference = "issue 7"

[[known]]
requirement = "TYPE-2"
backend = "mine"
versions = ">=1"
call = "block_job_abort"
design = "zero-id"
flaky = true
reason = "it ends"
reference = "issue 8"
"""
AMPLE_SECONDS = 300.0

# -- reading ---------------------------------------------------------------------------------------


def test_a_list_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(GOOD)
    assert read_known(file) == (
        KnownDeviation("END-6", "mine", ">=9.0,<9.1", "it lies", "issue 7"),
        KnownDeviation("TYPE-2", "mine", ">=1", "it ends", "issue 8", "block_job_abort", "zero-id", flaky=True),
    )


def test_an_empty_list_is_a_list() -> None:
    assert parse_known("# nothing known\n", "known.toml") == ()


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("[[known]\n", ":1:8", "not TOML"),
        ("\n[knwon]\n", ":2:2", "'knwon' is unknown here: write tables [[known]]"),
        ("[known]\nreason = 'x'\n", ":1:2", "write [[known]], in two brackets"),
        ("known = [1]\n", ":1:1", "write"),
        (GOOD.replace('"issue 8"', "8"), ":17:1", "reference = 8: write a text"),
        (GOOD.replace("flaky = true", 'flaky = "yes"'), ":15:1", "write true or false"),
        (GOOD.replace("TYPE-2", "TYPE-99"), ":10:1", "no requirement 'TYPE-99': see 'jobtck list"),
        (GOOD.replace('">=1"', '"about 1"'), ":12:1", "write a range like '>=9.0,<9.1'"),
        (GOOD.replace('reason = "it ends"\n', ""), ":9:3", "'reason' is missing"),
        (GOOD + "colour = 1\n", ":18:1", "no key 'colour': the keys are requirement, backend"),
        (GOOD.replace("block_job_abort", "block_job_abrot"), ":13:1", "block_job_abrot"),
        (GOOD.replace('"it lies"', '""'), ":6:1", "reason"),
    ],
)
def test_a_malformed_list_is_told_with_line_and_column(text: str, place: str, advice: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_known(text, "known.toml")
    assert str(caught.value).startswith(f"known.toml{place}: ")
    assert advice in str(caught.value)


def test_a_list_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere: cannot read the known deviations: .*No such"):
        read_known(tmp_path / "nowhere")
    (tmp_path / "latin").write_bytes(b"\xff")
    with pytest.raises(BadInput, match=r"latin: cannot read the known deviations: .*decode"):
        read_known(tmp_path / "latin")


def test_the_shipped_list_speaks_of_what_there_is_and_says_why() -> None:
    shipped = shipped_known()
    assert shipped
    assert len(set(shipped)) == len(shipped)
    for each in shipped:
        assert each.requirement in BY_ID
        assert each.backend in {"libvirt", "numbered", "qemu-jobs", "virsh"}
        assert each.design in {"", *presets()}
        assert each.versions.strip(), "a release that was really run"
        assert each.reason.strip()
        assert each.reference.strip()


def test_what_the_shipped_list_refers_to_is_written() -> None:
    root = Path(__file__).parent.parent
    for each in shipped_known():
        file, _, section = each.reference.partition(", ")
        assert section.split()[0] in (root / file).read_text(), each.reference


# -- matching --------------------------------------------------------------------------------------

LISTED = KnownDeviation("TYPE-2", "mine", ">=9.0,<9.1", "it re-tunes", "issue 7")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("9.0", True), ("9.0.0", True), ("9.0.7", True), ("9.1.0", False), ("8.9.9", False)],
)
def test_a_range_of_versions_holds_what_it_says(version: str, expected: bool) -> None:  # noqa: FBT001
    assert concerns(LISTED, "mine", "zero-id", version) is expected


def test_a_list_is_of_one_backend_and_where_it_says_so_of_one_design() -> None:
    assert not concerns(LISTED, "yours", "zero-id", "9.0")
    narrow = replace(LISTED, design="zero-id")
    assert concerns(narrow, "mine", "zero-id", "9.0")
    assert not concerns(narrow, "mine", "default-job", "9.0")


def test_a_listed_call_is_the_one_that_deviates() -> None:
    begin = TraceLine(BackupBegin(label=0, mode=Mode.PULL, disks=("vda",)), "value")
    shown = Deviation(("TYPE-2",), (begin, TraceLine(BlockJobAbort(disk="vda"), "value")), 3, 3)
    assert covers(LISTED, "TYPE-2", shown)
    assert covers(replace(LISTED, call="block_job_abort"), "TYPE-2", shown)
    assert not covers(replace(LISTED, call="backup_begin"), "TYPE-2", shown)
    assert not covers(LISTED, "TYPE-1", shown)


# -- strict both ways ------------------------------------------------------------------------------


class Retunes(Reference):
    """Takes a backup for the disk's own job when asked to limit its bandwidth."""

    def block_job_set_speed(self, guest: Guest, call: BlockJobSetSpeed) -> Outcome:
        answer = super().block_job_set_speed(guest, call)
        on_backup = any(call.disk in job.disks for job in guest.backups)
        return DONE if on_backup and not call.flaw else answer


class LosesOnPivot(Retunes):
    """Lets a pivot end the backup too."""

    def block_job_abort(self, guest: Guest, call: BlockJobAbort) -> Outcome:
        backups = [job for job in guest.backups if call.disk in job.disks]
        if not (call.pivot and backups and not call.flaw and call.client == 0):
            return super().block_job_abort(guest, call)
        self.end_backup(guest, backups[0], success=False)
        return DONE


class LeavesSocket(Reference):
    """Leaves the socket of a pull backup that is over."""

    def inspect(self, guest: Guest, call: Inspect) -> Outcome:
        return Leftovers(("socket",))


def toured(make: type[Reference]) -> Hunt:
    """A hunt that has met what there is, and has run nothing again."""
    target = ReferenceTarget(presets()["default-job"], make)
    target.versions = {"libvirt": "9.0.0"}
    hunt = Hunt(target, Plan(AMPLE_SECONDS, 1), threading.Event())
    hunt.go_on_tour(lambda *_: None, AMPLE_SECONDS)
    hunt.close()
    return hunt


def hunted(make: type[Reference]) -> Hunt:
    hunt = toured(make)
    hunt.confirm_all()
    return hunt


@pytest.fixture(scope="module")
def faithful() -> Hunt:
    return hunted(Reference)


@pytest.fixture(scope="module")
def retunes() -> Hunt:
    return hunted(Retunes)


@pytest.fixture(scope="module")
def loses() -> Hunt:
    return hunted(LosesOnPivot)


ENTRY = KnownDeviation("TYPE-2", "reference", "==9.0.0", "it re-tunes", "issue 7")
SPEED = replace(ENTRY, call="block_job_set_speed")


def judged(hunt: Hunt, known: Sequence[KnownDeviation], *, strict: bool = True) -> Record:
    return record_of(hunt, known, "jobtck run", strict=strict)


def verdict_of(record: Record, id: str) -> Verdict:
    return next(each.verdict for each in record.requirements if each.id == id)


def test_a_listed_deviation_is_known_and_fails_no_run(retunes: Hunt) -> None:
    unlisted, listed = judged(retunes, ()), judged(retunes, [SPEED])
    assert (unlisted.verdict, verdict_of(unlisted, "TYPE-2")) == ("nonconforming", "fail")
    assert (listed.verdict, verdict_of(listed, "TYPE-2")) == ("conforming", "known")
    assert listed.stale_known == ()
    [known] = {each.known for each in listed.requirements} - {None}
    assert known == SPEED


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(ENTRY, backend="libvirt"),
        replace(ENTRY, design="zero-id"),
        replace(ENTRY, versions=">=9.1"),
    ],
)
def test_a_list_for_something_else_excuses_nothing_and_is_not_stale(elsewhere: KnownDeviation, retunes: Hunt) -> None:
    record = judged(retunes, [elsewhere])
    assert (verdict_of(record, "TYPE-2"), record.stale_known) == (Verdict.FAIL, ())


def test_a_list_of_another_call_excuses_nothing_and_is_stale(retunes: Hunt) -> None:
    other = replace(ENTRY, call="block_job_abort")
    record = judged(retunes, [other])
    assert (verdict_of(record, "TYPE-2"), record.stale_known) == (Verdict.FAIL, (other,))


def test_a_requirement_is_known_only_if_all_its_deviations_are(loses: Hunt) -> None:
    assert verdict_of(judged(loses, [SPEED]), "TYPE-2") is Verdict.FAIL
    both = judged(loses, [SPEED, replace(ENTRY, call="block_job_abort")])
    assert (verdict_of(both, "TYPE-2"), both.stale_known) == (Verdict.KNOWN, ())


def test_a_listed_deviation_that_no_longer_happens_fails_the_run(faithful: Hunt) -> None:
    assert judged(faithful, ()).verdict is RunVerdict.CONFORMING
    record = judged(faithful, [ENTRY], strict=False)
    assert (record.verdict, record.stale_known) == (RunVerdict.NONCONFORMING, (ENTRY,))
    assert verdict_of(record, "TYPE-2") is Verdict.PASS


def test_a_flaky_one_may_stay_away(faithful: Hunt) -> None:
    record = judged(faithful, [replace(ENTRY, flaky=True)])
    assert (record.verdict, record.stale_known) == (RunVerdict.CONFORMING, ())


def test_a_listed_deviation_of_what_was_not_judged_is_not_stale(faithful: Hunt) -> None:
    unjudged = replace(ENTRY, requirement="ZERO-1")  # default-job has no ids
    record = judged(faithful, [unjudged])
    assert (record.verdict, record.stale_known) == (RunVerdict.CONFORMING, ())


def test_a_deviation_that_was_not_run_again_is_no_pass() -> None:
    hunt = toured(Retunes)
    hunt.plan = replace(hunt.plan, began=hunt.plan.began - 10 * AMPLE_SECONDS)  # the time is up
    hunt.confirm_all()
    record = judged(hunt, ())
    told = next(each for each in record.requirements if each.id == "TYPE-2")
    assert (told.verdict, record.verdict) == (Verdict.NOT_EXERCISED, RunVerdict.CONFORMING)
    assert told.reason == "a deviation was met: there was no time left to run it again"
    assert verdict_of(judged(hunt, [SPEED]), "TYPE-2") is Verdict.KNOWN


def test_a_must_that_was_broken_and_not_run_again_leaves_a_run_incomplete() -> None:
    hunt = toured(LeavesSocket)
    hunt.plan = replace(hunt.plan, began=hunt.plan.began - 10 * AMPLE_SECONDS)
    hunt.confirm_all()
    record = judged(hunt, ())
    assert (verdict_of(record, "FAULT-4"), record.verdict) == (Verdict.NOT_EXERCISED, RunVerdict.INCOMPLETE)
