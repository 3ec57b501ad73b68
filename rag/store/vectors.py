"""The vectors of passages, one for each embedder and each run of words. Knows no model and no index.

Kept as float16, little-endian: half the size, and the cosine changes in the fourth place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange, header_of

_AT_ONCE = 8192
_IN_COLLECTION = (
    "FROM chunk JOIN page ON page.id = chunk.page_id JOIN blob ON blob.id = page.blob_id"
    " JOIN file ON file.blob_id = blob.id JOIN source ON source.id = file.source_id WHERE source.collection_id = ?"
)
Vectors = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Unembedded:
    """Words without a vector."""

    digest: bytes
    text: str


@dataclass(frozen=True, slots=True)
class KeptEmbedder:
    """An embedder with vectors in the store: its number, its model's id, and what a person named it by."""

    id: int
    name: str
    choice: str


def embedder_id(database: LibraryDatabase, name: str, dimensions: int) -> int:
    """The number of an embedder, given if it has none. The vectors of another length under its name are deleted."""
    with database.transaction():
        row = database.row("SELECT id, dimensions FROM embedder WHERE name = ?", (name,))
        if row is not None and row[1] == dimensions:
            return int(row[0])
        database.write("DELETE FROM embedder WHERE name = ?", (name,))
        return database.write("INSERT INTO embedder (name, dimensions) VALUES (?, ?)", (name, dimensions))


def serving(database: LibraryDatabase) -> KeptEmbedder | None:
    """The one whose vectors are searched."""
    row = database.row("SELECT id, name, choice FROM embedder WHERE serves = 1")
    return None if row is None else KeptEmbedder(*row)


def wanted(database: LibraryDatabase) -> KeptEmbedder | None:
    """The one that a person wants; it serves as soon as all passages have its vectors."""
    row = database.row("SELECT id, name, choice FROM embedder WHERE wanted = 1")
    return None if row is None else KeptEmbedder(*row)


def want(database: LibraryDatabase, embedder: int, choice: str) -> None:
    """Say that a person wants it."""
    with database.transaction():
        database.write("UPDATE embedder SET wanted = 0 WHERE id <> ? AND wanted = 1", (embedder,))
        database.write("UPDATE embedder SET wanted = 1, choice = ? WHERE id = ?", (choice, embedder))


def serve(database: LibraryDatabase, embedder: int, choice: str) -> None:
    """Say that its vectors are searched from now on."""
    with database.transaction():
        database.write("UPDATE embedder SET serves = 0 WHERE id <> ? AND serves = 1", (embedder,))
        database.write("UPDATE embedder SET serves = 1, choice = ? WHERE id = ?", (choice, embedder))


def forget_other_embedders(database: LibraryDatabase, keep: int) -> None:
    """Delete the vectors of all embedders but one, and but one that a person has wanted meanwhile."""
    with database.transaction():
        database.write("DELETE FROM embedder WHERE id <> ? AND wanted = 0", (keep,))


def without_vector(database: LibraryDatabase, embedder: int, *, after: int, limit: int) -> list[tuple[int, Unembedded]]:
    """The next chunks, by id from `after` on, whose words have no vector; each with its id."""
    rows = database.rows(
        """
        SELECT chunk.id, chunk.digest, blob.title, chunk.section,
               substr(page.text, chunk.start + 1, chunk.stop - chunk.start)
        FROM chunk JOIN page ON page.id = chunk.page_id JOIN blob ON blob.id = page.blob_id
        WHERE chunk.id > ?
          AND NOT EXISTS (SELECT 1 FROM vector WHERE vector.embedder_id = ? AND vector.digest = chunk.digest)
        ORDER BY chunk.id LIMIT ?
        """,
        (after, embedder, limit),
    )
    return [
        (number, Unembedded(digest, f"{header_of(title, section)}\n{body}"))
        for number, digest, title, section, body in rows
    ]


def n_without(database: LibraryDatabase, embedder: int, span: PassageRange | None = None) -> int:
    """How many chunks (of those with ids in `span`) have no vector yet."""
    where, values = ("", ()) if span is None else ("AND chunk.id >= ? AND chunk.id < ?", span)
    row = database.row(
        "SELECT count(*) FROM chunk WHERE NOT EXISTS"
        f" (SELECT 1 FROM vector WHERE vector.embedder_id = ? AND vector.digest = chunk.digest) {where}",
        (embedder, *values),
    )
    return 0 if row is None else int(row[0])


