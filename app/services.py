"""The composition root: builds, owns and closes everything that the window and the command line stand on.

Qt-free. `Services.open` blocks (it opens the database), so a window calls it off its main thread. Two programs may
share one data folder: the one that came first does the housekeeping.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock, Timeout

from app.chat import ChatService
from app.documents_care import go_on
from app.embedder_choice import KEY as EMBEDDER
from app.embedder_choice import EmbedderFollower
from app.engines import follow_settings, make_engine
from app.events import ChatEvent, DocumentsHappened, Notice, StoreChanged
from app.future_results import result_or_none
from app.head_start import LOCK_FILE, HeadStart
from app.housekeeping import Housekeeping
from app.i18n import error_sentence, ntr, tr
from app.library_process import run_library
from app.models import ModelLibrary
from app.paths import Paths
from app.persona_models import PersonaModels
from app.persona_service import PersonaService
from app.persona_turns import PersonaTurns
from app.remembered import RememberedChats
from app.remote.choice import RemoteChoice
from app.said_once import SaidOnce
from app.settings import Settings
from app.store.recovery import RecoveryReport, open_or_recover
from app.store.store import ConversationStore
from app.store.types import Changes
from engine.engine import Engine
from engine.errors import ChatError, HearthError, ModelFileError, sentence
from engine.model.discovery_stores import Places
from engine.types import LoadedModel, ModelSpec
from engine.worker.pool import EnginePool
from rag.client import LibraryClient, LibraryPlace
from rag.events import LibraryEvent

if TYPE_CHECKING:
    from types import TracebackType

    from app.persona_voice import PersonaVoice
    from app.voice import VoiceService

_log = logging.getLogger(__name__)
_GENERAL_THREADS = 4
_LAST_ANSWERS_S = 5.0
UNCLEAN_MARK = "open"
"""A file that is there while a program has the data folder open: found at a start, the last end was no proper one."""

T = TypeVar("T")


class Services:
    """Everything, open. Use `open`; close once, from the thread that owns the program's end."""

    def __init__(
        self,
        paths: Paths,
        *,
        settings: Settings,
        store: ConversationStore,
        store_pool: ThreadPoolExecutor,
        pool: ThreadPoolExecutor,
        engine: Engine,
        publish: Callable[[ChatEvent], None],
        lock: FileLock | None = None,
        places: Places | None = None,
        documents: LibraryPlace | None = None,
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.store = store
        self.store_pool = store_pool
        self.pool = pool
        self.engine = engine
        self._publish_on = publish
        publish = self._publish
        self._voice: VoiceService | None = None
        self._making_voice = threading.Lock()
        self._lock = lock
        self._closed = False
        self.recovery: RecoveryReport | None = None
        """What became of a damaged conversations file, for the window to offer the last backup."""
        self.remote = RemoteChoice(settings, paths.config)
        residents = engine if isinstance(engine, EnginePool) else None
        self.models = ModelLibrary(
            engine,
            settings,
            paths.models,
            pool,
            memory_file=paths.cache / "models.json",
            paths=paths,
            places=places,
            elsewhere=lambda: self.remote.spec,
            residents=residents,
        )
        self._unfollow = [self.remote.follow(self._on_remote)]
        if residents is not None:
            self._unfollow.append(follow_settings(residents, settings))
        self.documents = LibraryClient(
            documents or LibraryPlace(paths.library, settings.text(EMBEDDER), paths.embedder, paths.voice),
            self._on_documents,
            entry_point=run_library,
        )
        self._embedder = EmbedderFollower(settings, self.documents, paths.library / "library.db", publish)
        self._unfollow.append(self._embedder.unfollow)
        said = SaidOnce(publish)
        self.personas = PersonaService(
            paths.personas,
            settings,
            publish,
            store_call=self.store_call,
            pool=pool,
            models=PersonaModels(self.models, engine, settings, said),
            documents=self.documents,
            library=paths.library,
        )
        turns = PersonaTurns(self.personas, said, publish)
        self.dress = turns.dress
        """The persona of a conversation as its prompts use it."""
        self.persona_of = turns.persona
        self.chat = ChatService(
            store,
            engine,
            settings,
            publish,
            store_pool=store_pool,
            pool=pool,
            models=self.models,
            documents=self.documents,
            personas=turns,
        )
        self.remembered = RememberedChats(paths.snapshots, engine)
        self.housekeeping = Housekeeping(
            self.store_call,
            paths.backups,
            publish,
            self.remembered,
            sweep_personas=self._sweep_personas,
        )
        settings.write_on(pool)
        settings.subscribe_notices(lambda text: publish(Notice(text, "warning")))

    @classmethod
    def open(
        cls,
        paths: Paths,
        *,
        publish: Callable[[ChatEvent], None] = lambda _event: None,
        engine: Engine | None = None,
        settings: Settings | None = None,
        database: Path | None = None,
        places: Places | None = None,
        tell: bool = True,
        documents: LibraryPlace | None = None,
    ) -> Services:
        """Open everything on `paths`. Raises `StoreError` or `OSError`.

        Without an `engine` the real one is made (its process starts with the first model). `database` is another
        file than the data folder's (a run that keeps nothing). `places` is where to look for models, `documents`
        another place of the document library than the data folder's. `tell` publishes `store_notice` once; a window
        shows it for good instead.
        """
        paths.create()
        settings = settings or Settings.load(paths.settings_file)
        if database is not None:
            settings.override("model.snapshot_gigabytes", 0)
        lock = _lock(paths.data) if database is None else None
        store_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        unclean = paths.data / UNCLEAN_MARK
        try:
            store, recovery = store_pool.submit(
                open_or_recover,
                database or paths.conversations_db,
                paths.backups if database is None else None,
                check=lock is not None and unclean.exists(),
            ).result()
            if lock is not None:
                unclean.touch(mode=0o600)
        except BaseException:
            store_pool.shutdown()
            if lock is not None:
                lock.release()
            raise
        if engine is None:
            engine = make_engine(settings, paths)
        pool = ThreadPoolExecutor(max_workers=_GENERAL_THREADS, thread_name_prefix="general")
        services = cls(
            paths,
            settings=settings,
            store=store,
            store_pool=store_pool,
            pool=pool,
            engine=engine,
            publish=publish,
            lock=lock,
            places=places,
            documents=documents,
        )
        services.recovery = recovery
        if tell and (text := services.store_notice()):
            publish(Notice(text, "warning"))
        if lock is not None and not store.read_only:
            # First in the store's queue: nobody sees an answer that a dead program left as growing.
            services.housekeeping.start()
        return services

    @cached_property
    def persona_voice(self) -> PersonaVoice:
        """How personas are heard."""
        from app.persona_voice import PersonaVoice  # noqa: PLC0415  # most starts do without

        return PersonaVoice(self.store_call, self.persona_of, lambda: self.personas.default)

    @property
    def voice(self) -> VoiceService:
        """Made when it is first wanted. Any thread."""
        with self._making_voice:
            if self._voice is None:
                from app.read_ahead import ReadAhead  # noqa: PLC0415  # most starts do without
                from app.voice import VoiceService  # noqa: PLC0415

                ahead = ReadAhead(self.store_call, self.engine, self.settings, pool=self.pool, dress=self.dress)
                self._voice = VoiceService(
                    self.paths,
                    self.settings,
                    self.chat,
                    ahead,
                    self._publish,
                    pool=self.pool,
                    style_of=self.persona_voice.of_conversation,
                    style_of_message=self.persona_voice.of_message,
                )
            return self._voice

    def store_call(self, operation: Callable[[ConversationStore], T]) -> Future[T]:
        """Do something with the store on its thread; the future ends after the commit."""
        return self.store_pool.submit(operation, self.store)

    def load_first_model(self, wanted: str | None = None, begun: HeadStart | None = None) -> Future[LoadedModel]:
        """Load the model a person named, else the default, unless it has `begun` already.

        A failure is also published as a notice.
        There being no model at all is no failure worth a notice: the first-run screen says it.
        """
        if begun is not None:
            loading = self.models.adopt(begun)
        else:
            loading = self.models.load_default() if wanted is None else self.models.load_named(wanted)
        loading.add_done_callback(lambda ended: self._on_first_model(wanted, ended))
        return loading

    def go_on_with_documents(self) -> None:
        """Have documents read that still wait; for a program that stays open."""
        go_on(self.paths, self.documents, self.store_call)

    def close(self) -> None:
        """Stop what runs, keep what came, and close everything in the one safe order. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for unfollow in self._unfollow:
            unfollow()
        self.housekeeping.close()
        if self._voice is not None:
            self._voice.close()
        self.chat.close()
        self.documents.close()
        self.models.close()
        self.engine.close()
        if not self.chat.wait_until_idle(_LAST_ANSWERS_S):
            _log.error("an answer did not end when the engine was closed")
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.settings.write_on(None)
        self.settings.flush()
        self.store_pool.submit(self.store.close).result()
        self.store_pool.shutdown()
        if self._lock is not None:
            (self.paths.data / UNCLEAN_MARK).unlink(missing_ok=True)
            self._lock.release()

    def store_notice(self) -> str:
        """What is wrong with the conversations file, as a translated sentence; "" if nothing is."""
        if self.store.read_only_error is not None:
            return error_sentence(self.store.read_only_error)
        if self.recovery is None:
            return ""
        if self.recovery.restored:
            return tr(
                "The file with your chats could not be read any more, so the last backup has taken its place."
                " The damaged file is kept."
            )
        return ntr(
            "The file with your chats was damaged. {count} message was saved from it; the damaged file is kept.",
            "The file with your chats was damaged. {count} messages were saved from it; the damaged file is kept.",
            self.recovery.messages_saved,
        )

    def restore_backup(self, backup: Path) -> Future[Path]:
        """Let the store hold what `backup` holds; gives the copy that is kept of the present chats.

        Answers under way are stopped first. Fails with `StoreError` or `ChatError`, and nothing has changed then.
        """

        def replace(store: ConversationStore) -> Path:
            if not self.chat.wait_until_idle(0):
                raise ChatError(sentence("An answer is still being written. Stop it and try again."))
            kept = store.restore_backup(backup)
            store.recover_interrupted()
            self.recovery = None
            self._publish(StoreChanged(Changes(conversation_list=True, folders=True)))
            return kept

        def stop_and_replace() -> Path:
            self.chat.stop_all()
            self.chat.wait_until_idle(_LAST_ANSWERS_S)
            return self.store_call(replace).result()

        return self.pool.submit(stop_and_replace)

    def _sweep_personas(self) -> None:
        """What was deleted long ago, and what a trial left that ended with its program; on the general pool."""
        from app.trial_folder import sweep_trials  # noqa: PLC0415  # half a minute after the start

        for sweep in (self.personas.sweep, sweep_trials):
            self.pool.submit(sweep).add_done_callback(
                lambda swept: result_or_none(swept, _log, "letting go of deleted personas")
            )

    def _publish(self, event: ChatEvent) -> None:
        if self._voice is not None:
            self._voice.take(event)
        self._publish_on(event)

    def _on_documents(self, event: LibraryEvent) -> None:
        """On the library's reader thread."""
        self._embedder.on_event(event)
        self._publish(DocumentsHappened(event))

    def _on_remote(self, before: ModelSpec | None, now: ModelSpec | None) -> None:
        """The person has turned another computer on or off, or meant another one. Any thread."""
        loading = self.models.load_elsewhere(now) if now is not None else self.models.load_default()
        loading.add_done_callback(lambda ended: self._on_first_model(None, ended))
        if before is not None and isinstance(self.engine, EnginePool):
            self.engine.drop(before)

    def _on_first_model(self, wanted: str | None, ended: Future[LoadedModel]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is None or self._closed or (wanted is None and isinstance(error, ModelFileError)):
            return
        if isinstance(error, HearthError):
            self._publish(Notice(error_sentence(error), "error"))
        else:
            _log.error("loading the first model failed", exc_info=error)

    def __enter__(self) -> Services:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def _lock(folder: Path) -> FileLock | None:
    """The right to do the housekeeping of a data folder, None while another program has it."""
    lock = FileLock(folder / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return None
    return lock
