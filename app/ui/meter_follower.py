"""Keeps an `AnswerMeter` on the conversation in view, and says a few times a second that it is worth looking at.

Knows no widget: the status bar and the context panel own one each.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.store.types import MessageUsage, StoredMessage
from app.ui.answer_meter import AnswerMeter, Phase
from engine.types import StreamEvent

REFRESH_MS = 250
"""While an answer is read or written, its numbers are drawn this often."""


class MeterFollower(QObject):
    """Feed it the stream events of the conversation in view."""

    changed = Signal()
    """`meter` should be drawn again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.meter = AnswerMeter()
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.changed)

    def observe(self, event: StreamEvent) -> None:
        """Follow an answer of the conversation in view. Cheap: one that only adds a word is shown by the timer."""
        was = self.meter.phase
        self.meter.observe(event)
        if self.meter.phase is not was:
            self._follow()

    def show_path(self, path: Sequence[StoredMessage], meter: AnswerMeter | None) -> None:
        """Another conversation came into view; `meter` follows the answer that is written in it, None without one."""
        if meter is not None:
            self.show_live(meter)
        else:  # also while an answer waits: what stands here may be another conversation's
            self.show_usage(next((each.usage for each in reversed(path) if each.usage is not None), None))

    def show_live(self, meter: AnswerMeter) -> None:
        """Another conversation came into view while it is being answered; `meter` has followed that so far."""
        self.meter = meter.copied()
        self._follow()

    def show_usage(self, usage: MessageUsage | None) -> None:
        """Another conversation came into view; `usage` is its last answer's, None if it has none.

        Of an answer that was followed to its end the meter knows more than the store, and keeps it.
        """
        self._timer.stop()
        if not self.meter.has_followed(usage):
            self.meter.show(usage)
        self.changed.emit()

    def _follow(self) -> None:
        if self.meter.phase is Phase.IDLE:
            self._timer.stop()
        else:
            self._timer.start()
        self.changed.emit()
