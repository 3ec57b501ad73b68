"""The row of actions below a message. Tells which one was chosen; does nothing itself."""

from __future__ import annotations

from collections.abc import Collection
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
    READ_ALOUD = "read_aloud"
    CONTINUE = "continue"
    BRANCH = "branch"
    PIN = "pin"
    DELETE = "delete"
    PREVIOUS = "previous"
    NEXT = "next"


ALL_ACTIONS = frozenset(Action)


def actions_of(
    message: StoredMessage, *, ended_early: bool = False, allowed: Collection[Action] = ALL_ACTIONS
) -> list[Action]:
    """Those of the `allowed` actions that make sense for a message, in order."""
    if message.state is MessageState.STREAMING:
        return [Action.COPY]
    chosen = [Action.COPY, Action.EDIT]
    if message.role is Role.ASSISTANT:
        chosen.append(Action.REGENERATE)
        if message.text.strip():
            chosen.append(Action.READ_ALOUD)
        if ended_early or message.state in (MessageState.STOPPED, MessageState.INTERRUPTED):
            chosen.append(Action.CONTINUE)
    return [each for each in (*chosen, Action.BRANCH, Action.PIN, Action.DELETE) if each in allowed]


def action_label(action: Action, message: StoredMessage, *, is_read: bool = False) -> str:
    """What an action is called; `is_read`: the message is being read aloud."""
    labels = {
        Action.COPY: tr("Copy"),
        Action.COPY_PLAIN: tr("Copy as plain text"),
        Action.EDIT: tr("Edit"),
        Action.REGENERATE: tr("Answer again"),
        Action.READ_ALOUD: tr("Stop reading") if is_read else tr("Read aloud"),
        Action.CONTINUE: tr("Continue writing"),
        Action.BRANCH: tr("New conversation from here"),
        Action.PIN: tr("Unpin") if message.pinned else tr("Pin: always keep in the model's view"),
        Action.DELETE: tr("Delete"),
        Action.PREVIOUS: tr("Previous version"),
        Action.NEXT: tr("Next version"),
    }
    return labels[action]


def action_icon(action: Action, message: StoredMessage, *, is_read: bool = False) -> str:
    icons = {
        Action.COPY: "copy",
        Action.COPY_PLAIN: "copy",
        Action.EDIT: "pencil",
        Action.REGENERATE: "refresh-cw",
        Action.READ_ALOUD: "circle-stop" if is_read else "volume-2",
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

    def __init__(
        self,
        theme: Theme,
        message: StoredMessage,
        *,
        ended_early: bool,
        parent: QWidget,
        allowed: Collection[Action] = ALL_ACTIONS,
    ) -> None:
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
        for action in actions_of(message, ended_early=ended_early, allowed=allowed):
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

    def show_read(self, is_read: bool) -> None:
        """Whether the message is being read aloud."""
        if (button := self.buttons.get(Action.READ_ALOUD)) is not None:
            button.set_icon(
                action_icon(Action.READ_ALOUD, self._message, is_read=is_read),
                color="accent" if is_read else "text_muted",
            )
            button.set_label(action_label(Action.READ_ALOUD, self._message, is_read=is_read))

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
