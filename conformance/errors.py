"""What goes wrong before or around judging, each with the exit status it ends in."""

from jobtck.conformance.calls import Call, call_name
from jobtck.conformance.outcomes import Lost, Refusal


class JobtckError(Exception):
    """A failure that is told in one sentence and ends the command with `exit_status`."""

    exit_status = 4


class BadInput(JobtckError):
    """What the user wrote cannot be used: a design, a trace, a list of known deviations, an option."""

    exit_status = 2


class BackendFailure(JobtckError):
    """The backend cannot be had, or died: no verdict can rest on it."""


class NotCleared(BackendFailure):
    """Guests cannot be made as good as new: a fact about the backend, to be judged.

    It is judged as the refusal of *call*: of the end of the session, or of the start of a guest that was stopped.
    """

    def __init__(self, refusal: Refusal, call: Call) -> None:
        super().__init__(f"{call_name(type(call))} is refused: {refusal.text}")
        self.refusal = refusal
        self.call = call


class SessionLost(BackendFailure):
    """Whoever answers was lost between two calls, or for a known reason: nothing is said of it.

    `lost` says who, where that is known.
    """

    def __init__(self, text: str, lost: Lost | None = None) -> None:
        super().__init__(text)
        self.lost = lost
