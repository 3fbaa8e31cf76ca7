"""From what a hunt has found and counted to what is told of it."""

from collections.abc import Iterator, Sequence

from jobtck.claims import never_answered, never_answered_text, never_succeeded, unkept_calls
from jobtck.conformance.capabilities import Target
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.record import (
    CellRecord,
    Exercise,
    KnownDeviation,
    Record,
    RequirementRecord,
    RunVerdict,
    TargetRecord,
    Verdict,
    excuses,
    judged_below,
)
from jobtck.conformance.requirement import Level, Requirement
from jobtck.conformance.tally import Tally
from jobtck.hunt import Hunt
from jobtck.known import absent_text, concerns, expired_text, has_expired, unseen_text, was_seen

LEFT_OUT_REASON = "it takes half a minute's wait for the server's lock, and the run was to be quick"


def target_record(target: Target) -> TargetRecord:
    """What is told of a target."""
    capabilities = target.capabilities
    return TargetRecord(
        backend=target.name,
        uri=target.uri,
        design=target.design,
        versions=dict(target.versions),
        calls=tuple(sorted(capabilities.calls)),
        features=tuple(sorted(capabilities.features)),
        reasons=dict(capabilities.reasons),
        capabilities=capabilities,
        builds=target.builds,
    )


def record_of(hunt: Hunt, known: Sequence[KnownDeviation], command: str, *, strict: bool, today: str = "") -> Record:
    """The record of a hunt that is over, however it ended; *today*, as 2027-06-30, ends what expired before it."""
    target, tally = hunt.target, hunt.counted()
    below, version = judged_below(target.versions)
    listed = listed_for(target, known, today)
    past = [each for each in _concerning(target, known) if has_expired(each, today)]
    expired = tuple(each for each in past if _happened(each, hunt))
    requirements = tuple(_requirement(each, hunt, tally, listed) for each in CATALOGUE)
    exercised = {each.id for each in requirements if each.exercised}
    missed = [
        each
        for each in listed
        if hunt.tour.is_through and not each.flaky and each.requirement in exercised and not _happened(each, hunt)
    ]
    stale = tuple(each for each in missed if was_seen(each, version))
    absent = tuple(each for each in missed if not was_seen(each, version))
    of_the_list = [unseen_text(listed, below, version), *(absent_text(each, below, version) for each in absent)]
    unkept, silent = unkept_calls(target.capabilities, tally), never_answered(tally)
    refused = tuple(call for call in never_succeeded(tally) if call not in unkept)
    return Record(
        verdict=_verdict(hunt, requirements, tally, broken_claims=bool(stale or unkept or refused), strict=strict),
        target=target_record(target),
        requirements=requirements,
        cells=_cells(tally),
        cells_open=len(hunt.tour.open_cells),
        cost=hunt.cost(),
        seed=hunt.plan.seed,
        command=command,
        notes=(
            *hunt.notes,
            *map(never_answered_text, silent),
            *([str(hunt.failure)] if hunt.failure else []),
            *map(expired_text, expired),
            *filter(None, of_the_list),
        ),
        stale_known=stale,
        expired_known=expired,
        absent_known=absent,
        unkept_calls=unkept,
        never_succeeded=refused,
        strict=strict,
        power=hunt.power,
    )


def exercises(tally: Tally, requirements: Sequence[str]) -> Iterator[Exercise]:
    """What exercised those requirements, most often first."""
    for wanted in requirements:
        found = [(cell, count) for (id, cell), count in tally.exercised_in.items() if id == wanted]
        for cell, count in sorted(found, key=lambda each: (-each[1], each[0])):
            yield Exercise(wanted, cell.state, cell.call, count)


def listed_for(target: Target, known: Sequence[KnownDeviation], today: str) -> list[KnownDeviation]:
    """The listed deviations that are an excuse for that target on that day."""
    return [each for each in _concerning(target, known) if not has_expired(each, today)]


