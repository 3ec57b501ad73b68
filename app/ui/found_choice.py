"""A choice among what is found while the program runs: the devices that are plugged in, the voices of this computer.

What was chosen stays listed where it is not there now. Finds nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QWidget

_AT_ONCE = 14


class FoundChoice(QComboBox):
    """The first line is the default, whose value is ""."""

    chosen = Signal(str)
    """The value of the line that the person chose."""
    wanted = Signal()
    """It is on show: time to look what there is."""

    def __init__(self, default_label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._default_label = default_label
        self._found: tuple[tuple[str, str], ...] | None = None
        self._value = self._gone = ""
        self.setMaxVisibleItems(_AT_ONCE)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(24)
        self.activated.connect(self._on_activated)
        self._fill()

    @property
    def value(self) -> str:
        return self._value

    def show_value(self, value: str) -> None:
        """What is in force."""
        self._value = value
        self._fill()

    def set_found(self, found: Sequence[tuple[str, str]], *, default: str = "", gone: str = "") -> None:
        """Values and labels of what there is now; `default` names what the first line stands for.

        `gone` is said of a chosen one that is not among them.
        """
        self._found, self._gone = tuple(found), gone
        if default:
            self._default_label = default
        self._fill()

    def _fill(self) -> None:
        lines = [("", self._default_label), *(self._found or ())]
        if self._value and self._value not in dict(lines):
            name = self._value.partition(": ")[2] or self._value.partition(":")[2] or self._value
            # Before anybody has looked, nobody knows.
            lines.append((self._value, name if self._found is None else f"{name} {self._gone}".rstrip()))
        self.blockSignals(True)
        self.clear()
        for value, label in lines:
            self.addItem(label, value)
        self.setCurrentIndex(max(0, self.findData(self._value)))
        self.blockSignals(False)
        self.setToolTip(self.currentText())

    def _on_activated(self, index: int) -> None:
        self._value = str(self.itemData(index))
        self.setToolTip(self.currentText())
        self.chosen.emit(self._value)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolling the page over it does not change it."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
