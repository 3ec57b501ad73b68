"""Collections, sources and files of the library: what a person added, and what a look at the disk found.

Knows no text. All functions but the readers belong to the ingest's thread; each is one transaction.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.errors import HearthError, LibraryError, sentence
from engine.worker.codec import from_json, to_json
from engine.worker.envelope import Fault, fault_of
from rag.store.database import LibraryDatabase
from rag.store.types import (
    ClosedFolder,
    Collection,
    CollectionSummary,
    FileChanges,
    FilePlace,
    FilePosition,
    FileSpan,
    FileState,
    FoundFile,
    Source,
    SourceKind,
    SourceOutline,
    StoredFile,
)
from rag.types import Unit

_NO_COLLECTION = sentence("There is no collection of that name any more.")
_NO_SOURCE = sentence("This is in the library no more.")
_SOURCE = "SELECT id, collection_id, kind, path, name, reachable, mounted FROM source"
_HIDDEN = """
SELECT sum(1 + length(trim(text)) - length(replace(replace(trim(text), ' ', ''), char(10), '')))
FROM hidden WHERE hidden.blob_id = blob.id
"""
"""How many words cannot be seen; each place with some holds one at least."""
_FILE = f"""
SELECT file.id, file.source_id, source.collection_id, file.path, file.size, file.mtime_ns, file.state, file.fault,
       file.blob_id, coalesce(blob.title, ''), coalesce(blob.unit, 'text'), coalesce(blob.n_pages, 0),
       coalesce(blob.n_chunks, 0), coalesce(({_HIDDEN}), 0),
       coalesce(blob.language, ''), coalesce(blob.n_characters, 0), source.reachable
