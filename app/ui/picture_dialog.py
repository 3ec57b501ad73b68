"""An image of a message, as large as the window allows; a copy of it can be saved. Reads no file itself."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, QSize, QStandardPaths, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.i18n import tr
from app.store.images import SUFFIXES
from app.store.types import ImagePart
from app.ui.amounts import bytes_text
from app.ui.elided_label import ElidedLabel
from app.ui.library import sentence_of
from app.ui.picture_tile import image_name
from app.ui.pictures import Pictures
from app.ui.theme import Theme

_SHARE = 0.9
"""Of the window that the dialog may take."""


class PictureView(QWidget):
    """The image, made to fit; never larger than it is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.space(40), theme.space(30))

    def show_image(self, image: QImage) -> None:
        self.image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self.image.size()
        if size.width() > self.width() or size.height() > self.height():
            size = size.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(self.rect().center())
        painter.drawImage(place, self.image)


class PictureDialog(QDialog):
    """Escape closes it."""

    def __init__(self, theme: Theme, pictures: Pictures, part: ImagePart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures, self._part = pictures, part
        self.setWindowTitle(part.name)
        self.setAccessibleName(image_name(part))
        space = theme.space
        self.view = PictureView(theme, self)
        self.view.setAccessibleName(image_name(part))
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._name.setText(part.name)
        self._name.setProperty("kind", "large")
        self.facts = QLabel(self)
        self.facts.setProperty("kind", "caption")
        self.facts.setText(f"{part.width} × {part.height} · {bytes_text(part.size)}")
        self.save_button = QPushButton(tr("Save a copy…"), self)
        self.save_button.setAutoDefault(False)
        self.save_button.setEnabled(False)
        self.save_button.clicked.connect(self._on_save)
        self.close_button = QPushButton(tr("Close"), self)
        self.close_button.setDefault(True)
        self.close_button.clicked.connect(self.accept)
        words = QVBoxLayout()
        words.addWidget(self._name)
        words.addWidget(self.facts)
        foot = QHBoxLayout()
        foot.setSpacing(space(2))
        foot.addLayout(words, 1)
        foot.addWidget(self.save_button)
        foot.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(space(5), space(5), space(5), space(4))
        column.setSpacing(space(3))
        column.addWidget(self.view, 1)
        column.addLayout(foot)
        self.resize(self._wanted(theme))
        self.close_button.setFocus()
        pictures.whole(part, self._show)

    def _wanted(self, theme: Theme) -> QSize:
        window = self.parentWidget()
        room = (window.window().size() if window is not None else self.screen().availableSize()) * _SHARE
        frame = QSize(theme.space(10), theme.space(24))
        image, inside = QSize(self._part.width, self._part.height), room - frame
        if image.width() > inside.width() or image.height() > inside.height():
            image = image.scaled(inside, Qt.AspectRatioMode.KeepAspectRatio)
        return (image + frame).expandedTo(self.minimumSizeHint())

    def _show(self, image: QImage) -> None:
        if not isValid(self):
            return  # It was closed while the image was read.
        self.view.show_image(image)
        self.save_button.setEnabled(not image.isNull())
        if image.isNull():
            self.facts.setText(tr("The file is not there any more"))

    def _on_save(self) -> None:
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation))
        suggested = folder / (Path(self._part.name).stem + SUFFIXES[self._part.media_type])
        chosen, _filter = QFileDialog.getSaveFileName(self, tr("Save a copy"), str(suggested))
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, target: Path) -> None:
        """Write the image's file to `target`; the line below the name says how that went."""
        data = self._pictures.folder.read(self._part)
        if data is None:
            self._show(QImage())
            return
        try:
            target.write_bytes(data)
        except OSError as error:
            self.facts.setText(sentence_of(error))
        else:
            self.facts.setText(tr("Saved as {name}", name=target.name))


def open_picture(theme: Theme, pictures: Pictures, part: ImagePart, parent: QWidget) -> PictureDialog:
    """Show an image large, above the window of `parent`."""
    dialog = PictureDialog(theme, pictures, part, parent.window())
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