def n_without_by_blob(
    database: LibraryDatabase, embedder: int, blob_ids: Sequence[int] | None = None
) -> dict[int, int]:
    """Blob -> how many of its chunks have no vector yet, where there are any; of these blobs, or of all."""
    within = "" if blob_ids is None else f"page.blob_id IN ({', '.join('?' * len(blob_ids))}) AND"
    rows = database.rows(
        f"SELECT page.blob_id, count(*) FROM chunk JOIN page ON page.id = chunk.page_id WHERE {within} NOT EXISTS"
        " (SELECT 1 FROM vector WHERE vector.embedder_id = ? AND vector.digest = chunk.digest) GROUP BY 1",
        (*(blob_ids or ()), embedder),
    )
    return dict(rows)


def put(database: LibraryDatabase, embedder: int, digests: Sequence[bytes], vectors: npt.NDArray[np.float32]) -> None:
    """Keep vectors (n, d), where their words are still in the library."""
    rows = zip(digests, vectors.astype("<f2"), strict=True)
    with database.transaction():
        database.write_many(
            "INSERT OR REPLACE INTO vector (embedder_id, digest, data)"
            " SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM chunk WHERE digest = ?)",
            ((embedder, digest, vector.tobytes(), digest) for digest, vector in rows),
        )


def of_chunks(
    database: LibraryDatabase, embedder: int, dimensions: int, span: PassageRange | None = None
) -> Iterator[tuple[npt.NDArray[np.int64], Vectors]]:
    """Chunk ids (n,) and their vectors (n, dimensions), in blocks; of all chunks, or of those with ids in `span`."""
    where, values = ("", ()) if span is None else ("AND chunk.id >= ? AND chunk.id < ?", span)
    rows = database.stream(
        "SELECT chunk.id, vector.data FROM chunk JOIN vector ON vector.digest = chunk.digest"
        f" WHERE vector.embedder_id = ? {where} ORDER BY chunk.id",
        (embedder, *values),
    )
    ids: list[int] = []
    data: list[bytes] = []
    for number, raw in rows:
        if len(raw) == 2 * dimensions:
            ids.append(number)
            data.append(raw)
        if len(ids) == _AT_ONCE:
            yield _block(ids, data, dimensions)
            ids, data = [], []
    if ids:
        yield _block(ids, data, dimensions)


def of_ids(
    database: LibraryDatabase, embedder: int, dimensions: int, ids: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Vectors]:
    """As `of_chunks`, of these chunks, those that are there, in any order and in one block."""
    rows = database.rows(
        # CROSS JOIN keeps this order; by itself SQLite looks through all vectors.
        "SELECT chunk.id, vector.data FROM json_each(?) AS wanted CROSS JOIN chunk ON chunk.id = wanted.value"
        " CROSS JOIN vector ON vector.embedder_id = ? AND vector.digest = chunk.digest WHERE length(vector.data) = ?",
        (json.dumps(ids.tolist()), embedder, 2 * dimensions),
    )
    return _block([number for number, _data in rows], [data for _number, data in rows], dimensions)


def chunk_ids(database: LibraryDatabase, embedder: int) -> npt.NDArray[np.int64]:
    """The chunks that have a vector, by id, (n,)."""
    rows = database.rows(
        "SELECT chunk.id FROM chunk JOIN vector ON vector.digest = chunk.digest"
        " WHERE vector.embedder_id = ? ORDER BY chunk.id",
        (embedder,),
    )
    return np.array([number for (number,) in rows], np.int64)


def in_collection(database: LibraryDatabase, embedder: int, collection_id: int) -> dict[bytes, bytes]:
    """The words of a collection's passages, by digest -> their vector as it is kept, b"" for none yet."""
    rows = database.rows(
        "SELECT DISTINCT chunk.digest, coalesce((SELECT data FROM vector WHERE vector.embedder_id = ?"
        f" AND vector.digest = chunk.digest), x'') {_IN_COLLECTION}",
        (embedder, collection_id),
    )
    return dict(rows)


def words_in(database: LibraryDatabase, collection_id: int, digest: bytes) -> str:
    """The text of a collection that is embedded under this digest; "" for none."""
    row = database.row(
        "SELECT blob.title, chunk.section, substr(page.text, chunk.start + 1, chunk.stop - chunk.start)"
        f" {_IN_COLLECTION} AND chunk.digest = ?",
        (collection_id, digest),
    )
    return "" if row is None else f"{header_of(row[0], row[1])}\n{row[2]}"


def _block(ids: list[int], data: list[bytes], dimensions: int) -> tuple[npt.NDArray[np.int64], Vectors]:
    vectors = np.frombuffer(b"".join(data), "<f2").reshape(len(ids), dimensions)
    return np.array(ids, np.int64), vectors
