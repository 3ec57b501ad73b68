"""Passages of documents as a list: where each stands, how near it is to the question, how it begins.

Shared by the search of the library and by the sources of an answer. Knows neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.i18n import tr
from app.passage_place import Mark
from app.ui.documents_delegate import draw_side, paint_row_ground
from app.ui.documents_passage_words import draw_wrapped
from app.ui.icons import tinted_pixmap
from app.ui.text_units import format_ranges
from app.ui.theme import TextSize, Theme

PASSAGE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_LINES = 2


@dataclass(frozen=True, slots=True)
class PassageLine:
    """A passage. `name` is the file's and `where` its page in words ("page 12"); `text` how it begins, on one line.

    `score` 0..1, None if there is none to show. `used`: the answer leans on it. `verdict` is a sentence on what is
    wrong with the citation, "" for nothing. `marks` are the words of the question in `text`.
    """

    number: int
    name: str
    where: str
    section: str
    text: str
    score: float | None = None
    used: bool = False
    verdict: str = ""
    marks: tuple[Mark, ...] = ()


def spoken(line: PassageLine) -> str:
    """All of it for a screen reader."""
    pieces = [str(line.number), line.name, line.where, line.section]
    if line.used:
        pieces.append(tr("used in the answer"))
    if line.score is not None:
        pieces.append(tr("score {number} %", number=round(100 * line.score)))
    pieces += [line.verdict, line.text]
    return ", ".join(piece for piece in pieces if piece)


class PassageListModel(QAbstractListModel):
    """Holds `PassageLine`s."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[PassageLine, ...] = ()

    def show(self, lines: Sequence[PassageLine]) -> None:
        """Show other passages; where only their verdicts changed, the view keeps its place."""
        lines = tuple(lines)
        if [each.number for each in lines] == [each.number for each in self.lines]:
            self.lines = lines
            if lines:
                self.dataChanged.emit(self.index(0), self.index(len(lines) - 1))
            return
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid() or index.row() >= len(self.lines):
            return None
        line = self.lines[index.row()]
        if role == PASSAGE_ROLE:
            return line
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{line.name}, {line.where}" if line.where else line.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(line)
        return None


class PassageList(QListView):
    """Enter or a double click (or one click, if asked for) chooses a passage."""

    passage_chosen = Signal(int)
    """A passage's number."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, one_click: bool = False) -> None:
        super().__init__(parent)
        self.passages = PassageListModel(self)
        self.setModel(self.passages)
        self.setItemDelegate(PassageDelegate(theme, self))
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setAccessibleDescription(tr("Enter shows a passage on its page."))
        (self.clicked if one_click else self.doubleClicked).connect(self._on_chosen)
        theme.changed.connect(self.doItemsLayout)

    @property
    def current(self) -> PassageLine | None:
        found = self.currentIndex().data(PASSAGE_ROLE)
        return found if isinstance(found, PassageLine) else None

    def choose_current(self) -> None:
        """Choose the passage that the keyboard is on, or the first one."""
        index = self.currentIndex() if self.currentIndex().isValid() else self.passages.index(0)
        if index.isValid():
            self._on_chosen(index)

    def _on_chosen(self, index: QModelIndex) -> None:
        found = index.data(PASSAGE_ROLE)
        if isinstance(found, PassageLine):
            self.passage_chosen.emit(found.number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.choose_current()
        else:
            super().keyPressEvent(event)


class PassageDelegate(QStyledItemDelegate):
    """Number, file and place; the score and whether it was used; two rows of text; the verdict."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def _heights(self) -> tuple[int, int]:
        theme = self._theme
        return QFontMetrics(theme.font()).height(), QFontMetrics(theme.font(TextSize.CAPTION)).height()

    def _paint_line(self, painter: QPainter, option: QStyleOptionViewItem, line: PassageLine) -> None:
        theme, space = self._theme, self._theme.space
        body, caption = self._heights()
        area: QRect = option.rect.adjusted(space(4), space(2), -space(4), -space(2))
        head = QRect(area.left(), area.top(), area.width(), body)
        room = self._paint_score(painter, option, line, head)
        painter.setFont(theme.font(bold=True))
        painter.setPen(theme.color("text"))
        draw_side(painter, option, head.adjusted(0, 0, -room, 0), f"{line.number}  {line.name}")
        painter.setFont(theme.font(TextSize.CAPTION))
        painter.setPen(theme.color("text_muted"))
        below = QRect(area.left(), head.bottom() + 1, area.width(), caption)
        draw_side(painter, option, below, " · ".join(each for each in (line.where, line.section) if each))
        look = QTextCharFormat()
        look.setForeground(theme.color("text"))
        look.setBackground(theme.color("selection"))
        words = QRect(area.left(), below.bottom() + 1 + space(0.5), area.width(), _LINES * caption)
        layout = QTextLayout(line.text, theme.font(TextSize.CAPTION))
        layout.setFormats(format_ranges(line.text, line.marks, look))
        draw_wrapped(painter, layout, words, _LINES, option.direction)
        if line.verdict:
            painter.setPen(theme.color("danger"))
            verdict = QRect(area.left(), words.bottom() + 1 + space(0.5), area.width(), caption)
            draw_side(painter, option, verdict, line.verdict)

    def _paint_score(self, painter: QPainter, option: QStyleOptionViewItem, line: PassageLine, head: QRect) -> int:
        """At the end of `head`: the score in a hundred, and a tick for what was used. The width that it takes."""
        theme, space = self._theme, self._theme.space
        room = 0
        if line.score is not None:
            painter.setFont(theme.font(TextSize.CAPTION))
            painter.setPen(theme.color("text_muted"))
            score = tr("{number} %", number=round(100 * line.score))
            draw_side(painter, option, head, score, end=True)
            room = QFontMetrics(theme.font(TextSize.CAPTION)).horizontalAdvance(tr("{number} %", number=100)) + space(2)
        if line.used:
            side = space(4)
            mark = QRect(head.right() - room - side, head.center().y() - side // 2 + 1, side, side)
            painter.drawPixmap(
                option.widget.style().visualRect(option.direction, option.rect, mark).topLeft(),
                tinted_pixmap(theme, "check", color="success", size=side),
            )
            room += side + space(1)
        return room

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        space = self._theme.space
        body, caption = self._heights()
        line = index.data(PASSAGE_ROLE)
        rows = _LINES + 1 + bool(isinstance(line, PassageLine) and line.verdict)
        return QSize(space(40), body + rows * caption + space(5.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = index.data(PASSAGE_ROLE)
        if not isinstance(line, PassageLine):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_row_ground(painter, option, self._theme)
        self._paint_line(painter, option, line)
        painter.restore()
