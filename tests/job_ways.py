"""Ways into every status of a named job, and the verbs that are accepted there: JobVerbTable of QEMU's job.c."""

from dataclasses import replace

from jobtck.conformance.calls import (
    BackupBegin,
    BlockCommit,
    BlockCopy,
    BlockJobBegin,
    BlockPull,
    Call,
    JobCancel,
    JobComplete,
    JobDismiss,
    JobFinalize,
    JobPause,
    JobResume,
    JobVerb,
    Mode,
    Settle,
    Waits,
)
from jobtck.conformance.capabilities import Backend
from jobtck.conformance.outcomes import DONE, JobStatus

PULL = BackupBegin(label=0, mode=Mode.PULL, disks=("vda",), name="job")
PUSH = BackupBegin(label=0, mode=Mode.PUSH, disks=("vda",), name="job")
COPY = BlockCopy(label=0, disk="vda", name="job")
Begin = BackupBegin | BlockJobBegin

# what is done after a begin that waits for both last steps, and the status that it leads to
WAYS: dict[str, tuple[Begin, tuple[Call, ...], JobStatus]] = {
    "pull running": (PULL, (), JobStatus.RUNNING),
    "pull still running": (PULL, (Settle(),), JobStatus.RUNNING),
    "push running": (PUSH, (), JobStatus.RUNNING),
    "push paused": (PUSH, (JobPause(job="job"), Settle()), JobStatus.PAUSED),
    "push resumed": (PUSH, (JobPause(job="job"), JobResume(job="job")), JobStatus.RUNNING),
    "push pending": (PUSH, (Settle(),), JobStatus.PENDING),
    "push concluded": (PUSH, (Settle(), JobFinalize(job="job")), JobStatus.CONCLUDED),
    "push cancelled": (PUSH, (Settle(), JobCancel(job="job")), JobStatus.CONCLUDED),
    "copy ready": (COPY, (Settle(),), JobStatus.READY),
    "copy standby": (COPY, (Settle(), JobPause(job="job")), JobStatus.STANDBY),
    "copy pending": (COPY, (Settle(), JobComplete(job="job")), JobStatus.PENDING),
    "pull of images pending": (BlockPull(label=0, disk="vda", name="job"), (Settle(),), JobStatus.PENDING),
    "commit pending": (BlockCommit(label=0, disk="vda", name="job"), (Settle(),), JobStatus.PENDING),
}
TABLE: dict[type[JobVerb], str] = {
    JobCancel: "running paused ready standby pending",
    JobPause: "running ready",
    JobResume: "paused standby",
    JobComplete: "ready standby",
    JobFinalize: "pending",
    JobDismiss: "concluded",
}


def begun(server: Backend, begin: Begin, *calls: Call, waits: Waits = Waits.BOTH) -> Backend:
    """The server, on which the begin was made, leaving these steps to the client, and these calls."""
    for call in (replace(begin, waits=waits), *calls):
        assert server.perform(call) == DONE, call
    return server
