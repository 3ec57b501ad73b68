"""What the context window holds, as a map and in numbers, and how the last answer went.

Fed with an answer's stream events, with views of what the model would be given now, or with what the store knows.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.memory_pages import PromptWords
from app.memory_view import MemoryView, view_of_start
from app.model_elsewhere import leaves_sentence
from app.ui.amounts import count_text
from app.ui.answer_meter import AnswerMeter, Phase
from app.ui.answer_speed import AnswerSpeed
from app.ui.context_legend import ContextLegend, LegendLine
from app.ui.memory_regions import RegionList
from app.ui.memory_remembered import RememberedList
from app.ui.memory_section import MemorySection
from app.ui.memory_words import origin_name
from app.ui.meter_follower import MeterFollower
from app.ui.stack_bar import StackBar
from app.ui.theme import Theme
from engine.types import Started

_NEARLY_FULL = 0.85


class ContextPanel(QScrollArea):
    """Follows the conversation in view: its `follower` takes stream events, `show_memory` the pages."""

    message_requested = Signal(str)
    """The id of a message to show."""
    pin_requested = Signal(str, bool)
    evict_requested = Signal(str, bool)
    """See `MemorySection`."""
    forget_requested = Signal(str)
    """See `RememberedList`."""
    summarise_requested = Signal()
    """The older turns should be summarised now."""
    shown = Signal()
    """The panel can be seen now; what it shows may be old."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.follower = MeterFollower(self)
        self._n_ctx = 0
        self._view: MemoryView | None = None
        self._started: Started | None = None
        self._is_live = False
        self._words = PromptWords()
        self._growing_id = ""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Context"))
        self._away = _label("", "")
        self._sum = _label("", "title")
        self._bar = StackBar(theme, units=4)
        self.memory = MemorySection(theme)
        self._legend = ContextLegend(theme)
        self._note = _label("", "caption")
        self._dropped = _label("", "")
        self._jump = QPushButton(tr("Show the first of them"))
        self._jump.setProperty("kind", "link")
        self._shares_title = _label(tr("Shares of the window"), "large")
        self.regions = RegionList(theme)
        self.summarise = QPushButton(tr("Summarise older turns now"))
        self.summarise.setProperty("kind", "link")
        self.summarise.clicked.connect(self.summarise_requested)
        self._speed = AnswerSpeed(theme)
        self.remembered = RememberedList(theme)
        page = QWidget()
        page.setProperty("kind", "window")
        self._column = QVBoxLayout(page)
        self._column.addWidget(_label(tr("Context window"), "large"))
        self._column.addWidget(_label(tr("What the model has in view when it answers, in tokens."), "caption"))
        above: tuple[QWidget, ...] = (
            self._away,
            self._sum,
            self._bar,
            self.memory,
            self._legend,
            self._note,
            self._dropped,
        )
        below: tuple[QWidget, ...] = (self._shares_title, self.regions, self.summarise, self._speed, self.remembered)
        for widget in above:
            self._column.addWidget(widget)
        self._column.addWidget(self._jump, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in below:
            self._column.addWidget(widget)
        self._column.addStretch(1)
        self.setWidget(page)
        self.follower.changed.connect(self._show)
        self._jump.clicked.connect(self._on_jump)
        self.memory.message_requested.connect(self.message_requested)
        self.memory.pin_requested.connect(self.pin_requested)
        self.memory.evict_requested.connect(self.evict_requested)
        self.remembered.forget_requested.connect(self.forget_requested)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_memory(self, view: MemoryView | None) -> None:
        """What the model would be given now; None if that is not known. An answer under way knows better."""
        if self.follower.meter.phase is Phase.IDLE or not self._is_live:
            self._view, self._is_live = view, False
            self.memory.show_view(view)
            self._show()

    def set_words(self, words: PromptWords, growing_id: str = "") -> None:
        """What the pages of the answer under way say, and the id of the message that it becomes."""
        self._words, self._growing_id = words, growing_id
        if self._is_live:
            self._started = None  # shown anew
            self._show()

    def set_n_ctx(self, n_ctx: int) -> None:
        """The loaded model's context window, 0 for none: the whole until an answer says otherwise."""
        self._n_ctx = n_ctx
        self._show()

    def set_remote_host(self, host: str) -> None:
        """The other computer that has in view what is shown here; "" while this one answers."""
        self._away.setText(leaves_sentence(host) if host else "")
        self._show()

    def _show(self) -> None:
        meter = self.follower.meter
        self._show_started(meter)
        self._away.setVisible(bool(self._away.text()))
        view = self.memory.model.view if self._view is not None else None
        n_ctx = view.n_ctx if view is not None else meter.n_ctx or self._n_ctx
        used = self.memory.model.used if view is not None else meter.used
        if not n_ctx:
            self._sum.setText(tr("No model is loaded"))
        else:
            self._sum.setText(tr("{used} of {total}", used=count_text(used), total=count_text(n_ctx)))
        lines = self._lines(meter)
        self._bar.set_stretches([(self._theme.origin_color(each.origin), float(each.tokens)) for each in lines], n_ctx)
        self._bar.setVisible(n_ctx > 0 and view is None)
        self._bar.setAccessibleName(tr("Context window: {text} tokens", text=self._sum.text()))
        free = [LegendLine("", tr("Free"), max(0, n_ctx - used))] if n_ctx else []
        self._legend.set_lines([*lines, *free], n_ctx)
        regions = view.regions if view is not None else ()
        self.regions.set_regions(regions)
        self._shares_title.setVisible(bool(regions))
        self.summarise.setVisible(bool(regions) and meter.phase is Phase.IDLE and self.memory.model.rowCount() > 1)
        self._show_notes(meter, nearly_full=n_ctx > 0 and used / n_ctx >= _NEARLY_FULL)
        self._speed.show_meter(meter)

    def _show_started(self, meter: AnswerMeter) -> None:
        """Show what the answer under way was given, once, and let it grow."""
        if meter.started is not None and meter.started is not self._started:
            self._started = meter.started
            self._is_live = bool(meter.started.pages)
            self._view = view_of_start(meter.started, self._words) if self._is_live else None
            self.memory.show_view(self._view)
        if self._is_live:
            self.memory.model.set_live(meter.processed, meter.completion_tokens, self._growing_id)

    def _lines(self, meter: AnswerMeter) -> list[LegendLine]:
        parts = self.memory.model.by_origin if self._view is not None else meter.parts
        if self._view is None and not meter.by_origin and meter.prompt_tokens:
            # The store keeps no origins: the whole prompt in one.
            return [
                LegendLine("user", tr("The chat so far"), meter.prompt_tokens),
                LegendLine("assistant", tr("The last answer"), meter.completion_tokens),
            ]
        return [LegendLine(origin, origin_name(origin), tokens) for origin, tokens in parts]

    def _show_notes(self, meter: AnswerMeter, *, nearly_full: bool) -> None:
        gone = [each for each in meter.dropped if each not in self._words.out]
        count = len(gone) if meter.dropped else meter.dropped_count
        self._note.setText(tr("Nearly full: the oldest messages will be left out soon."))
        self._dropped.setText(
            ntr(
                "{count} older message did not fit and was left out of the last answer.",
                "{count} older messages did not fit and were left out of the last answer.",
                count,
            )
        )
        for label in (self._note, self._dropped):
            label.setStyleSheet(f"color: {self._theme.colors.warning};")
        self._note.setVisible(nearly_full and not count)
        self._dropped.setVisible(count > 0)
        self._jump.setVisible(bool(gone))

    def _on_jump(self) -> None:
        gone = [each for each in self.follower.meter.dropped if each not in self._words.out]
        if gone:
            self.message_requested.emit(gone[0])

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(4), space(3), space(4), space(5))
        self._column.setSpacing(space(3))
        self._away.setStyleSheet(f"color: {self._theme.colors.warning};")
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()


def _label(text: str, kind: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", kind)
    label.setWordWrap(kind in ("caption", ""))
    return label
