"""The one card of the first-run page: a model to begin with, and how far one is from talking to it.

Shows what it is told and says what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.downloader.order import Progress
from app.i18n import tr
from app.model_entry import Availability, Fit, ModelEntry
from app.ui.amounts import bytes_text, params_text
from app.ui.download_row import DownloadRow
from app.ui.plain_label import plain_label
from app.ui.theme import Theme
from engine.engine import EngineState, EngineStatus

_WIDTH_UNITS = 120
_OWN_SOURCES = ("Hearth", "Folder")
"""Not worth naming: our own downloads and the folders that the person added."""


def recommended_here(entries: tuple[ModelEntry, ...]) -> ModelEntry | None:
    """The model of this machine to begin with: the default, else the first that fits."""
    here = [entry for entry in entries if entry.availability is Availability.HERE]
    default = next((entry for entry in here if entry.is_default), None)
    return default or next((entry for entry in here if entry.fit is not Fit.TOO_LARGE), None)


class FirstRunCard(QFrame):
    """Buttons, or a download, or loading; and in words what went wrong."""

    load_requested = Signal(Path)
    fetch_requested = Signal(object)
    """Download this `ModelEntry` and load it then; also to go on with a download."""
    fetch_cancel_requested = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._here: ModelEntry | None = None
        self._starter: ModelEntry | None = None
        self._scanned = self._busy = self._is_loading = False
        self.setObjectName("first_run_card")
        self._heading = plain_label("", "caption")
        self._name = plain_label("", "title")
        self._facts = plain_label("", "muted")
        self._about = plain_label("", "")
        self._verdict = plain_label("", "caption")
        self._download = DownloadRow(theme)
        self._steps = plain_label("", "muted")
        self._note = plain_label("", "caption")
        self._loading = QProgressBar()
        self._loading.setRange(0, 1000)
        self._loading.setAccessibleName(tr("Loading the model"))
        self.primary = QPushButton()
        self.primary.setProperty("kind", "primary")
        self.second = QPushButton()
        self._column = QVBoxLayout(self)
        for label in (self._heading, self._name, self._facts, self._about, self._verdict):
            self._column.addWidget(label)
        self._column.addSpacing(theme.space(2))
        for widget in (self._download, self._steps, self._note, self._loading, self.primary, self.second):
            self._column.addWidget(widget)
            widget.hide()
        self.primary.clicked.connect(self._on_primary)
        self.second.clicked.connect(self._on_fetch)
        self._download.cancel_requested.connect(self._on_pause)
        self._download.resume_requested.connect(self._on_fetch)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_entries((), scanned=False)

    def set_entries(self, entries: Iterable[ModelEntry], *, scanned: bool = True) -> None:
        """What there is; until the folders were `scanned`, an empty list means nothing."""
        entries = tuple(entries)
        self._scanned = scanned
        self._here = recommended_here(entries)
        offered = [entry for entry in entries if entry.availability is Availability.TO_FETCH]
        self._starter = next((entry for entry in offered if entry.recommended), offered[0] if offered else None)
        shown = self._here or self._starter
        if shown is not None:
            self._show_entry(shown)
        elif not self._is_loading:
            self._show_nothing()

    def set_progress(self, key: str, progress: Progress) -> None:
        """A download goes on."""
        if self._is_starter(key):
            self._forget_trouble()
            self._download.show_progress(progress)
            self._download.show()
            self._set_busy(True)

    def set_paused(self, key: str) -> None:
        """A download was stopped by the person."""
        if self._is_starter(key):
            self._download.show_paused()
            self._download.show()
            self._set_busy(True)

    def set_failed(self, key: str, message: str) -> None:
        """A download ended with this sentence: say how to go on without it."""
        if self._starter is None or not self._is_starter(key):
            return
        self._download.show_failed(message)
        self._download.show()
        file_name = self._starter.catalogue.file_name if self._starter.catalogue is not None else "model.gguf"
        steps = tr(
            "Without a connection it works like this:\n"
            "1. On any computer that is online, download a model as a GGUF file, for example {file_name}.\n"
            "2. Bring it here, on a USB stick for instance.\n"
            "3. Drop it onto this page, or choose it below.",
            file_name=file_name,
        )
        _fill(self._steps, steps)
        self._set_busy(True)

    def set_fetched(self, key: str) -> None:
        """A download is complete."""
        if self._is_starter(key):
            self._download.hide()

    def set_load_failed(self, message: str) -> None:
        """A model could not be loaded; `message` is the sentence that says why."""
        self._is_loading = False
        self._loading.hide()
        self._note.setStyleSheet(f"color: {self._theme.colors.danger};")
        _fill(self._note, message)
        self._set_busy(not self._download.isHidden())

    def set_engine_state(self, state: EngineState, name: str = "") -> None:
        """Show how far the loading of the model called `name` is."""
        loading = state.status is EngineStatus.LOADING
        self._loading.setValue(round(1000 * state.progress))
        self._loading.setVisible(loading)
        if loading:
            self._is_loading = True
            self._forget_trouble()
            self._download.hide()
            _fill(self._note, tr("Loading {name}…", name=name) if name else tr("Loading the model…"))
            self._set_busy(True)
        elif state.status is EngineStatus.CRASHED:
            self.set_load_failed(state.message or tr("The model could not be loaded."))
        elif self._is_loading:
            self._is_loading = False
            self._forget_trouble()
            self._set_busy(False)

    def _show_nothing(self) -> None:
        looking = tr("Looking for models on this computer…")
        self._name.setText(tr("Open a model file to begin") if self._scanned else looking)
        for label in (self._heading, self._facts, self._about, self._verdict):
            label.hide()
        self._set_busy(True)

    def _show_entry(self, entry: ModelEntry) -> None:
        size = bytes_text(entry.size_bytes)
        if entry is self._here:
            heading, facts = tr("Found on this computer"), (params_text(entry.n_params), entry.quantisation, size)
            source = next((each for each in entry.sources if each not in _OWN_SOURCES), "")
            use = tr("Use {name} from {source}", name=entry.name, source=source)
            self.primary.setText(use if source else tr("Use {name}", name=entry.name))
        else:
            heading = tr("Recommended for this computer")
            facts = (params_text(entry.n_params), tr("{size} to download", size=size), entry.licence)
            self.primary.setText(tr("Download and start"))
        if self._starter is not None:
            size = bytes_text(self._starter.size_bytes)
            self.second.setText(tr("Or download {name} ({size})", name=self._starter.name, size=size))
        _fill(self._heading, heading)
        _fill(self._name, entry.name)
        _fill(self._facts, " · ".join(fact for fact in facts if fact))
        _fill(self._about, tr(entry.good_for))
        _fill(self._verdict, entry.fit_sentence or _memory_sentence(entry))
        self._set_busy(self._is_loading or not self._download.isHidden())

    def _set_busy(self, busy: bool) -> None:
        """While something is under way its own controls take the place of the buttons."""
        nothing = self._here is None and self._starter is None
        if busy and (self.primary.hasFocus() or self.second.hasFocus()):
            self.setFocus()  # not on the next button, which leads elsewhere
        self.primary.setVisible(not busy and not nothing)
        self.second.setVisible(not busy and self._here is not None and self._starter is not None)

    def _forget_trouble(self) -> None:
        self._note.setStyleSheet("")
        for label in (self._note, self._steps):
            _fill(label, "")

    def _is_starter(self, key: str) -> bool:
        return self._starter is not None and self._starter.key == key

    def _on_primary(self) -> None:
        if self._here is not None:
            self.load_requested.emit(self._here.path)
        else:
            self._on_fetch()

    def _on_fetch(self) -> None:
        if self._starter is not None:
            self._forget_trouble()
            self.fetch_requested.emit(self._starter)

    def _on_pause(self) -> None:
        if self._starter is not None:
            self.fetch_cancel_requested.emit(self._starter)

    def _on_theme_changed(self) -> None:
        colors, space = self._theme.colors, self._theme.space
        self.setFixedWidth(space(_WIDTH_UNITS))
        self.setStyleSheet(
            f"#first_run_card {{ background: {colors.window}; border: 1px solid {colors.border};"
            f" border-radius: {space(4)}px; }}"
        )
        self._column.setContentsMargins(space(6), space(5), space(6), space(6))
        self._column.setSpacing(space(2))


def _memory_sentence(entry: ModelEntry) -> str:
    if entry.catalogue is None:
        return ""
    memory = bytes_text(entry.catalogue.min_memory_bytes)
    return tr("Runs well on a computer with {memory} of memory or more.", memory=memory)


def _fill(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
