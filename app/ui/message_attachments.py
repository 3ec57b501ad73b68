"""What is attached to a sent message: a chip for each file, a picture for each image; a click opens it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.store.types import Attached, AttachmentPart, ImagePart
from app.ui.amounts import bytes_text
from app.ui.icons import themed_icon
from app.ui.picture_dialog import open_picture
from app.ui.picture_tile import PictureTile
from app.ui.pictures import Pictures
from app.ui.theme import TextSize, Theme

_NAME_WIDTH = 260


class AttachmentChips(QWidget):
    """Chips in rows, right-aligned. `lay_out(width)` places them and returns the height."""

    def __init__(
        self, theme: Theme, parts: Sequence[Attached], pictures: Pictures | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._pictures = theme, pictures
        self.chips: list[QAbstractButton] = [
            self._make_tile(part) if isinstance(part, ImagePart) else self._make_chip(part) for part in parts
        ]

    def lay_out(self, width: int) -> int:
        space = self._theme.space
        rows: list[list[QAbstractButton]] = [[]]
        used = 0
        for chip in self.chips:
            wanted = chip.sizeHint().width()
            if rows[-1] and used + wanted > width:
                rows.append([])
                used = 0
            rows[-1].append(chip)
            used += wanted + space(1.5)
        top = 0
        for row in rows:
            right = width
            height = max((chip.sizeHint().height() for chip in row), default=0)
            for chip in reversed(row):
                size = chip.sizeHint()
                right -= size.width()
                # Beside a picture a file's chip stands at its foot, near the words.
                chip.setGeometry(max(0, right), top + height - size.height(), min(size.width(), width), size.height())
                right -= space(1.5)
            top += height + space(1.5)
        return top

    def _make_chip(self, part: AttachmentPart) -> QToolButton:
        chip = QToolButton(self)
        chip.setProperty("kind", "chip")
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        chip.setIcon(themed_icon(self._theme, "file-text", color="accent", size=round(15 * self._theme.zoom)))
        metrics = QFontMetrics(self._theme.font(TextSize.CAPTION))
        name = metrics.elidedText(part.name, Qt.TextElideMode.ElideMiddle, round(_NAME_WIDTH * self._theme.zoom))
        chip.setText(f" {name}  {bytes_text(part.size)}".replace("&", "&&"))
        chip.setToolTip(tr("Show the text that was sent"))
        chip.setAccessibleName(tr("File {name}, {size}", name=part.name, size=bytes_text(part.size)))
        chip.setCursor(Qt.CursorShape.PointingHandCursor)
        chip.clicked.connect(lambda: self._on_chip_clicked(part))
        return chip

    def _make_tile(self, part: ImagePart) -> PictureTile:
        tile = PictureTile(self._theme, self._pictures, part, self)
        tile.clicked.connect(lambda: self._on_tile_clicked(tile))
        return tile

    def _on_tile_clicked(self, tile: PictureTile) -> None:
        if self._pictures is not None and not tile.is_lost:
            open_picture(self._theme, self._pictures, tile.part, self)

    def _on_chip_clicked(self, part: AttachmentPart) -> None:
        dialog = AttachmentDialog(self._theme, part, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


class AttachmentDialog(QDialog):
    """The text of an attached file as the model gets it."""

    def __init__(self, theme: Theme, part: AttachmentPart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(part.name)
        self.resize(theme.space(190), theme.space(150))
        title = QLabel(part.name, self)
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setProperty("kind", "large")
        size = QLabel(bytes_text(part.size), self)
        size.setProperty("kind", "caption")
        text = self.text_view = QPlainTextEdit(self)
        text.setReadOnly(True)
        text.setFont(theme.font(TextSize.BODY, code=True))
        text.setPlainText(part.text)
        text.setAccessibleName(tr("Text of {name}", name=part.name))
        close = QPushButton(tr("Close"), self)
        close.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        margin = theme.space(5)
        column.setContentsMargins(margin, margin, margin, margin)
        column.setSpacing(theme.space(2))
        for widget in (title, size, text):
            column.addWidget(widget)
        column.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)
