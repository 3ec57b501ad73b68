"""Titles that nobody typed: at once the first words of the question, later a few words by the model.

The model is asked as one more turn of the conversation itself, so that what it has read stays in its cache.
Never replaces a title that a person gave. Knows no window.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.events import ChatEvent, StoreChanged
from app.prompting import prompt_messages
from app.settings import Settings
from app.store.summaries import newest_on
from app.store.types import AttachmentPart, Conversation, ImagePart, StoredMessage, Summary
from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine, EngineStatus
from engine.types import Failed, Finished, FinishReason, GenerationRequest, SamplingParams, StreamEvent, TextDelta

if TYPE_CHECKING:
    from app.store.store import ConversationStore

TITLE_LENGTH = 60
"""Characters."""
_MAX_TOKENS = 24
_SHORTEST_USEFUL = 3
_SHORT_QUESTION = 24
"""Characters. A question as short as this names its chat as well as any title could."""
_LEAST_PARAMS = 300_000_000
"""Smaller models were seen to answer the wish for a title with nonsense; at 0.5 billion they name the topic."""
_INSTRUCTION = (
    "Give this conversation a title of two to six words, in the language of the conversation. "
    "Write the title only, without quotation marks."
)
_LEAD = re.compile(
    r"^\s*(?:[#>*\-–—•\s]+|(?:the\s+)?(?:title|titel|titre|título)\s*(?:is|ist)?\s*:\s*)+", re.IGNORECASE
)
_QUOTES = "\"'`“”„‘’‚«»*_ "


def provisional_title(question: str, attachment_names: Sequence[str] = ()) -> str:
    """The first words of a question, else the first file's name."""
    for line in question.splitlines():
        if any(character.isalnum() for character in line):
            return _shortened(re.sub(r"^[#>*\-\s]+", "", line).strip())
    return _shortened(attachment_names[0]) if attachment_names else _shortened(question.strip())


def clean_title(answer: str) -> str:
    """A title from what the model wrote, one line without marks; "" if there is none in it."""
    lines = [line.strip() for line in answer.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    title = _LEAD.sub("", lines[0]).strip(_QUOTES).rstrip(".:;,").strip(_QUOTES)
    title = "".join(character for character in re.sub(r"\s+", " ", title) if character.isprintable())
    if len(title) < _SHORTEST_USEFUL or not any(character.isalnum() for character in title):
        return ""
    return _shortened(title)


def _shortened(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    if len(text) <= TITLE_LENGTH:
        return text
    cut = text[: TITLE_LENGTH - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > TITLE_LENGTH // 2 else cut).rstrip(" ,;:") + "…"


@dataclass(frozen=True, slots=True)
class _Subject:
    conversation: Conversation
    path: tuple[StoredMessage, ...]
    summary: Summary | None


class TitleMaker:
    """Asks the model for titles, one at a time, as background work. Called on the store's thread."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        settings: Settings,
        publish: Callable[[ChatEvent], None],
        *,
        store_pool: Executor,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._store_pool = store_pool
        self._lock = threading.Lock()
        self._open: dict[str, CancelToken] = {}
        self._closed = False

    def consider(self, conversation_id: str) -> None:
        """Ask for a title if this conversation has had its first answer and nobody has named it yet."""
        subject = self._subject(conversation_id)
        if subject is None:
            return
        cancel = CancelToken()
        with self._lock:
            if self._closed or conversation_id in self._open:
                return
            self._open[conversation_id] = cancel
        self._engine.submit(self._request(subject), cancel, _Collector(self, conversation_id))

    def close(self) -> None:
        """Ask for nothing more; what is asked is cancelled."""
        with self._lock:
            self._closed = True
            tokens = list(self._open.values())
        for token in tokens:
            token.cancel()

    def answered(self, conversation_id: str, answer: str | None) -> None:
        """The engine's thread: the model's title, None if it was cut off."""
        with self._lock:
            self._open.pop(conversation_id, None)
            closed = self._closed
        title = clean_title(answer) if answer is not None else ""
        if title and not closed:
            self._store_pool.submit(self._take, conversation_id, title)

    def _take(self, conversation_id: str, title: str) -> None:
        if self._subject(conversation_id) is not None:  # The person may have named it meanwhile.
            self._publish(StoreChanged(self._store.rename(conversation_id, title, automatic=True)))

    def _subject(self, conversation_id: str) -> _Subject | None:
        """The conversation, where a title is wanted for it."""
        state = self._engine.state
        if state.status is not EngineStatus.READY or state.model is None or state.model.n_params < _LEAST_PARAMS:
            return None
        if not self._settings.flag("chat.automatic_titles"):
            return None
        conversation = self._store.conversation(conversation_id)
        path = tuple(self._store.path(conversation_id))
        question = next((message for message in path if message.role is Role.USER), None)
        if question is None or not conversation.title_is_automatic:
            return None
        names = [part.name for part in question.parts if isinstance(part, AttachmentPart | ImagePart)]
        provisional = provisional_title(question.text, names)
        if conversation.title not in ("", provisional) or len(question.text) <= _SHORT_QUESTION:
            return None
        return _Subject(conversation, path, newest_on(path, self._store.summaries(conversation_id)))

    def _request(self, subject: _Subject) -> GenerationRequest:
        messages = prompt_messages(
            subject.conversation, subject.path, self._settings, subject.summary, self._store.images.ref
        )
        wish = PromptMessage(Role.USER, (Segment(_INSTRUCTION, Origin.APP),))
        return GenerationRequest(
            request_id=f"title-{uuid.uuid4().hex}",
            messages=(*messages, wish),
            sampling=SamplingParams(temperature=0.0, max_tokens=_MAX_TOKENS, stop=("\n",)),
            answer_reserve=_MAX_TOKENS,
            thinking=False,
            background=True,
            cache_key=subject.conversation.id,
        )


class _Collector:
    """The sink of one title."""

    def __init__(self, maker: TitleMaker, conversation_id: str) -> None:
        self._maker = maker
        self._conversation_id = conversation_id
        self._text: list[str] = []

    def __call__(self, event: StreamEvent) -> None:
        if isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, Finished):
            whole = event.reason is not FinishReason.CANCELLED
            self._maker.answered(self._conversation_id, "".join(self._text) if whole else None)
        elif isinstance(event, Failed):
            self._maker.answered(self._conversation_id, None)
