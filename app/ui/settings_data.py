"""The settings' last page: where the data lies, taking it in, and copies of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.i18n import tr
from app.remembered import RememberedChats
from app.ui.amounts import bytes_text
from app.ui.dialogs import line
from app.ui.import_dialog import import_conversations
from app.ui.library import sentence_of
from app.ui.restoring import backup_files, backup_time, restore_backup
from app.ui.toast import announce
from app.ui.workspace import Workspace


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
        self._remembered_title = QLabel()
        self._clear = self._row(
            self._remembered_title,
            tr("What the model has read is kept, so that a long chat goes on at once. The chats themselves stay."),
            tr("Clear"),
        )
        self._clear.setAccessibleName(tr("Clear the remembered chats"))
        self._clear.clicked.connect(self._on_clear)
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
        self._copies = QGridLayout()
        self._copies.setHorizontalSpacing(self._space(6))
        self._copies.setVerticalSpacing(self._space(2))
        self._copies.setColumnStretch(2, 1)
        self._column.addLayout(self._copies)
        self._said = QLabel()
        self._said.setProperty("kind", "muted")
        self._said.setWordWrap(True)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said.setContentsMargins(0, self._space(3), 0, 0)
        self._said.hide()
        self._column.addWidget(self._said)
        self._column.addSpacing(self._space(3))
        self._column.addWidget(show_backups, 0, Qt.AlignmentFlag.AlignLeft)
        self._show_copies()
        self._show_remembered(0)
        self._measure_remembered()

    def _row(self, title: str | QLabel, words: str, button_text: str) -> QPushButton:
        row = QHBoxLayout()
        row.setContentsMargins(0, self._space(3), 0, self._space(3))
        row.setSpacing(self._space(3))
        column = QVBoxLayout()
        column.setSpacing(self._space(0.5))
        column.addWidget(title if isinstance(title, QLabel) else QLabel(title))
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

    def _show_copies(self) -> None:
        while (item := self._copies.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        files = backup_files(self._workspace.paths.backups)
        if not files:
            nothing = QLabel(tr("There is no backup yet."))
            nothing.setProperty("kind", "caption")
            self._copies.addWidget(nothing, 0, 0)
        for line_number, backup in enumerate(files):
            when = backup_time(backup)
            size = QLabel(bytes_text(backup.stat().st_size))
            size.setProperty("kind", "muted")
            button = QPushButton(tr("Restore…"))
            button.setProperty("kind", "link")
            button.setAutoDefault(False)
            button.setAccessibleName(tr("Restore the backup of {when}", when=when))
            button.setEnabled(self._may_restore())
            button.clicked.connect(partial(self._on_restore, backup))
            self._copies.addWidget(QLabel(when), line_number, 0)
            self._copies.addWidget(size, line_number, 1, Qt.AlignmentFlag.AlignRight)
            self._copies.addWidget(button, line_number, 2, Qt.AlignmentFlag.AlignRight)

    def _may_restore(self) -> bool:
        services = self._workspace.services
        return services is not None and not services.store.read_only

    def _say(self, text: str) -> None:
        self._said.setText(text)
        self._said.show()
        announce(self, text)

    def _on_restore(self, backup: Path) -> None:
        def said(text: str, _kept: Path | None) -> None:
            self._say(text)
            self._show_copies()

        restore_backup(self._workspace, self, backup, said)

    def _remembered(self) -> RememberedChats:
        services = self._workspace.services
        return RememberedChats(self._workspace.paths.snapshots) if services is None else services.remembered

    def _show_remembered(self, size: int) -> None:
        if not isValid(self):
            return  # the dialog was closed meanwhile
        self._remembered_title.setText(tr("Remembered chats on disk: {size}", size=bytes_text(size)))
        self._clear.setEnabled(size > 0)

    def _measure_remembered(self) -> None:
        workspace = self._workspace
        workspace.bridge.then(workspace.run(self._remembered().size), self._show_remembered, self._on_clear_failed)

    def _on_clear(self) -> None:
        self._clear.setEnabled(False)

        def done(_nothing: object) -> None:
            if not isValid(self):
                return
            self._say(tr("The remembered chats are cleared."))
            self._measure_remembered()

        workspace = self._workspace
        workspace.bridge.then(workspace.run(self._remembered().clear), done, self._on_clear_failed)

    def _on_clear_failed(self, error: BaseException) -> None:
        if not isValid(self):
            return
        self._clear.setEnabled(True)
        self._say(sentence_of(error))

    def _on_backup(self) -> None:
        self._backup.setEnabled(False)

        def done(_path: Path) -> None:
            self._backup.setEnabled(True)
            self._show_copies()

        def failed(error: BaseException) -> None:
            self._backup.setEnabled(True)
            self._say(sentence_of(error))

        self._workspace.library.run(lambda store: store.backup(), done, failed=failed)


def _show(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
