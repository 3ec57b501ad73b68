"""Opening conversations.db: durability settings, migrations, and SQLite's errors as sentences.

Knows no conversation. WAL with synchronous=FULL: an acknowledged commit survives a crash and a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import HearthError, StoreDamagedError, StoreError, StoreNewerError, StoreReadOnlyError, sentence

APPLICATION_ID = 0x48_52_54_48
"""`HRTH`: what `file` and SQLite tools show as the kind of database."""
MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_S = 10.0
"""How long a write waits for another program (the command line beside the window)."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_READ_ONLY = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_PRAGMAS = (
    "synchronous = FULL",
    "fullfsync = ON",  # on macOS plain fsync does not reach the platter; elsewhere without effect
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "cache_size = -16000",
    "journal_size_limit = 16777216",
)


def migration_files() -> list[Path]:
    """The named migrations, `NNNN_name.sql`, in their order."""
    return sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def newest_version() -> int:
    """The schema version this Hearth writes."""
    return int(migration_files()[-1].name[:4])


class Database:
    """One connection, used by one thread at a time; `transaction()` is the only way to write."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises `StoreError` or one of its kinds."""
        self.path = path
        self._owner = threading.RLock()
        wal = path.with_name(path.name + "-wal")
        self.was_left_open = wal.exists() and wal.stat().st_size > 0
        """True if the last program to use the file did not close it, or still uses it."""
        self.read_only = False
        with sentences():
            self._connection = self._open()
            version = self.version()
            if version == 0:
                self._refuse_foreign_file()
        self.is_newer = version > newest_version()
        if self.is_newer:
            self.read_only = True
            self._connection.execute("PRAGMA query_only = ON")

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect("rwc")
        except sqlite3.OperationalError as error:
            if not self.path.exists() or error.sqlite_errorcode & 0xFF not in _READ_ONLY:
                raise
        self.read_only = True
        try:
            return self._connect("ro")
        except sqlite3.OperationalError:
            # A WAL database in a folder that refuses its two side files: as it is, if nothing is left in a -wal.
            if self.was_left_open:
                raise
            return self._connect("ro&immutable=1")

    def _connect(self, mode: str) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={mode}"
        # The one-thread pool may be another thread than the one that closes; `_owned` guards what this switches off.
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
        try:
            connection.row_factory = sqlite3.Row
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if mode == "rwc":
                connection.execute("PRAGMA journal_mode = WAL")
                # Finds out whether writing is allowed; for a file that is not, BEGIN IMMEDIATE alone only reads.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("PRAGMA user_version = 0")
                connection.execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_foreign_file(self) -> None:
        if self._connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is not None:
            self._connection.close()
            raise StoreError(sentence("{path} is a database of another program. Move it away."), path=self.path)

    def version(self) -> int:
        """The schema version of the file; 0 for an empty one."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @property
    def is_current(self) -> bool:
        """False where `migrate` has something to do."""
        return self.version() >= newest_version()

    def migrate(self, to: int | None = None) -> None:
        """Apply the migrations that are missing, each in a transaction of its own; None: all there are."""
        for file in migration_files():
            number = int(file.name[:4])
            if number <= self.version() or (to is not None and number > to):
                continue
            with self.transaction():
                if self.version() >= number:  # another program was quicker
                    continue
                for statement in _statements(file.read_text("utf-8")):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number}")
                self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def row(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with self._owned(), sentences(self._newer_schema):
            row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._owned(), sentences(self._newer_schema):
            return self._connection.execute(sql, values).fetchall()

    def write(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """One changing statement; belongs into `transaction()`."""
        with self._owned(), sentences():
            return self._connection.execute(sql, values)

    def write_many(self, sql: str, values: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> None:
        """One changing statement for many rows; belongs into `transaction()`."""
        with self._owned(), sentences():
            self._connection.executemany(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's writes or none; on return they are on the disk. Nests into the outer one."""
        with self._owned(), sentences():
            if self.read_only:
                raise self.refusal()
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def refusal(self) -> StoreError:
        """Why this database is not written to."""
        if self.is_newer:
            return _newer()
        return StoreReadOnlyError(
            sentence("Hearth may not write to {path}. Your conversations can be read; check the folder's permissions."),
            path=self.path,
        )

    def is_sound(self) -> bool:
        """SQLite's quick check of all that holds a person's words; the search indexes can be made again."""
        with self._owned():
            try:
                tables = self._connection.execute(
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
                ).fetchall()
                # Table by table: since SQLite 3.44 a check of the whole file also reads every full-text index.
                return all(
                    [row[0] for row in self._connection.execute(f'PRAGMA quick_check("{table[0]}")')] == ["ok"]
                    for table in tables
                )
            except sqlite3.DatabaseError:
                return False

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy with SQLite's online backup; `path` must not exist."""
        with self._owned(), sentences():
            target = sqlite3.connect(path, isolation_level=None)
            try:
                target.execute("PRAGMA synchronous = FULL")
                self._connection.backup(target)
                # A backup is one file: no -wal beside it that could be forgotten.
                target.execute("PRAGMA journal_mode = DELETE")
            finally:
                target.close()

    def copy_from(self, path: Path) -> None:
        """Hold what the closed database at `path` holds, in one transaction that other programs see too."""
        if self.read_only:
            raise self.refusal()
        with self._owned(), sentences():
            source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
            try:
                source.backup(self._connection)
            finally:
                source.close()

    def close(self) -> None:
        """Fold the log into the file and close. Idempotent."""
        with self._owned():
            self._connection.close()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # SQLite itself has rolled back after a full disk
            self._connection.execute("ROLLBACK")

    def _newer_schema(self) -> StoreError | None:
        return _newer() if self.is_newer else None

    @contextmanager
    def _owned(self) -> Iterator[None]:
        """Two threads at once are a bug of ours: say so instead of mixing their transactions."""
        if not self._owner.acquire(blocking=False):
            raise RuntimeError("the conversation store is used by two threads at once")
        try:
            yield
        finally:
            self._owner.release()


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; `executescript` would end the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"a statement without end: {statement[:80]}")


def _newer() -> StoreNewerError:
    return StoreNewerError(
        sentence("Your conversations were written by a newer Hearth. You can read them; to go on, update Hearth.")
    )


@contextmanager
def sentences(known: Callable[[], StoreError | None] = lambda: None) -> Iterator[None]:
    """Turn SQLite's errors of the world into `StoreError`s; programming errors pass.

    `known` may explain an error by what the caller knows of the file.
    """
    try:
        yield
    except HearthError:
        raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DAMAGED:
            raise StoreDamagedError(sentence("The file with your conversations is damaged.")) from error
        if code in _READ_ONLY:
            raise StoreReadOnlyError(
                sentence("Hearth may not write its conversations. Check the permissions of its data folder.")
            ) from error
        if code == sqlite3.SQLITE_FULL:
            raise StoreError(
                sentence("The disk is full: the conversation could not be saved. Free some room and try again.")
            ) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreError(
                sentence("Another program is using your conversations. Close it and try again.")
            ) from error
        if code == sqlite3.SQLITE_IOERR:
            raise StoreError(
                sentence("The disk reported an error while saving ({reason}). Check the disk."), reason=error
            ) from error
        explained = known()
        if explained is not None:
            raise explained from error
        raise
