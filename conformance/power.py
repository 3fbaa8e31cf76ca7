"""The power of a run: its record judged again with one answer changed at a time, without one more call."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """A change, the number of its conversation, and the name of the call whose answer it is."""

    conversation: int
    call: str
    change: Change

    @property
    def sort(self) -> Class:
        """The class of changes that it is of."""
        return self.call, self.change.field, self.change.how


class Watch(NamedTuple):
    """A change that was judged, and the requirements that were the first to notice it."""

    chosen: Chosen
    noticed_by: tuple[str, ...]


def measure(
    judge: Judge,
    conversations: Sequence[Conversation],
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    changes_max: int = CHANGES_MAX,
) -> Power | None:
    """How much the judge notices in these conversations; None where there is none, or if *stop* ends it."""
    if not conversations:
        return None
    chosen, free = draw(judge, conversations, Random(seed), changes_max)  # noqa: S311
    watches = []
    for watch in watched(judge, conversations, chosen):
        if stop():
            return None
        watches.append(watch)
    return _power(watches, free)


def _power(watches: Sequence[Watch], free: Mapping[tuple[Class, str], int]) -> Power:
    fields, noticed_fields = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    sorts, noticed_sorts = Counter[Class](), Counter[Class]()
    requirements = Counter[str]()
    for (_, call, change), noticed_by in watches:
        sort = (call, change.field, change.how)
        fields[sort[:2]] += 1
        sorts[sort] += 1
        if noticed_by:
            noticed_fields[sort[:2]] += 1
            noticed_sorts[sort] += 1
        requirements.update(noticed_by)
    return Power(
        fields=tuple(Watched(*each, noticed_fields[each], total) for each, total in sorted(fields.items())),
        requirements=tuple(sorted(requirements.items())),
        unwatched=tuple(Unnoticed(*each, total) for each, total in sorted(sorts.items()) if not noticed_sorts[each]),
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


def watched(judge: Judge, conversations: Sequence[Conversation], chosen: Sequence[Chosen]) -> Iterator[Watch]:
    """Each change, judged."""
    by_conversation: dict[int, list[Chosen]] = {}
    for each in chosen:
        by_conversation.setdefault(each.conversation, []).append(each)
    for number, its in by_conversation.items():
        for altered in judge_again(judge, conversations[number], its):
            yield Watch(altered.chosen, altered.noticed_by)


# -- which changes ----------------------------------------------------------------------------------------------------


def draw(
    judge: Judge, conversations: Sequence[Conversation], random: Random, changes_max: int
) -> tuple[list[Chosen], Mapping[tuple[Class, str], int]]:
    """Changes, as many of each field of the answers to each call, and how many were left out as free."""
    answers: dict[object, list[tuple[int, int]]] = {}
    for number, conversation in enumerate(conversations):
        for at, (call, outcome, _) in enumerate(conversation):
            answers.setdefault((type(call), type(outcome)), []).append((number, at))
    found: dict[tuple[str, str], dict[str, list[Chosen]]] = {}
    free = Counter[tuple[Class, str]]()
    believed = [beliefs(judge, each) for each in conversations]
    for of_a_form in answers.values():
        for number, at in random.sample(of_a_form, min(PLACES_MAX, len(of_a_form))):
            said, before = conversations[number], believed[number][at]
            place = Place(judge.design, judge.capabilities, said, at, said[at], before)
            for each in _chosen_at(place, number):
                if reason := why_free(place, each.change):
                    free[each.sort, reason] += 1
                else:
                    found.setdefault(each.sort[:2], {}).setdefault(each.change.how, []).append(each)
    fields = [_in_turn([_shuffled(each, random) for each in hows.values()]) for hows in found.values()]
    return _in_turn(fields)[:changes_max], free


def _chosen_at(place: Place, number: int) -> Iterator[Chosen]:
    """The changes of an answer that change it, each once."""
    name = call_name(type(place.call))
    for change in dict.fromkeys(changes(place)):
        if (change.outcome, change.seconds) != (place.outcome, place.seconds):
            yield Chosen(number, name, change)


def _shuffled(items: list[T], random: Random) -> list[T]:
    return random.sample(items, len(items))


def _in_turn(lists: Sequence[list[T]]) -> list[T]:
    """One of each list, and again, until all are through."""
    rounds = range(max(map(len, lists), default=0))
    return [each[turn] for turn in rounds for each in lists if turn < len(each)]
