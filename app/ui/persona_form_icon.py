"""The icon of a persona in its form: chosen from a file, dropped, taken away; a monogram where there is none.

A foreign image is decoded by a process of its own and written anew as a small PNG file.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from app.attachments import read_picture
from app.i18n import tr
from app.personas.names import short_name_of
from app.ui.composer_text import local_files
from app.ui.icons import themed_icon
from app.ui.image_bytes import encoded
from app.ui.library import sentence_of
from app.ui.persona_icons import ROUND, SIDE, paint_icon, square
from app.ui.workspace import Workspace
from engine.errors import PersonaError, sentence


def icon_of(path: Path) -> tuple[bytes, QImage]:
    """The image in a file as an icon, square: its PNG file and what is in it. Blocks.

    Raises `HearthError` or `OSError`.
    """
    found = read_picture(path)
    if found is None:
        raise PersonaError(sentence("“{name}” is not an image that Hearth can read."), name=path.name)
    from app.ui.picture_reader import decoded  # noqa: PLC0415  # wanted by few

    kind, raw = found
    icon = square(decoded(raw, kind, path.name), SIDE)
    return encoded(icon, "PNG"), icon


def _decoded(data: bytes) -> QImage:
    from app.ui.picture_reader import decoded  # noqa: PLC0415  # as above

    return decoded(data, "png", tr("Icon"))


class IconField(QToolButton):
    """Shows the icon; a click offers to choose and to remove it."""

    changed = Signal()
    failed = Signal(str)
    """A sentence."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.data = b""
        """The PNG file that was chosen here, b"" for none."""
        self.sha256 = ""
        self._image: QImage | None = None
        self._name = self._key = ""
        self.setAcceptDrops(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Icon"))
        self.setToolTip(tr("Choose an icon"))
        self.clicked.connect(self._on_clicked)
        workspace.theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_icon(self, sha256: str, data: bytes) -> None:
        """Show a persona's; `data` is its PNG file, which may be a stranger's. The monogram until it is decoded."""
        self.sha256, self.data, self._image = sha256, data, None
        self.update()
        if not data:
            return

        def show(image: QImage) -> None:
            if self.sha256 == sha256:
                self._image = image
                self.update()

        # A damaged one stays a monogram.
        self._workspace.bridge.then(self._workspace.run(partial(_decoded, data)), show, lambda _error: None, owner=self)

    def show_key(self, short_name: str) -> None:
        """For the monogram's colours; "" for a persona that is new."""
        self._key = short_name
        self.update()

    def show_name(self, name: str) -> None:
        """For the monogram."""
        self._name = name
        self.update()

    def choose(self, path: Path) -> None:
        """Make an icon of an image file."""

        def taken(found: tuple[bytes, QImage]) -> None:
            self.data, self._image = found
            self.sha256 = hashlib.sha256(self.data).hexdigest()
            self.update()
            self.changed.emit()

        def failed(error: BaseException) -> None:
            self.failed.emit(sentence_of(error))

        self._workspace.bridge.then(self._workspace.run(partial(icon_of, path)), taken, failed, owner=self)

    def remove(self) -> None:
        """Back to the monogram."""
        if self.sha256:
            self.show_icon("", b"")
            self.changed.emit()

    def _on_clicked(self) -> None:
        if not self.sha256:
            self._ask()
            return
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        theme = self._workspace.theme
        menu.addAction(themed_icon(theme, "image"), tr("Choose an image…")).triggered.connect(self._ask)
        menu.addAction(themed_icon(theme, "trash-2"), tr("Remove the icon")).triggered.connect(self.remove)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _ask(self) -> None:
        kinds = tr("Images") + " (*.png *.jpg *.jpeg *.webp *.gif *.bmp)"
        name, _filter = QFileDialog.getOpenFileName(self, tr("Choose an image"), "", kinds)
        if name:
            self.choose(Path(name))

    def _on_theme_changed(self) -> None:
        side = self._workspace.theme.space(17)
        self.setFixedSize(side, side)
        self.update()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._workspace.theme
        painter = QPainter(self)
        place = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        key = self._key or short_name_of(self._name)
        paint_icon(painter, theme, place, key=key, name=self._name, image=self._image)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "border"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(place, place.width() * ROUND, place.width() * ROUND)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len(local_files(event.mimeData())) == 1:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.choose(local_files(event.mimeData())[0])
