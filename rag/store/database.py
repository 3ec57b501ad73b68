"""Opening library.db: durability, migrations, one writer and many readers, SQLite's errors as sentences.

Knows no document. SQLite comes with `apsw`, so that every system has the same version of its full-text search.
WAL with synchronous=FULL: an acknowledged commit survives a power cut.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from engine.errors import StoreDamagedError, StoreError, StoreNewerError, StoreReadOnlyError, sentence

APPLICATION_ID = 0x48_52_54_4C
"""`HRTL`: what `file` and SQLite tools show as the kind of database."""
MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_MS = 10_000
"""How long a write waits for another program (the command line beside the window)."""
_FORGET_MS = 1_000
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",  # on macOS plain fsync does not reach the platter; elsewhere without effect
    "foreign_keys = ON",
    "secure_delete = ON",  # deleted pages are overwritten
    "temp_store = MEMORY",
    "cache_size = -32000",
    "journal_size_limit = 67108864",
)
_DAMAGED = sentence("The document library is damaged. It can be built anew from your files.")
_READ_ONLY = sentence("The document library cannot be written: the folder is read-only.")
_FULL = sentence("The document library could not be written: the disk is full.")
_NEWER = sentence("The document library was written by a newer Hearth. Update Hearth to use it.")
_FAILED = sentence("The document library could not be used: {reason}.")
_FOREIGN = sentence("{path} is a database of another program. Move it away.")


def migration_files() -> list[Path]:
    """The named migrations, `NNNN_name.sql`, in their order."""
    return sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))


@contextmanager
def sentences() -> Iterator[None]:
    """SQLite's errors as `StoreError`."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreDamagedError(_DAMAGED) from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        raise StoreReadOnlyError(_READ_ONLY) from error
    except apsw.FullError as error:
        raise StoreError(_FULL) from error
    except (apsw.IOError, apsw.BusyError, apsw.LockedError, apsw.NoMemError) as error:
        raise StoreError(_FAILED, reason=str(error)) from error


class LibraryDatabase:
    """Any thread: each reads by a connection of its own; `transaction()` is the only way to write."""

    def __init__(self, path: Path) -> None:
        """Open or create, and migrate. Raises `StoreError` or one of its kinds."""
        self.path = path
        self._writing = threading.RLock()
        self._local = threading.local()
        self._all: list[apsw.Connection] = []
        self.has_forgotten = False
        """False also after a kill: what was deleted may lie in the write-ahead log still."""
        with sentences():
            self._writer = self._connect()
            self._migrate()
            self._seen = self._others()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, as of the last commit; inside `transaction()`, as of now."""
        with sentences():
            return list(self._reader().execute(sql, values))

    def row(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        with sentences():
            for row in self._reader().execute(sql, values):
                return tuple(row)
            return None

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one; stop early by closing the iterator."""
        with sentences():
            yield from self._reader().execute(sql, values)

    def write(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One changing statement; belongs into `transaction()`. Returns the id of the last row that was put in."""
        with sentences():
            self._writer.execute(sql, values)
            return self._writer.last_insert_rowid()

    def write_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """One changing statement for many rows; belongs into `transaction()`."""
        with sentences():
            self._writer.executemany(sql, values)

    @property
    def n_changed(self) -> int:
        """Rows that the last changing statement changed."""
        return self._writer.changes()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are committed together, or none. May be nested."""
        with self._writing:
            if getattr(self._local, "inside", False):
                yield
                return
            with sentences():
                self._writer.execute("BEGIN IMMEDIATE")
            self._local.inside = True
            try:
                yield
                with sentences():
                    self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # a full disk may have ended it already
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._local.inside = False

    def forget_deleted(self) -> None:
        """Have what was deleted leave the write-ahead log too. While somebody reads that fails; see `has_forgotten`."""
        with self._writing, sentences():
            self.has_forgotten = False
            self._writer.set_busy_timeout(_FORGET_MS)
            try:
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                self.has_forgotten = True
            except (apsw.BusyError, apsw.LockedError):
                return
            finally:
                self._writer.set_busy_timeout(BUSY_MS)

    def changed_elsewhere(self) -> bool:
        """Whether another program has committed anything since this was last asked."""
        with self._writing, sentences():
            before, self._seen = self._seen, self._others()
            return before != self._seen

    def close(self) -> None:
        """Close all connections. Other threads must have ended their queries."""
        with self._writing:
            for connection in self._all:
                connection.close()
            self._all.clear()

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.path))
        connection.set_busy_timeout(BUSY_MS)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        self._all.append(connection)
        return connection

    def _reader(self) -> apsw.Connection:
        if getattr(self._local, "inside", False):
            return self._writer
        connection: apsw.Connection | None = getattr(self._local, "reader", None)
        if connection is None:
            connection = self._local.reader = self._connect()
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _others(self) -> int:
        """A number that every commit of another program changes; this one writes by the connection that asks."""
        return int(self._writer.pragma("data_version"))

    def _version(self) -> int:
        return int(self._writer.pragma("user_version"))

    def _migrate(self) -> None:
        files = migration_files()
        version = self._version()
        if version == 0 and self._writer.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None:
            raise StoreError(_FOREIGN, path=self.path)
        if version > int(files[-1].name[:4]):
            raise StoreNewerError(_NEWER)
        for file in files:
            number = int(file.name[:4])
            if number <= version:
                continue
            with self.transaction():
                if self._version() >= number:  # another program was quicker
                    continue
                self._writer.execute(file.read_text("utf-8"))
                self._writer.execute(f"PRAGMA user_version = {number}")
                self._writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
