"""The catalogue: every requirement of the contract, in its order."""

from collections.abc import Mapping

from jobtck.conformance.answering import ANSWERING
from jobtck.conformance.begin import BEGIN
from jobtck.conformance.end import END
from jobtck.conformance.errors import BadInput
from jobtck.conformance.handles import HANDLE
from jobtck.conformance.identity import IDENTITY
from jobtck.conformance.legacy import LEGACY
from jobtck.conformance.listing import LIST
from jobtck.conformance.query import QUERY
from jobtck.conformance.requirement import Requirement
from jobtck.conformance.sanity import SANITY
from jobtck.conformance.stale import STALE
from jobtck.conformance.typed import TYPES
from jobtck.conformance.verbs import JOB
from jobtck.conformance.zero import ZERO

CATALOGUE: tuple[Requirement, ...] = (
    *IDENTITY,
    *ZERO,
    *STALE,
    *TYPES,
    *LIST,
    *BEGIN,
    *END,
    *QUERY,
    *LEGACY,
    *HANDLE,
    *JOB,
    *ANSWERING,
    *SANITY,
)
BY_ID: Mapping[str, Requirement] = {requirement.id: requirement for requirement in CATALOGUE}


def find_requirement(id: str) -> Requirement:
    """The requirement with that id; `BadInput` if there is none."""
    if id not in BY_ID:
        raise BadInput(f"no requirement {id!r}: see 'jobtck list requirements'")
    return BY_ID[id]
