"""`@` in the message field: while a name is typed behind it, personas are offered, and the chosen one takes its place.

Watches a text field from outside; the field knows nothing of it.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.ui.persona_icons import PersonaIcons
from app.ui.persona_list import PersonaList
from app.ui.persona_picker import PersonaPicker
from app.ui.theme import Theme

_MENTION = re.compile(r"(?:^|(?<=\s))@(\S*)\Z")
_LONGEST = 64


def mention_before(text: str) -> tuple[int, str] | None:
    """Where the `@` stands that is being typed at the end of `text`, and what is typed behind it; None: there is none.

    It stands at the beginning or after a blank, so that addresses of mails are none.
    """
    found = _MENTION.search(text[-_LONGEST - 2 :])
    if found is None:
        return None
    return max(0, len(text) - _LONGEST - 2) + found.start(), found[1]


class PersonaMention(QObject):
    """Shows a picker above `frame`, which holds `field`, while there is something to offer."""

    chosen = Signal(str)
    """A short name. The `@` and what was typed behind it are gone from the field."""

    def __init__(
        self, theme: Theme, icons: PersonaIcons, personas: PersonaList, field: QPlainTextEdit, frame: QWidget
    ) -> None:
        super().__init__(frame)
        self._theme, self._icons, self._personas, self._field, self._frame = theme, icons, personas, field, frame
        self._picker: PersonaPicker | None = None
        self._waved_off = -1
        """Where an `@` stands that means nobody."""
        field.installEventFilter(self)
        field.textChanged.connect(self._look)
        field.cursorPositionChanged.connect(self._look)
        personas.changed.connect(self._look)

    @property
    def picker(self) -> PersonaPicker | None:
        """What is on show, or None."""
        return self._picker if self._picker is not None and not self._picker.isHidden() else None

    def _look(self) -> None:
        mention = self._mention()
        if mention is None:
            self._waved_off = -1
        if mention is None or mention[0] == self._waved_off or not self._field.hasFocus():
            self._hide()
            return
        picker = self._made()
        picker.set_personas(self._personas.by_use(), mention[1])
        if picker.count:
            self._place(picker)
        else:
            self._hide()

    def _mention(self) -> tuple[int, str] | None:
        cursor = self._field.textCursor()
        if cursor.hasSelection():
            return None
        block = cursor.block()
        found = mention_before(block.text()[: cursor.positionInBlock()])
        return None if found is None else (block.position() + found[0], found[1])

    def _made(self) -> PersonaPicker:
        if self._picker is None:
            self._picker = PersonaPicker(self._theme, self._icons, self._frame.window())
            self._picker.chosen.connect(self._on_chosen)
        return self._picker

    def _place(self, picker: PersonaPicker) -> None:
        corner = self._frame.mapTo(self._frame.window(), QPoint(0, 0))
        picker.resize(min(picker.sizeHint().width(), self._frame.width()), picker.sizeHint().height())
        picker.move(corner.x(), max(0, corner.y() - picker.height() - self._theme.space(1)))
        picker.show()
        picker.raise_()

    def _hide(self) -> None:
        if self._picker is not None:
            self._picker.hide()

    def _on_chosen(self, short_name: str) -> None:
        mention = self._mention()
        self._hide()
        if mention is not None:
            cursor = self._field.textCursor()
            cursor.setPosition(mention[0], cursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
        self._field.setFocus()
        self.chosen.emit(short_name)

    def _on_key(self, picker: PersonaPicker, event: QKeyEvent) -> bool:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        match event.key():
            case Qt.Key.Key_Down:
                picker.step(1)
            case Qt.Key.Key_Up:
                picker.step(-1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Tab:
                picker.choose_current()
            case Qt.Key.Key_Escape:
                mention = self._mention()
                self._waved_off = mention[0] if mention is not None else -1
                self._hide()
            case _:
                return False
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (picker := self.picker) is not None and watched is self._field:
            if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
                if event.key() == Qt.Key.Key_Escape:  # which stops an answer otherwise
                    event.accept()
                    return True
            elif event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._on_key(picker, event)
            elif isinstance(event, QFocusEvent) and event.lostFocus():
                self._hide()
        return super().eventFilter(watched, event)
