"""Conversations and the engine together: what the person does becomes messages, requests and events.

A question is committed before anything else; its answer is a message from the moment it is queued, is saved while
it grows, and ends in one of the states of `MessageState` whatever happens. Several conversations may be answered
in turn. Qt-free; every method may be called from any thread. Knows no window and does not choose a model.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.answer import Answer, Ending, ending_of, failure_of
from app.consulting import Consultant
from app.events import (
    ChatEvent,
    MessageAdded,
    MessageFinished,
    Notice,
    PathChanged,
    StoreChanged,
    Streamed,
    SummaryChanged,
)
from app.i18n import error_sentence, ntr, tr
from app.librarian import Desk, DocumentLibrary, Librarian
from app.prompting import build_request
from app.recalling import Recaller
from app.settings import Settings
from app.store.summaries import covered_by, newest_on
from app.store.types import (
    Attached,
    Changes,
    Conversation,
    ImagePart,
    MessageState,
    Part,
    RecallPart,
    SourcesPart,
    StoredMessage,
    Summary,
    TextPart,
    UnspokenPart,
)
from app.summaries import SummaryMaker
from app.titles import TitleMaker, provisional_title
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.engine import Engine
from engine.errors import ChatError, HearthError, sentence
from engine.types import Failed, Finished, FinishReason, LoadedModel, SamplingParams, StreamEvent, TextDelta
from rag.passages import Way

if TYPE_CHECKING:
    from app.store.store import ConversationStore

AUTOSAVE_S = 0.5
"""A growing answer is saved this often; at least every second is promised."""

T = TypeVar("T")
Publish = Callable[[ChatEvent], None]

_log = logging.getLogger(__name__)
_BUG = sentence("Something went wrong inside Hearth. Details are in the log.")


class ModelSource(Protocol):
    """What the chat needs of the model library."""

    def expected_name(self) -> str:
        """The name of the model that is loaded, or would be loaded now; "" if there is none."""
        ...

    def ensure_loaded(self) -> Future[LoadedModel]:
        """Ends when a model is loaded; fails with the sentence that says what to do."""
        ...


@dataclass(frozen=True, slots=True)
class _Turn:
    """All that a request is built from, read in the transaction's thread."""

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


