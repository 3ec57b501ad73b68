"""From a question that is stored to the words that answer it: what is looked up before, and who is asked.

A turn goes through its steps, each of which may take time and ends on whichever thread it likes: the persona's
documents, a question about the library itself, the passages of documents, the model, what earlier messages hold. Then
the engine is asked, or the program answers by itself. Knows no window; does not choose a model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.answer import Answer, failure_of
from app.answers import Answers
from app.chat_needs import ModelSource, PersonaDesk
from app.consulting import SURE, Consultant
from app.events import ChatEvent, PathChanged
from app.i18n import BUG, tr
from app.librarian import Desk, DocumentLibrary, Librarian
from app.prompting import build_request
from app.recalling import Recaller
from app.settings import Settings
from app.store.types import Conversation, Part, SourcesPart, StoredMessage, Summary
from app.weighing import QuestionWeigher, is_in_doubt
from engine.engine import Engine
from engine.errors import HearthError
from engine.types import GenerationRequest, LoadedModel, SamplingParams, StreamEvent
from rag.passages import Way

if TYPE_CHECKING:
    from app.personas.in_use import PersonaInUse
    from app.store.store import ConversationStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """All that a request is built from, and what has been done for it."""

    conversation: Conversation
    path: tuple[StoredMessage, ...]
    answer: Answer
    sampling: SamplingParams | None = None
    continue_last: bool = False
    summary: Summary | None = None
    looked_back: bool = False
    """What the question needs of earlier messages has been looked for."""
    looked_up: bool = False
    """It has been looked up in the documents."""
    is_ordinary: bool = False
    """It is known to be no question about the library itself."""
    confidence: float = SURE
    """How sure the search is that the passages answer it, as long as the model has not been asked."""
    knows_called: bool = False
    """What it calls of the persona's knowledge is in it."""


