"""The drawing board: what its server does is what the reference does, and nothing within bounds is missed."""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest

from jobtck.conformance.calls import JobType
from jobtck.conformance.design import Design, presets
from jobtck.conformance.exploration import Answer
from jobtck.conformance.hazard_catalogue import HAZARDS
from jobtck.conformance.hazards import Hazard, Pattern, World
from jobtck.conformance.histories import By, Hit, Moment, Verb
from jobtck.conformance.judge import Judge
from jobtck.conformance.outcomes import BlockInfo, ErrorKind, JobInfo, Outcome, Refusal
from jobtck.conformance.session import Session
from jobtck.fixtures.reference import Reference, ReferenceTarget
from jobtck.strategies import board
from jobtck.strategies.as_calls import AsCalls
from jobtck.strategies.board import Bounds, Server, ends_by_itself, numbers
from jobtck.strategies.checkpoints import restore, saved
from jobtck.strategies.explorer import Explorer
from jobtck.strategies.memories import Memory
from jobtck.strategies.moves import Moves
from jobtck.strategies.survey import explore, findings, worlds
from jobtck.strategies.turns import Step
from jobtck.strategies.witnesses import history

SMALL = Bounds(depth=4)
BY_ID = {hazard.id: hazard for hazard in HAZARDS}
RECYCLED = presets()["recycled-ids"]
OPAQUE = presets()["opaque-handles"]
LISTED = presets()["listed-ids"]
PARALLEL = presets()["parallel-ids"]
VARIANTS = [
    *presets().values(),
    replace(OPAQUE, name="opaque-recycled", reuse=RECYCLED.reuse),
    replace(PARALLEL, name="integers-per-type", namespace=OPAQUE.namespace),
    replace(presets()["default-job"], name="none-of-two", parallel=2),
]


def explored(design: Design, bounds: Bounds = SMALL) -> Explorer:
    explorer = Explorer(design, bounds)
    explorer.explore(lambda _: "")
    return explorer


def told(outcome: Outcome) -> ErrorKind | None:
    match outcome:
        case Refusal(kind=kind):
            return kind
        case JobInfo(type=None) | BlockInfo(kind=None):
            return ErrorKind.NO_SUCH_JOB
        case _:
            return None


def can_be_told_to_the_reference(design: Design, server: Server, step: Step) -> bool:
    """The reference gives the least free id, and lets all jobs end that end by themselves."""
    move = step.move
    if move.verb is Verb.BEGIN:
        return move.number == numbers(design, server, move.type, 0)[0]
    if move.verb is Verb.FINISH:
        return sum(job.live and ends_by_itself(design, job.type) for job in server.jobs) == 1
    return True


def jobs_of(server: Server) -> set[tuple[bool, str]]:
    return {(job.type is JobType.BACKUP, f"vd{'ab'[job.disk]}") for job in server.jobs if job.live}


@pytest.mark.parametrize("design", VARIANTS, ids=lambda design: design.name)
def test_the_server_on_the_board_does_what_the_reference_does(design: Design) -> None:
    target = ReferenceTarget(design)
    moves = Moves(design, SMALL)
    seen: set[tuple[Verb, By, ErrorKind | None]] = set()
    for seed in range(60):
        draw = random.Random(seed)
        backend = Reference(design)
        session, calls = Session(Judge(design, target.capabilities), backend), AsCalls(design)
        server = Server()
        memories: list[Memory] = [(), ()]
        for _ in range(14):
            steps = [*moves.by_itself(server)]
            steps += [step for client in (0, 1) for step in moves.of_client(server, memories[client], client)]
            step = draw.choice([each for each in steps if can_be_told_to_the_reference(design, server, each)])
            call = calls.call(step, server)
            if call is not None and session.can(call):
                session.perform(call)
                answered = told(session.history[-1].outcome)
                if step.move.by is By.LEGACY and step.move.verb is Verb.QUERY:
                    assert (answered is None) == (step.moment.refused is None), step
                else:
                    assert answered == step.moment.refused, step
                seen.add((step.move.verb, step.move.by, answered))
            elif call is not None:
                continue  # its id was told in a list, where a session does not learn it
            server = step.server
            if step.move.client >= 0:
                memories[step.move.client] = step.memory
            guest = backend.guests[0]
            assert {(job.is_backup, job.disks[0]) for job in guest.jobs} == jobs_of(server)
            default = None if server.default is None else f"vd{'ab'[server.jobs[server.default].disk]}"
            assert (guest.default.disks[0] if guest.default else None) == default
    assert len(seen) > 8


