"""The row of actions below a message. Tells which one was chosen; does nothing itself."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.i18n import tr
from app.store.types import MessageState, StoredMessage
from app.ui.icons import IconButton
from app.ui.message_usage import dropped_text, usage_text
from app.ui.theme import Theme
from engine.context.segments import Role


class Action(Enum):
    """What can be done with a message."""

    COPY = "copy"
    COPY_PLAIN = "copy_plain"
    EDIT = "edit"
    REGENERATE = "regenerate"
    CONTINUE = "continue"
    BRANCH = "branch"
    PIN = "pin"
    DELETE = "delete"
    PREVIOUS = "previous"
    NEXT = "next"


def actions_of(message: StoredMessage, *, ended_early: bool = False) -> list[Action]:
    """The actions that make sense for a message, in order."""
    if message.state is MessageState.STREAMING:
        return [Action.COPY]
    chosen = [Action.COPY, Action.EDIT]
    if message.role is Role.ASSISTANT:
        chosen.append(Action.REGENERATE)
        if ended_early or message.state in (MessageState.STOPPED, MessageState.INTERRUPTED):
            chosen.append(Action.CONTINUE)
    return [*chosen, Action.BRANCH, Action.PIN, Action.DELETE]


def action_label(action: Action, message: StoredMessage) -> str:
    """What an action is called."""
    labels = {
        Action.COPY: tr("Copy"),
        Action.COPY_PLAIN: tr("Copy as plain text"),
        Action.EDIT: tr("Edit"),
        Action.REGENERATE: tr("Answer again"),
        Action.CONTINUE: tr("Continue writing"),
        Action.BRANCH: tr("New conversation from here"),
        Action.PIN: tr("Unpin") if message.pinned else tr("Pin: always keep in the model's view"),
        Action.DELETE: tr("Delete"),
        Action.PREVIOUS: tr("Previous version"),
        Action.NEXT: tr("Next version"),
    }
    return labels[action]


def action_icon(action: Action, message: StoredMessage) -> str:
    icons = {
        Action.COPY: "copy",
        Action.COPY_PLAIN: "copy",
        Action.EDIT: "pencil",
        Action.REGENERATE: "refresh-cw",
        Action.CONTINUE: "play",
        Action.BRANCH: "git-branch",
        Action.PIN: "pin-off" if message.pinned else "pin",
        Action.DELETE: "trash-2",
        Action.PREVIOUS: "chevron-left",
        Action.NEXT: "chevron-right",
    }
    return icons[action]


class ActionRow(QWidget):
    """Buttons, the `< 2/3 >` switch, and what the answer cost. Left and Right go between the buttons, Escape back."""

    chosen = Signal(object)
    """An `Action`."""
    left = Signal()

    def __init__(self, theme: Theme, message: StoredMessage, *, ended_early: bool, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._theme, self._message = theme, message
        self.buttons: dict[Action, IconButton] = {}
        own = message.role is Role.USER
        if own:
            row.addStretch(1)
        if message.siblings > 1:
            self._add(Action.PREVIOUS).setEnabled(message.position > 1)
            count = QLabel(f"{message.position}/{message.siblings}", self)
            count.setProperty("kind", "caption")
            count.setAccessibleName(
                tr("Version {position} of {count}", position=message.position, count=message.siblings)
            )
            row.addWidget(count)
            self._add(Action.NEXT).setEnabled(message.position < message.siblings)
        for action in actions_of(message, ended_early=ended_early):
            self._add(action)
        if not own:
            row.addStretch(1)
        words = [usage_text(message.usage), dropped_text(message.usage.dropped)] if message.usage else []
        if words:
            usage = QLabel(" · ".join(word for word in words if word), self)
            usage.setProperty("kind", "caption")
            row.addWidget(usage)

    def confirm_copy(self) -> None:
        """Show that something was copied."""
        self.buttons[Action.COPY].set_icon("check")

    def _add(self, action: Action) -> IconButton:
        button = IconButton(
            self._theme, action_icon(action, self._message), action_label(action, self._message), size=15, parent=self
        )
        button.clicked.connect(lambda: self.chosen.emit(action))
        self.buttons[action] = button
        layout = self.layout()
        assert layout is not None
        layout.addWidget(button)
        return button

    def focus_first(self) -> None:
        for button in self.buttons.values():
            if button.isEnabled():
                button.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        buttons = [button for button in self.buttons.values() if button.isEnabled()]
        focused = next((index for index, button in enumerate(buttons) if button.hasFocus()), None)
        if event.key() in steps and focused is not None:
            buttons[(focused + steps[Qt.Key(event.key())]) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            event.ignore()
