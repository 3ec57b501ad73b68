"""How much memory a model takes at a context length: bar, legend, verdict, and the controls that change it.

Computes nothing itself: a `MemoryJudge` says what a context length costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.i18n import tr
from app.model_entry import Availability, Fit, ModelEntry
from app.ui.amounts import bytes_text, count_text
from app.ui.model_delegate import fit_color
from app.ui.model_facts import kv_cost, kv_name
from app.ui.stack_bar import StackBar
from app.ui.theme import Theme
from engine.types import KvType

_SMALLEST_STOP = 2048
_LARGEST_STOP = 1 << 20
_HUES = ("persona", "assistant", "document")
"""Three well-told-apart hues of the theme, for weights, KV cache and compute buffers."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What loading would take, and what there is, in bytes; `sentence` is the verdict in words."""

    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    available_bytes: int
    fit: Fit
    sentence: str

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.kv_bytes + self.compute_bytes


class MemoryJudge(Protocol):
    """Fast enough to be asked while a slider moves."""

    def memory(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> MemoryUse | None:
        """None where nothing can be said."""
        ...

    def kv_bytes(self, row: ModelEntry, n_ctx: int, kv_type: KvType) -> int:
        """What one chat of that length takes; 0 where nothing can be said."""
        ...

    def largest_context(self, row: ModelEntry, kv_type: KvType) -> int:
        """The largest context length, in tokens, that fits; 0 where nothing can be said."""
        ...


@dataclass(frozen=True, slots=True)
class LoadChoice:
    """How to load a model. `n_ctx` None: as the settings say, else the largest that fits."""

    n_ctx: int | None = None
    kv_type: KvType = KvType.F16


def context_stops(largest: int, trained: int) -> list[int]:
    """The context lengths to choose from: powers of two, the largest that fits, and what the model was trained for."""
    top = trained or max(largest, _SMALLEST_STOP)
    stops = {size for power in range(11, 21) if (size := 1 << power) <= min(top, _LARGEST_STOP)}
    stops |= {size for size in (largest, trained) if size > 0}
    return sorted(stops) or [_SMALLEST_STOP]


class ModelMemory(QWidget):
    """Preselects the largest context that fits."""

    def __init__(self, theme: Theme, judge: MemoryJudge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._judge = theme, judge
        self._row: ModelEntry | None = None
        self._stops: list[int] = []
        self._largest = 0
        self._title = QLabel(tr("Memory"), self)
        self._title.setProperty("kind", "large")
        self._total = QLabel(self)
        self._total.setProperty("kind", "muted")
        self._bar = StackBar(theme, self, units=2.5)
        self._legend = _Legend(theme, self)
        self._verdict = QLabel(self)
        self._verdict.setWordWrap(True)
        self._context_label = QLabel(tr("Context length"), self)
        self._context_value = QLabel(self)
        self._context_value.setProperty("kind", "caption")
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setAccessibleName(tr("Context length"))
        self._slider.setPageStep(1)
        self._kv_label = QLabel(tr("Precision"), self)
        self._kv = QComboBox(self)
        for kv_type in KvType:
            self._kv.addItem(kv_name(kv_type), kv_type)
        self._kv.setAccessibleName(tr("Precision of the chat's memory"))
        self._kv_label.setBuddy(self._kv)
        self._kv_label.setWordWrap(True)
        self._kv_note = QLabel(self)
        self._kv_note.setProperty("kind", "caption")
        self._kv_note.setWordWrap(True)
        self._lay_out()
        self._slider.valueChanged.connect(self._show)
        self._kv.currentIndexChanged.connect(self._on_kv_chosen)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def choice(self) -> LoadChoice:
        """What the controls say."""
        kv_type = KvType(self._kv.currentData())
        n_ctx = self._stops[self._slider.value()] if self._stops else None
        return LoadChoice(n_ctx, kv_type)

    def set_row(self, row: ModelEntry | None, kv_type: KvType = KvType.F16) -> None:
        """Show a model; the same one keeps what was chosen for it."""
        same = row is not None and self._row is not None and row.key == self._row.key
        self._row = row
        if not same:
            self._kv.blockSignals(True)
            self._kv.setCurrentIndex(self._kv.findData(kv_type))
            self._kv.blockSignals(False)
            self._reset_context()
        self._show()

    def _lay_out(self) -> None:
        title_line = QHBoxLayout()
        title_line.addWidget(self._title)
        title_line.addStretch(1)
        title_line.addWidget(self._total)
        context_line = QHBoxLayout()
        context_line.addWidget(self._context_label)
        context_line.addStretch(1)
        context_line.addWidget(self._context_value)
        kv_line = QHBoxLayout()
        kv_line.addWidget(self._kv_label, 1)
        kv_line.addWidget(self._kv)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(title_line)
        self._column.addWidget(self._bar)
        self._column.addWidget(self._legend)
        self._column.addWidget(self._verdict)
        self._column.addLayout(context_line)
        self._column.addWidget(self._slider)
        self._column.addLayout(kv_line)
        self._column.addWidget(self._kv_note)

    def _reset_context(self) -> None:
        row = self._row
        local = row is not None and row.availability is Availability.HERE
        self._largest = self._judge.largest_context(row, self.choice.kv_type) if row is not None and local else 0
        self._stops = context_stops(self._largest, row.n_ctx_train) if row is not None and self._largest else []
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(0, len(self._stops) - 1))
        self._slider.setValue(self._stops.index(self._largest) if self._stops else 0)
        self._slider.blockSignals(False)

    def _show(self) -> None:
        row = self._row
        n_ctx = self._stops[self._slider.value()] if self._stops else 0
        use = self._judge.memory(row, n_ctx, self.choice.kv_type) if row is not None and n_ctx else None
        sentence = use.sentence if use is not None else row.fit_sentence if row is not None else ""
        fit = use.fit if use is not None else row.fit if row is not None else Fit.UNKNOWN
        self._verdict.setText(sentence)
        self._verdict.setStyleSheet(f"color: {self._theme.color(fit_color(fit)).name()};")
        self.setVisible(bool(sentence) and row is not None and not row.problem)
        for widget in (
            self._total,
            self._bar,
            self._legend,
            self._context_label,
            self._context_value,
            self._slider,
            self._kv_label,
            self._kv,
        ):
            widget.setVisible(use is not None)
        if use is not None and row is not None:
            self._show_use(use, n_ctx)
            self._show_kv(row, n_ctx)
        else:
            self._kv_note.hide()

    def _show_kv(self, row: ModelEntry, n_ctx: int) -> None:
        """What each precision takes, what the chosen one saves, and what it was found to cost."""
        sizes = {kv_type: self._judge.kv_bytes(row, n_ctx, kv_type) for kv_type in KvType}
        for index, (kv_type, size) in enumerate(sizes.items()):
            name = kv_name(kv_type)
            self._kv.setItemText(index, tr("{name}: {size}", name=name, size=bytes_text(size)) if size else name)
        chosen = self.choice.kv_type
        saved = sizes[KvType.F16] - sizes[chosen]
        pieces = [tr("Saves {size}.", size=bytes_text(saved)) if saved > 0 else "", kv_cost(chosen)]
        self._kv_note.setText(" ".join(piece for piece in pieces if piece))
        self._kv_note.setVisible(bool(self._kv_note.text()))
        self._kv.setAccessibleDescription(self._kv_note.text())

    def _show_use(self, use: MemoryUse, n_ctx: int) -> None:
        available = bytes_text(use.available_bytes)
        self._total.setText(tr("{used} of {available}", used=bytes_text(use.total_bytes), available=available))
        sizes = (use.weights_bytes, use.kv_bytes, use.compute_bytes)
        colors = [self._theme.origin_color(origin) for origin in _HUES]
        self._bar.set_stretches(list(zip(colors, sizes, strict=True)), max(use.available_bytes, use.total_bytes))
        self._bar.setAccessibleName(self._total.text())
        self._legend.set_sizes(sizes)
        tokens = tr("{count} tokens", count=count_text(n_ctx))
        text = tr("{tokens} (the most that fits)", tokens=tokens) if n_ctx == self._largest else tokens
        self._context_value.setText(text)
        self._slider.setAccessibleDescription(text)

    def _on_kv_chosen(self) -> None:
        self._reset_context()
        self._show()

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2.5))
        self._show()