FROM file JOIN source ON source.id = file.source_id LEFT JOIN blob ON blob.id = file.blob_id
"""


def collections(database: LibraryDatabase) -> list[Collection]:
    """By name."""
    rows = database.rows("""
        SELECT collection.id, collection.name, collection.owner, collection.created_at, count(file.id) FROM collection
        LEFT JOIN source ON source.collection_id = collection.id LEFT JOIN file ON file.source_id = source.id
        GROUP BY collection.id ORDER BY collection.name
    """)
    return [Collection(*row) for row in rows]


def add_collection(database: LibraryDatabase, name: str, owner: str = "") -> Collection:
    """The collection of that name and owner, made if there is none yet."""
    with database.transaction():
        found = database.row(
            "SELECT id, name, owner, created_at FROM collection WHERE owner = ? AND name = ?", (owner, name)
        )
        if found is not None:
            return Collection(*found)
        now = time.time()
        made = database.write("INSERT INTO collection (name, owner, created_at) VALUES (?, ?, ?)", (name, owner, now))
        return Collection(made, name, owner, now)


def rename_collection(database: LibraryDatabase, collection_id: int, name: str) -> None:
    """Raises `LibraryError` where another has that name, or there is no such collection."""
    with database.transaction():
        other = "SELECT 1 FROM collection WHERE name = ? AND id <> ? AND owner = ''"
        if database.row(other, (name, collection_id)) is not None:
            raise LibraryError(sentence("There is a collection “{name}” already."), name=name)
        database.write("UPDATE collection SET name = ? WHERE id = ?", (name, collection_id))
        if not database.n_changed:
            raise LibraryError(_NO_COLLECTION)


def remove_collection(database: LibraryDatabase, collection_id: int) -> None:
    """With all its sources; `documents.sweep` then deletes what no file holds any more."""
    with database.transaction():
        database.write("DELETE FROM collection WHERE id = ?", (collection_id,))


def sources(database: LibraryDatabase, collection_id: int | None = None) -> list[Source]:
    """Of one collection, or all."""
    where, values = ("", ()) if collection_id is None else ("WHERE collection_id = ?", (collection_id,))
    return [_source(row) for row in database.rows(f"{_SOURCE} {where} ORDER BY name, id", values)]


def source(database: LibraryDatabase, source_id: int) -> Source | None:
    row = database.row(f"{_SOURCE} WHERE id = ?", (source_id,))
    return None if row is None else _source(row)


def set_reachable(database: LibraryDatabase, source_id: int, reachable: bool, *, mounted: bool) -> bool:
    """Say whether a source can be looked into now; whether that is new."""
    row = database.row("SELECT reachable, mounted FROM source WHERE id = ?", (source_id,))
    if row is None or row == (reachable, mounted):
        return False
    with database.transaction():
        database.write(
            "UPDATE source SET reachable = ?, mounted = ? WHERE id = ?", (int(reachable), int(mounted), source_id)
        )
    return bool(row[0]) is not reachable


def add_source(database: LibraryDatabase, collection_id: int, kind: SourceKind, path: Path, name: str) -> Source:
    """The source of that path in the collection, put in if it is not there. Raises `LibraryError`."""
    with database.transaction():
        if database.row("SELECT 1 FROM collection WHERE id = ?", (collection_id,)) is None:
            raise LibraryError(_NO_COLLECTION)
        found = database.row(f"{_SOURCE} WHERE collection_id = ? AND path = ?", (collection_id, str(path)))
        if found is not None:
            return _source(found)
        made = database.write(
            "INSERT INTO source (collection_id, kind, path, name, added_at) VALUES (?, ?, ?, ?, ?)",
            (collection_id, kind.value, str(path), name, time.time()),
        )
        return Source(made, collection_id, kind, path, name)


def remove_source(database: LibraryDatabase, source_id: int) -> None:
    """With its files. Raises `LibraryError` where it is not there."""
    with database.transaction():
        database.write("DELETE FROM source WHERE id = ?", (source_id,))
        if not database.n_changed:
            raise LibraryError(_NO_SOURCE)


def files(
    database: LibraryDatabase,
    *,
    collection_ids: Sequence[int] | None = None,
    source_id: int | None = None,
    blob_id: int | None = None,
    state: FileState | None = None,
    after: FilePlace | None = None,
    limit: int | None = None,
) -> list[StoredFile]:
    """By path; None means all. `after` a file's place come those that follow it, `limit` of them at most."""
    wheres: list[str] = []
    values: list[Any] = []
    if collection_ids is not None:
        # A part of a list goes along the paths, instead of sorting all of a collection each time.
        column = "source.collection_id" if limit is None else "+source.collection_id"
        wheres.append(f"{column} IN ({', '.join('?' * len(collection_ids))})")
        values += collection_ids
    if source_id is not None:
        wheres.append("file.source_id = ?")
        values.append(source_id)
    if blob_id is not None:
        wheres.append("file.blob_id = ?")
        values.append(blob_id)
    if state is not None:
        wheres.append("file.state = ?")
        values.append(state.value)
    if after is not None:
        wheres.append("(file.path, file.id) > (?, ?)")
        values += after
    where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
    part = "" if limit is None else "LIMIT ?"
    values += [] if limit is None else [limit]
    return [_file(row) for row in database.rows(f"{_FILE} {where} ORDER BY file.path, file.id {part}", values)]


def outline(database: LibraryDatabase, collection_id: int) -> list[SourceOutline]:
    """A collection's sources by name. What cannot be reached does not wait."""
    rows = database.rows(
        """
        SELECT source.id, source.collection_id, source.kind, source.path, source.name, source.reachable, source.mounted,
               count(file.id), coalesce(sum(file.state = 'waiting' AND source.reachable), 0),
               coalesce(sum(file.state = 'failed'), 0)
        FROM source LEFT JOIN file ON file.source_id = source.id
        WHERE source.collection_id = ? GROUP BY source.id ORDER BY source.name, source.id
        """,
        (collection_id,),
    )
    return [SourceOutline(_source(row[:7]), *row[7:]) for row in rows]


