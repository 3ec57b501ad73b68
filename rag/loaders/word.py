"""Word documents (DOCX): headings, paragraphs, tables and notes in reading order; hidden text found by its properties.

Follows ECMA-376 part 1, section 17. A DOCX has no pages of its own, but Word notes where they ended when it last laid
the document out (`lastRenderedPageBreak`, 17.3.1.20): where it did, those are the pages. Knows no other office format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.loaders.archive import open_archive
from rag.loaders.flow import Block, Item, NewPage, Unseen, pages_of
from rag.loaders.limits import XML_BYTES
from rag.loaders.loader import DAMAGED, UNPACKS_TOO_LARGE, OpenDocument, Source
from rag.loaders.sight import TINY_PT, WHITE, Colour, alike, colour_of
from rag.loaders.visible import title_of
from rag.loaders.word_styles import WORD, Face, WordStyles, face_of, shade_of
from rag.types import DocumentInfo, HiddenReason, Unit

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_W = WORD
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PARAGRAPH, _TABLE, _RUN, _ROW, _CELL = (f"{_W}{name}" for name in ("p", "tbl", "r", "tr", "tc"))
_BREAK = f"{_W}lastRenderedPageBreak"
_SKIPPED = frozenset({_FALLBACK, *(f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "sectPr", "delText"))})


def open_docx(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    import docx  # noqa: PLC0415  # a tenth of a second, and only for this format
    from docx.opc.exceptions import OpcError  # noqa: PLC0415  # as above
    from lxml import etree  # noqa: PLC0415  # as above

    with open_archive(source) as archive:
        if any(member.file_size > XML_BYTES for member in archive.infolist() if member.filename.endswith(".xml")):
            raise source.error(UNPACKS_TOO_LARGE)
    source.file.seek(0)
    try:
        document = docx.Document(source.file)
        body = document.element.body
        title = title_of(document.core_properties.title, source.title)
        reader = _Reader(document)
    except (OpcError, KeyError, ValueError, AttributeError, etree.XMLSyntaxError, OSError) as error:
        raise source.error(DAMAGED) from error
    n_breaks = sum(1 for _ in body.iter(_BREAK))
    unit = Unit.PAGE if n_breaks else Unit.TEXT
    return OpenDocument(
        DocumentInfo(title, unit, _MEDIA_TYPE), pages_of(reader.items(body, paged=bool(n_breaks)), unit)
    )


class _Reader:
    def __init__(self, document: Any) -> None:
        self._styles = WordStyles(document.styles.element)
        self._notes = [
            relation.target_part
            for relation in document.part.rels.values()
            if not relation.is_external and relation.reltype.endswith(("/footnotes", "/endnotes"))
        ]
        ground = document.element.find(f"{_W}background")
        told = colour_of(ground.get(f"{_W}color", "")) if ground is not None else None
        self._ground: Colour = told[0] if told else WHITE
        self._paged = False

    def items(self, body: Any, *, paged: bool) -> Iterator[Item]:
        """The document's blocks, its notes at the end."""
        self._paged = paged
        if paged:
            yield NewPage()
        yield from self._blocks(body, known_ground=True)
        for part in self._notes:
            from lxml import etree  # noqa: PLC0415  # see above

            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            try:
                root = etree.fromstring(part.blob, parser)
            except etree.XMLSyntaxError:
                continue  # the text itself is whole
            for note in root:
                if note.get(f"{_W}type") is None:
                    yield from self._blocks(note, known_ground=True)

    def _blocks(self, container: Any, *, known_ground: bool) -> Iterator[Item]:
        for child in container:
            if child.tag == _PARAGRAPH:
                yield from self._paragraph(child, known_ground=known_ground)
            elif child.tag == _TABLE:
                yield from self._table(child)
            elif child.tag not in _SKIPPED and isinstance(child.tag, str):
                yield from self._blocks(child, known_ground=known_ground)  # content controls, insertions

    def _table(self, table: Any) -> Iterator[Item]:
        style = table.find(f"{_W}tblPr/{_W}tblStyle")
        painted = style is not None and self._styles.paint(style.get(f"{_W}val", ""))
        close = False
        for row in table.iter(_ROW):
            if next(row.iterancestors(_TABLE)) is not table:
                continue  # of a table within a cell: read there
            if self._paged:
                for _break in row.iter(_BREAK):
                    yield NewPage()
                    close = False
            cells: list[str] = []
            for cell in row.iter(_CELL):
                if next(cell.iterancestors(_ROW)) is not row:
                    continue
                shade = shade_of(cell.find(f"{_W}tcPr"))
                words: list[str] = []
                for paragraph in cell.iter(_PARAGRAPH):
                    for item in self._paragraph(paragraph, known_ground=not painted, in_table=True, shade=shade):
                        if isinstance(item, Block):
                            words.append(item.text)
                        elif isinstance(item, Unseen):
                            yield item
                cells.append(" ".join(" ".join(words).split()))
            if any(cells):
                yield Block(" | ".join(cells), close=close)
                close = True

    def _paragraph(
        self, paragraph: Any, *, known_ground: bool, in_table: bool = False, shade: str | None = None
    ) -> Iterator[Item]:
        properties = paragraph.find(f"{_W}pPr")
        style = properties.find(f"{_W}pStyle") if properties is not None else None
        name = style.get(f"{_W}val", "") if style is not None else ""
        below = Face(ground=shade)
        below = Face(ground=shade_of(properties)).over(self._styles.face(name)).over(below)
        level = 0 if in_table else self._styles.level(name, properties)
        words: list[str] = []
        for kind, text in self._pieces(paragraph, below, known_ground=known_ground):
            if kind is not None:
                yield Unseen(kind, text)
            elif text == "\f":
                if self._paged and not in_table:
                    if "".join(words).strip():
                        yield Block("".join(words), level)
                    yield NewPage()
                    words = []
            else:
                words.append(text)
        line = "".join(words)
        if line.strip():
            yield Block(line, level)

    def _pieces(self, paragraph: Any, below: Face, *, known_ground: bool) -> Iterator[tuple[HiddenReason | None, str]]:
        """Text of the runs with why it is hidden; "\\f" where a page ended."""
        stack = list(reversed(paragraph))
        while stack:
            element = stack.pop()
            tag = element.tag
            if tag in _SKIPPED or not isinstance(tag, str):
                continue
            if tag == _RUN:
                properties = element.find(f"{_W}rPr")
                face = self._run_face(properties).over(below)
                text, breaks, boxes = _run_text(element)
                if breaks:
                    yield None, "\f"
                if text:
                    yield self._hidden(face, known_ground=known_ground), text
                stack.extend(reversed(boxes))
            elif tag == _PARAGRAPH:
                # Of a text box inside: its own lines, on a ground that only a layout would tell.
                yield None, "\n"
                yield from self._pieces(element, Face(), known_ground=False)
                yield None, "\n"
            else:
                stack.extend(reversed(element))

    def _run_face(self, properties: Any) -> Face:
        if properties is None:
            return Face()
        own = face_of(properties)
        style = properties.find(f"{_W}rStyle")
        return own if style is None else own.over(self._styles.face(style.get(f"{_W}val", "")))

    def _hidden(self, face: Face, *, known_ground: bool) -> HiddenReason | None:
        if face.vanish:
            return HiddenReason.INVISIBLE
        if face.size_pt is not None and face.size_pt < TINY_PT:
            return HiddenReason.TINY
        colour = colour_of(face.colour or "000000")
        if colour is None or (face.ground is None and not known_ground):
            return None
        ground = colour_of(face.ground) if face.ground else None
        behind = ground[0] if ground else self._ground
        return HiddenReason.SAME_COLOUR if alike(colour[0], behind) else None


def _run_text(run: Any) -> tuple[str, bool, list[Any]]:
    """The text of a run, whether a page ended before it, and the text boxes it holds."""
    text: list[str] = []
    breaks = False
    boxes: list[Any] = []
    for child in run:
        name = child.tag.removeprefix(_W) if isinstance(child.tag, str) else ""
        if name == "t":
            text.append(child.text or "")
        elif name in ("tab", "ptab"):
            text.append("\t")
        elif name == "cr" or (name == "br" and child.get(f"{_W}type") != "page"):
            text.append("\n")
        elif name == "noBreakHyphen":
            text.append("-")
        elif name == "lastRenderedPageBreak":
            breaks = True
        elif name not in ("rPr", "instrText", "delText") and child.tag != _FALLBACK:
            boxes.append(child)
    return "".join(text), breaks, boxes
