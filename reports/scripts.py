"""Each deviation as scripts that stand alone: a shell script for virsh, and a program for libvirt-python."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobtck.conformance.calls import call_name
from jobtck.conformance.record import Deviation, NamedRun, Record
from jobtck.reports.libvirt_program import libvirt_program
from jobtck.reports.script_steps import why_no_virsh, why_none
from jobtck.reports.sentences import target_text
from jobtck.reports.texts import counted, one_line
from jobtck.reports.virsh_script import virsh_script

README = "README.txt"
SCRIPTS_MAX = 200  # of one report: more say nothing to a reader, and a hostile result could ask for millions
ABOUT = """Each script shows one deviation that was found by jobtck, and needs nothing of it.
Its first lines say what is demanded, and what was answered instead.

    sh NAME.sh [URI]           asks by virsh; without a URI $LIBVIRT_DEFAULT_URI, else qemu:///system
    python3 NAME.py [URI]      asks by libvirt-python; without a URI libvirt's QEMU driver in its own process

Exit status: 1 the deviation is there, 0 it is not, 125 it could not be tried; so `git bisect run` takes it.
It makes a guest of 32 MiB that stays paused, and removes all that it made, also when it is ended by a signal.
"""


@dataclass(frozen=True, slots=True)
class Script:
    """The text of a script for a shell (`sh`) or for Python (`py`)."""

    suffix: str
    text: str


@dataclass(frozen=True, slots=True)
class Scripts:
    """The scripts of a deviation, and in words why there is not one of each sort."""

    scripts: tuple[Script, ...]
    why_not: str = ""


def scripts_for(record: Record, deviation: Deviation) -> Scripts:
    """The scripts that show it."""
    if reason := why_none(record.target, deviation):
        return Scripts((), reason)
    program = Script("py", libvirt_program(record, deviation))
    if reason := why_no_virsh(deviation):
        return Scripts((program,), f"only for Python: {reason}")
    return Scripts((Script("sh", virsh_script(record, deviation)), program))


def script_files(results: Sequence[NamedRun]) -> dict[str, str]:
    """The files of a directory of scripts by name, one among them that tells what there is, and what not and why."""
    files: dict[str, str] = {}
    told: list[str] = []
    found = [
        (record, deviation) for result in results for record in result.run.records for deviation in record.deviations
    ]
    for record, deviation in found[:SCRIPTS_MAX]:
        made = scripts_for(record, deviation)
        stem = _free(_stem(deviation), files)
        names = [f"{stem}.{script.suffix}" for script in made.scripts]
        files |= {name: script.text for name, script in zip(names, made.scripts, strict=True)}
        told += _entry(record, deviation, names, made.why_not)
    if len(found) > SCRIPTS_MAX:
        told.append(f"and {counted(len(found) - SCRIPTS_MAX, 'deviation')} more, of which no scripts were made")
    if not found:
        told.append("There is no deviation in these results.")
    return {README: "\n".join([ABOUT, *told]).rstrip() + "\n", **files}


def _entry(record: Record, deviation: Deviation, names: list[str], why_not: str) -> Iterator[str]:
    yield ", ".join(names) or "no script"
    yield f"    {one_line(', '.join(deviation.requirements))}, seen on {target_text(record.target)}"
    if why_not:
        yield f"    {one_line(why_not)}"
    yield ""


def _stem(deviation: Deviation) -> str:
    """The name without suffix: what is broken, and by which call; only what every file system takes."""
    call = call_name(type(deviation.lines[-1].call)) if deviation.lines else "unknown"
    words = "-".join([*deviation.requirements, call])
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in words)[
        :80
    ]


def _free(stem: str, files: dict[str, str]) -> str:
    """The name, with a number where it is taken."""
    taken = {name.rpartition(".")[0] for name in files}
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(files) + 2))
    return next(each for each in candidates if each not in taken)
