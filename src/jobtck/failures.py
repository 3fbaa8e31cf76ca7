"""Failures are told in one sentence, and none ends in the exit status of a verdict."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from click import Abort, ClickException, echo
from click.exceptions import Exit

from jobtck.conformance.errors import BackendFailure, JobtckError


@contextmanager
def failures_told() -> Iterator[None]:
    """What fails in the block is said on standard error, and ends in `SystemExit` with its status."""
    try:
        yield
    except JobtckError as error:
        _tell(str(error), error.exit_status)
    except KeyboardInterrupt:
        _tell("interrupted", BackendFailure.exit_status)
    except (ClickException, Abort, Exit, BrokenPipeError):
        raise  # click has its own way with these
    except OSError as error:
        _tell(str(error), BackendFailure.exit_status)
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        _tell("this is a mistake in jobtck: no verdict can rest on it", BackendFailure.exit_status)


def _tell(sentence: str, status: int) -> None:
    echo(f"jobtck: {sentence}", err=True)
    raise SystemExit(status)
