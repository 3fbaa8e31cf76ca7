"""The judge keeps the states in which no MUST is broken; if none is left, it says which were."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Capabilities
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.design import Design
from jobtck.conformance.model import after, futures
from jobtck.conformance.outcomes import Outcome, Waited
from jobtck.conformance.requirement import Answer, Hurt, Level, Requirement
from jobtck.conformance.scene import Scene, scene
from jobtck.conformance.state import State, initial

BELIEF_MAX = 256  # two to the power of the live transient jobs, twice for events; more is a mistake in the model
POSITIONS_MAX = 50_000  # some hundred megabytes; beyond that the map is drawn anew


@dataclass(eq=False, slots=True)
class Step:
    """What the judge makes of one answer in one belief; `position` is None when a deviation ended the session.

    `exercised` and `deviations` are ids of requirements; `promises` are the exercised ones that speak of
    what later queries must not show.
    """

    call: Call
    outcome: Outcome
    before: "Position"
    exercised: tuple[str, ...]
    deviations: tuple[str, ...]
    position: "Position | None"
    promises: tuple[Requirement, ...] = ()


@dataclass(eq=False, slots=True)
class Option:
    """A call that can be made in a position, with the steps that came of it so far."""

    call: Call
    before: "Position"
    steps: dict[object, Step] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Position:
    """A belief, and the calls that were tried in it."""

    belief: frozenset[State]
    options: dict[Call, Option] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """One of the states believed; where jobs may be over, the one with most of them."""
        return next(iter(self.belief)) if len(self.belief) == 1 else max(self.belief, key=_liveliness)

    @property
    def is_sure(self) -> bool:
        """Only one state is believed."""
        return len(self.belief) == 1

    def option(self, call: Call) -> Option:
        """The option of making that call here."""
        option = self.options.get(call)
        if option is None:
            option = self.options[call] = Option(call, self)
        return option


def _liveliness(state: State) -> tuple[int, str]:
    return sum(len(domain.jobs) for domain in state.domains), repr(state)


class Judge:
    """Judges answers against the requirements that a design and a backend's capabilities call for.

    Every judgement is made once and remembered: the same answer in the same belief gives the same step.
    """

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
            and not requirement.needs.missing_in_backend(capabilities)
        )
        self._by_id = {requirement.id: requirement for requirement in self.requirements}
        self._positions: dict[frozenset[State], Position] = {}
        self._initial = frozenset({initial(domains)})

    def start(self) -> Position:
        """The position of a fresh session: running domains, no jobs."""
        return self.position(self._initial)

    def position(self, belief: frozenset[State]) -> Position:
        """The one position of that belief."""
        position = self._positions.get(belief)
        if position is None:
            if len(self._positions) >= POSITIONS_MAX:
                self._positions.clear()
            position = self._positions[belief] = Position(belief)
        return position

    def step(self, option: Option, outcome: Outcome, waited: Waited = Waited.AT_ONCE) -> Step:
        """What follows from that answer to that call."""
        key: object = outcome if waited is Waited.AT_ONCE else (outcome, waited)
        step = option.steps.get(key)
        if step is None:
            step = option.steps[key] = self._judge(option, Answer(outcome, waited))
        return step

    def scenes(self, position: Position, call: Call) -> list[Scene]:
        """The call in every state that may be by now."""
        states: set[State] = set()
        for state in position.belief:
            states |= futures(self.design, self.capabilities, state)
        assert len(states) <= BELIEF_MAX, f"{len(states)} states believed"
        return [scene(self.design, self.capabilities, state, call) for state in states]

    def _judge(self, option: Option, answer: Answer) -> Step:
        position, call = option.before, option.call
        exercised: set[str] = set()
        regretted: list[set[str]] = []
        states: set[State] = set()
        for each in self.scenes(position, call):
            applied = [requirement for requirement in self.requirements if requirement.applies(each, answer)]
            broken = [requirement for requirement in applied if not requirement.then(each, answer)]
            if any(requirement.level is Level.MUST for requirement in broken):
                continue
            states.add(after(each, answer.outcome))
            exercised.update(requirement.id for requirement in applied)
            regretted.append({requirement.id for requirement in broken})
        if not states:
            return self._deviation(option, answer)
        deviations = set.intersection(*regretted)
        return Step(
            call=call,
            outcome=answer.outcome,
            before=position,
            exercised=self._in_order(exercised),
            deviations=self._in_order(deviations),
            position=None if deviations else self.position(frozenset(states)),
            promises=tuple(self._by_id[id] for id in self._in_order(exercised) if self._by_id[id].keeps),
        )

    def _deviation(self, option: Option, answer: Answer) -> Step:
        """Blame by the states believed before the call: what is broken in all of them, else in the least broken."""
        broken: list[set[str]] = []
        for state in option.before.belief:
            here = scene(self.design, self.capabilities, state, option.call)
            broken.append(
                {
                    requirement.id
                    for requirement in self.requirements
                    if requirement.level is Level.MUST
                    and requirement.applies(here, answer)
                    and not requirement.then(here, answer)
                }
            )
        common = set.intersection(*broken) or min((each for each in broken if each), key=len, default=set())
        return Step(
            call=option.call,
            outcome=answer.outcome,
            before=option.before,
            exercised=self._in_order(common),
            deviations=self._in_order(common),
            position=None,
        )

    def _in_order(self, ids: set[str]) -> tuple[str, ...]:
        return tuple(id for id in self._by_id if id in ids)


def blame(step: Step, suspect: Step | None) -> tuple[str, ...]:
    """The requirements to name for a deviation in a trace where every call is needed to show it.

    The call before it is the suspect: if it promised that a later query would not show this, then that
    promise is what was broken, and the query only brought it to light.
    """
    if suspect is None or suspect.position is None:
        return step.deviations
    shown = shows(step)
    broken = [promise for promise in suspect.promises if promise.keeps & shown]
    special = [promise for promise in broken if not promise.general]
    return tuple(promise.id for promise in special or broken) or step.deviations


def shows(step: Step) -> Hurt:
    """What a deviating answer brings to light: something lost, something new, a file, or either of these."""
    if set(step.deviations) & {"FAULT-4", "BEGIN-3"}:
        return Hurt.FILE
    if set(step.deviations) & {"TIME-1", "TIME-2", "SANE-1", "ID-1", "ID-2", "ID-3"}:
        return Hurt.NOTHING
    return Hurt.LOST | Hurt.NEW
