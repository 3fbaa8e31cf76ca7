"""Steps of the drawing board as lines that are read."""

from jobtck.conformance.calls import (
    JobType,
)
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.exploration import Line
from jobtck.conformance.histories import By, Verb
from jobtck.conformance.ledger import NAME_OF_LABEL
from jobtck.conformance.wording import LETTERS
from jobtck.strategies.as_calls import DISKS, AsCalls
from jobtck.strategies.board import Server
from jobtck.strategies.memories import Item
from jobtck.strategies.turns import ENVIRONMENT, Move, Step


def _ended(before: Server, after: Server) -> list[str]:
    """The letters of the jobs that live before, and no more after."""
    both = zip(LETTERS, before.jobs, after.jobs, strict=False)
    return [letter for letter, old, new in both if old.live and not new.live]


class Teller:
    """Tells steps one by one, in words and as calls."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._calls = AsCalls(design)

    def line(self, server: Server, step: Step) -> Line:
        """The step as a line; *server* is what was before it."""
        move, moment = step.move, step.moment
        began = move.verb is Verb.BEGIN and moment.refused is None
        call = self._calls.call(step, server)
        text = self._text(move)
        told = step.server if began else server
        return Line(
            client=None if move.client == ENVIRONMENT else move.client,
            text=text,
            answer=self._answer(step, told),
            call=call,
            refused=moment.refused is not None,
            meant=LETTERS[move.item.meant] if move.item is not None else "",
            hit=LETTERS[step.hit] if step.hit >= 0 else "",
            begins=LETTERS[len(server.jobs)] if began else "",
            ends="".join(_ended(server, step.server)),
        )

    def _text(self, move: Move) -> str:
        item, elsewhere = move.item, ", other domain" if move.domain else ""
        what = self._what(item) if item is not None else ""
        match move.verb:
            case Verb.BEGIN:
                verb = "backup_begin" if move.type is JobType.BACKUP else "block_pull"
                name = f', "{self._id(move.number)}"' if self._design.handle is Handle.NAME and move.number else ""
                return f"{verb}({DISKS[move.disk]}{name}{elsewhere})"
            case Verb.END if move.by is By.DISK:
                return f"block_job_abort({what})"
            case Verb.END if move.by is By.LEGACY:
                return "abort_job()"
            case Verb.END:
                return f"backup_end({what}{elsewhere})"
            case Verb.QUERY if move.by is By.DISK:
                return f"get_block_job_info({DISKS[move.disk]})"
            case Verb.QUERY if move.by is By.LEGACY:
                return "get_job_info()"
            case Verb.QUERY:
                return f"backup_get_xml_desc({what or 0}{elsewhere})"
            case Verb.GET_ID if move.by is By.DISK:
                return f"block_job_get_id({DISKS[move.disk]})"
            case Verb.FINISH:
                return f"{LETTERS[move.label]} ends by itself"
            case Verb.DIE:
                return "dies, and a new client takes its place"
            case Verb.EXIT:
                return "ends, and what it wrote down is left"
            case _:
                return f"{VERB_WORDS[move.verb]}({what})"

    def _what(self, item: Item) -> str:
        match item.by:
            case By.ZERO:
                return "0"
            case By.DISK:
                return DISKS[item.value]
            case By.HANDLE:
                return f"handle for {LETTERS[item.meant]}"
            case By.FREED:
                return f"freed handle for {LETTERS[item.meant]}"
            case _:
                return self._id(item.value)

    def _id(self, number: int) -> str:
        return NAME_OF_LABEL[number - 1] if self._design.handle is Handle.NAME else str(number)

    def _answer(self, step: Step, server: Server) -> str:
        moment, move = step.moment, step.move
        if moment.refused is not None:
            return f"refused: {moment.refused}"
        match move.verb:
            case Verb.BEGIN:
                return self._begin_answer(move, LETTERS[len(server.jobs) - 1])
            case Verb.LIST:
                listed = [f"{self._id(job.number)} ({job.type})" for job in server.jobs if job.live and job.number]
                return ", ".join(listed) or "none"
            case Verb.QUERY:
                return f"tells of {LETTERS[step.hit]}{self._told_id(move, server, step.hit)}"
            case Verb.GET_ID | Verb.GET_DEFAULT:
                learnt = [item for item in step.memory if item.by in (By.ID, By.NAME)]
                found = self._asked(move, server)
                return ", ".join(sorted({self._id(each.value) for each in learnt if found in (None, each.meant)}))
            case _:
                return ""

    def _told_id(self, move: Move, server: Server, label: int) -> str:
        """The id in a description, where it is news."""
        news = move.by is By.ZERO and self._design.handle is Handle.INTEGER
        return f", id {server.jobs[label].number}" if news else ""

    def _asked(self, move: Move, server: Server) -> int | None:
        if move.verb is Verb.GET_DEFAULT:
            return server.default
        if move.item is not None:
            return move.item.meant
        return next((place for place, job in enumerate(server.jobs) if job.live and job.disk == move.disk), None)

    def _begin_answer(self, move: Move, letter: str) -> str:
        told = self._design.handle is Handle.INTEGER and move.type is JobType.BACKUP
        if told:
            return f"{letter} = {move.number}"
        handle = self._design.handle is Handle.OPAQUE and move.type is JobType.BACKUP
        return f"handle for {letter}" if handle else letter


VERB_WORDS = {
    Verb.LIST: "list_all_jobs",
    Verb.GET_DEFAULT: "job_get_default_id",
    Verb.SET_DEFAULT: "job_set_default_id",
    Verb.GET_ID: "job_get_id",
    Verb.LOOK_UP: "job_lookup_id",
    Verb.COMPOSE: "job_compose",
    Verb.FREE: "job_free",
}
