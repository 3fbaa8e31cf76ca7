"""The form of the answer that each call promises where it succeeds."""

from collections.abc import Mapping

from jobtck.conformance import calls
from jobtck.conformance.calls import BLOCK_KIND, FAULTS, JOB_VERBS, BackupBegin, Call, GetJobStats, is_at_once
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

_BEGUN: Mapping[Handle, type[Value]] = {
    Handle.NONE: Done,
    Handle.NAME: Done,
    Handle.INTEGER: Id,
    Handle.OPAQUE: GotHandle,
}
_FORMS: Mapping[type[Call], type[Value]] = {
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
    calls.TakeEvents: Events,
    calls.Inspect: Leftovers,
}


def promised(call: Call, design: Design) -> type[Value] | type[Both]:
    """The form of the call's answer where it succeeds; of a call that two clients make, that there are two."""
    if is_at_once(call):
        return Both
    match call:
        case BackupBegin():
            return _BEGUN[design.handle]
        case GetJobStats(completed=completed):
            return Completed if completed else JobInfo
        case _:
            return _FORMS[type(call)]