class ChatService:
    """See the module. `store` is touched on `store_pool` (one thread) only; requests are built on `pool`."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        settings: Settings,
        publish: Publish,
        *,
        store_pool: Executor,
        pool: Executor,
        models: ModelSource | None = None,
        documents: DocumentLibrary | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._store_pool = store_pool
        self._pool = pool
        self._models = models
        self._titles = TitleMaker(store, engine, settings, publish, store_pool=store_pool)
        self._summaries = SummaryMaker(store, engine, settings, publish, store_pool=store_pool)
        self._recaller = Recaller(store, engine, settings, publish, store_pool=store_pool, pool=pool)
        self._consultant = self._librarian = None
        if documents is not None:
            self._librarian = Librarian(store, engine, publish, documents, store_pool=store_pool, pool=pool)
            self._consultant = Consultant(store, engine, settings, publish, documents, store_pool=store_pool)
        self._changed = threading.Condition()
        self._answers: dict[str, Answer] = {}  # by conversation
        self._told_dropped: set[str] = set()
        self._closed = False
        self._autosaver = threading.Thread(target=self._autosave, name="chat-autosave", daemon=True)
        self._autosaver.start()

    # What the person does

    def send(
        self,
        conversation_id: str | None,
        text: str,
        attachments: Sequence[Attached] = (),
        *,
        sampling: SamplingParams | None = None,
    ) -> Future[str]:
        """Add the person's message and have it answered; None starts a conversation.

        The future gives the conversation's id once the message is committed. It fails with `ChatError` while an
        answer of that conversation is under way, and with `StoreError`. `sampling` is for this answer only.
        """
        words = _storable(text)
        if not words.strip() and not attachments:
            raise ValueError("a message needs words or an attachment")

        def begin() -> str:
            self._refuse_lost(attachments)
            conversation = self._conversation_for(conversation_id)
            self._refuse_if_busy(conversation.id)
            question = self._store.add_message(
                conversation.id, parent_id=conversation.active_leaf, role=Role.USER, parts=_parts(words, attachments)
            )
            self._publish(MessageAdded(question))
            if not conversation.title:
                names = [attachment.name for attachment in attachments]
                self._store.rename(conversation.id, provisional_title(words, names), automatic=True)
            self._publish_list(conversation.id)
            self._answer(question, sampling)
            return conversation.id

        return self._in_store(begin)

    def regenerate(self, message_id: str, *, sampling: SamplingParams | None = None) -> Future[str]:
        """Answer again: beside the given answer, or below the given question. Gives the conversation's id."""

        def begin() -> str:
            message = self._store.message(message_id)
            self._refuse_if_busy(message.conversation_id)
            question = message
            if message.role is Role.ASSISTANT:
                if message.parent_id is None:
                    raise ChatError(sentence("There is no question to answer here."))
                question = self._store.message(message.parent_id)
            self._answer(question, sampling, other_branch=True)
            return message.conversation_id

        return self._in_store(begin)

    def edit(self, message_id: str, text: str) -> Future[str]:
        """Change the words of a message. Gives the conversation's id.

        The person's becomes a new branch beside the old one (with its attachments) and is answered; the
        model's is changed in place.
        """
        words = _storable(text)

        def begin() -> str:
            message = self._store.message(message_id)
            self._refuse_if_busy(message.conversation_id)
            others = tuple(part for part in message.parts if not isinstance(part, TextPart | RecallPart | SourcesPart))
            if message.role is Role.USER:
                question = self._store.add_message(
                    message.conversation_id,
                    parent_id=message.parent_id,
                    role=Role.USER,
                    parts=_parts(words, others),
                )
                self._publish(PathChanged(message.conversation_id))
                self._publish(MessageAdded(question))
                self._publish_list(message.conversation_id)
                self._answer(question, None)
            else:
                self._store.update_message(message_id, parts=(*others, TextPart(words)), state=MessageState.COMPLETE)
                self._publish(PathChanged(message.conversation_id))
            return message.conversation_id

        return self._in_store(begin)

    def continue_answer(self, message_id: str) -> Future[str]:
        """Let the model go on writing its last answer. Gives the conversation's id."""

        def begin() -> str:
            message = self._store.message(message_id)
            self._refuse_if_busy(message.conversation_id)
            path = tuple(self._store.path(message.conversation_id))
            if message.role is not Role.ASSISTANT or not path or path[-1].id != message_id:
                raise ChatError(sentence("Only the last answer of a chat can be continued."))
            if not message.text:
                raise ChatError(sentence("This answer has no words to go on from. Answer again instead."))
            growing = self._store.update_message(message_id, state=MessageState.STREAMING, error="")
            self._start(growing, path, continue_last=True)
            return message.conversation_id

        return self._in_store(begin)

    def keep_heard(self, message_id: str, characters: int) -> Future[StoredMessage]:
        """Of an answer that was spoken and interrupted, let only the first `characters` count; the rest is kept apart.

        Call it when the answer has ended. Where all of it was heard nothing changes.
        """

        def cut() -> StoredMessage:
            message = self._store.message(message_id)
            heard, unheard = message.text[:characters], message.text[characters:]
            if not unheard.strip():
                return message
            others = tuple(part for part in message.parts if not isinstance(part, TextPart | UnspokenPart))
            said = (TextPart(heard),) if heard else ()
            parts = (*others, *said, UnspokenPart(unheard))
            message = self._store.update_message(message_id, parts=parts, state=MessageState.STOPPED)
            self._publish(PathChanged(message.conversation_id))
            return message

        return self._in_store(cut)

    # What the model sees

    def set_pinned(self, message_id: str, pinned: bool) -> Future[StoredMessage]:
        """Keep a message in the model's view whatever happens, or no longer."""
        return self._in_store(lambda: self._mark(message_id, pinned=pinned, excluded=False if pinned else None))

    def evict(self, message_id: str, excluded: bool = True) -> Future[StoredMessage]:
        """Take a message out of the model's view (it stays in the chat), or let it in again."""
        return self._in_store(lambda: self._mark(message_id, pinned=False if excluded else None, excluded=excluded))

    def summaries(self, conversation_id: str) -> Future[list[Summary]]:
        """All summaries of a conversation, undone ones too, oldest first. `newest_on` says which one counts."""
        return self._in_store(lambda: self._store.summaries(conversation_id))

    def edit_summary(self, summary_id: str, text: str) -> Future[Summary]:
        """Change a summary's words."""
        words = _storable(text).strip()
        if not words:
            raise ValueError("a summary needs words; undo it instead")
        return self._in_store(lambda: self._publish_summary(self._store.edit_summary(summary_id, words)))

    def undo_summary(self, summary_id: str, undone: bool = True) -> Future[Summary]:
        """Use the messages themselves again, or the summary after all."""
        return self._in_store(lambda: self._publish_summary(self._store.set_summary_undone(summary_id, undone)))

    def summarise_now(self, conversation_id: str) -> Future[None]:
        """Have the older turns summarised in the background; `SummaryAdded` follows, or a `Notice` that says why not.

        The future ends when it is asked for; it fails with `ChatError` while an answer is under way.
        """

        def begin() -> None:
            self._refuse_if_busy(conversation_id)
            self._summaries.consider(conversation_id, wanted=True)

        return self._in_store(begin)

    def stop(self, conversation_id: str) -> None:
        """End the answer under way, keeping what has come. Nothing happens if there is none."""
        with self._changed:
            answer = self._answers.get(conversation_id)
        if answer is not None:
            answer.cancel.cancel()

    def stop_all(self) -> None:
        """As `stop`, for every conversation."""
        with self._changed:
            answers = list(self._answers.values())
        for answer in answers:
            answer.cancel.cancel()

    def force_stop(self) -> None:
        """Kill the model's process, for when `stop` is not heard; it is started again."""
        self.stop_all()
        self._engine.force_stop()

    def generating(self, conversation_id: str) -> str | None:
        """The id of the answer under way in a conversation."""
        with self._changed:
            answer = self._answers.get(conversation_id)
        return None if answer is None else answer.message.id

    def wait_until_idle(self, timeout_s: float | None = None) -> bool:
        """Block until no answer is under way and all are stored; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._answers, timeout_s)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Take nothing new, stop what is under way and wait until it is stored; False if that takes longer.

        What is still open then ends when the engine is closed; `wait_until_idle` waits for it.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._titles.close()
        self._summaries.close()
        self.stop_all()
        self._autosaver.join()
        return self.wait_until_idle(timeout_s)

    # On the store's thread

    def _in_store(self, begin: Callable[[], T]) -> Future[T]:
        if self._closed:
            raise RuntimeError("the chat service is closed")
        return self._store_pool.submit(begin)

    def _conversation_for(self, conversation_id: str | None) -> Conversation:
        if conversation_id is not None:
            return self._store.conversation(conversation_id)
        return self._store.create_conversation(model=self._model_name())

    def _refuse_if_busy(self, conversation_id: str) -> None:
        with self._changed:
            if conversation_id in self._answers:
                raise ChatError(sentence("An answer is still being written here. Stop it first, or wait."))

    def _refuse_lost(self, attachments: Sequence[Attached]) -> None:
        """On this thread files are swept away too: one that is there now stays, for a message will name it."""
        for part in attachments:
            if isinstance(part, ImagePart) and self._store.images.path(part) is None:
                raise ChatError(
                    sentence("The image {name} is not there any more. Take it off, or attach it again."), name=part.name
                )

    def _answer(self, question: StoredMessage, sampling: SamplingParams | None, *, other_branch: bool = False) -> None:
        """Queue an answer to a message that is committed."""
        message = self._store.add_message(
            question.conversation_id,
            parent_id=question.id,
            role=Role.ASSISTANT,
            parts=(),
            state=MessageState.STREAMING,
            model=self._model_name(),
        )
        path = tuple(self._store.path(question.conversation_id))[:-1]
        if other_branch:
            self._publish(PathChanged(question.conversation_id))
        self._start(message, path, sampling=sampling)

    def _start(
        self,
        message: StoredMessage,
        path: tuple[StoredMessage, ...],
        *,
        sampling: SamplingParams | None = None,
        continue_last: bool = False,
    ) -> None:
        summary = newest_on(path, self._store.summaries(message.conversation_id))
        spared = frozenset(each.id for each in covered_by(summary, path)) | {each.id for each in path if each.excluded}
        answer = Answer(message, CancelToken(), spared)
        with self._changed:
            self._answers[message.conversation_id] = answer
            self._changed.notify_all()
        self._publish(MessageAdded(message))
        conversation = self._store.conversation(message.conversation_id)
        turn = _Turn(conversation, path, answer, sampling, continue_last, summary)
        answer.cancel.on_cancel(lambda: self._end_early(answer, Finished(message.id, FinishReason.CANCELLED)))
        if self._closed:
            answer.cancel.cancel()
        elif self._needs_no_model(turn):
            self._submit(turn)
        else:
            self._load_and_submit(turn)

    def _finish(self, answer: Answer, ending: Ending) -> None:
        message = answer.snapshot(ending)
        try:
            message = self._store.update_message(
                message.id, parts=message.parts, state=ending.state, usage=message.usage, error=ending.error
            )
        except HearthError as error:
            self._publish(Notice(error_sentence(error), "error", answer.conversation_id))
        finally:
            with self._changed:
                self._answers.pop(answer.conversation_id, None)
                self._changed.notify_all()
        self._publish(MessageFinished(message))
        self._publish_list(answer.conversation_id)
        if ending.state is MessageState.COMPLETE and not self._closed:
            self._titles.consider(answer.conversation_id)
            self._summaries.consider(answer.conversation_id)

    def _mark(self, message_id: str, *, pinned: bool | None, excluded: bool | None) -> StoredMessage:
        message = self._store.update_message(message_id, pinned=pinned, excluded=excluded)
        self._publish(PathChanged(message.conversation_id))
        return message

    def _publish_summary(self, summary: Summary) -> Summary:
        self._publish(SummaryChanged(summary))
        return summary

    def _save(self, answer: Answer) -> None:
        parts = answer.unsaved_parts()
        if parts is not None:
            self._store.update_message(answer.message.id, parts=parts)

    # On other threads

    def _model_name(self) -> str:
        if self._models is not None:
            return self._models.expected_name()
        model = self._engine.state.model
        return model.name if model is not None else ""

    def _load_and_submit(self, turn: _Turn) -> None:
        if self._models is None:
            self._submit(turn)
        else:
            self._models.ensure_loaded().add_done_callback(lambda loaded: self._on_loaded(turn, loaded))

    def _on_loaded(self, turn: _Turn, loaded: Future[LoadedModel]) -> None:
        """Some model is there, or none can be: from whichever thread found out."""
        error = None if loaded.cancelled() else loaded.exception()
        if error is None and not loaded.cancelled():
            self._submit(turn)
            return
        known = error if isinstance(error, HearthError) else HearthError(_BUG)
        if known is not error and error is not None:
            _log.error("loading a model failed", exc_info=error)
        self._end_early(turn.answer, failure_of(turn.answer.message.id, known))

    def _submit(self, turn: _Turn) -> None:
        """Cleaning and joining long attachments takes time: not on the store's thread."""

        def built(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:  # A bug must not leave an answer that never ends.
                _log.error("building a request failed", exc_info=error)
                self._end_early(turn.answer, failure_of(turn.answer.message.id, HearthError(_BUG)))

        self._pool.submit(self._build_and_submit, turn).add_done_callback(built)

    def _build_and_submit(self, turn: _Turn) -> None:
        answer = turn.answer
        request_id = answer.message.id
        if self._is_about_library(turn):
            assert self._librarian is not None
            self._librarian.take(turn.conversation, turn.path, self._desk(turn))
            return
        if self._is_to_be_looked_up(turn):
            assert self._consultant is not None
            self._consultant.find(
                turn.conversation, turn.path, lambda path: self._submit(replace(turn, path=path, looked_up=True))
            )
            return
        if self._is_not_in_documents(turn):
            self._say(answer, tr("Your documents do not say."))
            return
        try:
            request = build_request(
                request_id,
                turn.conversation,
                turn.path,
                self._settings,
                sampling=turn.sampling,
                continue_last=turn.continue_last,
                summary=turn.summary,
                find=self._store.images.ref,
            )
            if not turn.looked_back and self._recaller.may_help(turn.path, request):
                self._recaller.find(
                    turn.path, request, lambda path: self._submit(replace(turn, path=path, looked_back=True))
                )
            elif answer.hand_over():
                self._engine.submit(request, answer.cancel, lambda event: self._on_event(answer, event))
        except HearthError as error:
            self._end_early(answer, failure_of(request_id, error))

    def _is_about_library(self, turn: _Turn) -> bool:
        if self._librarian is None or turn.looked_up or turn.is_ordinary or turn.continue_last:
            return False
        return self._librarian.may_help(turn.conversation, turn.path)

    def _needs_no_model(self, turn: _Turn) -> bool:
        if self._librarian is None or turn.continue_last:
            return False
        return self._librarian.needs_no_model(turn.conversation, turn.path)

    def _desk(self, turn: _Turn) -> Desk:
        """The ways on for a question that may be about the library itself."""
        answer = turn.answer
        answer_id = answer.message.id

        def tell(event: StreamEvent) -> None:
            if not answer.cancel.cancelled:
                self._on_event(answer, event)

        return Desk(
            answer_id,
            answer.cancel,
            say=lambda words: self._say(answer, words),
            ask=lambda path: self._submit(replace(turn, path=path, looked_up=True)),
            ordinary=lambda: self._load_and_submit(replace(turn, is_ordinary=True)),
            fail=lambda error: self._end_early(answer, failure_of(answer_id, error)),
            end=lambda event: self._end_early(answer, event),
            tell=tell,
        )

    def _is_to_be_looked_up(self, turn: _Turn) -> bool:
        if self._consultant is None or turn.looked_up or turn.continue_last:
            return False
        return self._consultant.may_help(turn.conversation, turn.path)

    def _is_not_in_documents(self, turn: _Turn) -> bool:
        """Nothing near the question was found, and the person wants answers from the documents only."""
        sources = turn.path[-1].sources if turn.path else None
        return (
            sources is not None
            and sources.way == Way.NOTHING
            and not turn.continue_last
            and self._settings.flag("documents.only")
        )

    def _say(self, answer: Answer, words: str) -> None:
        """Answer without the model."""
        if answer.hand_over():
            self._on_event(answer, TextDelta(answer.message.id, words))
            self._on_event(answer, Finished(answer.message.id, FinishReason.STOP))

    def _end_early(self, answer: Answer, event: Finished | Failed) -> None:
        """End an answer that the engine has not been given."""
        if answer.hand_over():
            self._on_event(answer, event)

    def _on_event(self, answer: Answer, event: StreamEvent) -> None:
        """The engine's thread: collect, tell, and leave all that takes time to others."""
        answer.take(event)
        self._publish(Streamed(answer.conversation_id, answer.message.id, event))
        if isinstance(event, Finished | Failed):
            ending = ending_of(event)
            self._tell_limits(answer, ending)
            self._store_pool.submit(self._finish, answer, ending).add_done_callback(_log_bug)

    def _tell_limits(self, answer: Answer, ending: Ending) -> None:
        conversation_id = answer.conversation_id
        if answer.dropped and conversation_id not in self._told_dropped:
            self._told_dropped.add(conversation_id)
            text = ntr(
                "This chat is longer than the model can read at once. The oldest message was left out.",
                "This chat is longer than the model can read at once. The {count} oldest messages were left out.",
                answer.dropped,
            )
            self._publish(Notice(text, "info", conversation_id))
        if ending.reason is FinishReason.LENGTH:
            self._publish(
                Notice(
                    tr("The answer reached the longest length that is set. It can be continued."),
                    "info",
                    conversation_id,
                )
            )
        elif ending.reason is FinishReason.CONTEXT:
            self._publish(
                Notice(
                    tr("The answer filled all that the model can read at once, and ended there."),
                    "warning",
                    conversation_id,
                )
            )

    def _publish_list(self, conversation_id: str) -> None:
        self._publish(StoreChanged(Changes(frozenset({conversation_id}), conversation_list=True)))

    def _autosave(self) -> None:
        """A thread of its own: while answers grow, save them every `AUTOSAVE_S`."""
        told = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._answers)
                if self._closed:
                    return
                answers = list(self._answers.values())
            started = time.monotonic()
            for answer in answers:
                try:
                    self._store_pool.submit(self._save, answer).result()
                except HearthError as error:
                    if not told:
                        self._publish(Notice(error_sentence(error), "error", answer.conversation_id))
                    told = True
            with self._changed:
                left = AUTOSAVE_S - (time.monotonic() - started)
                self._changed.wait_for(lambda: self._closed, max(left, 0.05))


def _parts(words: str, others: Sequence[Part]) -> tuple[Part, ...]:
    return (*((TextPart(words),) if words else ()), *others)


def _storable(text: str) -> str:
    """Text that UTF-8 can hold: a lone half of a surrogate pair, as a paste can have, becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _log_bug(future: Future[None]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        _log.error("finishing an answer failed", exc_info=error)