def rows(database: LibraryDatabase, spans: Sequence[FileSpan]) -> list[StoredFile]:
    """The files of these spans, in their order. Of a span that reaches further than its source, what there is."""
    part = "SELECT id FROM file WHERE source_id = ? ORDER BY path LIMIT ? OFFSET ?"
    return [
        _file(row)
        for source_id, first, count in spans
        for row in database.rows(f"{_FILE} WHERE file.id IN ({part}) ORDER BY file.path", (source_id, count, first))
    ]


def position(database: LibraryDatabase, file_id: int) -> FilePosition | None:
    """Where a file stands in its source."""
    row = database.row(
        "SELECT id, source_id, (SELECT count(*) FROM file AS other WHERE other.source_id = file.source_id"
        " AND other.path < file.path), path FROM file WHERE id = ?",
        (file_id,),
    )
    return None if row is None else FilePosition(row[0], row[1], row[2], Path(row[3]))


def next_failed(database: LibraryDatabase, collection_id: int, source_id: int, path: str) -> FilePosition | None:
    """The next file that could not be read, behind a path of a source, and around the end; None if there is none."""
    at = database.row("SELECT name FROM source WHERE id = ?", (source_id,))
    behind = "(source.name, source.id, file.path) > (?, ?, ?)"
    for where, values in ((f"AND {behind}", ("" if at is None else at[0], source_id, path)), ("", ())):
        row = database.row(
            "SELECT file.id FROM file JOIN source ON source.id = file.source_id"
            f" WHERE source.collection_id = ? AND file.state = 'failed' {where}"
            " ORDER BY source.name, source.id, file.path LIMIT 1",
            (collection_id, *values),
        )
        if row is not None:
            return position(database, row[0])
    return None


def summaries(database: LibraryDatabase) -> list[CollectionSummary]:
    """Of all collections, by name; vectors are not counted."""
    rows = database.rows("""
        SELECT collection.id, collection.name, collection.owner, count(file.id),
               coalesce(sum(file.state = 'read'), 0), coalesce(sum(file.state = 'waiting'), 0),
               coalesce(sum(file.state = 'failed'), 0),
               coalesce(sum(blob.n_pages), 0), coalesce(sum(blob.n_chunks), 0)
        FROM collection LEFT JOIN source ON source.collection_id = collection.id
        LEFT JOIN file ON file.source_id = source.id LEFT JOIN blob ON blob.id = file.blob_id
        GROUP BY collection.id ORDER BY collection.name
    """)
    return [CollectionSummary(*row) for row in rows]


def holders(database: LibraryDatabase) -> Iterator[tuple[int, int]]:
    """The collection and the blob of each file that was read."""
    sql = "SELECT source.collection_id, file.blob_id FROM file JOIN source ON source.id = file.source_id"
    return ((collection, blob) for collection, blob in database.stream(f"{sql} WHERE file.blob_id IS NOT NULL"))


def file(database: LibraryDatabase, file_id: int) -> StoredFile | None:
    row = database.row(f"{_FILE} WHERE file.id = ?", (file_id,))
    return _file(row) if row is not None else None


def waiting(database: LibraryDatabase, but: frozenset[int] = frozenset()) -> StoredFile | None:
    """The file that has waited longest, of those that can be reached, `but` some ids."""
    others = f"AND file.id NOT IN ({', '.join(map(str, but))})" if but else ""
    where = f"file.state = 'waiting' AND source.reachable = 1 {others}"
    row = database.row(f"{_FILE} WHERE {where} ORDER BY file.id LIMIT 1")
    return _file(row) if row is not None else None


def is_any_waiting(database: LibraryDatabase, collection_ids: Sequence[int] | None) -> bool:
    """Whether a file of these collections, or of any, waits to be read, and can be reached."""
    within: str = ""
    values: tuple[int, ...] = ()
    if collection_ids is not None:
        within = f"AND source.collection_id IN ({', '.join('?' * len(collection_ids))})"
        values = tuple(collection_ids)
    sql = "SELECT 1 FROM file JOIN source ON source.id = file.source_id WHERE file.state = 'waiting'"
    return database.row(f"{sql} AND source.reachable = 1 {within} LIMIT 1", values) is not None


