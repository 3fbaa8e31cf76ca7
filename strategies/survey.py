"""All hazards of a design: its worlds are explored, and each hazard is sought among the moments met there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from jobtck.conformance.design import Design
from jobtck.conformance.exploration import Answer, Extent, Finding
from jobtck.conformance.hazards import Hazard, World
from jobtck.conformance.histories import Moment
from jobtck.strategies.board import Bounds
from jobtck.strategies.explorer import Explorer, Seen
from jobtck.strategies.witnesses import witness

FUTURE_PARALLEL = 2  # one more than the one that clients were written for

Stop = Callable[[int], str]


def worlds(design: Design, bounds: Bounds, hazards: Iterable[Hazard]) -> Mapping[World, Explorer]:
    """What is to be explored for these hazards; the future of a design with several backups is there already."""
    explorers: dict[World, Explorer] = {}
    for world in sorted({hazard.world for hazard in hazards if not lacking(design, hazard)}, key=list(World).index):
        match world:
            case World.AS_IS:
                explorers[world] = Explorer(design, bounds)
            case World.FUTURE if design.parallel > 1:
                explorers[world] = explorers.get(World.AS_IS) or Explorer(design, bounds)
            case World.FUTURE:
                explorers[world] = Explorer(future_of(design), bounds)
            case World.DOMAINS:
                mixed = bounds._replace(clients=1, jobs=min(bounds.jobs, 2), disks=1, domains=2)
                explorers[world] = Explorer(design, mixed)
    return explorers


def future_of(design: Design) -> Design:
    """The design when several backups may run: with a list, as the mail has it, where there is something to list."""
    return replace(design, parallel=FUTURE_PARALLEL, listing=design.listing or design.has_ids)


def explore(explorers: Mapping[World, Explorer], stop: Stop) -> None:
    """Explores each world once; where one is stopped, those after it are too."""
    for explorer in dict.fromkeys(explorers.values()):
        explorer.explore(stop)


def lacking(design: Design, hazard: Hazard) -> str:
    """What the design lacks to have the hazard, in words; empty when it lacks nothing."""
    if hazard.world is World.FUTURE and design.parallel == 1:
        design = future_of(design)
    return hazard.needs.missing_in_design(design)


def findings(design: Design, explorers: Mapping[World, Explorer], hazards: Sequence[Hazard]) -> tuple[Finding, ...]:
    """What was found of each hazard."""
    return tuple(_finding(design, explorers, hazard) for hazard in hazards)


def _finding(design: Design, explorers: Mapping[World, Explorer], hazard: Hazard) -> Finding:
    if missing := lacking(design, hazard):
        return Finding(hazard, Answer.IMPOSSIBLE, reason=f"needs {missing}")
    explorer = explorers[hazard.world]
    met = [(seen, moment) for moment, seen in explorer.first.items() if hazard.when(moment)]
    if met:
        seen, moment = min(met, key=_shortest_first)
        return Finding(hazard, Answer.PRESENT, witness(explorer, moment, seen))
    if explorer.progress.complete:
        return Finding(hazard, Answer.ABSENT)
    return Finding(hazard, Answer.NOT_PROVED, reason=explorer.progress.stopped or "not explored")


def _shortest_first(met: tuple[Seen, Moment]) -> tuple[int, int]:
    return met[0].depth, met[0].state


def extents(explorers: Mapping[World, Explorer]) -> tuple[Extent, ...]:
    """How far each world was looked at."""
    return tuple(_extent(world, explorer) for world, explorer in explorers.items())


def _extent(world: World, explorer: Explorer) -> Extent:
    progress, bounds = explorer.progress, explorer.bounds
    return Extent(
        world=world,
        design=explorer.design,
        clients=bounds.clients,
        jobs=bounds.jobs,
        depth=bounds.depth,
        states=len(explorer),
        transitions=progress.transitions,
        depth_reached=progress.depth,
        seconds=progress.seconds,
        levels=tuple(progress.levels),
        stopped="" if progress.complete else progress.stopped or "not begun",
    )
