"""What the context window holds, drawn to scale and said in numbers, and how fast the last answer came.

Fed with stream events or with what the store knows of an answer; counts through `AnswerMeter`.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import ntr, tr
from app.store.types import MessageUsage
from app.ui.amounts import count_text, rate_text
from app.ui.answer_meter import AnswerMeter, Phase
from app.ui.context_legend import ContextLegend, LegendLine
from app.ui.stack_bar import StackBar
from app.ui.theme import Theme
from engine.types import StreamEvent

_REFRESH_MS = 250
_NEARLY_FULL = 0.85


def origin_name(origin: str) -> str:
    """What an origin of text is called to a person."""
    return {
        "app": tr("Chat format"),
        "persona": tr("Instructions"),
        "user": tr("Your messages"),
        "assistant": tr("Answers"),
        "summary": tr("Summaries"),
        "document": tr("Files"),
        "tool": tr("Tools"),
    }.get(origin, origin)


class ContextPanel(QScrollArea):
    """Follows the conversation in view."""

    message_requested = Signal(str)
    """The id of a message to show: the first one that was left out."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._meter = AnswerMeter()
        self._n_ctx = 0
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr("Context"))
        self._title = _label(tr("Context window"), "large")
        self._about = _label(tr("What the model has in view when it answers, in tokens."), "caption")
        self._sum = _label("", "title")
        self._bar = StackBar(theme, units=4)
        self._legend = ContextLegend(theme)
        self._note = _label("", "caption")
        self._dropped = _label("", "")
        self._jump = QPushButton(tr("Show the first of them"))
        self._jump.setProperty("kind", "link")
        self._speed_title = _label(tr("Last answer"), "large")
        self._speed = QFormLayout()
        self._speed.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._values = {
            name: _label("", "value") for name in ("processed", "cached", "prefill", "written", "decode", "first")
        }
        titles = (tr("Read"), tr("Known already"), tr("Reading"), tr("Written"), tr("Writing"), tr("Until first word"))
        for title, value in zip(titles, self._values.values(), strict=True):
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._speed.addRow(_label(title, "muted"), value)
        page = QWidget()
        page.setProperty("kind", "window")
        self._column = QVBoxLayout(page)
        for widget in (self._title, self._about, self._sum, self._bar, self._legend, self._note, self._dropped):
            self._column.addWidget(widget)
        self._column.addWidget(self._jump, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self._speed_title)
        self._column.addLayout(self._speed)
        self._column.addStretch(1)
        self.setWidget(page)
        self._timer = QTimer(self, interval=_REFRESH_MS)
        self._timer.timeout.connect(self._show)
        self._jump.clicked.connect(self._on_jump)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def observe(self, event: StreamEvent) -> None:
        """Follow an answer of the conversation in view. Cheap."""
        was = self._meter.phase
        self._meter.observe(event)
        if self._meter.phase is not was:
            self._follow()

    def show_live(self, meter: AnswerMeter) -> None:
        """Another conversation came into view while it is being answered; `meter` has followed that so far."""
        self._meter = meter.copied()
        self._follow()

    def show_usage(self, usage: MessageUsage | None) -> None:
        """Another conversation came into view; `usage` is its last answer's, None if it has none."""
        self._timer.stop()
        self._meter.show(usage)
        self._show()

    def set_n_ctx(self, n_ctx: int) -> None:
        """The loaded model's context window, 0 for none: the whole until an answer says otherwise."""
        self._n_ctx = n_ctx
        self._show()

    def _follow(self) -> None:
        self._show()
        if self._meter.phase is Phase.IDLE:
            self._timer.stop()
        else:
            self._timer.start()

    def _show(self) -> None:
        meter, n_ctx = self._meter, self._meter.n_ctx or self._n_ctx
        if not n_ctx:
            self._sum.setText(tr("No model is loaded"))
        else:
            used, total = count_text(meter.used), count_text(n_ctx)
            self._sum.setText(tr("{used} of {total}", used=used, total=total))
        lines = [LegendLine(origin, origin_name(origin), tokens) for origin, tokens in meter.parts]
        if not meter.by_origin and meter.prompt_tokens:
            # The store keeps no origins: the whole prompt in one.
            lines = [LegendLine("user", tr("The chat so far"), meter.prompt_tokens)]
            lines += [LegendLine("assistant", tr("The last answer"), meter.completion_tokens)]
        stretches = [(self._theme.origin_color(line.origin), float(line.tokens)) for line in lines]
        if n_ctx:
            lines.append(LegendLine("", tr("Free"), max(0, n_ctx - meter.used)))
        self._bar.set_stretches(stretches, float(n_ctx))
        self._bar.setVisible(n_ctx > 0)
        self._bar.setAccessibleName(tr("Context window: {text} tokens", text=self._sum.text()))
        self._legend.set_lines(lines, n_ctx)
        nearly_full = n_ctx > 0 and meter.used / n_ctx >= _NEARLY_FULL
        self._note.setText(tr("Nearly full: the oldest messages will be left out soon."))
        self._note.setStyleSheet(f"color: {self._theme.colors.warning};")
        self._note.setVisible(nearly_full and not meter.dropped_count)
        self._dropped.setText(
            ntr(
                "{count} older message did not fit and was left out of the last answer.",
                "{count} older messages did not fit and were left out of the last answer.",
                meter.dropped_count,
            )
        )
        self._dropped.setStyleSheet(f"color: {self._theme.colors.warning};")
        self._dropped.setVisible(meter.dropped_count > 0)
        self._jump.setVisible(bool(meter.dropped))
        self._show_speed()

    def _show_speed(self) -> None:
        meter, values = self._meter, self._values
        read = max(0, meter.processed - meter.cached_tokens)
        first = meter.prefill_s
        texts = {
            "processed": tr("{count} tokens", count=count_text(read)) if meter.prompt_tokens else "",
            "cached": tr("{count} tokens", count=count_text(meter.cached_tokens)) if meter.cached_tokens else "",
            "prefill": rate_text(meter.prefill_rate) if meter.prefill_rate > 0 else "",
            "written": tr("{count} tokens", count=count_text(meter.completion_tokens))
            if meter.completion_tokens
            else "",
            "decode": rate_text(meter.decode_rate) if meter.decode_rate > 0 else "",
            "first": tr("{seconds} s", seconds=f"{first:.1f}") if first > 0 else "",
        }
        for name, text in texts.items():
            values[name].setText(text)
            self._speed.setRowVisible(values[name], bool(text))
        self._speed_title.setVisible(any(texts.values()))

    def _on_jump(self) -> None:
        if self._meter.dropped:
            self.message_requested.emit(self._meter.dropped[0])

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(4), space(3), space(4), space(5))
        self._column.setSpacing(space(3))
        self._speed.setVerticalSpacing(space(1.5))
        self._show()


def _label(text: str, kind: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("kind", kind)
    label.setWordWrap(kind in ("caption", ""))
    return label
