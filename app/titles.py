"""Titles that nobody typed: at once the first words of the question, later a few words by the model.

Never replaces a title that a person gave. Knows no window.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING

from app.asides import LEAST_PARAMS, Asides, collected
from app.events import ChatEvent, StoreChanged
from app.prompt_source import Dress, PromptSource, nobody
from app.settings import Settings
from app.store.types import AttachmentPart, ImagePart
from engine.context.segments import Role
from engine.engine import Engine, EngineStatus
from engine.types import FinishReason, SamplingParams

if TYPE_CHECKING:
    from app.store.store import ConversationStore

TITLE_LENGTH = 60
"""Characters."""
_SHORTEST_USEFUL = 3
_SHORT_QUESTION = 24
"""Characters. A question as short as this names its chat as well as any title could."""
_INSTRUCTION = (
    "Give this conversation a title of two to six words, in the language of the conversation. "
    "Write the title only, without quotation marks."
)
_SAMPLING = SamplingParams(temperature=0.0, max_tokens=24, stop=("\n",))
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


class TitleMaker:
    """Asks the model for titles, one at a time a conversation, as background work. Called on the store's thread."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        settings: Settings,
        publish: Callable[[ChatEvent], None],
        *,
        store_pool: Executor,
        dress: Dress = nobody,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._store_pool = store_pool
        self._dress = dress
        self._asides = Asides()

    def consider(self, conversation_id: str) -> None:
        """Ask for a title if this conversation has had its first answer and nobody has named it yet."""
        source = self._source(conversation_id)
        cancel = self._asides.begin(conversation_id) if source is not None else None
        if source is not None and cancel is not None:
            request = source.wish("title", _INSTRUCTION, self._settings, _SAMPLING)
            self._engine.submit(request, cancel, collected(partial(self._answered, conversation_id)))

    def close(self) -> None:
        """Ask for nothing more; what is asked is cancelled."""
        self._asides.close()

    def _answered(self, conversation_id: str, answer: str, reason: FinishReason | None) -> None:
        """The engine's thread."""
        self._asides.end(conversation_id)
        whole = reason not in (None, FinishReason.CANCELLED)
        title = clean_title(answer) if whole else ""
        if title and not self._asides.closed:
            self._store_pool.submit(self._take, conversation_id, title)

    def _take(self, conversation_id: str, title: str) -> None:
        if self._source(conversation_id) is not None:  # The person may have named it meanwhile.
            self._publish(StoreChanged(self._store.rename(conversation_id, title, automatic=True)))

    def _source(self, conversation_id: str) -> PromptSource | None:
        """The conversation, where a title is wanted for it."""
        state = self._engine.state
        if state.status is not EngineStatus.READY or state.model is None or state.model.n_params < LEAST_PARAMS:
            return None
        if not self._settings.flag("chat.automatic_titles"):
            return None
        source = PromptSource.read(self._store, conversation_id, self._dress)
        question = next((message for message in source.path if message.role is Role.USER), None)
        if question is None or not source.conversation.title_is_automatic:
            return None
        names = [part.name for part in question.parts if isinstance(part, AttachmentPart | ImagePart)]
        provisional = provisional_title(question.text, names)
        if source.conversation.title not in ("", provisional) or len(question.text) <= _SHORT_QUESTION:
            return None
        return source
