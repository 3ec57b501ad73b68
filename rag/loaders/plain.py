"""Plain text, Markdown, reStructuredText and source code in any encoding: streamed, cut at line ends, as it is written.

Lines keep their numbers, so that a citation of line 120 is line 120 in an editor.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator

from engine.decode_text import decoded_blocks, encoding_of
from rag.loaders.limits import PART_CHARACTERS
from rag.loaders.line_headings import code_headings, markdown_headings, restructured_headings
from rag.loaders.loader import NO_TEXT, OpenDocument, Source
from rag.loaders.visible import visible
from rag.types import DocumentInfo, Heading, Page, Unit

FindHeadings = Callable[[str], tuple[Heading, ...]]


def open_text(source: Source) -> OpenDocument:
    """Text without any marks."""
    return _open(source, lambda text: (), "text/plain")


def open_markdown(source: Source) -> OpenDocument:
    return _open(source, markdown_headings, "text/markdown")


def open_restructured(source: Source) -> OpenDocument:
    return _open(source, restructured_headings, "text/x-rst")


def open_code(source: Source) -> OpenDocument:
    """Headings are where functions and classes begin."""
    guessed, _encoding = mimetypes.guess_type(source.path.name)
    media_type = guessed if guessed is not None and guessed.startswith("text/") else "text/x-source"
    return _open(source, code_headings, media_type)


def parts(source: Source) -> Iterator[tuple[str, int]]:
    """The text in parts of at most `PART_CHARACTERS`, cut at line ends where there are any, each with its first line.

    Raises `DocumentError` where it is no text.
    """
    encoding = encoding_of(source.file)
    if encoding is None:
        raise source.error(NO_TEXT)
    rest, line = "", 1
    for block in decoded_blocks(source.file, encoding):
        rest += block
        at = 0
        while len(rest) - at > PART_CHARACTERS:
            cut = _cut(rest, at, at + PART_CHARACTERS)
            yield rest[at:cut], line
            line += rest.count("\n", at, cut)
            at = cut
        rest = rest[at:]
    if rest:
        yield rest, line


def _cut(text: str, start: int, most: int) -> int:
    """Where a part ends: after an empty line of its last quarter, else after a line, a word, or anywhere."""
    late = start + 3 * (most - start) // 4
    empty = text.rfind("\n\n", late, most)
    if empty >= 0:
        return empty + 2
    for mark in ("\n", " "):
        found = text.rfind(mark, start, most)
        if found > start:
            return found + 1
    return most


def _open(source: Source, find: FindHeadings, media_type: str) -> OpenDocument:
    def pages() -> Iterator[Page]:
        for number, (part, line) in enumerate(parts(source), 1):
            text, hidden = visible(part)
            yield Page(number, text, "", line, find(text), hidden)

    return OpenDocument(DocumentInfo(source.title, Unit.TEXT, media_type), pages())
