"""Which windows are open and what each shows, kept while the program runs, so that a crash loses nothing of it.

Drafts are the store's own. Knows nothing of what a conversation holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from PySide6.QtCore import QByteArray, QEvent, QObject, QTimer

from app.ui.main_window import MainWindow
from app.ui.window_state import WindowState

_WINDOWS, _RUNNING = "session/windows", "session/running"
_OLD_WINDOWS = "session/conversations"
_DELAY_MS = 300
_MOST_WINDOWS = 20
_EVENTS = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.WindowStateChange)


@dataclass(frozen=True, slots=True)
class WindowPlace:
    """One window. `message_id` and `offset` are where it was scrolled to, `geometry` is Qt's, in base 64."""

    conversation_id: str = ""
    message_id: str = ""
    offset: int = 0
    geometry: str = ""
    sidebar: bool = True
    panel: bool = False


class Session(QObject):
    """Watches windows and writes what changed a moment later. Main thread only."""

    def __init__(
        self, state: WindowState, windows: Callable[[], Sequence[MainWindow]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._windows = state, windows
        self._timer = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._timer.timeout.connect(self.keep)
        self._kept = ""
        self.was_cut_off = False
        """The last run did not end by itself: a crash, or the power went."""

    def begin(self) -> list[WindowPlace]:
        """The windows of the last session, one at least; from now on this one is kept."""
        self.was_cut_off = self._state.flag(_RUNNING, False)
        self._state.keep(_RUNNING, True)
        self._state.sync()
        return self.places()

    def places(self) -> list[WindowPlace]:
        """The windows as they were kept last, one at least."""
        found = _read(self._state.text(_WINDOWS))
        return found or [WindowPlace(each) for each in self._state.texts(_OLD_WINDOWS)] or [WindowPlace()]

    def watch(self, window: MainWindow) -> None:
        """Keep this window from now on."""
        for each in (window, window.sidebar, window.panel):
            each.installEventFilter(self)
        window.page.conversation_changed.connect(self.touch)
        window.page.path_shown.connect(self.touch)
        window.page.scrolled.connect(self.touch)
        self.touch()

    def touch(self, *_what: object) -> None:
        """Something is another: write it soon."""
        if not self._timer.isActive():
            self._timer.start()

    def keep(self) -> None:
        """Write now. A session without windows leaves the last one as it was."""
        self._timer.stop()
        if windows := self._windows():
            text = json.dumps([asdict(place_of(window)) for window in windows[:_MOST_WINDOWS]])
            if text != self._kept:
                self._kept = text
                self._state.keep(_WINDOWS, text)

    def end(self) -> None:
        """The program ends by itself."""
        self._timer.stop()
        self._state.keep(_RUNNING, False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _EVENTS:
            self.touch()
        return super().eventFilter(watched, event)


def place_of(window: MainWindow) -> WindowPlace:
    """Where a window is now."""
    message_id, offset = window.page.place
    sidebar, panel = window.sides_shown
    geometry = bytes(window.saveGeometry().toBase64().data()).decode("ascii")
    return WindowPlace(window.page.conversation_id, message_id, offset, geometry, sidebar, panel)


def put_back(window: MainWindow, place: WindowPlace) -> None:
    """Let a window that shows the place's conversation be as it was."""
    if place.geometry:
        window.restoreGeometry(QByteArray.fromBase64(place.geometry.encode("ascii")))
        window.set_sidebar_visible(place.sidebar)
        window.panel.setVisible(place.panel)
    if place.message_id:
        window.page.return_to(place.message_id, place.offset)


def _read(text: str) -> list[WindowPlace]:
    """What was kept, empty for what is no session."""
    try:
        return [_checked(WindowPlace(**each)) for each in json.loads(text)[:_MOST_WINDOWS]]
    except (ValueError, TypeError, KeyError):
        return []


def _checked(place: WindowPlace) -> WindowPlace:
    """Raises `TypeError` for a value of another kind, as a file that somebody wrote into may hold."""
    default = WindowPlace()
    for name, value in asdict(place).items():
        if type(value) is not type(getattr(default, name)):
            raise TypeError(name)
    if not place.geometry.isascii():
        raise TypeError("geometry")
    return place
