"""A moment of a history: a call on the drawing board, what its client meant by it, and what it hit."""

from enum import StrEnum
from typing import NamedTuple

from jobtck.conformance.outcomes import ErrorKind


class Verb(StrEnum):
    """What a client does, or what happens to it."""

    BEGIN = "begin"
    END = "end"
    QUERY = "query"
    LIST = "list"
    GET_DEFAULT = "get-default"
    SET_DEFAULT = "set-default"
    GET_ID = "get-id"
    LOOK_UP = "look-up"
    COMPOSE = "compose"
    FREE = "free"
    EXIT = "exit"  # the process ends; ids that it wrote down are kept, handles are not
    DIE = "die"  # the process ends before it wrote anything down
    FINISH = "finish"  # a job ends by itself
    STAND = "stand"  # nothing happens: this is said of a state


class By(StrEnum):
    """How a call says which job it is about."""

    NOTHING = "nothing"
    ID = "id"
    NAME = "name"
    HANDLE = "handle"
    FREED = "freed-handle"
    ZERO = "zero"
    LEGACY = "legacy"  # it does not say: the domain job
    DISK = "disk"


class Learnt(StrEnum):
    """How the client came to mean a job by that."""

    NOWHERE = "nowhere"
    BEGAN = "began"  # the begin's own answer, or that it began it
    LISTED = "listed"
    LOOKED = "looked"  # a query by 0, by disk or of the domain job showed it
    DEFAULT = "got-default"
    CHOSE = "set-default"
    GOT_ID = "got-id"  # of the job on a disk, or of a handle
    LOOKED_UP = "looked-up"
    COMPOSED = "composed"


class Standing(StrEnum):
    """Where the job stands that the client means."""

    NOTHING = "nothing"  # it means none
    LIVE = "live"
    OVER = "over"


class Hit(StrEnum):
    """Which job the call reached."""

    NOTHING = "nothing"
    MEANT = "meant"
    ANOTHER = "another"


class Kinds(StrEnum):
    """Whether the job that was reached is of the type of the one that was meant."""

    NONE = "none"
    SAME = "same"
    OTHER = "other"


class Whose(StrEnum):
    """Who began the job that was reached, or set the default."""

    NOBODY = "nobody"  # there is none, or the server chose
    OWN = "own"
    OTHERS = "others"  # another client, also one that is gone


class Trouble(StrEnum):
    """What is wrong with a state, whoever looks at it."""

    NONE = "none"
    UNREACHABLE = "unreachable"  # a live job that no call of the design reaches, whatever its client knows
    UNFINDABLE = "unfindable"  # a live job that nobody remembers and no call finds
    INDISTINCT = "indistinct"  # its client is gone; it is found, beside others that look the same
    LEAKED = "leaked"  # a handle that nobody can free any more


class Moment(NamedTuple):
    """One step of a history in words; what does not apply has its first value.

    `fits` says that the verb is one for the type of the job that is meant, `strayed` that the call was
    put to another domain than that job's, `later` that the job that was reached had begun after it.
    `backups` counts the live backups of the domain before the call, and `own` those that the client began.
    """

    verb: Verb
    by: By = By.NOTHING
    learnt: Learnt = Learnt.NOWHERE
    refused: ErrorKind | None = None
    meant: Standing = Standing.NOTHING
    hit: Hit = Hit.NOTHING
    kinds: Kinds = Kinds.NONE
    owner: Whose = Whose.NOBODY
    chooser: Whose = Whose.NOBODY
    fits: bool = True
    strayed: bool = False
    later: bool = False
    backups: int = 0
    own: int = 0
    trouble: Trouble = Trouble.NONE
