"""The form of an answer: which sort of value a call answers with where it succeeds."""

from collections.abc import Mapping

from jobtck.conformance import calls
from jobtck.conformance.calls import BLOCK_KIND, FAULTS, JOB_VERBS, Call, is_at_once
from jobtck.conformance.design import Design, Handle
from jobtck.conformance.outcomes import (
    BlockInfo,
    Both,
    Completed,
    Description,
    Done,
    Ended,
    Events,
    GotHandle,
    Id,
    JobInfo,
    Leftovers,
    Listed,
    StatusOf,
    TypeOf,
    Value,
)

Form = type[Value] | type[Both]

_BEGUN: Mapping[Handle, Form] = {
    Handle.NONE: Done,
    Handle.NAME: Done,
    Handle.INTEGER: Id,
    Handle.OPAQUE: GotHandle,
}
_FORMS: Mapping[type[Call], Form] = {
    calls.BackupGetXmlDesc: Description,
    calls.BackupEnd: Ended,
    calls.ListAllJobs: Listed,
    calls.GetJobInfo: JobInfo,
    calls.AbortJob: Done,
    **dict.fromkeys(BLOCK_KIND, Done),
    calls.BlockJobAbort: Done,
    calls.GetBlockJobInfo: BlockInfo,
    calls.BlockJobSetSpeed: Done,
    calls.JobGetDefaultId: Id,
    calls.JobSetDefaultId: Done,
    calls.BlockJobGetId: Id,
    calls.JobLookupId: GotHandle,
    calls.JobCompose: GotHandle,
    calls.JobGetId: Id,
    calls.JobGetType: TypeOf,
    calls.JobFree: Done,
    calls.JobGetStatus: StatusOf,
    **dict.fromkeys(JOB_VERBS, Done),
    calls.Start: Done,
    calls.Destroy: Done,
    **dict.fromkeys(FAULTS, Done),
    calls.Save: Done,
    calls.Settle: Done,
    calls.EndSession: Done,
    calls.TakeEvents: Events,
    calls.Inspect: Leftovers,
}


def form_of(call: Call, design: Design) -> Form:
    """The sort of value that the call answers with where it succeeds."""
    if is_at_once(call):
        return Both
    match call:
        case calls.BackupBegin():
            return _BEGUN[design.handle]
        case calls.GetJobStats(completed=completed):
            return Completed if completed else JobInfo
        case _:
            return _FORMS[type(call)]
