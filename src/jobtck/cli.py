"""The command line of `jobtck`."""

import shlex
import sys
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import click

from jobtck import __version__
from jobtck.budgets import BUDGET_MIN_SECONDS, BUDGET_SECONDS, QUICK_SECONDS
from jobtck.cli_options import AS_JSON, BACKEND, BUILD, CONNECT, DESIGN, EXPECT_BUILD, HOST, PATH, READ_ONLY, finite
from jobtck.cli_results import diff_, history, known_, report
from jobtck.conformance.errors import BadInput
from jobtck.failures import failures_told


class Group(click.Group):
    """Every failure that is foreseen is told in one sentence; none ends in a verdict's exit status."""

    def invoke(self, ctx: click.Context) -> object:
        with failures_told():
            return super().invoke(ctx)


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
@BUILD
@EXPECT_BUILD
@READ_ONLY
@BACKEND
@DESIGN
@click.option(
    "--budget",
    type=click.FloatRange(min=BUDGET_MIN_SECONDS),
    callback=finite,
    metavar="SECONDS",
    help=f"How long to search; without it {BUDGET_SECONDS:.0f}, and {QUICK_SECONDS:.0f} with --quick.",
)
@click.option("--quick", is_flag=True, help="Visit each cell once, and leave out what waits half a minute for a lock.")
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
    "--baseline",
    type=PATH,
    metavar="RESULT",
    help="An earlier result: fail of what is worse only; with --strict also of what is otherwise.",
)
@click.option(
    "--explain",
    multiple=True,
    metavar="ID",
    help="Show which calls exercised that requirement, and how often.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("jobtck-report"),
    show_default=True,
    help="Directory for result.json, junit.xml and traces.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for what is said with the backend, in the protocol of adapters.",
)
def run(
    uri: str | None,
    host: str | None,
    build: Path | None,
    expect_build: Path | None,
    read_only: bool,
    backend_name: str | None,
    design_name: str | None,
    budget: float | None,
    quick: bool,
    seed: int,
    known: str,
    strict: bool,
    baseline: Path | None,
    explain: tuple[str, ...],
    output: Path,
    record: Path | None,
) -> None:
    """Judge a backend. Without options: libvirt's QEMU driver in this process, as it is and with ids."""
    from rich.console import Console

    from jobtck.command import known_deviations, options_for, pairs_for, requirements_named, run_and_report
    from jobtck.conformance.record import NamedRun, RunRecord
    from jobtck.fixtures.build_directory import check_holds_libvirt
    from jobtck.reportdir import failure_reported
    from jobtck.results import read_result
    from jobtck.run import Order

    command, date = shlex.join(["jobtck", *sys.argv[1:]]), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    read = [*([baseline] if baseline else []), *([] if known in ("none", "shipped") else [Path(known)])]
    with failure_reported(RunRecord((), command, seed, 0.0, date=date), output, read):
        order = Order(
            pairs=pairs_for(backend_name, design_name),
            options=options_for(uri, host, read_only=read_only, build=build),
            expect_build=None if expect_build is None else check_holds_libvirt(expect_build, "--expect-build"),
            budget_seconds=budget or (QUICK_SECONDS if quick else BUDGET_SECONDS),
            is_quick=quick,
            seed=seed,
            known=known_deviations(known),
            strict=strict,
            baseline=None if baseline is None else NamedRun(str(baseline), read_result(baseline)),
            date=date,
            command=command,
            record=record,
            explain=requirements_named(explain),
        )
        if record is not None and len(order.pairs) > 1:
            raise BadInput("--record writes what is said with one backend: choose it with --backend")
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
@BUILD
@READ_ONLY
@BACKEND
@DESIGN
@AS_JSON
def probe(
    uri: str | None,
    host: str | None,
    build: Path | None,
    read_only: bool,
    backend_name: str | None,
    design_name: str | None,
    as_json: bool,
) -> None:
    """Find out by trying what a backend can do, with the evidence."""
    from jobtck.command import options_for, pairs_for
    from jobtck.listing import show_probe

    pair = pairs_for(backend_name, design_name)[0]
    show_probe(pair, options_for(uri, host, read_only=read_only, build=build), as_json=as_json)


@main.command()
@click.argument("trace", type=click.Path(path_type=Path, dir_okay=False))
@CONNECT
@HOST
@BUILD
@BACKEND
def replay(trace: Path, uri: str | None, host: str | None, build: Path | None, backend_name: str | None) -> None:
    """Make the calls of a trace again: fixed (0), still there (1), or it took another turn (3)."""
    from jobtck.command import options_for
    from jobtck.replay import replay_and_tell

    raise SystemExit(replay_and_tell(trace, backend_name, options_for(uri, host, read_only=False, build=build)))


