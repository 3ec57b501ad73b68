"""What the transcript keeps of a message, with or without a widget, and what drawing one needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.document_addresses import NO_DOCUMENTS, DocumentAddresses
from app.store.types import SourcesPart, StoredMessage, Summary
from app.ui.markdown.reader import MarkdownReader
from app.ui.math_images import MathImages
from app.ui.message_actions import ALL_ACTIONS, Action
from app.ui.message_formats import Formats
from app.ui.message_live import LiveAnswer
from app.ui.pictures import Pictures
from app.ui.theme import TextSize, Theme

if TYPE_CHECKING:
    from app.ui.message_widget import MessageWidget


@dataclass(frozen=True, slots=True)
class Kit:
    """What drawing needs, for one theme at one zoom."""

    theme: Theme
    reader: MarkdownReader
    maths: MathImages
    formats: Formats
    quiet: Formats
    pictures: Pictures | None = None
    allowed: Collection[Action] = ALL_ACTIONS

    @classmethod
    def make(
        cls,
        theme: Theme,
        reader: MarkdownReader,
        maths: MathImages,
        pictures: Pictures | None = None,
        allowed: Collection[Action] = ALL_ACTIONS,
    ) -> Kit:
        quiet = Formats(theme, size=TextSize.BODY, muted=True)
        return cls(theme, reader, maths, Formats(theme), quiet, pictures, allowed)


@dataclass(slots=True, eq=False)
class Entry:
    """A message and what is remembered of its view when the view is gone. Heights and tops in pixels."""

    message: StoredMessage
    live: LiveAnswer | None = None
    view: MessageWidget | None = None
    height: int = 0
    is_measured: bool = False
    top: int = 0
    shows_thoughts: bool = False
    shows_all: bool = False
    ended_early: bool = False
    is_covered: bool = False
    """A summary stands for it."""
    summary: Summary | None = None
    """The one whose last message this is."""
    n_covered: int = 0
    """How many messages that summary stands for."""
    sources: SourcesPart | None = None
    """What was found in the documents for the question that this answers."""
    addresses: DocumentAddresses = NO_DOCUMENTS
    """Those that documents have brought into the chat before it."""
    following: tuple[DocumentAddresses, StoredMessage, DocumentAddresses] | None = None
    """Of a question: the addresses before it, the message, and the addresses that these two make."""
    is_read: bool = False
    """It is being read aloud."""
