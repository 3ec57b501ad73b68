"""The tags of the gallery as chips to press: only personas with all that are pressed are shown. Knows no persona."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QToolButton, QWidget

from app.i18n import tr
from app.ui.attachments_flow import FlowLayout
from app.ui.style import set_kind
from app.ui.theme import Theme

_TAGS = 8


class TagChips(QWidget):
    """The most frequent tags; hidden while there are none."""

    wanted_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Tags"))
        self._flow = FlowLayout(self, spacing=theme.space(1.5))
        self.buttons: list[QToolButton] = []
        self.wanted: set[str] = set()
        """Those that are pressed."""

    def show_tags(self, tags: tuple[str, ...]) -> None:
        """Offer the first of them, the most frequent ones first."""
        shown = tags[:_TAGS]
        if [each.text() for each in self.buttons] == list(shown):
            return
        self.wanted &= set(shown)
        for each in self.buttons:
            each.hide()
            each.deleteLater()
        self.buttons = [self._chip(tag) for tag in shown]
        self.setVisible(bool(shown))

    def _chip(self, tag: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(tag)
        button.setCheckable(True)
        button.setChecked(tag in self.wanted)
        set_kind(button, "chip")
        button.setAccessibleName(tr("Only those with the tag {tag}", tag=tag))
        button.toggled.connect(lambda on: self._on_toggled(tag, on))
        self._flow.addWidget(button)
        return button

    def _on_toggled(self, tag: str, on: bool) -> None:
        (self.wanted.add if on else self.wanted.discard)(tag)
        self.wanted_changed.emit()
