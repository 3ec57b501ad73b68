"""A damaged conversations.db: kept aside, its readable rows saved into a new file. Nothing is ever deleted.

Knows no window and no damage: that is `app.store.salvage`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from app.store.backups import keep_aside, newest_backup, restore_backup, take_place
from app.store.salvage import salvage
from app.store.store import ConversationStore
from engine.errors import StoreDamagedError

__all__ = ["RecoveryReport", "newest_backup", "open_or_recover", "restore_backup"]


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What became of a damaged file. `newest_backup` may be restored instead with `restore_backup`.

    `restored` is True where nothing could be read and that backup has taken the file's place already.
    """

    damaged_copy: Path
    messages_saved: int
    newest_backup: Path | None
    restored: bool = False


def open_or_recover(
    path: Path, backups: Path | None = None, *, check: bool | None = None
) -> tuple[ConversationStore, RecoveryReport | None]:
    """Open the store; where the file is damaged, save what can be read into a new one first.

    `check` asks for SQLite's quick check before use; None does so where the file was not closed by its last
    program. Raises `StoreError` for other faults.
    """
    try:
        store = ConversationStore.open(path, backups=backups)
        wanted = store.was_left_open if check is None else check
        if not wanted or store.read_only or store.is_sound():
            return store, None
        store.close()
    except StoreDamagedError:
        pass  # handled by what follows
    aside = keep_aside(path, "damaged")
    part = path.with_name(path.name + ".part")
    saved = salvage(aside, part)
    backup = newest_backup(backups)
    restored = saved == 0 and backup is not None
    if backup is not None and restored:
        shutil.copyfile(backup, part)
    take_place(part, path)
    return ConversationStore.open(path, backups=backups), RecoveryReport(aside, saved, backup, restored)
