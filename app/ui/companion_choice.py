"""A file that is loaded beside a model, chosen from a list: those found, any other file, or none.

Shows and says what was asked; finding files and checking them belong to whoever made it.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.theme import Theme


class CompanionChoice(QWidget):
    """Subclasses say what the list holds, through `_fill`, and what a file from elsewhere becomes."""

    chosen = Signal(object)
    """What stands behind the list's line."""

    def __init__(
        self, theme: Theme, title: str, about: str, *, name: str, dialog: tuple[str, str], parent: QWidget | None = None
    ) -> None:
        """`name` is the list's for a screen reader, `dialog` the title and the kind of files asked for."""
        super().__init__(parent)
        self._theme = theme
        self._dialog = dialog
        self._choice: object = None
        heading = QLabel(title, self)
        heading.setProperty("kind", "large")
        caption = QLabel(about, self)
        caption.setProperty("kind", "caption")
        self.combo = QComboBox(self)
        self.combo.setAccessibleName(name)
        self.combo.setAccessibleDescription(about)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(16)
        self._refused = QLabel(self)
        self._refused.setTextFormat(Qt.TextFormat.PlainText)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for label in (heading, caption, self._refused):
            label.setWordWrap(True)
        for widget in (heading, caption, self.combo, self._refused):
            self._column.addWidget(widget)
        self.combo.activated.connect(self._on_activated)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_refused("")

    def show_refused(self, why: str) -> None:
        """Why the chosen file is not used; "" for nothing."""
        self._refused.setText(why)
        self._refused.setVisible(bool(why))

    def _fill(self, choice: object, lines: list[tuple[str, object, str]]) -> None:
        """Show lines of (text, what it stands for, tooltip), one of them for `choice`, and a way to any other file."""
        self._choice = choice
        self.combo.clear()
        for text, data, tip in lines:
            self.combo.addItem(text, data)
            if tip:
                self.combo.setItemData(self.combo.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(tr("Another file…"), "")
        self._show_choice()
        self.show_refused("")

    def _of_file(self, path: Path) -> object:
        """What a file from elsewhere becomes."""
        return path

    def _show_choice(self) -> None:
        places = [index for index in range(self.combo.count()) if self.combo.itemData(index) == self._choice]
        self.combo.setCurrentIndex(places[0])

    def _on_activated(self, index: int) -> None:
        data = self.combo.itemData(index)
        self._show_choice()  # until it is kept
        if data == "":
            title, files = self._dialog
            name, _filter = QFileDialog.getOpenFileName(self, title, "", files + " (*.gguf)")
            data = self._of_file(Path(name)) if name else self._choice
        if data != self._choice:
            self.chosen.emit(data)

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._refused.setStyleSheet(f"color: {self._theme.color('danger').name()};")
