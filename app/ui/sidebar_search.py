"""The live results of a search: title and snippet, the found words in bold.

Asks the store through the `Library`; knows nothing of what opens.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QDateTime,
    QEvent,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPen, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import (
    QLabel,
    QListView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.i18n import ntr, tr
from app.store.types import SearchHit
from app.ui.amounts import reader_locale
from app.ui.library import Library
from app.ui.theme import TextSize, Theme
from app.ui.toast import announce

HIT_ROLE = Qt.ItemDataRole.UserRole + 1
_PAUSE_MS = 90
_LIMIT = 60
_INVALID = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class _HitModel(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.hits: list[SearchHit] = []

    def show(self, hits: list[SearchHit]) -> None:
        self.beginResetModel()
        self.hits = hits
        self.endResetModel()

    def rowCount(self, parent: Index = _INVALID) -> int:
        return 0 if parent.isValid() else len(self.hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        hit = self.hits[index.row()]
        if role == HIT_ROLE:
            return hit
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.title or tr("New chat")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{hit.title or tr('New chat')}: {hit.snippet}"
        return None


class _HitDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.space(40), self._theme.space(17))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit = index.data(HIT_ROLE)
        if not isinstance(hit, SearchHit):
            return
        theme, space = self._theme, self._theme.space
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect).adjusted(0, 1, 0, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(theme.color("focus")) if selected else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(rect.adjusted(1, 0, -1, 0), space(2), space(2))
        inner = rect.adjusted(space(2), space(1.5), -space(2), -space(1.5))
        title = hit.title or tr("New chat")
        height = QFontMetrics(theme.font()).height()
        below = inner.adjusted(0, height + space(0.5), 0, 0)
        painter.setPen(theme.color("text"))
        if hit.message_id is None:
            # The title itself was found: mark the words in it, and say below how old the chat is.
            self._paint_marked(painter, inner, hit.snippet, hit.marks, theme.font(), lines=1)
            painter.setPen(theme.color("text_muted"))
            day = QDateTime.fromSecsSinceEpoch(int(hit.updated_at)).date()
            when = reader_locale().toString(day, QLocale.FormatType.ShortFormat)
            self._paint_marked(painter, below, when, (), theme.font(TextSize.CAPTION), lines=1)
        else:
            self._paint_marked(painter, inner, title, (), theme.font(), lines=1)
            painter.setPen(theme.color("text_muted"))
            self._paint_marked(painter, below, hit.snippet, hit.marks, theme.font(TextSize.CAPTION), lines=2)
        painter.restore()

    def _paint_marked(
        self,
        painter: QPainter,
        rect: QRect,
        text: str,
        marks: tuple[tuple[int, int], ...],
        font: QFont,
        *,
        lines: int,
    ) -> None:
        text = text.replace("\n", " ")
        if lines == 1 and not marks:
            text = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        layout = QTextLayout(text, font)
        formats = []
        for start, end in marks:
            found = QTextLayout.FormatRange()
            found.start, found.length = start, end - start
            look = QTextCharFormat()
            look.setForeground(self._theme.color("text"))
            look.setBackground(self._theme.color("selection"))
            found.format = look
            formats.append(found)
        layout.setFormats(formats)
        layout.beginLayout()
        y = 0.0
        for _line in range(lines):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(rect.width())
            line.setPosition(QPointF(0, y))
            y += line.height()
        layout.endLayout()
        layout.draw(painter, rect.topLeft().toPointF())


class SearchResults(QWidget):
    """Searches a moment after the last key; an answer to an older question is dropped."""

    chosen = Signal(str, str)
    """A conversation's id and a message's id ("" for a found title)."""
    searched = Signal(str)
    """The results for this query are on show."""

    def __init__(self, theme: Theme, library: Library, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._library = theme, library
        self._query = ""
        self.model = _HitModel(self)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_HitDelegate(theme, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(tr("Search results"))
        self._none = QLabel(self)
        self._none.setProperty("kind", "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._none.setWordWrap(True)
        self._none.setContentsMargins(0, theme.space(6), 0, 0)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._none)
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._timer.timeout.connect(self._on_pause)
        self.list.clicked.connect(self._on_clicked)
        self.list.installEventFilter(self)
        self.setFocusProxy(self.list)

    def search(self, query: str) -> None:
        """Search for `query` soon; "" shows nothing."""
        self._query = query
        if query:
            self._timer.start()
        else:
            self._timer.stop()
            self.model.show([])

    def choose_current(self) -> None:
        """Open the selected result, or the first one."""
        index = self.list.currentIndex()
        if not index.isValid():
            index = self.model.index(0)
        if index.isValid():
            self._on_clicked(index)

    def _on_pause(self) -> None:
        query = self._query
        self._library.run(lambda store: store.search(query, limit=_LIMIT), lambda hits: self._on_hits(query, hits))

    def _on_hits(self, query: str, hits: list[SearchHit]) -> None:
        if query != self._query:
            return
        self.model.show(hits)
        self._none.setText(tr("Nothing found for “{query}”.", query=query))
        self._stack.setCurrentWidget(self.list if hits else self._none)
        announce(self, ntr("{count} result", "{count} results", len(hits)))
        self.searched.emit(query)

    def _on_clicked(self, index: QModelIndex) -> None:
        hit = self.model.hits[index.row()]
        self.chosen.emit(hit.conversation_id, hit.message_id or "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self.list
            and isinstance(event, QKeyEvent)
            and event.type() is QKeyEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        ):
            self.choose_current()
            return True
        return super().eventFilter(watched, event)
