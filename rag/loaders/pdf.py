"""PDF files by PDFium, a page at a time: text, page labels, headings by the outline or by print, hidden text left out.

Pages without text that are pictures are read by character recognition where there is any. Knows no rendering for people
(`rag.loaders.pdf_preview`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from rag.loaders import ocr
from rag.loaders.limits import HEADINGS, OCR_SIDE, PAGES, TITLE_CHARACTERS
from rag.loaders.loader import DAMAGED, PROTECTED, TOO_MANY_PAGES, OpenDocument, Source
from rag.loaders.pdf_headings import printed
from rag.loaders.pdf_layers import may_have_layered_forms
from rag.loaders.pdf_page import PdfPage
from rag.loaders.pdf_sight import hidden_characters, image_share
from rag.loaders.visible import shown, title_of, visible
from rag.types import DocumentInfo, Heading, Hidden, HiddenReason, Page, Unit

_SCAN_CHARACTERS = 16
"""A page with fewer, and with a picture on half of it, is read as a scan; one without any, with a small one already."""
_SCAN_SHARE = 0.5
_WORDLESS_SHARE = 0.05
_RENDER_S = 15.0
_REOPENED = 500
"""Pages after which the file is opened anew: PDFium keeps every object that it has parsed."""
_EMPTIED = re.compile(r"(\r?\n)(?:[ \t]*\r?\n)+")
"""Lines whose words were all hidden; PDFium itself writes no empty ones."""
_PROGRAMS = re.compile(
    r"^(?:Microsoft (?:Word|PowerPoint|Excel) - |untitled$|.{0,3}$)|\.(?:docx?|dvi|tex|indd|qxd)$", re.I
)
"""What programs write where a title should stand."""


def open_pdf(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    document = open_document(source)
    n_pages = len(document)
    if n_pages <= 0:
        document.close()
        raise source.error(DAMAGED)
    if n_pages > PAGES:
        document.close()
        raise source.error(TOO_MANY_PAGES, limit=PAGES)
    told = _PROGRAMS.sub("", document.get_metadata_value("Title"))
    info = DocumentInfo(title_of(told, source.title), Unit.PAGE, "application/pdf", n_pages)
    return OpenDocument(info, _pages(source, document, n_pages))


def open_document(source: Source) -> Any:
    """PDFium's document. Raises `DocumentError`."""
    source.file.seek(0)
    try:
        return pypdfium2.PdfDocument(source.file)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        raise source.error(PROTECTED if locked else DAMAGED) from error


def text_of_page(page: PdfPage) -> tuple[list[str], str, tuple[Hidden, ...]]:
    """The visible characters by index ("" for the others; empty where nothing is hidden), the page's text as it is
    stored, and what is hidden."""
    verdicts = hidden_characters(page)
    if not verdicts:
        text, hidden = visible(page.text().strip())
        return [], text, hidden
    characters = page.characters()
    unseen: dict[HiddenReason, list[str]] = {}
    before = -2
    for index, reason in sorted(verdicts.items()):
        words = unseen.setdefault(reason, [])
        if index != before + 1:
            words.append(" ")
        words.append(characters[index])
        characters[index], before = "", index
    text, hidden = visible(_EMPTIED.sub(r"\1", "".join(characters)).strip())
    found = [Hidden(reason, shown(" ".join("".join(words).split()))) for reason, words in unseen.items()]
    return characters, text, (*found, *hidden)


def _pages(source: Source, document: Any, n_pages: int) -> Iterator[Page]:
    try:
        outline = _outline(document)
        layout = printed(document, n_pages) if not outline else None
        layered = may_have_layered_forms(source.file)
        scan_unread = anything = False
        for index in range(n_pages):
            if index and index % _REOPENED == 0:
                document.close()
                document = open_document(source)
            try:
                page = PdfPage(document, index, layered_forms=layered)
            except ValueError:
                yield Page(index + 1, "")  # one broken page is no reason to lose the others
                continue
            with page:
                _characters, text, hidden = text_of_page(page)
                titles = layout.headings(page) if layout is not None else outline.get(index, [])
                least = _SCAN_SHARE if text else _WORDLESS_SHARE
                if len(text) < _SCAN_CHARACTERS and image_share(page) >= least:
                    read = source.recogniser()
                    scan_unread = scan_unread or read is None
                    if read is not None:
                        text, more = visible(_recognised(page, read) or text)
                        hidden += more
            anything = anything or bool(text)
            yield Page(
                index + 1,
                text,
                _label(document, index),
                headings=_headings(text, titles, outlined=layout is None),
                hidden=hidden,
            )
        if scan_unread and not anything:
            raise ocr.missing(source.name)
    finally:
        document.close()


def _recognised(page: PdfPage, read: ocr.Recogniser) -> str:
    scale = OCR_SIDE / max(page.width, page.height)
    size = max(round(page.width * scale), 1), max(round(page.height * scale), 1)
    pixels = page.render(*size, _RENDER_S)
    return "" if pixels is None else read(pixels)


def _label(document: Any, index: int) -> str:
    """The page's name where it is another than its number ("iv", "A-3")."""
    label = visible(document.get_page_label(index)[:TITLE_CHARACTERS])[0].strip()
    return "" if label == str(index + 1) else label


def _outline(document: Any) -> dict[int, list[tuple[int, str]]]:
    """Page index -> (level, title) of what the table of contents has there; loops and depth are pypdfium2's care."""
    found: dict[int, list[tuple[int, str]]] = {}
    for number, bookmark in enumerate(document.get_toc()):
        if number >= HEADINGS:
            break
        target = bookmark.get_dest()
        index = target.get_index() if target is not None else None
        title = title_of(bookmark.get_title(), "")
        if index is not None and index >= 0 and title:
            found.setdefault(index, []).append((bookmark.level + 1, title))
    return found


def _headings(text: str, titles: list[tuple[int, str]], *, outlined: bool) -> tuple[Heading, ...]:
    """Where titles stand on the page: where their words are found; those of the outline, else where the one before
    stands. What was printed and is not found is hidden."""
    found: list[Heading] = []
    at = 0
    for level, title in titles:
        words = title.split()
        match = None
        for first in (0, 1):  # again without "1.2", which print may set apart
            if len(words) > first:
                pattern = r"\s*".join(re.escape(word) for word in words[first:])
                for place in ("^", ""):  # a line's beginning rather than the same words in a sentence
                    match = match or re.compile(place + pattern, re.I | re.M).search(text, at)
        at = match.start() if match else at
        if match or outlined:
            found.append(Heading(at, level, title))
    return tuple(found)
