"""A program that wants Ctrl+Alt+Space everywhere: prints what it got, then "pressed" each time. Ends with its stdin."""

from __future__ import annotations

import sys

from PySide6.QtCore import QSocketNotifier
from PySide6.QtGui import QGuiApplication, QKeySequence

from app.ui.global_keys import global_keys


def main() -> None:
    app = QGuiApplication(["keys"])
    keys = global_keys({})
    refused = keys.grab(QKeySequence("Ctrl+Alt+Space")[0], lambda: print("pressed", flush=True))
    print(refused or "held", flush=True)
    orders = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)

    def obey() -> None:
        order = sys.stdin.readline().strip()
        if order == "release":
            keys.release()
            print("released", flush=True)
        else:
            app.quit()

    orders.activated.connect(obey)
    app.exec()


if __name__ == "__main__":
    main()
