"""The process in which a driver was judged died, or hung: which calls do it, found out in fresh processes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobtck.confirm import RUNS, evidence_of, line_of
from jobtck.conformance.calls import Call, EndSession, call_name
from jobtck.conformance.capabilities import Target
from jobtck.conformance.errors import JobtckError
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import Evidence, Fate, Lost, Party
from jobtck.conformance.record import Deviation, Record, RunRecord, Symptom, TraceLine, Verdict
from jobtck.conformance.session import Performed
from jobtck.conformance.wording import answer_text
from jobtck.hunt import Hunt
from jobtck.journal import Life, asked_in, lives_in
from jobtck.replays import Stage, calls_of, when_nothing_is_known
from jobtck.strategies.shorten import plainer, shorten

BROKEN = {Fate.DIED: "SANE-1", Fate.HUNG: "TIME-1"}
SHARE = 0.3  # of the budget, for making the calls again
SECONDS_MIN = 20.0
SECONDS_MIN_OF_HUNG = 150.0  # each time that it hangs takes more than a minute
LINES_MAX = 1_000  # calls told where none was found that does it again, the last ones
NOT_KEPT = "its answer was not kept"


@dataclass(frozen=True, slots=True)
class Crash:
    """How the process was lost, what was done to each set of guests in it, and what it had reported until then."""

    fate: Fate
    code: str
    text: str
    lives: tuple[Life, ...]
    evidence: tuple[Evidence, ...] = ()
    before: RunRecord | None = None

    @property
    def note(self) -> str:
        """What a reader must know of a run after it."""
        if self.fate is Fate.HUNG:
            return f"{self.text}; its calls were made again in fresh processes, and nothing else was judged"
        return f"{self.text}; it was judged anew, each set of guests driven in a process of its own"

    @property
    def assumed(self) -> frozenset[str]:
        """The calls that a backend must not be asked for when it is opened again."""
        opening = (life for life in self.lives if not life.backend)
        return frozenset(call_name(type(call)) for life in opening for call in life.calls)

    @property
    def requirement(self) -> str:
        """What is broken by it."""
        return BROKEN[self.fate]


def suspects(lives: Sequence[Life], fate: Fate) -> tuple[Life, ...]:
    """Those whose calls may have done it, the most suspicious first.

    The last call that was begun before a death is suspected first; of a process that hangs, the first of those that
    never returned. Calls come before ends of sessions.
    """
    seen = [life for life in lives if life.calls]
    under_way = [life for life in seen if life.is_under_way]
    ending = [life for life in seen if life.is_ending]
    if fate is Fate.HUNG:
        return (*reversed(under_way), *reversed(ending))
    return (*under_way, *ending, *(life for life in seen if not (life.is_under_way or life.is_ending)))


def look_into(crash: Crash, hunt: Hunt, is_over: Callable[[], bool]) -> None:
    """Adds the deviation to what the hunt has found, if its calls may have done it."""
    target, design = hunt.target.name, hunt.target.design.name
    mine = [life for life in crash.lives if life.backend in (target, "") and life.design == design]
    suspected = suspects(mine, crash.fate)
    if not suspected:
        return
    seconds_min = SECONDS_MIN_OF_HUNG if crash.fate is Fate.HUNG else SECONDS_MIN
    end = time.monotonic() + max(seconds_min, SHARE * hunt.plan.budget_seconds)
    again = _Again(hunt.target, hunt.judge, crash.fate, lambda: is_over() or time.monotonic() > end)
    found = next((found for life in suspected if (found := again.of(life.last)) is not None), None)
    hunt.findings.add_shown(found or _unseen(crash, suspected, again.runs))


class _Again:
    """Makes calls again, each time on guests whose process is another than the one that was lost."""

    def __init__(self, target: Target, judge: Judge, fate: Fate, is_over: Callable[[], bool]) -> None:
        self.runs = 0
        self._stage = Stage(target, judge)
        self._fate = fate
        self._is_over = is_over

    def of(self, calls: Sequence[Call]) -> Deviation | None:
        """The deviation, if the calls show it again: with as few of them as do, and how often."""
        if self._is_over():
            return None
        try:
            shown = self._play(calls)
            return self._rated(self._shortened(shown)) if self._shows(shown) else None
        except JobtckError:
            return None
        finally:
            self._stage.close()

    def _play(self, calls: Sequence[Call]) -> list[Performed]:
        """What comes of the calls, and of the end of their session."""
        self.runs += 1
        performed = self._stage.replay((*calls, EndSession()), when_nothing_is_known)
        return performed if self._shows(performed) else performed[:-1]

    def _shows(self, performed: Sequence[Performed]) -> bool:
        lost = performed[-1].outcome if performed else None
        return isinstance(lost, Lost) and lost.fate is self._fate

    def _shortened(self, shown: list[Performed]) -> list[Performed]:
        best = shown

        def still(calls: Sequence[Call]) -> bool:
            nonlocal best
            if self._is_over():
                return False
            performed = self._play(calls)
            if not self._shows(performed):
                return False
            best = performed
            return True

        if self._fate is Fate.DIED:  # what hangs takes a minute each time
            shorten(calls_of(shown), still)
            plainer(calls_of(best), still)
        return best

    def _rated(self, shown: list[Performed]) -> Deviation:
        """How often the calls do it: once for certain, and again as often as there is time for."""
        reproduced = runs = 1
        while runs < RUNS and self._fate is Fate.DIED and not self._is_over():
            runs += 1
            reproduced += self._shows(self._play(calls_of(shown)))
        last = shown[-1].step
        return Deviation(
            requirements=last.deviations,
            lines=tuple(map(line_of, shown)),
            reproduced=reproduced,
            runs=runs,
            symptoms=last.symptoms_of(last.deviations),
            met=1,
            exercised=1,
            evidence=evidence_of(shown),
        )


def _unseen(crash: Crash, suspected: Sequence[Life], runs: int) -> Deviation:
    """The deviation where the calls did not show it again: all calls of the sessions, the most suspicious one last."""
    last_words = answer_text(Lost(Party.SERVER, crash.fate))
    calls = [call for life in reversed(suspected) for call in (life.calls if life is suspected[0] else life.last)]
    lines = [TraceLine(call, NOT_KEPT) for call in calls[-LINES_MAX:]]
    lines[-1] = replace(lines[-1], answer=last_words, code=crash.code, text=crash.text)
    return Deviation(
        requirements=(crash.requirement,),
        lines=tuple(lines),
        reproduced=0,
        runs=runs,
        symptoms=(Symptom(crash.requirement, "any", last_words),),
        met=1,
        exercised=1,
        not_again="" if runs else "there was no time left to run it again",
        evidence=crash.evidence,
    )


def with_earlier(run: RunRecord, before: RunRecord | None) -> RunRecord:
    """The run, with the failures that were reported before its process was lost, and did not come again."""
    if before is None:
        return run
    earlier = {(each.target.backend, each.target.design.name): each for each in before.records}
    records = tuple(
        _with_earlier(each, earlier.get((each.target.backend, each.target.design.name))) for each in run.records
    )
    return replace(run, records=records)


def _with_earlier(record: Record, before: Record | None) -> Record:
    if before is None:
        return record
    failed = {each.id: each for each in before.requirements if each.verdict is Verdict.FAIL}
    requirements = tuple(
        each if each.verdict in (Verdict.FAIL, Verdict.KNOWN) else failed.get(each.id, each)
        for each in record.requirements
    )
    is_worse = any(new is not old for new, old in zip(requirements, record.requirements, strict=True))
    return replace(record, requirements=requirements, verdict=before.verdict if is_worse else record.verdict)


def crash_from(journals: Path, code: str, *, has_hung: bool, evidence: tuple[Evidence, ...]) -> Crash | None:
    """What is known of a process that was lost; None where it made no call that could have done it."""
    asked = asked_in(journals)
    lives = (*([asked] if asked is not None else []), *lives_in(journals))
    if not any(life.calls for life in lives):
        return None
    if has_hung:
        return Crash(Fate.HUNG, "", "a call did not return, and the process that made it was ended", lives, evidence)
    return Crash(Fate.DIED, code, f"the process in which the backend was driven died of {code}", lives, evidence)
