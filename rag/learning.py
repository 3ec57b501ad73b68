"""Which embedder searches by meaning, and which one is to take its place as soon as it knows every passage.

Until then the old one goes on serving with its own vectors, also after a restart; vectors of two are never compared.
What was learned by one that a person turned away from is kept until another one has taken the old one's place. Of
several programs on one library the one in charge decides; the others load what serves. Knows no model's format.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from engine.errors import EmbedderError, HearthError, StoreError, sentence
from rag.carried import CarriedVectors
from rag.carried_file import CarriedFile
from rag.embedding.embedder import Embedder
from rag.embedding_queue import EmbeddingQueue, Learner
from rag.events import EmbedderChosen, EventSink, FilesChanged, LibraryNotice
from rag.learning_report import LearningReport
from rag.meaning import MeaningIndex
from rag.store import vectors
from rag.store.database import LibraryDatabase

LoadEmbedder = Callable[[str], Embedder | None]
"""The embedder that a choice names, None where it has not been fetched yet, or none is wanted."""
_NOT_HERE = sentence("The light model for finding by meaning is not on this computer yet. Fetch it first.")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """An embedder, its number in the store, and the choice that it was loaded by."""

    embedder: Embedder
    id: int
    choice: str

    @property
    def learner(self) -> Learner:
        return Learner(self.embedder, self.id)


class Learning:
    """Loads on a thread of its own, after `begin`. `queue` makes the vectors, once this program is in charge."""

    def __init__(
        self,
        database: LibraryDatabase,
        meaning: MeaningIndex,
        publish: EventSink,
        *,
        choice: str,
        load: LoadEmbedder,
        is_reading: Callable[[], bool],
    ) -> None:
        self._database = database
        self._meaning = meaning
        self._carried = CarriedVectors(database, publish)
        self.queue = EmbeddingQueue(
            database,
            publish,
            on_embedded=meaning.take,
            on_learned=self._learned,
            is_reading=is_reading,
            carried=self._carried,
        )
        self._publish = publish
        self._load = load
        self._choice = choice
        """What this program's person wants."""
        self._in_charge = self._begun = self._closed = False
        self._tried = ""
        """What another program serves, or wants, and this one has loaded, or could not."""
        self._arranging = threading.RLock()
        self._serving: _Loaded | None = None
        self._coming: _Loaded | None = None
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="embedder-load")
        self._ready = threading.Event()

    @property
    def serving_id(self) -> int | None:
        """The number of the embedder that searches, None while there is none."""
        serving = self._serving
        return None if serving is None else serving.id

    @property
    def counted_id(self) -> int | None:
        """The number of the embedder by whose vectors passages count as learned: while none is loaded yet, of the one
        that served the last time."""
        if self._serving is not None or self._ready.is_set():
            return self.serving_id
        stored = vectors.serving(self._database)
        return None if stored is None else stored.id

    def begin(self) -> None:
        """Load what is wanted. What goes wrong is published."""
        self._begun = True
        self._soon(self._begin)

    def take_charge(self) -> None:
        """This program reads and embeds from now on."""
        self._in_charge = True
        self.queue.start()
        if self._begun:
            self.begin()

    def choose(self, choice: str) -> None:
        """Have another embedder take the old one's place, as soon as it knows every passage. Blocks while it loads.

        Raises a `HearthError` where it cannot be loaded; all stays as it was then.
        """
        self._loader.submit(self._choose, choice).result()

    def carry(self, collection_id: int, file: CarriedFile) -> None:
        """Vectors came along with the documents of a collection: use them, if they stand the test."""
        self._carried.carry(collection_id, file)
        self.queue.begin_anew()

    def follow(self) -> None:
        """See what another program has done: what it has learned, what it wants, or that another embedder serves."""
        if self._in_charge:
            wanted = vectors.wanted(self._database)
            if wanted is not None and wanted.choice not in (self._choice, self._tried):
                self._tried = wanted.choice
                self._soon(lambda: self._choose_as_told(wanted.choice))
            self._meaning.catch_up()
        elif not self.is_behind:
            self._meaning.catch_up()
        else:
            self.begin()

    @property
    def is_behind(self) -> bool:
        """Another program serves by another embedder than this one, which can load that too, as far as is known."""
        serving = vectors.serving(self._database)
        return serving is not None and serving.id != self.serving_id and serving.name != self._tried

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Whether what is wanted was loaded, or could not be, before the time was over."""
        return self._ready.wait(timeout_s)

    def report(self) -> LearningReport:
        row = self._database.row("SELECT count(*) FROM chunk")
        n_all = 0 if row is None else int(row[0])
        serving, wanted = vectors.serving(self._database), vectors.wanted(self._database)
        coming = None if serving is None or wanted is None or wanted.id == serving.id else wanted
        learning = coming or serving
        n_left = n_all if learning is None else vectors.n_without(self._database, learning.id)
        return LearningReport(
            "" if serving is None else serving.choice, "" if coming is None else coming.choice, n_left, n_all
        )

    def close(self) -> None:
        """Leave everything as it is committed. Idempotent."""
        self._closed = True
        self.queue.close()
        self._loader.shutdown()
        self._meaning.close()
        for each in (self._serving, self._coming):
            if each is not None:
                each.embedder.close()
        self._serving = self._coming = None

    def _learned(self) -> None:
        """On the queue's thread: the coming one takes the other's place, if nothing has come meanwhile."""
        with self._arranging:
            coming, old = self._coming, self._serving
            if coming is None or vectors.n_without(self._database, coming.id):
                return
            self._serve(coming)
            self._coming = None
            self.queue.use(coming.learner)
        if old is not None:
            old.embedder.close()
        self._publish(FilesChanged())
        vectors.forget_other_embedders(self._database, coming.id)

    def _soon(self, action: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # closed
            self._loader.submit(action).add_done_callback(_tell_bug)

    # On the loader's thread

    def _begin(self) -> None:
        serving: vectors.KeptEmbedder | None = None
        try:
            serving = vectors.serving(self._database)
            if self._in_charge or serving is None:
                self._take(self._choice)
            else:
                self._take(serving.choice)
                # Where it could not be taken, its vectors are of no use here.
                self._tried = serving.name
        except HearthError as error:
            self._tried = "" if serving is None else serving.name
            self._publish(LibraryNotice.of(error))
        finally:
            self._ready.set()

    def _choose_as_told(self, choice: str) -> None:
        try:
            self._choose(choice)
        except HearthError as error:
            self._publish(LibraryNotice.of(error))
        else:
            self._publish(EmbedderChosen(choice))

    def _choose(self, choice: str) -> None:
        if self._in_charge:
            if not self._take(choice) and choice:
                raise EmbedderError(_NOT_HERE)
        else:
            loaded = self._open(choice)
            if loaded is None:
                raise EmbedderError(_NOT_HERE)
            loaded.embedder.close()
            vectors.want(self._database, loaded.id, choice)
        self._choice = choice

    def _take(self, choice: str) -> bool:
        """Let the embedder of a choice serve, or come; whether there is one. Raises as loading does."""
        error: HearthError | None = None
        try:
            new = self._open_once(choice)
        except HearthError as raised:
            new, error = None, raised
        if self._closed:
            if new is not None:
                new.embedder.close()
            return False
        if new is None:
            if choice and self._serving is None:
                self._serve_as_before(choice)
        else:
            self._arrange(new)
        if error is not None:
            raise error
        return new is not None

    def _open_once(self, choice: str) -> _Loaded | None:
        for each in (self._serving, self._coming):
            if each is not None and each.choice == choice:
                return each
        return self._open(choice)

    def _open(self, choice: str) -> _Loaded | None:
        embedder = self._load(choice)
        if embedder is None:
            return None
        return _Loaded(embedder, vectors.embedder_id(self._database, embedder.model_id, embedder.dimensions), choice)

    def _serve_as_before(self, but: str) -> None:
        """What is wanted is not to be had: go on with what served the last time."""
        if (old := self._old(but)) is not None:
            with self._arranging:
                self._serve(old)
                self.queue.use(old.learner)

    def _arrange(self, new: _Loaded) -> None:
        if self._serving is None and (old := self._old(new.choice)) is not None:
            if old.id == new.id:
                old.embedder.close()
            else:
                self._meaning.use(old.embedder, old.id)
                self._serving = old
        with self._arranging:
            before = {self._serving, self._coming}
            old = self._serving
            if self._in_charge and old is not None and old.id != new.id and self._knows_more(old, new):
                self._coming = new
                self.queue.use(old.learner, new.learner)
            else:
                if old is None or old.id != new.id:
                    self._serve(new)
                elif old is not new:
                    before.add(new)  # the same model by another name: one of them is enough
                self._coming = None
                assert self._serving is not None
                self.queue.use(self._serving.learner)
            if self._in_charge:
                vectors.want(self._database, new.id, new.choice)
            gone = before - {None, self._serving, self._coming}
        for each in gone:
            if each is not None:
                each.embedder.close()
        self._publish(FilesChanged())

    def _old(self, but: str) -> _Loaded | None:
        """What served the last time, if it was chosen by another name and can still be loaded as it was."""
        stored = vectors.serving(self._database)
        if stored is None or stored.choice in ("", but):
            return None
        try:
            old = self._open(stored.choice)
        except HearthError as error:
            _log.warning("the embedder that served cannot be loaded any more: %s", error)
            return None
        if old is not None and old.id != stored.id:  # another model lies there now
            old.embedder.close()
            return None
        return old

    def _knows_more(self, old: _Loaded, new: _Loaded) -> bool:
        return vectors.n_without(self._database, old.id) < vectors.n_without(self._database, new.id)

    def _serve(self, new: _Loaded) -> None:
        if self._in_charge or vectors.serving(self._database) is None:
            vectors.serve(self._database, new.id, new.choice)
        self._meaning.use(new.embedder, new.id)
        self._serving = new


def _tell_bug(future: Future[None]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None and not isinstance(error, StoreError):
        _log.error("choosing an embedder failed", exc_info=error)
