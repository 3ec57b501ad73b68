"""Global keys on X11: `GrabKey` on the root window, over a connection of our own.

libxcb and libxcb-keysyms are the libraries that Qt's own X11 plugin needs. The protocol is that of the X Window System
Protocol, version 11 (GrabKey, MappingNotify); names of the functions are libxcb's.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator

from PySide6.QtCore import QKeyCombination, QSocketNotifier, Qt

from app.ui.global_keys import mask_of, taken_sentence, unknown_sentence

_SHIFT, _LOCK, _CONTROL, _ALT, _NUM_LOCK, _SUPER = 1, 2, 4, 8, 16, 64
_IGNORED = (_LOCK, _NUM_LOCK)
"""Locks that do not make the keys other ones: each of their states is grabbed."""
_GRAB_ASYNC = 1
_KEY_PRESS, _MAPPING_NOTIFY = 2, 34
_MODIFIERS = {
    Qt.KeyboardModifier.ShiftModifier: _SHIFT,
    Qt.KeyboardModifier.ControlModifier: _CONTROL,
    Qt.KeyboardModifier.AltModifier: _ALT,
    Qt.KeyboardModifier.MetaModifier: _SUPER,
}
_KEYSYMS = {
    Qt.Key.Key_Backspace: 0xFF08, Qt.Key.Key_Tab: 0xFF09, Qt.Key.Key_Return: 0xFF0D, Qt.Key.Key_Pause: 0xFF13,
    Qt.Key.Key_Escape: 0xFF1B, Qt.Key.Key_Home: 0xFF50, Qt.Key.Key_Left: 0xFF51, Qt.Key.Key_Up: 0xFF52,
    Qt.Key.Key_Right: 0xFF53, Qt.Key.Key_Down: 0xFF54, Qt.Key.Key_PageUp: 0xFF55, Qt.Key.Key_PageDown: 0xFF56,
    Qt.Key.Key_End: 0xFF57, Qt.Key.Key_Print: 0xFF61, Qt.Key.Key_Insert: 0xFF63, Qt.Key.Key_Enter: 0xFF8D,
    Qt.Key.Key_Delete: 0xFFFF,
}  # fmt: skip
_F1 = 0xFFBE


class X11Unavailable(Exception):  # noqa: N818  # a state of the machine, no error of anybody
    """There is no X server here, or its libraries are missing."""


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _ScreenIterator(ctypes.Structure):
    _fields_ = (("root", ctypes.POINTER(ctypes.c_uint32)), ("left", ctypes.c_int), ("index", ctypes.c_int))


class _Event(ctypes.Structure):
    """What all events begin with; of a key press, `detail` is the key."""

    _fields_ = (("response_type", ctypes.c_uint8), ("detail", ctypes.c_uint8), ("sequence", ctypes.c_uint16))


class X11Keys:
    """Raises `X11Unavailable` where there is no X server to talk to."""

    def __init__(self) -> None:
        try:
            self._xcb, self._keysyms = _bind()
        except OSError as error:
            raise X11Unavailable from error
        self._free = ctypes.CDLL(None).free
        self._free.argtypes, self._free.restype = (ctypes.c_void_p,), None
        self._connection = self._xcb.xcb_connect(None, None)
        if self._xcb.xcb_connection_has_error(self._connection):
            self._xcb.xcb_disconnect(self._connection)
            raise X11Unavailable
        setup = self._xcb.xcb_get_setup(self._connection)
        self._root = int(self._xcb.xcb_setup_roots_iterator(setup).root[0])
        self._symbols = self._keysyms.xcb_key_symbols_alloc(self._connection)
        self._keys: QKeyCombination | None = None
        self._on_pressed: Callable[[], None] = lambda: None
        self._held: list[tuple[int, int]] = []
        self._notifier = QSocketNotifier(self._xcb.xcb_get_file_descriptor(self._connection), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._on_readable)

    def grab(self, keys: QKeyCombination, on_pressed: Callable[[], None]) -> str:
        self.release()
        codes = list(self._codes(_keysym(keys.key())))
        if not codes:
            return unknown_sentence()
        for code, mask in itertools.product(codes, _masks(keys.keyboardModifiers())):
            # owner_events false, neither pointer nor keyboard is frozen meanwhile
            cookie = self._xcb.xcb_grab_key_checked(
                self._connection, 0, self._root, mask, code, _GRAB_ASYNC, _GRAB_ASYNC
            )
            error = self._xcb.xcb_request_check(self._connection, cookie)
            if error:
                self._free(error)
                self.release()
                return taken_sentence()
            self._held.append((code, mask))
        self._keys, self._on_pressed = keys, on_pressed
        return ""

    def release(self) -> None:
        for code, mask in self._held:
            self._xcb.xcb_ungrab_key(self._connection, code, self._root, mask)
        self._held.clear()
        self._keys = None
        self._xcb.xcb_flush(self._connection)

    def close(self) -> None:
        """End the connection; the server frees the keys."""
        if self._connection:
            self._notifier.setEnabled(False)
            self._keysyms.xcb_key_symbols_free(self._symbols)
            self._xcb.xcb_disconnect(self._connection)
            self._connection = None

    def _codes(self, keysym: int) -> Iterator[int]:
        found = self._keysyms.xcb_key_symbols_get_keycode(self._symbols, keysym) if keysym else None
        if found:
            yield from itertools.takewhile(bool, (int(found[index]) for index in itertools.count()))
            self._free(ctypes.cast(found, ctypes.c_void_p))

    def _on_readable(self) -> None:
        if self._xcb.xcb_connection_has_error(self._connection):
            self._notifier.setEnabled(False)  # the server is gone, and the windows with it
            return
        while event := self._xcb.xcb_poll_for_event(self._connection):
            kind, code = event[0].response_type & 0x7F, int(event[0].detail)
            if kind == _MAPPING_NOTIFY:
                self._keysyms.xcb_refresh_keyboard_mapping(self._symbols, event)
                if self._keys is not None:
                    self.grab(self._keys, self._on_pressed)
            self._free(ctypes.cast(event, ctypes.c_void_p))
            if kind == _KEY_PRESS and any(code == held for held, _mask in self._held):
                self._on_pressed()


def _keysym(key: Qt.Key) -> int:
    """The X keysym of a key of Qt's, 0 for none (keysymdef.h)."""
    value = int(key)
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35:
        return _F1 + value - int(Qt.Key.Key_F1)
    if key in _KEYSYMS:
        return _KEYSYMS[key]
    return ord(chr(value).lower()) if 0x20 <= value <= 0xFF else 0


