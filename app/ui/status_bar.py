"""The line at the foot of the window: which model, how it is doing, how fast it writes, how full its context is.

Shows what it is told; loads and stops nothing itself.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app.i18n import tr
from app.model_elsewhere import leaves_sentence
from app.ui.amounts import rate_text
from app.ui.answer_meter import Phase
from app.ui.context_gauge import ContextGauge
from app.ui.elided_label import ElidedLabel
from app.ui.icons import IconButton, themed_icon, tinted_pixmap
from app.ui.meter_follower import MeterFollower
from app.ui.theme import TextSize, Theme
from engine.engine import EngineState, EngineStatus


class StatusBar(QFrame):
    """Feed it engine states, and its `follower` the stream events of the conversation in view."""

    picker_requested = Signal()
    context_requested = Signal()
    load_cancel_requested = Signal()
    programs_requested = Signal()
    reload_requested = Signal(bool)
    """Load the crashed model again; True: on the CPU alone."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = EngineState(EngineStatus.EMPTY)
        self.follower = MeterFollower(self)
        self._name = ""
        self._on_gpu = False
        self.setObjectName("status_bar")
        self.setProperty("kind", "panel")
        self.setAccessibleName(tr("Status"))

        self._model = QPushButton(self)
        self._model.setProperty("kind", "status")
        self._model.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the chevron stands behind the name
        self._model.clicked.connect(self.picker_requested)
        self._alert = QLabel(self)
        self._away = QLabel(self)
        self._away.setAccessibleName(tr("On another computer"))
        self._note = ElidedLabel(parent=self)
        self._note.setProperty("kind", "caption")
        self._progress = QProgressBar(self)
        self._progress.setRange(0, 1000)
        self._progress.setAccessibleName(tr("Loading the model"))
        self._cancel = IconButton(theme, "x", tr("Stop loading"), size=14, parent=self)
        self._cancel.clicked.connect(self.load_cancel_requested)
        self._reload = QPushButton(tr("Reload"), self)
        self._reload_cpu = QPushButton(tr("Reload on the CPU"), self)
        self._reload.clicked.connect(lambda: self.reload_requested.emit(False))
        self._reload_cpu.clicked.connect(lambda: self.reload_requested.emit(True))
        for button in (self._reload, self._reload_cpu):
            button.setProperty("kind", "status_action")
        self._speed = QLabel(self)
        self._speed.setProperty("kind", "caption")
        self._speed.setAccessibleName(tr("Speed"))
        self._programs = IconButton(theme, "plug", tr("Other programs"), size=14, parent=self)
        self._programs.clicked.connect(self.programs_requested)
        self._programs.hide()
        self._gauge = ContextGauge(theme, self)
        self._gauge.clicked.connect(self.context_requested)

        self._row = QHBoxLayout(self)
        for widget in (self._model, self._alert, self._away, self._note, self._progress, self._cancel):
            self._row.addWidget(widget)
        self._row.addWidget(self._reload)
        self._row.addWidget(self._reload_cpu)
        self._row.addStretch(1)
        self._row.addWidget(self._speed)
        self._row.addWidget(self._programs)
        self._row.addWidget(self._gauge)

        self.follower.changed.connect(self._show_meter)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_engine_state(self, state: EngineState, name: str = "") -> None:
        """Show where the engine stands; `name` is what to call the model, else what the engine calls it."""
        self._state = state
        self._name = name or (state.model.name if state.model is not None else "") or self._name
        if state.status is EngineStatus.EMPTY:
            self._name = name
        if state.model is not None:
            self._on_gpu = state.model.backend != "CPU"
        self._show_state()

    def set_programs_address(self, address: str) -> None:
        """Mark that other programs may ask at this address; "" for none."""
        self._programs.set_label(tr("Other programs may use Hearth, at {address}", address=address))
        self._programs.setVisible(bool(address))

    def _show_state(self) -> None:
        state = self._state
        loading = state.status is EngineStatus.LOADING
        crashed = state.status is EngineStatus.CRASHED
        self._model.setText(self._name or tr("Choose a model"))
        host = state.model.remote_host if state.model is not None and not crashed else ""
        self._show_name(host)
        for widget in (self._progress, self._cancel):
            widget.setVisible(loading)
        self._alert.setVisible(crashed)
        self._reload.setVisible(crashed)
        self._reload_cpu.setVisible(crashed and self._on_gpu)
        self._progress.setValue(round(1000 * state.progress))
        note = tooltip = ""
        if loading:
            note = tr("Loading {percent} %", percent=round(100 * state.progress))
        elif crashed:
            note = state.message or tr("The model stopped unexpectedly.")
        elif state.model is not None:
            note, tooltip = state.model.backend, state.model.backend_note
        self._note.setText(note)
        self._note.set_tip(tooltip)
        self._note.setVisible(bool(note))
        color = self._theme.colors.danger if crashed else self._theme.colors.warning if host else ""
        self._note.setStyleSheet(f"color: {color};" if color else "")
        self._away.setVisible(bool(host))
        self._away.setToolTip(tooltip)
        self._show_meter()

    def _show_name(self, host: str) -> None:
        """The button to choose a model says aloud also what the globe behind it says."""
        name = self._name
        spoken = tr("Model: {name}", name=name) if name else tr("Choose a model")
        self._model.setAccessibleName(f"{spoken}. {leaves_sentence(host)}" if host else spoken)
        self._model.setToolTip(tr("Choose another model"))

    def _show_meter(self) -> None:
        meter = self.follower.meter
        text = ""
        if meter.phase is Phase.READING and meter.prompt_tokens > meter.cached_tokens:
            done = meter.processed - meter.cached_tokens
            percent = round(100 * done / (meter.prompt_tokens - meter.cached_tokens))
            text = tr("Reading {percent} %", percent=percent)
        elif meter.decode_rate > 0:
            text = rate_text(meter.decode_rate)
        self._speed.setText(text)
        self._speed.setVisible(bool(text) and self._state.status is not EngineStatus.CRASHED)
        n_ctx = self._state.model.n_ctx if self._state.model is not None else 0
        self._gauge.show_meter(meter, n_ctx)
        self._gauge.setVisible(bool(meter.n_ctx or n_ctx))

    def _on_theme_changed(self) -> None:
        theme, colors, space = self._theme, self._theme.colors, self._theme.space
        self._row.setContentsMargins(space(2), space(0.5), space(2), space(0.5))
        self._row.setSpacing(space(2))
        self._progress.setFixedWidth(space(32))
        side = round(14 * theme.zoom)
        self._model.setIcon(themed_icon(theme, "chevron-down", size=side))
        self._away.setPixmap(tinted_pixmap(theme, "globe", color="warning", size=side))
        self._alert.setPixmap(tinted_pixmap(theme, "triangle-alert", color="danger", size=side))
        caption = f"font-size: {theme.font(TextSize.CAPTION).pixelSize()}px;"
        self.setStyleSheet(
            f"#status_bar {{ border-top: 1px solid {colors.border}; }}"
            f'QPushButton[kind="status"] {{ background: transparent; border: 1px solid transparent; {caption}'
            f"  padding: {space(0.5)}px {space(2)}px; border-radius: {space(1.5)}px; min-height: {space(5)}px; }}"
            f'QPushButton[kind="status_action"] {{ background: {colors.raised}; {caption}'
            f"  border: 1px solid {colors.border};"
            f"  padding: {space(0.25)}px {space(2.5)}px; border-radius: {space(1.5)}px; min-height: {space(4.5)}px; }}"
            f'QPushButton[kind="status_action"]:hover {{ background: {colors.pressed}; }}'
            f'QPushButton[kind="status_action"]:focus {{ border-color: {colors.focus}; }}'
            f'QPushButton[kind="status"]:hover {{ background: {colors.raised}; }}'
            f'QPushButton[kind="status"]:focus {{ border-color: {colors.focus}; }}'
        )
        self._show_state()