@main.command("new-adapter")
@click.argument("language", type=click.Choice(["python", "c", "c-libvirt"]))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def new_adapter_(language: str, directory: Path) -> None:
    """Write a starting point for an adapter, which lets a driver in any language be judged."""
    from jobtck.starting_point import new_adapter

    for path in new_adapter(language, directory):
        click.echo(path)


@main.command("matrix")
@click.argument("file", required=False, type=PATH, metavar="[MATRIX.toml]")
@click.option("-o", "--output", type=PATH, default=Path("jobtck-matrix"), show_default=True, help="Where results go.")
@click.option("--cache", type=PATH, metavar="DIR", help="Where roots are kept; without it, below XDG_CACHE_HOME.")
@click.option("--at-once", type=click.IntRange(1, 64), help="How many runs side by side; without it, as many as fit.")
@click.option("--again", is_flag=True, help="Judge also what has a complete result.")
@click.option("--new-roots", is_flag=True, help="Make the roots anew: a release that moves has moved on.")
def matrix_(
    file: Path | None, output: Path, cache: Path | None, at_once: int | None, again: bool, new_roots: bool
) -> None:
    """Judge several libvirts side by side. Without a file: those of Debian bookworm, trixie and sid.

    What has a complete result is not judged again, so an interrupted matrix goes on. Exit status: as of 'run', of the
    gravest result.
    """
    from rich.console import Console

    from jobtck.matrices import read_matrix, shipped_matrix
    from jobtck.matrix import Place, as_many_as_fit, default_cache
    from jobtck.matrix_report import judge_and_tell

    matrix = shipped_matrix() if file is None else read_matrix(file)
    place = Place(output, cache or default_cache(), at_once or as_many_as_fit(), again=again, new_roots=new_roots)
    raise SystemExit(judge_and_tell(matrix, place, Console()))


@main.command("designs")
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--clients", type=click.IntRange(1, 4), default=2, show_default=True, help="How many clients.")
@click.option("--jobs", type=click.IntRange(1, 6), default=3, show_default=True, help="How many jobs are begun.")
@click.option("--depth", type=click.IntRange(1, 30), default=8, show_default=True, help="How many steps a history has.")
@click.option(
    "--states",
    "states_max",
    type=click.IntRange(min=1),
    default=4_000_000,
    show_default=True,
    help="Stop a design at so many states: what is not shown then is not proved absent.",
)
@click.option("--seconds", "seconds_max", type=click.FloatRange(min=0.1), callback=finite, help="Stop after so long.")
@click.option("--hazards", "hazard_files", multiple=True, metavar="FILE", help="Hazards of your own, TOML or Python.")
@click.option("--json", "json_path", type=PATH, help="Write what was found as JSON.")
@click.option("--html", "html_path", type=PATH, help="Write it as a page, with the witnesses as pictures.")
@click.option("--witnesses", type=PATH, help="Write each witness there, as a picture and as a trace to replay.")
@click.option("--save", type=PATH, help="Go on from that file, and keep there how far it came.")
@click.option("--real", is_flag=True, help="Play the witnesses on real libvirt, where it can have the design.")
@CONNECT
def designs_(
    names: tuple[str, ...],
    clients: int,
    jobs: int,
    depth: int,
    states_max: int,
    seconds_max: float | None,
    hazard_files: tuple[str, ...],
    json_path: Path | None,
    html_path: Path | None,
    witnesses: Path | None,
    save: Path | None,
    real: bool,
    uri: str | None,
) -> None:
    """Look at every history of a design within bounds, and tell which hazards it has.

    Exit status: 0 all was looked at, 3 a limit ended it.
    """
    from rich.console import Console

    from jobtck.command import options_for
    from jobtck.designs import Outputs, Question, designs_named, hazards_named, tell
    from jobtck.strategies.board import Bounds

    question = Question(
        designs=designs_named(names),
        hazards=hazards_named(hazard_files),
        bounds=Bounds(clients=clients, jobs=jobs, depth=depth),
        states_max=states_max,
        seconds_max=seconds_max,
        command=shlex.join(["jobtck", *sys.argv[1:]]),
    )
    wanted = options_for(uri, None, read_only=False) if real or uri else None
    raise SystemExit(tell(question, Outputs(json_path, html_path, witnesses, save, wanted), Console()))


for command in (report, diff_, known_, history):
    main.add_command(command)


if __name__ == "__main__":
    main()
