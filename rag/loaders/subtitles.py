"""Subtitles (SRT, WebVTT, ASS): what is said and when, a line each. Knows no film."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.loaders.detect import text_of
from rag.loaders.limits import MIB
from rag.loaders.loader import DAMAGED, OpenDocument, Source
from rag.loaders.speech import speech_pages
from rag.types import DocumentInfo, Unit

_BYTES = 16 * MIB
"""The subtitles of a film are a tenth of one."""


def open_subtitles(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    import pysubs2  # noqa: PLC0415  # only for this format

    text = text_of(source, _BYTES)
    try:
        subtitles = pysubs2.SSAFile.from_string(text)
    except (pysubs2.exceptions.Pysubs2Error, ValueError, KeyError, IndexError) as error:
        raise source.error(DAMAGED) from error
    info = DocumentInfo(source.title, Unit.TIME, "text/vtt")
    return OpenDocument(info, speech_pages(_said(subtitles)))


def _said(subtitles: Any) -> Iterator[tuple[float, str]]:
    before = ""
    for event in subtitles:
        text = " ".join(event.plaintext.split())
        if event.is_comment or not text or text == before:
            continue
        before = text
        who = f"{event.name}: " if event.name else ""
        yield event.start / 1000, f"{who}{text}"
