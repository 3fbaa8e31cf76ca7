"""The results side by side: a column for each backend and design that a result judged."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobtck.conformance.record import NamedRun, Record, RequirementRecord
from jobtck.reports.sentences import backend_text, standing

Judged = tuple[str, str]  # a backend and a design: what is compared between results


@dataclass(frozen=True, slots=True)
class Column:
    """A record with the result that it is of; `place` is its number, `result` that of the result."""

    place: int
    result: int
    name: str
    record: Record

    @property
    def judged(self) -> Judged:
        """What was judged, whatever its release."""
        return self.record.target.backend, self.record.target.design.name

    @property
    def release(self) -> str:
        """The backend with its version."""
        return backend_text(self.record.target)

    @property
    def design(self) -> str:
        """What it was judged as."""
        return self.record.target.design.name

    def requirement(self, id: str) -> RequirementRecord | None:
        """What was said of that requirement, if the catalogue had it."""
        return next((each for each in self.record.requirements if each.id == id), None)

    def standing(self, id: str) -> str:
        """The verdict on that requirement in words; of what the catalogue did not have, none."""
        found = self.requirement(id)
        return "absent" if found is None else standing(found, self.record) or "pass"


def columns(results: Sequence[NamedRun]) -> tuple[Column, ...]:
    """All records: those of a design, and of these those of a backend, side by side in the order of the results."""
    found = [(place, result.name, record) for place, result in enumerate(results) for record in result.run.records]
    designs = list(dict.fromkeys(_design(record) for _, _, record in found))
    backends = list(dict.fromkeys(record.target.backend for _, _, record in found))
    found.sort(key=lambda each: (designs.index(_design(each[2])), backends.index(each[2].target.backend)))
    return tuple(Column(place, *each) for place, each in enumerate(found))


def _design(record: Record) -> str:
    return record.target.design.name


def rows(shown: Sequence[Column]) -> tuple[RequirementRecord, ...]:
    """Each requirement once, chapter by chapter, in the words of the newest result that has it."""
    oldest_first = sorted(shown, key=lambda column: column.result)
    found = {each.id: each for column in oldest_first for each in column.record.requirements}
    chapters = list(dict.fromkeys(each.chapter for each in found.values()))
    return tuple(sorted(found.values(), key=lambda each: chapters.index(each.chapter)))
