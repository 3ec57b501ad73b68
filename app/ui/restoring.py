"""Putting the chats back as a backup holds them: the question before, the sentence after.

Knows no list of backups; swapping the chats is the services' work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.ui.amounts import moment_text
from app.ui.dialogs import confirm
from app.ui.library import sentence_of
from app.ui.workspace import Workspace


def backup_files(folder: Path) -> list[Path]:
    """The copies that exist, the newest first."""
    return sorted(folder.glob("*.db"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []


def backup_time(backup: Path) -> str:
    """When a backup was made, as the person writes dates."""
    return moment_text(backup.stat().st_mtime)


def restore_backup(
    workspace: Workspace, parent: QWidget, backup: Path, said: Callable[[str, Path | None], None]
) -> bool:
    """Ask, then restore; `said` gets the sentence about how it went, and where the chats from before are kept.

    False if the person thought better of it.
    """
    services = workspace.services
    if services is None:
        return False
    words = tr(
        "All chats become what they were then. What you wrote since is not lost: the present chats are kept in a"
        " file of their own in the data folder."
    )
    if workspace.answers.generating:
        words += " " + tr("The answer that is being written is stopped.")
    if not confirm(
        workspace.theme,
        parent,
        tr("Restore the backup of {when}?", when=backup_time(backup)),
        words,
        yes=tr("Restore"),
        icon="archive-restore",
    ):
        return False

    def done(kept: Path) -> None:
        said(tr("The backup is restored. The chats from before are kept in {name}.", name=kept.name), kept)

    def failed(error: BaseException) -> None:
        workspace.library.report(error, say=False)
        said(sentence_of(error), None)

    workspace.bridge.then(services.restore_backup(backup), done, failed)
    return True
