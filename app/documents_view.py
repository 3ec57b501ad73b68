"""What is said of documents to a person: a file's state, what cannot be seen in it, how passages were chosen.

Qt-free; knows no window and no store. `number` writes a count (a window groups its digits as the person's locale does).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from app.i18n import error_sentence, ntr, tr
from engine.display_name import display_name
from engine.worker.envelope import error_of
from rag.client import LIGHT
from rag.events import EmbeddingProgress, ReadingProgress
from rag.passages import Way
from rag.store.types import FileState, StoredFile
from rag.types import HiddenReason, Unit

Number = Callable[[int], str]
_NAME_CHARACTERS = 60


class Readiness(StrEnum):
    """Where a file stands, with what is under way."""

    WAITING = "waiting"
    READING = "reading"
    BY_WORDS = "by words"
    """Read, but not all of its passages can be found by meaning yet."""
    READY = "ready"
    UNREACHABLE = "unreachable"
    """Its folder or drive is not there just now; what was read of it serves."""
    EMPTY = "empty"
    """Read, and there was no text in it."""
    FAILED = "failed"


def readiness(file: StoredFile, reading: ReadingProgress | None = None) -> Readiness:
    """`reading` is the progress of this file while it is being read."""
    if not file.reachable:
        return Readiness.UNREACHABLE
    if file.state is FileState.FAILED:
        return Readiness.FAILED
    if file.state is FileState.WAITING:
        return Readiness.READING if reading is not None else Readiness.WAITING
    if not file.n_chunks:
        return Readiness.EMPTY
    return Readiness.BY_WORDS if file.n_unembedded else Readiness.READY


def state_sentence(file: StoredFile, reading: ReadingProgress | None = None, *, number: Number = str) -> str:
    """ "Reading, 34 of 120 pages"."""
    match readiness(file, reading):
        case Readiness.FAILED:
            reason = error_sentence(error_of(file.fault)) if file.fault is not None else tr("the reason is not known.")
            return tr("Could not be read: {reason}", reason=reason)
        case Readiness.UNREACHABLE:
            if file.n_chunks:
                return tr("Not reachable just now; what was read of it can be asked")
            return tr("Not reachable just now")
        case Readiness.READING:
            assert reading is not None
            return reading_sentence(reading, number=number)
        case Readiness.WAITING:
            return tr("Changed, waiting to be read again") if file.n_chunks else tr("Waiting")
        case Readiness.EMPTY:
            return tr("Read, but there is no text in it")
        case Readiness.BY_WORDS:
            return ntr(
                "Ready by words; {number} passage still to be learned by meaning",
                "Ready by words; {number} passages still to be learned by meaning",
                file.n_unembedded,
                number=number(file.n_unembedded),
            )
        case Readiness.READY:
            return tr("Ready")


def reading_sentence(reading: ReadingProgress, *, number: Number = str) -> str:
    """ "Reading, 34 of 120 pages"; of a recording "Listening, 12 of 58 minutes"."""
    if reading.unit is Unit.TIME:
        return _listening_sentence(reading, number)
    if reading.of_pages:
        return ntr(
            "Reading, {done} of {number} page",
            "Reading, {done} of {number} pages",
            reading.of_pages,
            done=number(reading.n_pages),
            number=number(reading.of_pages),
        )
    if not reading.n_pages:
        return tr("Reading")
    return ntr(
        "Reading, {number} page so far",
        "Reading, {number} pages so far",
        reading.n_pages,
        number=number(reading.n_pages),
    )


def _listening_sentence(reading: ReadingProgress, number: Number) -> str:
    if reading.of_pages:
        return ntr(
            "Listening, {done} of {number} minute",
            "Listening, {done} of {number} minutes",
            reading.of_pages,
            done=number(reading.n_pages),
            number=number(reading.of_pages),
        )
    if not reading.n_pages:
        return tr("Listening")
    return ntr(
        "Listening, {number} minute so far",
        "Listening, {number} minutes so far",
        reading.n_pages,
        number=number(reading.n_pages),
    )


def pages_text(unit: Unit, n_pages: int, *, number: Number = str) -> str:
    """ "120 pages", "" where a document has no pages worth counting."""
    count, written = n_pages, number(n_pages)
    if not n_pages:
        return ""
    match unit:
        case Unit.PAGE:
            return ntr("{number} page", "{number} pages", count, number=written)
        case Unit.SLIDE:
            return ntr("{number} slide", "{number} slides", count, number=written)
        case Unit.SHEET:
            return ntr("{number} sheet", "{number} sheets", count, number=written)
        case Unit.CHAPTER:
            return ntr("{number} chapter", "{number} chapters", count, number=written)
        case Unit.MAIL:
            return ntr("{number} message", "{number} messages", count, number=written)
        case Unit.CELL:
            return ntr("{number} cell", "{number} cells", count, number=written)
        case Unit.TEXT | Unit.TIME:
            return ""


def files_text(n_files: int, *, number: Number = str) -> str:
    return ntr("{number} file", "{number} files", n_files, number=number(n_files))


def hidden_sentence(n_words: int, *, number: Number = str) -> str:
    """ "38 words in this file cannot be seen"."""
    return ntr(
        "{number} word in this file cannot be seen",
        "{number} words in this file cannot be seen",
        n_words,
        number=number(n_words),
    )


def hidden_on_page_sentence(n_words: int, *, number: Number = str) -> str:
    """The same, of one page, with what is done about it."""
    return ntr(
        "{number} word on this page cannot be seen. The model is not given it.",
        "{number} words on this page cannot be seen. The model is not given them.",
        n_words,
        number=number(n_words),
    )


def reason_text(reason: HiddenReason) -> str:
    """Why words cannot be seen."""
    return {
        HiddenReason.INVISIBLE: tr("marked or drawn so that it is not shown"),
        HiddenReason.SAME_COLOUR: tr("in the colour of what lies behind it"),
        HiddenReason.TINY: tr("too small to be read"),
        HiddenReason.OFF_PAGE: tr("outside the page"),
        HiddenReason.COVERED: tr("covered by something else"),
        HiddenReason.CHARACTERS: tr("characters that have no shape"),
    }[reason]


def way_sentence(way: Way, n_passages: int, n_searched: int, *, by_meaning: bool = True, number: Number = str) -> str:
    """How the passages for an answer were chosen."""
    match way:
        case Way.WHOLE:
            return tr("The documents are short and went in whole")
        case Way.NOTHING:
            return (
                tr("Your documents do not say; these passages are the nearest")
                if n_passages
                else (tr("Your documents do not say"))
            )
        case Way.INVENTORY:
            return tr("Answered from the list of your documents")
        case Way.EXHAUSTIVE:
            return tr("Every place with these words was looked up")
        case Way.STEPS:
            if n_passages < n_searched:
                return tr(
                    "{read} of {number} parts, evenly spread, were read one after another",
                    read=number(n_passages),
                    number=number(n_searched),
                )
            return tr("The documents were read whole, one part after another")
        case Way.SIDE_BY_SIDE:
            if n_passages < n_searched:
                return tr(
                    "{read} of {number} parts were read, each document by itself, and Hearth laid the notes side"
                    " by side",
                    read=number(n_passages),
                    number=number(n_searched),
                )
            return tr("Each document was read whole by itself, and Hearth laid the notes side by side")
        case Way.PASSAGES:
            read = ntr(
                "{read} of {number} passage was read",
                "{read} of {number} passages were read",
                n_searched,
                read=number(n_passages),
                number=number(n_searched),
            )
            return read if by_meaning else tr("{sentence}, found by words alone", sentence=read)


def work_sentence(
    name: str,
    reading: ReadingProgress | None,
    n_waiting: int,
    embedding: EmbeddingProgress | None,
    *,
    number: Number = str,
) -> str:
    """What the library is doing, "" when it rests: a file called `name` is being read, `n_waiting` are to be read."""
    pieces = []
    if reading is not None and name:
        pieces.append(f"{name}: {reading_sentence(reading, number=number)}")
    if n_waiting > 1 or (n_waiting and not pieces):
        pieces.append(ntr("{number} file to be read", "{number} files to be read", n_waiting, number=number(n_waiting)))
    if embedding is not None and embedding.n_left and embedding.anew:
        pieces.append(anew_sentence(embedding, number=number))
    elif embedding is not None and embedding.n_left:
        pieces.append(
            ntr(
                "{left} of {number} passage still to be learned by meaning",
                "{left} of {number} passages still to be learned by meaning",
                embedding.n_all,
                left=number(embedding.n_left),
                number=number(embedding.n_all),
            )
        )
    return " · ".join(pieces)


def anew_sentence(embedding: EmbeddingProgress, *, number: Number = str) -> str:
    """Another embedder learns all passages, while the old one serves."""
    return tr(
        "Learning your documents anew: {done} of {number}",
        done=number(embedding.n_all - embedding.n_left),
        number=number(embedding.n_all),
    )


def embedder_name(choice: str) -> str:
    """A choice of embedder as a person knows it: the end of a path, or the light one's name."""
    return tr("The light one that comes with Hearth") if choice == LIGHT else display_name(Path(choice).name or choice)


def text_name(text: str) -> str:
    """What a pasted text is called: its first words."""
    first = next((row.strip() for row in text.splitlines() if row.strip()), "")
    name = display_name(" ".join(first.split())[:_NAME_CHARACTERS]).strip()
    return name or tr("Pasted text")
