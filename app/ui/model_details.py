"""The right half of the model picker: what a model is, what memory it takes, and how to get it going."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.downloader.order import Progress
from app.i18n import tr
from app.model_entry import Availability, ModelEntry
from app.ui.amounts import bytes_text, count_text, params_text
from app.ui.download_row import DownloadRow
from app.ui.model_adapters import ModelAdapters
from app.ui.model_memory import LoadChoice, MemoryJudge, ModelMemory
from app.ui.theme import Theme
from engine.types import Adapter, KvType

_FORMATS = {
    "chatml": "ChatML",
    "command-r": "Command R",
    "command-r7b": "Command R7B",
    "deepseek-r1": "DeepSeek R1",
    "deepseek-v2": "DeepSeek V2",
    "deepseek-v3": "DeepSeek V3",
    "gemma": "Gemma",
    "gpt-oss": "gpt-oss (Harmony)",
    "granite3": "Granite 3",
    "granite3.3": "Granite 3.3",
    "llama2": "Llama 2",
    "llama3": "Llama 3",
    "llama3.1": "Llama 3.1",
    "llama3.2": "Llama 3.2",
    "mistral-small": "Mistral Small",
    "mistral-v0": "Mistral",
    "mistral-v1": "Mistral V1",
    "mistral-v3": "Mistral V3",
    "mistral-v3-tekken": "Mistral V3 Tekken",
    "mistral-v7": "Mistral V7",
    "mistral-v7-tekken": "Mistral V7 Tekken",
    "phi3": "Phi 3",
    "phi3-medium": "Phi 3 Medium",
    "phi3-small": "Phi 3 Small",
    "phi3.5": "Phi 3.5",
    "phi4": "Phi 4",
    "phi4-mini": "Phi 4 Mini",
    "qwen2": "Qwen 2",
    "qwen2.5": "Qwen 2.5",
    "qwen3": "Qwen 3",
    "smollm2": "SmolLM2",
    "smollm3": "SmolLM3",
}
"""Names of the reviewed chat templates' families, as their makers write them."""


def format_text(family: str) -> str:
    """What to call a loaded model's chat template."""
    if family == "jinja":
        return tr("From the model file")
    return tr("{name} (built in)", name=_FORMATS.get(family, family)) if family else ""


@dataclass(frozen=True, slots=True)
class KeptChoices:
    """What the settings say of how models are loaded."""

    kv_type: KvType = KvType.F16
    adapters: Callable[[Path], tuple[Adapter, ...]] = lambda _model: ()


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

    def __init__(
        self, theme: Theme, judge: MemoryJudge, parent: QWidget | None = None, *, kept: KeptChoices | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kept = kept or KeptChoices()
        self._row: ModelEntry | None = None
        self._chat_format = ""
        self._notes: tuple[str, ...] = ()
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
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.set_row(None)

    @property
    def choice(self) -> LoadChoice:
        """What the controls say."""
        return self._memory.choice

    def set_chat_format(self, family: str, notes: tuple[str, ...] = ()) -> None:
        """The loaded model's chat template; the engine finds it out, for a foreign template is run there only.

        `notes` are sentences about wishes that loading it could not fulfil.
        """
        self._chat_format, self._notes = family, notes
        self._fill_facts(self._row)

    def set_row(self, row: ModelEntry | None, progress: Progress | None = None, *, message: str = "") -> None:
        """Show a model; `progress` if it is being downloaded. Without a model, `message` says why."""
        self._row = row
        self._name.setText(row.name if row is not None else "")
        self._name.setVisible(row is not None)
        self._about.setText(message if row is None else row.problem or tr(row.good_for))
        self._about.setVisible(bool(self._about.text()))
        self._fill_facts(row)
        self._memory.set_row(row, self._kept.kv_type)
        self.show_adapters()
        self._action.setVisible(row is not None and row.availability is not Availability.BROKEN)
        if row is not None:
            fetch = row.availability is Availability.TO_FETCH
            size = bytes_text(row.size_bytes)
            label = tr("Download {size}", size=size) if fetch else tr("Load again") if row.loaded else tr("Load")
            self._action.setText(label)
        self._download.hide()
        if progress is not None:
            self.show_progress(progress)

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
        for title, value in (
            (tr("Parameters"), params_text(row.n_params)),
            (tr("Quantisation"), row.quantisation),
            (tr("Architecture"), row.architecture),
            (tr("Trained for"), tr("{count} tokens", count=count_text(row.n_ctx_train)) if row.n_ctx_train else ""),
            (tr("Chat format"), format_text(self._chat_format) if row.loaded else ""),
            (tr("Size"), bytes_text(row.size_bytes) if row.size_bytes else ""),
            (tr("Licence"), row.licence),
            (tr("Found in"), ", ".join(row.sources)),
            (tr("Note"), "\n".join(self._notes) if row.loaded else ""),
        ):
            if value:
                label, text = QLabel(title), QLabel(value)
                label.setProperty("kind", "muted")
                text.setWordWrap(True)
                text.setTextFormat(Qt.TextFormat.PlainText)
                text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._facts.addRow(label, text)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(6), space(5), space(6), space(4))
        self._column.setSpacing(space(4))
        self._foot.setContentsMargins(space(6), space(3), space(6), space(5))
        self._facts.setHorizontalSpacing(space(4))
        self._facts.setVerticalSpacing(space(1.5))
