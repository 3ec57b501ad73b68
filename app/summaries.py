"""Summaries of older turns, written by the model while nobody waits.

The model is asked as one more turn of the conversation's beginning, so that what it has read stays in its cache. What
it writes is kept beside the messages, which stay. Afterwards the new prompt is read once, so that the next
question is answered at once. Knows no window.
"""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.events import ChatEvent, Notice, SummaryAdded
from app.i18n import tr
from app.prompting import build_request, prompt_messages
from app.settings import Settings
from app.store.summaries import newest_on
from app.store.types import Conversation, MessageState, StoredMessage, Summary
from engine.cancel import CancelToken
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.engine import Engine, EngineStatus
from engine.errors import HearthError
from engine.pages import PromptPlan
from engine.types import Failed, Finished, FinishReason, GenerationRequest, SamplingParams, StreamEvent, TextDelta

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
_LEAST_PARAMS = 300_000_000
"""Smaller models were seen to answer such wishes with nonsense."""
_INSTRUCTION = (
    "Summarise our conversation so far in at most 150 words, so that it can go on from the summary alone. "
    "Keep every name, number, date, decision and open question. Use the language of the conversation. "
    "Write the summary only."
)
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
    conversation: Conversation
    path: tuple[StoredMessage, ...]
    summary: Summary | None
    wanted: bool

    @property
    def covered(self) -> int:
        """How many messages of the path have a summary."""
        if self.summary is None:
            return 0
        return [message.id for message in self.path].index(self.summary.last_message_id) + 1


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
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._store_pool = store_pool
        self._lock = threading.Lock()
        self._open: dict[str, CancelToken] = {}
        self._closed = False

    def consider(self, conversation_id: str, *, wanted: bool = False) -> None:
        """The store's thread: have the older turns summarised where the window is nearly full, or it is `wanted`."""
        subject = self._subject(conversation_id, wanted=wanted)
        if subject is None:
            if wanted:
                self._nothing(conversation_id)
            return
        cancel = CancelToken()
        with self._lock:
            if self._closed or conversation_id in self._open:
                return
            self._open[conversation_id] = cancel
        request = build_request(
            f"plan-{uuid.uuid4().hex}",
            subject.conversation,
            subject.path,
            self._settings,
            summary=subject.summary,
            find=self._store.images.ref,
        )
        self._engine.plan(replace(request, background=True)).add_done_callback(
            lambda planned: self._on_planned(subject, cancel, planned)
        )

    def warm(self, conversation_id: str) -> None:
        """The store's thread: have the prompt that the next question begins with read while nobody waits."""
        path = tuple(self._store.path(conversation_id))
        if not path or path[-1].state is MessageState.STREAMING or self._closed:
            return
        summary = newest_on(path, self._store.summaries(conversation_id))
        conversation = self._store.conversation(conversation_id)
        find = self._store.images.ref
        request = build_request(
            f"warm-{uuid.uuid4().hex}", conversation, path, self._settings, summary=summary, find=find
        )
        self._engine.submit(replace(request, background=True, prefill_only=True), CancelToken(), lambda _event: None)

    def close(self) -> None:
        """Ask for nothing more; what is asked is cancelled."""
        with self._lock:
            self._closed = True
            tokens = list(self._open.values())
        for token in tokens:
            token.cancel()

    def _subject(self, conversation_id: str, *, wanted: bool) -> _Subject | None:
        model = self._engine.state.model
        if self._engine.state.status is not EngineStatus.READY or model is None or not model.can_chat:
            return None
        if not wanted and (model.n_params < _LEAST_PARAMS or self._settings.text("chat.overflow") != "summarise"):
            return None
        path = tuple(self._store.path(conversation_id))
        if not path or path[-1].state is MessageState.STREAMING:
            return None
        summaries = self._store.summaries(conversation_id)
        shown = {message.id for message in path}
        undone = [each for each in summaries if each.undone and each.last_message_id in shown]
        if not wanted and (undone or not _is_full(path[-1])):
            return None  # Who undid a summary wants no other.
        return _Subject(self._store.conversation(conversation_id), path, newest_on(path, summaries), wanted)

    def _on_planned(self, subject: _Subject, cancel: CancelToken, planned: Future[PromptPlan]) -> None:
        """The engine's thread: what it would cost is known."""
        conversation_id = subject.conversation.id
        error = None if planned.cancelled() else planned.exception()
        cut = subject.covered
        if error is None and not planned.cancelled():
            cut = cut_of(subject.path, subject.covered, planned.result(), wanted=subject.wanted)
        elif not isinstance(error, HearthError) and error is not None:
            _log.error("planning a summary failed", exc_info=error)
        if cut <= subject.covered or cancel.cancelled:
            self._end(conversation_id)
            if subject.wanted:
                self._nothing(conversation_id)
            return
        path = subject.path[:cut]
        self._engine.submit(self._request(subject, path), cancel, _Collector(self, subject, path))

    def _request(self, subject: _Subject, path: tuple[StoredMessage, ...]) -> GenerationRequest:
        messages = prompt_messages(subject.conversation, path, self._settings, subject.summary, self._store.images.ref)
        wish = PromptMessage(Role.USER, (Segment(_INSTRUCTION, Origin.APP),))
        return GenerationRequest(
            request_id=f"summary-{uuid.uuid4().hex}",
            messages=(*messages, wish),
            sampling=SamplingParams(temperature=0.2, max_tokens=MAX_TOKENS, seed=0),
            answer_reserve=MAX_TOKENS,
            thinking=False,
            background=True,
            cache_key=subject.conversation.id,
        )

    def answered(self, subject: _Subject, path: tuple[StoredMessage, ...], text: str) -> None:
        """The engine's thread: the model's summary of `path`, "" if there is none."""
        self._end(subject.conversation.id)
        if text and not self._closed:
            self._store_pool.submit(self._take, subject, path, text).add_done_callback(_log_bug)

    def _take(self, subject: _Subject, path: tuple[StoredMessage, ...], text: str) -> None:
        conversation_id = subject.conversation.id
        now = self._store.path(conversation_id)
        if [message.id for message in now[: len(path)]] != [message.id for message in path]:
            return  # Another branch is shown, or something was deleted meanwhile.
        if newest_on(now, self._store.summaries(conversation_id)) != subject.summary:
            return  # The person has changed or undone the summary that this one builds on.
        try:
            summary = self._store.add_summary(conversation_id, path[0].id, path[-1].id, text)
        except HearthError:
            return  # Read-only or a full disk: the chat goes on without, and says so where it matters.
        self._publish(SummaryAdded(summary))
        self.warm(conversation_id)

    def _nothing(self, conversation_id: str) -> None:
        self._publish(Notice(tr("There is nothing to summarise yet."), "info", conversation_id))

    def _end(self, conversation_id: str) -> None:
        with self._lock:
            self._open.pop(conversation_id, None)


def _is_full(answer: StoredMessage) -> bool:
    usage = answer.usage
    if usage is None or not usage.n_ctx:
        return False
    return usage.dropped > 0 or usage.prompt_tokens + usage.completion_tokens > FULL * usage.n_ctx


def _log_bug(future: Future[None]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        _log.error("keeping a summary failed", exc_info=error)


class _Collector:
    """The sink of one summary."""

    def __init__(self, maker: SummaryMaker, subject: _Subject, path: tuple[StoredMessage, ...]) -> None:
        self._maker, self._subject, self._path = maker, subject, path
        self._text: list[str] = []

    def __call__(self, event: StreamEvent) -> None:
        if isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, Finished):
            text = ""
            if event.reason is not FinishReason.CANCELLED:
                text = clean_summary("".join(self._text), whole=event.reason is FinishReason.STOP)
            self._maker.answered(self._subject, self._path, text)
        elif isinstance(event, Failed):
            self._maker.answered(self._subject, self._path, "")
