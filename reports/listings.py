"""What there is to judge and by what, as plain values for `--json`."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from jobtck.conformance.calls import Call, call_name
from jobtck.conformance.design import Design
from jobtck.conformance.plain import JsonObject
from jobtck.conformance.record import TargetRecord
from jobtck.conformance.requirement import Needs, Requirement
from jobtck.conformance.traces import design_json
from jobtck.reports.texts import storable

BackendRow = tuple[str, Iterable[str], str]  # name, designs it can play, the one it plays by default
CellRow = tuple[str, str, int]  # state, call, and calls on the shortest way there

SWITCH_WORDS = (
    ("many", "several backups at once", "one backup at a time"),
    ("listing", "a list of jobs", "no list of jobs"),
    ("default_job", "a default job", "no default job"),
    ("block_ids", "block jobs with ids", "block jobs without ids"),
    (
        "legacy_choice",
        "a choice of jobs for calls without an id",
        "no choice of jobs for calls without an id",
    ),
)


class Evidence(Protocol):
    """What was found of one call when a backend was asked for it."""

    @property
    def present(self) -> bool:
        """The backend has the call."""
        ...

    @property
    def answer(self) -> str:
        """What it said."""
        ...


def needs_words(needs: Needs) -> list[str]:
    """Where a requirement applies, in words: first the design, then the backend's calls."""
    words: list[str] = []
    if needs.handle is not None:
        words.append("jobs named by " + " or ".join(sorted(needs.handle)))
    for axis in ("zero", "namespace", "reuse"):
        value: StrEnum | None = getattr(needs, axis)
        words += [] if value is None else [f"{axis} {value}"]
    for switch, wanted, unwanted in SWITCH_WORDS:
        choice: bool | None = getattr(needs, switch)
        words += [] if choice is None else [wanted if choice else unwanted]
    words += _names(needs.all_calls)
    words += [" or ".join(_names(choice)) for choice in (needs.any_call, needs.also_any_call) if choice]
    words += ["a second job at once"] if needs.second_job else []
    return words + sorted(str(feature) for feature in needs.features)


def _names(calls: Iterable[type[Call]]) -> list[str]:
    return [call_name(call) for call in calls]


def requirements(catalogue: Iterable[Requirement], design: Design | None) -> list[JsonObject]:
    """The catalogue; for a design, each with whether it applies there, and if not, why."""
    return [_requirement(each, design) for each in catalogue]


def _requirement(requirement: Requirement, design: Design | None) -> JsonObject:
    content: JsonObject = {
        "id": requirement.id,
        "chapter": requirement.chapter,
        "level": str(requirement.level),
        "text": requirement.text,
        "source": requirement.source,
        "needs": needs_words(requirement.needs),
        "demands": [name for name in requirement.demand_names if name],
        "provisional": requirement.provisional,
    }
    if design is not None:
        missing = requirement.needs.missing_in_design(design)
        content |= {"applies": not missing, "missing": missing}
    return content


def designs(shown: Iterable[Design]) -> list[JsonObject]:
    """The designs with their axes; one that a design does not have is left out."""
    return [
        {name: str(value) if isinstance(value, str) else value for name, value in axes.items()}
        for axes in map(design_json, shown)
    ]


def backends(rows: Iterable[BackendRow]) -> list[JsonObject]:
    """The backends with the designs that they can play."""
    return [{"name": name, "designs": list(designs), "default_design": default} for name, designs, default in rows]


def cells(rows: Iterable[CellRow]) -> list[JsonObject]:
    """The reachable cells, each with how many calls it takes to visit it."""
    return [{"state": state, "call": call, "length": length} for state, call, length in rows]


def probe(target: TargetRecord, evidence: Mapping[str, Evidence]) -> JsonObject:
    """What a backend can do, with what says so."""
    return {
        "backend": target.backend,
        "uri": storable(target.uri),
        "design": target.design.name,
        "versions": dict(sorted(target.versions.items())),
        "features": sorted(target.features),
        "calls": [
            {"call": name, "present": present, "evidence": storable(told)}
            for name, present, told in probe_rows(target, evidence)
        ],
    }


def probe_rows(target: TargetRecord, evidence: Mapping[str, Evidence]) -> list[tuple[str, bool, str]]:
    """Each call that was asked, declared or excused: is it there, and what says so."""
    asked = [(name, found.present, found.answer) for name, found in evidence.items()]
    declared = [(name, True, "declared") for name in sorted(set(target.calls)) if name not in evidence]
    excused = [
        (name, False, reason)
        for name, reason in sorted(target.reasons.items())
        if name not in evidence and name not in target.calls
    ]
    return [*asked, *declared, *excused]
