"""An image of a message as a small picture that opens it. Reads no file; `Pictures` does."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QBrush, QFontMetrics, QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.i18n import tr
from app.store.types import ImagePart
from app.ui.icons import tinted_pixmap
from app.ui.pictures import Pictures
from app.ui.theme import TextSize, Theme

BOX_WIDTH, BOX_HEIGHT = 70, 55
"""Of the largest tile, in spacing units."""
_LEAST = 12
"""Of a side, in spacing units: a strip is shown on a ground of its own."""


def tile_size(theme: Theme, part: ImagePart) -> QSize:
    """What an image takes in a message, in device-independent pixels; known before it is read."""
    space = theme.space
    box, least = QSize(space(BOX_WIDTH), space(BOX_HEIGHT)), QSize(space(_LEAST), space(_LEAST))
    own = QSize(max(1, part.width), max(1, part.height))
    if own.width() > box.width() or own.height() > box.height():
        own = own.scaled(box, Qt.AspectRatioMode.KeepAspectRatio)
    return own.expandedTo(least)


def image_name(part: ImagePart) -> str:
    """An image in words, for those who do not see it."""
    return tr("Image {name}, {width} by {height} pixels", name=part.name, width=part.width, height=part.height)


def rounded(image: QImage, radius: float, ratio: float) -> QPixmap:
    """The image with round corners; `radius` in device-independent pixels."""
    pixmap = QPixmap(image.size())
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # A brush, not a clip, whose edge would not be smooth.
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(image))
    painter.drawRoundedRect(image.rect(), radius * ratio, radius * ratio)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class PictureTile(QAbstractButton):
    """Clicked by Enter, too. Without `pictures`, and where the file is lost, it shows the name."""

    def __init__(self, theme: Theme, pictures: Pictures | None, part: ImagePart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pictures, self.part = theme, pictures, part
        self._shown: QPixmap | None = None
        self.is_lost = pictures is None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(part.name)
        self.setAccessibleName(image_name(part))
        self.setAccessibleDescription(tr("Press Enter to enlarge it"))
        if pictures is not None:
            pictures.changed.connect(self._on_changed)

    @property
    def is_shown(self) -> bool:
        """The picture itself is to be seen."""
        return self._shown is not None

    def _on_changed(self, sha256: str) -> None:
        if sha256 == self.part.sha256 and self._shown is None:
            self.update()

    def _find(self) -> QPixmap | None:
        ratio = self.devicePixelRatioF()
        if self._shown is None and not self.is_lost and self._pictures is not None:
            image = self._pictures.find(self.part, self.size() * ratio)
            if image is not None and image.isNull():
                self.is_lost = True
                self.setAccessibleDescription(tr("The file is not there any more"))
            elif image is not None:
                self._shown = rounded(image, self._theme.space(2.5), ratio)
        return self._shown

    def sizeHint(self) -> QSize:
        return tile_size(self._theme, self.part)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, picture = self._theme, self._find()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius, frame = theme.space(2.5), self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        covers = picture is not None and picture.deviceIndependentSize().toSize() == self.size()
        if not covers:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised"))
            painter.drawRoundedRect(frame, radius, radius)
        if picture is not None:
            size = picture.deviceIndependentSize()
            painter.drawPixmap(
                round((self.width() - size.width()) / 2), round((self.height() - size.height()) / 2), picture
            )
        else:
            self._paint_name(painter)
        focused = self.hasFocus()
        inset = 0.5 if focused else 0.0
        painter.setPen(QPen(theme.color("focus" if focused else "border"), 2 if focused else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame.adjusted(inset, inset, -inset, -inset), radius, radius)

    def _paint_name(self, painter: QPainter) -> None:
        """While it is read, or instead of what is lost."""
        theme = self._theme
        side = theme.space(5)
        icon = tinted_pixmap(theme, "image", color="text_faint", size=side)
        above = side if self.height() >= theme.space(16) else 0
        painter.drawPixmap((self.width() - side) // 2, (self.height() - side - above) // 2, icon)
        if above and self.is_lost:
            font = theme.font(TextSize.CAPTION)
            painter.setFont(font)
            painter.setPen(theme.color("text_muted"))
            room = self.rect().adjusted(theme.space(2), (self.height() + side) // 2, -theme.space(2), 0)
            name = QFontMetrics(font).elidedText(self.part.name, Qt.TextElideMode.ElideMiddle, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, name)
