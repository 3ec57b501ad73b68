"""Starts the whole program in this process and tells how long a person waits. Run in a fresh interpreter:

    HEARTH_BENCH_BEGAN=$(date +%s.%N) python -m tests.benchmarks.start_probe MODEL DATA_DIR

Prints JSON: seconds from the start of the process until the first window is painted, until a question typed at once
has its first token, and the memory of the window's process after the answer.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import app.head_start
from app.__main__ import main
from app.paths import Paths

if TYPE_CHECKING:
    from app.head_start import HeadStart

QUESTION = "What is the capital of France? Answer in one sentence."


def since_start() -> float:
    """Seconds since this process was started, interpreter included (the system itself knows it to 1 s only)."""
    return time.time() - float(os.environ["HEARTH_BENCH_BEGAN"])


def watch() -> object:
    """Wait for the first painted window, ask, and note when things come. Qt is imported here, as the program does."""
    import psutil
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QWidget

    from app.events import MessageFinished, Streamed
    from app.ui.bridge import EventBridge
    from app.ui.composer import Composer
    from engine.types import ReasoningDelta, TextDelta

    class Watcher(QObject):
        def __init__(self, application: QApplication) -> None:
            super().__init__()
            self.marks: dict[str, float] = {}
            self._bridge: EventBridge | None = None
            self._asked = False
            self._timer = QTimer(self)
            self._timer.timeout.connect(self._look)
            self._timer.start(5)
            application.installEventFilter(self)

        def _look(self) -> None:
            if "window_s" not in self.marks or self._asked:
                return
            if self._bridge is None:
                self._bridge = next((found for found in gc.get_objects() if isinstance(found, EventBridge)), None)
                if self._bridge is not None:
                    self._bridge.chat_event.connect(self._on_event)
            composers = [found for top in QApplication.topLevelWidgets() for found in top.findChildren(Composer)]
            if composers:
                composers[0].insert_text(QUESTION)
                composers[0].submit()
                self._asked = True
                self._timer.stop()

        def _on_event(self, event: object) -> None:
            if isinstance(event, Streamed) and isinstance(event.event, TextDelta | ReasoningDelta):
                self.marks.setdefault("first_token_s", since_start())
            if isinstance(event, MessageFinished):
                process = psutil.Process()
                self.marks["answer_s"] = since_start()
                self.marks["window_rss_mb"] = process.memory_info().rss / 1e6
                self.marks["window_uss_mb"] = process.memory_full_info().uss / 1e6
                print(json.dumps(self.marks), flush=True)
                QTimer.singleShot(0, QApplication.quit)

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            painted = (
                event.type() == QEvent.Type.Paint and isinstance(watched, QWidget) and watched.window().isVisible()
            )
            if painted and "window_s" not in self.marks:
                self.marks["window_s"] = since_start()
            return False

    return Watcher(QApplication(["hearth"]))


def begin(paths: Paths, model: str | None) -> HeadStart | None:
    """What the program does first, and then the watcher."""
    global watcher
    begun = head_start(paths, model)
    watcher = watch()
    return begun


if __name__ == "__main__":
    watcher: object = None
    head_start = app.head_start.head_start
    app.head_start.head_start = begin
    raise SystemExit(main(["--model", str(Path(sys.argv[1])), "--data-dir", sys.argv[2]]))
