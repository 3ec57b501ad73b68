"""All texts of a persona in one view, with what is hidden in them spelled out and marked. Knows no persona."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QResizeEvent, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.i18n import tr
from app.personas.reveal import Mark
from app.personas.review import Section
from app.ui.safe_document import SafeTextView
from app.ui.theme import TextSize, Theme

_MARKS = {Mark.HIDDEN: "danger", Mark.LOOKALIKE: "warning"}
_LINE = "\u2028"


class RevealedText(SafeTextView):
    """As high as its text is. Read with the keyboard too; nothing in it can be clicked."""

    def __init__(self, theme: Theme, sections: Sequence[Section], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._sections = theme, sections
        self.setAccessibleName(tr("All that it says"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._write)
        self._write()

    def _write(self) -> None:
        theme = self._theme
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        for number, section in enumerate(self._sections):
            head = QTextBlockFormat()
            head.setTopMargin(theme.space(4) if number else 0)
            head.setBottomMargin(theme.space(0.5))
            self._begin(cursor, head, first=not number)
            cursor.insertText(section.label, self._format(TextSize.CAPTION, "text_muted", bold=True))
            cursor.insertBlock(QTextBlockFormat())
            for piece in section.pieces:
                form = self._format(TextSize.BODY, _MARKS.get(piece.mark, "text"))
                if piece.mark in _MARKS:
                    ground = QColor(theme.color(_MARKS[piece.mark]))
                    ground.setAlphaF(0.16)
                    form.setBackground(ground)
                cursor.insertText(piece.shown.replace("\n", _LINE), form)
        cursor.endEditBlock()
        self._fit()

    @staticmethod
    def _begin(cursor: QTextCursor, form: QTextBlockFormat, *, first: bool) -> None:
        if first:
            cursor.setBlockFormat(form)
        else:
            cursor.insertBlock(form)

    def _format(self, size: TextSize, color: str, *, bold: bool = False) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setFont(self._theme.font(size, bold=bold))
        form.setForeground(self._theme.color(color))
        return form

    def _fit(self) -> None:
        height = math.ceil(self.document().size().height()) + 2
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.space(40), self.height())
