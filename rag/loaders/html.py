"""Web pages to text: headings, paragraphs, lists and tables in reading order; scripts and hidden text left out.

Also the reader of the chapters of EPUB books and of e-mails in HTML. Fetches nothing, and knows only the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from engine.decode_text import decode_text
from rag.loaders import css
from rag.loaders.detect import text_of
from rag.loaders.flow import Block, Item, Unseen, pages_of
from rag.loaders.limits import WHOLE_BYTES
from rag.loaders.loader import NO_TEXT, OpenDocument, Source
from rag.loaders.visible import title_of
from rag.types import DocumentInfo, HiddenReason, Unit

_SILENT = frozenset(
    {"script", "style", "template", "head", "object", "embed", "svg", "math", "iframe", "canvas", "audio"}
) | {
    "video",
    "select",
    "datalist",
    "title",
}
_BLOCK_NAMES = (
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr"
    " ul caption"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})
_WORD_CHARACTERS = 300
_MAIN_SHARE = 0.3
_MARKS = "-|¶\n "
"""What stands between words; the pilcrow is the link to a heading in manuals."""
_CLOSE = frozenset({"li", "tr", "dd", "dt", "option"})
_LEVELS = {f"h{level}": level for level in range(1, 7)}
_SPACES = re.compile(r"[ \t\n\r\f]+")
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w:.-]{1,40})|<\?xml[^>]{0,100}encoding=[\"']([\w:.-]{1,40})", re.I
)
_WINDOWS = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}
"""What browsers do with these names (WHATWG Encoding, section 4.2)."""


def open_html(source: Source) -> OpenDocument:
    """A page is read as one text, in parts."""
    text = html_text(source.whole(WHOLE_BYTES))
    if text is None:
        text = text_of(source, WHOLE_BYTES)
    root = parse(text)
    if root is None:
        raise source.error(NO_TEXT)
    info = DocumentInfo(title_of(page_title(root), source.title), Unit.TEXT, "text/html")
    return OpenDocument(info, pages_of(items_of(root), Unit.TEXT))


def html_text(data: bytes) -> str | None:
    """The page's text by its byte order mark, as UTF-8, by what it declares, or by a guess; None where it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # an older page
    declared = _DECLARED.search(data[:4096])
    if declared:
        name = (declared[1] or declared[2]).decode("ascii").lower()
        try:
            return data.decode(_WINDOWS.get(name, name), "replace")
        except (LookupError, UnicodeError):
            pass  # a name that means nothing here
    return decode_text(data)


def parse(text: str) -> Any | None:
    """The page's tree, None where there is nothing in it."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, etree.ParserError, ValueError):
        return None


def page_title(root: Any) -> str:
    found = root.find(".//title")
    return "" if found is None else "".join(found.itertext())


def items_of(root: Any) -> Iterator[Item]:
    """The page's blocks, and what of it cannot be seen."""
    sheet: dict[str, css.Declarations] = {}
    for style in root.iter("style"):
        for selector, body in css.rules(style.text or "").items():
            sheet.setdefault(selector, {}).update(body)
    yield from _Reader(sheet).read(_main_part(root))


def _main_part(root: Any) -> Any:
    """What the page says is its main part, if that is most of it: menus are found with every question otherwise."""
    mains = root.xpath(".//main | .//*[@role='main']")
    if len(mains) != 1:
        return root
    whole, part = (sum(map(len, element.itertext())) for element in (root, mains[0]))
    return mains[0] if part > _MAIN_SHARE * whole else root


