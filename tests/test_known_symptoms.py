"""What is listed excuses its own symptom, also beside another one of the same requirement in the same call."""

from dataclasses import replace

import pytest
from tests.judged import judged, prepare
from tests.mutants_table import DEFAULT_JOB

from jobtck.conformance import calls
from jobtck.conformance.calls import Mode
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.catalogue import BY_ID, CATALOGUE
from jobtck.conformance.errors import BadInput
from jobtck.conformance.gate import refuse_useless
from jobtck.conformance.outcomes import Description, JobInfo, Outcome, Progress
from jobtck.conformance.record import KnownDeviation, NamedRun, RequirementRecord, RunRecord, RunVerdict, Verdict
from jobtck.fixtures.backup_xml import described
from jobtck.fixtures.build_directory import INSTALLED_SCHEMA
from jobtck.fixtures.reference import Reference
from jobtck.fixtures.reference_jobs import Guest, JobRecord
from jobtck.fixtures.schema_flaws import OTHERWISE
from jobtck.gate import held_against


@pytest.fixture(autouse=True)
def _prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)


class ExcusesItselfForPulls(Reference):
    """Reports the end of a pull as a success with an error message."""

    def keep_statistics(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().keep_statistics(guest, job, success=success)
        if job.mode is Mode.PULL:
            guest.completed = replace(guest.completed, error=True)


class CountsWhatWasCutShort(ExcusesItselfForPulls):
    """Reports a push that was cut short as a success too, with the same error message."""

    def keep_statistics(self, guest: Guest, job: JobRecord, *, success: bool) -> None:
        super().keep_statistics(guest, job, success=success)
        if not guest.completed.success:
            guest.completed = replace(guest.completed, success=True, error=True)


OF_PULLS = KnownDeviation(
    "END-6",
    "reference",
    ">=0",
    "the end of a pull carries an error message",
    "docs",
    "get_job_stats",
    answer="backup: success, with an error message",
    demand="a success carries no error message",
    job=("backup-pull",),
)


def end_6(run: RunRecord) -> RequirementRecord:
    return next(each for each in run.records[0].requirements if each.id == "END-6")


def test_a_push_that_was_cut_short_is_not_excused_by_what_is_known_of_pulls() -> None:
    known = judged(DEFAULT_JOB, ExcusesItselfForPulls, calls_more=0, known=[OF_PULLS])
    assert (end_6(known).verdict, known.verdict) == (Verdict.KNOWN, RunVerdict.CONFORMING)
    worse = judged(DEFAULT_JOB, CountsWhatWasCutShort, calls_more=0, known=[OF_PULLS])
    told = end_6(worse)
    assert (told.verdict, worse.verdict) == (Verdict.FAIL, RunVerdict.NONCONFORMING)
    unlisted = {(each.demand, each.job) for each in told.symptoms if not OF_PULLS.covers(each)}
    assert ("a job that was cut short is no success", "backup-push") in unlisted
    assert {bool(told.excuses(each)) for each in told.deviations} == {True, False}
    held = held_against(worse, NamedRun("old", known), strict=False)
    assert held.exit_status == 1
    assert held.gate is not None
    assert any("a job that was cut short is no success" in each.told for each in held.gate.became if each.fails)


# Demands


def test_demands_have_names_of_their_own() -> None:
    for each in CATALOGUE:
        assert len(set(each.demand_names)) == len(each.demand_names), each.id
        assert all(name or len(each.demands) == 1 for name in each.demand_names), each.id
    assert BY_ID["TYPE-2"].demand_names == ("", "nothing else comes of it")
    assert "it is valid" in BY_ID["QUERY-2"].demand_names


class AnswersInvalidly(Reference):
    """Answers XML that breaks the schema, and names no disks for a push."""

    def backup_get_xml_desc(self, guest: Guest, call: calls.BackupGetXmlDesc) -> Outcome:
        outcome = super().backup_get_xml_desc(guest, call)
        if not isinstance(outcome, Description):
            return outcome
        disks = () if outcome.mode is Mode.PUSH else outcome.disks
        return replace(outcome, disks=disks, flaw="attribute index of disk")


def test_each_demand_that_is_broken_is_a_symptom() -> None:
    run = judged(DEFAULT_JOB, AnswersInvalidly, calls_more=0)
    (told,) = (each for each in run.records[0].requirements if each.id == "QUERY-2")
    seen = {(each.demand, each.answer, each.job) for each in told.symptoms}
    invalid = ("it is valid", "invalid: attribute index of disk")
    assert seen == {
        (*invalid, "backup-pull"),
        (*invalid, "backup-push"),
        ("it names the disks", "push of 0 disks, invalid", "backup-push"),
    }


class CountsTimeAnew(Reference):
    """Takes the time that a job has taken from now on, at each question."""

    asked = 0

    def measure(self, guest: Guest, job: JobRecord) -> Progress:
        self.asked += 1
        return Progress(5, 10, 1_000_000 - self.asked)


def test_progress_and_time_that_run_backwards_are_two_symptoms() -> None:
    run = judged(DEFAULT_JOB, CountsTimeAnew, calls_more=0)
    (told,) = (each for each in run.records[0].requirements if each.id == "QUERY-3")
    assert {each.demand for each in told.symptoms} == {"elapsed time never runs backwards"}
    assert {each.answer for each in told.symptoms} >= {"backup, less time than before"}
    assert JobInfo(None).reading.ran_backwards == ""


# What is wrong with XML

VALID = (
    "<domainbackup mode='pull'><server transport='unix' socket='/tmp/s{0}'/><disks>"
    "<disk name='vda' backup='yes' type='file'><driver type='qcow2'/><scratch file='/tmp/{0}'/></disk>"
    "</disks></domainbackup>"
)


@pytest.mark.skipif(not INSTALLED_SCHEMA.is_file(), reason="libvirt's schemas are not there")
@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        ("", "", ""),
        ("type='file'", "type='file' index='{0}'", "attribute index of disk"),
        ("<driver", "<foo/><driver", "element foo"),
        ("<disk name='vda'", "<disk index='{0}' nom='x' name='vda'", "attribute index of disk, attribute nom of disk"),
        (" type='file'><", " type='file' index='{0}'><foo/><", "attribute index of disk, element foo"),
        ("name='vda' ", "", OTHERWISE),
        ("name='vda' ", "index='5' ", OTHERWISE),
    ],
)
def test_what_breaks_the_schema_is_told_in_words_that_stay_the_same(old: str, new: str, flaw: str) -> None:
    text = VALID.replace(old, new, 1) if old else VALID
    assert {described(text.format(number), INSTALLED_SCHEMA).flaw for number in range(3)} == {flaw}


