"""The pictures of personas: their icon, or a letter on a ground of a colour of their own. Main thread only.

An icon is a stranger's file: it is decoded once in a process of its own and kept as Hearth's own file, which is decoded
here, as those are that come with Hearth. Until it is there, and where it is damaged, the letter stands in its place.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPainterPath, QPixmap

from app.personas.persona import Persona
from app.ui.attachments_reader import Runner
from app.ui.bridge import EventBridge
from app.ui.image_bytes import encoded
from app.ui.theme import Theme
from engine.atomic_write import atomic_write
from engine.errors import HearthError

SIDE = 256
"""Pixels of what is kept, twice the largest that is shown."""
ROUND = 0.26
"""The corners' radius, as a part of the side."""
_DRAWN = 256
"""Pictures kept as they were drawn."""


class PersonaIcons(QObject):
    """`pixmap` answers at once; `changed` tells that it would answer otherwise now."""

    changed = Signal()

    def __init__(
        self,
        theme: Theme,
        run: Runner,
        bridge: EventBridge,
        *,
        personas: Path,
        kept: Path,
        parent: QObject | None = None,
    ) -> None:
        """`personas` is the folder of the shelf, `kept` one for what was decoded."""
        super().__init__(parent)
        self._theme, self._run, self._bridge = theme, run, bridge
        self._personas, self._kept = personas, kept
        self._images: dict[str, QImage] = {}
        self._drawn: dict[tuple[str, str, str, int, float], QPixmap] = {}
        theme.changed.connect(self._drawn.clear)

    def pixmap(self, persona: Persona, side: int) -> QPixmap:
        """Its picture, `side` device-independent pixels each way."""
        screen = QGuiApplication.primaryScreen()
        ratio = screen.devicePixelRatio() if screen is not None else 1.0
        key = persona.short_name, persona.name, persona.icon_sha256, side, ratio
        drawn = self._drawn.get(key)
        if drawn is None:
            if len(self._drawn) >= _DRAWN:
                self._drawn.clear()
            drawn = self._drawn[key] = self._draw(persona, side, ratio)
        return drawn

    def _draw(self, persona: Persona, side: int, ratio: float) -> QPixmap:
        pixmap = QPixmap(round(side * ratio), round(side * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        place, key = QRectF(0, 0, side, side), persona.short_name
        paint_icon(painter, self._theme, place, key=key, name=persona.name, image=self._image(persona))
        painter.end()
        return pixmap

    def _image(self, persona: Persona) -> QImage | None:
        sha256 = persona.icon_sha256
        if not sha256:
            return None
        found = self._images.get(sha256)
        if found is None:
            self._images[sha256] = QImage()
            source = self._personas / persona.short_name
            kept = self._kept / f"{sha256}.png"
            self._bridge.then(
                self._run(lambda: _read(source, sha256, kept)),
                lambda image: self._keep(sha256, image),
                _on_failed,
            )
        return found if found is not None and not found.isNull() else None

    def _keep(self, sha256: str, image: QImage) -> None:
        self._images[sha256] = image
        if not image.isNull():
            self._drawn.clear()
            self.changed.emit()


def _on_failed(error: BaseException) -> None:
    """A letter will do until the next start."""
    if not isinstance(error, HearthError | OSError):
        raise error


def _read(source: Path, sha256: str, kept: Path) -> QImage:
    try:
        image = QImage.fromData(kept.read_bytes())
    except FileNotFoundError:
        image = QImage()
    if not image.isNull():
        return image
    from app.personas.builtin import icon_of_hearth  # noqa: PLC0415  # once for each icon
    from app.personas.folder import ICON, PersonaFolder  # noqa: PLC0415
    from app.ui.picture_reader import decoded  # noqa: PLC0415

    if (own := icon_of_hearth(sha256)) is not None:
        return square(QImage.fromData(own), SIDE)
    image = square(decoded(PersonaFolder(source).file(sha256, ICON).read_bytes(), "png", ICON), SIDE)
    kept.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(kept, encoded(image, "PNG"))
    return image


def square(image: QImage, side: int) -> QImage:
    """Its middle, `side` pixels each way."""
    expanding, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    image = image.scaled(QSize(side, side), expanding, smooth)
    cut = QRect(0, 0, side, side)
    cut.moveCenter(image.rect().center())
    return image.copy(cut)


def paint_icon(painter: QPainter, theme: Theme, place: QRectF, *, key: str, name: str, image: QImage | None) -> None:
    """An icon with round corners; without one the first letter of the name in the colours of `key`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    shape = QPainterPath()
    shape.addRoundedRect(place, place.width() * ROUND, place.width() * ROUND)
    if image is not None and not image.isNull():
        painter.save()
        painter.setClipPath(shape)
        painter.drawImage(place, square(image, round(place.width() * painter.device().devicePixelRatio())))
        painter.restore()
        return
    ground, ink = theme.tile_colors(key) if name else (theme.color("raised"), theme.color("text_muted"))
    painter.fillPath(shape, ground)
    font = theme.font(bold=True)
    font.setPixelSize(max(6, round(place.height() * 0.5)))
    painter.setFont(font)
    painter.setPen(ink)
    letter = next((each for each in name if each.isalnum()), name[:1])
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, letter.upper() or "+")
