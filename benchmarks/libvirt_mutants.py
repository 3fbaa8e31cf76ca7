"""Builds small mistakes into libvirt's own source, one at a time, and counts which of them the kit notices.

The source is that of the installed package, in a cache of its own. Only lines that the kit's runs reach are mutated,
and which of those, the seed decides. A mutant is a line in a file, and the same command goes on after the last one,
so that a measurement of hours may be ended at any time. What another kit has judged does not count.
"""

import argparse
import sys
import threading
from pathlib import Path

from libvirt_tree import Tree
from mutant_record import of_one_measurement, read_record, read_sorted
from mutant_runs import Measurement, reached_of
from mutant_table import plot, table
from reached_lines import read_reached

from jobtck.command import terminated_as_interrupted
from jobtck.conformance.errors import BadInput
from jobtck.failures import failures_told
from jobtck.matrix import default_cache

SORTED = Path(__file__).with_suffix(".toml")


def main() -> None:
    """Judges the mutants that are missing, and prints the table of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="a line for each mutant; reports are kept in a directory beside it")
    parser.add_argument("--count", type=int, default=0, help="judge so many of the draw; without it, only the table")
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn (default: 1)")
    parser.add_argument("--source", type=Path, metavar="DIR", help="a tree to copy, instead of the installed package's")
    parser.add_argument("--cache", type=Path, default=default_cache() / "libvirt-mutants", help="for source and builds")
    parser.add_argument("--sorted", type=Path, default=SORTED, metavar="TOML", help="why survivors survived, by hand")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="a picture of what was noticed in how many seconds")
    options = parser.parse_args()
    if options.count:
        try:
            measure(options)
        except KeyboardInterrupt:
            print("interrupted: the same command goes on", file=sys.stderr)
    reached = read_reached(reached_of(options.file))
    if reached is None:
        raise BadInput(f"{options.file}: nothing was measured yet: say how many mutants by --count")
    lines = of_one_measurement(read_record(options.file), reached.kit, reached.source, options.seed)
    print(*table(lines, reached, read_sorted(options.sorted, reached.source)), sep="\n")
    if options.plot:
        options.plot.write_text(plot(lines), encoding="utf-8")


def measure(options: argparse.Namespace) -> None:
    """The record has as many mutants as are asked for."""
    tree = Tree(options.cache.absolute())
    with terminated_as_interrupted(threading.Event()), tree.held():
        tree.have_source(options.source)
        tree.have_builds()
        measurement = Measurement(options.file.absolute(), tree, options.seed)
        measurement.judge(measurement.draw(measurement.prepare()), options.count)


if __name__ == "__main__":
    with failures_told():
        main()
