"""The window's front door: `run_window` opens the program in stages and closes it in the one safe order.

1. paths, a running Hearth to hand over to, settings, theme: what the first picture needs.
2. The first window, empty lists and all; it is on the screen before anything slow begins.
3. The services, on a thread of the general pool; then the lists, the session, the model.

Closing: stop accepting, close the windows, close the services (which cancels, ends the worker and joins its
reader), then drop the bridge. The other order crashes.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QObject, QSocketNotifier, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from app.events import ChatEvent, Notice
from app.head_start import HeadStart
from app.i18n import BUG, set_language, tr
from app.paths import Paths
from app.settings import Settings
from app.ui.bridge import EventBridge
from app.ui.cycle_collector import CycleCollector
from app.ui.desktop import Desktop
from app.ui.dialogs import tell
from app.ui.fonts import load_fonts
from app.ui.icons import program_icon
from app.ui.library import sentence_of
from app.ui.main_window import MainWindow
from app.ui.opened_files import HearthApplication
from app.ui.session import Session, WindowPlace, put_back
from app.ui.single_instance import SingleInstance, hand_over
from app.ui.style import apply_style
from app.ui.theme import Theme
from app.ui.toast import Toasts
from app.ui.workspace import Workspace
from engine.engine import Engine

if TYPE_CHECKING:
    from app.services import Services

ServicesOpener = Callable[[Paths, Settings, Callable[[ChatEvent], None]], "Services"]

_log = logging.getLogger(__name__)
_RAISE_OFFSET = 28
_WIDE_DIALOG = 120
"""In spacing units: one this wide has room for a notice."""


def run_window(
    paths: Paths,
    *,
    model: str | None = None,
    files: Sequence[Path] = (),
    begun: HeadStart | None = None,
    quick: bool = False,
) -> int:
    """Open Hearth on `paths` and stay until the last window closes; returns the exit status.

    `model` (a name or a file) is loaded in place of the last one, unless its load has `begun`; `files` are attached
    to a new chat. With `quick` only the small window for one question opens.
    """
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = HearthApplication(["hearth"])
    app.setApplicationName("Hearth")
    app.setDesktopFileName("hearth")
    app.setStyle("Fusion")
    if hand_over(paths.data, files, quick=quick):
        if begun is not None:
            begun.engine.close()
        return 0
    application = Application(app, paths, model=model, files=files, begun=begun)
    application.start(quick=quick)
    try:
        return app.exec()
    finally:
        application.close()


class Application(QObject):
    """Owns the windows and everything that they share."""

    def __init__(
        self,
        app: QApplication,
        paths: Paths,
        *,
        model: str | None = None,
        files: Sequence[Path] = (),
        begun: HeadStart | None = None,
        open_services: ServicesOpener | None = None,
    ) -> None:
        """`open_services` is called on a thread of the pool; without one the real services are opened."""
        super().__init__()
        self._collector = CycleCollector(self)
        self._app, self._model, self._files = app, model, tuple(files)
        self._begun = begun
        engine = begun.engine if begun is not None else None
        self._open = open_services or partial(_open_real_services, engine=engine)
        self._closing = False
        self._opened: Future[Services] | None = None
        self.windows: list[MainWindow] = []
        settings = Settings.load(paths.settings_file)
        set_language(settings.text("appearance.language"))
        refused = load_fonts()
        if refused:
            _log.warning("fonts refused: %s", ", ".join(refused))
        app.setWindowIcon(program_icon())
        app.setLayoutDirection(QLocale().textDirection())
        self.bridge = EventBridge()
        self.workspace = Workspace(paths, settings, Theme(parent=self), self.bridge)
        self.workspace.apply_appearance()
        self._style_folder = paths.cache / "style"
        self._on_theme_changed()
        self.session = Session(self.workspace.state, lambda: self.windows, self)
        self.desktop = Desktop(app, self.workspace, self)
        self._connect()
        self._instance = SingleInstance(paths.data, self)
        self._instance.raised.connect(self._on_raised)
        self._instance.quick_requested.connect(self.desktop.ask_quickly)
        if isinstance(app, HearthApplication):
            app.files_opened.connect(self._on_raised)
        self._interrupts = _Interrupts(self)

    def start(self, *, quick: bool = False) -> None:
        """Show the windows of the last session, and open the services behind them; with `quick` the small one only."""
        sys.excepthook = self._on_unhandled
        threading.excepthook = self._on_thread_unhandled
        places = self.session.begin()
        if quick and not self._files:
            self.desktop.ask_quickly()
        else:
            self._open_session(places)
        # Once the first picture is on the screen.
        QTimer.singleShot(0, self, self._open_services)

    def open_window(self, conversation_id: str = "") -> MainWindow:
        """Another window, with this conversation ("": a new chat)."""
        return self._open_at(WindowPlace(conversation_id))

    def _open_at(self, place: WindowPlace) -> MainWindow:
        window = MainWindow(self.workspace, conversation_id=place.conversation_id)
        if self.windows:
            window.move(self.windows[-1].pos().x() + _RAISE_OFFSET, self.windows[-1].pos().y() + _RAISE_OFFSET)
        put_back(window, place)
        self.windows.append(window)
        window.show()
        window.page.focus_composer()
        self.session.watch(window)
        return window

    def _open_session(self, places: Sequence[WindowPlace]) -> None:
        for number, place in enumerate(places):
            new_chat = bool(self._files) and number == 0
            self._open_at(replace(place, conversation_id="", message_id="") if new_chat else place)

    def close(self) -> None:
        """Close everything, once. What was streaming is kept by the services."""
        if self._closing:
            return
        self._closing = True
        gc.unfreeze()
        self._instance.close()
        self._interrupts.close()
        self.session.keep()
        self.session.end()
        self.desktop.close()
        for window in list(self.windows):
            window.close()
        # Now, while everything is there that they are connected to; no event loop will do it later.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        services = self.workspace.services
        self.workspace.detach()
        self.bridge.close()
        # An opening that is still under way must end first: it holds the store.
        self.workspace.pool.shutdown(wait=True)
        if services is None and self._opened is not None and self._opened.exception() is None:
            services = self._opened.result()
        if services is not None:
            services.close()
        elif self._begun is not None:
            self._begun.engine.close()
        self.workspace.state.sync()
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        self.bridge.deleteLater()
        QCoreApplication.sendPostedEvents(self.bridge, QEvent.Type.DeferredDelete)
        self._collector.close()

    def _connect(self) -> None:
        workspace = self.workspace
        workspace.theme.changed.connect(self._on_theme_changed)
        workspace.window_requested.connect(self.open_window)
        workspace.window_closed.connect(self._on_window_closed)
        workspace.quit_requested.connect(self._on_quit)
        self.desktop.open_requested.connect(self._come_forward)
        self.desktop.talk_requested.connect(lambda: self._come_forward().talk())
        self.desktop.carried.connect(self._on_carried)
        workspace.library.crashed.connect(lambda error: _log.error("store operation failed", exc_info=error))
        self.bridge.chat_event.connect(self._on_chat_event)
        self._unsubscribe = workspace.settings.subscribe(self._on_setting_changed)

    def _open_services(self) -> None:
        workspace = self.workspace
        self._opened = workspace.pool.submit(self._open, workspace.paths, workspace.settings, self.bridge.publish)
        self.bridge.then(self._opened, self._on_services, self._on_services_failed)

    def _on_services(self, services: Services) -> None:
        services.engine.subscribe(self.bridge.publish_state)
        self.workspace.attach(services)
        for notice in self.workspace.settings.notices:
            self._show_notice(notice)
        services.load_first_model(self._model, self._begun)
        services.go_on_with_documents()
        if self._files:
            (self.windows[0] if self.windows else self.open_window()).add_files(self._files)
            self._files = ()
        if self.session.was_cut_off:
            self._show_notice(tr("Hearth was cut off last time. Your windows are as they were."))
        # When nothing waits for it any more.
        self.desktop.start()
        # What the start has made lives as long as the program: the collector need not walk it while words stream in.
        gc.collect()
        gc.freeze()

    def _on_services_failed(self, error: BaseException) -> None:
        _log.error("the services could not be opened", exc_info=error)
        parent = self.windows[0] if self.windows else None
        tell(self.workspace.theme, parent, tr("Hearth cannot open your chats"), sentence_of(error), icon="circle-alert")

    def _show_notice(self, text: str) -> None:
        active, window = self._app.activeWindow(), self._front_window()
        if isinstance(active, QDialog) and active.width() >= self.workspace.theme.space(_WIDE_DIALOG):
            # It covers the window, and the person looks here.
            toasts = active.findChild(Toasts, options=Qt.FindChildOption.FindDirectChildrenOnly)
            (toasts or Toasts(self.workspace.theme, active)).show(text)
        elif window is not None:
            window.toasts.show(text)

    def _front_window(self) -> MainWindow | None:
        active = self._app.activeWindow()
        if isinstance(active, MainWindow):
            return active
        return self.windows[-1] if self.windows else None

    def _on_chat_event(self, event: ChatEvent) -> None:
        if isinstance(event, Notice):
            self._show_notice(event.text)

    def _on_setting_changed(self, key: str) -> None:
        if key.startswith("appearance."):
            self.workspace.apply_appearance()

    def _on_theme_changed(self) -> None:
        apply_style(self._app, self.workspace.theme, self._style_folder)

    def _on_raised(self, files: list[Path]) -> None:
        window = self._come_forward()
        if self.workspace.services is not None:
            window.add_files(files)
        else:
            self._files += tuple(files)  # a persona among them is told apart once the chats are open

    def _come_forward(self) -> MainWindow:
        """The window in front; those of the last session where none is open."""
        if not self.windows:
            self._open_session(self.session.places())
        window = self._front_window() or self.windows[0]
        window.come_forward()
        return window

    def _on_carried(self, conversation_id: str, words: str) -> None:
        """A quick question goes on in a window, which leaves what it showed."""
        window = self._front_window() or self.open_window(conversation_id)
        window.come_forward()
        window.open_conversation(conversation_id)
        window.page.add_words(words)
        window.page.focus_composer()

    def _on_window_closed(self, window: MainWindow) -> None:
        if not self._closing and len(self.windows) == 1:
            self.session.keep()
        if window in self.windows:
            self.windows.remove(window)
            self.session.touch()

    def _on_quit(self) -> None:
        self.session.keep()
        self._app.quit()

    def _on_unhandled(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._app.quit()
            return
        _log.critical("unhandled error", exc_info=(kind, error, trace))
        self.bridge.publish(Notice(tr(BUG), "error"))

    def _on_thread_unhandled(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_unhandled(args.exc_type, args.exc_value, args.exc_traceback)


def _open_real_services(
    paths: Paths, settings: Settings, publish: Callable[[ChatEvent], None], *, engine: Engine | None
) -> Services:
    from app.services import Services  # noqa: PLC0415  # imported on the pool, after the first picture

    return Services.open(paths, publish=publish, settings=settings, engine=engine, tell=False)


class _Interrupts(QObject):
    """Ctrl+C and a polite kill quit the program as its menu does.

    Python runs a signal handler only between its own instructions, which may be never while Qt waits; the
    wake-up socket makes Qt wake.
    """

    def __init__(self, application: Application) -> None:
        super().__init__(application)
        self._old: dict[int, object] = {}
        if threading.current_thread() is not threading.main_thread():
            return
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_woken)
        for number in (signal.SIGINT, signal.SIGTERM):
            self._old[number] = signal.signal(number, self._on_signal)

    def close(self) -> None:
        """Put back what was there."""
        if self._old:
            for number, handler in self._old.items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave
            signal.set_wakeup_fd(self._old_fd)
            self._notifier.setEnabled(False)
            self._reader.close()
            self._writer.close()
            self._old.clear()

    def _on_woken(self) -> None:
        try:
            self._reader.recv(64)
        except BlockingIOError:
            return

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        QTimer.singleShot(0, QApplication.quit)
