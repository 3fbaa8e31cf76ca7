"""The command line: `jobtck run`, `list`, `probe` and `replay`."""

import math
import shlex
import sys
from io import TextIOWrapper
from pathlib import Path

import click

from jobtck import __version__
from jobtck.failures import failures_told

CONNECT = click.option("-c", "--connect", "uri", metavar="URI", help="libvirt connection URI, as in virsh.")
READ_ONLY = click.option("-r", "--readonly", "read_only", is_flag=True, help="Connect read-only, as in virsh.")
BACKEND = click.option("--backend", "backend_name", metavar="NAME", help="What to judge; see 'jobtck list backends'.")
DESIGN = click.option("--design", "design_name", metavar="NAME|FILE", help="A preset, or a TOML file with the axes.")
HOST = click.option(
    "--host",
    "host",
    type=click.Choice(["embedded", "libvirtd"]),
    help="Where guests live without -c: libvirt's driver in this process, or a libvirtd of the kit's own.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
BUDGET_SECONDS = 60.0
BUDGET_MIN_SECONDS = 5.0  # less does not start a guest


class Group(click.Group):
    """Every failure that is foreseen is told in one sentence; none ends in a verdict's exit status."""

    def invoke(self, ctx: click.Context) -> object:
        with failures_told():
            return super().invoke(ctx)


def finite(_: click.Context, parameter: click.Parameter, seconds: float) -> float:
    """The seconds, if they are a number that is reached some time."""
    if not math.isfinite(seconds):
        raise click.BadParameter(f"{seconds} is no number of seconds", param=parameter)
    return seconds


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="jobtck %(version)s")
def main() -> None:
    """Judges job-management APIs: real libvirt, or any other backend, against the contract.

    Exit status: 0 conforming, 1 nonconforming, 2 usage error, 3 incomplete, 4 error.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@main.command()
@CONNECT
@HOST
@READ_ONLY
@BACKEND
@DESIGN
@click.option(
    "--budget",
    type=click.FloatRange(min=BUDGET_MIN_SECONDS),
    default=BUDGET_SECONDS,
    callback=finite,
    show_default=True,
    metavar="SECONDS",
    help="How long to search.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Where the long random sessions begin.")
@click.option(
    "--known",
    default="shipped",
    show_default=True,
    metavar="FILE|none|shipped",
    help="Deviations that are listed, and do not fail the run.",
)
@click.option("--strict", is_flag=True, help="Let a SHOULD that fails fail the run.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("jobtck-report"),
    show_default=True,
    help="Directory for result.json, junit.xml and traces.",
)
def run(
    uri: str | None,
    host: str | None,
    read_only: bool,
    backend_name: str | None,
    design_name: str | None,
    budget: float,
    seed: int,
    known: str,
    strict: bool,
    output: Path,
) -> None:
    """Judge a backend. Without options: libvirt's QEMU driver in this process, as it is and with ids."""
    from rich.console import Console

    from jobtck.command import known_deviations, options_for, pairs_for, run_and_report
    from jobtck.run import Order

    order = Order(
        pairs=pairs_for(backend_name, design_name),
        options=options_for(uri, host, read_only=read_only),
        budget_seconds=budget,
        seed=seed,
        known=known_deviations(known),
        strict=strict,
        command=shlex.join(["jobtck", *sys.argv[1:]]),
    )
    raise SystemExit(run_and_report(order, output, Console()))


@main.group("list")
def list_() -> None:
    """Show what there is: requirements, designs, backends, cells."""


@list_.command()
@DESIGN
@AS_JSON
def requirements(design_name: str | None, as_json: bool) -> None:
    """The catalogue, with sources."""
    from jobtck.listing import list_requirements

    list_requirements(design_name, as_json=as_json)


@list_.command()
@AS_JSON
def designs(as_json: bool) -> None:
    """The preset designs on their axes."""
    from jobtck.listing import list_designs

    list_designs(as_json=as_json)


@list_.command()
@AS_JSON
def backends(as_json: bool) -> None:
    """What can be judged."""
    from jobtck.listing import list_backends

    list_backends(as_json=as_json)


@list_.command()
@DESIGN
@AS_JSON
def cells(design_name: str | None, as_json: bool) -> None:
    """The cells of a design: states, calls, and how many calls lead there."""
    from jobtck.listing import list_cells

    list_cells(design_name or "zero-id", as_json=as_json)


@main.command()
@CONNECT
@HOST
@READ_ONLY
@BACKEND
@DESIGN
@AS_JSON
def probe(
    uri: str | None, host: str | None, read_only: bool, backend_name: str | None, design_name: str | None, as_json: bool
) -> None:
    """Find out by trying what a backend can do, with the evidence."""
    from jobtck.command import options_for, pairs_for
    from jobtck.listing import show_probe

    pair = pairs_for(backend_name, design_name)[0]
    show_probe(pair, options_for(uri, host, read_only=read_only), as_json=as_json)


@main.command()
@click.argument("trace", type=click.Path(path_type=Path, dir_okay=False))
@CONNECT
@HOST
@BACKEND
def replay(trace: Path, uri: str | None, host: str | None, backend_name: str | None) -> None:
    """Make the calls of a trace again: fixed (0), still there (1), or it took another turn (3)."""
    from jobtck.command import options_for
    from jobtck.replay import replay_and_tell

    raise SystemExit(replay_and_tell(trace, backend_name, options_for(uri, host, read_only=False)))


if __name__ == "__main__":
    main()
