"""Hearth's own calm dialogs: a title, a sentence, the buttons that say what they do.

Knows nothing of what is asked. Every function needs a parent window, is modal to it, and returns the choice.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.icons import tinted_pixmap
from app.ui.theme import Theme


class CalmDialog(QDialog):
    """A dialog of Hearth's look: fill `body`, then `add_button` from left to right."""

    def __init__(self, theme: Theme, parent: QWidget | None, title: str, *, icon: str = "") -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        space = theme.space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space(6), space(6), space(6), space(5))
        outer.setSpacing(space(5))
        head = QHBoxLayout()
        head.setSpacing(space(3))
        if icon:
            mark = QLabel()
            mark.setPixmap(tinted_pixmap(theme, icon, color="accent", size=space(5.5)))
            head.addWidget(mark)
        self.heading = QLabel(title)
        self.heading.setProperty("kind", "title")
        head.addWidget(self.heading, 1)
        outer.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setSpacing(space(3))
        outer.addLayout(self.body, 1)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(space(2))
        self.buttons.addStretch(1)
        outer.addLayout(self.buttons)

    def add_sentence(self, text: str, *, kind: str = "muted") -> QLabel:
        """A wrapped paragraph in the body."""
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setMinimumWidth(self.theme.space(95))
        label.setProperty("kind", kind)
        self.body.addWidget(label)
        return label

    def add_button(self, text: str, *, kind: str = "", default: bool = False) -> QPushButton:
        """A button at the end of the row; connect it yourself."""
        button = QPushButton(text)
        if kind:
            button.setProperty("kind", kind)
        button.setAutoDefault(default)
        button.setDefault(default)
        self.buttons.addWidget(button)
        return button

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the keyboard, and only from elsewhere the default one."""
        focused = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)


def line(parent: QWidget | None = None) -> QFrame:
    """A hairline between two parts."""
    frame = QFrame(parent)
    frame.setProperty("kind", "line")
    return frame


def confirm(
    theme: Theme,
    parent: QWidget,
    title: str,
    text: str,
    *,
    yes: str,
    no: str | None = None,
    danger: bool = False,
    icon: str = "",
) -> bool:
    """Ask before something that cannot be taken back; True for `yes`."""
    dialog = CalmDialog(theme, parent, title, icon=icon)
    dialog.add_sentence(text)
    cancel = dialog.add_button(no if no is not None else tr("Cancel"), default=danger)
    cancel.clicked.connect(dialog.reject)
    accept = dialog.add_button(yes, kind="danger" if danger else "primary", default=not danger)
    accept.clicked.connect(dialog.accept)
    chosen = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return chosen


def tell(theme: Theme, parent: QWidget | None, title: str, text: str, *, icon: str = "info") -> None:
    """Say something that needs to be read."""
    dialog = CalmDialog(theme, parent, title, icon=icon)
    label = dialog.add_sentence(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    dialog.add_button(tr("Close"), kind="primary", default=True).clicked.connect(dialog.accept)
    dialog.exec()
    dialog.deleteLater()


def ask_text(
    theme: Theme,
    parent: QWidget,
    title: str,
    *,
    label: str = "",
    text: str = "",
    yes: str,
    placeholder: str = "",
    limit: int = 120,
    may_be_empty: bool = False,
) -> str | None:
    """Ask for a line of text; None if the person thinks better of it."""
    dialog = CalmDialog(theme, parent, title)
    if label:
        dialog.add_sentence(label)
    field = QLineEdit(text)
    field.setMaxLength(limit)
    field.setPlaceholderText(placeholder)
    field.setAccessibleName(label or title)
    field.setMinimumWidth(theme.space(95))
    field.selectAll()
    dialog.body.addWidget(field)
    dialog.add_button(tr("Cancel")).clicked.connect(dialog.reject)
    accept = dialog.add_button(yes, kind="primary", default=True)
    accept.clicked.connect(dialog.accept)
    field.textChanged.connect(lambda now: accept.setEnabled(may_be_empty or bool(now.strip())))
    accept.setEnabled(may_be_empty or bool(text.strip()))
    field.setFocus()
    chosen = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return field.text().strip() if chosen else None
