"""The power of a run: its record judged again with one answer changed at a time, without one more call."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from jobtck.conformance.calls import BackupBegin, BlockJobBegin, Call, call_name
from jobtck.conformance.changed_answers import changes
from jobtck.conformance.changes import Change, Place
from jobtck.conformance.conversations import Conversation, Exchange
from jobtck.conformance.design import Handle
from jobtck.conformance.free_changes import why_free
from jobtck.conformance.judge import Belief, Judge, Step
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.power_record import Power, Unnoticed, Watched
from jobtck.conformance.record import Symptom
from jobtck.conformance.session import Session

CHANGES_MAX = 2_000
PLACES_MAX = 60  # of answers of one form to one call: more of a kind show nothing else
FOLLOWED_MAX = 200  # calls after a change that may still show it: what shows it later is chance
Class = tuple[str, str, str]  # a call, a field of its answers, and what is wrong with it
T = TypeVar("T")


class Chosen(NamedTuple):
    """A change, and the place of the answer in its conversation."""

    place: Place
    change: Change

    @property
    def sort(self) -> Class:
        """The class of changes that it is of."""
        return call_name(type(self.place.call)), self.change.field, self.change.how


class Watch(NamedTuple):
    """A change that was judged, and the requirements that were the first to notice it; none of what is `free`."""

    chosen: Chosen
    noticed_by: tuple[str, ...]
    free: str = ""


def measure(
    judge: Judge,
    conversations: Sequence[Conversation],
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    changes_max: int = CHANGES_MAX,
) -> Power | None:
    """How much the judge notices in these conversations; None where there is none, or if *stop* ends it."""
    watches = list[Watch]()
    for watch in watched(judge, draw(judge, conversations, Random(seed), changes_max)):  # noqa: S311
        if stop():
            return None
        watches.append(watch)
    return _power(watches) if watches else None


def _power(watches: Sequence[Watch]) -> Power:
    counted = [each for each in watches if not each.free]
    fields = Counter(each.chosen.sort[:2] for each in counted)
    noticed_fields = Counter(each.chosen.sort[:2] for each in counted if each.noticed_by)
    classes = Counter(each.chosen.sort for each in counted)
    noticed = {each.chosen.sort for each in counted if each.noticed_by}
    free = Counter((each.chosen.sort, each.free) for each in watches if each.free)
    requirements = Counter(id for each in counted for id in each.noticed_by)
    return Power(
        fields=tuple(Watched(*each, noticed_fields[each], total) for each, total in sorted(fields.items())),
        requirements=tuple(sorted(requirements.items())),
        unwatched=tuple(Unnoticed(*each, total) for each, total in sorted(classes.items()) if each not in noticed),
        free=tuple(Unnoticed(*each, total, reason) for (each, reason), total in sorted(free.items())),
    )


# -- judged again -----------------------------------------------------------------------------------------------------


class Recorded:
    """A backend that answers what it is given, and a clock that moves as it did then."""

    def __init__(self) -> None:
        self._now = 0.0
        self._next: Exchange

    def clock(self) -> float:
        return self._now

    def perform(self, call: Call) -> Outcome:
        self._now += self._next.seconds
        return self._next.outcome

    def end_all_jobs(self) -> None:
        """Nothing is there to end."""

    def close(self) -> None:
        """Nothing is there to close."""

    def say(self, session: Session, exchange: Exchange) -> Step | None:
        """What the session makes of the answer; None where it could not have asked."""
        if not session.can(exchange.call):
            return None
        self._next = exchange
        return session.perform(exchange.call)


def beliefs(judge: Judge, conversation: Conversation) -> list[Belief]:
    """What was believed before each call of a conversation."""
    backend = Recorded()
    session = Session(judge, backend, clock=backend.clock)
    believed = []
    for exchange in conversation:
        believed.append(session.belief)
        backend.say(session, exchange)
    return believed


class Altered:
    """A conversation with one answer changed, from that answer on."""

    def __init__(self, chosen: Chosen, session: Session) -> None:
        self.chosen = chosen
        self.noticed_by: tuple[str, ...] = ()
        self.is_over = False
        self._backend = Recorded()
        self._session = session.fork(self._backend, self._backend.clock)

    def go_on(self, at: int, exchange: Exchange, heard: Session, deviated: frozenset[Symptom]) -> None:
        """The next answer, which shows the change if it deviates otherwise than in the record that was *heard*."""
        change = self.chosen.change
        if at == change.at:
            exchange = exchange._replace(outcome=change.outcome, seconds=change.seconds)
        elif change.also is not None and at == change.also[0]:
            exchange = exchange._replace(outcome=change.also[1])
        if self._is_live(exchange.call):
            self.is_over = True
            return
        step = self._backend.say(self._session, exchange)
        if step is None:
            return
        news = [each for each in step.symptoms_of(step.deviations) if each not in deviated]
        self.noticed_by = tuple(dict.fromkeys(each.requirement for each in news))
        is_told = change.also is None or at >= change.also[0]
        stands = is_told and self._session.stands_as(heard)
        self.is_over = bool(news) or step.belief is None or stands or at >= change.at + FOLLOWED_MAX

    def _is_live(self, call: Call) -> bool:
        """The call would begin a job by the label of one that is now believed to live: nobody would have asked so."""
        if not isinstance(call, BackupBegin | BlockJobBegin) or self._session.judge.design.handle is Handle.NAME:
            return False
        return any(domain.job(call.label) for state in self._session.belief.states for domain in state.domains)


def judge_again(judge: Judge, conversation: Conversation, chosen: Sequence[Chosen]) -> Iterator[Altered]:
    """Each change of the conversation, once it is known whether it is noticed."""
    changes_at: dict[int, list[Chosen]] = {}
    for each in chosen:
        changes_at.setdefault(each.change.at, []).append(each)
    backend = Recorded()
    heard = Session(judge, backend, clock=backend.clock)
    last = max(changes_at, default=-1)
    under_way: list[Altered] = []
    for at, exchange in enumerate(conversation):
        if at > last and not under_way:
            return
        under_way += [Altered(each, heard) for each in changes_at.get(at, ())]
        step = backend.say(heard, exchange)
        assert step is not None, "what was asked once can be asked again"
        deviated = frozenset(step.symptoms_of(step.deviations))
        for altered in under_way:
            altered.go_on(at, exchange, heard, deviated)
        yield from (altered for altered in under_way if altered.is_over)
        under_way = [altered for altered in under_way if not altered.is_over]
    yield from under_way


def watched(judge: Judge, chosen: Iterable[Chosen]) -> Iterator[Watch]:
    """Each change, judged."""
    by_conversation: dict[int, list[Chosen]] = {}
    for each in chosen:
        by_conversation.setdefault(id(each.place.conversation), []).append(each)
    for its in by_conversation.values():
        for altered in judge_again(judge, its[0].place.conversation, its):
            chose, noticed_by = altered.chosen, altered.noticed_by
            yield Watch(chose, noticed_by, "" if noticed_by else why_free(*chose))


# -- which changes ----------------------------------------------------------------------------------------------------


def draw(judge: Judge, conversations: Sequence[Conversation], random: Random, changes_max: int) -> list[Chosen]:
    """Changes of answers, as many of each field of the answers to each call."""
    answers: dict[object, list[tuple[int, int]]] = {}
    for number, conversation in enumerate(conversations):
        for at, (call, outcome, _) in enumerate(conversation):
            answers.setdefault((type(call), type(outcome)), []).append((number, at))
    believed = [beliefs(judge, each) for each in conversations]
    found: dict[tuple[str, str], dict[str, list[Chosen]]] = {}
    for of_a_form in answers.values():
        for number, at in random.sample(of_a_form, min(PLACES_MAX, len(of_a_form))):
            said, before = conversations[number], believed[number][at]
            for each in _chosen_at(Place(judge.design, judge.capabilities, said, at, said[at], before)):
                found.setdefault(each.sort[:2], {}).setdefault(each.change.how, []).append(each)
    fields = [_in_turn([_shuffled(each, random) for each in hows.values()]) for hows in found.values()]
    return _in_turn(fields)[:changes_max]


def _chosen_at(place: Place) -> Iterator[Chosen]:
    """The changes of an answer that change it, each once."""
    for change in dict.fromkeys(changes(place)):
        if (change.outcome, change.seconds) != (place.outcome, place.seconds):
            yield Chosen(place, change)


def _shuffled(items: list[T], random: Random) -> list[T]:
    return random.sample(items, len(items))


def _in_turn(lists: Sequence[list[T]]) -> list[T]:
    """One of each list, and again, until all are through."""
    rounds = range(max(map(len, lists), default=0))
    return [each[turn] for turn in rounds for each in lists if turn < len(each)]
