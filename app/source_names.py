"""What a person calls a place in a document: "manual.pdf, page 12", "meeting.mp3, 12:34". Knows no store, no window."""

from __future__ import annotations

from pathlib import PurePath

from app.amounts import clock_text
from app.i18n import tr
from app.shown_names import shown_name
from app.store.types import SourcePassage
from rag.types import Unit


def file_name(path: str) -> str:
    """The last part of a path, whichever system wrote it, as it can stand in a line."""
    return shown_name(PurePath(path).name or path)


def place_name(passage: SourcePassage) -> str:
    """File and page of a passage."""
    return _joined(
        file_name(passage.path), page_name(passage.unit, passage.page, passage.page_label, passage.first_line)
    )


def page_name(unit: str, page: int, label: str, first_line: int) -> str:
    """The page alone, "" where a document has none worth naming."""
    label = shown_name(label)
    match unit:
        case Unit.PAGE:
            return tr("page {number}", number=label or page)
        case Unit.SLIDE:
            return tr("slide {number}", number=label or page)
        case Unit.SHEET:
            sheet = label or str(page)
            return tr("sheet {name}, row {number}", name=sheet, number=first_line) if first_line > 1 else sheet
        case Unit.CHAPTER:
            return label or tr("chapter {number}", number=page)
        case Unit.MAIL:
            return label or tr("message {number}", number=page)
        case Unit.CELL:
            return tr("cell {number}", number=label or page)
        case Unit.TIME:
            return clock_text(first_line)
        case _:
            return tr("line {number}", number=first_line)


def _joined(name: str, page: str) -> str:
    return f"{name}, {page}" if page else name
