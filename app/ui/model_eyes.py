"""What a model looks at images with: the vision file beside it, another one, or none.

Shows and says what was asked; finding files and checking them belong to whoever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from app.i18n import tr
from app.model_projectors import AUTOMATIC, NONE, ProjectorChoice
from app.ui.theme import Theme


class ModelEyes(QWidget):
    """One choice for each model."""

    chosen = Signal(object)
    """A `ProjectorChoice`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._choice = AUTOMATIC
        self._title = QLabel(tr("Looks at images with"), self)
        self._title.setProperty("kind", "large")
        self._about = QLabel(
            tr("A vision file (mmproj) that was made for this model. In force from the next loading on."), self
        )
        self._about.setProperty("kind", "caption")
        self.combo = QComboBox(self)
        self.combo.setAccessibleName(self._title.text())
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

    def set_choice(self, choice: ProjectorChoice, found: Sequence[Path] | None) -> None:
        """Show what is chosen, and which files lie ready; the first of them is what is used by itself.

        None: nobody has looked yet.
        """
        self._choice = choice
        self.combo.clear()
        self.combo.addItem(_automatic(found), AUTOMATIC)
        ready = found or ()
        others = [] if choice.path is None or choice.path in ready else [choice.path]
        for path in (*ready, *others):
            self.combo.addItem(path.name, ProjectorChoice(automatic=False, path=path))
            self.combo.setItemData(self.combo.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
        self.combo.addItem(tr("None"), NONE)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(tr("Another file…"), "")
        self._show_choice()
        self.show_refused("")

    def show_refused(self, why: str) -> None:
        """Why the file that was wanted is not used; "" for nothing."""
        self._refused.setText(why)
        self._refused.setVisible(bool(why))

    def _show_choice(self) -> None:
        places = [index for index in range(self.combo.count()) if self.combo.itemData(index) == self._choice]
        self.combo.setCurrentIndex(places[0])

    def _on_activated(self, index: int) -> None:
        data = self.combo.itemData(index)
        self._show_choice()  # until it is kept
        if data == "":
            title = tr("Choose a vision file")
            name, _filter = QFileDialog.getOpenFileName(self, title, "", tr("Vision files") + " (*.gguf)")
            data = ProjectorChoice(automatic=False, path=Path(name)) if name else self._choice
        if data != self._choice:
            self.chosen.emit(data)

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._refused.setStyleSheet(f"color: {self._theme.color('danger').name()};")


def _automatic(found: Sequence[Path] | None) -> str:
    if found is None:
        return tr("Automatic")
    return tr("Automatic: {name}", name=found[0].name) if found else tr("Automatic: nothing found")
