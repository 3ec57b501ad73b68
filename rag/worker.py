"""The library process: owns library.db, the embedder and the index; parses nothing foreign, and has no network.

One thread takes commands, a few answer them, so that a long search holds nobody up. Ends with its parent.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import singledispatchmethod
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from engine.errors import HearthError, LibraryError, sentence
from engine.worker.envelope import MessageTooLongError, ProtocolError, fault_of, receive
from engine.worker.settle import settle
from rag import protocol
from rag.events import LibraryEvent
from rag.protocol import Answer, Answered, Ask, Begin, Happened, Question, Refused, ReportMessage, Unusable
from rag.scope import Scope
from rag.store.types import FilePosition

if TYPE_CHECKING:
    from rag.library import Library
    from rag.recordings import MakeEars

PROTOCOL_EXIT, BUG_EXIT = 70, 71
_THREADS = 16
"""Some only wait, for files to be read."""
_BUG = sentence("The document library met an error of its own.")
_TOO_LONG = sentence("This is more than can be shown at once.")
_TIME_OVER = sentence("The documents are not all read yet.")


def worker_main(connection: Connection, make_ears: MakeEars | None = None) -> None:
    """The child's entry point; without `make_ears` recordings cannot be read."""
    settle()
    LibraryWorker(connection, make_ears).run()


