"""The record of a run: all that reports are made of, as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Build, Capabilities
from jobtck.conformance.design import Design
from jobtck.conformance.outcomes import Evidence, Waited
from jobtck.conformance.power_record import Power

RESULT_SCHEMA = "jobtck-result/3"
TRACE_SCHEMA = "jobtck-trace/1"


class Verdict(StrEnum):
    """What a run says of one requirement."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    KNOWN = "known"
    UNSUPPORTED = "unsupported"
    NOT_EXERCISED = "not-exercised"


BELOW = ("libvirt", "qemu")  # what a backend drives: of several, the first is the one that is judged


def judged_below(versions: Mapping[str, str]) -> tuple[str, str]:
    """The name and the release of what a backend drives; empty where it drives nothing but itself."""
    return next(((name, versions[name]) for name in BELOW if versions.get(name)), ("", ""))


class RunVerdict(StrEnum):
    """What a run says of its target."""

    CONFORMING = "conforming"
    NONCONFORMING = "nonconforming"
    INCOMPLETE = "incomplete"
    ERROR = "error"


EXIT_STATUS: Mapping[RunVerdict, int] = {
    RunVerdict.CONFORMING: 0,
    RunVerdict.NONCONFORMING: 1,
    RunVerdict.INCOMPLETE: 3,
    RunVerdict.ERROR: 4,
}
GRAVITY = (RunVerdict.CONFORMING, RunVerdict.INCOMPLETE, RunVerdict.NONCONFORMING, RunVerdict.ERROR)


