"""Global keys on Windows: `RegisterHotKey`, which posts WM_HOTKEY to the thread that asked.

Follows winuser.h as the Windows SDK documents it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from ctypes import wintypes

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication, QKeyCombination, Qt

from app.ui.global_keys import mask_of, taken_sentence, unknown_sentence

_WM_HOTKEY = 0x0312
_NO_REPEAT = 0x4000
_ID = 0x4865
_MODIFIERS = {
    Qt.KeyboardModifier.AltModifier: 0x1,
    Qt.KeyboardModifier.ControlModifier: 0x2,
    Qt.KeyboardModifier.ShiftModifier: 0x4,
    Qt.KeyboardModifier.MetaModifier: 0x8,
}
_VIRTUAL_KEYS = {
    Qt.Key.Key_Backspace: 0x08, Qt.Key.Key_Tab: 0x09, Qt.Key.Key_Return: 0x0D, Qt.Key.Key_Pause: 0x13,
    Qt.Key.Key_Escape: 0x1B, Qt.Key.Key_Space: 0x20, Qt.Key.Key_PageUp: 0x21, Qt.Key.Key_PageDown: 0x22,
    Qt.Key.Key_End: 0x23, Qt.Key.Key_Home: 0x24, Qt.Key.Key_Left: 0x25, Qt.Key.Key_Up: 0x26,
    Qt.Key.Key_Right: 0x27, Qt.Key.Key_Down: 0x28, Qt.Key.Key_Insert: 0x2D, Qt.Key.Key_Delete: 0x2E,
}  # fmt: skip
_F1 = 0x70


class WindowsKeys(QAbstractNativeEventFilter):
    """One combination; Windows calls back through Qt's event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._on_pressed: Callable[[], None] | None = None
        application = QCoreApplication.instance()
        assert application is not None
        application.installNativeEventFilter(self)

    def grab(self, keys: QKeyCombination, on_pressed: Callable[[], None]) -> str:
        self.release()
        key = virtual_key(keys.key())
        if not key:
            return unknown_sentence()
        wanted = mask_of(keys.keyboardModifiers(), _MODIFIERS)
        if not _register(_ID, wanted | _NO_REPEAT, key):
            return taken_sentence()
        self._on_pressed = on_pressed
        return ""

    def release(self) -> None:
        if self._on_pressed is not None:
            _unregister(_ID)
            self._on_pressed = None

    def close(self) -> None:
        self.release()
        application = QCoreApplication.instance()
        if application is not None:
            application.removeNativeEventFilter(self)

    def nativeEventFilter(
        self, event_type: QByteArray | bytes | bytearray | memoryview, message: int
    ) -> tuple[bool, int]:
        if event_type == b"windows_generic_MSG" and self._on_pressed is not None:
            told = wintypes.MSG.from_address(int(message))
            if told.message == _WM_HOTKEY and told.wParam == _ID:
                self._on_pressed()
                return True, 0
        return False, 0


def virtual_key(key: Qt.Key) -> int:
    """The virtual key code of a key of Qt's, 0 for none."""
    value = int(key)
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F24:
        return _F1 + value - int(Qt.Key.Key_F1)
    if Qt.Key.Key_0 <= key <= Qt.Key.Key_9 or Qt.Key.Key_A <= key <= Qt.Key.Key_Z:
        return value
    return _VIRTUAL_KEYS.get(key, 0)


def _register(number: int, modifiers: int, key: int) -> bool:
    if sys.platform == "win32":
        return bool(ctypes.windll.user32.RegisterHotKey(None, number, modifiers, key))
    return False


def _unregister(number: int) -> None:
    if sys.platform == "win32":
        ctypes.windll.user32.UnregisterHotKey(None, number)
