"""Global keys on a Mac: Carbon's `RegisterEventHotKey`, which asks for no permission.

Follows Carbon's CarbonEvents.h and HIToolbox's Events.h; key codes are those of the ANSI layout, by place on the
keyboard.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QKeyCombination, Qt

from app.ui.global_keys import mask_of, taken_sentence, unknown_sentence

_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_KEYBOARD_CLASS = int.from_bytes(b"keyb", "big")
_HOT_KEY_PRESSED = 5
_SIGNATURE = int.from_bytes(b"Hrth", "big")
_MODIFIERS = {
    # Qt calls the Command key "Control" on a Mac, and Control "Meta".
    Qt.KeyboardModifier.ControlModifier: 0x0100,
    Qt.KeyboardModifier.ShiftModifier: 0x0200,
    Qt.KeyboardModifier.AltModifier: 0x0800,
    Qt.KeyboardModifier.MetaModifier: 0x1000,
}
_LETTERS = dict(
    zip(
        "ASDFHGZXCVBQWERYT123465=97-80]OU[IPLJ'K;\\,/NM.",
        (
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
            30, 31, 32, 33, 34, 35, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
        ),
        strict=True,
    )
)  # fmt: skip
_OTHERS = {
    Qt.Key.Key_Return: 36, Qt.Key.Key_Tab: 48, Qt.Key.Key_Space: 49, Qt.Key.Key_Backspace: 51, Qt.Key.Key_Escape: 53,
    Qt.Key.Key_F1: 122, Qt.Key.Key_F2: 120, Qt.Key.Key_F3: 99, Qt.Key.Key_F4: 118, Qt.Key.Key_F5: 96,
    Qt.Key.Key_F6: 97, Qt.Key.Key_F7: 98, Qt.Key.Key_F8: 100, Qt.Key.Key_F9: 101, Qt.Key.Key_F10: 109,
    Qt.Key.Key_F11: 103, Qt.Key.Key_F12: 111, Qt.Key.Key_Home: 115, Qt.Key.Key_PageUp: 116, Qt.Key.Key_Delete: 117,
    Qt.Key.Key_End: 119, Qt.Key.Key_PageDown: 121, Qt.Key.Key_Left: 123, Qt.Key.Key_Right: 124,
    Qt.Key.Key_Down: 125, Qt.Key.Key_Up: 126,
}  # fmt: skip


class _EventType(ctypes.Structure):
    _fields_ = (("event_class", ctypes.c_uint32), ("kind", ctypes.c_uint32))


class _HotKeyId(ctypes.Structure):
    _fields_ = (("signature", ctypes.c_uint32), ("number", ctypes.c_uint32))


_Handler = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class MacKeys:
    """One combination; Carbon calls back from the main thread's event loop."""

    def __init__(self) -> None:
        self._carbon: Any = ctypes.CDLL(_CARBON)
        self._carbon.GetApplicationEventTarget.restype = ctypes.c_void_p
        self._carbon.RegisterEventHotKey.argtypes = (
            ctypes.c_uint32, ctypes.c_uint32, _HotKeyId, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p,
        )  # fmt: skip
        self._carbon.UnregisterEventHotKey.argtypes = (ctypes.c_void_p,)
        self._carbon.InstallEventHandler.argtypes = (
            ctypes.c_void_p, _Handler, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        self._on_pressed: Callable[[], None] = lambda: None
        self._held = ctypes.c_void_p()
        self._handler = _Handler(self._on_event)  # kept: Carbon does not
        kind = _EventType(_KEYBOARD_CLASS, _HOT_KEY_PRESSED)
        self._target = self._carbon.GetApplicationEventTarget()
        self._carbon.InstallEventHandler(self._target, self._handler, 1, ctypes.byref(kind), None, None)

    def grab(self, keys: QKeyCombination, on_pressed: Callable[[], None]) -> str:
        self.release()
        code = key_code(keys.key())
        if code is None:
            return unknown_sentence()
        wanted = mask_of(keys.keyboardModifiers(), _MODIFIERS)
        held = ctypes.c_void_p()
        if self._carbon.RegisterEventHotKey(
            code, wanted, _HotKeyId(_SIGNATURE, 1), self._target, 0, ctypes.byref(held)
        ):
            return taken_sentence()
        self._held, self._on_pressed = held, on_pressed
        return ""

    def release(self) -> None:
        if self._held:
            self._carbon.UnregisterEventHotKey(self._held)
            self._held = ctypes.c_void_p()

    def close(self) -> None:
        self.release()

    def _on_event(self, _next: object, _event: object, _data: object) -> int:
        self._on_pressed()
        return 0


def key_code(key: Qt.Key) -> int | None:
    """The key's place on the keyboard, None for none known."""
    if key in _OTHERS:
        return _OTHERS[key]
    value = int(key)
    return _LETTERS.get(chr(value)) if value < 0x7F else None