def gravest(verdicts: list[RunVerdict]) -> RunVerdict:
    """The verdict of several runs together; nothing run is incomplete."""
    return max(verdicts, key=GRAVITY.index, default=RunVerdict.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One call of a trace with what was said: the answer in words, and the backend's own code and text.

    `jobs` are the letters of the jobs that live after it, as far as is known.
    """

    call: Call
    answer: str
    code: str = ""
    text: str = ""
    seconds: float = 0.0
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Symptom:
    """How one requirement was seen broken, in the words of the contract: without ids, labels or native codes.

    `call` is the name of the call that was answered with `answer`. `demand` says which demand was broken, of a
    requirement that has several. `job` is the kind of job that the call is about, and `flaw` what is wrong with the
    call's input; both are empty where there is nothing to say.
    """

    requirement: str
    call: str
    answer: str
    demand: str = ""
    job: str = ""
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Deviation:
    """The shortest calls that show it, the requirements broken, and how often it was seen.

    The run met it `met` times, and exercised its requirements `exercised` times; on fresh guests it was reproduced
    `reproduced` times in `runs`. Without runs, `not_again` says why. If it was never reproduced, `lines` are all calls
    since the guests' start. `follows` are requirements that broke as a consequence. Of the sorts of answers that the
    last call could have, those in `breaking` break the same, those in `allowed` break nothing; both are empty where the
    sort alone does not decide it.
    """

    requirements: tuple[str, ...]
    lines: tuple[TraceLine, ...]
    reproduced: int
    runs: int
    trace_file: str = ""
    breaking: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()
    met: int = 0
    exercised: int = 0
    not_again: str = ""
    follows: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_flaky(self) -> bool:
        """It did not happen every time."""
        return self.reproduced < self.runs


@dataclass(frozen=True, slots=True)
class KnownDeviation:
    """One symptom that is listed: where, in which versions, and why it is there.

    `job` are the kinds of job with which it shows, the empty one if the call is about no job, and `flaw` what is wrong
    with the call's input, empty if nothing is. `seen` are the releases of what the backend drives on which the list was
    checked; if none is named, all are taken for checked.
    """

    requirement: str
    backend: str
    versions: str
    reason: str
    reference: str
    call: str = ""
    design: str = ""  # only in this design, if it is named
    flaky: bool = False  # it does not happen every time: its absence is no news
    expires: str = ""  # the last day, as 2027-06-30, on which it is an excuse
    answer: str = ""
    demand: str = ""
    job: tuple[str, ...] = ("",)
    flaw: tuple[str, ...] = ("",)
    seen: tuple[str, ...] = ()

    def covers(self, symptom: Symptom) -> bool:
        """The symptom is the one that is listed, with one of the kinds of job and one of the flaws."""
        mine = (self.requirement, self.call, self.answer, self.demand)
        theirs = (symptom.requirement, symptom.call, symptom.answer, symptom.demand)
        return mine == theirs and symptom.job in self.job and symptom.flaw in self.flaw


def excuses(
    listed: Sequence[KnownDeviation], requirement: str, symptoms: Iterable[Symptom]
) -> tuple[KnownDeviation, ...]:
    """The entries that cover the symptoms of the requirement, one for each; none if one of them is not covered."""
    own = [each for each in symptoms if each.requirement == requirement]
    found = [next((known for known in listed if known.covers(each)), None) for each in own]
    return () if None in found else tuple(dict.fromkeys(each for each in found if each is not None))


@dataclass(frozen=True, slots=True)
class RequirementRecord:
    """What a run says of one requirement; `reason` says why it is not a plain pass or fail.

    `known` are the entries of the list of known deviations that excuse some of its deviations; where they excuse all
    of them, so does the verdict.
    Not exercised without being missed are those that nothing can exercise yet (`provisional`), and those that a quick
    run left out because they are slow (`left_out`). `excused` says why a run that is held against an earlier one does
    not fail of it.
    """

    id: str
    chapter: str
    level: str
    text: str
    source: str
    verdict: Verdict
    exercised: int
    reason: str = ""
    provisional: bool = False
    deviations: tuple[Deviation, ...] = ()
    known: tuple[KnownDeviation, ...] = ()
    left_out: bool = False
    excused: str = ""

    @property
    def is_missed(self) -> bool:
        """It called for calls that were not made, and nothing excuses that."""
        excused = self.provisional or self.left_out or self.excused
        return self.verdict is Verdict.NOT_EXERCISED and not excused

    @property
    def symptoms(self) -> frozenset[Symptom]:
        """All ways in which it was seen broken."""
        return frozenset(
            symptom for each in self.deviations for symptom in each.symptoms if symptom.requirement == self.id
        )

    def excuses(self, deviation: Deviation) -> tuple[KnownDeviation, ...]:
        """The entries that excuse this deviation, as far as it breaks this requirement."""
        return excuses(self.known, self.id, deviation.symptoms)


@dataclass(frozen=True, slots=True)
class CellRecord:
    """How often a cell answered in one way: what was told, after what sort of wait; the longest in seconds.

    Not `sure`: jobs may have ended by themselves, or the answer of a call was not heard, so that the cell's state is
    only one of those that may have been true. `symptoms` say what this answer breaks there.
    """

    state: str
    call: str
    outcome: str
    count: int
    seconds_max: float
    waited: Waited = Waited.AT_ONCE
    sure: bool = True
    symptoms: tuple[Symptom, ...] = ()

    @property
    def broken(self) -> tuple[str, ...]:
        """The requirements that this answer breaks there."""
        return tuple(dict.fromkeys(each.requirement for each in self.symptoms))


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """What was judged."""

    backend: str
    uri: str
    design: Design
    versions: Mapping[str, str]
    calls: tuple[str, ...]
    features: tuple[str, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    capabilities: Capabilities | None = None  # all that was declared, where a result tells it
    builds: tuple[Build, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls made, and seconds: of the whole search, and inside the backend; both of the main lane only."""

    calls: int
    seconds_total: float
    seconds_in_backend: float


@dataclass(frozen=True, slots=True)
class Exercise:
    """A cell whose answers exercised a requirement, so many times: another answer there could have broken it."""

    requirement: str
    state: str
    call: str
    count: int


@dataclass(frozen=True, slots=True)
class Record:
    """One design judged on one backend.

    `stale_known` are listed deviations that did not happen, `absent_known` did not happen on a release that the list
    was not checked on, `expired_known` happened and are no excuse any more, `unkept_calls` are declared and were never
    supported, `never_succeeded` are calls that were refused even where nothing was in their way, every time.
    """

    verdict: RunVerdict
    target: TargetRecord
    requirements: tuple[RequirementRecord, ...]
    cells: tuple[CellRecord, ...]
    cells_open: int
    cost: Cost
    seed: int
    command: str
    notes: tuple[str, ...] = ()
    stale_known: tuple[KnownDeviation, ...] = ()
    expired_known: tuple[KnownDeviation, ...] = ()
    absent_known: tuple[KnownDeviation, ...] = ()
    unkept_calls: tuple[str, ...] = ()
    never_succeeded: tuple[str, ...] = ()
    strict: bool = False  # a SHOULD that fails, fails the run
    power: Power | None = None  # None where the run ended before it was measured
    explained: tuple[Exercise, ...] = ()  # of the requirements that were asked for; for the terminal only

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """All deviations, each once, in the order of the catalogue."""
        return tuple(dict.fromkeys(deviation for each in self.requirements for deviation in each.deviations))


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a requirement, or of cells of one call, since the baseline; `fails` the run that is held to it."""

    target: str
    what: str
    change: str
    told: str
    fails: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """A run held against an earlier one: what became of it, what is wrong whatever was before, what cannot be told.

    `cells` says how much of what the earlier one visited was visited again.
    """

    baseline: str
    became: tuple[Became, ...]
    complaints: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    @property
    def verdict(self) -> RunVerdict:
        """Nonconforming where something is worse; incomplete where that cannot be told."""
        if self.complaints or any(each.fails for each in self.became):
            return RunVerdict.NONCONFORMING
        return RunVerdict.INCOMPLETE if self.gaps else RunVerdict.CONFORMING


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything that one command judged."""

    records: tuple[Record, ...]
    command: str
    seed: int
    seconds: float
    error: str = ""
    gate: Gate | None = None
    date: str = ""  # when it began, UTC, as 2026-11-23T07:24:31Z; empty where that is not told

    @property
    def exit_status(self) -> int:
        """That of the verdict; of a run that is held against an earlier one, whether it is worse."""
        if self.gate is None or self.error:
            return EXIT_STATUS[self.verdict]
        return EXIT_STATUS[self.gate.verdict]

    @property
    def verdict(self) -> RunVerdict:
        """The gravest of all."""
        if self.error:
            return RunVerdict.ERROR
        return gravest([record.verdict for record in self.records])


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A result that was read, under the name by which a reader tells it from others."""

    name: str
    run: RunRecord
