"""The foot of the editor of a persona: how things stand, and the buttons that save, begin a chat, and go back."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.i18n import tr
from app.ui.style import set_kind
from app.ui.theme import Theme


class EditorFoot(QWidget):
    """Its maker connects the buttons."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.state = QLabel(self)
        self.state.setProperty("kind", "caption")
        self.versions_button = QPushButton(tr("Versions…"), self)
        self.discard_button = QPushButton(tr("Discard the changes"), self)
        self.discard_button.setProperty("kind", "quiet")
        self.chat_button = QPushButton(tr("Save and chat"), self)
        self.save_button = QPushButton(tr("Save"), self)
        self.save_button.setProperty("kind", "primary")
        self._row = QHBoxLayout(self)
        for button in (self.versions_button, self.discard_button, self.chat_button, self.save_button):
            button.setAutoDefault(False)
        self._row.addWidget(self.versions_button)
        self._row.addWidget(self.discard_button)
        self._row.addStretch(1)
        for widget in (self.state, self.chat_button, self.save_button):
            self._row.addWidget(widget)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_state(self, *, saved: int, changed: bool, kept: bool, saving: bool, busy: bool) -> None:
        """`saved` is the number of the saved version, 0 for a persona that is new; `kept`: the draft is on the disk.

        `busy`: something is under way that saving waits for.
        """
        if saving:
            words = tr("Saving…")
        elif changed:
            words = tr("Not saved yet; kept as a draft") if kept else tr("Not saved yet")
        else:
            words = tr("Version {number} is saved", number=saved) if saved else ""
        self.state.setText(words)
        self.save_button.setEnabled(changed and not busy)
        self.chat_button.setEnabled(not busy and (changed or bool(saved)))
        self.chat_button.setText(tr("Save and chat") if changed else tr("Chat"))
        set_kind(self.chat_button, "" if changed else "primary")
        self.discard_button.setVisible(changed and bool(saved))
        self.versions_button.setVisible(bool(saved))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._row.setContentsMargins(space(5), space(3), space(5), space(3))
        self._row.setSpacing(space(2))
