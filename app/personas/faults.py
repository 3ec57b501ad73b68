"""What the disk refuses, as a sentence. Knows no persona."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import PersonaError, sentence


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Turns an `OSError` of reading or writing `path` into a `PersonaError`."""
    try:
        yield
    except OSError as error:
        template = sentence("{path} could not be read or written ({reason}).")
        raise PersonaError(template, path=path, reason=error.strerror or str(error)) from error
