"""What a record comes to, in one sentence; all reports say it in the same words."""

import shlex

from jobtck.conformance.record import (
    Deviation,
    Gate,
    KnownDeviation,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    TargetRecord,
    Verdict,
    judged_below,
)
from jobtck.reports.texts import LINE_MAX, counted, legible, one_line


def breaks_run(requirement: RequirementRecord, record: Record) -> bool:
    """The requirement fails, and with it the run: a MUST, or under `--strict` also a SHOULD, that nothing excuses."""
    binding = requirement.level == "MUST" or record.strict
    return requirement.verdict is Verdict.FAIL and binding and not requirement.excused


def only_deviates(requirement: RequirementRecord, record: Record) -> bool:
    """The requirement fails, which is shown and fails no run: it is a SHOULD, or it failed before as well."""
    return requirement.verdict is Verdict.FAIL and not breaks_run(requirement, record)


def standing(requirement: RequirementRecord, record: Record) -> str:
    """The verdict in the words of the table; empty for a plain pass."""
    match requirement.verdict:
        case Verdict.PASS:
            return ""
        case Verdict.FAIL:
            return "deviates" if only_deviates(requirement, record) else "fails"
        case Verdict.NOT_EXERCISED:
            if requirement.left_out:
                return "left out"
            return "provisional" if requirement.provisional else "not exercised"
        case Verdict.KNOWN | Verdict.UNSUPPORTED:
            return str(requirement.verdict)


def backend_text(target: TargetRecord) -> str:
    """The backend with the version that matters: its own, or that of what is below it."""
    own = target.versions.get(target.backend)
    if own:
        return one_line(f"{target.backend} {own}")
    name, below = judged_below(target.versions)
    return one_line(f"{target.backend} on {name} {below}" if below else target.backend)


def target_text(target: TargetRecord) -> str:
    """What was judged as what: `libvirt 9.0.0 as default-job`."""
    return f"{backend_text(target)} as {one_line(target.design.name)}"


def summary(record: Record) -> str:
    """The verdict with what stands behind it, in one sentence."""
    findings = "; ".join(_findings(record))
    joint = ", with " if record.verdict is RunVerdict.CONFORMING else ": "
    told = f"{target_text(record.target)}: {record.verdict}"
    return f"{told}{joint}{findings}" if findings else told


def _findings(record: Record) -> list[str]:
    requirements = record.requirements
    known = [each.id for each in requirements if each.verdict is Verdict.KNOWN]
    fails = [each.id for each in requirements if breaks_run(each, record)]
    excused = [each.id for each in requirements if each.verdict is Verdict.FAIL and each.excused]
    deviates = [each.id for each in requirements if only_deviates(each, record) and not each.excused]
    missed = [each.id for each in requirements if each.is_missed]
    left_out = [each.id for each in requirements if each.left_out]
    stale = list(dict.fromkeys(each.requirement for each in record.stale_known))
    findings = [
        _named(fails, "failed requirement"),
        _named(excused, "failed requirement", "that is no worse than the baseline's"),
        _named(missed, "requirement", "not exercised"),
        _named(stale, "listed deviation", "that no longer happened"),
        _named(list(record.unkept_calls), "declared call", "that is not there"),
        _named(list(record.never_succeeded), "call", "that never succeeded"),
        _named(known, "known deviation"),
        _named(left_out, "requirement", "left out"),
        _named(deviates, "deviation", "from a SHOULD"),
    ]
    if not any(each.exercised for each in requirements):
        findings.append("nothing was exercised")
    return [finding for finding in findings if finding]


def _named(ids: list[str], noun: str, which: str = "") -> str:
    if not ids:
        return ""
    return " ".join(filter(None, [counted(len(ids), noun), which])) + f": {', '.join(ids)}"


def closing(run: RunRecord) -> list[str]:
    """A sentence for each record, then what they come to together where that is not yet said."""
    sentences = [summary(record) for record in run.records]
    if run.error:
        sentences.append(f"error: {one_line(run.error)}")
    elif len(run.records) != 1:
        judged = f"{len(run.records)} runs together" if run.records else "nothing was judged"
        sentences.append(f"{judged}: {run.verdict}")
    return sentences


def gate_text(gate: Gate) -> str:
    """Whether the run is worse than its baseline, with what stands behind it."""
    worse = sum(each.fails for each in gate.became)
    better = sum(each.change == "fixed" for each in gate.became)
    first = {
        RunVerdict.NONCONFORMING: "fails beside the baseline",
        RunVerdict.INCOMPLETE: "cannot be held against the baseline whole",
    }.get(gate.verdict, "no worse than the baseline")
    findings = [
        counted(worse, "change") + " for the worse" if worse else "",
        counted(len(gate.complaints), "complaint") if gate.complaints else "",
        counted(better, "change") + " for the better" if better else "",
    ]
    return ": ".join(filter(None, [first, "; ".join(filter(None, [*findings, one_line(gate.baseline)]))]))


def unkept_text(call: str) -> str:
    """What is wrong with a declared call that is not there, and what to do about it."""
    return f"{call} is declared, and was refused as unsupported every time: mend it, or do not declare it"


def never_succeeded_text(call: str) -> str:
    """What is wrong with a call that is always refused."""
    return f"{call} never succeeded: it was refused every time, even where nothing was in its way"


def call_complaints(record: Record) -> list[tuple[str, str]]:
    """For each call that is not what it should be, what should be true and what is wrong."""
    return [
        *((f"{call} is declared", unkept_text(call)) for call in record.unkept_calls),
        *((f"{call} can succeed", never_succeeded_text(call)) for call in record.never_succeeded),
    ]


def known_text(known: KnownDeviation) -> str:
    """Why a deviation is listed, and where more is to be read."""
    return legible(f"{known.reason} ({known.reference})" if known.reference else known.reason)


def stale_text(known: KnownDeviation) -> str:
    """Which listed deviation did not happen."""
    where = f"{known.requirement} in {known.call}" if known.call else known.requirement
    return f"{where} is listed as known and did not happen"


def rate_text(deviation: Deviation) -> str:
    """How often it happened when run again."""
    if not deviation.runs:
        return "not run again"
    told = f"reproduced {deviation.reproduced} of {deviation.runs}"
    return f"flaky: {told}" if deviation.is_flaky else told


def native_text(code: str, text: str, limit: int = LINE_MAX) -> str:
    """The backend's own code and words on one line, as far as there are any."""
    return ": ".join(filter(None, [one_line(code, limit), one_line(text, limit)]))


PRIVATE_DAEMON = "/jobtck-daemon-"  # in the path of its socket


def replay_command(deviation: Deviation, target: TargetRecord, report_dir: str) -> list[str]:
    """The words of the command that plays the trace again where it was seen; quoted for a shell."""
    path = "/".join(filter(None, [report_dir.rstrip("/"), deviation.trace_file]))
    words = ["jobtck", "replay", path]
    # The embedded driver is what replays where nothing else is said, in a new directory; so does a new daemon.
    if target.uri.startswith("exec:"):
        words += ["--backend", target.uri]
    elif PRIVATE_DAEMON in target.uri:
        words += ["--host", "libvirtd"]
    elif target.uri and not target.uri.startswith("qemu:///embed"):
        words += ["-c", target.uri]
    return [shlex.quote(legible(word)) for word in words]
