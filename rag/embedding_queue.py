"""Passages without a vector get one, in small batches, on a thread of its own, while nobody asks anything.

Each batch is committed, so that whatever ends the program, no vector is made twice. Knows no format and no window.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import HearthError
from rag.events import EmbeddingProgress, EventSink, LibraryNotice
from rag.store import vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange

FloatVectors = npt.NDArray[np.float32]
AT_ONCE = 8
"""Passages in one call of the model: larger batches are slower (they are filled up to the longest) and take memory."""
_FETCHED = 256
"""Passages from one query; sorted by length, so that a batch has little to fill up."""
_LOOK_AGAIN_S = 0.2
_TELL_EVERY_S = 0.25
_log = logging.getLogger(__name__)


class PassageEmbedder(Protocol):
    """The part of `rag.embedding.embedder.Embedder` that is needed here."""

    @property
    def model_id(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    def embed_passages(self, texts: list[str]) -> FloatVectors:
        """Vectors (n, d) of length 1."""
        ...


class EmbeddingQueue:
    """`on_embedded` is told a range of chunks, some of which have new vectors; on the queue's thread.

    While `is_reading`, nothing begins: words can be searched as soon as they are read, and reading is quick.
    """

    def __init__(
        self,
        database: LibraryDatabase,
        embedder: PassageEmbedder,
        publish: EventSink,
        *,
        on_embedded: Callable[[PassageRange], None],
        is_reading: Callable[[], bool],
    ) -> None:
        self._database = database
        self._is_reading = is_reading
        self._embedder = embedder
        self._publish = publish
        self._on_embedded = on_embedded
        self.embedder_id = vectors.embedder_id(database, embedder.model_id, embedder.dimensions)
        self._changed = threading.Condition()
        self._woken, self._closed, self._idle = True, False, False
        self._asking = 0
        self._complete = False
        self._thread = threading.Thread(target=self._run, name="embedding", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def complete(self) -> bool:
        """Every passage is known to have its vector."""
        return self._complete

    def wake(self) -> None:
        """There may be passages without a vector."""
        with self._changed:
            self._woken, self._idle, self._complete = True, False, False
            self._changed.notify_all()

    @contextmanager
    def stand_back(self) -> Iterator[None]:
        """Begin no batch while somebody asks: a question has the processors to itself within one batch."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Whether everything had its vector before the time was over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle or self._closed, timeout_s)

    def close(self) -> None:
        """Leave off after the batch under way. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while self._sleep():
            try:
                self._embed_all()
            except HearthError as error:
                self._publish(LibraryNotice.of(error))
            except Exception:  # noqa: BLE001  # a bug; the words can still be found
                _log.exception("embedding passages failed")

    def _sleep(self) -> bool:
        with self._changed:
            if not self._woken:
                self._idle = True
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._woken or self._closed)
            self._woken = False
            return not self._closed

    def _embed_all(self) -> None:
        n_left = vectors.n_without(self._database, self.embedder_id)
        row = self._database.row("SELECT count(*) FROM chunk")
        n_all = 0 if row is None else int(row[0])
        after, due = 0, 0.0
        while rows := vectors.without_vector(self._database, self.embedder_id, after=after, limit=_FETCHED):
            span = (rows[0][0], rows[-1][0] + 1)
            after = rows[-1][0]
            # Equal words in several places are embedded once.
            texts = {each.digest: each.text for _number, each in rows}
            waiting = sorted(texts, key=lambda digest: len(texts[digest]))
            for at in range(0, len(waiting), AT_ONCE):
                batch = waiting[at : at + AT_ONCE]
                if not self._may_go_on():
                    return
                vectors_made = self._embedder.embed_passages([texts[digest] for digest in batch])
                vectors.put(self._database, self.embedder_id, batch, vectors_made)
                n_left = max(0, n_left - len(batch))
                if time.monotonic() >= due:
                    due = time.monotonic() + _TELL_EVERY_S
                    self._publish(EmbeddingProgress(n_left, n_all))
            self._on_embedded(span)
        with self._changed:
            self._complete = not self._woken
        self._publish(EmbeddingProgress(0, n_all))

    def _may_go_on(self) -> bool:
        with self._changed:
            while (self._asking or self._is_reading()) and not self._closed:
                self._changed.wait(_LOOK_AGAIN_S)
            return not self._closed
