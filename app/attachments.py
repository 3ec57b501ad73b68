"""Files as text attachments: which kind it is, which encoding, and why not if not.

An image file is told from the others here, and read as bytes; nothing decodes it. Blocking; run it off the main thread.
Knows no window, no store, and leaves the text as untrusted as it came: cleaning belongs to `engine.context.clean`.
"""

from __future__ import annotations

import mimetypes
import os
import stat
from pathlib import Path

from app.limits import ATTACHMENT_BYTES, IMAGE_BYTES, MIB
from app.store.types import AttachmentPart
from engine.decode_text import decode_text
from engine.display_name import display_name
from engine.errors import AttachmentError, LimitError, sentence
from rag.recording_kinds import is_recording

_DOCUMENT = sentence(
    "“{name}” is a document, so it was not attached. Drop it on a chat in Hearth's window, or ask it on the command "
    "line: hearth ask --docs FILE"
)
_PICTURE = sentence("“{name}” is an image. Attach it in Hearth's window, with a model that can look at images.")
_OTHER_PICTURE = sentence(
    "Hearth cannot look at this kind of image, so “{name}” was not attached. Save it as PNG or JPEG first."
)
_RECORDING = sentence(
    "“{name}” is a sound or video file, so it was not attached. Drop it on a chat in Hearth's window, or ask it on the "
    "command line: hearth ask --docs FILE"
)
_ARCHIVE = sentence("“{name}” is an archive. Unpack it and attach the text files inside.")
_MODEL = sentence("“{name}” is a model, not a document. Open it in the list of models.")
_NOT_TEXT = sentence("“{name}” does not hold text, so it was not attached.")
_MISSING = sentence("“{name}” is not there any more, or Hearth may not read it.")
_FOLDER = sentence("“{name}” is a folder. Attach the files inside it.")
_SPECIAL = sentence("“{name}” is not an ordinary file, so it was not attached.")
_EMPTY = sentence("“{name}” is empty, so it was not attached.")
_TOO_LARGE = sentence("“{name}” is larger than {limit} MB, which is the most Hearth can attach.")

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", _DOCUMENT),
    (_OLE, _DOCUMENT),
    (b"{\\rtf", _DOCUMENT),
    (b"II*\x00", _OTHER_PICTURE),
    (b"MM\x00*", _OTHER_PICTURE),
    (b"GGUF", _MODEL),
    (b"\x1f\x8b", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"\xfd7zXZ\x00", _ARCHIVE),
)
_OFFICE_SUFFIXES = frozenset({".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".pages", ".numbers", ".key"})

_BEGINNING = 32
"""Bytes that tell an image from other files."""
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""Sizes of the second header of a BMP file; its first two letters begin many a text."""


def read_attachment(path: Path) -> AttachmentPart:
    """The file's text. Raises `AttachmentError` or `LimitError` with the sentence that says why not."""
    name = display_name(path.name)
    data = _read_bytes(path, name, ATTACHMENT_BYTES)
    if not data:
        raise AttachmentError(_EMPTY, name=name)
    if refusal := _foreign_format(data, path.suffix.lower()):
        raise AttachmentError(refusal, name=name)
    text = decode_text(data)
    if text is None:
        raise AttachmentError(_NOT_TEXT, name=name)
    return AttachmentPart(name, _plain_lines(text), len(data), _media_type(path.name))


def picture_kind(data: bytes) -> str:
    """Which kind of image a file is by its first bytes: "png", "jpeg", "gif", "webp" or "bmp"; "" for any other."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    is_bmp = data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS
    return "bmp" if is_bmp and data[6:10] == bytes(4) else ""


def read_picture(path: Path) -> tuple[str, bytes] | None:
    """The kind and the bytes of an image file, None for any other file. Raises as `read_attachment`."""
    name = display_name(path.name)
    kind = picture_kind(_read_bytes(path, name, _BEGINNING, whole=False))
    return (kind, _read_bytes(path, name, IMAGE_BYTES)) if kind else None


def _read_bytes(path: Path, name: str, most: int, *, whole: bool = True) -> bytes:
    try:
        # A FIFO or a device would block or never end: look first, and open without waiting.
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AttachmentError(_FOLDER, name=name)
        if not stat.S_ISREG(status.st_mode):
            raise AttachmentError(_SPECIAL, name=name)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
            data = file.read(most + 1 if whole else most)
    except (OSError, ValueError) as error:
        raise AttachmentError(_MISSING, name=name) from error
    if len(data) > most:
        raise LimitError(_TOO_LARGE, name=name, limit=most // MIB)
    return data


def _foreign_format(data: bytes, suffix: str) -> str | None:
    if picture_kind(data):
        return _PICTURE
    for signature, refusal in _SIGNATURES:
        if data.startswith(signature):
            return refusal
    if is_recording(data):
        return _RECORDING
    if data.startswith(b"RIFF"):
        return _NOT_TEXT
    if data[4:8] == b"ftyp":
        return _OTHER_PICTURE
    if data.startswith(b"PK\x03\x04"):
        return _DOCUMENT if suffix in _OFFICE_SUFFIXES else _ARCHIVE
    return None


def _plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _media_type(name: str) -> str:
    guessed, _encoding = mimetypes.guess_type(name)
    return guessed if guessed is not None and guessed.startswith("text/") else "text/plain"
