"""Mutants that die of a call, or hang in it, or whose guest does."""

from tests.mutants_table import DEFAULT_JOB, ZERO_ID, Mutant

from jobtck.conformance import calls
from jobtck.conformance.calls import Call, Flaw
from jobtck.conformance.outcomes import DONE, Description, Fate, Lost, Outcome, Party, Refusal
from jobtck.fixtures.reference import Reference


class DiesOfAnEnd(Reference):
    """Dies when it is told to end a backup."""

    def perform(self, call: Call) -> Outcome:
        outcome = super().perform(call)
        if isinstance(call, calls.AbortJob) and outcome == DONE:
            return Lost(Party.SERVER, Fate.DIED, "SIGSEGV")
        return outcome


class ClientDiesOfNothing(Reference):
    """Sends back nothing for the XML of a backup that is not there, which takes the client down."""

    def perform(self, call: Call) -> Outcome:
        outcome = super().perform(call)
        if isinstance(call, calls.BackupGetXmlDesc) and not isinstance(outcome, Description):
            return Lost(Party.CLIENT, Fate.DIED, "SIGABRT")
        return outcome


class GuestDiesOfAnEnd(Reference):
    """Has no guest any more once a pull was ended."""

    def perform(self, call: Call) -> Outcome:
        outcome = super().perform(call)
        if isinstance(call, calls.AbortJob) and outcome == DONE:
            return Lost(Party.GUEST, Fate.DIED, "SIGSEGV")
        return outcome


class NeverRefusesASecond(Reference):
    """Waits for ever with a begin that fails beside another job."""

    def perform(self, call: Call) -> Outcome:
        is_second = any(guest.backups for guest in self.guests.values())
        outcome = super().perform(call)
        if is_second and isinstance(call, calls.BackupBegin) and isinstance(outcome, Refusal):
            return outcome if call.flaw is not Flaw.NOTHING else Lost(Party.SERVER, Fate.HUNG)
        return outcome


MUTANTS = (
    Mutant(DiesOfAnEnd, DEFAULT_JOB, "SANE-1", 2),
    Mutant(ClientDiesOfNothing, ZERO_ID, "SANE-1", 1),
    Mutant(GuestDiesOfAnEnd, DEFAULT_JOB, "SANE-2", 2),
    Mutant(NeverRefusesASecond, DEFAULT_JOB, "TIME-1", 2),
)
