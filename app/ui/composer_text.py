"""The composer's text field: grows with its text, takes plain text only, knows its keys.

Knows nothing of attachments or of sending; it says what was asked of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QPainter, QPaintEvent, QPalette, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from app.attachments import picture_kind
from app.dictated_words import seamed
from app.limits import COMPOSER_CHARACTERS
from app.ui.composer_provisional import ProvisionalText, Seam
from app.ui.theme import Theme

_MAX_LINES = 10
_IMAGE_KINDS = ("png", "jpeg", "webp", "gif", "bmp")
_ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def local_files(mime: QMimeData) -> list[Path]:
    """The files of this machine that a drop or a paste names."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()] if mime.hasUrls() else []


def holds_image(mime: QMimeData) -> bool:
    """Whether a drop or a paste holds an image, as far as can be told without reading it."""
    return mime.hasImage() or any(mime.hasFormat(f"image/{kind}") for kind in _IMAGE_KINDS)


def given_image(mime: QMimeData) -> bytes | QImage | None:
    """The image that a drop or a paste holds: the file's bytes where they are there, else as the system decoded it."""
    for kind in _IMAGE_KINDS:
        if mime.hasFormat(f"image/{kind}"):
            raw = bytes(mime.data(f"image/{kind}").data())
            if picture_kind(raw) == kind:
                return raw
    found = mime.imageData() if mime.hasImage() else None
    image = found.toImage() if isinstance(found, QPixmap) else found
    return image if isinstance(image, QImage) and not image.isNull() else None


def only_begins(words: str) -> bool:
    """Whether a question waits for the person to go on with it, as "Translate: " does."""
    return words.rstrip().endswith((":", "："))


class ComposerText(QPlainTextEdit):
    """Its signals say what the keys asked for; `sends_on_enter` is asked at each Enter."""

    send_requested = Signal()
    stop_requested = Signal()
    edit_last_requested = Signal()
    files_given = Signal(list)
    """Paths that were pasted."""
    long_paste_given = Signal(str)
    image_given = Signal(object)
    """The bytes of an image file, or a `QImage`."""
    focus_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        sends_on_enter: Callable[[], bool],
        parent: QWidget | None = None,
        *,
        seam: Seam = seamed,
    ) -> None:
        super().__init__(parent)
        self.provisional = ProvisionalText(self, theme, seam)
        self._theme = theme
        self._sends_on_enter = sends_on_enter
        self.setObjectName("composer_text")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # the composer takes drops for its whole surface
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._on_size_changed)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def is_blank(self) -> bool:
        """Nothing stands here, nor is anything being composed by an input method."""
        return self.document().isEmpty() and not self.textCursor().block().layout().preeditAreaText()

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font())
        # The placeholder is drawn in the viewport's own font, which the application's style sheet has set.
        self.viewport().setFont(self._theme.font())
        self.document().setDefaultFont(self._theme.font())
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, self._theme.color("text"))
        palette.setColor(QPalette.ColorRole.PlaceholderText, self._theme.color("text_faint"))
        palette.setColor(QPalette.ColorRole.Highlight, self._theme.color("selection"))
        palette.setColor(QPalette.ColorRole.HighlightedText, self._theme.color("text"))
        palette.setColor(QPalette.ColorRole.Base, self._theme.color("surface"))
        self.setPalette(palette)
        self._on_size_changed()

    def _on_size_changed(self, *_size: object) -> None:
        height = self._text_height()
        needs_bar = self.document().size().height() > _MAX_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if needs_bar else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if policy != self.verticalScrollBarPolicy():
            self.setVerticalScrollBarPolicy(policy)
        if height != self.height():
            self.setFixedHeight(height)
            self.updateGeometry()

    def _text_height(self) -> int:
        """Of the lines as they are laid out (a line with other scripts may be higher), ten at most."""
        height, left = 0.0, _MAX_LINES
        block = self.document().firstBlock()
        while block.isValid() and left > 0:
            layout = block.layout()
            shown = min(left, max(1, layout.lineCount()))
            lines = [layout.lineAt(number).height() for number in range(min(shown, layout.lineCount()))]
            height += sum(lines) if lines else self.fontMetrics().lineSpacing()
            left -= shown
            block = block.next()
        return math.ceil(height) + 2

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        caret = self.provisional.caret()
        width = 0 if caret is not None else max(1, round(1.5 * self._theme.zoom))
        if width != self.cursorWidth():
            self.setCursorWidth(width)
        super().paintEvent(event)
        if caret is not None and self.hasFocus():
            QPainter(self.viewport()).fillRect(caret, self._theme.color("text"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in _ENTER_KEYS:
            plain = modifiers == Qt.KeyboardModifier.NoModifier
            with_control = modifiers == Qt.KeyboardModifier.ControlModifier
            if with_control or (plain and self._sends_on_enter()):
                if not event.isAutoRepeat():
                    self.send_requested.emit()
            else:
                self.insertPlainText("\n")
                self.ensureCursorVisible()
            event.accept()
            return
        if event.key() == Qt.Key.Key_Up and modifiers == Qt.KeyboardModifier.NoModifier and self.is_blank:
            self.edit_last_requested.emit()
            event.accept()
            return
        if event.key() == Qt.Key.Key_Escape and modifiers == Qt.KeyboardModifier.NoModifier:
            self.stop_requested.emit()
            event.accept()
            return
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or holds_image(source) or bool(local_files(source))

    def insertFromMimeData(self, source: QMimeData) -> None:
        if files := local_files(source):
            self.files_given.emit(files)
            return
        text = source.text()
        if not text:
            if (image := given_image(source)) is not None:
                self.image_given.emit(image)
            return
        selected = self.textCursor().selectionEnd() - self.textCursor().selectionStart()
        # characterCount() counts the end of the last paragraph too.
        if len(text) + self.document().characterCount() - 1 - selected > COMPOSER_CHARACTERS:
            self.long_paste_given.emit(text)
            return
        self.insertPlainText(text)
        self.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._on_size_changed()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)
