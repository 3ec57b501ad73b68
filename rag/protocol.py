"""The messages between the window and the library process, as versioned JSON over a pipe. Knows no process.

Everything that travels is a frozen dataclass; nothing is ever pickled. Each question has one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.worker.envelope import Fault, enveloped, opened
from rag.carried_file import CarriedFile, WrittenVectors
from rag.events import EmbedderChosen, EmbeddingProgress, FilesChanged, LibraryNotice, ReadingProgress
from rag.learning_report import LearningReport
from rag.passages import DocumentParts, Finding, Found, Hits
from rag.store.types import (
    Collection,
    CollectionSummary,
    FilePlace,
    FilePosition,
    FileSpan,
    HiddenWords,
    Source,
    SourceOutline,
    StoredFile,
)
from rag.types import Page

VERSION = 1
MESSAGE_BYTES = 64 * 1024 * 1024
"""The longest message, either way: a pasted text, or the list of all files."""


@dataclass(frozen=True, slots=True)
class Begin:
    """The library process's first command: where the library lies, which embedder it uses ("" for none), and the
    folders of the light one's files and of the models that hear.
    """

    folder: Path
    embedder: str
    embedder_folder: Path
    voice_folder: Path = Path()


@dataclass(frozen=True, slots=True)
class ListCollections:
    """Answer: `Collections`."""


@dataclass(frozen=True, slots=True)
class ListSources:
    """Answer: `Sources`."""

    collection_id: int | None = None


@dataclass(frozen=True, slots=True)
class ListFiles:
    """Answer: `Files`. `blob_id`: only those that hold this document. Those that wait are read first, for `wait_s`.

    `after` the place of one come those behind it, `limit` of them at most.
    """

    collection_ids: tuple[int, ...] | None = None
    blob_id: int | None = None
    wait_s: float = 0.0
    after: FilePlace | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class OutlineCollection:
    """Answer: `Outlines`."""

    collection_id: int


@dataclass(frozen=True, slots=True)
class ListRows:
    """Answer: `Files`, those of the spans in their order."""

    spans: tuple[FileSpan, ...]


@dataclass(frozen=True, slots=True)
class FindFile:
    """Answer: `Positions` with the one, or none."""

    file_id: int


@dataclass(frozen=True, slots=True)
class FindFailed:
    """The next file that could not be read, behind a path of a source. Answer: `Positions` with the one, or none."""

    collection_id: int
    source_id: int
    path: str


@dataclass(frozen=True, slots=True)
class RetryFailed:
    source_id: int


@dataclass(frozen=True, slots=True)
class SummariseCollections:
    """Answer: `Summaries`."""


@dataclass(frozen=True, slots=True)
class AddCollection:
    """Answer: `Collections` with the one."""

    name: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class RenameCollection:
    collection_id: int
    name: str


@dataclass(frozen=True, slots=True)
class RemoveCollection:
    collection_id: int


@dataclass(frozen=True, slots=True)
class AddPath:
    """A file or a folder. Answer: `Sources` with the one."""

    collection_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class AddText:
    """Answer: `Sources` with the one."""

    collection_id: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class CarryVectors:
    """Vectors came along with the documents that were added to a collection; they are checked."""

    collection_id: int
    file: CarriedFile


@dataclass(frozen=True, slots=True)
class WriteVectors:
    """Write the vectors of a collection's passages to a file. Answer: `WrittenVectors`, or `Fault` where some lack."""

    collection_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class RemoveSource:
    source_id: int


@dataclass(frozen=True, slots=True)
class RetryFile:
    file_id: int


@dataclass(frozen=True, slots=True)
class LookAgain:
    """See what all sources hold now."""


@dataclass(frozen=True, slots=True)
class Search:
    """Answer: `Found`. None does not limit. Files that still wait are read first, for `wait_s` at most.

    Without `whole`, short documents are searched as long ones are: for a person who looks for a place.
    """

    question: str
    collection_ids: tuple[int, ...] | None
    blob_ids: tuple[int, ...] | None
    most_characters: int
    wait_s: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class FindDocuments:
    """Which documents a subject is in. Answer: `Found` with the best passage of each, the best first."""

    subject: str
    collection_ids: tuple[int, ...] | None
    most: int


