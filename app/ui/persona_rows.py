"""The lines of a list of personas: which ones match what was typed, and how they are drawn.

`matching` is pure. Knows nothing beyond `Shelved`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.i18n import tr
from app.ui.icons import tinted_pixmap
from app.ui.persona_icons import PersonaIcons
from app.ui.persona_row_paint import paint_row, row_size
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.personas.folder import Shelved

ROLE = Qt.ItemDataRole.UserRole + 1
_INVALID = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


def matching(personas: Iterable[Shelved], typed: str) -> list[Shelved]:
    """Those that a person may mean: every word typed begins one of theirs. Matches in the name come first."""
    words = typed.casefold().split()
    found = []
    for shelved in personas:
        persona = shelved.persona
        in_name = _words(f"{persona.name} {persona.short_name}")
        elsewhere = _words(" ".join((persona.description, *persona.tags)))
        if all(_begins(word, in_name) for word in words):
            found.append((0, shelved))
        elif all(_begins(word, in_name + elsewhere) for word in words):
            found.append((1, shelved))
    found.sort(key=lambda each: each[0])
    return [shelved for _rank, shelved in found]


def _words(text: str) -> list[str]:
    whole = text.casefold()
    return [*whole.replace("-", " ").split(), *whole.split()]


def _begins(typed: str, words: Sequence[str]) -> bool:
    return any(word.startswith(typed) for word in words)


class PersonaRows(QAbstractListModel):
    """The personas of a list; None is the row that means nobody."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Shelved | None] = []

    def show(self, rows: Sequence[Shelved | None]) -> None:
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def row(self, index: _Index) -> Shelved | None:
        return self._rows[index.row()] if index.isValid() else None

    def rowCount(self, parent: _Index = _INVALID) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        shelved = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return shelved.persona.name if shelved is not None else tr("Without a persona")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if shelved is None:
                return tr("Without a persona")
            return ". ".join(part for part in (shelved.persona.name, detail_of(shelved)) if part)
        return shelved if role == ROLE else None


def detail_of(shelved: Shelved) -> str:
    """The one line below a persona's name."""
    if not shelved.usable:
        return tr("Not looked at yet")
    from app.personas.in_use import spoken  # noqa: PLC0415  # the first picture of a window needs none

    return " ".join(spoken(shelved.persona, shelved.persona.description, tr("you")).split())


class PersonaDelegate(QStyledItemDelegate):
    """Its picture, its name, and one line on it."""

    def __init__(self, theme: Theme, icons: PersonaIcons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icons = theme, icons

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return row_size(self._theme)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme = self._theme
        shelved, side = cast("Shelved | None", index.data(ROLE)), theme.space(8)
        if shelved is None:
            picture = tinted_pixmap(theme, "mark", size=theme.space(4.5))
            name = (tr("Without a persona"), "text_muted")
            paint_row(painter, theme, option, picture=picture, side=side, name=name)
            return
        picture = self._icons.pixmap(shelved.persona, side)
        detail = (detail_of(shelved), "text_muted" if shelved.usable else "warning")
        paint_row(
            painter, theme, option, picture=picture, side=side, name=(shelved.persona.name, "text"), detail=detail
        )
