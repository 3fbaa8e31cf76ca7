"""The judge keeps the states in which no MUST is broken; if none is left, it says which were."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import NamedTuple

from jobtck.conformance.calls import Call, Flaw, alone, is_at_once
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.cells import Cell, cell, is_determined, told_words
from jobtck.conformance.context import Context, context
from jobtck.conformance.design import Design
from jobtck.conformance.digest import digest
from jobtck.conformance.model import after, follows, futures, unheard
from jobtck.conformance.order import Fared, fared
from jobtck.conformance.outcomes import (
    HELD_UP,
    Both,
    ErrorKind,
    Lost,
    Outcome,
    Refusal,
    Single,
    Unknown,
    Waited,
    is_silent,
)
from jobtck.conformance.record import Symptom
from jobtck.conformance.requirement import NOTHING_ELSE, Answer, Level, Requirement, Trouble, trouble_in
from jobtck.conformance.scene import Scene, scene
from jobtck.conformance.state import State, initial
from jobtck.conformance.symptoms import symptoms

BELIEF_MAX = 256  # two to the power of the live transient jobs, twice for events; more is a mistake in the model
FUTURES_MAX = 20_000  # states whose futures are remembered
REFUSED = Refusal(ErrorKind.NO_SUCH_JOB)
SILENT_MAX = 8  # states believed after answers that never came: three calls deep; then nothing is known any more
RULINGS_MAX = 200_000  # some hundred megabytes; a design has a few thousand, beyond that they are made anew


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the requirements say of a sort of answer: it is the same whatever labels and disks are in it.

    `exercised`, `broken`, `misformed` and `regretted` are ids: of MUSTs that no conforming backend in this state
    could break, of requirements on the form of the answer only, and of SHOULDs; `symptoms` say how. `promises` are the
    exercised requirements that say what later queries must not show of the call. `told` is the answer in words, without
    the backend's own code, and `waited` how long it took; `context` is what the call was about. `sure` is false where
    several states may have been true.
    `fared` is what came of the call, as far as it tells whether such calls ever work.
    """

    cell: Cell
    exercised: tuple[str, ...]
    broken: tuple[str, ...]
    misformed: tuple[str, ...]
    regretted: tuple[str, ...]
    promises: tuple[Requirement, ...]
    told: str
    waited: Waited
    context: Context
    fared: Fared = Fared.OTHERWISE
    sure: bool = True
    symptoms: tuple[Symptom, ...] = ()

    __hash__ = object.__hash__  # there is one of each

    @property
    def deviations(self) -> tuple[str, ...]:
        """All that the answer breaks."""
        return (*(self.broken or self.regretted), *self.misformed)

    @property
    def deviating(self) -> tuple[Symptom, ...]:
        """How the answer breaks it."""
        deviations = self.deviations
        return tuple(each for each in self.symptoms if each.requirement in deviations)


class Belief:
    """The states that may be true; `state` is one of them: where jobs may be over, the one with most of them."""

    __slots__ = ("_several", "state")

    def __init__(self, states: frozenset[State]) -> None:
        self._several = states if len(states) > 1 else None
        self.state = max(states, key=_liveliness) if len(states) > 1 else next(iter(states))

    @classmethod
    def sure(cls, state: State) -> "Belief":
        """The belief in one state; nothing is hashed for it."""
        belief = cls.__new__(cls)
        belief._several = None  # noqa: SLF001
        belief.state = state
        return belief

    @property
    def states(self) -> frozenset[State]:
        """The states that may be true."""
        return frozenset((self.state,)) if self._several is None else self._several

    @property
    def is_sure(self) -> bool:
        """Only one state is believed."""
        return self._several is None


class Step(NamedTuple):
    """What the judge makes of one answer; `belief` is None when nothing is known any more and the session ends."""

    call: Call
    outcome: Outcome
    before: Belief
    ruling: Ruling
    deviations: tuple[str, ...]
    belief: Belief | None

    def symptoms_of(self, requirements: Iterable[str]) -> tuple[Symptom, ...]:
        """How these requirements were seen broken; what this answer does not break itself, it brought to light."""
        seen = [each for each in self.ruling.symptoms if each.requirement in self.deviations]
        found = list[Symptom]()
        for id in requirements:
            own = [each for each in seen if each.requirement == id]
            found += own or [replace(each, requirement=id, demand=NOTHING_ELSE) for each in seen[:1]]
        return tuple(found)