class Asking:
    """Any thread. `store` is touched on `store_pool` (one thread) only; requests are built on `pool`."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        settings: Settings,
        publish: Callable[[ChatEvent], None],
        answers: Answers,
        *,
        store_pool: Executor,
        pool: Executor,
        models: ModelSource | None,
        documents: DocumentLibrary | None,
        personas: PersonaDesk | None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._answers = answers
        self._store_pool = store_pool
        self._pool = pool
        self._models = models
        self._personas = personas
        self._recaller = Recaller(store, engine, settings, publish, store_pool=store_pool, pool=pool)
        self._weigher = QuestionWeigher(engine)
        self._consultant = self._librarian = None
        if documents is not None:
            self._librarian = Librarian(store, engine, publish, documents, store_pool=store_pool, pool=pool)
            self._consultant = Consultant(store, engine, settings, publish, documents, store_pool=store_pool)

    def begin(self, turn: Turn) -> None:
        """Have the answer of a turn written, or ended with the reason why not. Returns at once."""
        if turn.conversation.persona and self._personas is not None:
            self._run(turn, self._prepare)
        else:
            self._begin(turn)

    def _prepare(self, turn: Turn) -> None:
        assert self._personas is not None
        self._begin(replace(turn, conversation=self._personas.with_documents(turn.conversation)))

    def _begin(self, turn: Turn) -> None:
        if self._needs_no_model(turn):
            self._submit(turn)
        else:
            self._load_and_submit(turn)

    def _load_and_submit(self, turn: Turn) -> None:
        if self._models is None:
            self._submit(turn)
        else:
            self._models.ensure_loaded().add_done_callback(lambda loaded: self._on_loaded(turn, loaded))

    def _on_loaded(self, turn: Turn, loaded: Future[LoadedModel]) -> None:
        """Some model is there, or none can be: from whichever thread found out."""
        error = None if loaded.cancelled() else loaded.exception()
        if error is None and not loaded.cancelled():
            self._submit(turn)
            return
        known = error if isinstance(error, HearthError) else HearthError(BUG)
        if known is not error and error is not None:
            _log.error("loading a model failed", exc_info=error)
        self._fail(turn.answer, known)

    def _submit(self, turn: Turn) -> None:
        """Cleaning and joining long attachments takes time: not on the store's thread."""
        self._run(turn, self._build_and_submit)

    def _run(self, turn: Turn, step: Callable[[Turn], None]) -> None:
        """On the general pool."""

        def built(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:  # A bug must not leave an answer that never ends.
                _log.error("building a request failed", exc_info=error)
                self._fail(turn.answer, HearthError(BUG))

        self._pool.submit(step, turn).add_done_callback(built)

    def _build_and_submit(self, turn: Turn) -> None:
        answer = turn.answer
        if self._is_about_library(turn):
            assert self._librarian is not None
            self._librarian.take(turn.conversation, turn.path, self._desk(turn))
            return
        if self._is_to_be_looked_up(turn):
            assert self._consultant is not None
            self._consultant.find(
                turn.conversation,
                turn.path,
                lambda path, confidence: self._submit(replace(turn, path=path, looked_up=True, confidence=confidence)),
            )
            return
        if self._is_not_in_documents(turn):
            self._answers.say(answer, tr("Your documents do not say."))
            return
        try:
            persona = self._personas.in_use(turn.conversation) if self._personas is not None else None
            turn = self._with_called(turn, persona)
            request = build_request(
                answer.message.id,
                turn.conversation,
                turn.path,
                self._settings,
                sampling=turn.sampling,
                continue_last=turn.continue_last,
                summary=turn.summary,
                find=self._store.images.ref,
                persona=persona,
            )
            if not turn.looked_back and self._recaller.may_help(turn.path, request):
                self._recaller.find(
                    turn.path, request, lambda path: self._submit(replace(turn, path=path, looked_back=True))
                )
            elif self._is_to_be_weighed(turn):
                self._weigh(turn, request)
            elif answer.hand_over():
                self._engine.submit(request, answer.cancel, lambda event: self._answers.take(answer, event))
        except HearthError as error:
            self._fail(answer, error)

    def _fail(self, answer: Answer, error: HearthError) -> None:
        self._answers.end_early(answer, failure_of(answer.message.id, error))

    # What a persona knows

    def _with_called(self, turn: Turn, persona: PersonaInUse | None) -> Turn:
        """The turn with what its question calls of the persona's knowledge, which is kept with the question."""
        if persona is None or turn.continue_last or turn.knows_called:
            return turn
        from app.persona_knowledge import keyed_part  # noqa: PLC0415  # most chats have no persona

        model = self._engine.state.model
        part = keyed_part(persona, turn.path, model.n_ctx if model is not None else None)
        path = turn.path
        if part is not None:
            path = self._with_parts(path, (part, *path[-1].parts))
        return replace(turn, path=path, knows_called=True)

    def _with_parts(self, path: tuple[StoredMessage, ...], parts: Sequence[Part]) -> tuple[StoredMessage, ...]:
        """The path, its question stored with these parts. Blocks."""
        return (*path[:-1], self._store_pool.submit(self._keep_parts, path[-1].id, parts).result())

    def _keep_parts(self, message_id: str, parts: Sequence[Part]) -> StoredMessage:
        message = self._store.update_message(message_id, parts=parts)
        self._publish(PathChanged(message.conversation_id))
        return message

    # What documents say

    def _is_about_library(self, turn: Turn) -> bool:
        if self._librarian is None or turn.looked_up or turn.is_ordinary or turn.continue_last:
            return False
        return self._librarian.may_help(turn.conversation, turn.path)

    def _needs_no_model(self, turn: Turn) -> bool:
        if self._librarian is None or turn.continue_last:
            return False
        return self._librarian.needs_no_model(turn.conversation, turn.path)

    def _desk(self, turn: Turn) -> Desk:
        """The ways on for a question that may be about the library itself."""
        answer, answers = turn.answer, self._answers
        return Desk(
            answer.message.id,
            answer.cancel,
            say=lambda words: answers.say(answer, words),
            ask=lambda path: self._submit(replace(turn, path=path, looked_up=True)),
            ordinary=lambda: self._load_and_submit(replace(turn, is_ordinary=True)),
            fail=lambda error: self._fail(answer, error),
            end=lambda event: answers.end_early(answer, event),
            tell=lambda event: self._tell(answer, event),
        )

    def _tell(self, answer: Answer, event: StreamEvent) -> None:
        """Of an event on the way to an answer that is still wanted."""
        if not answer.cancel.cancelled:
            self._answers.take(answer, event)

    def _is_to_be_looked_up(self, turn: Turn) -> bool:
        if self._consultant is None or turn.looked_up or turn.continue_last:
            return False
        return self._consultant.may_help(turn.conversation, turn.path)

    def _is_not_in_documents(self, turn: Turn) -> bool:
        """Nothing near the question was found."""
        sources = turn.path[-1].sources if turn.path else None
        if sources is None or sources.way != Way.NOTHING or turn.continue_last:
            return False
        return self._may_refuse(turn)

    def _may_refuse(self, turn: Turn) -> bool:
        """The person, and the persona, want answers from the documents only."""
        if not self._settings.flag("documents.only"):
            return False
        persona = self._personas.persona(turn.conversation) if self._personas is not None else None
        return persona is None or persona.documents_only

    def _is_to_be_weighed(self, turn: Turn) -> bool:
        if turn.continue_last or not is_in_doubt(turn.confidence, turn.path[-1].text):
            return False
        return self._may_refuse(turn)

    def _weigh(self, turn: Turn, request: GenerationRequest) -> None:
        """Let the model say whether the passages bear on the question; if not, it is not asked for an answer."""

        def weighed(bears: bool) -> None:
            if bears:
                self._submit(replace(turn, confidence=SURE))
            else:
                self._run(turn, self._refuse)

        answer = turn.answer
        self._weigher.weigh(request, answer.cancel, tell=lambda event: self._tell(answer, event), done=weighed)

    def _refuse(self, turn: Turn) -> None:
        """From here on it is a question to which nothing near was found."""
        parts = tuple(
            replace(part, way=Way.NOTHING) if isinstance(part, SourcesPart) else part for part in turn.path[-1].parts
        )
        self._submit(replace(turn, path=self._with_parts(turn.path, parts), confidence=SURE))
