"""Injects faults into a libvirtd of the kit's own until there were enough, and looks for what is lost, blamed or left.

Sessions are drawn at random from a seed. Every deviation is run again on fresh guests. It ends with 0 if nothing was
lost or left, and nobody was blamed for more than is listed as known.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from jobtck.confirm import Patience, Seen, as_seen, confirm
from jobtck.conformance.calls import FAULTS, Call, Flaw, Start, Storage, call_name
from jobtck.conformance.capabilities import Options, OwnHost
from jobtck.conformance.design import find_design
from jobtck.conformance.errors import JobtckError, SessionLost
from jobtck.conformance.judge import Judge
from jobtck.conformance.record import Deviation, Symptom, excuses
from jobtck.conformance.session import Session
from jobtck.conformance.wording import call_text
from jobtck.fixtures.libvirt_target import LibvirtTarget, open_target
from jobtck.known import concerns, shipped_known
from jobtck.lanes import Lane
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import waits
from jobtck.strategies.programs import choose
from jobtck.strategies.tour import NewSession

FAULTS_WANTED, LANES, SEED = 1_000, 3, 20190326
SESSION_CALLS = 30  # after which guests are made as good as new
FAULT_SHARE = 0.3  # of the calls; the others make jobs, and look at what became of them
FAULT_SLOTS = frozenset({"faults", "begin on bad storage", "begin that is cut off", "end that is cut off"})
TRIES_MAX = 100  # draws for one call, most of which a belief does not offer


def fault(call: Call) -> str:
    """What sort of fault the call is; empty if it is none."""
    if isinstance(call, FAULTS):
        return " ".join(filter(None, (call_name(type(call)), getattr(call, "manner", ""))))
    storage = getattr(call, "storage", Storage.SOUND)
    if storage is not Storage.SOUND:
        return f"{call_name(type(call))} on {storage}"
    return f"{call_name(type(call))} {Flaw.CUT_OFF}" if getattr(call, "flaw", None) is Flaw.CUT_OFF else ""


@dataclass(slots=True)
class Count:
    """What has happened so far; `found` is the shortest session that led to each sort of deviation."""

    faults: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    sessions: int = 0
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    deviating: Counter[tuple[str, ...]] = field(default_factory=Counter)
    found: dict[tuple[Symptom, ...], Seen] = field(default_factory=dict)


class Soak:
    """Lanes that hold sessions until together they have injected enough faults."""

    def __init__(self, target: LibvirtTarget, wanted: int, seed: int) -> None:
        self.target = target
        self.judge = Judge(target.design, target.capabilities)
        self.alphabet = Alphabet(target.design, target.capabilities)
        self.count = Count()
        self._wanted = wanted
        self._seed = seed
        self._lock = threading.Lock()
        self._told = 0.0

    def is_over(self) -> bool:
        """Enough faults were injected."""
        return self.count.faults.total() >= self._wanted

    def run_lane(self, number: int) -> None:
        """Sessions on guests of its own, and on others where those were lost."""
        rng = random.Random(self._seed + number)
        while not self.is_over():
            lane = Lane(self.target, self.judge, self._meet)
            try:
                lane.work(lambda new: self._hold_sessions(new, rng), self.is_over)
            except JobtckError:
                pass  # it is among the mishaps
            finally:
                lane.close()
            with self._lock:
                self.count.lost += [str(each) for each in lane.mishaps if isinstance(each, SessionLost)]
                self.count.broken += [str(each) for each in lane.mishaps if not isinstance(each, SessionLost)]

    def _hold_sessions(self, new_session: NewSession, rng: random.Random) -> None:
        while not self.is_over():
            session = new_session()
            self.count.sessions += 1
            for _ in range(SESSION_CALLS):
                call = self._next(session, rng)
                if call is None or self.is_over() or not self._make(session, call):
                    break

    def _next(self, session: Session, rng: random.Random) -> Call | None:
        """A call that does not wait for another job's end; a guest that was stopped is mostly started."""
        belief = session.belief
        if not belief.state.domains[0].running and rng.random() < 1 / 2:
            return Start()
        wanted = rng.random() < FAULT_SHARE
        for _ in range(TRIES_MAX):
            if wanted:
                slot = rng.choice([slot for slot in self.alphabet.lawful if slot.name in FAULT_SLOTS])
                calls = [
                    call for each in slot.variants(belief.state, belief) for call in self.alphabet.family(slot, each)
                ]
                call = rng.choice(calls) if calls else None
            else:
                call = choose(self.alphabet, belief, *rng.randbytes(3))
            if call is None or not session.can(call) or waits(self.target.capabilities, belief, call):
                continue
            return call
        return None

    def _make(self, session: Session, call: Call) -> bool:
        step = session.perform(call)
        with self._lock:
            self.count.calls += 1
            self.count.faults.update(filter(None, (fault(call),)))
            if time.monotonic() > self._told + 10.0:
                self._told = time.monotonic()
                print(f"{self.count.faults.total()} faults, {self.count.calls} calls", file=sys.stderr, flush=True)
        if step.deviations:
            self._meet(session)
        return step.belief is not None

    def _meet(self, session: Session) -> None:
        step = session.history[-1].step
        sort = step.symptoms_of(step.deviations)
        with self._lock:
            self.count.deviating[step.deviations] += 1
            known = self.count.found.get(sort)
            if known is None or session.length < len(known.session):
                self.count.found[sort] = Seen(step, session.conversation, tuple(session.history))

    def confirmed(self) -> Iterator[Deviation]:
        """Each sort of deviation once more, on fresh guests; as it was seen if the backend failed then."""
        patience = Patience(lambda: False, lambda: False)
        for seen in self.count.found.values():
            try:
                yield confirm(self.target, self.judge, seen, patience)
            except JobtckError as error:
                yield as_seen(seen, not_again=str(error))