class LibraryWorker:
    """Ends when the pipe ends, whatever is under way: all that counts is committed."""

    def __init__(self, connection: Connection, make_ears: MakeEars | None = None) -> None:
        self._connection = connection
        self._make_ears = make_ears
        self._sending = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="library")
        self._library: Library | None = None

    def run(self) -> None:
        """Never returns."""
        try:
            begin = self._command()
            if not isinstance(begin, Begin):
                raise ProtocolError("the first command is Begin")
            try:
                from rag.opening import open_library  # noqa: PLC0415  # numpy and SQLite are for this process alone

                self._library = open_library(begin, self._publish, self._make_ears)
            except HearthError as error:
                self._post(Unusable(fault_of(error)))
                os._exit(0)
            self._library.begin()
            while True:
                command = self._command()
                if isinstance(command, Ask):
                    self._pool.submit(self._take, command)
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone
        except ProtocolError:
            os._exit(PROTOCOL_EXIT)
        except Exception:  # noqa: BLE001 - a bug
            os._exit(BUG_EXIT)

    def _command(self) -> Begin | Ask:
        return protocol.decode_command(receive(self._connection, protocol.MESSAGE_BYTES))

    def _take(self, ask: Ask) -> None:
        try:
            message: ReportMessage = Answered(ask.call_id, self._answer(ask.question))
        except HearthError as error:
            message = Refused(ask.call_id, fault_of(error))
        except CancelledError:
            return  # the process is about to end
        except Exception:  # noqa: BLE001 - a bug: say so, and go on
            traceback.print_exc()
            message = Refused(ask.call_id, fault_of(LibraryError(_BUG)))
        try:
            self._post(message)
        except MessageTooLongError:
            self._post(Refused(ask.call_id, fault_of(LibraryError(_TOO_LONG))))

    def _publish(self, event: LibraryEvent) -> None:
        self._post(Happened(event))

    def _post(self, message: ReportMessage) -> None:
        raw = protocol.encode(message)
        try:
            with self._sending:
                self._connection.send_bytes(raw)
        except OSError:
            os._exit(0)  # the parent is gone

    @property
    def _open(self) -> Library:
        assert self._library is not None
        return self._library

    @singledispatchmethod
    def _answer(self, question: Question) -> Answer:
        raise NotImplementedError(type(question).__name__)

    @_answer.register
    def _(self, _question: protocol.ListCollections) -> Answer:
        return protocol.Collections(tuple(self._open.collections()))

    @_answer.register
    def _(self, question: protocol.ListSources) -> Answer:
        return protocol.Sources(tuple(self._open.sources(question.collection_id)))

    @_answer.register
    def _(self, question: protocol.ListFiles) -> Answer:
        return protocol.Files(
            tuple(
                self._open.files(
                    question.collection_ids,
                    question.blob_id,
                    wait_s=question.wait_s,
                    after=question.after,
                    limit=question.limit,
                )
            )
        )

    @_answer.register
    def _(self, question: protocol.OutlineCollection) -> Answer:
        return protocol.Outlines(tuple(self._open.outline(question.collection_id)))

    @_answer.register
    def _(self, question: protocol.ListRows) -> Answer:
        return protocol.Files(tuple(self._open.rows(question.spans)))

    @_answer.register
    def _(self, question: protocol.FindFile) -> Answer:
        return _position(self._open.position(question.file_id))

    @_answer.register
    def _(self, question: protocol.FindFailed) -> Answer:
        return _position(self._open.next_failed(question.collection_id, question.source_id, question.path))

    @_answer.register
    def _(self, question: protocol.RetryFailed) -> Answer:
        return _done(lambda: self._open.retry_failed(question.source_id))

    @_answer.register
    def _(self, _question: protocol.SummariseCollections) -> Answer:
        return protocol.Summaries(tuple(self._open.summaries()))

    @_answer.register
    def _(self, question: protocol.AddCollection) -> Answer:
        return protocol.Collections((self._open.add_collection(question.name, question.owner),))

    @_answer.register
    def _(self, question: protocol.RenameCollection) -> Answer:
        return _done(lambda: self._open.rename_collection(question.collection_id, question.name))

    @_answer.register
    def _(self, question: protocol.RemoveCollection) -> Answer:
        return _done(lambda: self._open.remove_collection(question.collection_id))

    @_answer.register
    def _(self, question: protocol.AddPath) -> Answer:
        return protocol.Sources((self._open.add(question.collection_id, question.path),))

    @_answer.register
    def _(self, question: protocol.AddText) -> Answer:
        return protocol.Sources((self._open.add_text(question.collection_id, question.name, question.text),))

    @_answer.register
    def _(self, question: protocol.CarryVectors) -> Answer:
        return _done(lambda: self._open.carry(question.collection_id, question.file))

    @_answer.register
    def _(self, question: protocol.WriteVectors) -> Answer:
        return self._open.write_vectors(question.collection_id, question.path)

    @_answer.register
    def _(self, question: protocol.RemoveSource) -> Answer:
        return _done(lambda: self._open.remove_source(question.source_id))

    @_answer.register
    def _(self, question: protocol.RetryFile) -> Answer:
        return _done(lambda: self._open.retry(question.file_id))

    @_answer.register
    def _(self, _question: protocol.LookAgain) -> Answer:
        return _done(self._open.look_at_all)

    @_answer.register
    def _(self, question: protocol.Search) -> Answer:
        scope = Scope(question.collection_ids, question.blob_ids)
        return self._open.search(
            question.question,
            scope,
            most_characters=question.most_characters,
            wait_s=question.wait_s,
            whole=question.whole,
        )

    @_answer.register
    def _(self, question: protocol.FindDocuments) -> Answer:
        return self._open.find_documents(question.subject, Scope(question.collection_ids), most=question.most)

    @_answer.register
    def _(self, question: protocol.FindEvery) -> Answer:
        scope = Scope(question.collection_ids, question.blob_ids)
        return self._open.find_every(question.finding, question.words, scope, most=question.most, exact=question.exact)

    @_answer.register
    def _(self, question: protocol.ReadParts) -> Answer:
        return self._open.read_parts(question.blob_id, question.part_characters, question.most)

    @_answer.register
    def _(self, question: protocol.ReadPage) -> Answer:
        page = self._open.page(question.blob_id, question.number)
        return protocol.Pages(() if page is None else (page,))

    @_answer.register
    def _(self, question: protocol.ListHidden) -> Answer:
        return protocol.HiddenList(tuple(self._open.hidden_words(question.blob_id)))

    @_answer.register
    def _(self, question: protocol.UseEmbedder) -> Answer:
        return _done(lambda: self._open.use_embedder(question.choice))

    @_answer.register
    def _(self, _question: protocol.ReportLearning) -> Answer:
        return self._open.learning()

    @_answer.register
    def _(self, question: protocol.WaitUntilIdle) -> Answer:
        if not self._open.wait_until_idle(question.seconds):
            raise LibraryError(_TIME_OVER)
        return protocol.Done()


def _position(found: FilePosition | None) -> protocol.Positions:
    return protocol.Positions(() if found is None else (found,))


def _done(action: Callable[[], object]) -> protocol.Done:
    action()
    return protocol.Done()
