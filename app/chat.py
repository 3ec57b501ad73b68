"""Conversations and the engine together: what the person does becomes messages, requests and events.

A question is committed before anything else; its answer is a message from the moment it is queued. `app.asking` has it
written, `app.answers` keeps it while it grows, and it ends in one of the states of `MessageState` whatever happens.
Several conversations may be answered in turn. Qt-free; every method may be called from any thread. Knows no window and
does not choose a model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from app.answers import Answers
from app.asking import Asking, Turn
from app.chat_needs import ModelSource, PersonaDesk
from app.events import (
    ChatEvent,
    MessageAdded,
    PathChanged,
    StoreChanged,
    SummaryChanged,
)
from app.future_results import log_failure
from app.librarian import DocumentLibrary
from app.prompt_source import nobody
from app.settings import Settings
from app.store.summaries import covered_by, newest_on
from app.store.types import (
    Attached,
    Changes,
    Conversation,
    ImagePart,
    KeyedPart,
    MessageState,
    Part,
    RecallPart,
    SourcesPart,
    SpokenPart,
    StoredMessage,
    Summary,
    TextPart,
    UnspokenPart,
)
from app.summaries import SummaryMaker
from app.titles import TitleMaker, provisional_title
from engine.context.segments import Role
from engine.engine import Engine
from engine.errors import ChatError, sentence
from engine.types import SamplingParams

if TYPE_CHECKING:
    from app.personas.folder import Shelved
    from app.store.store import ConversationStore

T = TypeVar("T")
Publish = Callable[[ChatEvent], None]

_log = logging.getLogger(__name__)
_NOT_KEPT = (TextPart, RecallPart, SourcesPart, SpokenPart, KeyedPart)
"""Of a question whose words are changed by hand."""


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
        personas: PersonaDesk | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._store_pool = store_pool
        self._pool = pool
        self._models = models
        self._personas = personas
        dress = personas.dress if personas is not None else nobody
        self._titles = TitleMaker(store, engine, settings, publish, store_pool=store_pool, dress=dress)
        self._summaries = SummaryMaker(store, engine, settings, publish, store_pool=store_pool, dress=dress)
        self._answers = Answers(store, publish, self._completed, store_pool=store_pool)
        self._asking = Asking(
            store, engine, settings, publish, self._answers, store_pool=store_pool, pool=pool, models=models,
            documents=documents, personas=personas,
        )  # fmt: skip

    # What the person does

    def send(
        self,
        conversation_id: str | None,
        text: str,
        attachments: Sequence[Attached] = (),
        *,
        sampling: SamplingParams | None = None,
        spoken: bool = False,
        persona: str | None = None,
    ) -> Future[str]:
        """Add the person's message and have it answered; None starts a conversation.

        The future gives the conversation's id once the message is committed. It fails with `ChatError` while an
        answer of that conversation is under way, and with `StoreError`. `sampling` is for this answer only.
        `spoken`: it was asked aloud, and is to be answered briefly.
        `persona`: whose the new conversation is, by its short name; "" nobody's, None that of new chats.
        """
        words = _storable(text)
        if not words.strip() and not attachments:
            raise ValueError("a message needs words or an attachment")

        def begin(shelved: Shelved | None = None) -> str:
            self._refuse_lost(attachments)
            conversation = self._conversation_for(conversation_id, shelved)
            self._answers.refuse_if_busy(conversation.id)
            question = self._store.add_message(
                conversation.id,
                parent_id=conversation.active_leaf or self._greet(conversation),
                role=Role.USER,
                parts=_parts(words, (*attachments, SpokenPart()) if spoken else attachments),
            )
            self._publish(MessageAdded(question))
            if not conversation.title:
                names = [attachment.name for attachment in attachments]
                self._store.rename(conversation.id, provisional_title(words, names), automatic=True)
            self._publish_list(conversation.id)
            self._answer(question, sampling)
            self._remember(conversation, question)
            return conversation.id

        personas = self._personas
        if conversation_id is None and personas is not None and (personas.default if persona is None else persona):
            return self._pool.submit(lambda: self._in_store(partial(begin, personas.wanted(persona))).result())
        return self._in_store(begin)

    def regenerate(self, message_id: str, *, sampling: SamplingParams | None = None) -> Future[str]:
        """Answer again: beside the given answer, or below the given question. Gives the conversation's id."""

        def begin() -> str:
            message = self._store.message(message_id)
            self._answers.refuse_if_busy(message.conversation_id)
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
            self._answers.refuse_if_busy(message.conversation_id)
            others = tuple(part for part in message.parts if not isinstance(part, _NOT_KEPT))
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
                self._remember(self._store.conversation(message.conversation_id), question)
            else:
                self._store.update_message(message_id, parts=(*others, TextPart(words)), state=MessageState.COMPLETE)
                self._publish(PathChanged(message.conversation_id))
            return message.conversation_id

        return self._in_store(begin)

    def continue_answer(self, message_id: str) -> Future[str]:
        """Let the model go on writing its last answer. Gives the conversation's id."""

        def begin() -> str:
            message = self._store.message(message_id)
            self._answers.refuse_if_busy(message.conversation_id)
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
            self._answers.refuse_if_busy(conversation_id)
            self._summaries.consider(conversation_id, wanted=True)

        return self._in_store(begin)

    # Answers under way

    def stop(self, conversation_id: str) -> None:
        """End the answer under way, keeping what has come. Nothing happens if there is none."""
        self._answers.stop(conversation_id)

    def stop_all(self) -> None:
        """As `stop`, for every conversation."""
        self._answers.stop_all()

    def force_stop(self) -> None:
        """Kill the model's process, for when `stop` is not heard; it is started again."""
        self.stop_all()
        self._engine.force_stop()

    def generating(self, conversation_id: str) -> str | None:
        """The id of the answer under way in a conversation."""
        return self._answers.generating(conversation_id)

    def wait_until_idle(self, timeout_s: float | None = None) -> bool:
        """Block until no answer is under way and all are stored; False if that takes longer."""
        return self._answers.wait_until_idle(timeout_s)

    def close(self, timeout_s: float = 2.0) -> bool:
        """Take nothing new, stop what is under way and wait until it is stored; False if that takes longer.

        What is still open then ends when the engine is closed; `wait_until_idle` waits for it.
        """
        self._answers.take_no_more()
        self._titles.close()
        self._summaries.close()
        return self._answers.close(timeout_s)

    # On the store's thread

    def _in_store(self, begin: Callable[[], T]) -> Future[T]:
        if self._answers.closed:
            raise RuntimeError("the chat service is closed")
        return self._store_pool.submit(begin)

    def _conversation_for(self, conversation_id: str | None, shelved: Shelved | None) -> Conversation:
        if conversation_id is not None:
            return self._store.conversation(conversation_id)
        model = self._model_name()
        if shelved is None:
            return self._store.create_conversation(model=model)
        return self._store.create_conversation(
            model=model, persona=shelved.persona.short_name, persona_version=shelved.number
        )

    def _greet(self, conversation: Conversation) -> str | None:
        """The persona's first words as the first message, by its id; None for none."""
        greeting = self._personas.greeting(conversation) if self._personas is not None else ""
        if not greeting:
            return None
        message = self._store.add_message(
            conversation.id, parent_id=None, role=Role.ASSISTANT, parts=(TextPart(greeting),)
        )
        self._publish(MessageAdded(message))
        return message.id

    def _remember(self, conversation: Conversation, question: StoredMessage) -> None:
        if self._personas is not None and conversation.persona:
            self._pool.submit(self._personas.remember, conversation, question).add_done_callback(
                log_failure(_log, "remembering for a persona")
            )

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
        conversation = self._store.conversation(message.conversation_id)
        answer = self._answers.begin(message, spared)
        if not answer.cancel.cancelled:
            self._asking.begin(Turn(conversation, path, answer, sampling, continue_last, summary))

    def _completed(self, conversation_id: str) -> None:
        self._titles.consider(conversation_id)
        self._summaries.consider(conversation_id)

    def _mark(self, message_id: str, *, pinned: bool | None, excluded: bool | None) -> StoredMessage:
        message = self._store.update_message(message_id, pinned=pinned, excluded=excluded)
        self._publish(PathChanged(message.conversation_id))
        return message

    def _publish_summary(self, summary: Summary) -> Summary:
        self._publish(SummaryChanged(summary))
        return summary

    def _publish_list(self, conversation_id: str) -> None:
        self._publish(StoreChanged(Changes(frozenset({conversation_id}), conversation_list=True)))

    def _model_name(self) -> str:
        if self._models is not None:
            return self._models.expected_name()
        model = self._engine.state.model
        return model.name if model is not None else ""


def _parts(words: str, others: Sequence[Part]) -> tuple[Part, ...]:
    return (*((TextPart(words),) if words else ()), *others)


def _storable(text: str) -> str:
    """Text that UTF-8 can hold: a lone half of a surrogate pair, as a paste can have, becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
