"""Bytes to text in whatever encoding they are, and the telling of text from other bytes. Knows no file format.

Marks of byte order come first, then zeros and escapes, which tell UTF-16 and ISO 2022 without a mark, then UTF-8, which
hardly anything else happens to be, then encodings by the letters of languages (`engine.guess_encoding`), then Western
European of any language, where single letters and quotes of it stand between plain ones, then a guess by
charset-normalizer over how likely the words are.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from charset_normalizer import from_bytes

from engine.guess_encoding import guessed

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEXT_CONTROLS = frozenset("\t\n\r\f\v\x1b")
_WESTERN = frozenset("ÄÖÜäöüßéèêëÉÈÊàâáÀÂÁçÇñÑóòôõãíìîïúùûåÅøØæÆœŒ“”„‘’‚–—…•€£°§«»·´©®™½²\xa0")
"""What texts in cp1252 have besides ASCII. Letters of its neighbours that look like others here are left out."""
_RUN = re.compile(rb"[\x80-\xff]+")
_WESTERN_RUN = 2
_LOOKED_AT = 64 * 1024
_GUESSED_FROM = 1024 * 1024
"""Bytes that an encoding is guessed from; more take longer and tell nothing new."""
_BLOCK = 1024 * 1024


def decode_text(data: bytes) -> str | None:
    """The text, or None if these bytes are none."""
    text = _decode_marked(data)
    return text if text is not None and not looks_binary(text) else None


def encoding_of(file: BinaryIO) -> str | None:
    """The name of the encoding of a file of any size, None where it holds no text. Reads it once, in blocks.

    A file that turns out wrong further on is decoded with replacement characters there.
    """
    file.seek(0)
    head = file.read(_GUESSED_FROM)
    encoding = _marked(head) or _special(head) or ("utf-8" if _is_utf8(file) else _guessed(head))
    if encoding is None:
        return None
    return None if looks_binary(head[:_LOOKED_AT].decode(encoding, "replace")) else encoding


def decoded_blocks(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The whole file's text, about a million characters at a time, with plain line ends."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    while block := file.read(_BLOCK):
        yield lines.decode(block)
    yield lines.decode(b"", final=True)


def looks_binary(text: str) -> bool:
    """True where a text's beginning is not what a person would write."""
    sample = text[:_LOOKED_AT]
    if "\x00" in sample:
        return True
    controls = sum(1 for character in sample if ord(character) < 32 and character not in _TEXT_CONTROLS)
    return controls * 100 > len(sample)


def _decode_marked(data: bytes) -> str | None:
    if encoding := _marked(data) or _special(data):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass  # an older encoding, or no text at all
    if encoding := guessed(data) or ("cp1252" if _is_western(data) else None):
        return data.decode(encoding, "replace")
    best = from_bytes(data).best()
    return None if best is None else str(best)


def _marked(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _BOMS if data.startswith(mark)), None)


def _special(data: bytes) -> str | None:
    """What is valid UTF-8 and yet none: it holds zeros, or escapes to other scripts."""
    head = data[:_LOOKED_AT]
    return guessed(head) if b"\0" in head or b"\x1b$" in head else None


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_western(data: bytes) -> bool:
    """True for German, French or Spanish as Windows wrote it: short ones are taken for Chinese or Czech otherwise."""
    runs = _RUN.findall(data[:_GUESSED_FROM])
    if not runs or b"\x00" in data[:_LOOKED_AT] or any(len(run) > _WESTERN_RUN for run in runs):
        return False
    letters = b"".join(runs).decode("cp1252", "replace")
    return sum(letter in _WESTERN for letter in letters) >= 0.95 * len(letters)


def _guessed(head: bytes) -> str | None:
    if encoding := guessed(head) or ("cp1252" if _is_western(head) else None):
        return encoding
    whole_lines = head[: head.rfind(b"\n") + 1] if len(head) == _GUESSED_FROM else head
    best = from_bytes(whole_lines or head).best()
    return None if best is None else best.encoding
