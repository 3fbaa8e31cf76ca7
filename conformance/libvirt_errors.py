"""libvirt's errors in the words of the contract: its codes, and how the messages begin that virsh prints of them."""

from collections.abc import Mapping

from jobtck.conformance.outcomes import ErrorKind

KINDS: Mapping[str, ErrorKind] = {
    "VIR_ERR_INTERNAL_ERROR": ErrorKind.INTERNAL,
    "VIR_ERR_NO_SUPPORT": ErrorKind.UNSUPPORTED,
    "VIR_ERR_INVALID_ARG": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_XML_ERROR": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_OPERATION_DENIED": ErrorKind.READ_ONLY,
    "VIR_ERR_XML_DETAIL": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_NO_DOMAIN": ErrorKind.NO_DOMAIN,
    # "domain is not running", "no job is active", "block job is still being ended": one code for
    # all of them, so no narrower kind is honest.
    "VIR_ERR_OPERATION_INVALID": ErrorKind.INVALID_STATE,
    "VIR_ERR_CONFIG_UNSUPPORTED": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_OPERATION_TIMEOUT": ErrorKind.TIMED_OUT,
    "VIR_ERR_ARGUMENT_UNSUPPORTED": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_OVERFLOW": ErrorKind.INVALID_ARGUMENT,
    # Another job uses the disk, or the copy is not ready for the pivot.
    "VIR_ERR_BLOCK_COPY_ACTIVE": ErrorKind.BUSY,
    "VIR_ERR_OPERATION_UNSUPPORTED": ErrorKind.UNSUPPORTED,
    "VIR_ERR_XML_INVALID_SCHEMA": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_NO_DOMAIN_CHECKPOINT": ErrorKind.INVALID_ARGUMENT,
    "VIR_ERR_NO_DOMAIN_BACKUP": ErrorKind.NO_SUCH_JOB,
}
# libvirt puts the class of an error before its message; virsh refuses some things itself, last in the table.
CODES: Mapping[str, str] = {
    "internal error": "VIR_ERR_INTERNAL_ERROR",
    "this function is not supported by the connection driver": "VIR_ERR_NO_SUPPORT",
    "invalid argument": "VIR_ERR_INVALID_ARG",
    "XML error": "VIR_ERR_XML_ERROR",
    "operation failed": "VIR_ERR_OPERATION_FAILED",
    "operation forbidden": "VIR_ERR_OPERATION_DENIED",
    "(domain_backup)": "VIR_ERR_XML_DETAIL",
    "Domain not found": "VIR_ERR_NO_DOMAIN",
    "Requested operation is not valid": "VIR_ERR_OPERATION_INVALID",
    "unsupported configuration": "VIR_ERR_CONFIG_UNSUPPORTED",
    "Timed out during operation": "VIR_ERR_OPERATION_TIMEOUT",
    "argument unsupported": "VIR_ERR_ARGUMENT_UNSUPPORTED",
    "numerical overflow": "VIR_ERR_OVERFLOW",
    "block copy still active": "VIR_ERR_BLOCK_COPY_ACTIVE",
    "Operation not supported": "VIR_ERR_OPERATION_UNSUPPORTED",
    "XML document failed to validate against schema": "VIR_ERR_XML_INVALID_SCHEMA",
    "Domain checkpoint not found": "VIR_ERR_NO_DOMAIN_CHECKPOINT",
    "Domain backup job id not found": "VIR_ERR_NO_DOMAIN_BACKUP",
    "metadata not found": "VIR_ERR_NO_DOMAIN_METADATA",
    "Cannot recv data": "VIR_ERR_SYSTEM_ERROR",
    "Cannot write data": "VIR_ERR_SYSTEM_ERROR",
    "End of file while reading data": "VIR_ERR_SYSTEM_ERROR",
    "Failed to connect socket": "VIR_ERR_SYSTEM_ERROR",
    "failed to connect to the hypervisor": "VIR_ERR_NO_CONNECT",
    "failed to get domain": "VIR_ERR_NO_DOMAIN",
    "Domain is already active": "VIR_ERR_OPERATION_INVALID",
    "command ": "VIR_ERR_INVALID_ARG",  # command '...' doesn't support option ...
    "Option ": "VIR_ERR_INVALID_ARG",  # Option ... is required by option ...
    "Options ": "VIR_ERR_INVALID_ARG",  # Options ... and ... are mutually exclusive
    "Numeric value ": "VIR_ERR_INVALID_ARG",
    "Scaled numeric value ": "VIR_ERR_INVALID_ARG",
    "unknown command": "VIR_ERR_NO_SUPPORT",
}
