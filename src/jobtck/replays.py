"""Calls are made again: in one session, or in several on the same guests, as they were made before."""

from collections.abc import Callable, Sequence

from jobtck.conformance.calls import BackupBegin, BlockJobBegin, Call, EndSession
from jobtck.conformance.capabilities import Backend, Target
from jobtck.conformance.design import Handle
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.session import Performed, Session

Ends = Callable[[Step], bool]  # whether a replay is over with that step


def replay(judge: Judge, backend: Backend, calls: Sequence[Call], ends: Ends) -> list[Performed]:
    """Makes the calls up to the first step that *ends* says is the last.

    Calls on ids that were never told are left out, begins under the label of a live job, and what would follow in a
    session in which nothing is known any more.
    """
    session = Session(judge, backend)
    for call in calls:
        ended = session.is_over and not isinstance(call, EndSession)
        if ended or not session.can(call) or _calls_two_alike(session, call):
            continue
        if ends(session.perform(call)):
            break
    return list(session.history)


def at_any_deviation(step: Step) -> bool:
    """The replay is over with the first deviation."""
    return bool(step.deviations)


def when_nothing_is_known(step: Step) -> bool:
    """The replay is over when it cannot be judged any more; a wrong form of an answer does not end it."""
    return step.belief is None


def at_the_like_of(shown: Step) -> Ends:
    """The replay is over with a step that deviates as that one does."""
    return lambda step: is_like(step, shown)


def is_like(step: Step, shown: Step) -> bool:
    """Both break the same demands by the same answer to the same call, whatever job or disk that is about."""
    return bool(step.deviations) and _likeness(step) == _likeness(shown)


def shows_like(performed: Sequence[Performed], shown: Step) -> bool:
    """The calls ended in a step that deviates as that one does."""
    return bool(performed) and is_like(performed[-1].step, shown)


def calls_of(performed: Sequence[Performed]) -> tuple[Call, ...]:
    """The calls that were made."""
    return tuple(each.call for each in performed)


def _likeness(step: Step) -> tuple[object, ...]:
    symptoms = step.symptoms_of(step.deviations)
    return (step.deviations, type(step.call), tuple((each.requirement, each.demand, each.answer) for each in symptoms))


def _calls_two_alike(session: Session, call: Call) -> bool:
    """The begin's label is that of a live job; where it stands for a name, that is worth a try."""
    if not isinstance(call, BackupBegin | BlockJobBegin):
        return False
    if session.judge.design.handle is Handle.NAME:
        return False
    return any(domain.job(call.label) for domain in session.belief.state.domains)


class Stage:
    """Guests on which calls are made again, one replay after the other."""

    def __init__(self, target: Target, judge: Judge) -> None:
        self._target = target
        self._judge = judge
        self._backend: Backend | None = None

    def replay(self, calls: Sequence[Call], ends: Ends) -> list[Performed]:
        """Makes the calls in a session of their own, on guests that may have been used before."""
        if self._backend is None:
            return self.replay_afresh(calls, ends)
        if Session(self._judge, self._backend).perform(EndSession()).belief is None:
            return self.replay_afresh(calls, ends)
        return replay(self._judge, self._backend, calls, ends)

    def replay_afresh(self, calls: Sequence[Call], ends: Ends) -> list[Performed]:
        """Makes the calls on guests that nothing was ever done to."""
        self.close()
        self._backend = self._target.fresh()
        return replay(self._judge, self._backend, calls, ends)

    def close(self) -> None:
        """The guests are given back."""
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()
