"""What a matrix has found: a result for each installation, and one table of all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from rich.console import Console

from jobtck import reportdir
from jobtck.conformance.errors import BackendFailure, BadInput
from jobtck.conformance.record import EXIT_STATUS, NamedRun, RunRecord, gravest
from jobtck.matrices import Matrix
from jobtck.matrix import Entry, Place, Workshop, entries_of, is_complete
from jobtck.reports.matrix_table import print_matrix
from jobtck.results import joined, read_result


def judge_and_tell(matrix: Matrix, place: Place, console: Console) -> int:
    """The exit status; results are written and shown, also where the matrix was interrupted."""
    entries = entries_of(matrix, place.output)
    workshop = Workshop(matrix, place, console)
    if place.new_roots:
        workshop.renew_roots()
    todo = [entry for entry in entries if place.judges_again(entry) or not is_complete(entry)]
    if len(todo) < len(entries):
        kept = len(entries) - len(todo)
        console.print(f"{kept} of {len(entries)} have a complete result and are not judged again; see --again")
    for directory in {place.output / entry.installation.name: None for entry in todo}:
        reportdir.prepare(directory)
    try:
        workshop.judge(todo)
    except KeyboardInterrupt:
        console.print("jobtck: interrupted; the same command goes on where it ended", markup=False)
    return tell(entries, workshop.failures, place, console)


def tell(entries: Sequence[Entry], failures: Mapping[Entry, str], place: Place, console: Console) -> int:
    """The exit status of all results together, which are written and shown."""
    results = tuple(
        NamedRun(name, _result_of(list(those), failures))
        for name, those in groupby(entries, key=lambda entry: entry.installation.name)
    )
    for result in results:
        directory = place.output / result.name
        reportdir.prepare(directory)
        reportdir.write(result.run, directory)
    print_matrix(console, results)
    told = " ".join(str(place.output / result.name) for result in results)
    console.print(f"results: {told}", markup=False, highlight=False, soft_wrap=True)
    return EXIT_STATUS[gravest([result.run.verdict for result in results])]


def _result_of(entries: Sequence[Entry], failures: Mapping[Entry, str]) -> RunRecord:
    """What was found of one installation, as if one command had judged it."""
    runs = [NamedRun(entry.title, _run_of(entry, failures.get(entry, ""))) for entry in entries]
    errors = dict.fromkeys(each.run.error for each in runs if each.run.error)  # of a root that is missing, once
    return replace(joined(runs), error="; ".join(errors))


def _run_of(entry: Entry, failure: str) -> RunRecord:
    if not failure:
        try:
            return read_result(entry.directory)
        except (BadInput, BackendFailure) as error:
            failure = str(error)
    return RunRecord((), f"jobtck matrix ({entry.title})", 0, 0.0, failure)
