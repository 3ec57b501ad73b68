"""A tray icon and a notification on a session bus of their own: prints what a desktop there was told, line by line."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.paths import resolve_paths
from app.settings import Settings
from app.ui.bridge import EventBridge
from app.ui.desktop import Desktop
from app.ui.notifications import say_through_portal
from app.ui.theme import Theme
from app.ui.workspace import Workspace


def main() -> None:
    desktop_process = subprocess.Popen(
        [sys.executable, "-m", "tests.end2end.status_notifier_watcher"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert desktop_process.stdout is not None
    assert desktop_process.stdout.readline() == "there\n"
    app = QApplication(["tray"])
    with tempfile.TemporaryDirectory() as folder:
        paths = resolve_paths(Path(folder))
        paths.create()
        settings = Settings.load(paths.settings_file)
        settings.set("desktop.keep_running", True)
        workspace = Workspace(paths, settings, Theme(), EventBridge())
        desktop = Desktop(app, workspace)

        def begin() -> None:
            desktop.start()
            print("shown", desktop.tray.is_shown, "runs on", not app.quitOnLastWindowClosed(), flush=True)
            say_through_portal("Hearth", "An answer is ready.")
            QTimer.singleShot(0, app.quit)

        QTimer.singleShot(0, begin)
        app.exec()
        print(desktop_process.stdout.readline(), desktop_process.stdout.readline(), end="", flush=True)
        desktop.close()
        workspace.pool.shutdown()
    desktop_process.kill()
    desktop_process.wait(10)


if __name__ == "__main__":
    main()