class _Legend(QWidget):
    """Which colour is what, with its size."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._marks: list[QLabel] = []
        self._sizes: list[QLabel] = []
        for line, text in enumerate((tr("The model itself"), tr("Chats (KV cache)"), tr("Room to compute"))):
            mark, label, size = QLabel(self), QLabel(text, self), QLabel(self)
            for each in (label, size):
                each.setProperty("kind", "caption")
            self._grid.addWidget(mark, line, 0)
            self._grid.addWidget(label, line, 1)
            self._grid.addWidget(size, line, 2, Qt.AlignmentFlag.AlignRight)
            self._marks.append(mark)
            self._sizes.append(size)
        self._grid.setColumnStretch(1, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_sizes(self, sizes: tuple[int, int, int]) -> None:
        for label, size in zip(self._sizes, sizes, strict=True):
            label.setText(bytes_text(size))

    def _on_theme_changed(self) -> None:
        side = self._theme.space(2.5)
        for mark, origin in zip(self._marks, _HUES, strict=True):
            mark.setFixedSize(side, side)
            color = self._theme.origin_color(origin).name()
            mark.setStyleSheet(f"background: {color}; border-radius: {side // 4}px;")
        self._grid.setHorizontalSpacing(self._theme.space(2))
        self._grid.setVerticalSpacing(self._theme.space(1))
