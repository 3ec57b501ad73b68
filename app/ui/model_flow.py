"""Choosing, loading and fetching models, for all windows at once. Main thread only.

Stands between the `ModelLibrary` and the views (picker, first run, status bar), which only show and ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.model_adapters import adapters_of, set_adapters
from app.model_entry import Availability, ModelEntry
from app.model_projectors import ProjectorChoice, check_projector, choice_of, set_choice
from app.settings import Settings
from app.ui.bridge import EventBridge
from app.ui.library import sentence_of
from app.ui.model_details import KeptChoices
from engine.cancel import CancelToken
from engine.model.projector_search import projectors_beside
from engine.types import Adapter, KvType, LoadedModel

if TYPE_CHECKING:
    from app.downloader.order import Progress
    from app.services import Services

CPU_ONLY = 0
_DRAFT = "model.draft_path"


class ModelFlow(QObject):
    """The list of models as last seen, and what is under way with them."""

    entries_changed = Signal()
    failed = Signal(str)
    """A sentence: a model could not be loaded."""
    download_progressed = Signal(str, object)
    """An entry's key and a `Progress`."""
    download_paused = Signal(str)
    download_failed = Signal(str, str)
    """An entry's key and the sentence."""
    downloaded = Signal(str)
    adapters_changed = Signal(str, str)
    """An entry's key, and "" or the sentence why a file was not added to its adapters."""
    draft_checked = Signal(str, str)
    """An entry's key, and "" or the sentence why the small model that guesses ahead does not fit it."""
    eyes_found = Signal(str, object, str)
    """An entry's key, what it could look at images with, and "" or the sentence why a file was not taken."""
    _progress = Signal(str, object)

    def __init__(self, bridge: EventBridge, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._settings = bridge, settings
        self._services: Services | None = None
        self._downloads: dict[str, CancelToken] = {}
        self.progress: dict[str, Progress] = {}
        """The newest progress of each download under way, by the entry's key."""
        self.entries: tuple[ModelEntry, ...] = ()
        self.scanned = False
        self.loading_name = ""
        # Downloads report from a thread of their own; the queue brings the report here.
        self._progress.connect(self._on_progress)

    def attach(self, services: Services) -> None:
        """The services are open: read the list of models."""
        self._services = services
        services.models.subscribe(self._entries_elsewhere)
        self.refresh()

    def detach(self) -> None:
        """The services are about to close; downloads stop and keep what came."""
        for cancel in self._downloads.values():
            cancel.cancel()
        self._services = None

    def has_models(self) -> bool:
        """Whether any model is on this computer."""
        return any(entry.availability is Availability.HERE for entry in self.entries)

    def starter(self) -> ModelEntry | None:
        """The model to fetch first."""
        return next((entry for entry in self.entries if entry.recommended), None)

    def held_bytes(self) -> int:
        """The memory that the models in memory take, in bytes."""
        return self._services.models.held_bytes if self._services is not None else 0

    @property
    def loaded(self) -> LoadedModel | None:
        """The model in use."""
        return self._services.engine.state.model if self._services is not None else None

    def refresh(self) -> None:
        """Look at the folders again."""
        if self._services is not None:
            self._bridge.then(self._services.models.refresh(), self._on_entries, self._on_failed)

    def add_folder(self, folder: Path) -> None:
        """Look in this folder too, from now on."""
        if self._services is not None:
            self._bridge.then(self._services.models.add_folder(folder), self._on_entries, self._on_failed)

    def kept_choices(self) -> KeptChoices:
        """What the settings say of how models are loaded."""
        kv_type = KvType(self._settings.text("model.kv_type"))
        return KeptChoices(
            kv_type,
            lambda model: adapters_of(model, self._settings),
            self._draft,
            lambda model: choice_of(model, self._settings),
        )

    def add_adapter(self, entry: ModelEntry, adapter: Path) -> None:
        """Put a LoRA file on a model's list, if it belongs to that model."""
        if self._services is None or entry.path is None:
            return
        self._bridge.then(
            self._services.models.add_adapter(entry.path, adapter),
            lambda _nothing: self.adapters_changed.emit(entry.key, ""),
            lambda error: self.adapters_changed.emit(entry.key, sentence_of(error)),
        )

    def set_adapters(self, entry: ModelEntry, adapters: tuple[Adapter, ...]) -> None:
        """Weigh a model's adapters anew, or take some off its list."""
        if entry.path is not None:
            set_adapters(entry.path, adapters, self._settings)

    def find_eyes(self, entry: ModelEntry) -> None:
        """Look for what a model could look at images with; `eyes_found` follows."""
        self._look_for_eyes(entry, "")

    def set_eyes(self, entry: ModelEntry, choice: ProjectorChoice) -> None:
        """Let a model look at images with this from its next loading on, if it may be its own."""
        services, model = self._services, entry.path
        if services is None or model is None:
            return

        def keep(_checked: None) -> None:
            set_choice(model, choice, self._settings)
            self._look_for_eyes(entry, "")

        def check() -> None:
            if choice.path is not None:
                check_projector(choice.path, model)

        self._bridge.then(
            services.pool.submit(check), keep, lambda error: self._look_for_eyes(entry, sentence_of(error))
        )

    def _look_for_eyes(self, entry: ModelEntry, refused: str) -> None:
        services, model = self._services, entry.path
        if services is None or model is None or entry.availability is not Availability.HERE:
            return
        named = entry.description.projector if entry.description is not None else None

        def look() -> tuple[Path, ...]:
            return tuple(dict.fromkeys((*projectors_beside(model), *((named,) if named is not None else ()))))

        self._bridge.then(
            services.pool.submit(look),
            lambda found: self.eyes_found.emit(entry.key, found, refused),
            lambda error: self.eyes_found.emit(entry.key, (), sentence_of(error)),
        )

    def set_draft(self, entry: ModelEntry, draft: Path | None) -> None:
        """Let this small model guess ahead for the large ones it fits, or none."""
        self._settings.set(_DRAFT, "" if draft is None else str(draft))
        self.draft_checked.emit(entry.key, "")
        self.check_draft(entry)

    def check_draft(self, entry: ModelEntry) -> None:
        """Find out whether the kept small model fits this one, and say it in a sentence if it does not."""
        draft = self._draft()
        if self._services is None or entry.path is None or entry.description is None or draft is None:
            return
        self._bridge.then(
            self._services.models.check_draft(entry.path, draft),
            lambda _fits: None,
            lambda error: self.draft_checked.emit(entry.key, sentence_of(error)) if draft == self._draft() else None,
        )

    def _draft(self) -> Path | None:
        kept = self._settings.text(_DRAFT).strip()
        return Path(kept).expanduser() if kept else None

    def load_elsewhere(self, entry: ModelEntry) -> None:
        """Let the other computer answer, or connect to it again."""
        if self._services is not None:
            self.loading_name = entry.name
            self._bridge.then(self._services.models.load_default(), self._on_loaded, self._on_failed)

    def load(self, path: Path, *, n_ctx: int | None = None, kv_type: KvType | None = None) -> None:
        """Load a model; how far it is comes as engine states."""
        if self._services is None:
            return
        if kv_type is not None:
            self._settings.set("model.kv_type", kv_type.value)
        entry = next((each for each in self.entries if each.path == path), None)
        self.loading_name = entry.name if entry is not None else path.stem
        self._bridge.then(self._services.models.load(path, n_ctx=n_ctx), self._on_loaded, self._on_failed)

    def reload(self, *, on_cpu: bool) -> None:
        """Load the last model again after a crash; on the processor alone if wanted, for this run."""
        if on_cpu:
            self._settings.override("model.n_gpu_layers", CPU_ONLY)
        last = self._settings.text("model.path")
        if last:
            self.load(Path(last))

    def cancel_loading(self) -> None:
        """Stop loading: the worker ends, and no model is loaded."""
        if self._services is not None:
            self._bridge.then(self._services.engine.unload(), lambda _nothing: None, self._on_failed)

    def fetch(self, entry: ModelEntry, *, then_load: bool = False) -> None:
        """Download a model of the catalogue, or go on with a download that was paused."""
        if self._services is None or entry.catalogue is None or entry.key in self._downloads:
            return
        key, cancel = entry.key, CancelToken()
        self._downloads[key] = cancel

        def done(path: Path) -> None:
            self._end(key)
            self.downloaded.emit(key)
            self.refresh()
            if then_load:
                self.load(path)

        def failed(error: BaseException) -> None:
            self._end(key)
            if isinstance(error, CancelledError):
                self.download_paused.emit(key)
            else:
                self.download_failed.emit(key, sentence_of(error))

        future = self._services.models.fetch(
            entry.catalogue, lambda progress: self._progress.emit(key, progress), cancel
        )
        future.add_done_callback(lambda ended: self._progress.emit(key, None) if ended.cancelled() else None)
        self._bridge.then(future, done, failed)

    def cancel_fetch(self, entry: ModelEntry) -> None:
        """Pause a download; what has come stays."""
        if (cancel := self._downloads.get(entry.key)) is not None:
            cancel.cancel()

    def _end(self, key: str) -> None:
        self._downloads.pop(key, None)
        self.progress.pop(key, None)

    def _entries_elsewhere(self) -> None:
        # Any thread.
        self._progress.emit("", None)

    def _on_progress(self, key: str, progress: Progress | None) -> None:
        if not key:
            if self._services is not None:
                self._on_entries(self._services.models.entries)
        elif progress is None:
            self._end(key)
            self.download_paused.emit(key)
        elif key in self._downloads:
            self.progress[key] = progress
            self.download_progressed.emit(key, progress)

    def _on_entries(self, entries: Sequence[ModelEntry]) -> None:
        self.entries = tuple(entries)
        self.scanned = True
        self.entries_changed.emit()

    def _on_loaded(self, _model: LoadedModel) -> None:
        self.loading_name = ""
        if self._services is not None:
            self._on_entries(self._services.models.entries)

    def _on_failed(self, error: BaseException) -> None:
        self.loading_name = ""
        self.failed.emit(sentence_of(error))