# The gate needs work done


def declaring_nothing(run: RunRecord) -> RunRecord:
    (record,) = run.records
    target = replace(record.target, calls=(), capabilities=Capabilities(frozenset()))
    requirements = tuple(
        replace(each, verdict=Verdict.UNSUPPORTED, exercised=0, reason="the backend lacks it", deviations=(), known=())
        for each in record.requirements
    )
    return replace(
        run,
        records=(replace(record, target=target, requirements=requirements, cells=(), verdict=RunVerdict.INCOMPLETE),),
    )


@pytest.mark.parametrize("strict", [False, True])
def test_a_run_that_made_no_calls_is_incomplete_whatever_the_baseline(*, strict: bool) -> None:
    whole = judged(DEFAULT_JOB, calls_more=0)
    nothing = declaring_nothing(whole)
    for baseline in (whole, nothing):
        held = held_against(nothing, NamedRun("old", baseline), strict=strict)
        assert held.exit_status == 3
        assert held.gate is not None
        assert any("this run made no call" in each for each in held.gate.gaps)
    gaps = held_against(nothing, NamedRun("old", whole), strict=strict).gate
    assert gaps is not None
    told = " ".join(gaps.gaps)
    assert "END-6 was passed in the baseline, and is not judged now: unsupported: the backend lacks it" in told
    assert "abort_job was declared in the baseline" in told


def test_a_baseline_that_excuses_nothing_is_refused() -> None:
    whole = judged(DEFAULT_JOB, calls_more=0)
    pair = ("reference", "default-job")
    refuse_useless(whole, "old", [pair])
    for useless in (declaring_nothing(whole), RunRecord((), "", 1, 1.0)):
        with pytest.raises(BadInput, match=r"^old: the baseline exercised nothing: take the result of a run that"):
            refuse_useless(useless, "old", [pair])
    told = r"^old: the baseline judged reference as default-job, and this run is to judge {} as {}: take a result of"
    for other in (("reference", "zero-id"), ("libvirt", "default-job")):
        with pytest.raises(BadInput, match=told.format(*other)):
            refuse_useless(whole, "old", [other])
        refuse_useless(whole, "old", [other, pair])  # what the baseline did not judge is a gap
    (record,) = whole.records
    by_command = replace(whole, records=(replace(record, target=replace(record.target, backend="exec:./old")),))
    refuse_useless(by_command, "old", [("exec:./new", "default-job")])
