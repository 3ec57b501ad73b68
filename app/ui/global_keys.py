"""Keys that reach Hearth whatever program has the keyboard: what a system must offer for it, and which one this is.

Knows no setting and not what the keys are for. Main thread only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence

from app.i18n import tr

_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)  # fmt: skip


class GlobalKeys(Protocol):
    """The keys of one program; `on_pressed` is called on the main thread each time they are pressed."""

    def grab(self, keys: QKeyCombination, on_pressed: Callable[[], None]) -> str:
        """Take `keys` instead of those held so far. Returns "", or the translated sentence why they are not taken."""
        ...

    def release(self) -> None:
        """Give them back. Idempotent."""
        ...

    def close(self) -> None:
        """Give them back for good."""
        ...


class NoGlobalKeys:
    """Where programs cannot have such keys: says what to do instead."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def grab(self, keys: QKeyCombination, on_pressed: Callable[[], None]) -> str:
        return self._reason

    def release(self) -> None:
        """There is nothing to give back."""

    def close(self) -> None:
        """As `release`."""


def global_keys(environment: Mapping[str, str] = os.environ) -> GlobalKeys:
    """Those of the system that this window is shown on."""
    shown_on = QGuiApplication.platformName()
    if sys.platform == "win32":
        from app.ui.global_keys_windows import WindowsKeys  # noqa: PLC0415  # exists on that system only

        return WindowsKeys()
    if sys.platform == "darwin":
        from app.ui.global_keys_mac import MacKeys  # noqa: PLC0415

        return MacKeys()
    if shown_on.startswith("wayland") or environment.get("XDG_SESSION_TYPE") == "wayland":
        return NoGlobalKeys(
            tr(
                "This desktop gives such keys itself: in its keyboard settings, let keys of your choice run"
                " “{command}”.",
                command="hearth --quick",
            )
        )
    if shown_on == "xcb":
        from app.ui.global_keys_x11 import X11Keys, X11Unavailable  # noqa: PLC0415

        try:
            return X11Keys()
        except X11Unavailable:
            pass
    return NoGlobalKeys(tr("This system has no keys that reach a program from everywhere."))


def taken_sentence() -> str:
    """What is said where another program has the keys."""
    return tr("Another program has these keys already. Choose others.")


def unknown_sentence() -> str:
    """What is said where the system knows no such key."""
    return tr("These keys cannot be used everywhere. Choose others.")


def combination(sequence: QKeySequence) -> QKeyCombination:
    """The first keys of a sequence, which must not be empty."""
    return cast(QKeyCombination, sequence[0])  # type: ignore[index]  # PySide6's stub lacks it


def mask_of(modifiers: Qt.KeyboardModifier, masks: Mapping[Qt.KeyboardModifier, int]) -> int:
    """The modifiers as a system numbers them."""
    return sum(mask for modifier, mask in masks.items() if modifiers & modifier)


def is_bold_enough(keys: QKeyCombination) -> bool:
    """Whether taking `keys` from all other programs leaves people their typing: not without a modifier, not Shift."""
    function_key = Qt.Key.Key_F1 <= keys.key() <= Qt.Key.Key_F35
    return function_key or bool(keys.keyboardModifiers() & _MODIFIERS)
