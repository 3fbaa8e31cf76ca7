"""How much the requirements notice, on the reference in every design, and on request on a real backend.

Two figures beside each other: that of a run, whose record is judged again with one answer changed at a time; and that
of walks, in each of which one answer is changed on the way, and which go on from what is believed then. The first takes
no more calls; the second asks what a client would ask who heard the wrong answer.
"""

import argparse
import math
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobtck.backends import backend_names, load_backend, open_target
from jobtck.conformance.calls import Call
from jobtck.conformance.capabilities import Backend, Options, Target
from jobtck.conformance.changed_answers import changes
from jobtck.conformance.changes import Change, Place
from jobtck.conformance.conversations import Exchange
from jobtck.conformance.design import find_design, presets
from jobtck.conformance.free_changes import why_free
from jobtck.conformance.judge import Belief, Judge
from jobtck.conformance.outcomes import Outcome
from jobtck.conformance.power_record import Power
from jobtck.conformance.record import Symptom
from jobtck.conformance.session import Session
from jobtck.hunt import Hunt, Plan
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.programs import BYTES_PER_CALL, run_program

SEARCH_SECONDS, WALKS = 20.0, 300
WALK_CALLS = 120  # tried in a walk; the answer that is changed is one of the first four fifths
SEED = 7


class Figure(NamedTuple):
    """How many changes were noticed, of how many, and the seconds that it took: of CPU, or of walks by the clock."""

    noticed: int
    total: int
    seconds: float

    def __str__(self) -> str:
        share = f"{self.noticed / self.total:6.1%}" if self.total else "     -"
        return f"{self.noticed:5,} of {self.total:5,} {share} {self.seconds:7.1f} s"


@dataclass
class Liar:
    """Guests of which one answer is changed, at the call of that number or the first after it that can be."""

    backend: Backend
    judge: Judge
    at: int
    random: random.Random
    said: list[Exchange] = field(default_factory=list)
    believed: Belief | None = None
    lied: tuple[int, Change, Belief] | None = None

    def perform(self, call: Call) -> Outcome:
        begun = time.perf_counter()
        outcome = self.backend.perform(call)
        self.said.append(Exchange(call, outcome, time.perf_counter() - begun))
        if self.lied is not None or len(self.said) <= self.at:
            return outcome
        place = self.place(len(self.said) - 1, self.believed or self.judge.start())
        by_field: dict[str, list[Change]] = {}
        for change in changes(place):
            # What is late, or told by two answers, cannot be arranged on the way.
            if change.outcome != outcome and change.also is None:
                by_field.setdefault(change.field, []).append(change)
        if not by_field:
            return outcome
        change = self.random.choice(by_field[self.random.choice(sorted(by_field))])
        self.lied = (place.at, change, place.before)
        return change.outcome

    def place(self, at: int, before: Belief) -> Place:
        """The place of an answer in what was said until now."""
        return Place(self.judge.design, self.judge.capabilities, tuple(self.said), at, self.said[at], before)

    def end_all_jobs(self) -> None:
        self.backend.end_all_jobs()

    def close(self) -> None:
        self.backend.close()


def hunted(target: Target, seconds: float) -> Hunt:
    """A search of so many seconds, without waits for the server's lock."""
    hunt = Hunt(target, Plan(math.inf, SEED, is_quick=True), threading.Event())
    hunt.begin_excursions()
    hunt.go_on_tour(lambda *_: None, hunt.seconds_gone + seconds / 2)
    hunt.run_machine(lambda *_: None, hunt.seconds_gone + seconds / 2)
    hunt.wait_for_excursions()
    hunt.close()
    return hunt


def measured(hunt: Hunt) -> tuple[Figure, Power]:
    """The power of its record."""
    begun = time.process_time()  # one core's, whoever else is using it
    hunt.measure_power()
    seconds = time.process_time() - begun
    assert hunt.power is not None, "nothing was kept"
    return Figure(hunt.power.noticed, hunt.power.total, seconds), hunt.power


def walked(target: Target, judge: Judge, known: frozenset[Symptom], walks: int) -> Figure:
    """One answer changed in each walk; what is *known* was not noticed because of it."""
    rng, alphabet = random.Random(SEED), Alphabet(target.design, target.capabilities)
    begun, backend, noticed, total = time.monotonic(), target.fresh(), 0, 0
    try:
        for _ in range(walks):
            is_noticed = walk(judge, backend, alphabet, rng, known)
            noticed, total = noticed + (is_noticed is True), total + (is_noticed is not None)
            backend.end_all_jobs()
    finally:
        backend.close()
    return Figure(noticed, total, time.monotonic() - begun)


def walk(
    judge: Judge, backend: Backend, alphabet: Alphabet, rng: random.Random, known: frozenset[Symptom]
) -> bool | None:
    """A walk notices the answer that is changed in it; None where none is, or where that is free."""
    liar = Liar(backend, judge, rng.randrange(5, WALK_CALLS * 4 // 5), rng)
    session = Session(judge, liar)
    news: list[Symptom] = []
    broken_anyway = {each.requirement for each in known}  # a walk meets what a run did not, of recycled ids above all

    def is_news(session: Session) -> bool:
        step = session.history[-1].step
        news.extend(each for each in step.symptoms_of(step.deviations) if each.requirement not in broken_anyway)
        return bool(news)

    def stop() -> bool:
        liar.believed = session.belief
        return False

    run_program(rng.randbytes(BYTES_PER_CALL * WALK_CALLS), session, alphabet, is_news, stop)
    if liar.lied is None:
        assert not news, f"a false alarm, or a deviation that is not known: {news}"
        return None
    at, change, before = liar.lied
    if not news and why_free(liar.place(at, before), change):
        return None
    return bool(news)


def rows(backend: str, designs: Sequence[str], seconds: float, walks: int) -> Iterator[tuple[str, str]]:
    """A line for each design, and what nobody notices there."""
    for design in designs:
        target = open_target(backend, find_design(design), Options())
        try:
            hunt = hunted(target, seconds)
            run, power = measured(hunt)
            chosen, alike = hunt.findings.news()
            found = (*hunt.findings.listed(), *chosen, *alike)
            known = frozenset(symptom for each in found for symptom in each.sort[0])
            walk_figure = walked(target, hunt.judge, known, walks)
        finally:
            target.close()
        unwatched = [f"  {each.call}: {each.field}: {each.how}" for each in power.unwatched]
        yield f"{design:15} {hunt.conversations.calls:7,} {run}   {walk_figure}", "\n".join(unwatched)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=backend_names(), default="reference")
    parser.add_argument("--design", action="append", choices=presets(), help="all that the backend plays without it")
    parser.add_argument("--seconds", type=float, default=SEARCH_SECONDS, help="of the search in each design")
    parser.add_argument("--walks", type=int, default=WALKS, help="in each of which one answer is changed")
    parser.add_argument("--unwatched", action="store_true", help="list what nobody notices")
    options = parser.parse_args()
    designs = options.design or load_backend(options.backend).designs
    print(f"{'design':15} {'kept':>7} {'a run: its record judged again':32}   walks with one answer changed")
    for line, unwatched in rows(options.backend, designs, options.seconds, options.walks):
        print(line, flush=True)
        if options.unwatched:
            print(unwatched, flush=True)
    return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as storage:  # of Hypothesis
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = storage
        sys.exit(main())
