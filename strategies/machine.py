"""The state machine that people expect of Hypothesis: its one rule makes the call that three bytes choose.

A draw costs more than a judged call, so there is one for each.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from jobtck.conformance.capabilities import Target
from jobtck.conformance.judge import Judge, Step
from jobtck.conformance.session import Session
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import choose


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

        @rule(choice=st.binary(min_size=3, max_size=3))
        def make_a_call(self, choice: bytes) -> None:
            call = choose(alphabet, self.session.belief, *choice)
            if call is not None and self.session.can(call):
                step = self.session.perform(call)
                if step.deviations:
                    raise DeviationFound(step)

        def teardown(self) -> None:
            self.backend.close()

    return JobMachine
