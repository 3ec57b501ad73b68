"""OpenDocument texts and presentations (ODT, ODP): headings, paragraphs, lists, tables, notes, in reading order.

Follows OpenDocument 1.3 part 3. Where the program that wrote a text noted its pages (`text:soft-page-break`), those are
the pages. Read with zipfile and lxml under the caps of `rag.loaders.archive`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.loaders.archive import open_archive, xml_member
from rag.loaders.flow import Block, Item, NewPage, Unseen, pages_of
from rag.loaders.loader import DAMAGED, PROTECTED, OpenDocument, Source
from rag.loaders.sight import TINY_PT, WHITE, alike, colour_of, points_of
from rag.loaders.visible import title_of
from rag.types import DocumentInfo, HiddenReason, Unit

_NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "presentation": "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
}
_T, _TB, _D, _S, _F, _P = (f"{{{_NAMES[key]}}}" for key in ("text", "table", "draw", "style", "fo", "presentation"))
_SKIPPED = frozenset(
    {f"{_T}tracked-changes", f"{_T}sequence-decls", f"{_T}bookmark-start", f"{{{_NAMES['office']}}}annotation"}
)
_HIDDEN_TAGS = frozenset({f"{_T}hidden-text", f"{_T}hidden-paragraph"})
_SPACES_AT_ONCE = 100
_STYLE_DEPTH = 12


def open_opendocument(source: Source) -> OpenDocument:
    """Raises `DocumentError`."""
    with open_archive(source) as archive:
        names = set(archive.namelist())
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise source.error(PROTECTED)
        content = xml_member(archive, source, "content.xml")
        styles = [xml_member(archive, source, "styles.xml")] if "styles.xml" in names else []
        meta = xml_member(archive, source, "meta.xml") if "meta.xml" in names else None
    body = content.find("office:body", _NAMES)
    inner = next(iter(body), None) if body is not None else None
    if inner is None:
        raise source.error(DAMAGED)
    told = meta.findtext(".//dc:title", None, _NAMES) if meta is not None else None
    reader = _Reader([*styles, content])
    slides = inner.findall("draw:page", _NAMES)
    if slides:
        unit, n_pages, items = Unit.SLIDE, len(slides), reader.slides(slides)
    else:
        paged = inner.find(".//text:soft-page-break", _NAMES) is not None
        unit, n_pages, items = Unit.PAGE if paged else Unit.TEXT, None, reader.text(inner, paged=paged)
    media = "presentation" if slides else "text"
    info = DocumentInfo(title_of(told, source.title), unit, f"application/vnd.oasis.opendocument.{media}", n_pages)
    return OpenDocument(info, pages_of(items, unit))


class _Reader:
    def __init__(self, roots: list[Any]) -> None:
        self._styles = {
            style.get(f"{_S}name"): style
            for root in roots
            for style in root.iter(f"{_S}style")
            if style.get(f"{_S}name")
        }
        self._hidden: dict[str, HiddenReason | None] = {}
        self._paged = False

    def text(self, body: Any, *, paged: bool) -> Iterator[Item]:
        """A text document's blocks."""
        self._paged = paged
        if paged:
            yield NewPage()
        yield from self._blocks(body)

    def slides(self, slides: list[Any]) -> Iterator[Item]:
        """Each slide, its notes at the end."""
        for slide in slides:
            yield NewPage(slide.get(f"{_D}name", ""))
            for shape in slide:
                notes = shape.tag == f"{_P}notes"
                level = 1 if shape.get(f"{_P}class") == "title" else 0
                for item in self._blocks(shape):
                    if isinstance(item, Block) and not notes and level:
                        yield Block(item.text, level)
                    else:
                        yield item

    def _blocks(self, container: Any) -> Iterator[Item]:
        for child in container:
            tag = child.tag
            if tag in _SKIPPED or not isinstance(tag, str):
                continue
            if tag in (f"{_T}p", f"{_T}h"):
                yield from self._paragraph(child)
            elif tag == f"{_T}soft-page-break":
                if self._paged:
                    yield NewPage()
            elif tag == f"{_T}list":
                yield from self._list(child)
            elif tag == f"{_TB}table":
                yield from self._table(child)
            else:
                yield from self._blocks(child)

    def _list(self, element: Any) -> Iterator[Item]:
        for item in element:
            first = True
            for inner in self._blocks(item):
                if isinstance(inner, Block) and not inner.text.startswith("- "):
                    yield Block(f"- {inner.text}" if first else inner.text, inner.level, close=True)
                    first = False
                else:
                    yield inner

    def _table(self, table: Any) -> Iterator[Item]:
        close = False
        for row in table.iter(f"{_TB}table-row"):
            if next(row.iterancestors(f"{_TB}table")) is not table:
                continue
            cells: list[str] = []
            for cell in row.findall("table:table-cell", _NAMES):
                words: list[str] = []
                for item in self._blocks(cell):
                    if isinstance(item, Block):
                        words.append(item.text)
                    elif isinstance(item, Unseen):
                        yield item
                cells.append(" ".join(" ".join(words).split()))
            if any(cells):
                yield Block(" | ".join(cells), close=close)
                close = True

    def _paragraph(self, paragraph: Any) -> Iterator[Item]:
        told = paragraph.get(f"{_T}outline-level", "1")
        level = (int(told) if told.isdigit() and len(told) < 3 else 1) if paragraph.tag == f"{_T}h" else 0
        words: list[str] = []
        later: list[Any] = []
        for reason, text in self._pieces(paragraph, None, later):
            if reason is not None:
                yield Unseen(reason, text)
            elif text == "\f":
                if self._paged:
                    if "".join(words).strip():
                        yield Block("".join(words), level)
                    yield NewPage()
                    words = []
            else:
                words.append(text)
        line = "".join(words)
        if line.strip():
            yield Block(line, level)
        for box in later:
            yield from self._blocks(box)

    def _pieces(
        self, element: Any, outer: HiddenReason | None, later: list[Any]
    ) -> Iterator[tuple[HiddenReason | None, str]]:
        own = self._style(element.get(f"{_T}style-name", "")) or outer
        if element.tag in _HIDDEN_TAGS:
            own = HiddenReason.INVISIBLE
        if element.text:
            yield own, element.text
        for child in element:
            tag = child.tag
            if tag == f"{_T}s":
                count = child.get(f"{_T}c", "1")
                yield own, " " * min(int(count) if count.isdigit() else 1, _SPACES_AT_ONCE)
            elif tag == f"{_T}tab":
                yield own, "\t"
            elif tag == f"{_T}line-break":
                yield own, "\n"
            elif tag == f"{_T}soft-page-break":
                yield None, "\f"
            elif tag in (f"{_D}frame", f"{_D}custom-shape", f"{_T}note"):
                later.append(child)
            elif isinstance(tag, str) and tag not in _SKIPPED:
                yield from self._pieces(child, own, later)
            if child.tail:
                yield own, child.tail

    def _style(self, name: str) -> HiddenReason | None:
        if name not in self._hidden:
            self._hidden[name] = self._look(name)
        return self._hidden[name]

    def _look(self, name: str) -> HiddenReason | None:
        """Why text of a style is hidden, by what the style and those above it say; the first that says it counts."""
        said: dict[str, str] = {}
        at = name
        for _ in range(_STYLE_DEPTH):
            style = self._styles.get(at)
            if style is None:
                break
            for properties in style:
                for key in (f"{_T}display", f"{_F}color", f"{_F}background-color", f"{_F}font-size"):
                    if key in properties.attrib:
                        said.setdefault(key, properties.attrib[key])
            at = style.get(f"{_S}parent-style-name", "")
        if said.get(f"{_T}display") in ("none", "condition"):
            return HiddenReason.INVISIBLE
        size = said.get(f"{_F}font-size", "")
        points = points_of(size, 12.0) if size and not size.endswith("%") else None
        if points is not None and points < TINY_PT:
            return HiddenReason.TINY
        colour, behind = colour_of(said.get(f"{_F}color", "")), colour_of(said.get(f"{_F}background-color", ""))
        ground = behind[0] if behind and behind[1] > 0.5 else WHITE
        # The ground of a slide, a cell or a frame is not looked up: only an explicit colour of a text on white counts.
        return HiddenReason.SAME_COLOUR if colour and alike(colour[0], ground) else None
