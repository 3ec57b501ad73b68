"""The models of this machine and those that can be fetched, in one list; loading one, and which one by default.

Looks for models on the general pool (`app.model_shelf`). Knows no window; fetching is the downloader's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.head_start import HeadStart, spec_by_settings
from app.model_adapters import adapters_of, check_adapter, set_adapters
from app.model_choice import find_entry
from app.model_draft import check_draft
from app.model_elsewhere import entry_elsewhere
from app.model_entry import Availability, Fit, ModelEntry
from app.model_judge import judge
from app.model_projectors import keep_found
from app.model_shelf import ModelShelf
from app.paths import Paths
from app.settings import Settings
from engine.cancel import CancelToken
from engine.engine import Engine, EngineState, EngineStatus
from engine.errors import HearthError, ModelFileError, ModelFitError, WorkerError, sentence
from engine.model.catalogue import Catalogue, CatalogueModel
from engine.model.discovery_stores import Places
from engine.model.memory import machine_memory
from engine.types import Adapter, LoadedModel, ModelSpec

if TYPE_CHECKING:
    from app.downloader.order import Progress

__all__ = ["Availability", "Fit", "ModelEntry", "ModelLibrary"]

_log = logging.getLogger(__name__)
_NOT_HERE = sentence("{name} is not on this computer yet. Fetch it first: hearth fetch {wanted}")
_NO_MODEL = sentence("There is no model on this computer yet. Fetch one in the list of models, or with: hearth fetch")
_NONE_FITS = sentence(
    "No model on this computer fits into its memory now. Close other programs, or fetch a smaller model."
)
_DIED = sentence("The model could not be loaded.")


class ResidentModels(Protocol):
    """What an engine for several models tells of them."""

    @property
    def held_bytes(self) -> int:
        """What all of them take."""
        ...

    def resident(self, path: Path) -> LoadedModel | None:
        """The model of this file, if it is in memory."""
        ...


class ModelLibrary:
    """Any thread. `entries` is the newest list; `refresh` makes a newer one."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        models_folder: Path,
        pool: Executor,
        *,
        memory_file: Path | None = None,
        paths: Paths | None = None,
        places: Places | None = None,
        catalogue: Catalogue | None = None,
        elsewhere: Callable[[], ModelSpec | None] = lambda: None,
        residents: ResidentModels | None = None,
    ) -> None:
        """`elsewhere` names the model on another computer that is used in place of the default, None for none.

        `residents` are given where the engine keeps more models in memory than the one it shows.
        """
        self._elsewhere = elsewhere
        self._residents = residents
        self._engine = engine
        self._settings = settings
        self._folder = models_folder
        self._pool = pool
        self._paths = paths
        self._shelf = ModelShelf(
            settings, models_folder, self._available, memory_file=memory_file, places=places, catalogue=catalogue
        )
        self._looking = threading.Lock()
        self._lock = threading.Lock()
        self._entries: tuple[ModelEntry, ...] = ()
        self._scanned = False
        self._listeners: list[Callable[[], None]] = []
        self._loading: Future[LoadedModel] | None = None
        self._loading_path: Path | None = None
        self._last: LoadedModel | None = engine.state.model
        self._waiting: list[Future[LoadedModel]] = []
        self._closing = CancelToken()
        engine.subscribe(self._on_engine_state)

    # The list

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """As of the last `refresh`, with what is loaded now.

        The one on another computer first, while that is turned on; then those that are here, then those to fetch.
        """
        with self._lock:
            entries = self._entries
        loaded = self._loaded_path()
        marked = (
            entry if entry.loaded == (entry.path == loaded is not None) else replace(entry, loaded=not entry.loaded)
            for entry in entries
        )
        spec = self._elsewhere()
        there = (entry_elsewhere(spec.remote, self._engine.state.model),) if spec is not None and spec.remote else ()
        return (*there, *marked)

    @property
    def catalogue(self) -> Catalogue:
        return self._shelf.catalogue

    @property
    def held_bytes(self) -> int:
        """What the models in memory take, in bytes, and would give back to another one."""
        if self._residents is not None:
            return self._residents.held_bytes
        model = self._engine.state.model
        return model.weights_bytes + model.kv_bytes + model.compute_bytes if model is not None else 0

    def starter(self) -> CatalogueModel:
        """The model to fetch first on this machine."""
        return self._shelf.starter()

    def refresh(self) -> Future[list[ModelEntry]]:
        """Look at the folders again."""
        return self._pool.submit(self._scan)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener()` on any thread when `entries` has changed."""
        with self._lock:
            self._listeners.append(listener)

    def add_folder(self, folder: Path) -> Future[list[ModelEntry]]:
        """Look in this folder too, from now on."""
        folders = self._settings.texts("model.folders")
        if str(folder) not in folders:
            self._settings.set("model.folders", (*folders, str(folder)))
        return self.refresh()

    def remove_folder(self, folder: Path) -> Future[list[ModelEntry]]:
        """Look there no longer; nothing is deleted."""
        folders = self._settings.texts("model.folders")
        self._settings.set("model.folders", tuple(each for each in folders if each != str(folder)))
        return self.refresh()

    def describe(self, path: Path) -> Future[ModelEntry]:
        """The entry of one file, wherever it lies. Fails with `ModelFileError`."""
        return self._pool.submit(lambda: self._entry_of_file(path))

    def add_adapter(self, model: Path, adapter: Path) -> Future[None]:
        """Put a LoRA file on the model's list, with weight 1. Fails with `ModelFileError` where it does not belong."""

        def check_and_add() -> None:
            check_adapter(adapter, model)
            others = [each for each in adapters_of(model, self._settings) if each.path != adapter]
            set_adapters(model, [*others, Adapter(adapter)], self._settings)

        return self._pool.submit(check_and_add)

    def check_draft(self, model: Path, draft: Path) -> Future[None]:
        """Whether `draft` can guess ahead for a model. Fails with `ModelFileError` where it cannot."""
        return self._pool.submit(check_draft, draft, model)

    # Choosing and loading

    def default(self) -> ModelEntry | None:
        """The model to use when nobody has said which; None while none is here. Blocks for the first scan."""
        if not self._scanned:
            self._scan()
        return next((entry for entry in self.entries if entry.is_default), None)

    def expected_name(self) -> str:
        """The name of the model that is loaded, or would be loaded now; "" if that is not known yet."""
        with self._lock:
            remote = spec.remote if (spec := self._elsewhere()) is not None else None
            if remote is not None:
                return entry_elsewhere(remote, self._engine.state.model).name
            coming = self._loading_path if self._loading is not None and not self._loading.done() else None
            if coming is not None:
                return next((entry.name for entry in self._entries if entry.path == coming), coming.stem)
            default = next((entry.name for entry in self._entries if entry.is_default), "")
        model = self._engine.state.model
        return self.display_name(model) if model is not None else default

    def display_name(self, model: LoadedModel) -> str:
        """The name that the list shows for what is loaded."""
        with self._lock:
            return next((entry.name for entry in self._entries if entry.path == model.path), model.name)

    def resolve(self, wanted: str) -> ModelEntry:
        """The model that a person means by a file, a name or a part of one. Raises `ModelFileError`. Blocks."""
        path = Path(wanted).expanduser()
        if path.is_file():
            return self._entry_of_file(path.resolve())
        if not self._scanned:
            self._scan()
        return find_entry(self.entries, wanted)

    def here(self, wanted: str) -> tuple[ModelEntry, Path]:
        """What `resolve` finds, and its file. Raises `ModelFileError` also where it must be fetched first."""
        entry = self.resolve(wanted)
        if entry.path is None:
            raise ModelFileError(_NOT_HERE, name=entry.name, wanted=wanted)
        return entry, entry.path

    def holding(self, sha256: str) -> Path | None:
        """The model on this computer whose file has this digest, in hex. Blocks: see `ModelShelf.holding`."""
        if not self._scanned:
            self._scan()
        with self._looking:
            try:
                return self._shelf.holding(sha256, self._entries, self._closing)
            except OSError as error:
                _log.warning("a model file could not be read: %s", error)
                return None

    def load(self, path: Path, *, n_ctx: int | None = None) -> Future[LoadedModel]:
        """Load a model file and remember it as the last one used. Fails with `HearthError`.

        From now on this computer answers.
        """
        with self._lock:
            loading: Future[LoadedModel] = Future()
            self._loading, self._loading_path = loading, path
        self._settings.set("remote.enabled", False)
        self._pool.submit(self._load, path, n_ctx, loading).add_done_callback(_pass_bug_to(loading))
        return loading

    def load_named(self, wanted: str) -> Future[LoadedModel]:
        """Load what `here` finds; on its way from this moment on, so that nothing else is loaded meanwhile."""
        with self._lock:
            loading: Future[LoadedModel] = Future()
            self._loading, self._loading_path = loading, None
        self._settings.set("remote.enabled", False)

        def find_and_load() -> None:
            try:
                _entry, path = self.here(wanted)
            except HearthError as error:
                loading.set_exception(error)
                return
            with self._lock:
                self._loading_path = path
            self._load(path, None, loading)

        self._pool.submit(find_and_load).add_done_callback(_pass_bug_to(loading))
        return loading

    def adopt(self, begun: HeadStart) -> Future[LoadedModel]:
        """Take over a load that began before this library was there. This computer answers then, in this run."""
        if self._elsewhere() is not None:
            self._settings.override("remote.enabled", False)
        with self._lock:
            loading: Future[LoadedModel] = Future()
            self._loading, self._loading_path = loading, begun.path
        begun.loading.add_done_callback(lambda loaded: self._on_loaded(begun.path, loaded, loading))
        return loading

    def load_elsewhere(self, spec: ModelSpec) -> Future[LoadedModel]:
        """Let another computer's model answer from now on. Fails with `HearthError`."""
        with self._lock:
            loading: Future[LoadedModel] = Future()
            self._loading, self._loading_path = loading, spec.path
        self._engine.load(spec, self._closing).add_done_callback(lambda loaded: self._on_loaded(None, loaded, loading))
        return loading

    def load_default(self) -> Future[LoadedModel]:
        """Load `default()`, or what is used in its place on another computer.

        Fails with the sentence that says what to do if there is none.
        """
        if (spec := self._elsewhere()) is not None:
            return self.load_elsewhere(spec)
        with self._lock:
            if self._loading is not None and not self._loading.done():
                return self._loading
            loading: Future[LoadedModel] = Future()
            self._loading, self._loading_path = loading, None

        def choose_and_load() -> None:
            entry = self.default()
            if entry is None or entry.path is None:
                here = any(each.availability is Availability.HERE for each in self.entries)
                loading.set_exception(ModelFitError(_NONE_FITS) if here else ModelFileError(_NO_MODEL))
            else:
                with self._lock:
                    self._loading_path = entry.path
                self._load(entry.path, None, loading)

        self._pool.submit(choose_and_load).add_done_callback(_pass_bug_to(loading))
        return loading

    def ensure_loaded(self) -> Future[LoadedModel]:
        """A future that ends when some model is loaded: the present one, the one on its way, or the default.

        While the engine comes back from a crash, or has given the model up, the future gives the model that was
        loaded: the engine holds a request until it is back, or says why it will not be.
        """
        with self._lock:
            if self._loading is not None and not self._loading.done():
                return self._loading
            state = self._engine.state
            if state.status is EngineStatus.READY and state.model is not None:
                ready: Future[LoadedModel] = Future()
                ready.set_result(state.model)
                return ready
            if state.status is EngineStatus.CRASHED and self._last is not None:
                back: Future[LoadedModel] = Future()
                back.set_result(self._last)
                return back
            if state.status is EngineStatus.LOADING:  # After a crash the engine loads by itself.
                waiting: Future[LoadedModel] = Future()
                self._waiting.append(waiting)
                return waiting
        return self.load_default()

    def fetch(
        self, model: CatalogueModel, on_progress: Callable[[Progress], None], cancel: CancelToken
    ) -> Future[Path]:
        """Download into our own folder, then `refresh`. Fails with `DownloadError`, or `CancelledError`."""
        from app.downloader import client  # noqa: PLC0415  # the only door to the network, opened on request
        from app.downloader.order import DownloadOrder  # noqa: PLC0415

        future = client.fetch(DownloadOrder.of(model), self._folder, on_progress=on_progress, cancel=cancel)
        future.add_done_callback(self._on_fetched)
        return future

    def close(self) -> None:
        """Stop scanning; futures that wait for a model fail."""
        self._closing.cancel()
        self._fail_waiting()

    # On the pool

    def _scan(self) -> list[ModelEntry]:
        with self._looking:
            entries = self._shelf.look(self._closing)
            with self._lock:
                self._entries = entries
                self._scanned = True
        self._tell()
        return list(self.entries)

    def _available(self) -> int:
        """Bytes that a model could have: what is free, and what those in memory would give back."""
        memory = machine_memory()
        return min(memory.total_bytes, memory.available_bytes + self.held_bytes)

    def _entry_of_file(self, path: Path) -> ModelEntry:
        with self._lock:
            known = next((entry for entry in self._entries if entry.path == path), None)
        return known if known is not None else self._shelf.entry_of(path)

    def _load(self, path: Path, n_ctx: int | None, loading: Future[LoadedModel]) -> None:
        try:
            entry = self._entry_of_file(path)
        except ModelFileError as error:
            loading.set_exception(error)
            return
        spec = self.spec(entry, n_ctx=n_ctx)
        self._engine.load(spec, self._closing).add_done_callback(lambda loaded: self._on_loaded(path, loaded, loading))

    def spec(self, entry: ModelEntry, *, n_ctx: int | None = None) -> ModelSpec:
        """How an entry would be loaded, by the settings."""
        assert entry.path is not None and entry.description is not None
        # Judged anew: how much is free has changed since the list was made.
        chosen = judge(entry.description, self._settings, self._available()).n_ctx
        if self._residents is not None and not self._settings.integer("model.n_ctx"):
            # A model that is still in memory keeps the window that was chosen for it, and so its cache.
            present = self._residents.resident(entry.path)
            chosen = present.n_ctx if present is not None else chosen
        keep_found(entry.path, entry.description.projector, self._settings)
        return spec_by_settings(entry.path, self._settings, n_ctx or chosen, self._paths)

    # From the engine's threads

    def _on_loaded(self, path: Path | None, loaded: Future[LoadedModel], loading: Future[LoadedModel]) -> None:
        if loaded.cancelled():
            loading.set_exception(WorkerError(_DIED))
            return
        error = loaded.exception()
        if error is not None:
            loading.set_exception(error)
            return
        if path is not None:
            self._settings.set("model.path", str(path))
        loading.set_result(loaded.result())

    def _on_engine_state(self, state: EngineState) -> None:
        if state.status is EngineStatus.READY and state.model is not None:
            with self._lock:
                self._last = state.model
                waiting, self._waiting = self._waiting, []
            for future in waiting:
                future.set_result(state.model)
        elif state.status is not EngineStatus.LOADING:
            self._fail_waiting(state.message)
        if state.status is not EngineStatus.LOADING:
            self._tell()

    def _fail_waiting(self, message: str = "") -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.set_exception(WorkerError(message or _DIED))

    def _loaded_path(self) -> Path | None:
        model = self._engine.state.model
        return model.path if model is not None else None

    def _on_fetched(self, fetched: Future[Path]) -> None:
        if not fetched.cancelled() and fetched.exception() is None and not self._closing.cancelled:
            self.refresh()

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


def _pass_bug_to(loading: Future[LoadedModel]) -> Callable[[Future[None]], None]:
    """Whoever waits for a load hears also of a bug on the way to it."""

    def passed(future: Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None and not loading.done():
            loading.set_exception(error)

    return passed
