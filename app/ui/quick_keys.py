"""The keys for a quick question from everywhere, as the settings want them. Main thread only.

Knows no window: it says when they are pressed, and in a sentence why they are not held.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from app.i18n import tr
from app.settings import Settings
from app.ui.commands import Commands
from app.ui.global_keys import GlobalKeys, combination, is_bold_enough

WANTED, KEYS = "desktop.quick_ask", "desktop.quick_keys"


class QuickKeys(QObject):
    """Holds the keys while the setting is on, from `start` to `close`."""

    pressed = Signal()
    changed = Signal()
    """Whether they are held, or `trouble`."""

    def __init__(self, settings: Settings, commands: Commands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings, self._commands = settings, commands
        self._backend: GlobalKeys | None = None
        self._make: Callable[[], GlobalKeys] | None = None
        self.is_held = False
        self.trouble = ""
        """Why they are wanted and not held, translated; "" while all is well."""
        unsubscribe = settings.subscribe(self._on_setting_changed)
        self.destroyed.connect(lambda _gone=None: unsubscribe())

    @property
    def sequence(self) -> QKeySequence:
        """The keys as they are set."""
        return QKeySequence(self._settings.text(KEYS), QKeySequence.SequenceFormat.PortableText)

    @property
    def text(self) -> str:
        """The keys as this system writes them."""
        return self.sequence.toString(QKeySequence.SequenceFormat.NativeText)

    def start(self, make: Callable[[], GlobalKeys]) -> None:
        """Take the keys if they are wanted; `make` is called the first time that they are."""
        self._make = make
        self._take()

    def close(self) -> None:
        """Give them back for good."""
        self._make = None
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def refusal(self, sequence: QKeySequence) -> str:
        """Why these keys will not do, before they are asked for; "" where nothing speaks against them."""
        if sequence.isEmpty() or not is_bold_enough(combination(sequence)):
            return tr("Keys for everywhere need Ctrl, Alt or the system key with them.")
        other = self._commands.conflict("", sequence)
        if other is not None:
            return tr(
                "{keys} already means “{title}”. Take the keys away there first.",
                keys=sequence.toString(QKeySequence.SequenceFormat.NativeText),
                title=other.title,
            )
        return ""

    def choose(self, sequence: QKeySequence) -> str:
        """Have these keys from now on; returns the sentence if they were refused, and leaves the old ones then."""
        if refusal := self.refusal(sequence):
            return refusal
        self._settings.set(KEYS, sequence.toString(QKeySequence.SequenceFormat.PortableText))
        return ""

    def _on_setting_changed(self, key: str) -> None:
        if key in (WANTED, KEYS):
            self._take()

    def _take(self) -> None:
        if self._make is None:
            return
        held, trouble = False, ""
        if self._settings.flag(WANTED):
            sequence = self.sequence
            trouble = self.refusal(sequence)
            if not trouble:
                if self._backend is None:
                    self._backend = self._make()
                trouble = self._backend.grab(combination(sequence), self.pressed.emit)
                held = not trouble
        if not held and self._backend is not None:
            self._backend.release()
        if (held, trouble) != (self.is_held, self.trouble):
            self.is_held, self.trouble = held, trouble
            self.changed.emit()
