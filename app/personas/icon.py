"""Whether an icon is a small PNG file. Decodes nothing: only a process that may die does that."""

from __future__ import annotations

import struct

from app.limits import PERSONA_ICON_BYTES, PERSONA_ICON_SIDE
from engine.errors import AttachmentError, LimitError, PersonaError, sentence
from engine.model.picture import read_picture

_HEAD = 8
_CHUNK = 12
"""Length, type and checksum around what a chunk holds (PNG specification, 5.3)."""


def check_icon(data: bytes) -> None:
    """Raises `PersonaError` for what is no PNG file from first to last byte, `LimitError` for one too large."""
    if len(data) > PERSONA_ICON_BYTES:
        raise LimitError(sentence("The icon is too large: {limit} MB are the most."), limit=PERSONA_ICON_BYTES >> 20)
    too_wide = LimitError(
        sentence("The icon is too large: {limit} x {limit} pixels are the most."), limit=PERSONA_ICON_SIDE
    )
    try:
        picture = read_picture(data)
    except AttachmentError:
        picture = None
    except LimitError:
        raise too_wide from None
    if picture is None or picture.kind != "png" or not _whole(data):
        raise PersonaError(sentence("The icon is not a PNG image."))
    if max(picture.width, picture.height) > PERSONA_ICON_SIDE:
        raise too_wide


def _whole(data: bytes) -> bool:
    """Its chunks fill the file, and the last one is IEND."""
    at, kind = _HEAD, b""
    while at + _CHUNK <= len(data) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        at += length + _CHUNK
    return kind == b"IEND" and at == len(data)
