"""Below the settings for another computer: its key, and the button that tries it and lists its models.

The key goes into a file of its own and is never shown again. Nothing is asked of the network before a click.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.remote.choice import ADDRESS, MODEL, RemoteChoice
from app.ui.dialogs import line
from app.ui.icons import IconButton
from app.ui.library import sentence_of
from app.ui.settings_controls import labelled
from app.ui.toast import announce
from app.ui.workspace import Workspace
from engine.errors import HearthError

if TYPE_CHECKING:
    from app.remote.messages import Found


class RemoteSection(QWidget):
    """Works before the services are open, too: it asks the server by a process of its own."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._settings = workspace.settings
        self._choice = RemoteChoice(workspace.settings, workspace.paths.config)
        space = self._space = workspace.theme.space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(line())

        self.key = QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setMinimumWidth(space(66))
        self.key.editingFinished.connect(self._on_key)
        words = tr(
            "Only if the server asks for one. It lies in a file that only you can read, and goes to this address."
        )
        self.forget_button = IconButton(workspace.theme, "trash-2", tr("Remove the key"), size=15)
        self.forget_button.clicked.connect(lambda: self._keep_key(""))
        row = self._row(tr("Key"), words, self.key)
        row.insertWidget(1, self.forget_button, 0, Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(row)
        column.addWidget(line())

        self.try_button = QPushButton(tr("Try it"))
        self.try_button.setAutoDefault(False)
        self.try_button.clicked.connect(self._on_try)
        words = tr("Asks the server which models it has. None of your messages is sent.")
        column.addLayout(self._row(tr("Connection"), words, self.try_button))

        self.said = QLabel()
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setAccessibleName(tr("What the server said"))
        self.said.hide()
        column.addWidget(self.said)
        self.models = QComboBox()
        self.models.setAccessibleName(tr("Models on the other computer"))
        self.models.activated.connect(lambda _index: self._settings.set(MODEL, self.models.currentText()))
        self.models.hide()
        column.addSpacing(space(2))
        column.addWidget(self.models, 0, Qt.AlignmentFlag.AlignLeft)
        self._show_key()
        unsubscribe = self._settings.subscribe(self._on_setting)
        self.destroyed.connect(lambda _gone=None: unsubscribe())

    def _row(self, title: str, words: str, control: QWidget) -> QHBoxLayout:
        if isinstance(control, QLineEdit):
            control.setAccessibleName(title)
        control.setAccessibleDescription(words)
        row = QHBoxLayout()
        row.setContentsMargins(0, self._space(3), 0, self._space(3))
        row.setSpacing(self._space(3))
        row.addLayout(labelled(self._workspace.theme, title, words, control), 1)
        row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    def _address(self) -> str:
        return self._settings.text(ADDRESS).strip()

    def _show_key(self) -> None:
        self.key.clear()
        kept = bool(self._choice.keys.key_for(self._address()))
        self.key.setPlaceholderText(tr("A key is kept") if kept else tr("None"))
        self.forget_button.setVisible(kept)

    def _on_key(self) -> None:
        if typed := self.key.text().strip():  # nothing typed leaves a kept key as it is
            self._keep_key(typed)

    def _keep_key(self, key: str) -> None:
        try:
            self._choice.keys.keep(self._address(), key)
        except (HearthError, OSError) as error:
            self._say(sentence_of(error))
        self._show_key()

    def _on_setting(self, key: str) -> None:
        if key == ADDRESS:
            self._show_key()
            self.models.hide()
            self.said.hide()

    def _on_try(self) -> None:
        address = self._address()
        if not address:
            self._say(tr("Write the server's address first."))
            return
        self.try_button.setEnabled(False)
        self._say(tr("Asking {address}…", address=address))
        future = self._choice.try_it(address, self._choice.keys.key_for(address))
        self._workspace.bridge.then(future, self._on_found, self._on_failed, owner=self)

    def _on_found(self, found: Found) -> None:
        self.try_button.setEnabled(True)
        count = len(found.models)
        self._say(
            ntr("The server answers. It has {count} model:", "The server answers. It has {count} models:", count)
            if count
            else tr("The server answers, but has no model ready.")
        )
        self.models.clear()
        self.models.addItems([model.name for model in found.models])
        self.models.setCurrentIndex(max(0, self.models.findText(self._settings.text(MODEL))))
        self.models.setVisible(count > 0)

    def _on_failed(self, error: BaseException) -> None:
        self.try_button.setEnabled(True)
        self.models.hide()
        self._say(sentence_of(error))

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.show()
        announce(self, text)
