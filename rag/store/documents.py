"""What was read of a file's bytes: pages and chunks, put in and deleted whole, in one transaction each.

Equal bytes are one blob. A changed document whose passages stayed keeps their vectors: these hang on the passages'
words, not on their place. Knows no format and no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.language import needs_fragments
from rag.store.database import LibraryDatabase
from rag.store.types import FoundFile, HiddenWords
from rag.types import Chunk, DocumentInfo, Heading, Hidden, HiddenReason, Page

PassageRange = tuple[int, int]
"""Ids of chunks: first, and one behind the last."""
_DELETE_WORDS = "INSERT INTO {table} ({table}, rowid, header, body) SELECT 'delete', id, header, body FROM chunk_text"
_PUT_WORDS = "INSERT INTO {table} (rowid, header, body) SELECT id, header, body FROM chunk_text"
_RANGE = "WHERE id >= ? AND id < ?"


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page and the passages it was cut into."""

    page: Page
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A blob as it is kept. Its chunks have the ids [first_chunk, first_chunk + n_chunks)."""

    id: int
    title: str
    unit: str
    media_type: str
    language: str
    n_pages: int
    n_characters: int
    first_chunk: int
    n_chunks: int


def header_of(title: str, section: str) -> str:
    """What stands in front of a passage where it is embedded: measured to find pages better across documents."""
    return f"{title} > {section}" if title and section else title or section


def digest_of(header: str, body: str) -> bytes:
    """Names the words that are embedded; 16 bytes."""
    return hashlib.blake2b(f"{header}\n{body}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def find_blob(database: LibraryDatabase, digest: bytes) -> int | None:
    """The blob that was read of bytes of this digest by the present readers."""
    row = database.row("SELECT id FROM blob WHERE digest = ?", (digest,))
    return None if row is None else int(row[0])


def give(database: LibraryDatabase, file_id: int, blob_id: int, *, found: FoundFile) -> bool:
    """Say that a file holds what was read of a blob, as it was `found` before. False where the file is gone."""
    with database.transaction():
        database.write(
            "UPDATE file SET state = 'read', fault = '', blob_id = ?, size = ?, mtime_ns = ? WHERE id = ?",
            (blob_id, found.size, found.mtime_ns, file_id),
        )
        return database.n_changed == 1


def put(
    database: LibraryDatabase, digest: bytes, info: DocumentInfo, pages: Sequence[ReadPage], *, language: str
) -> int:
    """Keep what was read; returns the blob's id. Without a file that holds it, the next `sweep` deletes it."""
    n_characters = sum(len(read.page.text) for read in pages)
    with database.transaction():
        last = database.row("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'chunk'")
        first = int(last[0]) + 1 if last is not None else 1
        n_chunks = sum(len(read.chunks) for read in pages)
        blob_id = database.write(
            "INSERT INTO blob (digest, title, unit, media_type, language, n_pages, n_characters, first_chunk, n_chunks)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                digest, info.title, info.unit.value, info.media_type, language,
                len(pages), n_characters, first, n_chunks,
            ),
        )  # fmt: skip
        chunk_id = first
        for read in pages:
            page = read.page
            headings = json.dumps([[each.start, each.level, each.title] for each in page.headings])
            page_id = database.write(
                "INSERT INTO page (blob_id, number, label, first_line, headings, text) VALUES (?, ?, ?, ?, ?, ?)",
                (blob_id, page.number, page.label, page.first_line, headings, page.text),
            )
            database.write_many(
                "INSERT INTO hidden (blob_id, page, reason, text) VALUES (?, ?, ?, ?)",
                ((blob_id, page.number, each.reason.value, each.text) for each in page.hidden),
            )
            database.write_many(
                "INSERT INTO chunk"
                " (id, page_id, start, stop, first_line, last_line, section, language, letters, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _chunk_rows(chunk_id, page_id, info.title, page, read.chunks),
            )
            chunk_id += len(read.chunks)
        span = (first, chunk_id)
        database.write(f"{_PUT_WORDS.format(table='words')} {_RANGE} ORDER BY id", span)
        database.write(f"{_PUT_WORDS.format(table='letters')} {_RANGE} AND letters = 1 ORDER BY id", span)
    return blob_id


def sweep(database: LibraryDatabase) -> list[PassageRange]:
    """Delete all that no file holds any more, for good; returns the ids of the chunks that went."""
    with database.transaction():
        orphans = database.rows(
            "SELECT id, first_chunk, n_chunks FROM blob WHERE NOT EXISTS (SELECT 1 FROM file WHERE blob_id = blob.id)"
        )
        gone = [(first, first + n_chunks) for _id, first, n_chunks in orphans]
        for (blob_id, _first, _n_chunks), span in zip(orphans, gone, strict=True):
            database.write(f"{_DELETE_WORDS.format(table='words')} {_RANGE}", span)
            database.write(f"{_DELETE_WORDS.format(table='letters')} {_RANGE} AND letters = 1", span)
            database.write("DELETE FROM blob WHERE id = ?", (blob_id,))
        if gone:
            # Deleted words stay in FTS5's segments until these are merged, unused vectors until somebody looks.
            database.write("INSERT INTO words (words) VALUES ('optimize')")
            database.write("INSERT INTO letters (letters) VALUES ('optimize')")
            database.write(
                "DELETE FROM vector WHERE NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.digest = vector.digest)"
            )
    if gone or not database.has_forgotten:
        database.forget_deleted()
    return gone


def document(database: LibraryDatabase, blob_id: int) -> Document | None:
    row = database.row(
        "SELECT id, title, unit, media_type, language, n_pages, n_characters, first_chunk, n_chunks"
        " FROM blob WHERE id = ?",
        (blob_id,),
    )
    return None if row is None else Document(*row)


def page(database: LibraryDatabase, blob_id: int, number: int) -> Page | None:
    """A page as it was read, without its hidden words."""
    row = database.row(
        "SELECT number, text, label, first_line, headings FROM page WHERE blob_id = ? AND number = ?", (blob_id, number)
    )
    return None if row is None else _page(row)


def pages(database: LibraryDatabase, blob_id: int) -> Iterable[Page]:
    """All pages in their order, read as they are asked for."""
    sql = "SELECT number, text, label, first_line, headings FROM page WHERE blob_id = ? ORDER BY number"
    return (_page(row) for row in database.stream(sql, (blob_id,)))


def hidden_words(database: LibraryDatabase, blob_id: int) -> list[HiddenWords]:
    """What cannot be seen in a document, by page."""
    rows = database.rows("SELECT page, reason, text FROM hidden WHERE blob_id = ? ORDER BY page, rowid", (blob_id,))
    return [HiddenWords(number, Hidden(HiddenReason(reason), text)) for number, reason, text in rows]


def _chunk_rows(
    first_id: int, page_id: int, title: str, page: Page, chunks: Sequence[Chunk]
) -> Iterable[tuple[Any, ...]]:
    for chunk_id, chunk in enumerate(chunks, first_id):
        body = page.text[chunk.start : chunk.end]
        yield (
            chunk_id, page_id, chunk.start, chunk.end, chunk.first_line, chunk.last_line, chunk.section, chunk.language,
            int(needs_fragments(body)), digest_of(header_of(title, chunk.section), body),
        )  # fmt: skip


def _page(row: Sequence[Any]) -> Page:
    number, text, label, first_line, headings = row
    return Page(number, text, label, first_line, tuple(Heading(*each) for each in json.loads(headings)))
