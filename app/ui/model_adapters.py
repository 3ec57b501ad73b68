"""The LoRA adapters of one model: a line with a weight each, one to add, and why a file was refused.

Shows and says what was asked; checking a file and keeping the list belong to whoever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from app.i18n import tr
from app.model_adapters import MAX_WEIGHT
from app.ui.icons import IconButton
from app.ui.theme import Theme
from engine.types import Adapter

_STEPS = 20
"""Of the slider for a weight of 1."""


class ModelAdapters(QWidget):
    """Weight 0 keeps an adapter in the list without using it."""

    add_requested = Signal(Path)
    changed = Signal(tuple)
    """The whole list, as `Adapter`s."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.adapters: tuple[Adapter, ...] = ()
        self._title = QLabel(tr("Adapters"), self)
        self._title.setProperty("kind", "large")
        self._about = QLabel(tr("Small files that change how a model writes. They act from its next loading on."), self)
        self._about.setProperty("kind", "caption")
        self._refused = QLabel(self)
        self._refused.setTextFormat(Qt.TextFormat.PlainText)
        self._rows = QGridLayout()
        self._rows.setColumnStretch(0, 1)
        self._add = QPushButton(tr("Add an adapter…"), self)
        self._add.setAutoDefault(False)
        self._add.clicked.connect(self._on_add)
        for label in (self._about, self._refused):
            label.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for each in (self._title, self._about):
            self._column.addWidget(each)
        self._column.addLayout(self._rows)
        self._column.addWidget(self._refused)
        self._column.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_adapters(())

    def set_adapters(self, adapters: Sequence[Adapter]) -> None:
        """Show these."""
        self.adapters = tuple(adapters)
        self.show_refused("")
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for line, adapter in enumerate(self.adapters):
            self._add_row(line, adapter)

    def show_refused(self, why: str) -> None:
        """Why the file that was wanted last is not in the list; "" for nothing."""
        self._refused.setText(why)
        self._refused.setVisible(bool(why))

    def _add_row(self, line: int, adapter: Adapter) -> None:
        name = QLabel(adapter.path.stem, self)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setToolTip(str(adapter.path))
        name.setMinimumWidth(1)
        weight = QSlider(Qt.Orientation.Horizontal, self)
        weight.setRange(0, round(MAX_WEIGHT * _STEPS))
        weight.setPageStep(_STEPS // 4)
        weight.setAccessibleName(tr("Weight of {name}", name=adapter.path.stem))
        value = QLabel(self)
        value.setProperty("kind", "caption")
        value.setFixedWidth(self._theme.space(9))
        remove = IconButton(self._theme, "x", tr("Take {name} off the list", name=adapter.path.stem), size=16)
        weight.valueChanged.connect(lambda steps: value.setText(f"{steps / _STEPS:.2f}"))
        weight.setValue(round(adapter.scale * _STEPS))
        value.setText(f"{weight.value() / _STEPS:.2f}")
        weight.valueChanged.connect(lambda steps: self._on_weighed(line, steps / _STEPS))
        remove.clicked.connect(lambda: self._on_removed(line))
        for column, widget in enumerate((name, weight, value, remove)):
            self._rows.addWidget(widget, line, column)

    def _on_weighed(self, line: int, scale: float) -> None:
        adapters = list(self.adapters)
        adapters[line] = Adapter(adapters[line].path, scale)
        self.adapters = tuple(adapters)
        self.changed.emit(self.adapters)

    def _on_removed(self, line: int) -> None:
        self.set_adapters([*self.adapters[:line], *self.adapters[line + 1 :]])
        self.changed.emit(self.adapters)
        self._add.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_add(self) -> None:
        name, _filter = QFileDialog.getOpenFileName(self, tr("Add an adapter"), "", tr("Adapters") + " (*.gguf)")
        if name:
            self.show_refused("")
            self.add_requested.emit(Path(name))

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._rows.setHorizontalSpacing(self._theme.space(2))
        self._refused.setStyleSheet(f"color: {self._theme.color('danger').name()};")
