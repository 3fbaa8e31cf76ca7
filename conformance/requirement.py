"""A requirement is data: who must do what, when it applies, what it demands, and where that comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from types import UnionType

from jobtck.conformance.calls import BLOCK_KIND, Call, Flaw, Storage, call_name
from jobtck.conformance.capabilities import Capabilities, Feature
from jobtck.conformance.cells import told_words
from jobtck.conformance.design import Design, Handle, Namespace, Reuse, Zero
from jobtck.conformance.order import beside_a_job_elsewhere, in_order
from jobtck.conformance.outcomes import HELD_UP, ErrorKind, Heard, Lost, Outcome, Refusal, Waited
from jobtck.conformance.scene import Scene


class Level(StrEnum):
    """How binding a requirement is (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Hurt(Flag):
    """What a later query shows when a call did more than it said."""

    NOTHING = 0
    GONE = auto()  # a live job is no more
    CHANGED = auto()  # a live job is another
    NEW = auto()  # a job is there that nobody began, or one that ended
    FILE = auto()  # a file or socket is left
    STATISTICS = auto()  # what is told of the last job is lost, or of another job
    LOST = GONE | CHANGED
    ANY = LOST | NEW | FILE | STATISTICS


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome as the session read it, with how long it took.

    `has_order`: several answers could have been given one after the other.
    """

    outcome: Outcome
    waited: Waited = Waited.AT_ONCE
    has_order: bool = True


class Trouble(StrEnum):
    """What keeps a call from being answered, whatever it asks for."""

    HELD_UP = "something is in the way"
    INTERNAL = "an internal error"
    STOPPED = "the domain is not running, and nobody stopped it"


ANY_TROUBLE = frozenset(Trouble)
EVERYTHING = ("everything",)
When = Callable[[Scene], bool]
Then = Callable[[Scene, Answer], bool]


def whole_answer(scene: Scene, answer: Answer) -> str:
    """All that the answer tells, in the words of the contract."""
    return told_words(scene.state, scene.call, answer.outcome)


@dataclass(frozen=True, slots=True)
class Demand:
    """One of the things that a requirement demands, by a name of its own.

    `tells` is what of the answer the demand is about, in words: a flaw that is known there excuses no other.
    """

    name: str
    holds: Then
    tells: Callable[[Scene, Answer], str] = whole_answer


NOTHING_ELSE = "nothing else comes of it"  # the demand behind what a requirement `keeps`


HANDLE_WORDS = {
    Handle.NONE: "nothing",
    Handle.INTEGER: "integer ids",
    Handle.OPAQUE: "opaque handles",
    Handle.NAME: "names",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Where a requirement applies: axes of the design (None: any), calls, features and flaws of the backend.

    Of `any_call` one suffices, and of `also_any_call` too; `all_calls` and `features` are all needed. `second_job`
    says that a job must meet another one, `limited` that there is a limit of backups at once.
    """

    handle: frozenset[Handle] | None = None
    zero: Zero | None = None
    many: bool | None = None
    legacy_choice: bool | None = None
    listing: bool | None = None
    default_job: bool | None = None
    block_ids: bool | None = None
    namespace: Namespace | None = None
    reuse: Reuse | None = None
    any_call: tuple[type[Call], ...] = ()
    also_any_call: tuple[type[Call], ...] = ()
    all_calls: tuple[type[Call], ...] = ()
    limited: bool = False
    second_job: bool = False
    features: frozenset[Feature] = frozenset()
    flaws: frozenset[Flaw] = frozenset()

    def missing_in_design(self, design: Design) -> str:
        """What the design lacks, in words; empty when it lacks nothing."""
        if self.handle is not None and design.handle not in self.handle:
            return "jobs are named by " + " or ".join(sorted(HANDLE_WORDS[each] for each in self.handle))
        many = design.parallel > 1 and design.listing  # without a list LIST-2 allows one at a time
        axes = (
            ("zero", self.zero, design.zero),
            ("listing", self.listing, design.listing),
            ("default_job", self.default_job, design.default_job),
            ("block_ids", self.block_ids, design.block_ids),
            ("namespace", self.namespace, design.namespace),
            ("reuse", self.reuse, design.reuse),
            ("parallel backups", self.many, many),
            ("a choice for calls without an id", self.legacy_choice, many or not design.has_ids),
        )
        for axis, wanted, found in axes:
            if wanted is not None and wanted != found:
                return f"{axis} = {str(wanted).lower()}"
        return ""

    def missing_in_backend(self, design: Design, capabilities: Capabilities) -> str:
        """What the backend lacks to play that part of the design, in words; empty when it lacks nothing."""
        lacking = [call_name(call) for call in self.all_calls if not capabilities.has(call)]
        for choice in (self.any_call, self.also_any_call):
            if choice and not any(map(capabilities.has, choice)):
                lacking += [call_name(call) for call in choice]
        if lacking:
            return ", ".join(lacking)
        parallel = capabilities.parallel_backups
        one_at_once = parallel is not None and parallel < 2  # noqa: PLR2004
        if self.second_job and one_at_once and not any(map(capabilities.has, BLOCK_KIND)):
            return "a second job at once"
        # With one backup at a time a call without an id has no choice, unless a default job can be set or told.
        chooses = self.legacy_choice and design.has_ids and not design.default_job
        if (self.many or chooses) and one_at_once:
            return "a second backup at once"
        if self.limited and parallel is None:
            return "a limit of backups at once"
        return ", ".join([*sorted(self.features - capabilities.features), *sorted(self.flaws - capabilities.flaws)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One numbered sentence. `when` says where it applies, `then` what it demands of the outcome: one thing or several.

    `speaks_of` narrows it to answers of one sort, or widens it to those of several clients at once, or to the loss of
    who takes part in the call: that is judged whatever the call. `keeps` says what
    later queries must not show of the call; a `general` requirement is named only if no other MUST promised the same,
    or was broken by the same answer.
    `presumes` are requirements that it takes for granted: where fewer calls lead to the same answer, and
    that breaks one of them, it is to blame; `EVERYTHING` stands for all that are not general.
    `troubles` are those of which it speaks: an answer that only says so says nothing about the others' concerns. One
    that is `about_the_answer` blames no call before.
    Where one that is `form_only` is broken, the state is known as well as before, and the session goes on.
    `is_tested` leaves out answers that no other in their place could have broken it.
    `provisional` is the reason why nothing exercises it yet.
    """

    id: str
    level: Level = Level.MUST
    text: str
    source: str
    needs: Needs = field(default_factory=Needs)
    when: When
    then: Then | tuple[Demand, ...]
    speaks_of: type[object] | UnionType = Heard
    keeps: Hurt = Hurt.NOTHING
    general: bool = False
    presumes: tuple[str, ...] = ()
    form_only: bool = False
    troubles: frozenset[Trouble] = frozenset()
    about_the_answer: bool = False
    is_tested: Then = lambda *_: True
    provisional: str = ""

    @property
    def chapter(self) -> str:
        """The part of the id before the number."""
        return self.id.rsplit("-", 1)[0]

    @property
    def demands(self) -> tuple[Demand, ...]:
        """What it demands of the outcome; a thing that it demands alone needs no name."""
        return self.then if isinstance(self.then, tuple) else (Demand("", self.then),)

    @property
    def demand_names(self) -> tuple[str, ...]:
        """The names by which it says what of it was broken; the empty one is that of what it demands alone."""
        return (*(each.name for each in self.demands), *([NOTHING_ELSE] if self.keeps else []))

    def broken_demands(self, scene: Scene, answer: Answer) -> tuple[Demand, ...]:
        """The demands that the answer does not meet."""
        return tuple(each for each in self.demands if not each.holds(scene, answer))

    def applies(self, scene: Scene, answer: Answer) -> bool:
        """The requirement speaks of this call, in this state, answered like this."""
        if not isinstance(answer.outcome, self.speaks_of):
            return False
        return isinstance(answer.outcome, Lost) or (self.when(scene) and self.is_tested(scene, answer))

    def takes_for_granted(self, other: "Requirement") -> bool:
        """The other requirement is presumed; of what is general nothing is, unless it is named."""
        return other.id in self.presumes or (self.presumes == EVERYTHING and not other.general)


def trouble_in(scene: Scene, outcome: Outcome) -> Trouble | None:
    """What kept the call from being answered, if the refusal says no more than that."""
    if not isinstance(outcome, Refusal):
        return None
    if outcome.kind is ErrorKind.INTERNAL and not scene.is_environment and scene.storage is not Storage.FULL:
        return Trouble.INTERNAL
    if outcome.kind is ErrorKind.NOT_RUNNING and scene.domain.running:
        return Trouble.STOPPED
    return Trouble.HELD_UP if was_held_up(scene, outcome) else None


def was_held_up(scene: Scene, outcome: Outcome) -> bool:
    """The refusal says only that something is in the way: of a question, or of a call that needs nothing else."""
    if not isinstance(outcome, Refusal) or outcome.kind not in HELD_UP:
        return False
    if scene.is_query:
        return outcome.kind is ErrorKind.TIMED_OUT or in_order(scene)
    return beside_a_job_elsewhere(scene)


INTEGER = frozenset({Handle.INTEGER})
OPAQUE = frozenset({Handle.OPAQUE})
NAME = frozenset({Handle.NAME})
IDS = frozenset({Handle.INTEGER, Handle.NAME})  # what a client can write down and give again
ANY_IDS = frozenset({Handle.INTEGER, Handle.NAME, Handle.OPAQUE})


def mail(words: str) -> str:
    """The paragraph of the mail of 2019-03-26 that holds these words."""
    return f'mail of 2019-03-26, "{words}"'


def doc(function: str) -> str:
    """The public documentation of a function."""
    return f"documentation of {function}"


SENSE = "sense: the sources are silent, this is how the project reads them"
END_PROPOSAL = "documentation of the proposed virDomainBackupEnd"
