"""The list of what is in a collection, with its keys. Knows no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.i18n import tr
from app.ui.documents_delegate import DocumentDelegate
from app.ui.documents_flow import Wanted
from app.ui.documents_outline import Outline, Place
from app.ui.documents_rows import BLOCK, DocumentListModel, FileLine, Line, SourceLine
from app.ui.theme import Theme
from rag.events import ReadingProgress
from rag.store.types import FilePosition, SourceKind, SourceOutline, StoredFile

_SEARCHED = 1000
"""Lines."""
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

    def wanted(self, sources: Sequence[SourceOutline]) -> Wanted:
        """What must be known to show these sources in place of the present ones."""
        outline = Outline(sources, self.lines.outline.folded)
        rows = self.viewport().rect()
        first = max(0, self.indexAt(rows.topLeft()).row())
        per_view = rows.height() // max(1, self.sizeHintForRow(0)) + 1 if len(self.lines.outline) else BLOCK
        chosen = self.line
        moved = isinstance(chosen, FileLine) and not outline.is_shaped_as(self.lines.outline)
        start, stop = first - BLOCK // 2, first + per_view + BLOCK // 2
        return Wanted(tuple(outline.spans(start, stop)), chosen.file.id if moved else None)  # type: ignore[union-attr]

    def show_files(
        self,
        sources: Sequence[SourceOutline],
        files: Mapping[Place, StoredFile],
        reading: Mapping[int, ReadingProgress],
    ) -> None:
        """Show these; the chosen line stays chosen, and the list where it is."""
        chosen, at = self.line, self.verticalScrollBar().value()
        self.lines.show(sources, files, reading)
        if chosen is not None and self.line != chosen:
            self.setCurrentIndex(self.lines.index_of(chosen.key))
            self.verticalScrollBar().setValue(at)
            self.line_changed.emit()

    def choose(self, position: FilePosition) -> None:
        """Go to a file, and open its folder if that is folded."""
        self.lines.set_folded(position.source_id, False)
        row = self.lines.outline.row_of(position.source_id, position.place)
        if row is not None:
            index = self.lines.index(row)
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def keyboardSearch(self, search: str) -> None:
        """What is typed is looked for in the names of short lists only: those of long ones are not all known."""
        if len(self.lines.outline) <= _SEARCHED:
            super().keyboardSearch(search)

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
