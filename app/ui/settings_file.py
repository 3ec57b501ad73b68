"""A settings control for the path of one file, or of a folder: type it, or choose it in the system's dialog."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from app.i18n import tr
from app.ui.icons import IconButton
from app.ui.theme import Theme


class FileField(QWidget):
    """Takes the keyboard for its line. With `folders` there is a second button, for one of those."""

    changed = Signal()

    def __init__(
        self, theme: Theme, title: str, parent: QWidget | None = None, *, placeholder: str = "", folders: bool = False
    ) -> None:
        super().__init__(parent)
        self._title = title
        self.line = QLineEdit(self)
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(title)
        self.button = IconButton(
            theme, "file-text" if folders else "folder", tr("Choose a file…"), size=16, parent=self
        )
        self.folder_button = IconButton(theme, "folder", tr("Choose a folder…"), size=16, parent=self)
        self.folder_button.setVisible(folders)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1))
        row.addWidget(self.line, 1)
        row.addWidget(self.button)
        row.addWidget(self.folder_button)
        self.setFocusProxy(self.line)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.line.editingFinished.connect(self.changed)
        self.button.clicked.connect(self._on_choose)
        self.folder_button.clicked.connect(self._on_choose_folder)

    @property
    def path(self) -> str:
        """As typed; "" for none."""
        return self.line.text().strip()

    def show_path(self, path: str) -> None:
        self.line.setText(path)
        self.line.setToolTip(path)

    def _on_choose(self) -> None:
        folder = str(Path(self.path).parent) if self.path else ""
        chosen, _filter = QFileDialog.getOpenFileName(self, self._title, folder, tr("GGUF models (*.gguf)"))
        self._take(chosen)

    def _on_choose_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, self._title, self.path))

    def _take(self, chosen: str) -> None:
        if chosen:
            self.show_path(chosen)
            self.changed.emit()
