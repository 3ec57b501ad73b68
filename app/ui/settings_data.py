"""The settings' last page: where the data lies, taking it in, and copies of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.dialogs import line
from app.ui.import_dialog import import_conversations
from app.ui.library import sentence_of
from app.ui.workspace import Workspace


def backup_files(folder: Path) -> list[Path]:
    """The copies that exist, the newest first."""
    return sorted(folder.glob("*.db"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []


class DataPage(QWidget):
    """Each line says what it does and has one button."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._space = workspace.theme.space
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        open_folder = self._row(
            tr("Your data"),
            tr("Chats, settings and backups lie in this folder, readable by other programs too."),
            tr("Open data folder"),
        )
        open_folder.clicked.connect(lambda: _show(workspace.paths.data))
        self._column.addWidget(line())
        bring_in = self._row(
            tr("Import conversations"),
            tr("From ChatGPT's or Open WebUI's export file, or from another Hearth."),
            tr("Choose a file…"),
        )
        bring_in.clicked.connect(lambda: import_conversations(workspace, self))
        self._column.addWidget(line())
        self._backup = self._row(
            tr("Backups"),
            tr("Hearth copies your chats regularly and keeps the last copies."),
            tr("Back up now"),
        )
        self._backup.clicked.connect(self._on_backup)
        show_backups = QPushButton(tr("Show the backups"))
        show_backups.setProperty("kind", "link")
        show_backups.setAutoDefault(False)
        show_backups.clicked.connect(lambda: _show(workspace.paths.backups))
        self._last = QLabel()
        self._last.setProperty("kind", "caption")
        self._last.setWordWrap(True)
        self._column.addWidget(self._last)
        self._column.addWidget(show_backups, 0, Qt.AlignmentFlag.AlignLeft)
        self._show_last()

    def _row(self, title: str, words: str, button_text: str) -> QPushButton:
        row = QHBoxLayout()
        row.setContentsMargins(0, self._space(3), 0, self._space(3))
        row.setSpacing(self._space(3))
        column = QVBoxLayout()
        column.setSpacing(self._space(0.5))
        column.addWidget(QLabel(title))
        help_text = QLabel(words)
        help_text.setProperty("kind", "caption")
        help_text.setWordWrap(True)
        column.addWidget(help_text)
        row.addLayout(column, 1)
        button = QPushButton(button_text)
        button.setAutoDefault(False)
        button.setAccessibleDescription(words)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column.addLayout(row)
        return button

    def _show_last(self) -> None:
        files = backup_files(self._workspace.paths.backups)
        if not files:
            self._last.setText(tr("There is no backup yet."))
            return
        moment = QDateTime.fromSecsSinceEpoch(int(files[0].stat().st_mtime))
        when = QLocale().toString(moment, QLocale.FormatType.ShortFormat)
        self._last.setText(tr("Last backup: {when}", when=when))

    def _on_backup(self) -> None:
        self._backup.setEnabled(False)

        def done(_path: Path) -> None:
            self._backup.setEnabled(True)
            self._show_last()

        def failed(error: BaseException) -> None:
            self._backup.setEnabled(True)
            self._last.setText(sentence_of(error))

        self._workspace.library.run(lambda store: store.backup(), done, failed=failed)


def _show(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
