"""Values of the library's store. No SQL, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.worker.envelope import Fault
from rag.types import Hidden, Unit


class SourceKind(StrEnum):
    """What a person added to a collection."""

    FILE = "file"
    FOLDER = "folder"
    TEXT = "text"
    """Pasted; its path is a file of ours, which is deleted with it."""


class FileState(StrEnum):
    """Where a file stands in the store; what is under way is known to the ingest alone."""

    WAITING = "waiting"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Collection:
    """`owner` is the conversation or persona whose own it is, "" for one that a person made and named."""

    id: int
    name: str
    owner: str = ""
    created_at: float = 0.0
    """Seconds since 1970."""
    n_files: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    id: int
    collection_id: int
    kind: SourceKind
    path: Path
    name: str
    reachable: bool = True
    """As of the last look. Where it is not, its files are kept as they were."""
    mounted: bool = False
    """A drive was attached at its folder."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a source. `size` in bytes and `mtime_ns` as of the last look; 0 chunks until it is read."""

    id: int
    source_id: int
    collection_id: int
    path: Path
    size: int
    mtime_ns: int
    state: FileState
    fault: Fault | None = None
    blob_id: int | None = None
    title: str = ""
    unit: Unit = Unit.TEXT
    n_pages: int = 0
    n_chunks: int = 0
    n_hidden: int = 0
    """Words in it that cannot be seen."""
    n_unembedded: int = 0
    """Of its chunks: they have no vector yet, and are found by words alone."""
    language: str = ""
    n_characters: int = 0
    reachable: bool = True
    """As its source is."""


FilePlace = tuple[str, int]
"""Where a file stands in a list by path: its path, and its id."""


FileSpan = tuple[int, int, int]
"""Some of a source's files by path: the source's id, the first one's place from 0, and how many."""


@dataclass(frozen=True, slots=True)
class SourceOutline:
    """A source, and how many files it has; of these, some wait to be read, some could not be."""

    source: Source
    n_files: int = 0
    n_waiting: int = 0
    n_failed: int = 0


@dataclass(frozen=True, slots=True)
class FilePosition:
    """Where a file stands among those of its source, by path, from 0."""

    file_id: int
    source_id: int
    place: int
    path: Path


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """How much is in a collection; `n_unembedded` of its passages have no vector yet."""

    id: int
    name: str
    owner: str
    n_files: int
    n_read: int
    n_waiting: int
    n_failed: int
    n_pages: int
    n_chunks: int
    n_unembedded: int = 0


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as a look at the disk finds it."""

    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ClosedFolder:
    """A folder within a source that cannot be looked into just now: that says nothing about the files in it."""

    path: Path


@dataclass(frozen=True, slots=True)
class HiddenWords:
    """What cannot be seen on a page."""

    page: int
    hidden: Hidden


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What a look at a source's files changed: ids of files."""

    added: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)
