"""The head of a page's preview: what is shown, and the buttons to turn, enlarge and see the text. Changes nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.elided_label import ElidedLabel
from app.ui.icons import IconButton
from app.ui.theme import Theme


class PreviewHead(QWidget):
    """Its keys work in the whole dialog."""

    turn_requested = Signal(int)
    """1: the next page; -1: the one before."""
    zoom_requested = Signal(int)
    """1: larger; -1: smaller; 0: as wide as the window."""
    text_toggled = Signal(bool)
    """Whether the text is wanted in place of the picture."""

    def __init__(self, theme: Theme, name: str, dialog: QDialog) -> None:
        super().__init__(dialog)
        space = theme.space
        self.name = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self.name.setText(name)
        self.name.setProperty("kind", "large")
        self.where = ElidedLabel(parent=self)
        self.where.setProperty("kind", "caption")
        self.text_button = QPushButton(tr("Text"), self)
        self.text_button.setCheckable(True)
        self.text_button.setAutoDefault(False)
        self.text_button.setProperty("kind", "quiet")
        self.text_button.setToolTip(tr("Show the text that was read from this page") + f"  {_keys('Ctrl+T')}")
        self.smaller = IconButton(theme, "zoom-out", tr("Smaller"))
        self.larger = IconButton(theme, "zoom-in", tr("Larger"))
        self.previous = IconButton(theme, "chevron-left", tr("Previous page"))
        self.next = IconButton(theme, "chevron-right", tr("Next page"))
        words = QVBoxLayout()
        words.setSpacing(space(0.5))
        words.addWidget(self.name)
        words.addWidget(self.where)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space(1))
        row.addLayout(words, 1)
        for button in (self.text_button, self.smaller, self.larger, self.previous, self.next):
            row.addWidget(button)
        self._connect(dialog)

    def show_buttons(self, *, previous: bool, next_: bool, zoom: bool, text: bool) -> None:
        """What can be done now. `text`: there is a picture, and so a choice."""
        self.previous.setEnabled(previous)
        self.next.setEnabled(next_)
        for button in (self.smaller, self.larger):
            button.setVisible(zoom)
        self.text_button.setVisible(text)

    def _connect(self, dialog: QDialog) -> None:
        self.text_button.toggled.connect(self.text_toggled)
        for button, signal, step, label, keys in (
            (self.previous, self.turn_requested, -1, tr("Previous page"), ("Ctrl+PgUp",)),
            (self.next, self.turn_requested, 1, tr("Next page"), ("Ctrl+PgDown",)),
            (self.smaller, self.zoom_requested, -1, tr("Smaller"), ("Ctrl+-",)),
            (self.larger, self.zoom_requested, 1, tr("Larger"), ("Ctrl++", "Ctrl+=")),
        ):
            button.clicked.connect(lambda _checked=False, tell=signal, by=step: tell.emit(by))
            button.set_label(label, shortcut=_keys(keys[0]))
            for each in keys:
                QShortcut(QKeySequence(each), dialog).activated.connect(lambda tell=signal, by=step: tell.emit(by))
        QShortcut(QKeySequence("Ctrl+0"), dialog).activated.connect(lambda: self.zoom_requested.emit(0))
        QShortcut(QKeySequence("Ctrl+T"), dialog).activated.connect(self._on_text_keys)

    def _on_text_keys(self) -> None:
        if not self.text_button.isHidden():
            self.text_button.toggle()


def _keys(portable: str) -> str:
    return QKeySequence(portable).toString(QKeySequence.SequenceFormat.NativeText)
