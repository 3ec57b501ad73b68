"""What a Markdown text consists of once it is read: a flat list of blocks, each with its place in lists and quotes.

Flat, because each block is laid out by itself: a code block in a list has its own frame and copy button.
Values only; they compare by content, so a view can see which blocks have changed. No HTML: it is text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto


class Style(Flag):
    """How a span is set."""

    PLAIN = 0
    BOLD = auto()
    ITALIC = auto()
    STRIKE = auto()
    CODE = auto()
    RAISED = auto()
    """A footnote's mark."""
    QUIET = auto()
    """Of a citation that was not checked yet. Never comes from the Markdown itself."""


class SpanKind(Enum):
    TEXT = "text"
    MATH = "math"
    """`Span.text` is LaTeX."""
    IMAGE = "image"
    """Never fetched: `text` is the description, `href` the address as written."""
    CITATION = "citation"
    """A source: `text` is its place, `tip` its words. Never comes from the Markdown itself."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style. "\\n" in it is a line break. `href` is an address as written, unchecked."""

    text: str
    style: Style = Style.PLAIN
    href: str = ""
    kind: SpanKind = SpanKind.TEXT
    tip: str = ""
    """Plain text, shown over the span."""


class Level(Enum):
    """One step inwards."""

    LIST = "list"
    QUOTE = "quote"


class Task(Enum):
    """A check box before a list item."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands: the levels around it, outermost first.

    `marker` is what stands before a list item's first block: "•", "3." or "" for a later block of the item.
    `spaced` is False for an item that follows the one before without an empty line.
    """

    levels: tuple[Level, ...] = ()
    marker: str = ""
    task: Task | None = None
    spaced: bool = True


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `heading` is 1 to 6, 0 for body text; `note` for a footnote at the end."""

    spans: tuple[Span, ...]
    place: Place = Place()
    heading: int = 0
    note: bool = False


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Preformatted text. `closed` is False while its end has not come yet."""

    text: str
    language: str = ""
    place: Place = Place()
    closed: bool = True


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Rows of cells, the first one being the head. `alignments` are "left", "center", "right" or ""."""

    rows: tuple[tuple[tuple[Span, ...], ...], ...]
    alignments: tuple[str, ...]
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class MathBlock:
    """A formula on lines of its own, LaTeX."""

    latex: str
    place: Place = Place()
    closed: bool = True


@dataclass(frozen=True, slots=True)
class RuleBlock:
    """A line across."""

    place: Place = Place()


Block = Paragraph | CodeBlock | TableBlock | MathBlock | RuleBlock