@pytest.mark.parametrize("design", VARIANTS, ids=lambda design: design.name)
def test_no_history_is_missed_for_the_sake_of_speed(design: Design) -> None:
    """Beside an exploration without numbers, symmetry or memory of what was worked out."""
    bounds = Bounds(depth=3)
    moves = Moves(design, bounds)
    level: set[tuple[Server, tuple[Memory, Memory]]] = {(Server(), ((), ()))}
    states = set(level)
    moments: set[Moment] = set()
    for _ in range(bounds.depth):
        after: set[tuple[Server, tuple[Memory, Memory]]] = set()
        for server, memories in level:
            for step in [*moves.by_itself(server)]:
                moments.add(step.moment)
                after.add((step.server, memories))
            for client in (0, 1):
                for step in moves.of_client(server, memories[client], client):
                    moments.add(step.moment)
                    known = (step.memory, memories[1]) if client == 0 else (memories[0], step.memory)
                    after.add((step.server, known))
        level = after - states
        states |= level
    fast = explored(design, bounds)
    assert {moment for moment in fast.first if moment.verb is not Verb.STAND} == moments
    deeper = explored(design, bounds._replace(depth=bounds.depth + 1))
    assert len(deeper) == len({deeper.packed(server, memories) for server, memories in states})
    assert len(deeper) < len(states)


def test_symmetry_makes_names_of_clients_and_disks_one() -> None:
    explorer = explored(LISTED, Bounds(depth=3))
    for server, memories in [
        (step.server, [step.memory, ()]) for step in Moves(LISTED, SMALL).of_client(Server(), (), 0)
    ]:
        for order in permutations(range(2)):
            swapped = [memories[client] for client in order]
            jobs = tuple(job._replace(owner=order[job.owner]) if job.owner >= 0 else job for job in server.jobs)
            assert explorer.packed(server._replace(jobs=jobs), swapped) == explorer.packed(server, memories)


@pytest.mark.parametrize("design", VARIANTS, ids=lambda design: design.name)
def test_a_history_leads_to_its_moment_in_as_few_steps_as_were_counted(design: Design) -> None:
    explorer = explored(design)
    for moment, seen in explorer.first.items():
        taken = history(explorer, moment, seen)
        assert len(taken) == seen.depth
        assert moment.verb is Verb.STAND or taken[-1][1].moment == moment


def answer_of(hazard: Hazard, design: Design, bounds: Bounds) -> Answer:
    explorers = worlds(design, bounds, [hazard])
    explore(explorers, lambda _: "")
    return findings(design, explorers, [hazard])[0].answer


NO_LIST = replace(LISTED, zero=OPAQUE.zero, listing=False, parallel=2)
FIVE = Bounds(depth=5)
ONE_JOB = Bounds(jobs=1, depth=5)
PLANTED: list[tuple[str, Design, Design, Bounds]] = [
    ("stale-end", RECYCLED, LISTED, FIVE),
    ("stale-end-others", RECYCLED, LISTED, FIVE),
    ("stale-end-other-kind", RECYCLED, PARALLEL, FIVE),
    ("stale-query", RECYCLED, LISTED, FIVE),
    ("zero-end", LISTED, LISTED, ONE_JOB),
    ("zero-end", LISTED, replace(LISTED, zero=OPAQUE.zero), FIVE),
    ("zero-query", LISTED, LISTED, ONE_JOB),
    ("type-overlap", replace(PARALLEL, namespace=OPAQUE.namespace), PARALLEL, FIVE),
    ("lost-job", NO_LIST, replace(NO_LIST, listing=True), FIVE),
    ("lost-among-others", LISTED, presets()["qemu-jobs"], FIVE),
    ("cannot-address", VARIANTS[-1], presets()["default-job"], FIVE),
    ("window-list-act", RECYCLED, LISTED, FIVE),
    ("window-look-act", LISTED, LISTED, ONE_JOB),
    ("window-disk-act", LISTED, LISTED, ONE_JOB),
    ("window-lookup-act", replace(OPAQUE, reuse=RECYCLED.reuse), OPAQUE, Bounds(depth=6)),
    ("window-default-act", replace(PARALLEL, reuse=RECYCLED.reuse), PARALLEL, FIVE),
    ("handle-after-free", OPAQUE, PARALLEL, FIVE),
    ("handle-double-free", OPAQUE, PARALLEL, FIVE),
    ("handle-leak", OPAQUE, PARALLEL, FIVE),
    ("domain-mixed-up", PARALLEL, OPAQUE, FIVE),
    ("default-unchosen", presets()["default-job"], presets()["default-job"], ONE_JOB),
    ("default-of-others", PARALLEL, PARALLEL, Bounds(clients=1, depth=5)),
    ("future-begin", presets()["zero-id"], presets()["zero-id"], ONE_JOB),
    ("future-zero", presets()["zero-id"], OPAQUE, FIVE),
    ("future-legacy", presets()["zero-id"], presets()["zero-id"], ONE_JOB),
    ("future-unreachable", presets()["default-job"], presets()["zero-id"], FIVE),
]
NEEDS_A_MUTANT = {"type-wrong-verb", "future-id"}


