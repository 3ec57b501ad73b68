"""A quiet line over the messages that stays as long as what it says holds, with one action at most.

Knows nothing of what it is about. For what goes by itself there is `app.ui.toast`.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.icons import IconButton, tinted_pixmap
from app.ui.theme import Theme
from app.ui.toast import announce


class Banner(QWidget):
    """Hidden until `show_text`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._run: Callable[[], object] | None = None
        frame = QFrame()
        frame.setProperty("kind", "banner")
        self._mark = QLabel()
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = QPushButton()
        self.button.clicked.connect(self._on_clicked)
        self.close_button = IconButton(theme, "x", tr("Hide this notice"), size=16)
        self.close_button.clicked.connect(self.hide)
        self._row = QHBoxLayout(frame)
        self._row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        self._row.addWidget(self.label, 1)
        self._row.addWidget(self.button)
        self._row.addWidget(self.close_button)
        self._column = QVBoxLayout(self)
        self._column.addWidget(frame)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def show_text(
        self, text: str, *, action: str = "", run: Callable[[], object] | None = None, closable: bool = True
    ) -> None:
        """Say `text`, with a button `action` that runs `run`; "" hides the banner."""
        self._run = run
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self.close_button.setVisible(closable)
        if text and (text != self.label.text() or self.isHidden()):
            announce(self, text)
        self.label.setText(text)
        self.setVisible(bool(text))

    def _on_clicked(self) -> None:
        if self._run is not None:
            self._run()

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._mark.setPixmap(tinted_pixmap(self._theme, "triangle-alert", color="warning", size=space(4.5)))
        self._column.setContentsMargins(space(5), space(1), space(5), space(2))
        self._row.setContentsMargins(space(4), space(2), space(2.5), space(2))
        self._row.setSpacing(space(3))