def _ids(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    return tuple(requirement.id for requirement in requirements)


def _liveliness(state: State) -> tuple[int, str]:
    return sum(len(domain.jobs) for domain in state.domains), repr(state)


class Judge:
    """Judges answers against the requirements that a design and a backend's capabilities call for."""

    def __init__(
        self,
        design: Design,
        capabilities: Capabilities,
        catalogue: Iterable[Requirement] = CATALOGUE,
        domains: int = 2,
    ) -> None:
        self.design = design
        self.capabilities = capabilities
        self.requirements = tuple(
            requirement
            for requirement in catalogue
            if not requirement.provisional
            and not requirement.needs.missing_in_design(design)
            and not requirement.needs.missing_in_backend(design, capabilities)
        )
        self._in_trouble = {
            trouble: tuple(requirement for requirement in self.requirements if trouble in requirement.troubles)
            for trouble in Trouble
        }
        self.is_restless = bool(capabilities.transient) or capabilities.abort_is_asynchronous
        self._rulings: dict[object, Ruling] = {}
        self._distinct: dict[object, Ruling] = {}  # most digests are ruled as some other was
        self._unsure: dict[object, Ruling] = {}
        self._futures_of: dict[State, frozenset[State]] = {}
        self._start = Belief.sure(initial(domains))

    def start(self) -> Belief:
        """What is believed of a fresh session: running domains, no jobs."""
        return self._start

    def step(self, belief: Belief, call: Call, outcome: Outcome, waited: Waited = Waited.AT_ONCE) -> Step:
        """Keeps the states in which no MUST is broken; without any, names what is broken."""
        if isinstance(outcome, Lost):
            ruling = self.rule(belief.state, call, outcome, waited)
            return Step(call, outcome, belief, ruling, ruling.deviations, None)
        if isinstance(outcome, Unknown):
            return self._step_unheard(belief, call, outcome, waited)
        if isinstance(outcome, Both) and is_at_once(call):
            return self._step_at_once(belief, call, outcome, waited)
        if not belief.is_sure or (self.is_restless and len(self._futures(belief.state)) > 1):
            return self._step_among(belief, call, outcome, waited)
        state = belief.state
        ruling = self.rule(state, call, outcome, waited)
        deviations = ruling.broken or ruling.regretted
        if deviations:
            return Step(call, outcome, belief, ruling, deviations, None)
        followed = self._follow(state, call, outcome)
        after_it = belief if followed is state else Belief.sure(followed)
        return Step(call, outcome, belief, ruling, ruling.misformed, after_it)

    def rule(self, state: State, call: Call, outcome: Outcome, waited: Waited = Waited.AT_ONCE) -> Ruling:
        """What the requirements say of that answer in that state."""
        key = (digest(self.design, state, call, outcome), waited)
        ruling = self._rulings.get(key)
        if ruling is None:
            if len(self._rulings) >= RULINGS_MAX:
                self._rulings.clear()
                self._distinct.clear()
            ruling = self.rule_afresh(state, call, outcome, waited)
            ruling = self._rulings[key] = self._distinct.setdefault(_words(ruling), ruling)
        return ruling

    def rule_afresh(self, state: State, call: Call, outcome: Outcome, waited: Waited) -> Ruling:
        """The same, without looking at what was ruled before."""
        has_order = True
        if isinstance(outcome, Both) and is_at_once(call):
            has_order = bool(self._in_turn(state, call, outcome, waited))
        here, answer = scene(self.design, self.capabilities, state, call), Answer(outcome, waited, has_order)
        applied = self._applied(here, answer)
        about = context(here)
        seen = [(requirement, symptoms(here, about, answer, requirement)) for requirement in applied]
        broken = _named([requirement for requirement, found in seen if found])
        promising = applied
        if trouble_in(here, outcome) in (Trouble.INTERNAL, Trouble.STOPPED):  # it promised what any refusal does
            promising = self._applied(here, Answer(REFUSED))
        if isinstance(outcome, Unknown):  # it promised what it would have promised whoever had heard it refused
            heard = here if here.flaw is not Flaw.CUT_OFF else replace(here, call=alone(call, call.client))
            promising = self._applied(heard, Answer(REFUSED))
        if is_silent(outcome):  # an answer that never came keeps nothing
            applied = broken
        return Ruling(
            cell=cell(state, call),
            exercised=tuple(requirement.id for requirement in applied),
            broken=_ids(each for each in broken if each.level is Level.MUST and not each.form_only),
            misformed=_ids(each for each in broken if each.form_only),
            regretted=_ids(each for each in broken if each.level is Level.SHOULD and not each.form_only),
            symptoms=tuple(symptom for requirement, found in seen if requirement in broken for symptom in found),
            promises=tuple(requirement for requirement in promising if requirement.keeps),
            told=told_words(state, call, outcome),
            waited=waited,
            context=about,
            fared=fared(here, outcome),
            sure=is_determined(state, call),
        )

    def _applied(self, here: Scene, answer: Answer) -> list[Requirement]:
        trouble = trouble_in(here, answer.outcome)
        among = self.requirements if trouble is None else self._in_trouble[trouble]
        return [requirement for requirement in among if requirement.applies(here, answer)]

    def left_alone(self, step: Step) -> bool:
        """Nothing should have come of the call, nor of the time it took."""
        quiet = step.before.is_sure and len(self._futures(step.before.state)) == 1
        return quiet and step.belief is not None and step.belief.states == step.before.states

    def lead_to(self, step: Step) -> frozenset[State]:
        """The states that may follow from the step, whatever its answer breaks."""
        led_to = (self._lead_to(state, step.call, step.outcome) for state in step.before.states)
        return frozenset[State]().union(*led_to)

    def _futures(self, state: State) -> frozenset[State]:
        found = self._futures_of.get(state)
        if found is None:
            if len(self._futures_of) >= FUTURES_MAX:
                self._futures_of.clear()
            found = self._futures_of[state] = futures(self.design, self.capabilities, state)
        return found

    def _lead_to(self, state: State, call: Call, outcome: Outcome) -> frozenset[State]:
        """The states that follow; of an answer that never came those of a call that was done, and that was not."""
        if isinstance(outcome, Unknown):
            by_one = alone(call) if is_at_once(call) else call  # whom the second client could have hit is gone
            return unheard(scene(self.design, self.capabilities, state, by_one))
        return frozenset({self._follow(state, call, outcome)})

    def _follow(self, state: State, call: Call, outcome: Outcome) -> State:
        if not follows(call, outcome):
            return state
        return after(scene(self.design, self.capabilities, state, call), outcome)

    def _step_among(self, belief: Belief, call: Call, outcome: Outcome, waited: Waited) -> Step:
        """The general case, where jobs may end or finish by themselves."""
        states = self._may_be(belief)
        ruled = [(state, self.rule(state, call, outcome, waited)) for state in states]
        kept = [(state, ruling) for state, ruling in ruled if not ruling.broken]
        if not kept:
            return self._blamed(belief, call, outcome, waited)
        merged = self._merged(belief, call, frozenset(ruling for _, ruling in kept))
        if merged.regretted:
            return Step(call, outcome, belief, merged, merged.regretted, None)
        followed = frozenset(self._follow(state, call, outcome) for state, _ in kept)
        after_it = belief if followed == belief.states else Belief(followed)
        return Step(call, outcome, belief, merged, merged.misformed, after_it)

    def _step_unheard(self, belief: Belief, call: Call, outcome: Outcome, waited: Waited) -> Step:
        """Whether the call was done nobody knows: both is believed, as far as there is an end to it."""
        ruling = self.rule(belief.state, call, outcome, waited)
        led_to = (self._lead_to(state, call, outcome) for state in self._may_be(belief))
        states = self._origins(frozenset[State]().union(*led_to))
        after_it = belief if states == belief.states else Belief(states)
        return Step(call, outcome, belief, ruling, ruling.misformed, after_it if len(states) <= SILENT_MAX else None)

    def _step_at_once(self, belief: Belief, call: Call, outcome: Both, waited: Waited) -> Step:
        """Several clients made the call: every order is believed in which no MUST is broken."""
        led_to = {state: self._in_turn(state, call, outcome, waited) for state in self._may_be(belief)}
        kept = [state for state, ends in led_to.items() if ends]
        if not kept:
            ruling = self.rule(belief.state, call, outcome, waited)
            return Step(call, outcome, belief, ruling, ruling.broken, None)
        merged = self._merged(belief, call, frozenset(self.rule(state, call, outcome, waited) for state in kept))
        ends = frozenset[_End]().union(*led_to.values())
        ruling = _with_forms(merged, ends)
        after_it = Belief(self._origins(frozenset(end.state for end in ends)))
        return Step(call, outcome, belief, ruling, ruling.misformed, after_it)

    def _in_turn(self, state: State, call: Call, outcome: Both, waited: Waited) -> frozenset["_End"]:
        """Where it leads if clients make the call one after the other, and the answers are theirs in some order."""
        # Who is next may have waited for it, unless all were turned away. What takes too long is told of both (TIME-1).
        turned_away = all(isinstance(each, Refusal) and each.kind not in HELD_UP for each in outcome.answers)
        each_waited = waited if turned_away and waited is not Waited.TOO_LONG else Waited.AT_ONCE
        orders = set(permutations(outcome.answers))
        return frozenset[_End]().union(*(self._one_by_one(state, alone(call), each, each_waited) for each in orders))

    def _one_by_one(self, state: State, call: Call, outcomes: Iterable[Single], waited: Waited) -> set["_End"]:
        ends = {_End(state)}
        for outcome in outcomes:
            held_up = isinstance(outcome, Refusal) and outcome.kind in HELD_UP  # by the other client
            may_be = {(later, end.misformed) for end in ends for later in self._futures(end.state)}
            ruled = [(each, misformed, self.rule(each, call, outcome, waited)) for each, misformed in may_be]
            ends = {
                _End(later, misformed | {ruling} if ruling.misformed and not held_up else misformed)
                for each, misformed, ruling in ruled
                if not ruling.broken
                for later in self._lead_to(each, call, outcome)
            }
        return ends

    def _origins(self, states: frozenset[State]) -> frozenset[State]:
        """The states without those that come of others by themselves: they are believed all the same."""
        if len(states) == 1:
            return states
        later = {each for state in states for each in self._futures(state) if each != state}
        return states - later

    def _may_be(self, belief: Belief) -> set[State]:
        """The states believed, and all that may have come of them without any call."""
        states: set[State] = set()
        for state in belief.states:
            states |= self._futures(state)
        assert len(states) <= BELIEF_MAX, f"{len(states)} states believed"
        return states

    def _merged(self, belief: Belief, call: Call, rulings: frozenset[Ruling]) -> Ruling:
        """One ruling for all states that are still believed: what any of them exercised was exercised."""
        visited = cell(belief.state, call)
        merged = self._unsure.get((visited, rulings))
        if merged is None:
            exercised = {id for ruling in rulings for id in ruling.exercised}
            promises = {promise.id: promise for ruling in rulings for promise in ruling.promises}
            if len(self._unsure) >= RULINGS_MAX:
                self._unsure.clear()
            told, waited = min((ruling.told, ruling.waited) for ruling in rulings)
            merged = self._unsure[visited, rulings] = Ruling(
                cell=visited,
                exercised=tuple(sorted(exercised)),
                broken=(),
                misformed=_in_all([ruling.misformed for ruling in rulings]),
                regretted=_in_all([ruling.regretted for ruling in rulings]),
                promises=tuple(promises.values()),
                told=told,
                waited=waited,
                context=self._context(belief, call),
                fared=min(ruling.fared for ruling in rulings),
                sure=False,
                symptoms=max(ruling.symptoms for ruling in rulings),  # a job that may live is named
            )
        return merged

    def _context(self, belief: Belief, call: Call) -> Context:
        return context(scene(self.design, self.capabilities, belief.state, call))

    def _blamed(self, belief: Belief, call: Call, outcome: Outcome, waited: Waited) -> Step:
        """Blame by the states believed before the call: what is broken in all of them, else in the least broken."""
        rulings = [self.rule(state, call, outcome, waited) for state in belief.states]
        blamed = next((ruling for ruling in rulings if ruling.broken), None)
        if blamed is None:  # only what happened by itself could have been answered so, and it broke something too
            rulings = [self.rule(state, call, outcome, waited) for state in self._futures(belief.state)]
            blamed = next(ruling for ruling in rulings if ruling.broken)
        common = _in_all([ruling.broken for ruling in rulings])
        least = min((ruling for ruling in rulings if ruling.broken), key=lambda ruling: len(ruling.broken))
        counted = self._context(belief, call)  # as of the answers that break nothing
        shown = replace(blamed, sure=False, context=counted, symptoms=(blamed if common else least).symptoms)
        return Step(call, outcome, belief, shown, common or least.broken, None)


class _End(NamedTuple):
    """A state that answers to calls at once lead to in some order, and the rulings of those whose form is wrong."""

    state: State
    misformed: frozenset[Ruling] = frozenset()


def _with_forms(merged: Ruling, ends: Iterable[_End]) -> Ruling:
    """The ruling of answers to calls at once, with what is wrong with the form of one of them in every order."""
    in_all = _in_all([tuple({id for ruling in end.misformed for id in ruling.misformed}) for end in ends])
    misformed = sorted(set(in_all) - set(merged.misformed))
    if not misformed:
        return merged
    rulings = frozenset[Ruling]().union(*(end.misformed for end in ends))
    told = {symptom for ruling in rulings for symptom in ruling.symptoms if symptom.requirement in misformed}
    symptoms = sorted(told, key=lambda each: (each.requirement, each.demand, each.answer))
    return replace(
        merged,
        misformed=(*merged.misformed, *misformed),
        exercised=tuple(sorted({*merged.exercised, *misformed})),
        symptoms=(*merged.symptoms, *symptoms),
    )


def _words(ruling: Ruling) -> tuple[object, ...]:
    """All that is told of a ruling, and of the answer that was ruled so."""
    verdict = (ruling.exercised, ruling.broken, ruling.misformed, ruling.regretted)
    return (
        ruling.cell,
        verdict,
        ruling.symptoms,
        ruling.told,
        ruling.waited,
        ruling.context,
        ruling.fared,
        ruling.sure,
    )


def _named(broken: list[Requirement]) -> list[Requirement]:
    """Of what an answer breaks, what is named: what is general only beside no other MUST."""
    is_special = any(each.level is Level.MUST and not each.general for each in broken)
    return [each for each in broken if not (is_special and each.general)]


def _in_all(ids: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(id for id in ids[0] if all(id in others for others in ids))
