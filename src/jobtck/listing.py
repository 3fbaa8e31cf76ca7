"""`jobtck list` and `jobtck probe`: the same facts as tables or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import Console

from jobtck.backends import load_backend, load_backends
from jobtck.conformance.calls import ALL_CALLS, Inspect, Settle, TakeEvents, call_name
from jobtck.conformance.capabilities import Options
from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.design import find_design, presets
from jobtck.conformance.judge import Judge
from jobtck.reports import listings, tables
from jobtck.strategies.alphabet import Alphabet
from jobtck.strategies.chart import draw
from jobtck.verdicts import target_record


@dataclass(frozen=True, slots=True)
class Found:
    """Whether a backend has a call, and what says so."""

    present: bool
    answer: str


KITS_OWN = frozenset(map(call_name, (Settle, TakeEvents, Inspect)))  # no driver's calls: backends serve them


def _print_json(content: object) -> None:
    click.echo(json.dumps(content, indent=2))


def list_requirements(design_name: str | None, *, as_json: bool) -> None:
    """The catalogue."""
    design = None if design_name is None else find_design(design_name)
    if as_json:
        _print_json(listings.requirements(CATALOGUE, design))
    else:
        tables.print_requirements(Console(), CATALOGUE, design)


def list_designs(*, as_json: bool) -> None:
    """The presets."""
    if as_json:
        _print_json(listings.designs(presets().values()))
    else:
        tables.print_designs(Console(), presets().values())


def list_backends(*, as_json: bool) -> None:
    """What is registered as a backend."""
    rows = [(name, plugin.designs, plugin.default_design) for name, plugin in load_backends().items()]
    if as_json:
        _print_json(listings.backends(rows))
    else:
        tables.print_backends(Console(), rows)


def list_cells(design_name: str, *, as_json: bool) -> None:
    """The cells of a design that the reference can play, and the length of a shortest way to each."""
    target = load_backend("reference").open(find_design(design_name), Options())
    judge = Judge(target.design, target.capabilities)
    chart = draw(judge, Alphabet(target.design, target.capabilities, live_jobs=2))
    rows: Sequence[tuple[str, str, int]] = [
        (each.state, each.call, len(chart.way(each))) for each in sorted(chart.ways)
    ]
    if as_json:
        _print_json(listings.cells(rows))
    else:
        tables.print_cells(Console(), rows)


def _unasked(call: str) -> str:
    """What says that a call is there which nobody asked for."""
    return "the kit's own" if call in KITS_OWN else "declared"


def show_probe(pair: tuple[str, str], options: Options, *, as_json: bool) -> None:
    """What a backend was found to have."""
    name, design = pair
    target = load_backend(name).open(find_design(design), options)
    try:
        capabilities = target.capabilities
        names = [call_name(call) for call in ALL_CALLS]
        asked = [each for each in names if each in capabilities.calls or each in capabilities.reasons]
        evidence = {
            each: Found(each in capabilities.calls, capabilities.reasons.get(each, _unasked(each))) for each in asked
        }
        told = target_record(target)
    finally:
        target.close()
    if as_json:
        _print_json(listings.probe(told, evidence))
    else:
        tables.print_probe(Console(), told, evidence)
