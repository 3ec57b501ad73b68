"""What is attached to the message being written: a chip for each file or image, in rows.

Keyboard: Tab reaches the chips, the arrows go between them, Enter enlarges an image, Delete removes. Reads no file
itself.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.i18n import tr
from app.store.types import Attached, ImagePart
from app.ui.amounts import bytes_text
from app.ui.attachments_flow import FlowLayout
from app.ui.icons import IconButton, tinted_pixmap
from app.ui.picture_tile import image_name, rounded
from app.ui.pictures import Pictures
from app.ui.theme import TextSize, Theme

_NAME_WIDTH = 220
_PICTURE_UNITS = 11
"""The side of an image's small picture, in spacing units."""


class AttachmentChip(QWidget):
    """One file: name, size, a cross; of an image a small picture. `part` is None while the file is being read."""

    remove_requested = Signal()
    step_requested = Signal(int)
    open_requested = Signal()
    """An image is to be seen large."""

    def __init__(
        self, theme: Theme, pictures: Pictures, name: str, part: Attached | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._pictures, self._name, self.part = theme, pictures, name, part
        self.shows_picture = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._icon = QLabel(self)
        self._label = QLabel(self)
        self._detail = QLabel(self)
        self._cross = IconButton(theme, "x", tr("Remove {name}", name=name), size=14, parent=self)
        self._cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Delete does it from the keyboard
        self._cross.clicked.connect(self.remove_requested)
        for label in (self._label, self._detail):
            label.setProperty("kind", "caption")
        self._row = QHBoxLayout(self)
        for widget in (self._icon, self._label, self._detail, self._cross):
            self._row.addWidget(widget)
        theme.changed.connect(self._on_theme_changed)
        pictures.changed.connect(self._on_picture)
        self._on_theme_changed()

    def set_part(self, part: Attached) -> None:
        """The file has been read."""
        self.part = part
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        theme = self._theme
        self._row.setContentsMargins(theme.space(2.5), theme.space(1), theme.space(1), theme.space(1))
        self._row.setSpacing(theme.space(1.5))
        self._show_icon()
        self._label.setStyleSheet(f"color: {theme.colors.text}; font-weight: 500;")
        metrics = QFontMetrics(theme.font(TextSize.CAPTION, bold=True))
        width = round(_NAME_WIDTH * theme.zoom)
        self._label.setText(metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, width))
        detail = tr("reading…") if self.part is None else bytes_text(self.part.size)
        self._detail.setText(detail)
        self.setToolTip(self._name)
        if isinstance(self.part, ImagePart):
            self.setAccessibleName(image_name(self.part))
            self.setAccessibleDescription(tr("Press Enter to enlarge it, Delete to remove it"))
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.setAccessibleName(tr("Attached file {name}, {size}", name=self._name, size=detail))
            self.setAccessibleDescription(tr("Press Delete to remove it"))
        self.update()

    def _show_icon(self) -> None:
        part, theme = self.part, self._theme
        if not isinstance(part, ImagePart):
            self._icon.setPixmap(tinted_pixmap(theme, "file-text", color="accent", size=round(16 * theme.zoom)))
            return
        side, ratio = theme.space(_PICTURE_UNITS), self.devicePixelRatioF()
        image = self._pictures.find(part, QSize(side, side) * ratio, fill=True)
        self._icon.setFixedSize(side, side)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.shows_picture = image is not None and not image.isNull()
        if image is not None and self.shows_picture:
            self._icon.setPixmap(rounded(image, theme.space(1.5), ratio))
        else:
            self._icon.setPixmap(tinted_pixmap(theme, "image", color="accent", size=round(18 * theme.zoom)))

    def _on_picture(self, sha256: str) -> None:
        if isinstance(self.part, ImagePart) and self.part.sha256 == sha256:
            self._show_icon()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_requested.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            forward = (event.key() == Qt.Key.Key_Right) != self.isRightToLeft()
            self.step_requested.emit(1 if forward else -1)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.open_requested.emit()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.open_requested.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = self.hasFocus()
        painter.setPen(QPen(self._theme.color("focus" if focused else "border"), 2 if focused else 1))
        painter.setBrush(self._theme.color("raised"))
        inset = 1.0 if focused else 0.5
        radius = self._theme.space(2)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(inset, inset, -inset, -inset), radius, radius)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


class AttachmentRow(QWidget):
    """The chips; hidden while there are none."""

    changed = Signal()
    opened = Signal(object)
    """An `ImagePart` that is to be seen large."""
    left_by_keyboard = Signal()
    """The last chip was removed from the keyboard: focus belongs to the text again."""

    def __init__(self, theme: Theme, pictures: Pictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pictures = theme, pictures
        self._chips: list[AttachmentChip] = []
        self._flow = FlowLayout(self, spacing=theme.space(2))
        self.setAccessibleName(tr("Attached files"))
        self.hide()

    @property
    def parts(self) -> tuple[Attached, ...]:
        """What has been read, in the order of the chips."""
        return tuple(chip.part for chip in self._chips if chip.part is not None)

    @property
    def chips(self) -> tuple[AttachmentChip, ...]:
        return tuple(self._chips)

    @property
    def is_reading(self) -> bool:
        """Whether a file is still being read."""
        return any(chip.part is None for chip in self._chips)

    def add(self, name: str, part: Attached | None = None) -> AttachmentChip:
        """A new chip at the end; without `part` it shows that the file is being read."""
        chip = AttachmentChip(self._theme, self._pictures, name, part, self)
        chip.open_requested.connect(lambda: self._on_open(chip))
        chip.remove_requested.connect(lambda: self.remove(chip))
        chip.step_requested.connect(lambda step: self._focus_beside(chip, step))
        self._chips.append(chip)
        self._flow.addWidget(chip)
        chip.show()
        self._show_change()
        return chip

    def fill(self, chip: AttachmentChip, part: Attached) -> None:
        """The chip's file has been read; nothing if it was removed meanwhile."""
        if chip in self._chips:
            chip.set_part(part)
            self._show_change()

    def remove(self, chip: AttachmentChip) -> None:
        if chip not in self._chips:
            return
        index = self._chips.index(chip)
        had_focus = chip.hasFocus()
        self._chips.remove(chip)
        self._flow.removeWidget(chip)
        chip.hide()
        chip.deleteLater()
        if had_focus and self._chips:
            self._chips[min(index, len(self._chips) - 1)].setFocus(Qt.FocusReason.OtherFocusReason)
        elif had_focus:
            self.left_by_keyboard.emit()
        self._show_change()

    def set_parts(self, parts: tuple[Attached, ...]) -> None:
        """Replace everything."""
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for part in parts:
            self.add(part.name, part)
        self._show_change()

    def _on_open(self, chip: AttachmentChip) -> None:
        if isinstance(chip.part, ImagePart):
            self.opened.emit(chip.part)

    def _focus_beside(self, chip: AttachmentChip, step: int) -> None:
        index = self._chips.index(chip) + step
        if 0 <= index < len(self._chips):
            self._chips[index].setFocus(Qt.FocusReason.TabFocusReason)

    def _show_change(self) -> None:
        self._flow.setSpacing(self._theme.space(2))
        self.setVisible(bool(self._chips))
        self.updateGeometry()
        self.changed.emit()

    def sizeHint(self) -> QSize:
        return self._flow.sizeHint()