@pytest.mark.parametrize(("id", "planted", "without", "bounds"), PLANTED)
def test_a_hazard_is_found_where_it_is_planted_and_nowhere_else(
    id: str, planted: Design, without: Design, bounds: Bounds
) -> None:
    wide = bounds._replace(clients=2, jobs=3)
    assert answer_of(BY_ID[id], planted, wide) is Answer.PRESENT
    assert answer_of(BY_ID[id], without, bounds) in (Answer.ABSENT, Answer.IMPOSSIBLE)


def test_every_hazard_was_planted() -> None:
    assert {id for id, *_ in PLANTED} | NEEDS_A_MUTANT == set(BY_ID)


def test_a_server_that_checks_no_types_confuses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = board.find_number

    def unchecked(design: Design, server: Server, number: int, type: JobType, domain: int = 0) -> board.Found:
        found = checked(design, server, number, type, domain)
        return checked(design, server, number, board.BLOCK, domain) if found is ErrorKind.WRONG_TYPE else found

    hazard = BY_ID["type-wrong-verb"]
    assert answer_of(hazard, PARALLEL, FIVE) is Answer.ABSENT
    monkeypatch.setattr(board, "find_number", unchecked)
    assert answer_of(hazard, PARALLEL, FIVE) is Answer.PRESENT


def test_a_server_that_knows_ids_only_of_a_lone_backup_breaks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = board.find_number

    def lone(design: Design, server: Server, number: int, type: JobType, domain: int = 0) -> board.Found:
        several = len(board.live_backups(server, domain)) > 1
        return ErrorKind.AMBIGUOUS if several else exact(design, server, number, type, domain)

    hazard = BY_ID["future-id"]
    assert answer_of(hazard, LISTED, FIVE) is Answer.ABSENT
    monkeypatch.setattr(board, "find_number", lone)
    assert answer_of(hazard, LISTED, FIVE) is Answer.PRESENT


def test_what_a_limit_cut_off_is_not_proved() -> None:
    hazard = BY_ID["stale-end"]
    explorers = worlds(LISTED, Bounds(depth=8), [hazard])
    explore(explorers, lambda states: "the limit" if states > 10 else "")
    found = findings(LISTED, explorers, [hazard])[0]
    assert (found.answer, found.reason) == (Answer.NOT_PROVED, "the limit")


def stops(times: int) -> Callable[[int], str]:
    """A limit that lets an exploration go on so often."""
    left = [times]

    def stop(_: int) -> str:
        left[0] -= 1
        return "" if left[0] >= 0 else "enough"

    return stop


@pytest.mark.parametrize("design", [OPAQUE, RECYCLED], ids=lambda design: design.name)
def test_an_exploration_that_is_interrupted_comes_to_the_same(design: Design) -> None:
    bounds = Bounds(depth=5)
    whole, interrupted = explored(design, bounds), Explorer(design, bounds)
    rounds = 0
    while not interrupted.progress.complete:
        interrupted.explore(stops(0))
        again = Explorer(design, bounds)
        restore(again, json_of(saved(interrupted)))
        interrupted = again
        rounds += 1
    assert rounds > 3
    for each in (whole, interrupted):
        each.progress.seconds = 0.0
        each.progress.stopped = ""
    assert saved(interrupted)["progress"] == saved(whole)["progress"]
    assert interrupted.first.keys() == whole.first.keys()
    assert [seen.depth for seen in interrupted.first.values()] == [seen.depth for seen in whole.first.values()]


def json_of(content: dict[str, object]) -> dict[str, object]:
    import json

    read: dict[str, object] = json.loads(json.dumps(content))
    return read


def test_a_pattern_that_says_nothing_fits_every_moment() -> None:
    assert Pattern()(Moment(Verb.LIST))
    assert not Pattern(verb=(Verb.END,))(Moment(Verb.LIST))
    assert Pattern(hit=(Hit.ANOTHER, Hit.NOTHING), fits=(True,))(Moment(Verb.LIST))


def test_hazards_are_told_apart_and_sourced() -> None:
    assert len(BY_ID) == len(HAZARDS)
    for hazard in HAZARDS:
        assert hazard.text.endswith(".")
        assert hazard.source
        assert hazard.world in World
