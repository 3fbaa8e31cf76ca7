"""What a hunt has met is run again: at first, and with time of its own, what is not listed; what is listed, once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from jobtck.confirm import TOO_LATE, Patience, as_seen, confirm, recall
from jobtck.conformance.capabilities import Target
from jobtck.conformance.errors import JobtckError, SessionLost
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import Deviation
from jobtck.conformance.tally import Tally
from jobtck.findings import Findings, Found
from jobtck.replays import Stage

NEWS_SECONDS = 90.0  # beyond the budget, for what is not listed: most runs have nothing such
NEWS_RESERVE = 30.0  # of it: what is begun now is not made as short as it could be
LISTED_SECONDS = 15.0  # for what is listed; it takes a tenth of a second each
LANES = 4
INTERRUPTED = "the run was interrupted"


class Reruns:
    """Runs deviations again, several side by side; a backend that fails for good is reported to *fail*."""

    def __init__(
        self, target: Target, judge: Judge, stop: Callable[[], bool], fail: Callable[[JobtckError], None]
    ) -> None:
        self._target = target
        self._judge = judge
        self._stop = stop
        self._fail = fail
        self._why_not = ""

    def give_up(self, why: str) -> None:
        """Nothing is run again from now on."""
        self._why_not = self._why_not or why

    def run_all(self, findings: Findings, tally: Tally) -> None:
        """Gives the findings what came of each deviation."""
        chosen, alike = findings.news()
        for found, deviation in zip(chosen, self._news(findings, chosen), strict=True):
            findings.add(found, deviation, tally)
        for found in alike:
            findings.add_alike(found, tally)
        listed = findings.listed()
        for found, deviation in zip(listed, self._listed(findings, listed), strict=True):
            findings.add(found, deviation, tally)
        findings.fold(tally)

    def _news(self, findings: Findings, chosen: Sequence[Found]) -> list[Deviation]:
        end = time.monotonic() + NEWS_SECONDS
        patience = Patience(self._stop, lambda: self._stop() or time.monotonic() > end - NEWS_RESERVE)

        def confirmed(found: Found) -> Deviation:
            if why := self._why_no_more(end):
                return as_seen(found.seen, not_again=why)
            try:
                return confirm(self._target, self._judge, findings.with_ways(found), patience)
            except JobtckError as error:
                return self._failed(found, error)

        with ThreadPoolExecutor(LANES, thread_name_prefix="confirm") as lanes:
            return list(lanes.map(confirmed, chosen))

    def _listed(self, findings: Findings, listed: Sequence[Found]) -> list[Deviation]:
        """Those of one lane are run again on the same guests."""
        end = time.monotonic() + LISTED_SECONDS
        deviations: dict[int, Deviation] = {}

        def recall_some(first: int) -> None:
            stage = Stage(self._target, self._judge)
            try:
                for at in range(first, len(listed), LANES):
                    deviations[at] = recalled(listed[at], stage)
            finally:
                stage.close()

        def recalled(found: Found, stage: Stage) -> Deviation:
            if why := self._why_no_more(end):
                return as_seen(found.seen, not_again=why)
            try:
                return recall(self._judge, findings.with_ways(found), stage, self._stop)
            except JobtckError as error:
                stage.close()
                return self._failed(found, error)

        with ThreadPoolExecutor(LANES, thread_name_prefix="recall") as lanes:
            list(lanes.map(recall_some, range(LANES)))
        return [deviations[at] for at in range(len(listed))]

    def _why_no_more(self, end: float) -> str:
        if self._stop():
            return INTERRUPTED
        return self._why_not or (TOO_LATE if time.monotonic() > end else "")

    def _failed(self, found: Found, error: JobtckError) -> Deviation:
        """A backend may be lost for one session, or for the whole hunt."""
        if not isinstance(error, SessionLost):
            self.give_up("the run ended before")
            self._fail(error)
        return as_seen(found.seen, not_again=f"it failed when it was run again: {error}")
