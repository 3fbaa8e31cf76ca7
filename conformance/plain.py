"""The arguments of calls as plain values, as JSON has them, and back: for traces and for adapters."""

from collections.abc import Callable, Mapping
from enum import Enum

from jobtck.conformance.calls import Flaw, HandleOf, IdOf, JobType, Manner, Mode, NoJob, Odd, Storage, Token, Waits
from jobtck.conformance.cells import CLIENT_WORDS

JsonObject = dict[str, object]
Reader = Callable[[object], object]  # raises TypeError, ValueError or KeyError for what it cannot be

DOMAINS = 2  # of a session
NUMBER_MAX = 2**31 - 1  # for bandwidths and counts


def plain(value: object) -> object:
    """The value as JSON has it."""
    match value:
        case IdOf(label):
            return {"id_of": label}
        case HandleOf(label):
            return {"handle_of": label}
        case Token(number):
            return {"handle": number}
        case Odd():
            return {"odd": value.name.lower()}
        case NoJob():
            return None
        case frozenset():
            return sorted(str(each) for each in value)
        case tuple():
            return list(value)
        case Enum():
            return str(value)
        case _:
            return value


def below(limit: int) -> Callable[[object], int]:
    """Reads a whole number from 0 on, below *limit*."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
            raise ValueError(value)
        return value

    return read


def switch(value: object) -> bool:
    """Reads true or false."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def text(value: object) -> str:
    """Reads a text."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def texts(value: object) -> tuple[str, ...]:
    """Reads a list of texts."""
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(text(each) for each in value)


# All arguments of calls but `label` and `job`, which a trace and a backend name in ways of their own.
READERS: Mapping[str, Reader] = {
    "domain": below(DOMAINS),
    "client": below(len(CLIENT_WORDS)),
    "mode": lambda value: Mode(text(value)),
    "flaw": lambda value: Flaw(text(value)),
    "type": lambda value: JobType(text(value)),
    "types": lambda value: frozenset(map(JobType, texts(value))),
    "disk": text,
    "disks": texts,
    "name": text,
    "abort": switch,
    "completed": switch,
    "manner": lambda value: Manner(text(value)),
    "waits": lambda value: Waits(text(value)),
    "storage": lambda value: Storage(text(value)),
    "keep": switch,
    "pivot": switch,
    "bandwidth": below(NUMBER_MAX),
    "due": below(NUMBER_MAX),
}
