"""Values of the conversation store. Standard library only; no SQL, no behaviour.

Ids are opaque strings (32 hex digits), made by the store. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from engine.context.segments import Role
from engine.types import SamplingParams


class MessageState(StrEnum):
    """How a message ended, or that it has not."""

    COMPLETE = "complete"
    STREAMING = "streaming"
    """Being written; found at start-up, it means that the program died and becomes INTERRUPTED."""
    STOPPED = "stopped"
    """The person stopped it."""
    INTERRUPTED = "interrupted"
    """The program or the engine died while it was written; what had come is kept."""
    FAILED = "failed"
    """No (further) answer; `StoredMessage.error` is the sentence."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words of the role itself, Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """What the model thought before it answered, without its marks. `seconds` it took, 0 if unknown."""

    text: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class UnspokenPart:
    """The rest of an answer by speech that was interrupted: nobody heard it, and the model does not know it said so."""

    text: str


@dataclass(frozen=True, slots=True)
class SpokenPart:
    """The question was asked aloud, and its answer is heard: the model is told to be brief."""


@dataclass(frozen=True, slots=True)
class AttachmentPart:
    """A file's text, untrusted. `size` is the file's in bytes."""

    name: str
    text: str
    size: int
    media_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class RecallPart:
    """A passage of an earlier message, found again for a question that came when it had left the window.

    `origin` is whose words they are: "user", "assistant", or "document" (untrusted) for the attached file `name`.
    """

    message_id: str
    text: str
    origin: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image, untrusted. Its bytes are a file (see `app.store.images`) of `size` bytes; `sha256` "" means it is lost.

    `width` and `height` in pixels.
    """

    name: str
    sha256: str
    size: int
    width: int
    height: int
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A passage of a document as the model was given it; untrusted. Its place in its part, from 1, is its number.

    Characters [start, end) of the `page`th page of blob `blob_id` of the library, lines [first_line, last_line].
    `unit` is what a page of it is (`rag.types.Unit`). `score` 0..1.
    """

    path: str
    title: str
    unit: str
    page: int
    page_label: str
    first_line: int
    last_line: int
    section: str
    text: str
    blob_id: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class SourcesPart:
    """What was found in the documents for a question, and how (`way`, a `rag.passages.Way`).

    `question` is what was looked for, "" where that is the message itself. `n_searched` passages were looked at.
    """

    way: str
    passages: tuple[SourcePassage, ...]
    n_searched: int = 0
    question: str = ""
    by_meaning: bool = True


@dataclass(frozen=True, slots=True)
class KeyedPart:
    """Knowledge of the persona of that short name that the question called (see `app.personas.keyed`); untrusted."""

    persona: str
    texts: tuple[str, ...]


Attached = AttachmentPart | ImagePart
"""What a person can add to a message."""
Part = (
    TextPart
    | ReasoningPart
    | UnspokenPart
    | SpokenPart
    | AttachmentPart
    | ImagePart
    | RecallPart
    | SourcesPart
    | KeyedPart
)


@dataclass(frozen=True, slots=True)
class MessageUsage:
    """What an answer cost, for display; times in seconds. `dropped` messages did not fit into the prompt."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    n_ctx: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One node of a conversation's message tree. `position`/`siblings` give `< 2/3 >` (1-based)."""

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    parts: tuple[Part, ...]
    state: MessageState
    created_at: float
    model: str = ""
    usage: MessageUsage | None = None
    error: str = ""
    pinned: bool = False
    position: int = 1
    siblings: int = 1
    excluded: bool = False
    """The person took it out of the model's view."""

    @property
    def text(self) -> str:
        """The words of the role itself, without reasoning and attachments."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def sources(self) -> SourcesPart | None:
        """What was found in the documents for this question."""
        return next((part for part in self.parts if isinstance(part, SourcesPart)), None)

    @property
    def findable(self) -> str:
        """What search finds the message by: its words, and the names of its images."""
        found = []
        for part in self.parts:
            if isinstance(part, TextPart):
                found.append(part.text)
            elif isinstance(part, ImagePart):
                found.append(part.name)
        return "\n\n".join(found)


@dataclass(frozen=True, slots=True)
class Summary:
    """Words that the model reads instead of the messages from the first to the last, while not `undone`.

    `edited`: they are the person's own.
    """

    id: str
    conversation_id: str
    first_message_id: str
    last_message_id: str
    text: str
    created_at: float
    edited: bool = False
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its messages. `title` "" means: not named yet."""

    id: str
    title: str
    title_is_automatic: bool
    created_at: float
    updated_at: float
    folder_id: str | None = None
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()
    active_leaf: str | None = None
    model: str = ""
    system_prompt: str = ""
    sampling: SamplingParams | None = None
    """None: the settings' own."""
    collections: tuple[int, ...] = ()
    """Ids of the document library's, which questions are looked up in."""
    persona: str = ""
    """The short name of the persona that answers, "" for none; it may be gone by now."""
    persona_version: int = 0
    """The number of its saved version, 0 for none."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands unsent in a composer."""

    text: str = ""
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A found title (`message_id` None) or message. `marks` are (start, end) in `snippet` to emphasise."""

    conversation_id: str
    message_id: str | None
    title: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    updated_at: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What an operation changed; views redraw only that. `conversations` are ids."""

    conversations: frozenset[str] = field(default_factory=frozenset)
    conversation_list: bool = False
    folders: bool = False
