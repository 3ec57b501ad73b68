"""The way from a path to a document's pages: open, tell the format, load, and turn every failure into a sentence.

Runs in the parser process, which is what limits time and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from engine.errors import DocumentError
from rag.loaders import ocr
from rag.loaders.detect import Format, detect
from rag.loaders.limits import PAGES
from rag.loaders.loader import (
    CHANGED,
    DAMAGED,
    NO_TEXT,
    TOO_MANY_PAGES,
    TOO_MUCH_MEMORY,
    Loader,
    OpenDocument,
    Source,
    open_source,
)
from rag.loaders.ocr import Recogniser
from rag.types import Page

_LOADERS = {
    Format.PDF: ("pdf", "open_pdf"),
    Format.DOCX: ("word", "open_docx"),
    Format.PPTX: ("slides", "open_pptx"),
    Format.OPEN_TEXT: ("opendocument", "open_opendocument"),
    Format.OPEN_SLIDES: ("opendocument", "open_opendocument"),
    Format.WORKBOOK: ("sheets", "open_workbook"),
    Format.CSV: ("sheets", "open_csv"),
    Format.EPUB: ("epub", "open_epub"),
    Format.HTML: ("html", "open_html"),
    Format.MHTML: ("mail", "open_mhtml"),
    Format.MAIL: ("mail", "open_mail"),
    Format.MAILBOX: ("mail", "open_mailbox"),
    Format.RTF: ("rtf", "open_rtf"),
    Format.NOTEBOOK: ("notebook", "open_notebook"),
    Format.SUBTITLES: ("subtitles", "open_subtitles"),
    Format.IMAGE: ("images", "open_image"),
    Format.MARKDOWN: ("plain", "open_markdown"),
    Format.RESTRUCTURED: ("plain", "open_restructured"),
    Format.CODE: ("plain", "open_code"),
    Format.TEXT: ("plain", "open_text"),
}


def loader_of(kind: Format) -> Loader:
    """The loader of a format; its module is imported when first asked for."""
    module, function = _LOADERS[kind]
    loader: Loader = getattr(import_module(f"rag.loaders.{module}"), function)
    return loader


def open_document(path: Path, recogniser: Callable[[], Recogniser | None] = ocr.recogniser) -> OpenDocument:
    """What is known of a file at once, and its pages as they are read.

    Raises `DocumentError` here and between pages, and nothing else but bugs of ours; the file is closed with the pages.
    """
    source = open_source(path, recogniser)
    try:
        document = loader_of(detect(source))(source)
    except Exception as error:
        named = _named(error, source)
        source.file.close()
        if named is error:
            raise
        raise named from error
    return OpenDocument(document.info, _watched(source, document.pages))


def _watched(source: Source, pages: Iterator[Page]) -> Iterator[Page]:
    anything = False
    with source.file:
        try:
            for page in pages:
                if page.number > PAGES:
                    raise source.error(TOO_MANY_PAGES, limit=PAGES)
                anything = anything or bool(page.text.strip()) or bool(page.hidden)
                yield page
        except Exception as error:
            named = _named(error, source)
            if named is error:
                raise
            raise named from error
        if source.changed():
            raise source.error(CHANGED)
    if not anything:
        raise source.error(NO_TEXT)


def _named(error: Exception, source: Source) -> Exception:
    """What a person is told. A hostile file makes libraries raise anything: only here is everything caught."""
    if isinstance(error, DocumentError):
        return error
    if source.changed():
        return source.error(CHANGED)
    return source.error(TOO_MUCH_MEMORY if isinstance(error, MemoryError) else DAMAGED)
