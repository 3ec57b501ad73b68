"""The small model that guesses ahead, chosen beside a large one: those that may fit, any file, or none.

Shows and says what was asked; whether a file fits is found out by whoever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.model_entry import ModelEntry
from app.ui.theme import Theme


class ModelDraft(QWidget):
    """One choice for all models; each uses it if it fits."""

    chosen = Signal(object)
    """The `Path` of a file, or None for no guessing by a model."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._path: Path | None = None
        self._title = QLabel(tr("Guess ahead"), self)
        self._title.setProperty("kind", "large")
        self._about = QLabel(
            tr(
                "A much smaller model of the same family writes ahead, and this one checks it."
                " The answer stays the same and may come faster. In force from the next loading on."
            ),
            self,
        )
        self._about.setProperty("kind", "caption")
        self.combo = QComboBox(self)
        self.combo.setAccessibleName(tr("Small model that guesses ahead"))
        self.combo.setAccessibleDescription(self._about.text())
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(16)
        self._refused = QLabel(self)
        self._refused.setTextFormat(Qt.TextFormat.PlainText)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for label in (self._title, self._about):
            label.setWordWrap(True)
            self._column.addWidget(label)
        self._refused.setWordWrap(True)
        self._column.addWidget(self.combo)
        self._column.addWidget(self._refused)
        self.combo.activated.connect(self._on_activated)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_refused("")

    def set_choice(self, path: Path | None, candidates: Sequence[ModelEntry]) -> None:
        """Show what is chosen, and which models of this computer could be."""
        self._path = path
        self.combo.clear()
        self.combo.addItem(tr("No model"), None)
        for entry in candidates:
            self.combo.addItem(entry.name, entry.path)
        if path is not None and all(entry.path != path for entry in candidates):
            self.combo.addItem(path.name, path)
            self.combo.setItemData(self.combo.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(tr("Another file…"), "")
        self._show_path()
        self.show_refused("")

    def show_refused(self, why: str) -> None:
        """Why the chosen file does not guess for this model; "" for nothing."""
        self._refused.setText(why)
        self._refused.setVisible(bool(why))

    def _show_path(self) -> None:
        places = [index for index in range(self.combo.count()) if self.combo.itemData(index) == self._path]
        self.combo.setCurrentIndex(places[0])

    def _on_activated(self, index: int) -> None:
        data = self.combo.itemData(index)
        if data == "":
            self._show_path()  # until a file is chosen
            title = tr("Choose a small model")
            name, _filter = QFileDialog.getOpenFileName(self, title, "", tr("Models") + " (*.gguf)")
            data = Path(name) if name else self._path
        if data != self._path:
            self.chosen.emit(data)

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._refused.setStyleSheet(f"color: {self._theme.color('danger').name()};")
