"""Selecting across the text views of one message, and what a selection is as plain text.

A message is several views one below the other (text, code, tables); to the person it is one text.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QTextBlock, QTextCursor, QTextFormat, QTextFragment, QTextTable
from PySide6.QtWidgets import QTextEdit

SOURCE_PROPERTY = QTextFormat.Property.UserProperty + 1
"""Of a character format: the text a picture or ornament stands for."""
MARKER_PROPERTY = QTextFormat.Property.UserProperty + 2
"""Of a block format: what is painted before the block ("3.")."""

_OBJECT = "\ufffc"
_CLIPBOARD = {0x2028: "\n", 0xA0: " ", 0x200B: None}


class SelectionGroup(QObject):
    """The views of one message in reading order (top to bottom), with at most one selection through them."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._views: list[QTextEdit] = []
        self._anchor: tuple[QTextEdit, int] | None = None

    def add(self, view: QTextEdit) -> None:
        self._views.append(view)
        view.selectionChanged.connect(self.changed)

    def remove(self, view: QTextEdit) -> None:
        """The view is about to be deleted."""
        self._views = [each for each in self._views if each is not view]
        if self._anchor is not None and self._anchor[0] is view:
            self._anchor = None

    def has_selection(self) -> bool:
        return any(view.textCursor().hasSelection() for view in self._views)

    def text(self) -> str:
        """What is selected, top to bottom."""
        pieces = [cursor_text(view.textCursor()) for view in self._ordered() if view.textCursor().hasSelection()]
        return "\n\n".join(piece for piece in pieces if piece)

    def clear(self) -> None:
        for view in self._views:
            _collapse(view)

    def select_all(self) -> None:
        for view in self._ordered():
            view.selectAll()

    def begin(self, view: QTextEdit, position: QPoint) -> None:
        """The mouse was pressed in `view`: what was selected elsewhere is not any more."""
        for other in self._views:
            if other is not view:
                _collapse(other)
        self._anchor = (view, view.textCursor().anchor())

    def drag(self, at: QPoint) -> bool:
        """The mouse was dragged to a point of the screen. False: that is within the view it began in."""
        if self._anchor is None:
            return False
        anchor_view, anchor = self._anchor
        ordered = self._ordered()
        target = self._view_at(ordered, at)
        if target is None or anchor_view not in ordered:
            return False
        first, last = sorted((ordered.index(anchor_view), ordered.index(target)))
        downwards = ordered.index(target) >= ordered.index(anchor_view)
        for index, view in enumerate(ordered):
            if view is anchor_view and view is target:
                if all(not other.textCursor().hasSelection() for other in ordered if other is not view):
                    return False
                _select(view, anchor, view.cursorForPosition(view.viewport().mapFromGlobal(at)).position())
            elif not first <= index <= last:
                _collapse(view)
            elif view is anchor_view:
                _select(view, anchor, _end(view) if downwards else 0)
            elif view is target:
                here = view.cursorForPosition(view.viewport().mapFromGlobal(at)).position()
                _select(view, 0 if downwards else _end(view), here)
            else:
                view.selectAll()
        return True

    def _ordered(self) -> list[QTextEdit]:
        return sorted(
            (view for view in self._views if view.isVisible()), key=lambda view: view.mapToGlobal(QPoint(0, 0)).y()
        )

    def _view_at(self, ordered: list[QTextEdit], at: QPoint) -> QTextEdit | None:
        """The view at that height: between two, the lower one; beyond the ends, the outermost."""
        for view in ordered:
            if at.y() < view.mapToGlobal(QPoint(0, view.height())).y():
                return view
        return ordered[-1] if ordered else None


def _end(view: QTextEdit) -> int:
    return view.document().characterCount() - 1


def _select(view: QTextEdit, anchor: int, position: int) -> None:
    cursor = view.textCursor()
    cursor.setPosition(anchor)
    cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)


def _collapse(view: QTextEdit) -> None:
    cursor = view.textCursor()
    if cursor.hasSelection():
        cursor.clearSelection()
        view.setTextCursor(cursor)


def cursor_text(cursor: QTextCursor) -> str:
    """A selection as plain text: list markers are written out, pictures replaced by what they stand for."""
    if not cursor.hasSelection():
        return ""
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    block = cursor.document().findBlock(start)
    lines: list[str] = []
    cell_row = -1
    while block.isValid() and block.position() <= end:
        text = _block_text(block, start, end)
        table = QTextCursor(block).currentTable()
        if isinstance(table, QTextTable):
            row = table.cellAt(block.position()).row()
            if row == cell_row:
                lines[-1] += "\t" + text
                block = block.next()
                continue
            cell_row = row
        lines.append(text)
        block = block.next()
    return "\n".join(lines)


def fragments_of(block: QTextBlock) -> Iterator[QTextFragment]:
    """The runs of one format in a block."""
    for each in block:  # type: ignore[attr-defined]  # the stubs do not know that its iterator is one
        yield each.fragment()


def _block_text(block: QTextBlock, start: int, end: int) -> str:
    pieces: list[str] = []
    marker = block.blockFormat().property(MARKER_PROPERTY)
    if marker and start <= block.position():
        pieces.append(f"{marker} ")
    for fragment in fragments_of(block):
        low, high = max(start, fragment.position()), min(end, fragment.position() + fragment.length())
        if low < high:
            source = fragment.charFormat().property(SOURCE_PROPERTY)
            text = fragment.text()[low - fragment.position() : high - fragment.position()]
            pieces.append(str(source) if source is not None and _OBJECT in text else text)
    return "".join(pieces).translate(_CLIPBOARD)
