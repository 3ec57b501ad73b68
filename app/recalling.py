"""Bringing back, into a question, what it needs of messages that have left the context window.

Asks the engine what the prompt would leave out, looks through that, and stores what fits as parts of the question:
there it stays, so that prompts only grow at their end, and the person sees it. Knows no window and no request's end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, TypeVar

from app.events import ChatEvent, PathChanged
from app.future_results import result_or_none
from app.recall import characters_for, out_of_window, recall
from app.settings import Settings
from app.store.types import AttachmentPart, ImagePart, RecallPart, StoredMessage
from engine.context.segments import Role
from engine.engine import Engine
from engine.pages import PromptPlan
from engine.types import GenerationRequest, OverflowPolicy

if TYPE_CHECKING:
    from app.store.store import ConversationStore

LEAST_CHARACTERS_A_TOKEN = 2
"""A conversation with fewer characters than this a token of the window surely fits: nobody is asked."""
IMAGE_CHARACTERS = 4_000
"""What an image counts for in that: models read one as some hundred to two thousand tokens."""

T = TypeVar("T")
Path = tuple[StoredMessage, ...]
_log = logging.getLogger(__name__)


class Recaller:
    """Any thread."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        settings: Settings,
        publish: Callable[[ChatEvent], None],
        *,
        store_pool: Executor,
        pool: Executor,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._store_pool = store_pool
        self._pool = pool

    def may_help(self, path: Path, request: GenerationRequest) -> bool:
        """Whether something of this path may be out of the request's prompt, and may come back."""
        model = self._engine.state.model
        if model is None or not path or not self._settings.flag("chat.recall"):
            return False
        question = path[-1]
        if question.role is not Role.USER or any(isinstance(part, RecallPart) for part in question.parts):
            return False
        if request.continue_last or request.overflow is OverflowPolicy.STOP or not question.text.strip():
            return False
        if any(message.excluded for message in request.messages):
            return True
        return sum(map(_characters, path)) > LEAST_CHARACTERS_A_TOKEN * model.n_ctx

    def find(self, path: Path, request: GenerationRequest, done: Callable[[Path], None]) -> None:
        """Call `done` with the path, its question perhaps holding recalled passages by then. Once, on any thread."""
        planned = self._engine.plan(request)

        def look(plan: PromptPlan) -> tuple[RecallPart, ...]:
            messages = out_of_window(path[:-1], plan)
            return recall(path[-1].text, messages, max_characters=characters_for(plan, messages)) if messages else ()

        def kept(future: Future[StoredMessage]) -> None:
            question = result_or_none(future, _log, "recalling")
            done(path if question is None else (*path[:-1], question))

        def looked(future: Future[tuple[RecallPart, ...]]) -> None:
            parts = result_or_none(future, _log, "recalling")
            if parts:
                self._store_pool.submit(self._keep, path[-1], parts).add_done_callback(kept)
            else:
                done(path)

        def on_planned(future: Future[PromptPlan]) -> None:
            plan = result_or_none(future, _log, "recalling")
            if plan is None or not out_of_window(path[:-1], plan):
                done(path)
            else:
                self._pool.submit(look, plan).add_done_callback(looked)

        planned.add_done_callback(on_planned)

    def _keep(self, question: StoredMessage, parts: tuple[RecallPart, ...]) -> StoredMessage:
        message = self._store.update_message(question.id, parts=(*parts, *question.parts))
        self._publish(PathChanged(message.conversation_id))
        return message


def _characters(message: StoredMessage) -> int:
    files = sum(len(part.text) for part in message.parts if isinstance(part, AttachmentPart))
    images = sum(isinstance(part, ImagePart) for part in message.parts)
    return len(message.text) + files + IMAGE_CHARACTERS * images