def _concerning(target: Target, known: Sequence[KnownDeviation]) -> list[KnownDeviation]:
    _, version = judged_below(target.versions)
    return [each for each in known if concerns(each, target.name, target.design.name, version)]


def _happened(known: KnownDeviation, hunt: Hunt) -> bool:
    """The listed deviation was seen, whether or not it came again."""
    return any(known.covers(symptom) for deviation in hunt.findings.deviations for symptom in deviation.symptoms)


def _requirement(
    requirement: Requirement, hunt: Hunt, tally: Tally, listed: Sequence[KnownDeviation]
) -> RequirementRecord:
    target = hunt.target
    deviations = tuple(each for each in hunt.findings.deviations if requirement.id in each.requirements)
    exercised = tally.exercised[requirement.id]
    known: tuple[KnownDeviation, ...] = ()
    reason = ""
    left_out = False
    if deviations:
        excused = [excuses(listed, requirement.id, each.symptoms) for each in deviations]
        known = tuple(dict.fromkeys(entry for entries in excused for entry in entries))
        verdict = Verdict.KNOWN if all(excused) else Verdict.FAIL
        exercised = max(exercised, 1)
    elif requirement.provisional:
        verdict, reason = Verdict.NOT_EXERCISED, requirement.provisional
    elif missing := requirement.needs.missing_in_design(target.design):
        verdict, reason = Verdict.UNSUPPORTED, f"only in designs where {missing}"
    elif missing := requirement.needs.missing_in_backend(target.design, target.capabilities):
        verdict, reason = Verdict.UNSUPPORTED, f"the backend lacks {missing}"
    elif not exercised and not hunt.chart.is_cut_off and requirement.id not in hunt.chart.exercises:
        verdict, reason = Verdict.UNSUPPORTED, "what the backend declares leads to no call that is about it"
    elif not exercised:
        left_out = requirement.id in hunt.left_out
        verdict, reason = Verdict.NOT_EXERCISED, LEFT_OUT_REASON if left_out else _why_not(hunt)
    else:
        verdict = Verdict.PASS
    return RequirementRecord(
        id=requirement.id,
        chapter=requirement.chapter,
        level=requirement.level,
        text=requirement.text,
        source=requirement.source,
        verdict=verdict,
        exercised=exercised,
        reason=reason,
        provisional=bool(requirement.provisional),
        deviations=deviations,
        known=known,
        left_out=left_out,
    )


def _why_not(hunt: Hunt) -> str:
    if hunt.failure is not None:
        return "the run ended before"
    left = len(hunt.tour.open_cells)
    return f"{left} cells were not reached within the budget" if left else "no call that was made was about it"


def _verdict(
    hunt: Hunt,
    requirements: Sequence[RequirementRecord],
    tally: Tally,
    *,
    broken_claims: bool,
    strict: bool,
) -> RunVerdict:
    if hunt.failure is not None:
        return RunVerdict.ERROR
    binding = [each for each in requirements if strict or each.level == Level.MUST]
    if broken_claims or any(each.verdict is Verdict.FAIL for each in binding):
        return RunVerdict.NONCONFORMING
    if (
        not tally.calls
        or never_answered(tally)
        or any(each.is_missed for each in requirements if each.level == Level.MUST)
    ):
        return RunVerdict.INCOMPLETE
    if not any(each.verdict in (Verdict.PASS, Verdict.KNOWN) and each.level == Level.MUST for each in requirements):
        return RunVerdict.INCOMPLETE
    return RunVerdict.CONFORMING


def _cells(tally: Tally) -> tuple[CellRecord, ...]:
    return tuple(
        CellRecord(
            state=answered.cell.state,
            call=answered.cell.call,
            outcome=answered.told,
            count=visit.count,
            seconds_max=round(visit.seconds_max, 6),
            waited=answered.waited,
            sure=answered.sure,
            symptoms=answered.symptoms,
        )
        for answered, visit in sorted(tally.visits.items())
    )
