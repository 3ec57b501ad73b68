"""The chosen line of a collection in full, and what can be done with it. Says what was asked; does nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from app.documents_view import Readiness, hidden_sentence, readiness
from app.i18n import tr
from app.ui.amounts import bytes_text, count_text
from app.ui.documents_rows import FileLine, Line, SourceLine, line_detail, line_name, line_size
from app.ui.elided_label import ElidedLabel
from app.ui.icons import themed_icon
from app.ui.style import set_kind
from app.ui.theme import Theme
from rag.events import ReadingProgress
from rag.store.types import SourceKind


@dataclass(frozen=True, slots=True)
class LineAction:
    """Something that can be done with a line: `id`, words, icon."""

    id: str
    words: str
    icon: str


def actions_for(line: Line) -> list[LineAction]:
    """What can be done with a line, the likeliest first."""
    found: list[LineAction] = []
    is_text = line.source.kind is SourceKind.TEXT
    if isinstance(line, FileLine):
        state = readiness(line.file)
        if line.file.n_chunks and line.file.blob_id is not None:
            found.append(LineAction("preview", tr("Show"), "eye"))
        if state in (Readiness.FAILED, Readiness.EMPTY):
            found.append(LineAction("retry", tr("Retry"), "refresh-cw"))
        if line.file.n_hidden:
            found.append(LineAction("hidden", tr("Show the unseen words…"), "triangle-alert"))
        if not is_text:
            found.append(LineAction("open", tr("Open in its own program"), "external-link"))
    elif line.n_failed:
        found.append(LineAction("retry", tr("Retry what could not be read"), "refresh-cw"))
    if not is_text:
        found.append(LineAction("reveal", tr("Show in folder"), "folder-open"))
    if isinstance(line, SourceLine) or line.source.kind is not SourceKind.FOLDER:
        found.append(LineAction("remove", tr("Remove…"), "trash-2"))
    return found


class LineActions(QFrame):
    """Hidden while nothing is chosen."""

    requested = Signal(str, object)
    """An action's id and the `Line`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._line: Line | None = None
        self._shown: tuple[str, ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        self.name = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self.name.setProperty("kind", "large")
        self.detail = QLabel(self)
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hidden_words = QLabel(self)
        self.hidden_words.setProperty("kind", "warning")
        self.hidden_words.setWordWrap(True)
        self._row = QHBoxLayout()
        self._row.addStretch(1)
        self._column = QVBoxLayout(self)
        for widget in (self.name, self.detail, self.hidden_words):
            self._column.addWidget(widget)
        self._column.addLayout(self._row)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def show_line(self, line: Line | None, reading: ReadingProgress | None) -> None:
        """The line that is chosen now, None for none."""
        self._line = line
        self.setVisible(line is not None)
        if line is None:
            return
        self.name.setText(line_name(line))
        pieces = [line_detail(line, reading), line_size(line)]
        n_hidden = 0
        if isinstance(line, FileLine):
            pieces.append(bytes_text(line.file.size))
            n_hidden = line.file.n_hidden
        self.detail.setText(" · ".join(piece for piece in pieces if piece))
        failed = isinstance(line, FileLine) and readiness(line.file, reading) is Readiness.FAILED
        if self.detail.property("kind") != ("danger" if failed else "muted"):
            set_kind(self.detail, "danger" if failed else "muted")
        self.hidden_words.setText(hidden_sentence(n_hidden, number=count_text) + "." if n_hidden else "")
        self.hidden_words.setVisible(bool(n_hidden))
        self._show_actions(actions_for(line))

    def menu(self, line: Line, parent: QWidget) -> QMenu:
        """The same actions as a menu."""
        menu = QMenu(parent)
        menu.aboutToHide.connect(menu.deleteLater)
        for each in actions_for(line):
            color = "danger" if each.id == "remove" else "text_muted"
            action: QAction = menu.addAction(themed_icon(self._theme, each.icon, color=color), each.words)
            action.triggered.connect(partial(self._on_requested, each.id, line))
        return menu

    def _show_actions(self, actions: list[LineAction]) -> None:
        wanted = tuple(each.words for each in actions)
        if wanted == self._shown:
            return
        self._shown = wanted
        focused = next((key for key, button in self.buttons.items() if button.hasFocus()), "")
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for place, each in enumerate(actions):
            button = QPushButton(each.words, self)
            button.setAutoDefault(False)
            if each.id == "remove":
                button.setProperty("kind", "danger")
            button.clicked.connect(partial(self._on_clicked, each.id))
            self._row.insertWidget(place, button)
            self.buttons[each.id] = button
        if focused in self.buttons:
            self.buttons[focused].setFocus()

    def _on_clicked(self, action: str, _checked: bool = False) -> None:
        if self._line is not None:
            self.requested.emit(action, self._line)

    def _on_requested(self, action: str, line: Line, _checked: bool = False) -> None:
        self.requested.emit(action, line)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(4), space(3), space(4), space(3))
        self._column.setSpacing(space(1.5))
        self._row.setSpacing(space(2))
