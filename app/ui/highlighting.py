"""Colours for code: Pygments reads it in short slices on the main thread, Qt paints the spans line by line.

While code is still coming, reading resumes at the last place where it can (an empty line outside of strings and
comments); once it is whole it is read once more from the start. Knows no message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app.limits import HIGHLIGHT_CHARACTERS
from app.ui.theme import Theme

_SLICE_S = 0.004
_PAUSE_MS = 12
_MAX_LINE = 4_000


class CodeHighlighter(QSyntaxHighlighter):
    """Highlights one document that holds code in one language. Call `update` after each change of the text."""

    def __init__(self, document: QTextDocument, language: str, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(document)
        self._language = language
        self._theme = theme
        self._formats: dict[_TokenType, QTextCharFormat | None] = {}
        self._lines: list[list[tuple[int, int, QTextCharFormat]]] = []
        self._text = ""
        self._resume = 0
        self._resume_line = 0
        self._tokens: Iterator[tuple[int, _TokenType, str]] | None = None
        self._again = self._whole = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_slice)

    def update(self, text: str, *, closed: bool) -> None:
        """The code is `text` now; `closed` when nothing will be added."""
        if not self._language or len(text) > HIGHLIGHT_CHARACTERS:
            return
        changed, self._text = text != self._text, text
        if closed and not self._whole:
            self._whole, self._resume, self._resume_line = True, 0, 0
            self._tokens, self._again = None, False
        elif not changed:
            return
        self._whole = closed
        if self._tokens is None:
            self._begin()
        else:
            self._again = True

    def is_idle(self) -> bool:
        """Nothing is left to read."""
        return self._tokens is None

    def run_to_end(self) -> None:
        """Read all that is left at once (for tests and printing)."""
        while self._tokens is not None:
            self._on_slice()

    def _begin(self) -> None:
        lexer = _lexer(self._language)
        if lexer is None:
            self._language = ""
            return
        self._again = False
        self._base, self._line = self._resume, self._resume_line
        self._column = 0
        self._spans: list[tuple[int, int, QTextCharFormat]] = []
        self._tokens = iter(lexer.get_tokens_unprocessed(self._text[self._base :]))
        self._timer.start(_PAUSE_MS)

    def _on_slice(self) -> None:
        if self._tokens is None:
            return
        until = time.perf_counter() + _SLICE_S
        for count, (position, kind, text) in enumerate(self._tokens):
            self._take(position, kind, text)
            if count % 16 == 15 and time.perf_counter() > until:
                self._timer.start(_PAUSE_MS)
                return
        self._end_line()
        self._tokens = None
        if self._again:
            self._begin()

    def _take(self, position: int, kind: _TokenType, text: str) -> None:
        form = self._format(kind)
        pieces = text.split("\n")
        for index, piece in enumerate(pieces):
            if index:
                blank = self._column == 0
                self._end_line()
                self._line += 1
                self._column = 0
                if blank and not self._whole and _is_neutral(kind):
                    self._resume = self._base + position + sum(len(each) + 1 for each in pieces[:index])
                    self._resume_line = self._line
            if form is not None and piece and self._column < _MAX_LINE:
                self._spans.append((self._column, len(piece), form))
            self._column += len(piece)

    def _end_line(self) -> None:
        while len(self._lines) <= self._line:
            self._lines.append([])
        if self._lines[self._line] != self._spans:
            self._lines[self._line] = self._spans
            block = self.document().findBlockByNumber(self._line)
            if block.isValid():
                self.rehighlightBlock(block)
        self._spans = []

    def _format(self, kind: _TokenType) -> QTextCharFormat | None:
        if kind not in self._formats:
            self._formats[kind] = self._make(kind)
        return self._formats[kind]

    def _make(self, kind: _TokenType) -> QTextCharFormat | None:
        color = _color_name(kind)
        if color is None:
            return None
        form = QTextCharFormat()
        form.setForeground(self._theme.color(color))
        if color == "code_comment":
            form.setFontItalic(True)
        if color == "code_keyword":
            form.setFontWeight(QFont.Weight.Medium)
        return form

    def highlightBlock(self, text: str) -> None:
        number = self.currentBlock().blockNumber()
        if number < len(self._lines):
            for start, length, form in self._lines[number]:
                self.setFormat(start, length, form)


def language_label(language: str) -> str:
    """How a language is called above its code: "Python", "SQL"; as written if it is not known."""
    lexer = _lexer(language)
    return str(lexer.name) if lexer is not None else language


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    """The lexer for a language as written after the fence, or None."""
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  # not wanted at start-up

    try:
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _is_neutral(kind: _TokenType) -> bool:
    """Neither in a string nor in a comment."""
    return kind in Token.Text  # type: ignore[comparison-overlap]  # a token type holds its subtypes


_COLORS: tuple[tuple[_TokenType, str | None], ...] = (
    (Token.Comment.Preproc, "code_name"),
    (Token.Comment.PreprocFile, "code_string"),
    (Token.Comment, "code_comment"),
    (Token.Keyword.Constant, "code_number"),
    (Token.Keyword.Type, "code_name"),
    (Token.Keyword, "code_keyword"),
    (Token.Operator.Word, "code_keyword"),
    (Token.Literal.String.Interpol, "code_number"),
    (Token.Literal.String.Escape, "code_number"),
    (Token.Literal.String, "code_string"),
    (Token.Literal, "code_number"),
    (Token.Name.Function, "code_name"),
    (Token.Name.Class, "code_name"),
    (Token.Name.Decorator, "code_name"),
    (Token.Name.Tag, "code_name"),
    (Token.Name.Attribute, "code_number"),
    (Token.Name.Builtin, "code_name"),
    (Token.Generic.Deleted, "danger"),
    (Token.Generic.Inserted, "success"),
    (Token.Generic.Heading, "code_name"),
)


def _color_name(kind: _TokenType) -> str | None:
    return next((color for each, color in _COLORS if kind in each), None)  # type: ignore[comparison-overlap]
