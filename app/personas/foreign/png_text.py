"""The text chunks of a PNG file, read and written without looking at a pixel. Knows no card.

Follows the PNG specification (W3C, third edition): 5.3 chunk layout, 11.3.3 tEXt, zTXt and iTXt. Strict: lengths,
checksums, the first and the last chunk; what a compressed text unpacks to is capped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Mapping

from app.limits import PERSONA_FOREIGN_TEXT_BYTES
from engine.errors import LimitError, PersonaError, sentence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNKS = 20_000
_KEYWORD_BYTES = 79
_TEXT_TYPES = (b"tEXt", b"zTXt", b"iTXt")
_BASE64_BYTES = PERSONA_FOREIGN_TEXT_BYTES * 4 // 3 + 4
_PLAIN_SIDE = 256
_PLAIN_GREY = 0x8C


def texts_of(data: bytes, name: str, wanted: Collection[str]) -> dict[str, bytes]:
    """The texts by their keywords, of equal keywords the first; of others only that they are there.

    `wanted` are looked into. Raises `PersonaError`, `LimitError`.
    """
    texts: dict[str, bytes] = {}
    for kind, body in _chunks(data, name):
        if kind not in _TEXT_TYPES:
            continue
        raw, separator, rest = body.partition(b"\0")
        if not separator or not 0 < len(raw) <= _KEYWORD_BYTES:
            continue
        keyword = raw.decode("latin-1")
        if keyword not in texts:
            texts[keyword] = _text(kind, rest, name) if keyword in wanted else b""
    return texts


def without_texts(data: bytes, name: str) -> bytes:
    """The same image without its texts. Raises `PersonaError`."""
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in _chunks(data, name) if kind not in _TEXT_TYPES)


def with_texts(data: bytes, texts: Mapping[str, bytes], name: str) -> bytes:
    """The same image with these texts, as tEXt, and no others. Raises `PersonaError` for what is no PNG file."""
    image = without_texts(data, name)
    added = b"".join(_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text) for keyword, text in texts.items())
    end = len(image) - 12  # IEND
    return image[:end] + added + image[end:]


def plain_image() -> bytes:
    """A grey square, for who has no image."""
    row = b"\0" + bytes([_PLAIN_GREY]) * _PLAIN_SIDE
    header = struct.pack(">IIBBBBB", _PLAIN_SIDE, _PLAIN_SIDE, 8, 0, 0, 0, 0)
    body = zlib.compress(row * _PLAIN_SIDE, 9)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    damaged = PersonaError(sentence("The image {name} is damaged, so what it holds cannot be read."), name=name)
    if not data.startswith(SIGNATURE):
        raise damaged
    position = len(SIGNATURE)
    for number in range(_CHUNKS):
        if position + 12 > len(data):
            raise damaged
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 8 + length
        if end + 4 > len(data) or not kind.isalpha() or (kind == b"IHDR") != (number == 0):
            raise damaged
        if struct.unpack_from(">I", data, end)[0] != zlib.crc32(data[position + 4 : end]):
            raise damaged
        yield kind, data[position + 8 : end]
        if kind == b"IEND":
            return
        position = end + 4
    raise damaged


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text(kind: bytes, body: bytes, name: str) -> bytes:
    """What stands after the keyword."""
    if kind == b"tEXt":
        return _capped(body, name)
    packed, text = kind == b"zTXt" or body[:1] == b"\1", body[1:]  # after the one method, or whether it is packed
    if kind == b"iTXt":
        text = body[2:].partition(b"\0")[2].partition(b"\0")[2]  # after the language and the translated keyword
    return _unpacked(text, name) if packed else _capped(text, name)


def _unpacked(packed: bytes, name: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _BASE64_BYTES + 1)
    except zlib.error:
        raise PersonaError(
            sentence("The image {name} is damaged, so what it holds cannot be read."), name=name
        ) from None
    return _capped(text, name)


def _capped(text: bytes, name: str) -> bytes:
    if len(text) > _BASE64_BYTES:
        raise LimitError(
            sentence("The text in {name} is too long: {limit} MB are the most."),
            name=name,
            limit=PERSONA_FOREIGN_TEXT_BYTES >> 20,
        )
    return text
