"""Summaries of older turns, written by the model while nobody waits.

What the model writes is kept beside the messages, which stay. Afterwards the new prompt is read once, so that the next
question is answered at once. Knows no window.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from app.asides import LEAST_PARAMS, Asides, collected
from app.events import ChatEvent, Notice, SummaryAdded
from app.future_results import log_failure
from app.i18n import tr
from app.prompt_source import Dress, PromptSource, nobody
from app.settings import Settings
from app.store.types import MessageState, StoredMessage
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.engine import Engine, EngineStatus
from engine.errors import HearthError
from engine.pages import PromptPlan
from engine.types import FinishReason, SamplingParams

if TYPE_CHECKING:
    from app.store.store import ConversationStore

FULL = 0.7
"""Of the window: a conversation that uses more is summarised."""
KEPT = 0.3
"""Of the window: what the turns that stay word for word may use."""
KEPT_TURNS = 2
"""At least so many turns stay word for word."""
WORTH = 0.1
"""Of the window: the least that a summary nobody asked for must replace."""
MAX_TOKENS = 280
_WISH_TOKENS = 120
_SHORTEST_USEFUL = 20
"""Characters."""
_INSTRUCTION = (
    "Summarise our conversation so far in at most 150 words, so that it can go on from the summary alone. "
    "Keep every name, number, date, decision and open question. Use the language of the conversation. "
    "Write the summary only."
)
_SAMPLING = SamplingParams(temperature=0.2, max_tokens=MAX_TOKENS, seed=0)
_LEAD = re.compile(r"^\W*(?:summary|zusammenfassung|résumé|resumen)\b[^:\n]{0,40}[:\n][\s*]*", re.IGNORECASE)
_log = logging.getLogger(__name__)


def clean_summary(answer: str, *, whole: bool) -> str:
    """A summary from what the model wrote; "" if there is none in it. One that is not `whole` ends with a sentence."""
    text = _LEAD.sub("", answer).strip()
    if not whole:
        end = max(text.rfind(mark) for mark in (". ", ".\n", "。", "! ", "? "))
        text = text[: end + 1] if end > len(text) // 3 else text
    return text if len(text) >= _SHORTEST_USEFUL else ""


def cut_of(path: Sequence[StoredMessage], covered: int, plan: PromptPlan, *, wanted: bool = False) -> int:
    """How many messages of the path a new summary should stand for; `covered` if none is worth its while.

    `covered` messages have a summary already. What stays and what goes is weighed by the plan's pages.
    """
    tokens: dict[str, int] = {}
    for page in plan.pages:
        tokens[page.message_id] = tokens.get(page.message_id, 0) + page.tokens
    weights = [tokens.get(message.id, 0) for message in path]
    starts = [i for i, message in enumerate(path) if message.role is Role.USER and i > covered]
    if len(starts) < KEPT_TURNS + (0 if wanted else 1):
        return covered
    cut = starts[-KEPT_TURNS]
    for start in reversed(starts[:-KEPT_TURNS]):
        if wanted or sum(weights[start:]) > KEPT * plan.n_ctx:
            break
        cut = start
    # What is to be summarised must be readable at once, beside what always stays.
    own = {message.id for message in path}
    always = sum(count for message_id, count in tokens.items() if message_id not in own)
    room = plan.n_ctx - MAX_TOKENS - _WISH_TOKENS - always
    while cut > covered and sum(weights[covered:cut]) > room:
        cut = max((start for start in starts if start < cut), default=covered)
    least = 0 if wanted else WORTH * plan.n_ctx
    return cut if sum(weights[covered:cut]) > least else covered


@dataclass(frozen=True, slots=True)
class _Subject:
    source: PromptSource
    wanted: bool

    @property
    def conversation_id(self) -> str:
        return self.source.conversation.id

    @property
    def covered(self) -> int:
        """How many messages of the path have a summary."""
        path, summary = self.source.path, self.source.summary
        return 0 if summary is None else [message.id for message in path].index(summary.last_message_id) + 1


class SummaryMaker:
    """Asks the model for summaries, one at a time a conversation, as background work."""

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

    def consider(self, conversation_id: str, *, wanted: bool = False) -> None:
        """The store's thread: have the older turns summarised where the window is nearly full, or it is `wanted`."""
        subject = self._subject(conversation_id, wanted=wanted)
        if subject is None:
            if wanted:
                self._nothing(conversation_id)
            return
        cancel = self._asides.begin(conversation_id)
        if cancel is not None:
            request = replace(subject.source.request("plan", self._settings), background=True)
            self._engine.plan(request).add_done_callback(partial(self._on_planned, subject, cancel))

    def warm(self, conversation_id: str) -> None:
        """The store's thread: have the prompt that the next question begins with read while nobody waits."""
        source = PromptSource.read(self._store, conversation_id, self._dress)
        if not source.path or source.path[-1].state is MessageState.STREAMING or self._asides.closed:
            return
        request = replace(source.request("warm", self._settings), background=True, prefill_only=True)
        self._engine.submit(request, CancelToken(), lambda _event: None)

    def close(self) -> None:
        """Ask for nothing more; what is asked is cancelled."""
        self._asides.close()

    def _subject(self, conversation_id: str, *, wanted: bool) -> _Subject | None:
        model = self._engine.state.model
        if self._engine.state.status is not EngineStatus.READY or model is None or not model.can_chat:
            return None
        if not wanted and (model.n_params < LEAST_PARAMS or self._settings.text("chat.overflow") != "summarise"):
            return None
        source = PromptSource.read(self._store, conversation_id, self._dress)
        path = source.path
        if not path or path[-1].state is MessageState.STREAMING:
            return None
        shown = {message.id for message in path}
        if not wanted and (
            not _is_full(path[-1])
            or any(each.undone and each.last_message_id in shown for each in self._store.summaries(conversation_id))
        ):
            return None  # Who undid a summary wants no other.
        return _Subject(source, wanted)

    def _on_planned(self, subject: _Subject, cancel: CancelToken, planned: Future[PromptPlan]) -> None:
        """The engine's thread: what it would cost is known."""
        source, conversation_id = subject.source, subject.conversation_id
        error = None if planned.cancelled() else planned.exception()
        cut = subject.covered
        if error is None and not planned.cancelled():
            cut = cut_of(source.path, subject.covered, planned.result(), wanted=subject.wanted)
        elif not isinstance(error, HearthError) and error is not None:
            _log.error("planning a summary failed", exc_info=error)
        if cut <= subject.covered or cancel.cancelled:
            self._asides.end(conversation_id)
            if subject.wanted:
                self._nothing(conversation_id)
            return
        request = source.wish("summary", _INSTRUCTION, self._settings, _SAMPLING, covering=cut)
        self._engine.submit(request, cancel, collected(partial(self._answered, subject, cut)))

    def _answered(self, subject: _Subject, cut: int, answer: str, reason: FinishReason | None) -> None:
        """The engine's thread: the model has written about the first `cut` messages."""
        self._asides.end(subject.conversation_id)
        ended = reason not in (None, FinishReason.CANCELLED)
        text = clean_summary(answer, whole=reason is FinishReason.STOP) if ended else ""
        if text and not self._asides.closed:
            self._store_pool.submit(self._take, subject.source, cut, text).add_done_callback(
                log_failure(_log, "keeping a summary")
            )

    def _take(self, source: PromptSource, cut: int, text: str) -> None:
        conversation_id, path = source.conversation.id, source.path[:cut]
        now = PromptSource.read(self._store, conversation_id, self._dress)
        if [message.id for message in now.path[:cut]] != [message.id for message in path]:
            return  # Another branch is shown, or something was deleted meanwhile.
        if now.summary != source.summary:
            return  # The person has changed or undone the summary that this one builds on.
        try:
            summary = self._store.add_summary(conversation_id, path[0].id, path[-1].id, text)
        except HearthError:
            return  # Read-only or a full disk: the chat goes on without, and says so where it matters.
        self._publish(SummaryAdded(summary))
        self.warm(conversation_id)

    def _nothing(self, conversation_id: str) -> None:
        self._publish(Notice(tr("There is nothing to summarise yet."), "info", conversation_id))


def _is_full(answer: StoredMessage) -> bool:
    usage = answer.usage
    if usage is None or not usage.n_ctx:
        return False
    return usage.dropped > 0 or usage.prompt_tokens + usage.completion_tokens > FULL * usage.n_ctx
