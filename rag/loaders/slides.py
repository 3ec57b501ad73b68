"""PowerPoint presentations (PPTX): titles, texts, tables and notes of each slide. Knows no other office format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.loaders.archive import open_archive
from rag.loaders.flow import Block, Item, NewPage, Unseen, pages_of
from rag.loaders.loader import DAMAGED, OpenDocument, Source
from rag.loaders.sight import FAINT, TINY_PT
from rag.loaders.visible import title_of
from rag.types import DocumentInfo, HiddenReason, Unit

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_GROUP_DEPTH = 20


def open_pptx(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    import pptx  # noqa: PLC0415  # a fifth of a second, and only for this format
    from lxml import etree  # noqa: PLC0415  # as above
    from pptx.exc import PythonPptxError  # noqa: PLC0415  # as above

    open_archive(source).close()
    source.file.seek(0)
    try:
        presentation = pptx.Presentation(source.file)
        title = title_of(presentation.core_properties.title, source.title)
        n_slides = len(presentation.slides)
    except (PythonPptxError, KeyError, ValueError, AttributeError, etree.XMLSyntaxError, OSError) as error:
        raise source.error(DAMAGED) from error
    info = DocumentInfo(title, Unit.SLIDE, _MEDIA_TYPE, n_slides)
    return OpenDocument(info, pages_of(_items(presentation), Unit.SLIDE))


def _items(presentation: Any) -> Iterator[Item]:
    width, height = presentation.slide_width or 0, presentation.slide_height or 0
    for slide in presentation.slides:
        yield NewPage()
        title = slide.shapes.title
        if title is not None:
            yield from _text(title, level=1)
        rest = [shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id]
        for shape in sorted(rest, key=lambda shape: (shape.top or 0, shape.left or 0)):
            if _is_outside(shape, width, height):
                if shape.has_text_frame:
                    yield Unseen(HiddenReason.OFF_PAGE, shape.text_frame.text)
            else:
                yield from _shape(shape, 0)
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
            yield Block(frame.text.replace("\v", "\n"))


def _shape(shape: Any, depth: int) -> Iterator[Item]:
    from pptx.enum.shapes import MSO_SHAPE_TYPE  # noqa: PLC0415  # see above

    if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
        if depth < _GROUP_DEPTH:
            for inner in shape.shapes:
                yield from _shape(inner, depth + 1)
    elif shape.has_text_frame:
        yield from _text(shape)
    elif getattr(shape, "has_table", False):
        for number, row in enumerate(shape.table.rows):
            cells = [" ".join(cell.text.split()) for cell in row.cells]
            if any(cells):
                yield Block(" | ".join(cells), close=number > 0)
    elif getattr(shape, "has_chart", False) and shape.chart.has_title and shape.chart.chart_title.has_text_frame:
        yield Block(shape.chart.chart_title.text_frame.text)


def _text(shape: Any, level: int = 0) -> Iterator[Item]:
    close = False
    for paragraph in shape.text_frame.paragraphs:
        words: list[str] = []
        for child in paragraph._p:  # runs, fields and breaks in their order; the public list leaves fields out
            text = child.findtext(f"{_A}t") or ""
            if child.tag == f"{_A}br":
                words.append("\n")
            elif reason := _hidden(child.find(f"{_A}rPr")):
                yield Unseen(reason, text)
            else:
                words.append(text)
        line = "".join(words)
        if line.strip():
            yield Block(line, level, close)
            close = True


def _hidden(properties: Any) -> HiddenReason | None:
    """What a run says of itself; the ground of a slide is its theme's, so equal colours are not looked for."""
    if properties is None:
        return None
    size = properties.get("sz", "")
    if size.isdigit() and int(size) < 100 * TINY_PT:
        return HiddenReason.TINY
    if properties.find(f"{_A}noFill") is not None:
        return HiddenReason.INVISIBLE
    alpha = properties.find(f"{_A}solidFill/*/{_A}alpha")
    told = alpha.get("val", "") if alpha is not None else ""
    return HiddenReason.INVISIBLE if told.isdigit() and int(told) < 100_000 * FAINT else None


def _is_outside(shape: Any, width: int, height: int) -> bool:
    if None in (shape.left, shape.top, shape.width, shape.height) or not width:
        return False
    return bool(
        shape.left >= width or shape.top >= height or shape.left + shape.width <= 0 or shape.top + shape.height <= 0
    )
