"""Passages without a vector get one, in small batches, on a thread of its own, while nobody asks anything.

Each batch is committed, so that whatever ends the program, no vector is made twice. While another embedder learns all
passages anew, those that are new get the vectors of both, so that they are found by meaning meanwhile. Knows no format,
no window, and not how an embedder is loaded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
_AGAIN_S = 60.0
"""After an embedder has failed, it is tried again."""
_SMALL_SHARE = 10
"""While another one learns: the serving embedder is made whole where less than this part of the passages is missing."""
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


class Carried(Protocol):
    """`rag.carried.CarriedVectors`."""

    @property
    def waits(self) -> bool: ...
    def take(self, embedder: PassageEmbedder, embedder_id: int) -> list[PassageRange]: ...


@dataclass(frozen=True, slots=True)
class Learner:
    """An embedder and its number in the store."""

    embedder: PassageEmbedder
    id: int


class EmbeddingQueue:
    """Begins when it has an embedder and was started. `on_embedded` is told a range of chunks, some of which have new
    vectors of the serving embedder; `on_learned` that all passages have vectors of the coming one. Both on the queue's
    thread.

    While `is_reading`, nothing begins: words can be searched as soon as they are read, and reading is quick.
    """

    def __init__(
        self,
        database: LibraryDatabase,
        publish: EventSink,
        *,
        on_embedded: Callable[[PassageRange], None],
        on_learned: Callable[[], None],
        is_reading: Callable[[], bool],
        carried: Carried,
    ) -> None:
        self._database = database
        self._carried = carried
        self._is_reading = is_reading
        self._publish = publish
        self._on_embedded = on_embedded
        self._on_learned = on_learned
        self._changed = threading.Condition()
        self._serving: Learner | None = None
        self._coming: Learner | None = None
        self._since = 0
        """Only chunks with ids above get vectors of the serving embedder."""
        self._at_work: Learner | None = None
        self._turns = 0
        """Counts calls of `use`: work that was begun for others is left off."""
        self._woken, self._closed, self._idle, self._in_trouble = False, False, True, False
        self._asking = 0
        self._complete = False
        self._thread = threading.Thread(target=self._run, name="embedding", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def use(self, serving: Learner | None, coming: Learner | None = None) -> None:
        """Make vectors of the one that serves, and of the one that is to take its place.

        Nothing is embedded by any other when this returns; it waits for one batch at most. Any thread, the queue's too.
        """
        since = self._first_left_out(serving) if coming is not None and serving is not None else 0
        with self._changed:
            self._serving, self._coming, self._since = serving, coming, since
            self._turns += 1
            self._wake()
            self._changed.wait_for(lambda: self._at_work is None or self._at_work in (serving, coming))

    @property
    def complete(self) -> bool:
        """Every passage is known to have its vector of the serving embedder."""
        return self._complete

    def wake(self) -> None:
        """There may be passages without a vector."""
        with self._changed:
            self._wake()

    def begin_anew(self) -> None:
        """As `wake`; what is under way is left off after its batch, to look first at what came along."""
        with self._changed:
            self._turns += 1
            self._wake()

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

    def _first_left_out(self, serving: Learner) -> int:
        """While another one learns, 0, or the newest chunk, where the serving embedder had hardly begun itself."""
        row = self._database.row("SELECT count(*), coalesce(max(id), 0) FROM chunk")
        n_all, newest = (0, 0) if row is None else row
        return 0 if vectors.n_without(self._database, serving.id) * _SMALL_SHARE <= n_all else int(newest)

    def _wake(self) -> None:
        """Under the lock."""
        self._woken, self._idle, self._complete = True, False, False
        self._changed.notify_all()

    def _run(self) -> None:
        while self._sleep():
            try:
                self._embed_all()
                self._in_trouble = False
            except HearthError as error:
                if not self._in_trouble:
                    self._publish(LibraryNotice.of(error))
                self._in_trouble = True
            except Exception:  # noqa: BLE001  # a bug; the words can still be found
                _log.exception("embedding passages failed")

    def _sleep(self) -> bool:
        with self._changed:
            if not self._woken:
                self._idle = True
                self._changed.notify_all()
            again_s = _AGAIN_S if self._in_trouble else None
            self._changed.wait_for(lambda: self._woken or self._closed, again_s)
            self._woken = False
            return not self._closed

    def _embed_all(self) -> None:
        with self._changed:
            turn, serving, coming, since = self._turns, self._serving, self._coming, self._since
        if serving is None:
            return
        self._take_carried(serving, turn)
        progress = _Progress(self._database, coming or serving, self._publish, anew=coming is not None)
        after = {serving: since, coming: 0}
        while True:
            # What is new comes first, to be found by those who ask meanwhile.
            if self._embed_some(serving, after, turn, progress, self._on_embedded):
                continue
            with self._changed:
                if self._left_off(turn):
                    return
                self._complete = not self._woken and not since
            if coming is None or not self._embed_some(coming, after, turn, progress):
                break
        with self._changed:
            if self._left_off(turn):
                return
        if coming is not None:
            self._on_learned()
        progress.end()

    def _take_carried(self, serving: Learner, turn: int) -> None:
        """What came along with documents spares the work, where it stands the test."""
        # What is due is known only once nothing is read any more, which taking up waits for.
        if not self._carried.waits or not self._take_up(serving, turn):
            return
        try:
            taken = self._carried.take(serving.embedder, serving.id)
        finally:
            self._put_down()
        for span in taken:
            self._on_embedded(span)

    def _embed_some(
        self,
        learner: Learner,
        after: dict[Learner | None, int],
        turn: int,
        progress: _Progress,
        tell: Callable[[PassageRange], None] = lambda _span: None,
    ) -> bool:
        """The next passages without its vector get one; False where there are none, or it is to leave off."""
        rows = vectors.without_vector(self._database, learner.id, after=after[learner], limit=_FETCHED)
        # Equal words in several places are embedded once.
        texts = {each.digest: each.text for _number, each in rows}
        waiting = sorted(texts, key=lambda digest: len(texts[digest]))
        n_done = 0
        try:
            while n_done < len(waiting):
                batch = waiting[n_done : n_done + AT_ONCE]
                if not self._take_up(learner, turn):
                    return False
                self._embed(learner, batch, [texts[digest] for digest in batch])
                n_done += len(batch)
                progress.count(learner, len(batch))
        finally:
            if n_done:
                tell((rows[0][0], rows[-1][0] + 1))
        if rows:
            after[learner] = rows[-1][0]
        return bool(rows)

    def _embed(self, learner: Learner, digests: list[bytes], texts: list[str]) -> None:
        try:
            vectors.put(self._database, learner.id, digests, learner.embedder.embed_passages(texts))
        finally:
            self._put_down()

    def _take_up(self, learner: Learner, turn: int) -> bool:
        """Whether a batch may be computed now: waits while somebody asks, or something is read."""
        with self._changed:
            while (self._asking or self._is_reading()) and not self._left_off(turn):
                self._changed.wait(_LOOK_AGAIN_S)
            if self._left_off(turn):
                return False
            self._at_work = learner
            return True

    def _put_down(self) -> None:
        with self._changed:
            self._at_work = None
            self._changed.notify_all()

    def _left_off(self, turn: int) -> bool:
        return self._closed or turn != self._turns


class _Progress:
    """Tells how many passages one embedder has still to learn."""

    def __init__(self, database: LibraryDatabase, learner: Learner, publish: EventSink, *, anew: bool) -> None:
        row = database.row("SELECT count(*) FROM chunk")
        self._n_all = 0 if row is None else int(row[0])
        self._n_left = vectors.n_without(database, learner.id)
        self._learner, self._publish, self._anew = learner, publish, anew
        self._due = 0.0

    def count(self, learner: Learner, n_passages: int) -> None:
        if learner is not self._learner:
            return
        self._n_left = max(0, self._n_left - n_passages)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _TELL_EVERY_S
            self._publish(EmbeddingProgress(self._n_left, self._n_all, self._anew))

    def end(self) -> None:
        self._publish(EmbeddingProgress(0, self._n_all, self._anew))