@dataclass(frozen=True, slots=True)
class FindEvery:
    """Look through all pages. Answer: `Hits`, the first `most` with their surroundings. `exact`: as `words` end."""

    finding: Finding
    words: str
    collection_ids: tuple[int, ...] | None
    blob_ids: tuple[int, ...] | None
    most: int
    exact: bool = False


@dataclass(frozen=True, slots=True)
class ReadParts:
    """A whole document in parts of at most `part_characters`. Answer: `DocumentParts`, at most `most` of them."""

    blob_id: int
    part_characters: int
    most: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Answer: `Pages` with the one, or none."""

    blob_id: int
    number: int


@dataclass(frozen=True, slots=True)
class ListHidden:
    """What cannot be seen in a document. Answer: `HiddenList`."""

    blob_id: int


@dataclass(frozen=True, slots=True)
class UseEmbedder:
    """Have another embedder learn all passages, while the present one serves. `Done` once it is loaded, or `Fault`."""

    choice: str


@dataclass(frozen=True, slots=True)
class ReportLearning:
    """Answer: `LearningReport`."""


@dataclass(frozen=True, slots=True)
class WaitUntilIdle:
    """Wait until all is read and embedded, for `seconds` at most. Answer: `Done`, or `Fault` when the time is over."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Collections:
    items: tuple[Collection, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    items: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Files:
    items: tuple[StoredFile, ...]


@dataclass(frozen=True, slots=True)
class Outlines:
    items: tuple[SourceOutline, ...]


@dataclass(frozen=True, slots=True)
class Positions:
    items: tuple[FilePosition, ...]


@dataclass(frozen=True, slots=True)
class Summaries:
    items: tuple[CollectionSummary, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    items: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class HiddenList:
    items: tuple[HiddenWords, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """It was done."""


Question = (
    ListCollections
    | ListSources
    | ListFiles
    | OutlineCollection
    | ListRows
    | FindFile
    | FindFailed
    | RetryFailed
    | SummariseCollections
    | AddCollection
    | RenameCollection
    | RemoveCollection
    | AddPath
    | AddText
    | CarryVectors
    | WriteVectors
    | RemoveSource
    | RetryFile
    | LookAgain
    | Search
    | FindDocuments
    | FindEvery
    | ReadParts
    | ReadPage
    | ListHidden
    | UseEmbedder
    | ReportLearning
    | WaitUntilIdle
)
Answer = (
    Collections
    | Sources
    | Files
    | Outlines
    | Positions
    | Summaries
    | Pages
    | HiddenList
    | Found
    | Hits
    | DocumentParts
    | LearningReport
    | WrittenVectors
    | Done
)


@dataclass(frozen=True, slots=True)
class Ask:
    call_id: int
    question: Question


@dataclass(frozen=True, slots=True)
class Answered:
    call_id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an `Ask` has no answer."""

    call_id: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Unusable:
    """The library cannot be opened; the process ends."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Happened:
    event: ReadingProgress | FilesChanged | EmbeddingProgress | EmbedderChosen | LibraryNotice


CommandMessage = Begin | Ask
ReportMessage = Answered | Refused | Unusable | Happened


def encode(message: CommandMessage | ReportMessage) -> bytes:
    """Bytes for the pipe. Raises `MessageTooLongError`."""
    return enveloped(message, VERSION, MESSAGE_BYTES)


def decode_command(raw: bytes) -> CommandMessage:
    """Raises `ProtocolError`."""
    message: CommandMessage = opened(raw, CommandMessage, VERSION)
    return message


def decode_report(raw: bytes) -> ReportMessage:
    """Raises `ProtocolError`."""
    message: ReportMessage = opened(raw, ReportMessage, VERSION)
    return message