def left_below(directory: Path) -> list[str]:
    """Processes that name a file below the directory, mounts there in whatever namespace, and files."""
    named = os.fsencode(directory) + b"/"
    left = [f"file {path}" for path in directory.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        for what in ("cmdline", "mountinfo"):
            try:
                if named in (process / what).read_bytes():
                    left.append(f"{what} of process {process.name}")
            except OSError:
                continue  # it has ended, or its mounts are gone
    return left


def is_known(target: LibvirtTarget, requirements: Sequence[str], symptoms: Sequence[Symptom]) -> bool:
    """All these requirements are listed as broken in that way."""
    version = target.versions["libvirt"]
    listed = [each for each in shipped_known() if concerns(each, target.name, target.design.name, version)]
    return all(excuses(listed, id, symptoms) for id in requirements)


def tell(soak: Soak, seconds: float, results: Sequence[Deviation]) -> list[str]:
    """Prints the figures; the answer is what should not have been."""
    count = soak.count
    print(f"{count.faults.total()} faults in {count.sessions} sessions, {count.calls} calls, {seconds:.0f} s")
    for kind, times in sorted(count.faults.items()):
        print(f"  {times:5} {kind}")
    print(f"sessions lost: {len(count.lost)}; lanes that failed otherwise: {len(count.broken)}")
    for requirements, times in sorted(count.deviating.items()):
        print(f"  {times:5} times {', '.join(requirements)}")
    wrong = [*(f"lost: {each}" for each in count.lost), *(f"failed: {each}" for each in count.broken)]
    for result in results:
        known = is_known(soak.target, result.requirements, result.symptoms)
        rate = f"{result.reproduced} of {result.runs}"
        print(f"{', '.join(result.requirements)}: {'known' if known else 'NOT KNOWN'}, again {rate}")
        for line in result.lines:
            print(f"      {call_text(line.call):60} {line.answer} {line.code} {line.text}".rstrip())
        if not known:
            wrong.append(f"{', '.join(result.requirements)}, {rate}")
    return wrong


def main() -> int:
    """Soaks the backend named, and tells what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=FAULTS_WANTED, help="how many to inject")
    parser.add_argument("--lanes", type=int, default=LANES, help="daemons side by side")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))
    target = open_target(find_design("default-job"), Options(host=OwnHost.LIBVIRTD, work_dir=directory))
    assert isinstance(target, LibvirtTarget)
    try:
        began = time.monotonic()
        soak = Soak(target, options.faults, options.seed)
        with ThreadPoolExecutor(options.lanes) as lanes:
            for done in [lanes.submit(soak.run_lane, number) for number in range(options.lanes)]:
                done.result()
        seconds = time.monotonic() - began
        results = list(soak.confirmed())
    finally:
        target.close()
    wrong = tell(soak, seconds, results)
    left = left_below(directory)
    print(f"left behind: {', '.join(left) or 'nothing'}")
    shutil.rmtree(directory, ignore_errors=True)
    for each in wrong:
        print(f"  {each}")
    return 1 if wrong or left else 0


if __name__ == "__main__":
    sys.exit(main())
