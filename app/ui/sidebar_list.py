"""The list of conversations itself. Knows no library; says what was asked for."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.i18n import tr
from app.ui.composer_text import local_files
from app.ui.sidebar_model import ROW_ROLE, RowKind, SidebarRow
from app.ui.theme import Theme

_NEW = -1
"""In place of a row: a new conversation."""


class SidebarList(QListView):
    """A click opens, Enter opens, the menu key asks for the menu; files can be dropped on a conversation."""

    chosen = Signal(QModelIndex)
    menu_wanted = Signal(QModelIndex, QPoint)
    delete_wanted = Signal(QModelIndex)
    files_dropped = Signal(str, list)
    """A conversation's id ("" for none), and paths."""
    new_aimed_at = Signal(bool)
    """Files are held over what is no conversation, or no longer."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._aim: int | None = None
        """What files are held over: a conversation's row, `_NEW`, or nothing that would take them."""
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName(tr("Chats"))
        self.clicked.connect(self.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if index.isValid() and self.state() is not QAbstractItemView.State.EditingState:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
                self.chosen.emit(index)
                return
            if event.key() == Qt.Key.Key_Delete:
                self.delete_wanted.emit(index)
                return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        if index.isValid():
            at = event.globalPos() if by_mouse else self.viewport().mapToGlobal(self.visualRect(index).center())
            self.menu_wanted.emit(index, at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() is Qt.MouseButton.RightButton:
            event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        super().dragEnterEvent(event)
        self._aim_at(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # scrolls at the edges
        self._aim_at(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._set_aim(None)

    def dropEvent(self, event: QDropEvent) -> None:
        files = local_files(event.mimeData())
        conversation = self._conversation_at(event) if files else None
        self._set_aim(None)
        super().dropEvent(event)
        if files:
            event.setDropAction(Qt.DropAction.CopyAction)  # a move would have the other program delete them
            event.accept()
            self.files_dropped.emit("" if conversation is None else conversation.data(ROW_ROLE).key, files)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._aim is None:
            return
        box = self.viewport().rect() if self._aim == _NEW else self.visualRect(self.model().index(self._aim, 0))
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("accent"), 2, Qt.PenStyle.DashLine))
        radius = self._theme.space(2)
        painter.drawRoundedRect(QRectF(box).adjusted(1, 2, -1, -2), radius, radius)

    def _aim_at(self, event: QDropEvent) -> None:
        if not local_files(event.mimeData()):
            return
        index = self._conversation_at(event)
        self._set_aim(_NEW if index is None else index.row())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _conversation_at(self, event: QDropEvent) -> QModelIndex | None:
        index = self.indexAt(event.position().toPoint())
        row = index.data(ROW_ROLE)
        return index if isinstance(row, SidebarRow) and row.kind is RowKind.CONVERSATION else None

    def _set_aim(self, aim: int | None) -> None:
        if aim != self._aim:
            self._aim = aim
            self.new_aimed_at.emit(aim == _NEW)
            self.viewport().update()
