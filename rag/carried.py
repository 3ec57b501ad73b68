"""Vectors that came along with documents, from somebody else: checked here, and used only if they are what this
computer would have made.

They are of the embedder that serves, of exactly the passages that were read here, finite, of length 1, and a sample of
passages that nobody could foresee is embedded anew and compared. Otherwise all of them are dropped, which is said, and
the passages are learned as any others. A vector that was made here is never replaced. Knows no bundle and no model.

A file holds a row for each run of words, by `digest_of`, in ascending order: 16 bytes of digest, then the vector as
float16, little-endian.
"""

from __future__ import annotations

import random
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.atomic_write import atomic_write
from engine.errors import LibraryError, sentence
from rag.carried_file import CarriedFile, WrittenVectors
from rag.embedding_queue import PassageEmbedder
from rag.events import EventSink, LibraryNotice
from rag.store import shelf, vectors
from rag.store.database import LibraryDatabase
from rag.store.documents import PassageRange
from rag.store.lexical import spans_of

DIGEST_BYTES = 16
MOST_BYTES = 16 * 1024 * 1024
SAMPLED = 12
"""Passages that are embedded anew."""
AT_ONCE = 4
LOWEST_COSINE = 0.97
"""Between two computers' vectors of the same words: rounding apart they are equal."""
_SHORTEST, _LONGEST = 0.98, 1.02
_UNFIT = sentence("What came along to find “{name}” by meaning does not fit, so Hearth learns its documents itself.")
_NOT_LEARNED = sentence("The documents of “{name}” are not all learned yet. Try again when they are.")


class CarriedVectors:
    """What waits to be looked at, by collection. `carry` on any thread, `take` on the thread that embeds."""

    def __init__(self, database: LibraryDatabase, publish: EventSink) -> None:
        self._database = database
        self._publish = publish
        self._lock = threading.Lock()
        self._waiting: dict[int, CarriedFile] = {}

    def carry(self, collection_id: int, file: CarriedFile) -> None:
        """Use this file once the documents of the collection are read; it must stay until then."""
        with self._lock:
            self._waiting[collection_id] = file

    @property
    def waits(self) -> bool:
        """Whether anything is to be looked at, now or once its documents are read."""
        with self._lock:
            return bool(self._waiting)

    def take(self, embedder: PassageEmbedder, embedder_id: int) -> list[PassageRange]:
        """Look at those that are due; gives the ids of chunks that have a vector now. Embeds a few passages."""
        taken: list[PassageRange] = []
        for collection_id, file in self._due():
            try:
                taken += _Collection(self._database, collection_id).take(file, embedder, embedder_id)
            except LibraryError as error:
                self._publish(LibraryNotice.of(error))
            finally:
                with self._lock:
                    if self._waiting.get(collection_id) == file:
                        del self._waiting[collection_id]
        return taken

    def _due(self) -> list[tuple[int, CarriedFile]]:
        with self._lock:
            waiting = list(self._waiting.items())
        return [each for each in waiting if self._is_read(each[0])]

    def _is_read(self, collection_id: int) -> bool:
        if shelf.is_any_waiting(self._database, [collection_id]):
            return False
        return bool(spans_of(self._database, [collection_id], None))


def write(database: LibraryDatabase, collection_id: int, path: Path) -> WrittenVectors:
    """Write the vectors of all passages of a collection, equal ones once, as `CarriedFile` has them.

    Raises `LibraryError` where some have none yet, or there is no embedder.
    """
    serving = vectors.serving(database)
    rows = {} if serving is None else vectors.in_collection(database, serving.id, collection_id)
    if serving is None or not rows or not all(rows.values()) or len(set(map(len, rows.values()))) != 1:
        raise LibraryError(_NOT_LEARNED, name=_Collection(database, collection_id).name)
    atomic_write(path, b"".join(digest + rows[digest] for digest in sorted(rows)))
    return WrittenVectors(serving.name, len(next(iter(rows.values()))) // 2, len(rows))


class _Collection:
    """The passages of one collection."""

    def __init__(self, database: LibraryDatabase, collection_id: int) -> None:
        self._database = database
        self._id = collection_id

    @property
    def name(self) -> str:
        return next((each.name for each in shelf.collections(self._database) if each.id == self._id), "")

    def take(self, file: CarriedFile, embedder: PassageEmbedder, embedder_id: int) -> list[PassageRange]:
        """Raises `LibraryError` where anything is not as it should be; nothing was kept then."""
        there = vectors.in_collection(self._database, embedder_id, self._id)
        carried = _read(file)
        if (
            carried is None
            or (file.embedder, file.dimensions) != (embedder.model_id, embedder.dimensions)
            or carried.keys() != there.keys()
            or not self._agrees(carried, embedder)
        ):
            raise LibraryError(_UNFIT, name=self.name)
        missing = [digest for digest in carried if not there[digest]]
        if missing:
            vectors.put(self._database, embedder_id, missing, np.stack([carried[digest] for digest in missing]))
        return list(spans_of(self._database, [self._id], None).spans)

    def _agrees(self, carried: dict[bytes, npt.NDArray[np.float32]], embedder: PassageEmbedder) -> bool:
        """Whether a sample, embedded here, has the same vectors."""
        digests = random.SystemRandom().sample(sorted(carried), min(SAMPLED, len(carried)))
        texts = [vectors.words_in(self._database, self._id, digest) for digest in digests]
        for at in range(0, len(digests), AT_ONCE):
            own = embedder.embed_passages(texts[at : at + AT_ONCE])
            others = np.stack([carried[digest] for digest in digests[at : at + AT_ONCE]])
            lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(others, axis=1)
            if not ((own * others).sum(axis=1) >= LOWEST_COSINE * lengths).all():
                return False
        return True


def _read(file: CarriedFile) -> dict[bytes, npt.NDArray[np.float32]] | None:
    """Vectors by digest; None for a file that is not as it should be."""
    row_bytes = DIGEST_BYTES + 2 * file.dimensions
    try:
        if file.path.stat().st_size > MOST_BYTES:
            return None
        data = file.path.read_bytes()
    except OSError:
        return None
    if file.dimensions < 1 or not data or len(data) % row_bytes:
        return None
    rows = np.frombuffer(data, np.uint8).reshape(-1, row_bytes)
    digests = [row.tobytes() for row in rows[:, :DIGEST_BYTES]]
    found = np.ascontiguousarray(rows[:, DIGEST_BYTES:]).view("<f2").astype(np.float32)
    if not np.isfinite(found).all():
        return None
    lengths = np.linalg.norm(found, axis=1)
    if lengths.min() < _SHORTEST or lengths.max() > _LONGEST:
        return None
    if any(first >= second for first, second in pairwise(digests)):
        return None
    return dict(zip(digests, found, strict=True))