def _masks(modifiers: Qt.KeyboardModifier) -> Iterator[int]:
    """The modifiers as X numbers them, with each state of the locks."""
    wanted = mask_of(modifiers, _MODIFIERS)
    for count in range(len(_IGNORED) + 1):
        for locks in itertools.combinations(_IGNORED, count):
            yield wanted | sum(locks)


def _bind() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    """The two libraries with their types. Raises `OSError` where one is missing."""
    xcb, keysyms = ctypes.CDLL("libxcb.so.1"), ctypes.CDLL("libxcb-keysyms.so.1")
    pointer, event = ctypes.c_void_p, ctypes.POINTER(_Event)
    u8, u16, u32 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32
    for library, name, result, arguments in (
        (xcb, "xcb_connect", pointer, (ctypes.c_char_p, pointer)),
        (xcb, "xcb_connection_has_error", ctypes.c_int, (pointer,)),
        (xcb, "xcb_disconnect", None, (pointer,)),
        (xcb, "xcb_get_setup", pointer, (pointer,)),
        (xcb, "xcb_setup_roots_iterator", _ScreenIterator, (pointer,)),
        (xcb, "xcb_get_file_descriptor", ctypes.c_int, (pointer,)),
        (xcb, "xcb_grab_key_checked", _Cookie, (pointer, u8, u32, u16, u8, u8, u8)),
        (xcb, "xcb_request_check", pointer, (pointer, _Cookie)),
        (xcb, "xcb_ungrab_key", _Cookie, (pointer, u8, u32, u16)),
        (xcb, "xcb_poll_for_event", event, (pointer,)),
        (xcb, "xcb_flush", ctypes.c_int, (pointer,)),
        (keysyms, "xcb_key_symbols_alloc", pointer, (pointer,)),
        (keysyms, "xcb_key_symbols_free", None, (pointer,)),
        (keysyms, "xcb_key_symbols_get_keycode", ctypes.POINTER(u8), (pointer, u32)),
        (keysyms, "xcb_refresh_keyboard_mapping", ctypes.c_int, (pointer, event)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return xcb, keysyms
