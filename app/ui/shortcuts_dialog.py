"""All keys in one list: find, change, take away, put back. Writes through `Commands` alone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.commands import Command, Commands
from app.ui.dialogs import CalmDialog
from app.ui.icons import IconButton
from app.ui.style import set_kind
from app.ui.theme import Theme

_MODIFIER_KEYS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


class KeyButton(QPushButton):
    """Shows keys; once clicked, the next keys pressed are the new ones. Esc leaves them as they are."""

    pressed_keys = Signal(QKeySequence)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text
        self.setCheckable(True)
        self.toggled.connect(self._on_toggled)

    def show_keys(self, text: str) -> None:
        self._text = text
        self.setText(text)

    def _on_toggled(self, listening: bool) -> None:
        self.setText(tr("Press keys…") if listening else self._text)

    def event(self, event: QEvent) -> bool:
        if self.isChecked() and event.type() is QEvent.Type.ShortcutOverride:
            # Keys that mean something elsewhere are only keys here.
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.isChecked():
            super().keyPressEvent(event)
            return
        if event.key() in _MODIFIER_KEYS:
            return
        self.setChecked(False)
        if event.key() != Qt.Key.Key_Escape or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            self.pressed_keys.emit(QKeySequence(event.keyCombination()))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.setChecked(False)
        super().focusOutEvent(event)


class ShortcutRow(QWidget):
    """One command and its keys."""

    def __init__(self, theme: Theme, commands: Commands, command: Command, note: QLabel) -> None:
        super().__init__()
        self.command = command
        self._commands, self._note = commands, note
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.space(0.5), theme.space(2), theme.space(0.5))
        row.setSpacing(theme.space(1))
        row.addWidget(QLabel(command.title), 1)
        self.keys = KeyButton("")
        self.keys.setMinimumWidth(theme.space(36))
        self.clear = IconButton(theme, "x", tr("Take the keys away"), size=16)
        self.reset = IconButton(theme, "rotate-ccw", tr("Back to the default keys"), size=16)
        for widget in (self.keys, self.clear, self.reset):
            row.addWidget(widget)
        for button in (self.clear, self.reset):
            # Their room stays when they hide, so that the columns stand still.
            policy = button.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            button.setSizePolicy(policy)
        self.keys.pressed_keys.connect(self._on_pressed_keys)
        self.clear.clicked.connect(lambda: commands.rebind(command.id, None))
        self.reset.clicked.connect(lambda: commands.reset(command.id))
        commands.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        keys = self._commands.keys_text(self.command.id)
        self.keys.show_keys(keys or tr("None"))
        set_kind(self.keys, "" if keys else "quiet")
        self.keys.setAccessibleName(tr("Keys of “{title}”: {keys}", title=self.command.title, keys=keys or tr("None")))
        self.clear.setVisible(bool(keys))
        self.reset.setVisible(self._commands.is_custom(self.command.id))

    def matches(self, words: str) -> bool:
        haystack = f"{self.command.title} {self._commands.keys_text(self.command.id)}".casefold()
        return all(word in haystack for word in words.casefold().split())

    def _on_pressed_keys(self, sequence: QKeySequence) -> None:
        other = self._commands.conflict(self.command.id, sequence)
        if other is not None:
            self._note.show()
            self._note.setText(
                tr(
                    "{keys} already means “{title}”. Take the keys away there first.",
                    keys=sequence.toString(QKeySequence.SequenceFormat.NativeText),
                    title=other.title,
                )
            )
            return
        self._note.hide()
        self._commands.rebind(self.command.id, sequence)


class ShortcutsDialog(CalmDialog):
    """The list of shortcuts by menu."""

    def __init__(self, theme: Theme, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, tr("Keyboard shortcuts"), icon="keyboard")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(theme.space(150), theme.space(165))
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find a command or keys"))
        self.search.setAccessibleName(tr("Find a command or keys"))
        self.body.addWidget(self.search)
        self.note = QLabel()
        self.note.setProperty("kind", "warning")
        self.note.setWordWrap(True)
        self.note.hide()
        content = QWidget()
        content.setProperty("kind", "plain")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.rows: list[ShortcutRow] = []
        self._sections: dict[str, QLabel] = {}
        for command in commands.all():
            if command.menu not in self._sections:
                title = QLabel(command.menu)
                title.setProperty("kind", "caption")
                title.setContentsMargins(0, theme.space(3), 0, theme.space(1))
                self._sections[command.menu] = title
                column.addWidget(title)
            row = ShortcutRow(theme, commands, command, self.note)
            self.rows.append(row)
            column.addWidget(row)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(content)
        self.body.addWidget(area, 1)
        self.body.addWidget(self.note)
        everything = self.add_button(tr("Reset all"))
        everything.clicked.connect(commands.reset_all)
        self.add_button(tr("Close"), kind="primary").clicked.connect(self.accept)
        self.search.textChanged.connect(self._on_search_changed)
        self.search.setFocus()

    def _on_search_changed(self, words: str) -> None:
        shown = set()
        for row in self.rows:
            visible = row.matches(words)
            row.setVisible(visible)
            if visible:
                shown.add(row.command.menu)
        for menu, title in self._sections.items():
            title.setVisible(menu in shown)
