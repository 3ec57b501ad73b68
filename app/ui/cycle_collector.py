"""Python's cycle collector between two events of the main thread, and nowhere else.

By itself it runs wherever an object is made: on a thread of a pool, or while Qt calls Python from the middle of its own
work. A widget in a cycle that goes away there takes Qt's memory with it while Qt is using it. Any other program of this
process that wants the collector gets it back with `close`.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1000


class CycleCollector(QObject):
    """From its making to `close`. Main thread only."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(collect_due)
        self._timer.start()

    def close(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        if self._was_on:
            gc.enable()


def collect_due() -> int:
    """Collect the oldest generation that is due by Python's own thresholds; how many objects went away."""
    due = [
        each for each, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > most
    ]
    return gc.collect(due[-1]) if due else 0
