"""The collections of documents as a column of names. Shows and says what was asked; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.documents_view import files_text
from app.i18n import tr
from app.ui.amounts import count_text
from app.ui.documents_delegate import draw_side, paint_row_ground
from app.ui.documents_rows import Index
from app.ui.icons import IconButton, themed_icon, tinted_pixmap
from app.ui.theme import TextSize, Theme
from engine.display_name import display_name
from rag.store.types import Collection

_COLLECTION_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class _List(QListWidget):
    rename_requested = Signal()
    remove_requested = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self.rename_requested.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)


class CollectionsPane(QFrame):
    """F2 renames, Delete removes."""

    chosen = Signal(int)
    """A collection's id."""
    add_requested = Signal()
    rename_requested = Signal(object)
    """A `Collection`."""
    remove_requested = Signal(object)

    def __init__(self, theme: Theme, title_of: Callable[[Collection], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._title_of = theme, title_of
        self._shown: tuple[Collection, ...] = ()
        self.setProperty("kind", "panel")
        title = QLabel(tr("Collections"), self)
        title.setProperty("kind", "large")
        self.list = _List(self)
        self.list.setItemDelegate(_CollectionDelegate(theme, self.list))
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(tr("Collections"))
        self.list.setAccessibleDescription(tr("F2 renames a collection, Delete removes it."))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.add_button = IconButton(theme, "plus", tr("New collection…"), size=16)
        self.rename_button = IconButton(theme, "pencil", tr("Rename the collection…"), size=16)
        self.remove_button = IconButton(theme, "trash-2", tr("Remove the collection…"), size=16)
        self._head = QHBoxLayout()
        self._head.addWidget(title, 1)
        for button in (self.add_button, self.rename_button, self.remove_button):
            self._head.addWidget(button)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._head)
        self._column.addWidget(self.list, 1)
        self.list.currentItemChanged.connect(self._on_current_changed)
        self.list.rename_requested.connect(self._on_rename)
        self.list.remove_requested.connect(self._on_remove)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self.add_button.clicked.connect(self.add_requested)
        self.rename_button.clicked.connect(self._on_rename)
        self.remove_button.clicked.connect(self._on_remove)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_collections((), None)

    @property
    def current(self) -> Collection | None:
        item = self.list.currentItem()
        found = item.data(_COLLECTION_ROLE) if item is not None else None
        return found if isinstance(found, Collection) else None

    def show_collections(self, collections: Sequence[Collection], chosen: int | None) -> None:
        """Show these, with the one of id `chosen` chosen."""
        if tuple(collections) != self._shown:
            self._shown = tuple(collections)
            self.list.blockSignals(True)
            while self.list.count() > len(self._shown):
                self.list.takeItem(self.list.count() - 1)
            for place, collection in enumerate(self._shown):
                item = self.list.item(place) if place < self.list.count() else QListWidgetItem(self.list)
                name = display_name(self._title_of(collection))
                files = files_text(collection.n_files, number=count_text)
                item.setText(name)
                item.setData(_COLLECTION_ROLE, collection)
                item.setToolTip(tr("Files that were given to this chat") if collection.owner else "")
                spoken = (name, tr("of a chat") if collection.owner else "", files)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(each for each in spoken if each))
            self.list.blockSignals(False)
        place = next((at for at, each in enumerate(self._shown) if each.id == chosen), -1)
        if place != self.list.currentRow():
            self.list.blockSignals(True)
            self.list.setCurrentRow(place)
            self.list.blockSignals(False)
        self._show_buttons()

    def _show_buttons(self) -> None:
        self.rename_button.setEnabled(self.current is not None and not self.current.owner)
        self.remove_button.setEnabled(self.current is not None)

    def _on_current_changed(self) -> None:
        self._show_buttons()
        if self.current is not None:
            self.chosen.emit(self.current.id)

    def _on_rename(self) -> None:
        if self.current is not None and not self.current.owner:
            self.rename_requested.emit(self.current)

    def _on_remove(self) -> None:
        if self.current is not None:
            self.remove_requested.emit(self.current)

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(themed_icon(self._theme, "plus"), tr("New collection…")).triggered.connect(self.add_requested)
        if self.list.itemAt(at) is not None:
            if self.rename_button.isEnabled():
                menu.addAction(themed_icon(self._theme, "pencil"), tr("Rename…")).triggered.connect(self._on_rename)
            remove = menu.addAction(themed_icon(self._theme, "trash-2", color="danger"), tr("Remove…"))
            remove.triggered.connect(self._on_remove)
        menu.popup(self.list.viewport().mapToGlobal(at))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self.setFixedWidth(space(58))
        self._column.setContentsMargins(space(3), space(4), space(3), space(3))
        self._column.setSpacing(space(2))
        self._head.setContentsMargins(space(2), 0, 0, 0)
        self._head.setSpacing(0)
        self.list.doItemsLayout()


class _CollectionDelegate(QStyledItemDelegate):
    """The name, and how many files are in it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.space(30), QFontMetrics(self._theme.font()).height() + self._theme.space(4))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        collection = index.data(_COLLECTION_ROLE)
        if not isinstance(collection, Collection):
            return
        theme, space = self._theme, self._theme.space
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_row_ground(painter, option, theme)
        area = option.rect.adjusted(space(3), 0, -space(3), 0)
        painter.setFont(theme.font(TextSize.CAPTION))
        painter.setPen(theme.color("text_muted"))
        width = draw_side(painter, option, area, count_text(collection.n_files), end=True)
        if collection.owner:
            side = space(3.5)
            mark = QRect(area.left(), area.center().y() - side // 2 + 1, side, side)
            painter.drawPixmap(
                QStyle.visualRect(option.direction, option.rect, mark).topLeft(),
                tinted_pixmap(theme, "message-square", size=side),
            )
            area.adjust(side + space(1.5), 0, 0, 0)
        painter.setFont(theme.font())
        painter.setPen(theme.color("text"))
        draw_side(painter, option, area.adjusted(0, 0, -width - space(2), 0), str(index.data()))
        painter.restore()
