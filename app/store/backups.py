"""Rolling copies of conversations.db: made, checked, thinned out, put back. Knows no conversation."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from app.limits import BACKUPS_KEPT
from app.store.codec import images_of
from app.store.database import Database, newest_version
from engine.atomic_write import replace_durably
from engine.errors import StoreError, sentence

_PATTERN = "conversations-*.db"


def write_backup(database: Database, folder: Path) -> Path:
    """Write a checked copy into `folder` and drop the oldest beyond `BACKUPS_KEPT`. Raises `StoreError`."""
    target = folder / f"conversations-{time_stamp()}.db"
    part = target.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in folder.glob("conversations-*.part"):  # of a program that died meanwhile
            left.unlink()
        database.copy_to(part)
        if not is_sound(part):
            part.unlink()
            raise StoreError(sentence("The backup could not be read back. Check the disk."))
        part.chmod(0o600)
        replace_durably(part, target)
        for old in sorted(folder.glob(_PATTERN))[:-BACKUPS_KEPT]:
            old.unlink()
    except OSError as error:
        raise StoreError(
            sentence("The backup could not be written to {folder}: {reason}."), folder=folder, reason=error.strerror
        ) from error
    return target


def newest_backup(folder: Path | None) -> Path | None:
    """The newest backup that is sound."""
    if folder is None:
        return None
    return next((each for each in sorted(folder.glob(_PATTERN), reverse=True) if is_sound(each)), None)


def restore_backup(backup: Path, path: Path) -> Path | None:
    """Put a copy of `backup` in the place of `path`, which nobody has open; return where that is kept now."""
    aside = keep_aside(path, "replaced") if path.exists() else None
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    shutil.copyfile(backup, part)
    take_place(part, path)
    return aside


def load_backup(database: Database, backup: Path) -> Path:
    """Let an open database hold what `backup` holds; return the copy of what it held. Raises `StoreError`."""
    if not is_sound(backup):
        raise StoreError(sentence("The backup cannot be read. Choose another one."))
    if _version(backup) > newest_version():
        raise StoreError(sentence("The backup was written by a newer Hearth. Update Hearth to restore it."))
    path = database.path
    aside = path.with_name(f"{path.stem}-replaced-{time_stamp()}{path.suffix}")
    database.copy_to(aside)
    try:
        database.copy_from(backup)
        database.migrate()
    except BaseException:
        database.copy_from(aside)
        raise
    return aside


def is_sound(path: Path) -> bool:
    """SQLite's quick check of a file that nobody writes to. Leaves no side files."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]
    except sqlite3.DatabaseError:
        return False


def images_of_copies(path: Path, backups: Path | None) -> set[str]:
    """The sha256 of every image that a backup, or a copy of `path` that was kept aside, still names."""
    copies = list(path.parent.glob(f"{path.stem}-*{path.suffix}"))
    if backups is not None:
        copies += backups.glob(_PATTERN)
    named: set[str] = set()
    for copy in copies:
        try:
            with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
                named.update(row[0] for row in connection.execute("SELECT DISTINCT sha256 FROM parts"))
                for (images,) in connection.execute("SELECT images FROM drafts"):
                    named.update(part.sha256 for part in images_of(images))
        except (sqlite3.DatabaseError, ValueError, TypeError):
            continue  # of a version without images, or damaged beyond use
    return named


def _version(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def keep_aside(path: Path, why: str) -> Path:
    """A copy of a database and of its log beside it, named by `why` and the time; return the copy."""
    aside = path.with_name(f"{path.stem}-{why}-{time_stamp()}{path.suffix}")
    for suffix in ("", "-wal"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            shutil.copyfile(part, aside.with_name(aside.name + suffix))
    return aside


def take_place(part: Path, path: Path) -> None:
    """Make the database `part` the database `path`; a crash at any point leaves one of the two."""
    # The old file's log would be applied to the new one.
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    replace_durably(part, path)


def time_stamp() -> str:
    """Now, in UTC, as it sorts in file names."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
