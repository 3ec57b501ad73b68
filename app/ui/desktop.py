"""Hearth outside its main windows: the icon beside the clock, the quick question, the keys for it, notifications.

Puts these together for `Application`; knows no main window but through the signals it emits.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from app.ui.activity import Activity
from app.ui.global_keys import global_keys
from app.ui.notifications import Notifications, say_through_portal
from app.ui.quick_forgetting import forget_left_over
from app.ui.tray import Tray
from app.ui.workspace import Workspace

if TYPE_CHECKING:
    from app.ui.quick_ask import QuickAsk

TRAY, KEEP_RUNNING = "desktop.tray", "desktop.keep_running"
_SHOWN_MS = 8000


class Desktop(QObject):
    """One for the program. `start` shows what is wanted, `close` takes all of it away."""

    open_requested = Signal()
    """A main window in front."""
    talk_requested = Signal()
    carried = Signal(str, str)
    """A conversation ("": none yet) and words for its composer are to be shown in a main window."""

    def __init__(self, app: QApplication, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app, self._workspace = app, workspace
        self._activity = Activity(workspace.answers, workspace.voice, workspace.models, workspace.voice_weights, self)
        self._notifications = Notifications(
            workspace.bridge,
            workspace.settings,
            self,
            models=workspace.models,
            weights=workspace.voice_weights,
            parent=self,
        )
        self.quick: QuickAsk | None = None
        """Made when it is first asked for."""
        workspace.quick_requested.connect(self.ask_quickly)
        workspace.quick_keys.pressed.connect(self.ask_quickly)
        self._unsubscribe = workspace.settings.subscribe(self._on_setting_changed)

    @cached_property
    def tray(self) -> Tray:
        """The icon beside the clock. Made after the first picture: the desktop is asked, which may take its time."""
        tray = Tray(self._workspace.theme, self._activity, self._workspace.quick_keys, self)
        tray.open_requested.connect(self.open_requested)
        tray.quick_requested.connect(self.ask_quickly)
        tray.talk_requested.connect(self.talk_requested)
        tray.quit_requested.connect(self._workspace.quit_requested)
        return tray

    def start(self) -> None:
        """Show the icon and take the keys, as the settings want."""
        self._show_tray()
        self._workspace.quick_keys.start(global_keys)
        forget_left_over(self._workspace)

    def close(self) -> None:
        """Take all of it away. A window that quits when its last window closes does so again."""
        self._unsubscribe()
        self._workspace.quick_keys.close()
        if self.quick is not None:
            self.quick.close()
            self.quick.deleteLater()
            self.quick = None
        if "tray" in self.__dict__:
            self.tray.close()
        self._app.setQuitOnLastWindowClosed(True)

    def ask_quickly(self) -> None:
        """Open the small window."""
        if self.quick is None:
            from app.ui.quick_ask import QuickAsk  # noqa: PLC0415  # most starts do without it

            self.quick = QuickAsk(self._workspace)
            self.quick.carried.connect(self.carried)
        self.quick.open()

    def say(self, title: str, line: str) -> None:
        """Show a line outside the window; nowhere if the desktop has no way for it."""
        if self.tray.is_shown:
            self.tray.icon.showMessage(title, line, self.tray.icon.icon(), _SHOWN_MS)
        else:
            say_through_portal(title, line)

    def _show_tray(self) -> None:
        settings = self._workspace.settings
        keeps = settings.flag(KEEP_RUNNING)
        self.tray.set_wanted(settings.flag(TRAY) or keeps)
        # Without the icon nothing would bring it back, so it ends as ever.
        self._app.setQuitOnLastWindowClosed(not (keeps and self.tray.is_shown))

    def _on_setting_changed(self, key: str) -> None:
        if key in (TRAY, KEEP_RUNNING):
            self._show_tray()
