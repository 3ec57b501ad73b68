"""What a search finds, as values that travel to the window. No SQL, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rag.types import Unit


class Way(StrEnum):
    """How the text for an answer was chosen; always shown."""

    WHOLE = "whole"
    """The documents are short: they went in whole."""
    PASSAGES = "passages"
    NOTHING = "nothing"
    """Nothing in the documents is near enough to the question; the nearest come along all the same."""
    INVENTORY = "inventory"
    """A list of documents, for a question about the library itself."""
    EXHAUSTIVE = "exhaustive"
    """Every place that holds the words asked for."""
    STEPS = "steps"
    """Whole documents, read one part after another."""
    SIDE_BY_SIDE = "side by side"
    """The same, each noted by itself, and laid side by side by the program."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of one page's text. Characters [start, end) of the `number`th page, lines [first_line, last_line].

    `score` 0..1 is what it was ranked by; `dense` is the cosine to the question (-1: not known), `lexical` its BM25
    (0: not found by words).
    """

    chunk_id: int
    file_id: int
    blob_id: int
    path: Path
    title: str
    unit: Unit
    page: int
    page_label: str
    start: int
    end: int
    first_line: int
    last_line: int
    section: str
    language: str
    text: str
    score: float = 0.0
    dense: float = -1.0
    lexical: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the best first. `n_searched` passages were looked at; `by_meaning` of them had vectors.

    `confidence` 0..1: how sure it is that an answer is among them.
    """

    way: Way
    passages: tuple[Passage, ...]
    n_searched: int = 0
    by_meaning: bool = True
    confidence: float = 0.0


class Finding(StrEnum):
    """What can be looked for on every page."""

    WORDS = "words"
    DATES = "dates"
    YEARS = "years"
    AMOUNTS = "amounts"
    """Of money."""
    MAIL_ADDRESSES = "mail addresses"
    PHONE_NUMBERS = "phone numbers"
    WEB_ADDRESSES = "web addresses"


@dataclass(frozen=True, slots=True)
class Hit:
    """Words that were looked for, as they stand there; `passage` is the place of their surroundings in `Hits`."""

    text: str
    passage: int


@dataclass(frozen=True, slots=True)
class Hits:
    """What looking through `n_pages` pages of `n_documents` documents found, in the order of documents and pages.

    `n_all` is the count of all hits, of which the first are here. A passage holds the surroundings of one hit or more.
    """

    hits: tuple[Hit, ...]
    passages: tuple[Passage, ...]
    n_all: int
    n_pages: int
    n_documents: int


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """A run of a document's text: from character `start` of one page, its end at `end` where it ends on that page too.

    Labels are the first and the last page's, `first_line` the line that it begins with.
    """

    first_page: int
    last_page: int
    first_label: str
    last_label: str
    first_line: int
    last_line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """A document in parts, or some of its `n_all` parts, evenly spread over it; the first and the last are there."""

    parts: tuple[DocumentPart, ...]
    n_all: int
