"""Known deviations: a list is read with care, matched by where it speaks of, and strict both ways."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import jobtck.reruns
from jobtck.confirm import TOO_LATE
from jobtck.conformance.calls import BlockJobAbort, BlockJobSetSpeed, Inspect
from jobtck.conformance.catalogue import BY_ID
from jobtck.conformance.design import presets
from jobtck.conformance.errors import BadInput
from jobtck.conformance.outcomes import DONE, Leftovers, Outcome
from jobtck.conformance.record import (
    KnownDeviation,
    Record,
    RunVerdict,
    Symptom,
    Verdict,
    excuses,
)
from jobtck.conformance.requirement import NOTHING_ELSE
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.fixtures.reference_jobs import Guest
from jobtck.hunt import Hunt, Plan
from jobtck.known import concerns, parse_known, read_known, shipped_known
from jobtck.reports.blocks import blocks
from jobtck.verdicts import record_of

GOOD = """
[seen]
mine = ["9.0.0", "9.0.7"]

[[known]]
requirement = "END-6"
demand = "a success carries no error message"
call = "get_job_stats"
answer = "backup: success, with an error message"
backend = "mine"
versions = ">=9.0,<9.1"
reason = "it lies"
reference = "issue 7"

[[known]]
requirement = "TYPE-2"
call = "block_job_abort"
answer = "done"
job = ["backup-pull", "backup-push"]
flaw = "unknown flags"
backend = "yours"
versions = ">=1"
design = "zero-id"
flaky = true
reason = "it ends"
reference = "issue 8"
"""
OLD_FORM = """
[[known]]
requirement = "END-6"
backend = "mine"
versions = ">=9.0,<9.1"
call = "get_job_stats"
reason = "it lies"
reference = "issue 7"
"""
AMPLE_SECONDS = 300.0

# -- reading ---------------------------------------------------------------------------------------


def test_a_list_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(GOOD)
    assert read_known(file) == (
        KnownDeviation(
            "END-6",
            "mine",
            ">=9.0,<9.1",
            "it lies",
            "issue 7",
            "get_job_stats",
            answer="backup: success, with an error message",
            demand="a success carries no error message",
            seen=("9.0.0", "9.0.7"),
        ),
        KnownDeviation(
            "TYPE-2",
            "yours",
            ">=1",
            "it ends",
            "issue 8",
            "block_job_abort",
            "zero-id",
            flaky=True,
            answer="done",
            job=("backup-pull", "backup-push"),
            flaw=("unknown flags",),
        ),
    )


def test_an_empty_list_is_a_list() -> None:
    assert parse_known("# nothing known\n", "known.toml") == ()


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("[[known]\n", ":1:8", "not TOML"),
        ("\n[knwon]\n", ":2:2", "'knwon' is unknown here: write [seen] and tables [[known]]"),
        ("seen = 5\n", ":1:1", "write a table [seen]"),
        (GOOD.replace('"9.0.7"', "9"), ":3:1", 'write the releases as texts in a list, like ["9.0.0", "11.3.0"]'),
        (GOOD.replace('"9.0.7"', '"nine"'), ":3:1", "write the releases"),
        ("[known]\nreason = 'x'\n", ":1:2", "write [[known]], in two brackets"),
        ("known = [1]\n", ":1:1", "write"),
        (GOOD.replace('"issue 8"', "8"), ":26:1", "reference = 8: write a text"),
        (GOOD.replace("flaky = true", 'flaky = "yes"'), ":24:1", "write true or false"),
        (GOOD.replace("TYPE-2", "TYPE-99"), ":16:1", "no requirement 'TYPE-99': see 'jobtck list"),
        (GOOD.replace('">=1"', '"about 1"'), ":22:1", "write a range like '>=9.0,<9.1'"),
        (GOOD.replace('reason = "it ends"\n', ""), ":15:3", "'reason' is missing"),
        (GOOD + "colour = 1\n", ":27:1", "no key 'colour': the keys are requirement, call"),
        (GOOD.replace("block_job_abort", "block_job_abrot"), ":17:1", "no call is named 'block_job_abrot'"),
        (
            GOOD.replace("unknown flags", "unknown"),
            ":20:1",
            "flaw = 'unknown': write one or several of '', ",
        ),
        (GOOD.replace('"backup-push"]', '"backup"]'), ":19:1", "write one or several of '', 'backup-push', "),
        (GOOD.replace("a success carries", "it carries"), ":7:1", "'a normal end is no failure', 'a success carries"),
        (GOOD.replace('demand = "a success carries no error message"\n', ""), ":5:3", "END-6 demands several things"),
        (GOOD.replace('answer = "done"', 'answer = ""'), ":18:1", "'answer' is empty"),
        (
            OLD_FORM,
            ":2:3",
            "END-6 has no 'answer', as in lists of the old form: renew the list with",
        ),
        (OLD_FORM.replace('call = "get_job_stats"\n', ""), ":2:3", "'call' is missing: renew the list"),
        (GOOD.replace('"it lies"', '""'), ":12:1", "'reason' is empty"),
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
        assert each.seen, "releases that were really run"
        assert concerns(each, each.backend, each.design, each.seen[0])
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


SPEED_SYMPTOM = Symptom("TYPE-2", "block_job_set_speed", "done", job="backup-pull")
SPEED = KnownDeviation(
    "TYPE-2",
    "reference",
    "==9.0.0",
    "it re-tunes",
    "issue 7",
    "block_job_set_speed",
    answer="done",
    job=("backup-pull", "backup-push"),
)


def test_an_entry_covers_one_symptom_and_no_other() -> None:
    assert SPEED.covers(SPEED_SYMPTOM)
    assert SPEED.covers(replace(SPEED_SYMPTOM, job="backup-push"))
    for other in (
        replace(SPEED_SYMPTOM, requirement="TYPE-1"),
        replace(SPEED_SYMPTOM, call="block_job_abort"),
        replace(SPEED_SYMPTOM, answer="internal"),
        replace(SPEED_SYMPTOM, demand=NOTHING_ELSE),
        replace(SPEED_SYMPTOM, job="block-copy"),
        replace(SPEED_SYMPTOM, job=""),
        replace(SPEED_SYMPTOM, flaw="unknown flags"),
    ):
        assert not SPEED.covers(other), other
    assert not replace(SPEED, job=("",)).covers(SPEED_SYMPTOM)


def test_a_deviation_is_excused_if_each_of_its_symptoms_is() -> None:
    other = replace(SPEED_SYMPTOM, answer="internal")
    elsewhere = replace(SPEED_SYMPTOM, requirement="SANE-1")
    assert excuses([SPEED], "TYPE-2", [SPEED_SYMPTOM, elsewhere]) == (SPEED,)
    assert excuses([SPEED], "TYPE-2", [SPEED_SYMPTOM, other]) == ()
    assert excuses([SPEED], "TYPE-2", [elsewhere]) == ()


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


PIVOT = replace(SPEED, call="block_job_abort", job=("backup-pull", "backup-push"))


def judged(hunt: Hunt, known: Sequence[KnownDeviation], *, strict: bool = True) -> Record:
    return record_of(hunt, known, "jobtck run", strict=strict)


def verdict_of(record: Record, id: str) -> Verdict:
    return next(each.verdict for each in record.requirements if each.id == id)


def test_a_listed_deviation_is_known_and_fails_no_run(retunes: Hunt) -> None:
    unlisted, listed = judged(retunes, ()), judged(retunes, [SPEED])
    assert (unlisted.verdict, verdict_of(unlisted, "TYPE-2")) == ("nonconforming", "fail")
    assert (listed.verdict, verdict_of(listed, "TYPE-2")) == ("conforming", "known")
    assert listed.stale_known == ()
    assert {each.known for each in listed.requirements} == {(), (SPEED,)}


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(SPEED, backend="libvirt"),
        replace(SPEED, design="zero-id"),
        replace(SPEED, versions=">=9.1"),
    ],
)
def test_a_list_for_something_else_excuses_nothing_and_is_not_stale(elsewhere: KnownDeviation, retunes: Hunt) -> None:
    record = judged(retunes, [elsewhere])
    assert (verdict_of(record, "TYPE-2"), record.stale_known) == (Verdict.FAIL, ())


@pytest.mark.parametrize("other", [PIVOT, replace(SPEED, answer="internal"), replace(SPEED, job=("block-copy",))])
def test_a_list_of_another_symptom_excuses_nothing_and_is_stale(other: KnownDeviation, retunes: Hunt) -> None:
    record = judged(retunes, [other])
    assert (verdict_of(record, "TYPE-2"), record.stale_known) == (Verdict.FAIL, (other,))


def test_of_several_deviations_those_that_are_listed_are_excused_and_the_others_fail(loses: Hunt) -> None:
    record = judged(loses, [SPEED])
    told = next(each for each in record.requirements if each.id == "TYPE-2")
    assert (told.verdict, told.known) == (Verdict.FAIL, (SPEED,))
    excused = {tuple({symptom.call for symptom in each.symptoms}): told.excuses(each) for each in told.deviations}
    assert excused == {("block_job_set_speed",): (SPEED,), ("block_job_abort",): ()}
    assert {block.is_known for block in blocks(record)} == {True, False}
    both = judged(loses, [SPEED, PIVOT])
    assert (verdict_of(both, "TYPE-2"), both.stale_known) == (Verdict.KNOWN, ())


def test_a_listed_deviation_that_no_longer_happens_fails_the_run(faithful: Hunt) -> None:
    assert judged(faithful, ()).verdict is RunVerdict.CONFORMING
    record = judged(faithful, [SPEED], strict=False)
    assert (record.verdict, record.stale_known) == (RunVerdict.NONCONFORMING, (SPEED,))
    assert verdict_of(record, "TYPE-2") is Verdict.PASS


def test_a_flaky_one_may_stay_away(faithful: Hunt) -> None:
    record = judged(faithful, [replace(SPEED, flaky=True)])
    assert (record.verdict, record.stale_known) == (RunVerdict.CONFORMING, ())


@contextmanager
def called(hunt: Hunt, version: str) -> Iterator[None]:
    """The hunt was on a release that calls itself so."""
    target = hunt.target
    assert isinstance(target, ReferenceTarget)
    before, target.versions = target.versions, {"libvirt": version}
    yield
    target.versions = before


@pytest.mark.parametrize("version", ["9.0.0", "9.0.1", "12.0.0", "13.0.0"])
def test_a_version_number_alone_changes_no_verdict(version: str, retunes: Hunt) -> None:
    """An entry whose range is open is applied to releases that the list was not checked on, and the run says so."""
    entry = replace(SPEED, versions=">=9.0.0", seen=("9.0.0", "12.8.0"))
    with called(retunes, version):
        record = judged(retunes, [entry])
    assert (record.verdict, verdict_of(record, "TYPE-2")) == (RunVerdict.CONFORMING, Verdict.KNOWN)
    unseen = (
        f"libvirt {version} is not among the releases that the list of known deviations was checked on, up to 12.8.0"
    )
    assert [note.startswith(unseen) for note in record.notes if "list of known" in note] == [True] * (
        version != "9.0.0"
    )


def test_a_listed_deviation_may_be_gone_from_a_release_that_the_list_has_not_seen(faithful: Hunt) -> None:
    entry = replace(SPEED, versions=">=9.0.0", seen=("9.0.0",))
    with called(faithful, "13.0.0"):
        record = judged(faithful, [entry])
    assert (record.verdict, record.stale_known, record.absent_known) == (RunVerdict.CONFORMING, (), (entry,))
    assert "it may be fixed in libvirt 13.0.0: renew the list" in record.notes[-1]
    record = judged(faithful, [entry])
    assert (record.verdict, record.stale_known) == (RunVerdict.NONCONFORMING, (entry,))


def test_a_listed_deviation_of_what_was_not_judged_is_not_stale(faithful: Hunt) -> None:
    unjudged = replace(SPEED, requirement="ZERO-1")  # default-job has no ids
    record = judged(faithful, [unjudged])
    assert (record.verdict, record.stale_known) == (RunVerdict.CONFORMING, ())


def test_a_deviation_that_was_not_run_again_fails_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobtck.reruns, "NEWS_SECONDS", -1.0)
    hunt = toured(Retunes)
    hunt.confirm_all()
    record = judged(hunt, (), strict=False)
    found = next(each for each in record.requirements if each.id == "TYPE-2")
    assert (found.verdict, record.verdict) == (Verdict.FAIL, RunVerdict.CONFORMING)  # it is a SHOULD
    assert {(each.not_again, each.reproduced, each.runs) for each in found.deviations} == {(TOO_LATE, 0, 0)}
    assert all(each.met > 0 for each in found.deviations)
    assert verdict_of(judged(hunt, [SPEED]), "TYPE-2") is Verdict.KNOWN


def test_a_must_that_was_broken_and_not_run_again_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobtck.reruns, "NEWS_SECONDS", -1.0)
    hunt = toured(LeavesSocket)
    hunt.confirm_all()
    record = judged(hunt, ())
    assert (verdict_of(record, "FAULT-4"), record.verdict) == (Verdict.FAIL, RunVerdict.NONCONFORMING)
