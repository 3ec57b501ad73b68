"""What a collection without documents shows: how to put some in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.icons import tinted_pixmap
from app.ui.theme import Theme


class EmptyCollection(QWidget):
    """Its maker connects the buttons."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._mark = QLabel(self)
        self._title = QLabel(tr("Drop files and folders here"), self)
        self._title.setProperty("kind", "title")
        self._words = QLabel(
            tr(
                "PDF, Word, OpenDocument, slides, sheets, e-books, web pages, mail, notes, source code and more."
                " They are read on this computer and never leave it; the files stay as they are."
            ),
            self,
        )
        self._words.setProperty("kind", "muted")
        self._words.setWordWrap(True)
        self.files_button = QPushButton(tr("Add files…"), self)
        self.files_button.setProperty("kind", "primary")
        self.folder_button = QPushButton(tr("Add a folder…"), self)
        self._row = QHBoxLayout()
        self._row.addStretch(1)
        for button in (self.files_button, self.folder_button):
            button.setAutoDefault(False)
            self._row.addWidget(button)
        self._row.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.addStretch(2)
        for label in (self._mark, self._title, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._column.addWidget(label)
        self._column.addLayout(self._row)
        self._column.addStretch(3)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._mark.setPixmap(tinted_pixmap(self._theme, "folder-input", color="accent", size=space(10)))
        self._column.setContentsMargins(space(16), 0, space(16), 0)
        self._column.setSpacing(space(3))
        self._row.setSpacing(space(2))
