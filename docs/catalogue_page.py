"""The catalogue as a page: each requirement with its source, its designs, and the mutants that guard it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tests.mutants_table import Mutant
from tests.test_mutants import MUTANTS

from jobtck.conformance.catalogue import CATALOGUE
from jobtck.conformance.design import presets
from jobtck.conformance.requirement import Requirement
from jobtck.reports.listings import needs_words

HEADER = """# The catalogue

Each requirement is a sentence with a source. *Designs* are the presets in which it applies; *needs* is what else it
takes. *Demands* are the names by which a result and a list of known deviations say what of it was broken; what a
requirement demands alone has no name. *Mutants* are backends with one flaw, on purpose: each of them is named by that
requirement and by no other, and after so many calls at the latest.

"""


def write_catalogue(path: Path) -> None:
    """The page is on disk; it is left alone where nothing has changed, so that it is not built again."""
    text = catalogue_text(CATALOGUE, MUTANTS)
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def catalogue_text(catalogue: Iterable[Requirement], mutants: Iterable[Mutant]) -> str:
    """The page."""
    guards: defaultdict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        guards[mutant.requirement].append(mutant)
    chapters = groupby(catalogue, key=lambda each: each.chapter)
    return HEADER + "\n".join(_chapter(name, list(each), guards) for name, each in chapters)


def _chapter(name: str, requirements: Sequence[Requirement], guards: Mapping[str, Sequence[Mutant]]) -> str:
    return f"## {name}\n\n" + "\n".join(_requirement(each, guards.get(each.id, ())) for each in requirements)


def _requirement(requirement: Requirement, guards: Sequence[Mutant]) -> str:
    designs = [name for name, design in presets().items() if not requirement.needs.missing_in_design(design)]
    lines = [f"### {requirement.id}", "", f"**{requirement.level}.** {requirement.text}", ""]
    lines += [f"* source: {requirement.source}", f"* designs: {', '.join(designs)}"]
    needs = needs_words(requirement.needs)
    lines += [f"* needs: {', '.join(needs)}"] if needs else []
    named = [name for name in requirement.demand_names if name]
    lines += [f"* demands, by name: {'; '.join(named)}"] if named else []
    lines += [f"* not exercised yet: {requirement.provisional}"] if requirement.provisional else []
    lines += ["* mutants:"] if guards else []
    lines += [f"  * {_sentence(mutant)} ({mutant.design.name}, {_calls(mutant.calls)})" for mutant in guards]
    return "\n".join(lines) + "\n"


def _sentence(mutant: Mutant) -> str:
    return " ".join((mutant.make.__doc__ or "").split("\n\n", maxsplit=1)[0].split()).rstrip(".")


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"
