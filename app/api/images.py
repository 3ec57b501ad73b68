"""Images that came as data URLs, as files for the engine while the server runs. Decodes nothing: the worker does.

Knows of requests their ids only. Any thread.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from app.api.faults import InvalidRequestError
from app.attachments import picture_kind
from app.limits import IMAGE_BYTES, MIB
from engine.context.clean import clean
from engine.context.segments import ImageRef, Origin, Segment, image_text

_URL = re.compile(r"data:image/[a-z.+-]{1,32};base64,([A-Za-z0-9+/=\s]*)", re.IGNORECASE)
_SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
KEPT = 64
"""Files that no request under way needs; the oldest go first."""


class ImageShelf:
    """A folder of its own, made for the first image and gone with `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._kept: dict[Path, None] = {}
        self._needed: dict[str, set[Path]] = {}
        """By the requests under way."""

    def hold(self, request_id: str) -> None:
        """Keep the images of this request until `release`."""
        with self._lock:
            self._needed[request_id] = set()

    def release(self, request_id: str) -> None:
        """Its answers have ended. May be called more than once."""
        with self._lock:
            self._needed.pop(request_id, None)
            self._clear()

    def segment(self, url: str, request_id: str = "") -> Segment:
        """The image of a data URL as part of a request's prompt. Blocks. Raises `InvalidRequestError`."""
        match = _URL.fullmatch(url)
        if match is None:
            raise InvalidRequestError("Images come as data URLs in base64; nothing is fetched.", param="messages")
        try:
            data = base64.b64decode("".join(match[1].split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidRequestError("An image is not valid base64.", param="messages") from error
        if len(data) > IMAGE_BYTES:
            raise InvalidRequestError("An image may have {limit} MB at most.", limit=IMAGE_BYTES // MIB)
        suffix = _SUFFIXES.get(picture_kind(data))
        if suffix is None:
            raise InvalidRequestError("Images are PNG or JPEG.", param="messages")
        sha256 = hashlib.sha256(data).hexdigest()
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="hearth-api-", ignore_cleanup_errors=True)
            path = Path(self._folder.name) / f"{sha256}{suffix}"
            if path not in self._kept:
                path.write_bytes(data)
            self._kept.pop(path, None)
            self._kept[path] = None
            if request_id in self._needed:
                self._needed[request_id].add(path)
            else:  # its client is gone already
                self._clear()
        named = clean(image_text(""), max_characters=100).segment(Origin.DOCUMENT, "image")
        return Segment(named.text, named.origin, named.trust, named.label, ImageRef(path, sha256))

    def close(self) -> None:
        """The files go."""
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None
                self._kept.clear()

    def _clear(self) -> None:
        """With the lock."""
        needed = set[Path]().union(*self._needed.values())
        spare = [path for path in self._kept if path not in needed]
        for path in spare[: max(0, len(spare) - KEPT)]:
            del self._kept[path]
            with suppress(OSError):  # the folder goes in any case
                path.unlink()
