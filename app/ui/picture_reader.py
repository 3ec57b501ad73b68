"""Image files to images of ours: decoded in a process of its own, encoded again here, kept in the images' folder.

So the window never decodes what it has not encoded itself, and nothing that a camera wrote beside the picture (where
it was taken, say) is kept. Blocks for a second or two; run it off the main thread. Knows no widget.
"""

from __future__ import annotations

import json
import multiprocessing
from multiprocessing.connection import Connection

from PySide6.QtGui import QImage

from app.attachments import picture_kind
from app.limits import IMAGE_BYTES, IMAGE_PIXELS, MIB
from app.store.images import ImageFolder
from app.store.types import ImagePart
from app.ui import picture_process
from app.ui.image_bytes import encoded
from engine.errors import AttachmentError, LimitError, sentence

TIME_S = 30.0
"""For one image, the start of the process included."""
PNG_BYTES = 3 * MIB
"""A larger PNG file becomes a JPEG file: it is a photograph."""
_QUALITY = 90
_HEADER_BYTES = 1_000
_DAMAGED = sentence("The image {name} is damaged and cannot be looked at.")
_TOO_MANY_PIXELS = sentence("The image {name} has too many pixels. Make it smaller, and attach it again.")
_TOO_LARGE = sentence("The image {name} is larger than {limit} MB, which is the most Hearth can look at.")
_WONT_START = sentence("The image {name} could not be read: no process can be started.")


def keep_picture(raw: bytes, kind: str, name: str, folder: ImageFolder) -> ImagePart:
    """A file's bytes, of a `kind` as `app.attachments.picture_kind` tells it, as the part of a message.

    Raises `AttachmentError`, `LimitError`, or `StoreError` where it cannot be kept.
    """
    if len(raw) > IMAGE_BYTES:
        raise LimitError(_TOO_LARGE, name=name, limit=IMAGE_BYTES // MIB)
    return keep_image(decoded(raw, kind, name), name, folder, photograph=kind in ("jpeg", "webp"))


def keep_foreign(raw: bytes, name: str, folder: ImageFolder) -> ImagePart:
    """As `keep_picture`, of bytes of which only a stranger says that they are an image."""
    kind = picture_kind(raw)
    if not kind:
        raise AttachmentError(_DAMAGED, name=name)
    return keep_picture(raw, kind, name, folder)


def keep_image(image: QImage, name: str, folder: ImageFolder, *, photograph: bool = False) -> ImagePart:
    """An image that is decoded already (from the clipboard). Raises `LimitError`, `StoreError`."""
    if image.width() * image.height() > IMAGE_PIXELS:
        raise LimitError(_TOO_MANY_PIXELS, name=name)
    image = picture_process.small(image)
    data, media_type = b"", "image/png"
    if not photograph:
        data = encoded(image, "PNG")
    if photograph or len(data) > PNG_BYTES:
        data, media_type = encoded(image, "JPG", _QUALITY), "image/jpeg"
    sha256 = folder.put(data, media_type)
    return ImagePart(name, sha256, len(data), image.width(), image.height(), media_type)


def decoded(raw: bytes, kind: str, name: str) -> QImage:
    """The pixels of a foreign file, by way of a process that ends with it. Raises `AttachmentError`, `LimitError`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(
        target=picture_process.main, args=(theirs, kind, IMAGE_PIXELS), name="hearth-picture", daemon=True
    )
    try:
        try:
            child.start()
        except OSError as error:
            raise AttachmentError(_WONT_START, name=name) from error
        finally:
            theirs.close()
        try:
            return _received(ours, raw, name)
        except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
            raise AttachmentError(_DAMAGED, name=name) from error  # The process died of it, or talks nonsense.
        finally:
            child.kill()
            child.join()
            child.close()
    finally:
        ours.close()


def _received(pipe: Connection, raw: bytes, name: str) -> QImage:
    pipe.send_bytes(raw)
    if not pipe.poll(TIME_S):
        raise AttachmentError(_DAMAGED, name=name)
    said = json.loads(pipe.recv_bytes(_HEADER_BYTES))
    if not isinstance(said, dict):
        raise ValueError("no object")
    if said.get("why") == "pixels":
        raise LimitError(_TOO_MANY_PIXELS, name=name)
    if "why" in said:
        raise AttachmentError(_DAMAGED, name=name)
    width, height = int(said["width"]), int(said["height"])
    if not (0 < width <= picture_process.SIDE and 0 < height <= picture_process.SIDE) or not pipe.poll(TIME_S):
        raise ValueError("no size of an image")
    size = 3 * width * height
    pixels = pipe.recv_bytes(size)
    if len(pixels) != size:
        raise ValueError("not that many pixels")
    return QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
