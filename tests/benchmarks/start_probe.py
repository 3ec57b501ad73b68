"""Starts the whole program in this process and tells how long a person waits. Run in a fresh interpreter:

    python -m tests.benchmarks.start_probe MODEL DATA_DIR

Prints JSON: seconds from the start of the process until the first window is painted, until a question typed at once
has its first token, and the memory of the window's and the worker's process after the answer.
"""

from __future__ import annotations

import gc
import json
import sys
import time

import psutil
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.__main__ import main
from app.events import MessageFinished, Streamed
from app.ui.bridge import EventBridge
from engine.types import ReasoningDelta, TextDelta

QUESTION = "What is the capital of France? Answer in one sentence."


def since_start() -> float:
    """Seconds since this process was started, interpreter included."""
    return time.time() - psutil.Process().create_time()


class Watcher(QObject):
    """Waits for the first painted window, asks, and notes when things come."""

    def __init__(self, application: QApplication) -> None:
        super().__init__()
        self.marks: dict[str, float] = {}
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(5)
        self._bridge: EventBridge | None = None
        self._asked = False
        application.installEventFilter(self)

    def _look(self) -> None:
        if "window_s" not in self.marks:
            return
        if self._bridge is None:
            self._bridge = find_bridge()
            if self._bridge is not None:
                self._bridge.chat_event.connect(self._on_event)
        window = QApplication.activeWindow() or next(iter(QApplication.topLevelWidgets()), None)
        if self._bridge is None or window is None:
            return
        from app.ui.composer import Composer

        composer = next(iter(window.findChildren(Composer)), None)
        if composer is not None and not self._asked:
            if not composer.draft.text:
                composer.insert_text(QUESTION)
            composer.submit()
            self._asked = not composer.draft.text
            if self._asked:
                self.marks["asked_s"] = since_start()

    def _on_event(self, event: object) -> None:
        if isinstance(event, Streamed) and isinstance(event.event, TextDelta | ReasoningDelta):
            self.marks.setdefault("first_token_s", since_start())
        if isinstance(event, MessageFinished):
            process = psutil.Process()
            self.marks["window_rss_mb"] = process.memory_info().rss / 1e6
            self.marks["window_uss_mb"] = process.memory_full_info().uss / 1e6
            self.marks["answer_s"] = since_start()
            print(json.dumps(self.marks), flush=True)
            QTimer.singleShot(0, QApplication.quit)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        painted = event.type() == QEvent.Type.Paint and isinstance(watched, QWidget) and watched.window().isVisible()
        if painted and "window_s" not in self.marks:
            self.marks["window_s"] = since_start()
        return False


def find_bridge() -> EventBridge | None:
    """The program's one bridge, wherever it hangs."""
    return next((found for found in gc.get_objects() if isinstance(found, EventBridge)), None)


if __name__ == "__main__":
    application = QApplication(["hearth"])
    watcher = Watcher(application)
    raise SystemExit(main(["--model", sys.argv[1], "--data-dir", sys.argv[2]]))
