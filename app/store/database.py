"""Opening conversations.db: durability settings, migrations, and SQLite's errors as sentences.

Knows no conversation. WAL with synchronous=FULL: an acknowledged commit survives a crash and a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import HearthError, StoreDamagedError, StoreError, StoreNewerError, StoreReadOnlyError, sentence

APPLICATION_ID = 0x48_52_54_48
"""`HRTH`: what `file` and SQLite tools show as the kind of database."""
MIGRATIONS = Path(__file__).with_name("migrations")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_READ_ONLY = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


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
        self._lock = threading.RLock()
        self.read_only = False
        with sentences():
            try:
                self._connection = self._connect(path, read_only=False)
                version = self.version()
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not path.exists() or error.sqlite_errorcode & 0xFF not in _READ_ONLY:
                    raise
                self._connection = self._connect(path, read_only=True)
                version = self.version()
                self.read_only = True
        self.is_newer = version > newest_version()
        if self.is_newer:
            self.read_only = True

    @staticmethod
    def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
        # immutable=1 would be wrong here: another process may write. mode=ro still reads a WAL that is there.
        address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
        connection.row_factory = sqlite3.Row
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY", "cache_size = -16000"):
            connection.execute(f"PRAGMA {pragma}")
        if not read_only:
            # Part of what makes a power cut harmless on macOS, where fsync alone does not reach the platter.
            connection.execute("PRAGMA fullfsync = ON")
        return connection

    def version(self) -> int:
        """The schema version of the file; 0 for an empty one."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def migrate(self) -> None:
        """Apply the migrations that are missing, each in a transaction of its own."""
        for file in migration_files():
            number = int(file.name[:4])
            if number <= self.version():
                continue
            with sentences():
                script = f"BEGIN IMMEDIATE;\n{file.read_text('utf-8')}\nPRAGMA user_version = {number};\n"
                if number == 1:
                    script += f"PRAGMA application_id = {APPLICATION_ID};\n"
                try:
                    self._connection.executescript(script + "COMMIT;")
                except sqlite3.Error:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """One statement. Reads may stand alone; writes belong into `transaction()`."""
        with self._lock, sentences():
            return self._connection.execute(sql, values)

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock, sentences():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's writes or none; on return they are on the disk. Nests into the outer one."""
        with self._lock, sentences():
            if self.read_only:
                raise self.refusal()
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def refusal(self) -> StoreError:
        """Why this database is not written to."""
        if self.is_newer:
            return StoreNewerError(
                sentence(
                    "Your conversations were written by a newer Hearth. You can read them; to go on, update Hearth."
                )
            )
        return StoreReadOnlyError(
            sentence("Hearth may not write to {path}. Your conversations can be read; check the folder's permissions."),
            path=self.path,
        )

    def is_sound(self) -> bool:
        """SQLite's quick check of the whole file."""
        try:
            return [row[0] for row in self._connection.execute("PRAGMA quick_check(1)")] == ["ok"]
        except sqlite3.DatabaseError:
            return False

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy with SQLite's online backup."""
        with self._lock, sentences():
            target = sqlite3.connect(path)
            try:
                self._connection.backup(target)
                # A backup is one file: no -wal beside it that could be forgotten.
                target.execute("PRAGMA journal_mode = DELETE")
            finally:
                target.close()

    def close(self) -> None:
        """Fold the log into the file and close. Idempotent."""
        with self._lock:
            self._connection.close()


@contextmanager
def sentences() -> Iterator[None]:
    """Turn SQLite's errors of the world into `StoreError`s; programming errors pass."""
    try:
        yield
    except HearthError:
        raise
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
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
        raise
