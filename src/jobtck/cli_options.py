"""Options and arguments that several commands share."""

import math
from pathlib import Path

import click

CONNECT = click.option("-c", "--connect", "uri", metavar="URI", help="libvirt connection URI, as in virsh.")
READ_ONLY = click.option("-r", "--readonly", "read_only", is_flag=True, help="Connect read-only, as in virsh.")
BACKEND = click.option(
    "--backend", "backend_name", metavar="NAME|exec:COMMAND", help="What to judge; see 'jobtck list backends'."
)
DESIGN = click.option("--design", "design_name", metavar="NAME|FILE", help="A preset, or a TOML file with the axes.")
HOST = click.option(
    "--host",
    "host",
    type=click.Choice(["embedded", "libvirtd", "virtqemud"]),
    help="Where guests live without -c: libvirt's driver in this process, or a daemon of the kit's own.",
)
BUILD = click.option(
    "--build",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Take libvirt from the directory that it was built in, and refuse any other.",
)
EXPECT_BUILD = click.option(
    "--expect-build",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Refuse to judge a libvirt whose files do not lie in that directory.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
PATH = click.Path(path_type=Path)
DIRECTORY = click.Path(path_type=Path, file_okay=False)
WRITTEN = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


def finite(_: click.Context, parameter: click.Parameter, seconds: float | None) -> float | None:
    """The seconds, if they are a number that is reached some time."""
    if seconds is not None and not math.isfinite(seconds):
        raise click.BadParameter(f"{seconds} is no number of seconds", param=parameter)
    return seconds
