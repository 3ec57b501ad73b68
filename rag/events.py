"""What the library tells of its work, for display. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import HearthError
from rag.types import Unit


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """A file is being read: `n_pages` so far, of `of_pages` (None: unknown). Of a recording (`Unit.TIME`), minutes."""

    file_id: int
    n_pages: int
    of_pages: int | None
    unit: Unit = Unit.PAGE


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Files were read, failed, came or went; lists are to be asked for again. An empty tuple: any."""

    file_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddingProgress:
    """How many passages still have no vector; 0: all can be found by meaning.

    `anew`: of another embedder than the one that serves, and goes on serving until none is left.
    """

    n_left: int
    n_all: int
    anew: bool = False


@dataclass(frozen=True, slots=True)
class EmbedderChosen:
    """Another program on this library has wanted another embedder; `choice` is what its person named."""

    choice: str


@dataclass(frozen=True, slots=True)
class LibraryNotice:
    """Something a person should know: a sentence's template and fields, as an error's."""

    template: str
    fields: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, error: HearthError) -> LibraryNotice:
        """What an error says."""
        return cls(error.template, tuple((name, str(value)) for name, value in error.fields.items()))


LibraryEvent = ReadingProgress | FilesChanged | EmbeddingProgress | EmbedderChosen | LibraryNotice
EventSink = Callable[[LibraryEvent], None]
"""Called from the library's threads; must not block."""
