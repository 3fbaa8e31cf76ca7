"""Texts of others, made fit to show: none steers a terminal, breaks XML or fills a disk."""

from collections.abc import Iterable
from itertools import groupby

TEXT_MAX = 10_000  # characters of one text in a file; libvirt's longest, a QMP reply inside, have 2,000
LINE_MAX = 600  # of one text on a terminal: eight lines of 80 columns

_CONTROLS = (*range(9), *range(11, 32), *range(127, 160))  # all but tab and newline
_DIRECTIONS = (
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)  # and line separators
_SURROGATES = range(0xD800, 0xE000)
_NO_CHARACTERS = (0xFFFE, 0xFFFF)
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004
    for code in (*_CONTROLS, *_DIRECTIONS, *_SURROGATES, *_NO_CHARACTERS)
}


def storable(text: str, limit: int = TEXT_MAX) -> str:
    """The text as UTF-8 can hold it: lone surrogates are written as escapes."""
    return _cut(text, text[:limit].encode("utf-8", "backslashreplace").decode("utf-8"), limit)


def legible(text: str, limit: int = TEXT_MAX) -> str:
    """The text; what cannot be seen, or XML cannot hold, is written as an escape."""
    return _cut(text, text[:limit].translate(_ESCAPES), limit)


def _cut(text: str, shown: str, limit: int) -> str:
    if len(text) <= limit and len(shown) <= limit:
        return shown
    return f"{shown[:limit]} [cut: {len(text):,} characters in all]"


def one_line(text: str, limit: int = LINE_MAX) -> str:
    """The legible text with all its white space as single blanks."""
    return " ".join(legible(text, limit).split())


def id_ranges(ids: Iterable[str]) -> str:
    """Requirement ids, three and more in a row as `ID-1..3`."""
    numbered = [(*_chapter_and_number(id), place) for place, id in enumerate(ids)]
    runs = groupby(numbered, key=lambda each: (each[0], each[1] - each[2]))
    return ", ".join(_run(chapter, [number for _, number, _ in run]) for (chapter, _), run in runs)


def _chapter_and_number(id: str) -> tuple[str, int]:
    chapter, _, number = id.rpartition("-")
    return (chapter, int(number)) if number.isdecimal() else (id, -1)


def _run(chapter: str, numbers: list[int]) -> str:
    if numbers == [-1]:
        return chapter
    if len(numbers) > 2:  # noqa: PLR2004
        return f"{chapter}-{numbers[0]}..{numbers[-1]}"
    return ", ".join(f"{chapter}-{number}" for number in numbers)


def counted(count: int, noun: str) -> str:
    """`1 call`, `1,234 calls`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
