"""EPUB books: the chapters along the spine, named by the table of contents.

Follows EPUB 3.3 (and 2.0.1 for `toc.ncx`). Chapters are web pages and are read as such.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from rag.loaders.archive import member, open_archive, xml_member
from rag.loaders.flow import Block, Item, NewPage, pages_of
from rag.loaders.html import html_text, items_of, parse
from rag.loaders.limits import PAGES
from rag.loaders.loader import DAMAGED, PROTECTED, OpenDocument, Source
from rag.loaders.visible import title_of
from rag.types import DocumentInfo, Unit

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONT_SCHEMES = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Fonts may be scrambled in a book that is not protected."""
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_PAGE_TYPES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})


def open_epub(source: Source) -> OpenDocument:
    """Raises `DocumentError`, also for books whose chapters are encrypted."""
    archive = open_archive(source)
    names = set(archive.namelist())
    if _ENCRYPTION in names and _chapters_are_encrypted(xml_member(archive, source, _ENCRYPTION)):
        raise source.error(PROTECTED)
    place = next(_all(xml_member(archive, source, _CONTAINER), "rootfile"), None)
    package_name = place.get("full-path", "") if place is not None else ""
    package = xml_member(archive, source, package_name)
    folder = posixpath.dirname(package_name)
    items = {item.get("id"): item for item in _all(package, "item")}
    chapters: list[str] = []
    for reference in _all(package, "itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and item.get("media-type", "") in _PAGE_TYPES:
            name = _path(folder, item.get("href", ""))
            if name in names and name not in chapters:
                chapters.append(name)
    if not chapters or len(chapters) > PAGES:
        raise source.error(DAMAGED)
    labels = _labels(archive, source, items.values(), folder, names)
    title = next((element.text for element in _all(package, "title")), None)

    def blocks() -> Iterator[Item]:
        with archive:
            for name in chapters:
                yield NewPage(labels.get(name, ""))
                text = html_text(member(archive, source, name))
                root = parse(text) if text else None
                if root is not None:
                    yield from _with_heading(items_of(root), labels.get(name, ""))

    info = DocumentInfo(title_of(title, source.title), Unit.CHAPTER, "application/epub+zip", len(chapters))
    return OpenDocument(info, pages_of(blocks(), Unit.CHAPTER))


def _with_heading(items: Iterator[Item], label: str) -> Iterator[Item]:
    """A chapter that begins without a heading but has a name gets its first paragraph of that name as one."""
    first = True
    for item in items:
        if first and isinstance(item, Block):
            first = False
            if not item.level and label and item.text.strip().casefold() == label.casefold():
                yield Block(item.text, 1)
                continue
        yield item


def _labels(archive: Any, source: Source, items: Any, folder: str, names: set[str]) -> dict[str, str]:
    """Chapter -> its first name in the navigation document or in the older `toc.ncx`."""
    found: dict[str, str] = {}
    for item in items:
        name = _path(folder, item.get("href", ""))
        if name not in names:
            continue
        base = posixpath.dirname(name)
        if "nav" in (item.get("properties") or "").split():
            for link in _all(xml_member(archive, source, name), "a"):
                found.setdefault(_path(base, link.get("href", "")), " ".join("".join(link.itertext()).split()))
        elif item.get("media-type") == "application/x-dtbncx+xml":
            for point in _all(xml_member(archive, source, name), "navPoint"):
                text, target = next(_all(point, "text"), None), next(_all(point, "content"), None)
                if text is not None and target is not None:
                    found.setdefault(_path(base, target.get("src", "")), " ".join((text.text or "").split()))
    return found


def _all(root: Any, name: str) -> Iterator[Any]:
    """Elements of a name in any namespace."""
    return iter(root.iter(f"{{*}}{name}"))


def _path(folder: str, reference: str) -> str:
    raw = reference.partition("#")[0].encode("utf-8", "replace")
    address = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), raw).decode("utf-8", "replace")
    return posixpath.normpath(posixpath.join(folder, address)) if address else ""


def _chapters_are_encrypted(root: Any) -> bool:
    methods = [element.get("Algorithm", "") for element in _all(root, "EncryptionMethod")]
    return any(method not in _FONT_SCHEMES for method in methods)
