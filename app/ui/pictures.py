"""Images of messages as they are shown: read and made small off the main thread, then kept. Main thread only.

Decodes files of `ImageFolder` only, after their sha256 was compared: they were encoded by Hearth itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage

from app.store.images import ImageFolder
from app.store.types import ImagePart
from app.ui.attachments_reader import Runner
from app.ui.bridge import EventBridge

KEPT_BYTES = 64 << 20
"""Of small images in memory; the ones shown last stay."""

_Key = tuple[str, int, int, bool]


class Pictures(QObject):
    """`find` answers at once; `changed` tells that it would answer more now."""

    changed = Signal(str)
    """The sha256 of an image that was asked for and has been read."""

    def __init__(self, run: Runner, bridge: EventBridge, folder: ImageFolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self._run, self._bridge = run, bridge
        self._kept: OrderedDict[_Key, QImage] = OrderedDict()
        self._held = 0
        self._under_way: set[_Key] = set()

    def find(self, part: ImagePart, size: QSize, *, fill: bool = False) -> QImage | None:
        """The image, to fit into `size` device pixels (or, cut, to `fill` it); null if it is lost.

        None: it is being read.
        """
        key = (part.sha256, size.width(), size.height(), fill)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        elif key not in self._under_way:
            self._under_way.add(key)
            folder = self.folder
            self._bridge.then(
                self._run(lambda: _fitted(_whole(folder, part), size, fill=fill)),
                lambda image: self._keep(key, image),
                lambda error: self._on_failed(key, error),
            )
        return found

    def whole(self, part: ImagePart, done: Callable[[QImage], None]) -> None:
        """`done` with the image in its full size, null if it is lost."""
        folder = self.folder

        def failed(error: BaseException) -> None:
            done(QImage())
            raise error

        self._bridge.then(self._run(lambda: _whole(folder, part)), done, failed)

    def _keep(self, key: _Key, image: QImage) -> None:
        self._under_way.discard(key)
        self._kept[key] = image
        self._held += image.sizeInBytes()
        while self._held > KEPT_BYTES and len(self._kept) > 1:
            self._held -= self._kept.popitem(last=False)[1].sizeInBytes()
        self.changed.emit(key[0])

    def _on_failed(self, key: _Key, error: BaseException) -> None:
        self._keep(key, QImage())
        raise error


def _whole(folder: ImageFolder, part: ImagePart) -> QImage:
    data = folder.read(part)
    return QImage() if data is None else QImage.fromData(data)


def _fitted(image: QImage, size: QSize, *, fill: bool) -> QImage:
    if image.isNull() or size.isEmpty():
        return image
    how = Qt.AspectRatioMode.KeepAspectRatioByExpanding if fill else Qt.AspectRatioMode.KeepAspectRatio
    wanted = image.size().scaled(size, how).expandedTo(QSize(1, 1))
    if fill or wanted.width() < image.width():  # An image that is small already is not blown up.
        image = image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    if fill:
        cut = QRect(0, 0, size.width(), size.height())
        cut.moveCenter(image.rect().center())
        image = image.copy(cut)
    return image
