"""The words of a file that cannot be seen, by page and reason. Nothing of them is given to a model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QWidget

from app.documents_view import hidden_sentence, reason_text
from app.i18n import tr
from app.source_names import page_name
from app.ui.amounts import count_text
from app.ui.dialogs import CalmDialog
from app.ui.safe_document import SafeTextView
from app.ui.text_units import plain_for_document
from app.ui.theme import Theme
from engine.display_name import display_name
from rag.store.types import HiddenWords, StoredFile
from rag.types import Unit

_MOST_CHARACTERS = 200_000
_PLACEHOLDER = "\ufffd"
_TAGS = 0xE0000
"""Unicode's tag characters repeat ASCII from here on."""


class HiddenWordsDialog(CalmDialog):
    """One paragraph for each page and reason."""

    def __init__(self, theme: Theme, file: StoredFile, words: Sequence[HiddenWords], parent: QWidget) -> None:
        name = display_name(file.path.name)
        super().__init__(theme, parent, tr("What cannot be seen in {name}", name=name), icon="eye")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.heading.setWordWrap(True)
        count = file.n_hidden or len(words)
        self.add_sentence(
            hidden_sentence(count, number=count_text)
            + ". "
            + tr("They may be meant for a program and not for you, so no model is given them.")
        )
        self.view = SafeTextView(self)
        self.view.setAccessibleName(tr("Words that cannot be seen"))
        self.view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.view.setMinimumSize(theme.space(130), theme.space(60))
        write_hidden(self.view.textCursor(), file.unit, words, theme)
        self.view.moveCursor(QTextCursor.MoveOperation.Start)
        self.body.addWidget(self.view, 1)
        self.add_button(tr("Close"), kind="primary", default=True).clicked.connect(self.accept)


def write_hidden(cursor: QTextCursor, unit: Unit, words: Sequence[HiddenWords], theme: Theme) -> None:
    """Page and reason as a heading, the words below."""
    head, body = QTextCharFormat(), QTextCharFormat()
    head.setForeground(theme.color("text_muted"))
    head.setFontWeight(QFont.Weight.DemiBold)
    body.setForeground(theme.color("text"))
    left = _MOST_CHARACTERS
    ordered = sorted(words, key=lambda each: (each.page, each.hidden.reason))
    for (page, reason), members in groupby(ordered, key=lambda each: (each.page, each.hidden.reason)):
        where = page_name(unit, page, "", 1) if unit is not Unit.TEXT else ""
        if not cursor.atStart():
            cursor.insertText("\n\n", body)
        cursor.insertText(": ".join(each for each in (where, reason_text(reason)) if each) + "\n", head)
        text = " … ".join(_shown(each.hidden.text) for each in members)[: max(0, left)]
        left -= len(text)
        cursor.insertText(text, body)


def _shown(text: str) -> str:
    """Characters that have no shape would stay unseen here too."""
    told = "".join(chr(ord(each) - _TAGS) if _TAGS + 0x20 <= ord(each) < _TAGS + 0x7F else each for each in text)
    plain = plain_for_document(" ".join(told.split()))
    return "".join(character if character.isprintable() else _PLACEHOLDER for character in plain)
