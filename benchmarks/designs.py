"""How long the histories of a design take, how that grows with each bound, and what spin makes of one design."""

import argparse
import json
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from pathlib import Path

from jobtck.conformance.design import Design, presets
from jobtck.conformance.hazard_catalogue import HAZARDS
from jobtck.strategies.board import Bounds
from jobtck.strategies.explorer import Explorer
from jobtck.strategies.survey import worlds

MODEL = Path(__file__).parent / "zero_id.pml"
USUAL = Bounds()
GROWN = {"depth": range(3, 9), "jobs": range(1, 5), "clients": range(1, 4)}
GROWN_DEPTH = 6  # of a history, where another bound grows
WIDTH, HEIGHT, LEFT, BOTTOM = 330, 230, 52, 40
COLOURS = ("#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#59636e")


@dataclass
class Point:
    design: str
    bound: str
    value: int
    states: int
    transitions: int
    seconds: float


def measured(design: Design, bounds: Bounds, repeats: int) -> tuple[float, Explorer]:
    """The median of the seconds of processor time, and the exploration."""
    times = []
    explorer = Explorer(design, bounds)
    for _ in range(repeats):
        explorer = Explorer(design, bounds)
        begun = time.process_time()
        explorer.explore(lambda _: "")
        times.append(time.process_time() - begun)
    return statistics.median(times), explorer


def point(design: Design, bound: str, value: int, bounds: Bounds, repeats: int) -> Point:
    seconds, explorer = measured(design, bounds, repeats)
    return Point(design.name, bound, value, len(explorer), explorer.progress.transitions, seconds)


def whole_designs(repeats: int) -> Iterator[Point]:
    """All worlds of each preset within the usual bounds, as `jobtck designs` explores them."""
    for name, design in presets().items():
        explorers = dict.fromkeys(worlds(design, USUAL, HAZARDS).values())
        each = [point(explorer.design, "usual", 0, explorer.bounds, repeats) for explorer in explorers]
        yield Point(
            name,
            "usual",
            0,
            sum(one.states for one in each),
            sum(one.transitions for one in each),
            sum(one.seconds for one in each),
        )


def growth() -> Iterator[Point]:
    """One bound after the other."""
    for bound, values in GROWN.items():
        base = USUAL if bound == "depth" else USUAL._replace(depth=GROWN_DEPTH)
        for design in presets().values():
            for value in values:
                yield point(design, bound, value, base._replace(**{bound: value}), 1)


def spin(repeats: int) -> dict[str, float] | str:
    """zero-id to its end, by spin and by the explorer, which counts states that differ by names once."""
    if not (shutil.which("spin") and shutil.which("gcc")):
        return "spin or gcc is not installed"
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["spin", "-o2", "-a", str(MODEL)], cwd=directory, check=True, capture_output=True)
        compile_it = ["gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"]
        subprocess.run(compile_it, cwd=directory, check=True)
        times = []
        told = ""
        for _ in range(repeats):
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            done = subprocess.run(
                ["./pan", "-m1000000", "-n"], cwd=directory, check=True, capture_output=True, text=True
            )
            times.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
            told = done.stdout
    found = re.search(r"(\d+) states, stored", told)
    assert found
    design, bounds = presets()["zero-id"], USUAL._replace(depth=100)
    seconds, explorer = measured(design, bounds, repeats)
    return {
        "spin_states": int(found[1]),
        "spin_seconds": statistics.median(times),
        "explorer_states": len(explorer),
        "explorer_states_by_all_names": explorer.states_by_all_names(),
        "explorer_seconds": seconds,
    }


def plot(points: list[Point]) -> str:
    """States and seconds over each bound, on scales of powers of ten."""
    panels = [(bound, what) for what in ("states", "seconds") for bound in GROWN]
    body = "".join(
        f'<g transform="translate({WIDTH * (place % len(GROWN))} {HEIGHT * (place // len(GROWN))})">'
        f"{panel([each for each in points if each.bound == bound], bound, what)}</g>"
        for place, (bound, what) in enumerate(panels)
    )
    names = "".join(
        f'<text x="{20 + 150 * place}" y="{2 * HEIGHT + 18}" style="fill:{colour}">{name}</text>'
        for place, (name, colour) in enumerate(zip(presets(), COLOURS, strict=True))
    )
    width, height = WIDTH * len(GROWN) + 80, 2 * HEIGHT + 30
    style = (
        "text{font:12px sans-serif;fill:#1b1f24}rect{fill:#fff}@media (prefers-color-scheme:dark){"
        "text:not([style]){fill:#e6edf3}rect{fill:#0d1117}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"<style>{style}</style><rect width='{width}' height='{height}'/>{body}"
        f"{names}</svg>\n"
    )


def panel(points: list[Point], bound: str, what: str) -> str:
    values = list(GROWN[bound])
    floor = 1.0 if what == "states" else 0.001
    top = max(getattr(each, what) for each in points)
    decades = log10(top / floor) or 1

    def x(value: int) -> float:
        return LEFT + (WIDTH - LEFT - 20) * (value - values[0]) / (values[-1] - values[0])

    def y(amount: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 24) * log10(max(amount, floor) / floor) / decades

    parts = [f'<text x="{LEFT}" y="14">{what} by {bound}</text>']
    parts += [
        f'<text x="{x(value):.0f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value}</text>' for value in values
    ]
    for decade in range(int(decades) + 1):
        amount = floor * 10**decade
        parts.append(f'<path d="M{LEFT} {y(amount):.1f}H{WIDTH - 20}" stroke="#8884"/>')
        parts.append(f'<text x="{LEFT - 4}" y="{y(amount) + 4:.1f}" text-anchor="end">{amount:g}</text>')
    for name, colour in zip(presets(), COLOURS, strict=True):
        line = " ".join(f"{x(each.value):.1f},{y(getattr(each, what)):.1f}" for each in points if each.design == name)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    usual = list(whole_designs(options.repeats))
    for each in usual:
        print(f"{each.design:16} {each.states:>9,} states {each.transitions:>12,} transitions {each.seconds:6.2f} s")
    print(f"all {sum(each.seconds for each in usual):.1f} s of one core")
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    beside = spin(options.repeats)
    print(f"zero-id beside spin: {beside}")
    grown = list(growth()) if options.json or options.plot else []
    if options.plot:
        options.plot.write_text(plot(grown))
    if options.json:
        content = {"usual": [vars(each) for each in usual], "growth": [vars(each) for each in grown], "spin": beside}
        options.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