class _Reader:
    """Walks a tree without recursion: hostile pages nest deeper than Python does."""

    def __init__(self, sheet: Mapping[str, css.Declarations]) -> None:
        self._sheet = sheet
        self._line: list[str] = []
        self._unseen: dict[HiddenReason, list[str]] = {}
        self._level = 0
        self._close = False
        self._preformatted = 0
        self._cells: list[Any] = []
        """Cells of tables of words that are open; layout is made of cells too, which are read as text."""

    def read(self, root: Any) -> Iterator[Item]:
        look = css.Look()
        for outer in reversed(list(root.iterancestors())):
            look = css.inside(look, self._own(outer, str(outer.tag).lower()))
        looks = [look]
        silent = 0
        for event, element in etree.iterwalk(root, events=("start", "end")):
            tag = element.tag if isinstance(element.tag, str) else ""
            tag = tag.rpartition("}")[2].lower()
            if event == "start":
                if silent or tag in _SILENT:
                    silent += 1
                    continue
                looks.append(css.inside(looks[-1], self._own(element, tag)))
                yield from self._begin(element, tag)
                self._say(element.text, looks[-1])
                continue
            if silent:
                silent -= 1
            else:
                looks.pop()
                yield from self._end(element, tag)
            if not silent and element is not root:
                self._say(element.tail, looks[-1])
        yield from self._flush()

    def _own(self, element: Any, tag: str) -> css.Declarations:
        attributes = element.attrib
        if not attributes and not self._sheet:
            return {}
        own = css.matching(self._sheet, tag, attributes.get("id", ""), attributes.get("class", "").split()[:20])
        if tag == "font" or "bgcolor" in attributes:
            own = own | {
                name: attributes[given]
                for given, name in (("color", "color"), ("bgcolor", "background-color"))
                if given in attributes
            }
        if "style" in attributes:
            own = own | css.declarations(attributes["style"])
        if "hidden" in attributes and attributes["hidden"] != "until-found":
            own = own | {"display": "none"}
        return own

    def _begin(self, element: Any, tag: str) -> Iterator[Item]:
        if tag in _BLOCKS or (tag in _CELLS and not _is_word(element)):
            yield from self._flush()
        elif tag in _CELLS:
            self._cells.append(element)
        if tag == "br":
            self._line.append("\n")
        elif tag in _CLOSE:
            self._close = True
            if tag == "li":
                self._line.append("- ")
        elif tag in _LEVELS:
            self._level = _LEVELS[tag]
        elif tag == "pre":
            self._preformatted += 1

    def _end(self, element: Any, tag: str) -> Iterator[Item]:
        if self._cells and self._cells[-1] is element:
            self._cells.pop()
            self._line.append(" | ")
        elif tag in _BLOCKS or tag in _CELLS:
            yield from self._flush()
        if tag in _CLOSE:
            self._drop_marks()
        elif tag in _LEVELS:
            self._level = 0
        elif tag == "pre":
            self._preformatted -= 1

    def _drop_marks(self) -> None:
        """Forget the marks of an item or a cell that held no words."""
        if not "".join(self._line).strip(_MARKS):
            self._line.clear()

    def _say(self, text: str | None, look: css.Look) -> None:
        if not text:
            return
        if reason := look.hidden:
            if text.strip():
                self._unseen.setdefault(reason, []).append(" ".join(text.split()))
        elif self._preformatted:
            self._line.append(text)
        elif text != "¶":
            self._line.append(_SPACES.sub(" ", text))

    def _flush(self) -> Iterator[Item]:
        for reason, texts in self._unseen.items():
            yield Unseen(reason, " ".join(texts))
        self._unseen.clear()
        if self._cells:
            self._line.append(" ")
            return
        text = "".join(self._line)
        if not self._preformatted:
            text = "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))
        text = text.strip("\n").removeprefix("| ").rstrip().removesuffix(" |").rstrip()
        if text.strip(_MARKS):
            self._line.clear()
            yield Block(text, self._level, self._close)
            self._close = False
        elif not text.strip():
            self._line.clear()


def _is_word(cell: Any) -> bool:
    """True for a cell that holds a few words, and is not there to lay the page out."""
    return cell.find(".//table") is None and sum(map(len, cell.itertext())) <= _WORD_CHARACTERS
