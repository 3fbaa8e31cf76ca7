"""Numbers of progress, changed one at a time."""

from collections.abc import Iterator
from dataclasses import replace

from jobtck.conformance.changes import Place
from jobtck.conformance.outcomes import Progress


def changed_progress(place: Place, progress: Progress) -> Iterator[tuple[str, str, Progress]]:
    """The field, what is wrong with it, and the progress so changed."""
    before = place.progress_before
    for name in ("done", "elapsed_ms"):
        field, now = _WORDS[name], getattr(progress, name)
        last = None if before is None else getattr(before, name)
        if now is not None and last:
            yield field, "less than before", replace(progress, **{name: last - 1})
        elif now and before is None:
            yield field, "less, and nobody asked before", replace(progress, **{name: now // 2})
    if progress.done is not None and progress.total:
        yield "done", "more than the total", replace(progress, done=progress.total + 1)
    if progress.total:
        yield "total", "doubled", replace(progress, total=progress.total * 2)
    for name, field in _WORDS.items():
        yield field, "left out", replace(progress, **{name: None})


_WORDS = {"done": "done", "total": "total", "elapsed_ms": "elapsed time"}
