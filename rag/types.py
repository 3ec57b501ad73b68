"""Values of the document wing: what a reader makes of a file, what is kept of it, what a search finds.

Standard library only; no SQL, no format, no behaviour. Character positions count in a page's text as it is stored,
after the border filter (`engine.context.clean`); lines count from 1 within the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What one page of a document is, and so what a citation names."""

    PAGE = "page"
    SLIDE = "slide"
    SHEET = "sheet"
    CHAPTER = "chapter"
    MAIL = "mail"
    """One message of a mailbox."""
    CELL = "cell"
    """Of a notebook."""
    TEXT = "text"
    """One text without pages, perhaps read in parts: a citation names lines."""
    TIME = "time"
    """What is said in a recording, or stands in subtitles: a citation names a time, and lines are counted in seconds
    from the beginning (`rag.transcript`)."""


class HiddenReason(StrEnum):
    """Why words of a file cannot be seen by who looks at it."""

    INVISIBLE = "invisible"
    """Drawn in the mode that draws nothing, fully transparent, or marked as hidden."""
    SAME_COLOUR = "same colour"
    """In the colour of what lies behind it."""
    TINY = "tiny"
    OFF_PAGE = "off page"
    COVERED = "covered"
    """Something opaque was drawn over it."""
    CHARACTERS = "characters"
    """Unicode tags and other characters without a shape."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at character `start` of a page; `level` 1 is the highest."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """Words that cannot be seen; they are in no page's text."""

    reason: HiddenReason
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document: the `number`th (from 1), with `label` where it has a name ("iv", a sheet's).

    `first_line` is the line that the text begins with, where the pages are parts of one text or sheet.
    """

    number: int
    text: str
    label: str = ""
    first_line: int = 1
    headings: tuple[Heading, ...] = ()
    hidden: tuple[Hidden, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is known of a document before its pages are read; `n_pages` None where only reading tells."""

    title: str
    unit: Unit
    media_type: str
    n_pages: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: characters [start, end) of the `page`th page's text, lines [first_line, last_line].

    `section` is the path of headings above it ("Installing > Networks"), `language` an ISO 639-1 code, "" if unknown.
    """

    page: int
    start: int
    end: int
    first_line: int
    last_line: int
    section: str = ""
    language: str = ""
