"""Text views that cannot fetch: no file, no address and no archive is ever read for what they show.

A QTextDocument reads `file://` images with no click. Here every name a document asks for yields an empty value (what
pictures there are is painted), and documents are built by cursor, never from HTML. Knows neither Markdown nor messages.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMimeData, QObject, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QMouseEvent, QTextDocument, QWheelEvent
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.ui.message_selection import SelectionGroup, cursor_text

_IMAGE = QTextDocument.ResourceType.ImageResource.value


def _nothing(kind: int) -> object:
    """What an unknown name yields: a valid empty value, for Qt goes on looking when it gets none."""
    if kind == _IMAGE:
        blank = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
        blank.fill(Qt.GlobalColor.transparent)
        return blank
    return QByteArray(b" ")


class SafeDocument(QTextDocument):
    """A document that has no resources."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setUndoRedoEnabled(False)
        self.setDocumentMargin(0)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        return _nothing(kind)


class SafeTextView(QTextBrowser):
    """Read-only text, as high as its text: it never scrolls vertically and leaves the wheel to what it lies in.

    Links only tell, by `link_activated`, what was clicked. Selection may span the views of one `SelectionGroup`.
    """

    link_activated = Signal(str)
    link_hovered = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, selection: SelectionGroup | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._pressed = False
        self.setDocument(SafeDocument(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)
        self.viewport().setAutoFillBackground(False)
        self.anchorClicked.connect(
            lambda url: self.link_activated.emit(url.toString(QUrl.ComponentFormattingOption.PrettyDecoded))
        )
        self.highlighted.connect(lambda url: self.link_hovered.emit(url.toString()))
        if selection is not None:
            selection.add(self)

    def link_at(self, position: QPoint) -> str:
        """The address under a point of this widget, "" if none."""
        return self.anchorAt(self.viewport().mapFromParent(position))

    def selected_text(self) -> str:
        """What is selected, as plain text."""
        return cursor_text(self.textCursor())

    def setSource(
        self, name: QUrl | str, kind: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource
    ) -> None:
        """Refused: a source is a file to read."""

    def doSetSource(
        self, name: QUrl | str, kind: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource
    ) -> None:
        """Refused: a source is a file to read."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        return _nothing(kind)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self._selection.text() if self._selection is not None else self.selected_text())
        return data

    def wheelEvent(self, event: QWheelEvent) -> None:
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        bar = self.horizontalScrollBar()
        if sideways and bar.maximum() > 0:
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.SelectAll) and self._selection is not None:
            self._selection.select_all()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.textCursor().charFormat().isAnchor():
            super().keyPressEvent(event)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._selection is not None:
            self._pressed = True
            self._selection.begin(self, event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        dragging = self._pressed and bool(event.buttons() & Qt.MouseButton.LeftButton)
        if dragging and self._selection is not None and self._selection.drag(event.globalPosition().toPoint()):
            event.accept()
            return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = False
        super().mouseReleaseEvent(event)
