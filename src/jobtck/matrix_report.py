"""What a matrix has found: a result for each installation, and one table of all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from rich.console import Console

from jobtck import reportdir
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import EXIT_STATUS, NamedRun, RunRecord, gravest
from jobtck.matrices import Matrix
from jobtck.matrix import Cell, Place, Workshop, cells_of, is_complete
from jobtck.reports.matrix_table import print_matrix
from jobtck.results import joined, read_result


def judge_and_tell(matrix: Matrix, place: Place, console: Console) -> int:
    """The exit status; results are written and shown, also where the matrix was interrupted."""
    cells = cells_of(matrix, place.output)
    workshop = Workshop(matrix, place, console)
    if place.new_roots:
        workshop.renew_roots()
    todo = [cell for cell in cells if place.judges_again(cell) or not is_complete(cell)]
    if len(todo) < len(cells):
        kept = len(cells) - len(todo)
        console.print(f"{kept} of {len(cells)} have a complete result and are not judged again; see --again")
    try:
        workshop.judge(todo)
    except KeyboardInterrupt:
        console.print("jobtck: interrupted; the same command goes on where it ended", markup=False)
    return tell(cells, workshop.failures, place, console)


def tell(cells: Sequence[Cell], failures: Mapping[Cell, str], place: Place, console: Console) -> int:
    """The exit status of all results together, which are written and shown."""
    results = tuple(
        NamedRun(name, _result_of(list(those), failures))
        for name, those in groupby(cells, key=lambda cell: cell.installation.name)
    )
    for result in results:
        directory = place.output / result.name
        reportdir.prepare(directory)
        reportdir.write(result.run, directory)
    print_matrix(console, results)
    told = " ".join(str(place.output / result.name) for result in results)
    console.print(f"results: {told}", markup=False, highlight=False, soft_wrap=True)
    return EXIT_STATUS[gravest([result.run.verdict for result in results])]


def _result_of(cells: Sequence[Cell], failures: Mapping[Cell, str]) -> RunRecord:
    """What was found of one installation, as if one command had judged it."""
    runs = [NamedRun(cell.title, _run_of(cell, failures.get(cell, ""))) for cell in cells]
    errors = dict.fromkeys(each.run.error for each in runs if each.run.error)  # of a root that is missing, once
    return replace(joined(runs), error="; ".join(errors))


def _run_of(cell: Cell, failure: str) -> RunRecord:
    if not failure:
        try:
            return read_result(cell.directory)
        except (BadInput, BackendFailure) as error:
            failure = str(error)
    return RunRecord((), f"jobtck matrix ({cell.title})", 0, 0.0, failure)
