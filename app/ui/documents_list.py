"""The list of what is in a collection, with its keys. Knows no library."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.i18n import tr
from app.ui.documents_delegate import DocumentDelegate
from app.ui.documents_rows import DocumentListModel, Line, Prepared, SourceLine
from app.ui.theme import Theme
from rag.events import ReadingProgress
from rag.store.types import SourceKind

_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class DocumentList(QListView):
    """Enter shows a file, or opens and folds a folder; right and left do that too; Delete removes."""

    line_changed = Signal()
    """Another line is chosen, or the chosen one says something else."""
    shown = Signal(object)
    """A `Line` that was opened."""
    remove_requested = Signal(object)
    menu_requested = Signal(object, QPoint)
    """A `Line` and a point of the screen."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines = DocumentListModel(self)
        self.setModel(self.lines)
        self.setItemDelegate(DocumentDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(tr("Documents"))
        self.setAccessibleDescription(tr("Enter shows a document, Delete removes it from the library."))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.selectionModel().currentChanged.connect(self.line_changed)
        self.lines.dataChanged.connect(self._on_data_changed)
        self.clicked.connect(self._on_clicked)
        self.doubleClicked.connect(self._on_double_clicked)
        theme.changed.connect(self.doItemsLayout)

    @property
    def line(self) -> Line | None:
        """The chosen one."""
        return self.lines.line(self.currentIndex())

    def show_files(self, prepared: Prepared, reading: Mapping[int, ReadingProgress]) -> None:
        """Show what `lines` prepared; the chosen line stays chosen, and the list where it is."""
        chosen, at = self.line, self.verticalScrollBar().value()
        self.lines.show(prepared, reading)
        if chosen is not None and self.line != chosen:
            self.setCurrentIndex(self.lines.index_of(chosen.key))
            self.verticalScrollBar().setValue(at)
            self.line_changed.emit()

    def choose_next_failed(self) -> None:
        """Go to the next file that could not be read."""
        found = self.lines.next_failed(self.currentIndex().row())
        if found.isValid():
            self.setCurrentIndex(found)
            self.scrollTo(found)

    def _fold(self, line: SourceLine, folded: bool) -> None:
        at = self.verticalScrollBar().value()
        self.lines.set_folded(line.source.id, folded)
        self.setCurrentIndex(self.lines.index_of(line.key))
        self.verticalScrollBar().setValue(at)

    def _activate(self) -> None:
        line = self.line
        if isinstance(line, SourceLine):
            self._fold(line, line.open)
        elif line is not None:
            self.shown.emit(line)

    def _on_clicked(self, index: QModelIndex) -> None:
        line = self.lines.line(index)
        if isinstance(line, SourceLine) and line.source.kind is SourceKind.FOLDER:
            self._fold(line, line.open)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        line = self.lines.line(index)
        if line is not None and not isinstance(line, SourceLine):
            self.shown.emit(line)

    def _on_menu(self, at: QPoint) -> None:
        line = self.lines.line(self.indexAt(at))
        if line is not None:
            self.menu_requested.emit(line, self.viewport().mapToGlobal(at))

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if first.row() <= self.currentIndex().row() <= last.row():
            self.line_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        line, key = self.line, event.key()
        if key in _ENTERS:
            self._activate()
        elif key == Qt.Key.Key_Delete and line is not None:
            self.remove_requested.emit(line)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and isinstance(line, SourceLine):
            self._fold(line, (key == Qt.Key.Key_Left) is not self.isRightToLeft())
        elif key == Qt.Key.Key_Left and line is not None and line.depth:  # type: ignore[union-attr]
            self.setCurrentIndex(self.lines.index_of(("source", line.source.id)))
        else:
            super().keyPressEvent(event)
