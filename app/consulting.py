"""Looking a question up in the documents that its conversation names, before the model is asked.

What is found becomes a part of the question: there it stays, so that prompts only grow at their end, and the person
sees it. Knows no window and no request's end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Protocol

from app.document_questions import is_looked_up, search_words
from app.events import ChatEvent, Notice, PathChanged
from app.i18n import error_sentence
from app.settings import Settings
from app.store.types import Conversation, SourcePassage, SourcesPart, StoredMessage
from engine.context.segments import Role
from engine.engine import Engine
from engine.errors import HearthError
from rag.passages import Found, Passage, Way

if TYPE_CHECKING:
    from app.store.store import ConversationStore

CHARACTERS_A_TOKEN = 3.2
"""Of documents, by and large; the engine's budget counts exactly afterwards."""
SHARE_OF_WINDOW = 0.4
"""Of the context window at most, for the passages of one question."""

SURE = 1.0
"""Confidence in what was found that nobody need doubt."""

PATIENCE_S = 30.0
"""How long a question waits for files that were added just before."""

Path = tuple[StoredMessage, ...]
_log = logging.getLogger(__name__)


class DocumentSearch(Protocol):
    """The part of `rag.client.LibraryClient` that is needed here."""

    def search(
        self,
        question: str,
        *,
        most_characters: int,
        collection_ids: tuple[int, ...] | None = None,
        blob_ids: tuple[int, ...] | None = None,
        wait_s: float = 0.0,
    ) -> Future[Found]: ...


class Consultant:
    """Any thread."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        settings: Settings,
        publish: Callable[[ChatEvent], None],
        documents: DocumentSearch,
        *,
        store_pool: Executor,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._documents = documents
        self._store_pool = store_pool

    def may_help(self, conversation: Conversation, path: Path) -> bool:
        """Whether the last message of `path` is a question that the conversation's documents may answer."""
        return bool(conversation.collections) and is_asked(path) and path[-1].sources is None

    def find(self, conversation: Conversation, path: Path, done: Callable[[Path, float], None]) -> None:
        """Call `done` with the path, its question holding what was found by then, and with how sure it is that an
        answer is among that (0..1). Once, on any thread.
        """
        words = search_words(path)
        found = self._documents.search(
            words,
            most_characters=most_characters(self._settings, self._engine),
            collection_ids=conversation.collections,
            wait_s=PATIENCE_S,
        )

        def kept(future: Future[StoredMessage], confidence: float) -> None:
            error = None if future.cancelled() else future.exception()
            if future.cancelled() or error is not None:
                self._tell(error, conversation.id)
                done(path, SURE)
            else:
                done((*path[:-1], future.result()), confidence)

        def searched(future: Future[Found]) -> None:
            error = None if future.cancelled() else future.exception()
            if future.cancelled() or error is not None:
                self._tell(error, conversation.id)
                done(path, SURE)
                return
            result = future.result()
            part = sources_part(result, "" if words == path[-1].text else words)
            # What was looked for is not what was asked, or nothing is known of meaning: then there is no telling.
            is_told = result.by_meaning and result.way is Way.PASSAGES and not part.question
            confidence = result.confidence if is_told else SURE
            self._store_pool.submit(self._keep, path[-1], part).add_done_callback(
                lambda future: kept(future, confidence)
            )

        found.add_done_callback(searched)

    def _keep(self, question: StoredMessage, part: SourcesPart) -> StoredMessage:
        message = self._store.update_message(question.id, parts=(part, *question.parts))
        self._publish(PathChanged(message.conversation_id))
        return message

    def _tell(self, error: BaseException | None, conversation_id: str) -> None:
        """The question is answered all the same, and the person knows from what it is not."""
        if isinstance(error, HearthError):
            self._publish(Notice(error_sentence(error), "warning", conversation_id))
        elif error is not None:
            _log.error("looking a question up failed", exc_info=error)


def is_asked(path: Sequence[StoredMessage]) -> bool:
    """Whether the last message of `path` is a question that is looked up in documents."""
    if not path or path[-1].role is not Role.USER:
        return False
    return is_looked_up(path[-1].text, answered=any(each.role is Role.ASSISTANT for each in path))


def most_characters(settings: Settings, engine: Engine) -> int:
    """Of the passages for one question, as the settings and the present model's window allow."""
    tokens = settings.integer("documents.tokens")
    model = engine.state.model
    if model is not None:
        tokens = min(tokens, int(SHARE_OF_WINDOW * model.n_ctx))
    return int(tokens * CHARACTERS_A_TOKEN)


def sources_part(found: Found, question: str) -> SourcesPart:
    """What a search found, as it is kept with the question."""
    passages = tuple(_kept(passage) for passage in found.passages)
    return SourcesPart(found.way.value, passages, found.n_searched, question, found.by_meaning)


def _kept(passage: Passage) -> SourcePassage:
    return SourcePassage(
        str(passage.path), passage.title, passage.unit.value, passage.page, passage.page_label, passage.first_line,
        passage.last_line, passage.section, passage.text, passage.blob_id, passage.start, passage.end, passage.score,
    )  # fmt: skip
