"""What a run has counted: requirements exercised, cells visited, calls made and the time they took."""

from collections import Counter
from dataclasses import dataclass, field

from jobtck.conformance.cells import Cell, cell, outcome_words
from jobtck.conformance.judge import Step

STEPS_MAX = 20_000  # counted one by one before they are folded into cells


@dataclass(slots=True)
class Visit:
    """How often a cell answered in one way, and the longest it took, in seconds."""

    count: int = 0
    seconds_max: float = 0.0


@dataclass(slots=True)
class Tally:
    """Counts by step while a session runs, and by cell and requirement once folded."""

    exercised: Counter[str] = field(default_factory=Counter)
    visits: dict[tuple[Cell, str], Visit] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0
    _steps: dict[tuple[Step, str], Visit] = field(default_factory=dict)

    def count(self, step: Step, code: str, seconds: float) -> None:
        """One more answer, with the backend's own error code if it was refused."""
        self.calls += 1
        self.seconds += seconds
        visit = self._steps.get((step, code))
        if visit is None:
            if len(self._steps) >= STEPS_MAX:
                self.fold()
            visit = self._steps[step, code] = Visit()
        visit.count += 1
        if seconds > visit.seconds_max:
            visit.seconds_max = seconds

    def fold(self) -> None:
        """Adds what was counted by step to requirements and cells."""
        for (step, code), visit in self._steps.items():
            for id in step.exercised:
                self.exercised[id] += visit.count
            self._add((cell(step.before, step.call), outcome_words(step.outcome, code)), visit)
        self._steps.clear()

    def merge(self, other: "Tally") -> None:
        """Adds what another tally has counted."""
        other.fold()
        self.exercised.update(other.exercised)
        for key, visit in other.visits.items():
            self._add(key, visit)
        self.calls += other.calls
        self.seconds += other.seconds

    def _add(self, key: tuple[Cell, str], visit: Visit) -> None:
        mine = self.visits.setdefault(key, Visit())
        mine.count += visit.count
        mine.seconds_max = max(mine.seconds_max, visit.seconds_max)
