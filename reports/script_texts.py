"""What scripts are made of: templates, and texts of others quoted so that they stay texts."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from textwrap import wrap
from xml.sax.saxutils import quoteattr

from jinja2 import Environment, PackageLoader, StrictUndefined

from jobtck.conformance.calls import BackupBegin, Flaw, Mode
from jobtck.conformance.record import Deviation, Record
from jobtck.conformance.wording import call_text
from jobtck.reports.script_steps import DISKS, Step, begun_disks
from jobtck.reports.sentences import native_text, rate_text, target_text
from jobtck.reports.texts import one_line

COMMENT_COLUMNS = 110  # of a comment's text; a line has ten more at most
DIRECTORY = "@DIRECTORY@"  # stands in XML for the directory that a script makes
FLAKY_TRIES = 20  # of a race: one that happens one time in ten is then missed one time in eight


@cache
def templates() -> Environment:
    """The templates of scripts: what is missing is an error, and nothing is taken for HTML."""
    environment = Environment(
        loader=PackageLoader("jobtck.reports", "."),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - shell and Python are no HTML: `shell` and `python` quote
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["shell"] = shell_text
    environment.filters["python"] = python_text
    return environment


def shell_text(text: str) -> str:
    """The text in single quotes, also where it would need none: a word like `done` is then none of the language."""
    quoted = shlex.quote(text)
    return quoted if quoted.startswith("'") else f"'{quoted}'"


def python_text(value: object) -> str:
    """The value as Python writes it, in ASCII; a text in double quotes where it has no quotes itself."""
    told = ascii(value)
    plain = isinstance(value, str) and not {"'", '"'} & set(value)
    return f'"{told[1:-1]}"' if plain else told


def header(record: Record, deviation: Deviation) -> str:
    """What is shown and what is demanded, as comments of either language."""
    lines: list[str] = []
    for requirement in record.requirements:
        if requirement.id in deviation.requirements:
            demand = f"{requirement.id} ({requirement.level}) demands: {requirement.text}"
            lines += [*_comment(demand), *_comment(f"source: {requirement.source}", "  ")]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(record.target.versions.items()))
    lines += ["#", *_comment(f"Seen on {target_text(record.target)} ({versions}), {rate_text(deviation)}:")]
    for place, line in enumerate(deviation.lines, 1):
        mark = "> " if place == len(deviation.lines) else "  "
        lines += _comment(f"{call_text(line.call)} -> {line.answer}", mark)
        if native := native_text(line.code, line.text):
            lines += _comment(native, "      ")
    return "\n".join(lines)


def _comment(text: str, indent: str = "") -> Iterator[str]:
    for line in wrap(one_line(text), COMMENT_COLUMNS, initial_indent=indent, subsequent_indent=f"  {indent}"):
        yield f"# {line}"


def heredoc(text: str) -> str:
    """The text as a shell's here-document tells it unchanged, but for the directory."""
    return re.sub(r"[\\$`]", r"\\\g<0>", text).replace(DIRECTORY, "$dir")


def backup_xml(step: Step) -> str:
    """What a begin sends; its files are in `DIRECTORY`."""
    call, files = step.call, step.files
    assert isinstance(call, BackupBegin)
    assert files is not None
    image = "target" if call.mode is Mode.PUSH else "scratch"
    named = begun_disks(step)
    lines = [f"<domainbackup mode='{call.mode}'>"]
    if call.flaw is Flaw.UNKNOWN_CHECKPOINT:
        lines.append("  <incremental>no-such-checkpoint</incremental>")
    if call.mode is Mode.PULL:
        lines.append(f"  <server transport='unix' socket='{DIRECTORY}/{files.socket}'/>")
    lines.append("  <disks>")
    for disk, path in named:
        lines.append(f"    <disk name={quoteattr(disk)} backup='yes' type='file'>")
        lines += [f"      <{image} file='{DIRECTORY}/{path}'/>", "    </disk>"]
    left_out = [disk for disk in DISKS if disk not in dict(named)]
    lines += [f"    <disk name='{disk}' backup='no'/>" for disk in left_out]
    lines.append("  </disks>")
    if call.flaw is Flaw.BAD_SCHEMA:
        lines.append("  <unheard-of/>")
    if call.flaw is Flaw.NOT_XML:
        lines = lines[: len(lines) // 2]
    else:
        lines.append("</domainbackup>")
    return "\n".join(lines)


def copy_xml(step: Step) -> str:
    """Where a block copy goes to."""
    return f"<disk type='file'><source file='{DIRECTORY}/{step.file}'/><driver type='qcow2'/></disk>"
