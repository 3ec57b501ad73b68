"""One line from the system when long work is done and nobody is looking. Main thread only.

The lines are the program's own words: no word of a chat, no name of a file. Shown by the icon beside the clock, or by
the desktop's notification portal (org.freedesktop.portal.Notification) where there is no such icon.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from app.events import ChatEvent, DocumentsHappened, MessageAdded, MessageFinished
from app.i18n import tr
from app.settings import Settings
from app.store.types import MessageState
from app.ui.bridge import EventBridge
from app.ui.model_flow import ModelFlow
from app.ui.weights_fetch import WeightsFetch
from engine.context.segments import Role
from rag.events import EmbeddingProgress, FilesChanged, ReadingProgress
from rag.types import Unit

WANTED = "desktop.notifications"
LONG_S = 20.0
"""What took less is not worth a line."""
_SETTLE_MS = 5000
"""After a file, so long for the next one to begin: many files are one piece of work."""


class Herald(Protocol):
    """Shows a line outside the window."""

    def say(self, title: str, line: str) -> None: ...


def nobody_looks() -> bool:
    """No window of Hearth has the keyboard."""
    return QGuiApplication.applicationState() is not Qt.ApplicationState.ApplicationActive


class Notifications(QObject):
    """Measures how long answers, downloads and the reading of documents take, and tells of the long ones."""

    def __init__(
        self,
        bridge: EventBridge,
        settings: Settings,
        herald: Herald,
        *,
        models: ModelFlow,
        weights: WeightsFetch,
        parent: QObject | None = None,
        now: Callable[[], float] = time.monotonic,
        unwatched: Callable[[], bool] = nobody_looks,
    ) -> None:
        """`now` is in seconds."""
        super().__init__(parent)
        self._settings, self._herald, self._now, self._unwatched = settings, herald, now, unwatched
        self._answers: dict[str, float] = {}
        self._downloads: dict[str, float] = {}
        self._reading: tuple[float, bool] | None = None
        """Since when documents are being read, and whether a recording was among them."""
        self._read_until = 0.0
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._on_settled)
        bridge.chat_event.connect(self._on_chat_event)
        models.download_progressed.connect(lambda key, _progress: self._downloads.setdefault(key, self._now()))
        models.downloaded.connect(self._on_downloaded)
        models.download_paused.connect(lambda key: self._downloads.pop(key, None))
        models.download_failed.connect(lambda key, _why: self._downloads.pop(key, None))
        weights.progressed.connect(lambda _progress: self._downloads.setdefault("", self._now()))
        weights.paused.connect(lambda: self._downloads.pop("", None))
        weights.failed.connect(lambda _why: self._downloads.pop("", None))
        weights.fetched.connect(lambda: self._on_downloaded(""))

    def _on_downloaded(self, key: str) -> None:
        self._tell(self._downloads.pop(key, None), tr("A download is complete."))

    def _on_chat_event(self, event: ChatEvent) -> None:
        match event:
            case MessageAdded(message) if message.role is Role.ASSISTANT and message.state is MessageState.STREAMING:
                self._answers[message.id] = self._now()
            case MessageFinished(message):
                since = self._answers.pop(message.id, None)
                if message.state is MessageState.COMPLETE:
                    self._tell(since, tr("An answer is ready."))
                elif message.state is MessageState.FAILED:
                    self._tell(since, tr("An answer could not be finished."))
            case DocumentsHappened(event=ReadingProgress(unit=unit)):
                self._goes_on(heard=unit is Unit.TIME)
            case DocumentsHappened(event=EmbeddingProgress(n_left=left)) if left:
                self._goes_on()
            case DocumentsHappened(event=EmbeddingProgress() | FilesChanged()) if self._reading is not None:
                self._read_until = self._now()
                self._settle.start()

    def _goes_on(self, *, heard: bool = False) -> None:
        self._settle.stop()
        since, heard_before = self._reading or (self._now(), False)
        self._reading = since, heard or heard_before

    def _on_settled(self) -> None:
        """A file is done, and no other one has begun since."""
        if self._reading is not None:
            (since, heard), self._reading = self._reading, None
            line = tr("Your recordings are written down.") if heard else tr("Your documents are ready.")
            self._tell(since, line, until=self._read_until)

    def _tell(self, since: float | None, line: str, *, until: float | None = None) -> None:
        ended = self._now() if until is None else until
        if since is not None and ended - since >= LONG_S and self._unwatched() and self._settings.flag(WANTED):
            self._herald.say(tr("Hearth"), line)


def say_through_portal(title: str, line: str) -> bool:
    """Ask the desktop's portal to show a line; False where there is no session bus. Does not wait for it."""
    if not sys.platform.startswith("linux"):
        return False
    from PySide6.QtDBus import QDBusConnection, QDBusMessage  # noqa: PLC0415  # with the first line

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    message = QDBusMessage.createMethodCall(
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Notification",
        "AddNotification",
    )
    message.setArguments(["hearth-done", {"title": title, "body": line}])
    return bus.send(message)
