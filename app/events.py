"""What the chat service tells the faces of the program. Values only; knows no window.

Published from any thread. A face draws itself from these and asks the service for nothing it was just told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.store.types import Changes, StoredMessage, Summary
from app.voice_events import VoiceEvent
from engine.types import StreamEvent
from rag.events import LibraryEvent

if TYPE_CHECKING:
    from app.personas.memory import Fact


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message was committed to the store and is now the end of its conversation's active path.

    For an answer this comes as soon as it is queued, with no parts and state STREAMING.
    """

    message: StoredMessage


@dataclass(frozen=True, slots=True)
class Streamed:
    """One engine event of an answer under way. The terminal one is followed by `MessageFinished`."""

    conversation_id: str
    message_id: str
    event: StreamEvent


@dataclass(frozen=True, slots=True)
class MessageFinished:
    """An answer has ended, for whatever reason; `message` is what the store holds."""

    message: StoredMessage


@dataclass(frozen=True, slots=True)
class PathChanged:
    """The active path of a conversation is another one now, or one of its messages (edited, deleted, pinned ...)."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class SummaryAdded:
    """The model has summarised the older messages of a conversation, and reads the summary instead from now on."""

    summary: Summary


@dataclass(frozen=True, slots=True)
class SummaryChanged:
    """A summary was edited, undone or taken up again."""

    summary: Summary


@dataclass(frozen=True, slots=True)
class StoreChanged:
    """Conversations, folders or titles changed in a way that lists show."""

    changes: Changes


@dataclass(frozen=True, slots=True)
class PersonasChanged:
    """Something on the shelf of personas may be another now, or what was decided about one."""


@dataclass(frozen=True, slots=True)
class FactKept:
    """A question asked a persona to remember something, and it does. `PersonaMemory.undo` takes it back."""

    conversation_id: str
    short_name: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class DocumentsHappened:
    """Something happened in the document library."""

    event: LibraryEvent


@dataclass(frozen=True, slots=True)
class VoiceHappened:
    """Something was heard or spoken, or voice is used for something else now."""

    event: VoiceEvent


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the person, already translated. `level` is "info", "warning" or "error"."""

    text: str
    level: str = "info"
    conversation_id: str | None = None
    setting: str = ""
    """The key of the setting that was wished otherwise, and why it cannot be: it is back to what it was."""


ChatEvent = (
    MessageAdded
    | Streamed
    | MessageFinished
    | PathChanged
    | SummaryAdded
    | SummaryChanged
    | StoreChanged
    | PersonasChanged
    | FactKept
    | DocumentsHappened
    | VoiceHappened
    | Notice
)
