"""How long the window's event loop stands still: the time between the beats of a quick timer on the main thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEventLoop, Qt, QTimer

_BEAT_MS = 4
_LOOK_MS = 20


class EventLoopWatch:
    """Milliseconds between beats: `stalls` by the clock, `work` of the main thread's own processor time."""

    def __init__(self) -> None:
        self.stalls: list[float] = []
        self.work: list[float] = []
        self._last = self._last_cpu = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._timer.start(_BEAT_MS)

    def stop(self) -> None:
        self._timer.stop()

    def quantile(self, share: float) -> float:
        """Of the stalls."""
        return sorted(self.stalls)[int(len(self.stalls) * share)]

    def _beat(self) -> None:
        now, now_cpu = time.perf_counter(), time.thread_time()
        self.stalls.append((now - self._last) * 1000)
        self.work.append((now_cpu - self._last_cpu) * 1000)
        self._last, self._last_cpu = now, now_cpu


def run_until(done: Callable[[], bool], seconds: float) -> None:
    """Turn the event loop until then. Raises `TimeoutError` after so many seconds."""
    loop, look = QEventLoop(), QTimer()
    end_s = time.monotonic() + seconds
    look.timeout.connect(lambda: loop.quit() if done() or time.monotonic() > end_s else None)
    look.start(_LOOK_MS)
    loop.exec()
    if not done():
        raise TimeoutError
