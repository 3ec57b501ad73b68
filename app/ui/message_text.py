"""A message as text: what is copied, what a screen reader is told. Knows no widget."""

from __future__ import annotations

from app.i18n import tr
from app.store.types import Attached, AttachmentPart, ImagePart, StoredMessage
from app.ui.markdown.plain import plain_blocks
from app.ui.markdown.reader import MarkdownReader
from engine.context.segments import Role


def plain_text(message: StoredMessage, reader: MarkdownReader | None = None) -> str:
    """The words without Markdown's signs (for announcing an answer); a person's own words as they are."""
    if message.role is not Role.ASSISTANT:
        return message.text
    return plain_blocks((reader or MarkdownReader()).read(message.text).blocks)


def speaker(message: StoredMessage) -> str:
    """Who speaks, for accessible names."""
    match message.role:
        case Role.USER:
            return tr("You")
        case Role.ASSISTANT:
            return tr("Answer by {model}", model=message.model) if message.model else tr("Answer")
        case _:
            return tr("Instructions")


def attachments(message: StoredMessage) -> list[Attached]:
    """The files and images of a message."""
    return [part for part in message.parts if isinstance(part, AttachmentPart | ImagePart)]
