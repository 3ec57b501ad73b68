"""The right half of the model picker: what a model is, what memory it takes, and how to get it going."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.downloader.order import Progress
from app.i18n import tr
from app.model_draft import draft_candidates
from app.model_elsewhere import leaves_sentence
from app.model_entry import Availability, ModelEntry
from app.model_projectors import AUTOMATIC, ProjectorChoice
from app.ui.amounts import bytes_text
from app.ui.download_row import DownloadRow
from app.ui.model_adapters import ModelAdapters
from app.ui.model_draft import ModelDraft
from app.ui.model_eyes import ModelEyes
from app.ui.model_facts import row_facts
from app.ui.model_memory import LoadChoice, MemoryJudge, ModelMemory
from app.ui.theme import Theme
from engine.types import Adapter, KvType, LoadedModel


@dataclass(frozen=True, slots=True)
class KeptChoices:
    """What the settings say of how models are loaded, asked anew each time."""

    kv_type: KvType = KvType.F16
    adapters: Callable[[Path], tuple[Adapter, ...]] = lambda _model: ()
    draft: Callable[[], Path | None] = lambda: None
    """The small model that guesses ahead."""
    eyes: Callable[[Path], ProjectorChoice] = lambda _model: AUTOMATIC
    """What a model looks at images with."""


class ModelDetails(QWidget):
    """Shows one row; the person chooses the context length, then loads or downloads."""

    load_requested = Signal(object, object)
    """A `ModelEntry` and a `LoadChoice`."""
    fetch_requested = Signal(object)
    fetch_cancel_requested = Signal(object)
    adapter_wanted = Signal(object, object)
    """A `ModelEntry` and the path of a file to add."""
    adapters_changed = Signal(object, object)
    """A `ModelEntry` and all its `Adapter`s."""
    draft_chosen = Signal(object, object)
    """A `ModelEntry` and the `Path` of the small model that should guess ahead for it, or None."""

    eyes_chosen = Signal(object, object)
    """A `ModelEntry` and the `ProjectorChoice` for it."""

    def __init__(
        self, theme: Theme, judge: MemoryJudge, parent: QWidget | None = None, *, kept: KeptChoices | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kept = kept or KeptChoices()
        self._row: ModelEntry | None = None
        self._rows: tuple[ModelEntry, ...] = ()
        self._loaded: LoadedModel | None = None
        self._name = QLabel(self)
        self._name.setProperty("kind", "title")
        self._about = QLabel(self)
        self._about.setProperty("kind", "muted")
        for label in (self._name, self._about):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._facts = QFormLayout()
        self._facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._facts.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)

        self._memory = ModelMemory(theme, judge, self)
        self._eyes = ModelEyes(theme, self)
        self._draft = ModelDraft(theme, self)
        self._adapters = ModelAdapters(theme, self)
        self._action = QPushButton(self)
        self._action.setProperty("kind", "primary")
        self._download = DownloadRow(theme, self)
        self._lay_out()

        self._action.clicked.connect(self.activate)
        self._download.cancel_requested.connect(lambda: self.fetch_cancel_requested.emit(self._row))
        self._download.resume_requested.connect(lambda: self.fetch_requested.emit(self._row))
        self._adapters.add_requested.connect(lambda path: self.adapter_wanted.emit(self._row, path))
        self._adapters.changed.connect(lambda adapters: self.adapters_changed.emit(self._row, adapters))
        self._draft.chosen.connect(lambda path: self.draft_chosen.emit(self._row, path))
        self._eyes.chosen.connect(lambda choice: self.eyes_chosen.emit(self._row, choice))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_row(None)

    @property
    def choice(self) -> LoadChoice:
        """What the controls say."""
        return self._memory.choice

    def set_loaded(self, model: LoadedModel | None) -> None:
        """The model in use: what only the engine knows of it is shown at its row."""
        self._loaded = model
        self._fill_facts(self._row)

    def set_candidates(self, rows: tuple[ModelEntry, ...]) -> None:
        """All models, of which some may guess ahead for the one that is shown."""
        self._rows = rows

    def set_row(self, row: ModelEntry | None, progress: Progress | None = None, *, message: str = "") -> None:
        """Show a model; `progress` if it is being downloaded. Without a model, `message` says why."""
        self._row = row
        self._name.setText(row.name if row is not None else "")
        self._name.setVisible(row is not None)
        self._about.setText(message if row is None else _about(row))
        self._about.setVisible(bool(self._about.text()))
        self._fill_facts(row)
        self._memory.set_row(row, self._kept.kv_type)
        self.show_eyes()
        self.show_draft()
        self.show_adapters()
        self._show_about()
        self._action.setText(_action(row) if row is not None else "")
        self._action.setVisible(bool(self._action.text()))
        self._download.hide()
        if progress is not None:
            self.show_progress(progress)

    def show_eyes(self, found: Sequence[Path] | None = None, refused: str = "") -> None:
        """Show what the row's model looks at images with; `found` lie ready (None: not known yet).

        `refused` is why one is not used.
        """
        row = self._row
        here = row is not None and row.path is not None and row.availability is Availability.HERE
        self._eyes.setVisible(here)
        if row is not None and row.path is not None:
            self._eyes.set_choice(self._kept.eyes(row.path), found)
            self._eyes.show_refused(refused)

    def show_draft(self, refused: str = "") -> None:
        """Show the small model that is kept to guess ahead; `refused` is why it does not do so for this row."""
        row = self._row
        here = row is not None and row.availability is Availability.HERE
        draft = self._kept.draft()
        candidates = draft_candidates(row, self._rows) if row is not None and here else ()
        self._draft.setVisible(here)
        self._draft.set_choice(draft, candidates)
        self._draft.show_refused(refused)

    def show_adapters(self, refused: str = "") -> None:
        """Show the adapters that are kept for the row; `refused` is why one was not added."""
        row = self._row
        self._adapters.setVisible(row is not None and row.path is not None and row.availability is Availability.HERE)
        if row is not None and row.path is not None:
            self._adapters.set_adapters(self._kept.adapters(row.path))
            self._adapters.show_refused(refused)

    def show_progress(self, progress: Progress) -> None:
        """The model that is shown is being downloaded."""
        self._action.hide()
        self._download.show()
        self._download.show_progress(progress)

    def show_paused(self) -> None:
        """Its download was stopped by the person."""
        self._action.hide()
        self._download.show()
        self._download.show_paused()

    def show_failed(self, message: str) -> None:
        """Its download ended with this sentence."""
        self._action.hide()
        self._download.show()
        self._download.show_failed(message)

    def activate(self) -> None:
        """What Enter in the list and the button do."""
        if self._row is None or self._action.isHidden():
            return
        if self._row.availability is Availability.TO_FETCH:
            self.fetch_requested.emit(self._row)
        else:
            self.load_requested.emit(self._row, self.choice)

    def _lay_out(self) -> None:
        inside = QWidget(self)
        inside.setProperty("kind", "plain")
        self._column = QVBoxLayout(inside)
        self._column.addWidget(self._name)
        self._column.addWidget(self._about)
        self._column.addLayout(self._facts)
        self._column.addWidget(self._memory)
        self._column.addWidget(self._eyes)
        self._column.addWidget(self._draft)
        self._column.addWidget(self._adapters)
        self._column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        self._foot = QVBoxLayout()
        self._foot.addWidget(self._download)
        self._foot.addWidget(self._action)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addLayout(self._foot)

    def _fill_facts(self, row: ModelEntry | None) -> None:
        while self._facts.rowCount():
            self._facts.removeRow(0)
        if row is None or row.problem:
            return
        for title, value in row_facts(row, self._loaded):
            label, text = QLabel(title), QLabel(value)
            label.setProperty("kind", "muted")
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._facts.addRow(label, text)

    def _show_about(self) -> None:
        away = self._row is not None and self._row.availability is Availability.ELSEWHERE
        self._about.setStyleSheet(f"color: {self._theme.color('warning').name()};" if away else "")

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(6), space(5), space(6), space(4))
        self._column.setSpacing(space(4))
        self._foot.setContentsMargins(space(6), space(3), space(6), space(5))
        self._facts.setHorizontalSpacing(space(4))
        self._facts.setVerticalSpacing(space(1.5))
        self._show_about()


def _about(row: ModelEntry) -> str:
    if row.availability is Availability.ELSEWHERE:
        would = tr("It runs on {host}: your messages would leave this computer.", host=row.host)
        return leaves_sentence(row.host) if row.loaded else would
    return row.problem or tr(row.good_for)


def _action(row: ModelEntry) -> str:
    """What the button says; "" where nothing can be done."""
    if row.availability is Availability.BROKEN:
        return ""
    if row.availability is Availability.TO_FETCH:
        return tr("Download {size}", size=bytes_text(row.size_bytes))
    if row.availability is Availability.ELSEWHERE:
        return "" if row.loaded else tr("Connect")
    return tr("Load again") if row.loaded else tr("Load")
