"""Questions about the library itself, from the person's words to an answer: which documents are meant, and which way.

The program answers what a list answers, and has documents read whole where nothing less will do. Everything else goes
on as an ordinary question. Knows no window and no request's end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.consulting import PATIENCE_S
from app.document_choice import choose, picked, readable
from app.events import ChatEvent, Notice, PathChanged
from app.i18n import error_sentence
from app.inventory import MOST_HITS, MOST_ON_SUBJECT, Told, every_place, inventory, on_subject, which_one
from app.library_questions import LibraryQuestion, Reference, Wish, library_question
from app.store.types import Conversation, SourcesPart, StoredMessage
from app.whole_documents import MOST_PARTS, DocumentReading, Reader, WholeDocuments
from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.engine import Engine
from engine.errors import HearthError
from engine.types import Failed, Finished, StreamEvent
from rag.passages import Finding, Found, Hits, Way
from rag.store.types import StoredFile

if TYPE_CHECKING:
    from app.store.store import ConversationStore

Path = tuple[StoredMessage, ...]
T = TypeVar("T")
_LISTED = (Way.INVENTORY, Way.EXHAUSTIVE, Way.SIDE_BY_SIDE)
"""The program itself answered, and does so again when it is asked again."""
_log = logging.getLogger(__name__)


class DocumentLibrary(DocumentReading, Protocol):
    """The part of `rag.client.LibraryClient` that is needed here."""

    def files(
        self, collection_ids: tuple[int, ...] | None = None, blob_id: int | None = None, *, wait_s: float = 0.0
    ) -> Future[tuple[StoredFile, ...]]: ...

    def find_documents(
        self, subject: str, *, most: int, collection_ids: tuple[int, ...] | None = None
    ) -> Future[Found]: ...

    def find_every(
        self,
        finding: Finding,
        words: str = "",
        *,
        most: int,
        exact: bool = False,
        collection_ids: tuple[int, ...] | None = None,
        blob_ids: tuple[int, ...] | None = None,
    ) -> Future[Hits]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """One answer that is to be written, and the ways on from here, of which one is taken, once, on any thread.

    `say`: these words are the answer. `ask`: the model answers this path, whose question holds what was read.
    `ordinary`: it was no question about the library. `end`: it ended early. `tell` is for events on the way.
    """

    answer_id: str
    cancel: CancelToken
    say: Callable[[str], None]
    ask: Callable[[Path], None]
    ordinary: Callable[[], None]
    fail: Callable[[HearthError], None]
    end: Callable[[Finished | Failed], None]
    tell: Callable[[StreamEvent], None]


@dataclass(frozen=True, slots=True)
class _Case:
    question: LibraryQuestion
    conversation: Conversation
    path: Path
    desk: Desk
    words: str
    """The question as the model is to read it."""
    reply: str = ""
    """What the person says to "Which document do you mean?"."""


class Librarian:
    """Any thread."""

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        publish: Callable[[ChatEvent], None],
        documents: DocumentLibrary,
        *,
        store_pool: Executor,
        pool: Executor,
    ) -> None:
        self._store = store
        self._publish = publish
        self._documents = documents
        self._store_pool = store_pool
        self._whole = WholeDocuments(engine, documents, pool)

    def may_help(self, conversation: Conversation, path: Path) -> bool:
        """Whether the last message of `path` looks like a question about the library itself."""
        return bool(conversation.collections) and self._recognised(path) is not None

    def needs_no_model(self, conversation: Conversation, path: Path) -> bool:
        """Whether the program itself will answer, if it is such a question."""
        recognised = self._recognised(path) if conversation.collections else None
        return recognised is not None and recognised[0].wish in (Wish.INVENTORY, Wish.EVERY)

    def take(self, conversation: Conversation, path: Path, desk: Desk) -> None:
        """Have a question answered for which `may_help` is true. Returns at once."""
        recognised = self._recognised(path)
        if recognised is None:
            desk.ordinary()
            return
        question, words, reply = recognised
        case = _Case(question, conversation, path, desk, words, reply)
        listed = self._documents.files(conversation.collections, wait_s=PATIENCE_S)
        self._then(listed, case, lambda files: self._decide(case, files))

    def _recognised(self, path: Path) -> tuple[LibraryQuestion, str, str] | None:
        """What the last message asks; the words that ask it; and, where it only answers our own question, its words."""
        if not path or path[-1].role is not Role.USER:
            return None
        message = path[-1]
        asked = library_question(message.text)
        if message.sources is not None and message.sources.way not in _LISTED:
            return None
        if asked is not None:
            bare = asked.reference in (Reference.BARE_ONE, Reference.BARE_MANY)
            if bare and asked.wish is not Wish.EVERY and not _begins(path):
                return None  # "Summarise that" means what was just said
            return asked, message.text, ""
        if len(path) < 3 or not message.text.strip():
            return None
        before = path[-3]
        if before.sources is None or before.sources.way != Way.INVENTORY or before.role is not Role.USER:
            return None
        asked = library_question(before.text)
        if asked is None or asked.wish not in (Wish.WHOLE, Wish.COMPARISON):
            return None
        return asked, before.text, message.text

    def _decide(self, case: _Case, files: tuple[StoredFile, ...]) -> None:
        question = case.question
        if case.reply:
            chosen = picked(case.reply, readable(files))
            if len(chosen) < (2 if question.wish is Wish.COMPARISON else 1):
                case.desk.ordinary()
                return
            question = replace(question, reference=Reference.NAMED, called=chosen)
        if question.wish is Wish.INVENTORY:
            self._take_stock(case, files)
            return
        choice = choose(question, files, case.path)
        if choice is None:
            case.desk.ordinary()
        elif question.wish is Wish.EVERY:
            self._find_every(case, files, choice.files)
        elif not choice.sure or len(choice.files) > MOST_PARTS:
            self._say(case, which_one(choice.files, several=question.wish is Wish.COMPARISON))
        else:
            self._read(case, choice.files)

    def _take_stock(self, case: _Case, files: tuple[StoredFile, ...]) -> None:
        subject = case.question.subject
        if not subject:
            self._say(case, inventory(files))
            return
        found = self._documents.find_documents(
            subject, most=MOST_ON_SUBJECT, collection_ids=case.conversation.collections
        )
        self._then(found, case, lambda result: self._say(case, on_subject(subject, result, files)))

    def _find_every(self, case: _Case, files: tuple[StoredFile, ...], chosen: tuple[StoredFile, ...]) -> None:
        finding = case.question.finding
        assert finding is not None
        blobs = None if len(chosen) == len(readable(files)) else tuple(each.blob_id for each in chosen if each.blob_id)
        looked = self._documents.find_every(
            finding,
            case.question.subject,
            most=MOST_HITS,
            exact=case.question.exact,
            collection_ids=case.conversation.collections,
            blob_ids=blobs,
        )
        self._then(looked, case, lambda hits: self._say(case, every_place(finding, hits, files)))

    def _read(self, case: _Case, files: tuple[StoredFile, ...]) -> None:
        desk, conversation_id = case.desk, case.conversation.id
        reader = Reader(
            desk.answer_id,
            case.words,
            desk.cancel,
            desk.tell,
            lambda words: self._publish(Notice(words, "info", conversation_id)),
            lambda part: self._keep(case, part, desk.ask),
            lambda words, part: self._say(case, Told(words, part)),
            desk.fail,
            desk.end,
        )
        if case.question.wish is Wish.COMPARISON and len(files) > 1:
            self._whole.compare(files, reader)
        else:
            self._whole.read(files, reader)

    def _say(self, case: _Case, told: Told) -> None:
        self._keep(case, told.sources, lambda _path: case.desk.say(told.words))

    def _keep(self, case: _Case, part: SourcesPart, then: Callable[[Path], None]) -> None:
        """Put what was found into the question, in the place of what an earlier answer was given."""

        def keep() -> Path:
            question = case.path[-1]
            others = (each for each in question.parts if not isinstance(each, SourcesPart))
            message = self._store.update_message(question.id, parts=(part, *others))
            self._publish(PathChanged(message.conversation_id))
            return (*case.path[:-1], message)

        self._then(self._store_pool.submit(keep), case, then)

    def _then(self, future: Future[T], case: _Case, act: Callable[[T], None]) -> None:
        """Go on with what a step gave; where it failed, the question goes the ordinary way, and that is told."""

        def came(ended: Future[T]) -> None:
            error = None if ended.cancelled() else ended.exception()
            if error is None and not ended.cancelled():
                try:
                    act(ended.result())
                except Exception as bug:  # noqa: BLE001 - or the answer would never end
                    error = bug
                else:
                    return
            if isinstance(error, HearthError):
                self._publish(Notice(error_sentence(error), "warning", case.conversation.id))
            elif error is not None:
                _log.error("answering a question about the library failed", exc_info=error)
            case.desk.ordinary()

        future.add_done_callback(came)


def _begins(path: Path) -> bool:
    """Whether nothing was answered yet but what documents there are."""
    for message, question in zip(path[1:], path, strict=False):
        if message.role is Role.ASSISTANT and message.text:
            sources = question.sources
            if sources is None or sources.way != Way.INVENTORY:
                return False
    return True
