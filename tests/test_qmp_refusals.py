"""QMP's errors in the words of the contract."""

import pytest

pytest.importorskip("qemu.qmp", reason="qemu.qmp is not installed")

from jobtck.conformance.outcomes import ErrorKind, Refusal
from jobtck.fixtures.qmp_monitors import QmpRefusal
from jobtck.fixtures.qmp_refusals import refusal


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("GenericError", "Job not found", ErrorKind.NO_SUCH_JOB),
        ("DeviceNotActive", "Block job 'x' not found", ErrorKind.NO_SUCH_JOB),
        ("GenericError", "Job 'J' in state 'running' cannot accept command verb 'complete'", ErrorKind.INVALID_STATE),
        ("GenericError", "Job is already paused", ErrorKind.INVALID_STATE),
        ("GenericError", "Can't resume a job that was not paused", ErrorKind.INVALID_STATE),
        ("GenericError", "Job ID 'J' already in use", ErrorKind.INVALID_ARGUMENT),
        ("GenericError", "Invalid job ID '1job'", ErrorKind.INVALID_ARGUMENT),
        ("GenericError", "Invalid job ID 'a\nb'", ErrorKind.INVALID_ARGUMENT),
        ("GenericError", "Node 'vda' is busy: block device is in use by block job: mirror", ErrorKind.BUSY),
        ("GenericError", "Need a root block node", ErrorKind.BUSY),
        ("GenericError", "Cannot find device='vdz' nor node-name='vdz'", ErrorKind.INVALID_ARGUMENT),
        ("DeviceNotFound", "Device 'vdz' not found", ErrorKind.INVALID_ARGUMENT),
        ("GenericError", "Parameter 'flags' is unexpected", ErrorKind.INVALID_ARGUMENT),
        ("GenericError", "QMP input member 'arguments' must be an object", ErrorKind.INVALID_ARGUMENT),
        ("CommandNotFound", "The command nosuch has not been found", ErrorKind.UNSUPPORTED),
        ("GenericError", "Job not found, and more", ErrorKind.OTHER),
        ("DeviceNotActive", "Job not found", ErrorKind.OTHER),
        ("KVMMissingCap", "Using KVM without ...", ErrorKind.OTHER),
    ],
)
def test_an_error_is_a_kind_with_its_own_words(code: str, text: str, kind: ErrorKind) -> None:
    assert refusal(QmpRefusal(code, text)) == Refusal(kind, code, text)
