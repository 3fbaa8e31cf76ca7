"""The commands that are given results: `report`, `diff`, `known` and `history`."""

from pathlib import Path

import click

from jobtck.cli_options import DIRECTORY, PATH, WRITTEN


@click.command()
@click.argument("results", nargs=-1, required=True, type=PATH, metavar="RESULT...")
@click.option("--html", type=WRITTEN, metavar="FILE", help="Write a page that needs nothing beside itself.")
@click.option("--junit", type=WRITTEN, metavar="FILE", help="Write JUnit XML.")
@click.option("--tap", type=WRITTEN, metavar="FILE", help="Write TAP 14.")
@click.option("--markdown", type=WRITTEN, metavar="FILE", help="Write Markdown, for a comment on a merge request.")
@click.option("--badge", type=WRITTEN, metavar="FILE", help="Write the verdict as a small picture, SVG.")
@click.option("--script", type=DIRECTORY, metavar="DIR", help="Write scripts that show each deviation, for git bisect.")
def report(
    results: tuple[Path, ...],
    html: Path | None,
    junit: Path | None,
    tap: Path | None,
    markdown: Path | None,
    badge: Path | None,
    script: Path | None,
) -> None:
    """Make reports of results, each a file or the directory it is in; '-' writes to standard output.

    The oldest result comes first: each is compared with the one before it.
    """
    from jobtck.report import Wanted, write_reports

    wanted = Wanted(html=html, junit=junit, tap=tap, markdown=markdown, badge=badge, script=script)
    write_reports(results, wanted)


@click.command("diff")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--json", "json_path", type=WRITTEN, metavar="FILE", help="Write it as JSON.")
@click.option("--markdown", type=WRITTEN, metavar="FILE", help="Write it as a comment for a merge request.")
@click.option(
    "--traces", type=click.Path(path_type=Path, file_okay=False), help="Write the calls of each change there."
)
@click.option("--strict", is_flag=True, help="Fail also for what is no worse, but otherwise or flaky.")
@click.option("--old-backend", metavar="NAME|exec:COMMAND", help="Make the calls again there, as the old build.")
@click.option("--old-connect", metavar="URI", help="Make the calls again on the old build, behind that URI.")
@click.option("--new-backend", metavar="NAME|exec:COMMAND", help="Make the calls again there, as the new build.")
@click.option("--new-connect", metavar="URI", help="Make the calls again on the new build, behind that URI.")
def diff_(
    old: Path,
    new: Path,
    json_path: Path | None,
    markdown: Path | None,
    traces: Path | None,
    strict: bool,
    old_backend: str | None,
    old_connect: str | None,
    new_backend: str | None,
    new_connect: str | None,
) -> None:
    """Compare two results, each a file or the directory it is in.

    Exit status: 0 nothing is worse, 1 something regressed, 2 usage error, 3 not comparable, 4 error.
    """
    from rich.console import Console

    from jobtck.differences import Wanted, diff, exit_status, strict_exit_status
    from jobtck.ways import source_of

    wanted = Wanted(
        json=json_path,
        markdown=markdown,
        traces=traces,
        old=source_of(old_backend, old_connect),
        new=source_of(new_backend, new_connect),
    )
    told = Console(stderr=Path("-") in (json_path, markdown))
    comparison = diff(old, new, wanted, told)
    raise SystemExit(strict_exit_status(comparison) if strict else exit_status(comparison))


@click.group("known")
def known_() -> None:
    """Keep a list of known deviations."""


@known_.command("update")
@click.argument("results", nargs=-1, required=True, type=PATH, metavar="RESULT...")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("known.toml"),
    show_default=True,
    help="The list; it is made if it is not there.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
def known_update(results: tuple[Path, ...], file: Path, dry_run: bool) -> None:
    """Make a list true of results by the smallest edits: what is new is added, what no longer happens goes."""
    from jobtck.known_update import update_and_tell

    update_and_tell(results, file, dry_run=dry_run)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "json_path", type=WRITTEN, metavar="FILE", help="Write it as JSON.")
@click.option("--html", type=WRITTEN, metavar="FILE", help="Write it as a page, with a picture.")
@click.option("--plot", type=WRITTEN, metavar="FILE", help="Write the picture alone, as SVG.")
def history(directory: Path, json_path: Path | None, html: Path | None, plot: Path | None) -> None:
    """Read all results below a directory: since when each requirement and cell stands so, how often, how flaky.

    Exit status: 0 all were read, 2 there is none, 3 some could not be read.
    """
    from rich.console import Console

    from jobtck.history import Wanted
    from jobtck.history import history as read_and_tell

    told = Console(stderr=Path("-") in (json_path, html, plot))
    raise SystemExit(read_and_tell(directory, Wanted(json_path, html, plot), told))
