"""The context window drawn to scale: an item view whose items are stretches of a grid of tokens.

What is known already is solid, what must still be read is pale with a line below; what goes first is hatched. The end
of the window, kept for the answer, is hatched cells, the rest of it empty ones. Pages left out lie below, in outline.
Being a list view that places and paints its items itself, it has selection, tooltips and a screen reader's list.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QSizePolicy, QWidget

from app.i18n import tr
from app.memory_pages import MemoryPage
from app.ui.memory_grid import MemoryGrid
from app.ui.memory_map_model import LIVE_ROLES, MemoryMapModel
from app.ui.memory_paint import PagePainter
from app.ui.memory_words import left_out_text
from app.ui.theme import TextSize, Theme
from engine.pages import PageState

_PITCH_UNITS = 4.0
_ROWS = 15
_OUT_ROWS = 4
_EDGE = 3
"""Pixels around the grid, for the outline of what is selected."""
Index = QModelIndex | QPersistentModelIndex


class MemoryMap(QListView):
    """As high as its window needs; never scrolls. Tokens to pixels through two `MemoryGrid`s: inside, and left out."""

    def __init__(self, theme: Theme, model: MemoryMapModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pages = theme, model
        self._starts: list[int] = []
        self.inside = self.outside = MemoryGrid(0, 0, 1, 0, 1, 1, 0)
        self.setModel(model)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Map of the context window"))
        self.setAccessibleDescription(
            tr("Arrow keys go from page to page. Enter shows a page in the chat, P pins it, Delete leaves it out.")
        )
        model.modelReset.connect(self._lay_out)
        model.rowsInserted.connect(self._lay_out)
        model.stretch_changed.connect(self._on_stretch_changed)
        theme.changed.connect(self._lay_out)
        self._lay_out()

    @property
    def cell_tokens(self) -> int:
        """What one cell stands for."""
        return self.inside.cell

    def page_rects(self, index: Index) -> list[QRectF]:
        """Where a page is drawn: a rectangle for each row it touches."""
        page = self._pages.page(index)
        if page is None or index.row() >= len(self._starts):
            return []
        start = self._starts[index.row()]
        grid = self.outside if page.state is PageState.OUT else self.inside
        return grid.stretch(start, start + page.tokens)

    def _lay_out(self) -> None:
        theme, view = self._theme, self._pages.view
        pages = self._pages.pages()
        pitch = float(theme.space(_PITCH_UNITS))
        width = self.viewport().width() - 2 * _EDGE
        self.inside = MemoryGrid.fitted(
            left=_EDGE, top=_EDGE, width=width, pitch=pitch, rows=_ROWS, total=view.n_ctx
        )  # fmt: skip
        self._starts = []
        out = 0
        for page in pages:
            self._starts.append(out if page.state is PageState.OUT else page.start)
            out += page.tokens if page.state is PageState.OUT else 0
        top = _EDGE + self.inside.height + self._caption_height
        least = MemoryGrid.fitted(left=_EDGE, top=top, width=width, pitch=pitch, rows=_OUT_ROWS, total=out)
        cell = max(self.inside.cell, least.cell)
        self.outside = MemoryGrid(_EDGE, top, self.inside.pitch, self.inside.gap, self.inside.columns, cell, out)
        bottom = top + self.outside.height if out else _EDGE + self.inside.height
        self.setFixedHeight(round(bottom - self.inside.gap) + _EDGE)
        self.viewport().update()

    @property
    def _caption_height(self) -> int:
        return QFontMetrics(self._theme.font(TextSize.CAPTION)).height() + self._theme.space(2)

    def _on_stretch_changed(self, start: int, end: int) -> None:
        """A wink of a growing answer: repaint its new cells only."""
        region = QRegion()
        cell = self.inside.cell
        for rect in self.inside.stretch(max(0, start - cell), end + cell):
            region += rect.toAlignedRect().adjusted(-_EDGE, -1, _EDGE, 1)
        self.viewport().update(region)

    # What an item view must say

    def visualRect(self, index: Index) -> QRect:
        whole = QRectF()
        for rect in self.page_rects(index):
            whole = whole.united(rect)
        return whole.toAlignedRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        at = QPointF(point)
        for grid, out in ((self.inside, False), (self.outside, True)):
            token = grid.token_at(at)
            if token is None:
                continue
            for row, page in enumerate(self._pages.pages()):
                start = self._starts[row]
                if (page.state is PageState.OUT) is out and start <= token < start + page.tokens:
                    return self._pages.index(row)
        return QModelIndex()

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Nothing scrolls here."""

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        actions = QAbstractItemView.CursorAction
        last = self._pages.rowCount() - 1
        current = self.currentIndex()
        if last < 0:
            return QModelIndex()
        if not current.isValid() or action == actions.MoveHome:
            return self._pages.index(0)
        row = current.row()
        if action in (actions.MoveUp, actions.MoveDown):
            return self._neighbour(current, -1 if action == actions.MoveUp else 1)
        if action in (actions.MoveLeft, actions.MovePrevious):
            row -= 1
        elif action in (actions.MoveRight, actions.MoveNext):
            row += 1
        elif action in (actions.MoveEnd, actions.MovePageDown):
            row = last
        elif action == actions.MovePageUp:
            row = 0
        return self._pages.index(min(last, max(0, row)))

    def _neighbour(self, current: QModelIndex, step: int) -> QModelIndex:
        """The page above or below, else the one before or after."""
        rects = self.page_rects(current)
        if rects:
            edge = rects[0] if step < 0 else rects[-1]
            found = self.indexAt(QPointF(edge.center().x(), edge.center().y() + step * self.inside.pitch).toPoint())
            if found.isValid() and found != current:
                return found
        row = min(self._pages.rowCount() - 1, max(0, current.row() + step))
        return self._pages.index(row)

    def doItemsLayout(self) -> None:
        """A list's own rows are not wanted, nor its scrolling."""

    def updateGeometries(self) -> None:
        """See `doItemsLayout`."""

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """See `doItemsLayout`."""

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return 0

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def setSelection(self, rect: QRect, command: object) -> None:
        index = self.indexAt(rect.topLeft())
        if index.isValid():
            self.selectionModel().select(index, command)  # type: ignore[call-overload]  # a flag that PySide names twice

    def visualRegionForSelection(self, selection: object) -> QRegion:
        return QRegion(self.viewport().rect())

    def dataChanged(self, top_left: Index, bottom_right: Index, roles: object = ()) -> None:
        if roles != LIVE_ROLES:
            self._lay_out()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.space(64), self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        draw = PagePainter(painter, self._theme)
        view, changed = self._pages.view, QRectF(event.rect())
        used = max((page.end for page in self._pages.pages()), default=0)
        reserved = max(used, view.n_ctx - view.reserve)
        draw.free([rect for rect in self.inside.cells(used, reserved) if rect.intersects(changed)])
        draw.reserve([rect for rect in self.inside.cells(reserved, view.n_ctx) if rect.intersects(changed)])
        selected: list[QRectF] = []
        for row, page in enumerate(self._pages.pages()):
            index = self._pages.index(row)
            rects = self.page_rects(index)
            if any(rect.intersects(changed) for rect in rects):
                self._paint_page(draw, page, rects)
            if index == self.currentIndex():
                selected = rects
        draw.outline(selected, focused=self.hasFocus())
        self._paint_caption(painter)

    def _paint_page(self, draw: PagePainter, page: MemoryPage, rects: list[QRectF]) -> None:
        if page.state is PageState.OUT:
            draw.left_out(page, rects)
            return
        grid, known = self.inside, self._pages.view.read_tokens if not page.growing else page.end
        words = page.end - page.format_tokens
        for origin, start, end in ((page.origin, page.start, words), ("app", words, page.end)):
            border = min(max(start, known), end)
            draw.known(origin, grid.stretch(start, border))
            draw.unread(origin, grid.stretch(border, end))
        if page.state is PageState.NEXT_OUT:
            draw.hatched(rects)
        draw.marks(page, rects, solid=min(page.start + grid.cell, page.end) <= known)

    def _paint_caption(self, painter: QPainter) -> None:
        out = [page for page in self._pages.pages() if page.state is PageState.OUT]
        if out:
            painter.setFont(self._theme.font(TextSize.CAPTION))
            painter.setPen(self._theme.color("text_muted"))
            height = self._caption_height
            area = QRectF(_EDGE, self.outside.top - height - self.inside.gap / 2, self.inside.width, height)
            text = left_out_text(len(out), sum(page.tokens for page in out))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
