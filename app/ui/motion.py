"""Whether the person has asked the system for less motion. Qt has no word for it yet (6.11), so each system is asked.

What cannot be found out counts as no. Knows no widget.
"""

from __future__ import annotations

import sys

_PORTAL = "org.freedesktop.portal.Desktop"
_PORTAL_PATH = "/org/freedesktop/portal/desktop"
_SETTINGS = "org.freedesktop.portal.Settings"
_PATIENCE_MS = 500
_SPI_GETCLIENTAREAANIMATION = 0x1042


def wants_less_motion() -> bool:
    """Any thread; may block for half a second."""
    if sys.platform == "win32":
        return _on_windows()
    if sys.platform == "darwin":
        return _on_mac()
    return _by_portal()


def _on_windows() -> bool:
    import ctypes  # noqa: PLC0415

    animates = ctypes.c_int(1)
    user32 = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]
    user32.SystemParametersInfoW(_SPI_GETCLIENTAREAANIMATION, 0, ctypes.byref(animates), 0)
    return not animates.value


def _on_mac() -> bool:
    try:
        from AppKit import NSWorkspace  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    except ImportError:
        return False
    return bool(NSWorkspace.sharedWorkspace().accessibilityDisplayShouldReduceMotion())


def _by_portal() -> bool:
    """GNOME, KDE and others answer for `org.gnome.desktop.interface` by the settings portal of freedesktop.org."""
    from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage  # noqa: PLC0415  # rarely wanted

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    question = QDBusMessage.createMethodCall(_PORTAL, _PORTAL_PATH, _SETTINGS, "ReadOne")
    question.setArguments(["org.gnome.desktop.interface", "enable-animations"])
    answer = bus.call(question, QDBus.CallMode.Block, _PATIENCE_MS)
    return answer.arguments() == [False]
