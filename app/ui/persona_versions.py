"""The saved versions of a persona: when each was kept, what is different in it, and the way back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.personas.document import INSTRUCTIONS_NAME, TOML_NAME
from app.personas.editing import icon_bytes
from app.personas.folder import SavedVersion, Shelved
from app.personas.shelf import Shelf
from app.ui.amounts import moment_text
from app.ui.library import sentence_of
from app.ui.theme import TextSize
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.services import Services

T = TypeVar("T")


class VersionsDialog(QDialog):
    """Compares the chosen version with the one before it, or with the present one."""

    restored = Signal(object, object)
    """A version is the present one again: its `Shelved`, and the PNG file of its icon."""

    def __init__(
        self, workspace: Workspace, services: Services, short_name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._services, self._short_name = workspace, services, short_name
        self._versions: tuple[SavedVersion, ...] = ()
        self._pair = (0, 0)
        """What is compared: two numbers."""
        self.setWindowTitle(tr("Versions"))
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Versions"))
        self.against = QComboBox(self)
        self.against.setAccessibleName(tr("Compared with"))
        self.against.addItem(tr("Compared with the version before"))
        self.against.addItem(tr("Compared with the newest version"))
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setAccessibleName(tr("What is different"))
        self.problem = QLabel(self)
        self.problem.setProperty("kind", "danger")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.restore_button = QPushButton(tr("Go back to this version"), self)
        self.close_button = QPushButton(tr("Close"), self)
        self.close_button.setProperty("kind", "primary")
        self._difference = ""
        self._lay_out()
        self.list.currentRowChanged.connect(self._compare)
        self.against.activated.connect(self._compare)
        self.restore_button.clicked.connect(self._on_restore)
        self.close_button.clicked.connect(self.reject)
        workspace.theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._read()

    @property
    def difference(self) -> str:
        """What is compared on show, in the unified format."""
        return self._difference

    def _read(self) -> None:
        self._call(lambda shelf: shelf.versions(self._short_name), self._on_versions, changes=False)

    def _on_versions(self, versions: tuple[SavedVersion, ...]) -> None:
        self._versions = versions
        self.list.blockSignals(True)
        self.list.clear()
        for each in versions:
            self.list.addItem(tr("Version {number}", number=each.number) + "\n" + moment_text(each.saved_at))
        self.list.setCurrentRow(0 if versions else -1)
        self.list.blockSignals(False)
        self._compare()

    def _compare(self) -> None:
        row = self.list.currentRow()
        self.restore_button.setEnabled(row > 0)
        if not 0 <= row < len(self._versions):
            return
        number = self._versions[row].number
        if self.against.currentIndex() == 0:
            older = self._versions[row + 1].number if row + 1 < len(self._versions) else 0
            pair = (older, number)
        else:
            pair = (number, self._versions[0].number)
        self._pair = pair
        if not pair[0]:
            self._show("", tr("This is the first version."))
            return
        if pair[0] == pair[1]:
            self._show("", tr("This is the newest version."))
            return

        def compared(difference: str) -> None:
            if self._pair == pair:
                self._show(difference, tr("Both say the same."))

        self._call(lambda shelf: shelf.difference(self._short_name, *pair), compared, changes=False)

    def _show(self, difference: str, otherwise: str) -> None:
        self._difference = difference
        self.problem.hide()
        self.text.clear()
        cursor = self.text.textCursor()
        cursor.beginEditBlock()
        for number, each in enumerate(difference.splitlines() or [otherwise]):
            self._put(cursor, each, first=number == 0, plain=not difference)
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)

    def _put(self, cursor: QTextCursor, said: str, *, first: bool, plain: bool) -> None:
        """One line of a difference, in the colour of what became of it; the heads of files in words."""
        theme = self._workspace.theme
        look, block = QTextCharFormat(), QTextBlockFormat()
        look.setForeground(theme.color("text"))
        if plain:
            look.setForeground(theme.color("text_muted"))
        elif said.startswith(("--- ", "@@")):
            if first or said.startswith("---"):
                return
            said = "…"
            look.setForeground(theme.color("text_faint"))
        elif said.startswith("+++ "):
            said = _spoken(said.removeprefix("+++ ").partition(" (")[0])
            look.setFont(theme.font(bold=True))
        elif said.startswith(("+", "-")):
            color = theme.color("success" if said.startswith("+") else "danger")
            look.setForeground(color)
            ground = QColor(color)
            ground.setAlpha(28)
            block.setBackground(ground)
        if not self.text.document().isEmpty():
            cursor.insertBlock()
        cursor.setBlockFormat(block)
        cursor.insertText(said, look)

    def _on_restore(self) -> None:
        row = self.list.currentRow()
        if not 0 < row < len(self._versions):
            return
        number = self._versions[row].number

        def work(shelf: Shelf) -> tuple[Shelved, bytes]:
            shelved = shelf.restore(self._short_name, number)
            return shelved, icon_bytes(shelf, shelved)

        def done(found: tuple[Shelved, bytes]) -> None:
            self.restored.emit(*found)
            self._read()

        self._call(work, done)

    def _call(self, operation: Callable[[Shelf], T], done: Callable[[T], None], *, changes: bool = True) -> None:
        self._workspace.bridge.then(
            self._services.personas.call(operation, changes=changes), done, self._on_failed, owner=self
        )

    def _on_failed(self, error: BaseException) -> None:
        self.problem.setText(sentence_of(error))
        self.problem.show()

    def _lay_out(self) -> None:
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.restore_button)
        self._foot.addStretch(1)
        self._foot.addWidget(self.close_button)
        for button in (self.restore_button, self.close_button):
            button.setAutoDefault(False)
        right = QVBoxLayout()
        right.addWidget(self.against, 0, Qt.AlignmentFlag.AlignLeft)
        right.addWidget(self.text, 1)
        right.addWidget(self.problem)
        self._right = right
        self._row = QHBoxLayout()
        self._row.addWidget(self.list)
        self._row.addLayout(right, 1)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._row, 1)
        self._column.addLayout(self._foot)

    def _on_theme_changed(self) -> None:
        theme, space = self._workspace.theme, self._workspace.theme.space
        self._column.setContentsMargins(space(5), space(5), space(5), space(4))
        self._column.setSpacing(space(4))
        self._row.setSpacing(space(4))
        self._right.setSpacing(space(3))
        self._foot.setSpacing(space(2))
        self.list.setFixedWidth(space(48))
        self.text.setFont(theme.font(TextSize.CAPTION, code=True))
        self.resize(space(210), space(140))
        if self.list.count():
            self._compare()


def _spoken(file_name: str) -> str:
    return {TOML_NAME: tr("All but the instructions"), INSTRUCTIONS_NAME: tr("Instructions")}.get(file_name, file_name)
