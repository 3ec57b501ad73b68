"""A block of code: its language, a copy button, and the text, which scrolls sideways instead of wrapping."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFont,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QLabel, QTextEdit, QWidget

from app.i18n import tr
from app.ui.highlighting import CodeHighlighter, language_label
from app.ui.icons import IconButton
from app.ui.markdown.blocks import CodeBlock
from app.ui.message_selection import SelectionGroup
from app.ui.safe_document import SafeTextView
from app.ui.theme import TextSize, Theme

_COPIED_MS = 1600


class CodeView(QWidget):
    """One code block. Lay it out by `height_for` and a geometry of that height."""

    copied = Signal()

    def __init__(
        self, block: CodeBlock, theme: Theme, selection: SelectionGroup, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.block = CodeBlock("")
        self._language = QLabel(self)
        self._language.setProperty("kind", "caption")
        self._language.setTextFormat(Qt.TextFormat.PlainText)
        self.copy_button = IconButton(theme, "copy", tr("Copy code"), size=14, parent=self)
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self._done = QTimer(self)
        self._done.setSingleShot(True)
        self._done.setInterval(_COPIED_MS)
        self._done.timeout.connect(lambda: self.copy_button.set_icon("copy"))
        self.view = SafeTextView(self, selection=selection)
        self.view.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.view.setAccessibleName(tr("Code"))
        self._highlighter = CodeHighlighter(self.view.document(), block.language, theme, self)
        self._format = QTextCharFormat()
        font = theme.font(TextSize.BODY, code=True)
        font.setPixelSize(round(font.pixelSize() * 0.93))
        font.setFeature(QFont.Tag("calt"), 0)  # no ligatures: code is shown as it is
        self._format.setFont(font)
        self._format.setForeground(theme.color("text"))
        self.set_block(block)

    @property
    def highlighter(self) -> CodeHighlighter:
        return self._highlighter

    def set_block(self, block: CodeBlock) -> None:
        """Show this; text that was only added to is not set again."""
        old, self.block = self.block, block
        cursor = QTextCursor(self.view.document())
        if block.text.startswith(old.text) and old.text:
            added = block.text[len(old.text) :]
            if added:
                cursor.movePosition(QTextCursor.MoveOperation.End)
                cursor.insertText(added, self._format)
        elif block.text != old.text or not old.text:
            cursor.select(QTextCursor.SelectionType.Document)
            spacing = QTextBlockFormat()
            spacing.setLineHeight(self._theme.space(1), QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
            cursor.setBlockFormat(spacing)
            cursor.setBlockCharFormat(self._format)
            cursor.insertText(block.text, self._format)
            self.view.moveCursor(QTextCursor.MoveOperation.Start)  # or the view would follow the text sideways
        if block.language != old.language:
            label = language_label(block.language)
            self._language.setText(label)
            self.setAccessibleName(tr("Code in {language}", language=label))
        self._highlighter.update(block.text, closed=block.closed)

    def height_for(self, width: int) -> int:
        space = self._theme.space
        return self._header() + round(self._text_height()) + self._bar(width) + space(3)

    def _header(self) -> int:
        return self._theme.space(9)

    def _text_height(self) -> float:
        return self.view.document().size().height() + 1

    def _bar(self, width: int) -> int:
        """Room for the scroll bar, where a line is too long."""
        inner = width - 2 * self._theme.space(4)
        too_wide = self.view.document().idealWidth() > inner
        return self._theme.space(3) if too_wide else 0

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.block.text)
        self.copy_button.set_icon("check")
        self._done.start()
        self.copied.emit()

    def resizeEvent(self, event: object) -> None:
        space, width = self._theme.space, self.width()
        header, side = self._header(), space(7)
        self._language.setGeometry(space(4), 0, width - space(16), header)
        self.copy_button.setGeometry(width - side - space(1.5), (header - side) // 2, side, side)
        self.view.setGeometry(space(4), header, width - 2 * space(4), max(1, self.height() - header - space(1)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("border"), 1))
        painter.setBrush(self._theme.color("code_background"))
        radius = self._theme.space(2.5)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.end()
