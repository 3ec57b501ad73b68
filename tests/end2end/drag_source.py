"""Another program's window, from which files can be dragged: `python -m tests.end2end.drag_source FILE...`."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

TITLE = "Files to drag"


class DragSource(QLabel):
    """Pressed, it begins to drag its files."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(TITLE)
        self._paths = paths
        self.setWindowTitle(TITLE)
        self.resize(160, 100)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path) for path in self._paths])
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


if __name__ == "__main__":
    application = QApplication(sys.argv[:1])
    source = DragSource(sys.argv[1:])
    source.show()
    application.exec()
