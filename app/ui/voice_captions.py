"""Captions of both sides: large letters, what is sure in full colour, the rest paler. The newest lines stay in sight.

Knows no voice: it is given captions, and changes only what differs, so that nothing flickers.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.i18n import tr
from app.ui.text_units import plain_for_document, units
from app.ui.theme import TextSize, Theme
from app.ui.voice_exchange import Caption

_AHEAD = 160
"""Characters behind the spoken ones that stay in sight."""
_NEW_LINE = "\u2028"


class VoiceCaptions(QTextEdit):
    """Each caption is two blocks of text: who speaks, and the words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[Caption, ...] = ()
        self._followed = 0
        """Where the scroll bar was put; elsewhere, the person reads something older."""
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName(tr("Captions"))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def shown(self) -> tuple[Caption, ...]:
        return self._shown

    def show_captions(self, captions: Sequence[Caption]) -> None:
        """Show these instead of the present ones."""
        captions = tuple(captions)
        if captions == self._shown:
            return
        bar = self.verticalScrollBar()
        follows = bar.value() == self._followed or bar.value() >= bar.maximum()
        same = _alike(self._shown, captions)
        grows = (
            same < min(len(self._shown), len(captions))
            and same == len(self._shown) - 1
            and _who(self._shown[same]) == _who(captions[same])
        )
        if grows:
            self._change(2 * same + 1, self._shown[same], captions[same])
            same += 1
        else:
            self._cut_from(same)
        for caption in captions[same:]:
            self._append(caption)
        self._shown = captions
        if follows:
            self._follow()

    def _append(self, caption: Caption) -> None:
        space = self._theme.space
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        is_first = self.document().isEmpty()
        above = QTextBlockFormat()
        above.setTopMargin(0 if is_first else space(3))
        if is_first:
            cursor.setBlockFormat(above)
        else:
            cursor.insertBlock(above)
        name = QTextCharFormat()
        name.setFont(self._theme.font(TextSize.CAPTION, bold=True))
        name.setForeground(self._theme.color("text_muted"))
        cursor.insertText(_who(caption), name)
        cursor.insertBlock(QTextBlockFormat())
        self._insert(cursor, caption)

    def _insert(self, cursor: QTextCursor, caption: Caption) -> None:
        cursor.insertText(_line(caption.firm), self._form("text"))
        cursor.insertText(_line(caption.rest), self._form("text_faint"))

    def _change(self, block: int, old: Caption, new: Caption) -> None:
        """The words of a caption are others: those that are the same stay, but for their colour."""
        start = self.document().findBlockByNumber(block).position()
        before, after = _line(old.firm + old.rest), _line(new.firm + new.rest)
        common = after[: _alike(before, after)]
        same, length, firm = units(common), units(after), units(new.firm)
        cursor = QTextCursor(self.document())
        cursor.setPosition(start + same)
        cursor.setPosition(start + units(before), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(after[len(common) :], self._form("text_faint"))
        was_firm = units(old.firm)
        self._colour("text", start + min(same, was_firm, firm), start + firm)
        self._colour("text_faint", start + firm, start + min(was_firm, length))

    def _colour(self, color: str, low: int, high: int) -> None:
        if low < high:
            cursor = QTextCursor(self.document())
            cursor.setPosition(low)
            cursor.setPosition(high, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(self._form(color))

    def _cut_from(self, number: int) -> None:
        if number >= len(self._shown):
            return
        if number == 0:
            self.clear()
            return
        cursor = QTextCursor(self.document().findBlockByNumber(2 * number))
        cursor.movePosition(QTextCursor.MoveOperation.PreviousCharacter)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()

    def _form(self, color: str) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setFont(self._theme.font(TextSize.HEADING))
        form.setForeground(self._theme.color(color))
        return form

    def _follow(self) -> None:
        """The end, or, of a long answer, what is being spoken."""
        bar = self.verticalScrollBar()
        last = self._shown[-1] if self._shown else None
        bar.setValue(bar.maximum())
        if last is not None and len(last.rest) > _AHEAD and not last.is_person:
            cursor = QTextCursor(self.document().lastBlock())
            cursor.setPosition(cursor.position() + units(last.firm) + _AHEAD)
            below = self.cursorRect(cursor).bottom() + self._theme.space(2) - self.viewport().height()
            bar.setValue(bar.value() + min(0, below))
        self._followed = bar.value()

    def _on_theme_changed(self) -> None:
        captions, self._shown = self._shown, ()
        self.clear()
        self.document().setDocumentMargin(self._theme.space(1))
        self.show_captions(captions)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_M):
            event.ignore()  # the view's keys
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()


def _who(caption: Caption) -> str:
    if caption.is_person:
        return tr("You")
    return tr("Hearth, interrupted") if caption.is_cut else tr("Hearth")


def _line(text: str) -> str:
    return plain_for_document(text).replace("\n", _NEW_LINE)


def _alike(first: Sequence[object], second: Sequence[object]) -> int:
    """How many at the beginning are the same."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(first), len(second)))
