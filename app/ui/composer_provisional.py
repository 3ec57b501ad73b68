"""Words in a text field that are not part of its text yet: shown where dictation began, paler, and then written there.

They lie in the layout alone, as the words of an input method do: no draft, no undo and no search knows of them. Knows
no voice.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, QTimer
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextCursor, QTextLayout
from PySide6.QtWidgets import QPlainTextEdit

from app.ui.theme import Theme

Seam = Callable[[str, str, str], str]
"""From the text before, the words and the text behind to the words as they are to stand there."""


class ProvisionalText(QObject):
    """Of one text field. Follows the place when something is written elsewhere."""

    def __init__(self, edit: QPlainTextEdit, theme: Theme, seam: Seam) -> None:
        super().__init__(edit)
        self._edit, self._theme, self._seam = edit, theme, seam
        self._place: QTextCursor | None = None
        self._shown_in: QTextBlock | None = None
        self._stable = self._tail = ""
        self.is_laying_out = False
        """What the document tells of now is no change of the text."""
        self._again = QTimer(self, singleShot=True, interval=0)
        self._again.timeout.connect(self._show)
        edit.document().contentsChange.connect(self._on_contents_change)
        theme.changed.connect(self._show)

    @property
    def is_on(self) -> bool:
        return self._place is not None

    @property
    def words(self) -> str:
        """All that is shown."""
        return f"{self._stable} {self._tail}".strip()

    def begin(self) -> None:
        """What is said from now on goes where the cursor is, behind what is selected."""
        self.end()
        place = QTextCursor(self._edit.document())
        place.setPosition(self._edit.textCursor().selectionEnd())
        self._place = place

    def show(self, stable: str, tail: str) -> None:
        """These words, instead of those that were shown."""
        if self._place is not None and (stable, tail) != (self._stable, self._tail):
            self._stable, self._tail = stable, tail
            self._show()
            self._keep_in_sight()

    def commit(self, words: str) -> None:
        """Write them, in one step that can be undone; nothing is provisional any more."""
        place = self._place
        if place is None:
            return
        self._stable = self._tail = ""
        self._show()
        text = self._seamed(words)
        if not text:
            return
        follows = self._edit.textCursor().position() == place.position() and not self._edit.textCursor().hasSelection()
        writing = QTextCursor(place)
        writing.beginEditBlock()
        writing.insertText(text)
        writing.endEditBlock()
        place.setPosition(writing.position())
        if follows:
            self._edit.setTextCursor(QTextCursor(writing))
            self._edit.ensureCursorVisible()

    def end(self) -> None:
        """Provisional words go."""
        self._stable = self._tail = ""
        self._show()
        self._place = None

    def around(self) -> tuple[str, str]:
        """The text before the place, and the text behind."""
        text = self._edit.toPlainText()
        at = len(text) if self._place is None else _utf16_index(text, self._place.position())
        return text[:at], text[at:]

    def caret(self) -> QRectF | None:
        """Where the cursor stands in the viewport, where provisional words are near, for Qt would draw it elsewhere."""
        cursor, shown = self._edit.textCursor(), self._shown_in
        if shown is None or cursor.block() != shown:
            return None
        # Asked for first: its lines may not be laid out yet.
        top = self._edit.blockBoundingGeometry(shown).translated(self._edit.contentOffset()).topLeft()
        layout = shown.layout()
        position = cursor.positionInBlock()
        if position >= layout.preeditAreaPosition():
            position += _utf16_length(layout.preeditAreaText())
        line = layout.lineForTextPosition(position)
        if not line.isValid():
            return None
        x: float = line.cursorToX(position)[0]  # type: ignore[index]  # PySide6's stubs say object
        width = max(1, round(1.5 * self._theme.zoom))
        return QRectF(top.x() + x, top.y() + line.y(), width, line.height())

    def _seamed(self, words: str) -> str:
        before, after = self.around()
        return self._seam(before, words, after)

    def _show(self) -> None:
        place, words = self._place, self.words
        block = place.block() if place is not None and words else None
        text = self._seamed(words) if block is not None else ""
        firm = len(text.rstrip()) - len(self._tail) if self._tail else len(text)
        before = self._shown_in
        editing = QTextCursor(self._edit.document())
        self.is_laying_out = True
        editing.beginEditBlock()
        try:
            if before is not None and before.isValid() and before != block:
                before.layout().setPreeditArea(-1, "")
                before.layout().clearFormats()
            if block is not None and place is not None:
                at = place.positionInBlock()
                block.layout().setPreeditArea(at, text)
                firm_length = _utf16_length(text[: max(0, firm)])
                block.layout().setFormats(self._formats(at, firm_length, _utf16_length(text)))
        finally:
            editing.endEditBlock()
            self.is_laying_out = False
        self._shown_in = block
        self._edit.viewport().update()

    def _formats(self, at: int, firm: int, length: int) -> list[QTextLayout.FormatRange]:
        ranges = []
        for start, end, color in ((at, at + firm, "text_muted"), (at + firm, at + length, "text_faint")):
            look = QTextCharFormat()
            look.setForeground(self._theme.color(color))
            part = QTextLayout.FormatRange()
            part.start, part.length, part.format = start, end - start, look
            ranges.append(part)
        return ranges

    def _keep_in_sight(self) -> None:
        place = self._place
        if place is not None and place.atEnd() and self._edit.textCursor().position() == place.position():
            bar = self._edit.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _on_contents_change(self, _at: int, _removed: int, _added: int) -> None:
        if self._place is not None and self.words and not self.is_laying_out:
            self._again.start()  # an edit or a click may have moved the words, or taken them away


def _utf16_length(text: str) -> int:
    """Qt counts what lies beyond the basic plane as two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _utf16_index(text: str, position: int) -> int:
    """Python's index of a position that Qt counts."""
    if len(text) == _utf16_length(text):
        return position
    return len(text.encode("utf-16-le")[: 2 * position].decode("utf-16-le"))