def take_look(database: LibraryDatabase, source_id: int, found: Iterable[FoundFile | ClosedFolder]) -> FileChanges:
    """Make a source's files those that were `found`, and those that were known in closed folders.

    New and changed ones wait to be read; what was read of a changed one serves until then.
    """
    known = {
        path: (number, size, mtime_ns)
        for number, path, size, mtime_ns in database.rows(
            "SELECT id, path, size, mtime_ns FROM file WHERE source_id = ?", (source_id,)
        )
    }
    new: list[FoundFile] = []
    changed: list[tuple[int, int, int]] = []
    closed: list[str] = []
    for each in found:
        if isinstance(each, ClosedFolder):
            closed.append(f"{each.path}{os.sep}")
            continue
        before = known.pop(str(each.path), None)
        if before is None:
            new.append(each)
        elif before[1:] != (each.size, each.mtime_ns):
            changed.append((each.size, each.mtime_ns, before[0]))
    removed = [number for path, (number, *_) in known.items() if not path.startswith(tuple(closed))]
    if not (new or changed or removed):
        return FileChanges()
    with database.transaction():
        if database.row("SELECT 1 FROM source WHERE id = ?", (source_id,)) is None:
            return FileChanges()  # removed meanwhile
        added = []
        for each in new:
            number = database.write(
                # Another program may look at the same source.
                "INSERT OR IGNORE INTO file (source_id, path, size, mtime_ns, state) VALUES (?, ?, ?, ?, 'waiting')",
                (source_id, str(each.path), each.size, each.mtime_ns),
            )
            if database.n_changed:
                added.append(number)
        database.write_many(
            "UPDATE file SET size = ?, mtime_ns = ?, state = 'waiting', fault = '' WHERE id = ?", changed
        )
        database.write_many("DELETE FROM file WHERE id = ?", ((number,) for number in removed))
    return FileChanges(tuple(added), tuple(number for _size, _mtime_ns, number in changed), tuple(removed))


def set_failed(database: LibraryDatabase, file_id: int, error: HearthError) -> None:
    """What was read of it before is let go: it is not what the file says any more."""
    fault = json.dumps(to_json(fault_of(error)))
    with database.transaction():
        database.write("UPDATE file SET state = 'failed', fault = ?, blob_id = NULL WHERE id = ?", (fault, file_id))


def retry_failed(database: LibraryDatabase, source_id: int) -> None:
    """Have all files of a source read once more that could not be."""
    with database.transaction():
        database.write(
            "UPDATE file SET state = 'waiting', fault = '' WHERE source_id = ? AND state = 'failed'", (source_id,)
        )


def retry(database: LibraryDatabase, file_id: int) -> None:
    """Have a file read once more."""
    with database.transaction():
        database.write("UPDATE file SET state = 'waiting', fault = '' WHERE id = ?", (file_id,))


def _source(row: Sequence[Any]) -> Source:
    number, collection_id, kind, path, name, reachable, mounted = row
    return Source(number, collection_id, SourceKind(kind), Path(path), name, bool(reachable), bool(mounted))


def _file(row: Sequence[Any]) -> StoredFile:
    fault = None
    if row[7]:
        fault = from_json(Fault, json.loads(row[7]))
    number, source_id, collection_id, path, size, mtime_ns, state = row[:7]
    blob_id, title, unit, n_pages, n_chunks, n_hidden, language, n_characters, reachable = row[8:]
    return StoredFile(
        number, source_id, collection_id, Path(path), size, mtime_ns, FileState(state), fault, blob_id, title,
        Unit(unit), n_pages, n_chunks, n_hidden, 0, language, n_characters, bool(reachable),
    )  # fmt: skip
