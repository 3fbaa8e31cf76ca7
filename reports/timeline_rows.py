"""What is told of a timeline: requirements and cells that ever stood otherwise, those that did so last first."""

from collections.abc import Mapping

from jobtck.conformance.record import Verdict
from jobtck.conformance.timeline import Followed, Track
from jobtck.reports.texts import one_line

ROWS_MAX = 100  # of one target in a table or a plot; `--json` has all


def restless_requirements(followed: Followed) -> list[tuple[str, Track]]:
    """Requirements that changed, varied, or stand badly."""
    found = [(id, track) for id, track in followed.requirements.items() if not track.is_steady or _is_bad(track)]
    return sorted(found, key=lambda each: (-each[1].since.place, each[0]))


def _is_bad(track: Track) -> bool:
    return track.standing in (Verdict.FAIL, Verdict.KNOWN)


def restless_cells(followed: Followed) -> list[tuple[str, Track]]:
    """Cells that changed or varied."""
    found = [(cell_text(cell), track) for cell, track in followed.cells.items() if not track.is_steady]
    return sorted(found, key=lambda each: (-each[1].changes, -each[1].varied, -each[1].since.place, each[0]))


def cell_text(cell: tuple[str, str]) -> str:
    """A cell in one line."""
    state, call = cell
    return f"{call} where there is {state}"


def target_title(followed: Followed) -> str:
    """The backend and the design."""
    return one_line(f"{followed.backend} as {followed.design}")


def how_often(counts: Mapping[str, int], told: int) -> str:
    """`pass 98 of 100, fail 2`."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{one_line(word)} {count:,}" for word, count in ordered[:4]) + f" of {told:,}"


def since_text(track: Track) -> str:
    """Since when it stands so, and in which release that was."""
    version = f", release {one_line(track.since.version)}" if track.since.version else ""
    return f"{one_line(track.since.date)}{version} ({one_line(track.since.name)})"
