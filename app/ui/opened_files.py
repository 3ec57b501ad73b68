"""Files that the system hands to a running program as an event: a Mac's way of "Open with".

The only thing that is taken is a file of this computer; Hearth answers to no address of its own.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class HearthApplication(QApplication):
    """The application object. A subclass, because a filter on it would see every event of every widget."""

    files_opened = Signal(list)
    """Paths."""

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            if file := event.file():
                self.files_opened.emit([Path(file)])
            return True
        return super().event(event)
