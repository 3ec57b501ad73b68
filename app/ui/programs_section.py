"""Below the switch that lets other programs in: the address they ask, and a token for each of them.

A token is shown only when asked for. Knows no server but by `ProgramAccess`.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.api.tokens import TOKEN_FILE, TokenFile
from app.i18n import tr
from app.ui.dialogs import confirm, line
from app.ui.icons import IconButton
from app.ui.library import sentence_of
from app.ui.program_access import ENABLED
from app.ui.settings_controls import labelled
from app.ui.theme import Theme
from app.ui.toast import announce
from app.ui.workspace import Workspace
from engine.errors import HearthError

_DONE_MS = 1500
_NAME_CHARACTERS = 64


class ProgramsSection(QWidget):
    """Tokens can be made and revoked while nothing is let in, too."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._access = workspace.programs
        self._tokens = TokenFile(workspace.paths.config / TOKEN_FILE)
        theme = workspace.theme
        space = self._space = theme.space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(line())

        self.address = QLineEdit(readOnly=True)
        self.address.setMinimumWidth(space(66))
        self.copy_address = CopyButton(theme, tr("Copy the address"), self.address)
        words = tr("Give it to the other program, as that of a server like OpenAI's.")
        row = self._words(tr("Address"), words, self.address)
        row.addWidget(self.address)
        row.addWidget(self.copy_address)
        column.addLayout(row)
        self.said = QLabel()
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.said.setContentsMargins(0, 0, 0, space(3))
        self.said.hide()
        column.addWidget(self.said)
        column.addWidget(line())

        self.name = QLineEdit()
        self.name.setMaxLength(_NAME_CHARACTERS)
        self.name.setMinimumWidth(space(47))
        self.name.setPlaceholderText(tr("Name of the program"))
        self.add_button = QPushButton(tr("New token"))
        self.add_button.setAutoDefault(False)
        self.add_button.clicked.connect(self._on_add)
        self.name.returnPressed.connect(self._on_add)
        words = tr("The password of a program. Give each its own, so that you can revoke it by itself.")
        row = self._words(tr("Tokens"), words, self.name)
        row.addWidget(self.name)
        row.addWidget(self.add_button)
        column.addLayout(row)
        self._rows = QGridLayout()
        self._rows.setContentsMargins(0, 0, 0, space(3))
        self._rows.setHorizontalSpacing(space(2))
        self._rows.setVerticalSpacing(space(2))
        self._rows.setColumnStretch(1, 1)
        column.addLayout(self._rows)

        self._access.changed.connect(self._show_access)
        unsubscribe = workspace.settings.subscribe(self._on_setting)
        self.destroyed.connect(lambda _gone=None: unsubscribe())
        self._show_access()

    def _words(self, title: str, words: str, control: QLineEdit) -> QHBoxLayout:
        """A row's label and help at the left; its controls come behind them."""
        control.setAccessibleName(title)
        control.setAccessibleDescription(words)
        row = QHBoxLayout()
        row.setContentsMargins(0, self._space(3), 0, self._space(3))
        row.setSpacing(self._space(2))
        row.addLayout(labelled(self._workspace.theme, title, words, control), 1)
        row.addSpacing(self._space(1))
        return row

    def _show_access(self) -> None:
        """Where the server is, or why it is nowhere."""
        address = self._access.address
        self.address.setText(address)
        self.address.setPlaceholderText(tr("Off") if not self._workspace.settings.flag(ENABLED) else "")
        self.copy_address.setEnabled(bool(address))
        self._say(self._access.problem)
        self._show_tokens()

    def _show_tokens(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        try:
            tokens = self._tokens.tokens()
        except HearthError as error:
            self._say(sentence_of(error))
            return
        for number, (client, token) in enumerate(tokens.items()):
            self._add_row(number, client, token)

    def _add_row(self, number: int, client: str, token: str) -> None:
        theme = self._workspace.theme
        field = QLineEdit(token, readOnly=True)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setCursorPosition(0)
        field.setAccessibleName(tr("Token of {name}", name=client))
        show = IconButton(theme, "eye", tr("Show the token of {name}", name=client), size=15)
        show.setCheckable(True)
        show.toggled.connect(
            lambda on: field.setEchoMode(QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password)
        )
        revoke = IconButton(theme, "trash-2", tr("Revoke the token of {name}", name=client), size=15)
        revoke.clicked.connect(partial(self._on_revoke, client))
        name = QLabel(client)
        name.setTextFormat(Qt.TextFormat.PlainText)
        copy = CopyButton(theme, tr("Copy the token of {name}", name=client), field)
        for place, widget in enumerate((name, field, show, copy, revoke)):
            self._rows.addWidget(widget, number, place)

    def _on_setting(self, key: str) -> None:
        if key == ENABLED:
            QTimer.singleShot(0, self, self._show_access)

    def _on_add(self) -> None:
        name = "-".join(self.name.text().split())
        if not name:
            self.name.setFocus()
            return
        try:
            self._tokens.token_for(name)
        except HearthError as error:
            self._say(sentence_of(error))
            return
        self.name.clear()
        self._say("")
        self._show_tokens()
        announce(self, tr("{name} has a token now.", name=name))

    def _on_revoke(self, client: str) -> None:
        sure = confirm(
            self._workspace.theme,
            self,
            tr("Revoke the token of {name}?", name=client),
            tr("Whatever uses it can ask Hearth no more. You can give it a new one."),
            yes=tr("Revoke"),
            danger=True,
        )
        if not sure:
            return
        try:
            self._tokens.revoke(client)
        except HearthError as error:
            self._say(sentence_of(error))
        self._show_tokens()

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.setVisible(bool(text))
        if text:
            announce(self, text)


class CopyButton(IconButton):
    """Puts what a field holds on the clipboard, hidden letters too, and shows for a moment that it did."""

    def __init__(self, theme: Theme, label: str, field: QLineEdit) -> None:
        super().__init__(theme, "copy", label, size=15)
        self._field = field
        self._done = QTimer(self, singleShot=True, interval=_DONE_MS)
        self._done.timeout.connect(lambda: self.set_icon("copy"))
        self.clicked.connect(self._on_clicked)

    def _on_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._field.text())
        self.set_icon("check")
        self._done.start()
        announce(self, tr("Copied"))
