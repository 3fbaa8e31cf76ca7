"""What a record comes to, in one sentence; all reports say it in the same words."""

import shlex

from jobtck.conformance.capabilities import Build
from jobtck.conformance.power_record import Power
from jobtck.conformance.rates import interval
from jobtck.conformance.record import (
    Deviation,
    Gate,
    KnownDeviation,
    Record,
    RequirementRecord,
    RunRecord,
    RunVerdict,
    Symptom,
    TargetRecord,
    Verdict,
    judged_below,
)
from jobtck.reports.texts import LINE_MAX, counted, legible, one_line

EVIDENCE_MAX = 10  # texts shown of one deviation


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


def build_text(build: Build) -> str:
    """Where a file that ran lies, and which one it is."""
    if not build.path:
        return "not seen"
    which = f"build id {build.build_id}" if build.build_id else "no build id was read"
    return one_line(", ".join(filter(None, [build.path, which, build.date])))


def power_text(power: Power) -> str:
    """How much the run would have noticed: `noticed 1,912 of 2,000 changed answers`."""
    return f"noticed {power.noticed:,} of {counted(power.total, 'changed answer')}"


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


def evidence_lines(deviation: Deviation, lines_max: int) -> list[str]:
    """What is kept of whoever was lost, each text under its title: so many lines, the most telling ones.

    Of a backtrace that is the beginning, of a log the end.
    """
    told: list[str] = []
    for each in deviation.evidence[:EVIDENCE_MAX]:
        lines = [legible(line, LINE_MAX) for line in each.text.splitlines()]
        is_log = each.title.startswith("end of")
        shown = lines[-lines_max:] if is_log else lines[:lines_max]
        more = f", {len(shown)} of {counted(len(lines), 'line')}" if len(shown) < len(lines) else ""
        told += [f"{one_line(each.title)}{more}:", *(f"    {line}" for line in shown)]
    return told


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
    return f"{symptom_text(known)} is listed as known and did not happen"


def symptom_text(symptom: Symptom | KnownDeviation) -> str:
    """How a requirement is broken: `SANE-1 in block_job_abort answered 'internal', of backup-push`."""
    several = ([symptom.job], [symptom.flaw]) if isinstance(symptom, Symptom) else (symptom.job, symptom.flaw)
    kinds, flaws = (" or ".join(filter(None, each)) for each in several)
    words = [
        f"{symptom.requirement} in {symptom.call} answered {symptom.answer!r}",
        f"of {kinds}" if kinds else "",
        f"not {symptom.demand!r}" if symptom.demand else "",
        f"input: {flaws}" if flaws else "",
    ]
    return ", ".join(filter(None, words))


def rate_text(deviation: Deviation) -> str:
    """How often it came again on fresh guests, and how often the run met it."""
    return ", ".join(filter(None, [_again_text(deviation), met_text(deviation)]))


def _again_text(deviation: Deviation) -> str:
    if not deviation.runs:
        return f"not run again: {one_line(deviation.not_again)}" if deviation.not_again else "not run again"
    again = f"reproduced {deviation.reproduced} of {deviation.runs}"
    return f"flaky: {again}" if deviation.is_flaky else again


def met_text(deviation: Deviation) -> str:
    """How often the run met it, of all answers to calls about the same; for what is flaky with its interval."""
    if not deviation.met:
        return ""
    met = f"met {deviation.met:,} of {deviation.exercised:,}"
    if not deviation.is_flaky:
        return met
    low, high = (f"{100 * each:.3g}" for each in interval(deviation.met, deviation.exercised))
    return f"{met} ({low} to {high} %)"


def native_text(code: str, text: str, limit: int = LINE_MAX) -> str:
    """The backend's own code and words on one line, as far as there are any."""
    return ": ".join(filter(None, [one_line(code, limit), one_line(text, limit)]))


def build_words(target: TargetRecord) -> list[str]:
    """The option that has the same build judged, if what ran lies in a build directory: nothing else is called so."""
    for each in target.builds:
        directory, _, file = each.path.rpartition("/src/")
        if directory and file.startswith("libvirt.so"):
            return ["--build", directory]
    return []


PRIVATE_DAEMON = "/jobtck-daemon-"  # in the path of its socket


def replay_command(deviation: Deviation, target: TargetRecord, report_dir: str) -> list[str]:
    """The words of the command that plays the trace again where it was seen; quoted for a shell."""
    path = "/".join(filter(None, [report_dir.rstrip("/"), deviation.trace_file]))
    words = ["jobtck", "replay", path]
    # The embedded driver is what replays where nothing else is said, in a new directory; so does a new daemon.
    if target.uri.startswith("exec:"):
        words += ["--backend", target.uri]
    elif PRIVATE_DAEMON in target.uri:
        words += ["--host", "virtqemud" if "virtqemud" in target.uri else "libvirtd"]
    elif target.uri and not target.uri.startswith("qemu:///embed"):
        words += ["-c", target.uri]
    if "-c" not in words:
        words += build_words(target)
    return [shlex.quote(legible(word)) for word in words]
