"""The pages of the context window as a Qt list model, for the map and the list alike. Knows no painting.

Rows are the pages in the window in their order, the answer being written, then the pages left out.
"""

from __future__ import annotations

import html
from dataclasses import replace

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.memory_pages import MemoryPage, PageKey
from app.memory_view import MemoryView
from app.ui.memory_words import page_name, page_title, spoken_page, state_texts, tokens_text
from engine.context.segments import Origin
from engine.pages import PageState, Region

Index = QModelIndex | QPersistentModelIndex
PAGE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
LIVE_ROLES = [int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.AccessibleTextRole)]
"""What a change from moment to moment names; a change of the pages themselves names no role."""
_ROOT = QModelIndex()
EMPTY = MemoryView((), (), 0, 0, 0)


class MemoryMapModel(QAbstractListModel):
    """Shows one `MemoryView`; while an answer is written, that view grows through `set_live`."""

    stretch_changed = Signal(int, int)
    """The tokens from the first up to the second look different now; no page has moved."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = EMPTY
        self._pages: list[MemoryPage] = []

    def show(self, view: MemoryView) -> None:
        """Show another view. Where the pages are the same ones, selections stay."""
        if view == self.view and self._growing_row() is None:
            return
        pages = list(view.pages)
        if [page.key for page in pages] == [page.key for page in self._pages]:
            self.view, self._pages = view, pages
            if pages:
                self.dataChanged.emit(self.index(0), self.index(len(pages) - 1))
            return
        self.beginResetModel()
        self.view, self._pages = view, pages
        self.endResetModel()

    def set_live(self, read_tokens: int, answer_tokens: int, message_id: str = "") -> None:
        """How far the prompt is read, and how long the answer to it (the message of this id) is by now."""
        was, now = self.view.read_tokens, max(self.view.read_tokens, read_tokens)
        if now != was:
            self.view = replace(self.view, read_tokens=now)
            rows = [row for row, page in enumerate(self._pages) if was < page.end and 0 <= page.start < now]
            if rows:
                self.dataChanged.emit(self.index(rows[0]), self.index(rows[-1]), LIVE_ROLES)
            self.stretch_changed.emit(was, now)
        if answer_tokens > 0:
            self._grow(answer_tokens, message_id)

    def pages(self) -> list[MemoryPage]:
        """As the rows are."""
        return self._pages

    @property
    def used(self) -> int:
        """Tokens in the window, the growing answer's too."""
        return max(self.view.prompt_tokens, max((page.end for page in self._pages), default=0))

    @property
    def by_origin(self) -> tuple[tuple[str, int], ...]:
        """As `MemoryView.by_origin`, with the growing answer."""
        return replace(self.view, pages=tuple(self._pages)).by_origin

    def page(self, index: Index) -> MemoryPage | None:
        return self._pages[index.row()] if index.isValid() and index.row() < len(self._pages) else None

    def index_of(self, key: PageKey) -> QModelIndex:
        """Where a page is; invalid if it is not there."""
        row = next((row for row, page in enumerate(self._pages) if page.key == key), None)
        return QModelIndex() if row is None else self.index(row)

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._pages)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        page = self.page(index)
        if page is None:
            return None
        if role == PAGE_ROLE:
            return page
        if role == Qt.ItemDataRole.DisplayRole:
            return page_title(page)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken_page(page, self.view)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(page)
        return None

    def _tip(self, page: MemoryPage) -> str:
        """A file's label is a stranger's text: it must not be taken for markup."""
        lines = [page_name(page), " · ".join((tokens_text(page.tokens), *state_texts(page, self.view)))]
        return f"<qt>{'<br>'.join(html.escape(line) for line in lines)}</qt>"

    def _growing_row(self) -> int | None:
        return next((row for row, page in enumerate(self._pages) if page.growing), None)

    def _grow(self, tokens: int, message_id: str) -> None:
        row = self._growing_row()
        start = self.view.prompt_tokens
        if row is None:
            row = next((at for at, page in enumerate(self._pages) if page.state is PageState.OUT), len(self._pages))
            page = MemoryPage(
                Origin.ASSISTANT.value, tokens, Region.RECENT, start=start, message_id=message_id, growing=True
            )
            self.beginInsertRows(QModelIndex(), row, row)
            self._pages.insert(row, page)
            self.endInsertRows()
            self.stretch_changed.emit(start, start + tokens)
        elif self._pages[row].tokens != tokens:
            was = self._pages[row].tokens
            self._pages[row] = replace(self._pages[row], tokens=tokens)
            self.dataChanged.emit(self.index(row), self.index(row), LIVE_ROLES)
            self.stretch_changed.emit(start + min(was, tokens), start + max(was, tokens))
