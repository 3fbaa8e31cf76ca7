"""The state machine that people expect of Hypothesis: each rule says one call."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from jobtck.conformance.capabilities import Target
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.session import Session
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import LAWFUL_OF_256, choose


class DeviationFound(AssertionError):
    """An answer that no conforming backend could have given."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"{', '.join(step.deviations)}: {step.call} ended in {step.outcome}")
        self.step = step


def machine_for(target: Target) -> type[RuleBasedStateMachine]:
    """A state machine that drives fresh guests of the target and judges each answer."""
    judge = Judge(target.design, target.capabilities)
    alphabet = Alphabet(target.design, target.capabilities)

    class JobMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.backend = target.fresh()
            self.session = Session(judge, self.backend)

        def _make(self, data: st.DataObject, *, lawful: bool) -> None:
            numbers = st.integers(0, 255)
            law = data.draw(st.integers(0, LAWFUL_OF_256 - 1) if lawful else st.integers(LAWFUL_OF_256, 255))
            call = choose(alphabet, self.session.belief, law, data.draw(numbers), data.draw(numbers))
            if call is not None and self.session.can(call):
                step = self.session.perform(call)
                if step.deviations:
                    raise DeviationFound(step)

        @rule(data=st.data())
        def make_a_call(self, data: st.DataObject) -> None:
            self._make(data, lawful=True)

        @rule(data=st.data())
        def make_a_call_that_should_be_refused(self, data: st.DataObject) -> None:
            self._make(data, lawful=False)

        def teardown(self) -> None:
            self.backend.close()

    return JobMachine
