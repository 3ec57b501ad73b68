"""A place for icons beside the clock, as a desktop has it: org.kde.StatusNotifierWatcher. Prints what registers.

Ends with its standard input.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import ClassInfo, Property, QCoreApplication, QObject, QSocketNotifier, Slot
from PySide6.QtDBus import QDBusConnection


@ClassInfo({"D-Bus Interface": "org.kde.StatusNotifierWatcher"})
class Watcher(QObject):
    """What Qt asks of it."""

    @Slot(str)
    def RegisterStatusNotifierItem(self, service: str) -> None:
        print("icon", service, flush=True)

    @Property(bool)
    def IsStatusNotifierHostRegistered(self) -> bool:
        return True


@ClassInfo({"D-Bus Interface": "org.freedesktop.portal.Notification"})
class Portal(QObject):
    """The desktop's portal for notifications."""

    @Slot(str, "QVariantMap")
    def AddNotification(self, name: str, notification: dict[str, object]) -> None:
        print("line", name, notification["title"], notification["body"], sep="|", flush=True)


def main() -> None:
    app = QCoreApplication(["watcher"])
    bus = QDBusConnection.sessionBus()
    watcher, portal = Watcher(), Portal()
    options = QDBusConnection.RegisterOption.ExportAllContents
    assert bus.registerObject("/StatusNotifierWatcher", watcher, options)
    assert bus.registerObject("/org/freedesktop/portal/desktop", portal, options)
    assert bus.registerService("org.kde.StatusNotifierWatcher")
    assert bus.registerService("org.freedesktop.portal.Desktop")
    print("there", flush=True)
    end = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    end.activated.connect(app.quit)
    app.exec()


if __name__ == "__main__":
    main()
