"""One download as a person follows it: bar, size, speed, time left, cancel; or what went wrong and "Try again".

Fetches nothing; it is told, and says what was asked.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.downloader.order import Progress, Stage
from app.i18n import tr
from app.ui.amounts import progress_text
from app.ui.theme import Theme

_STEPS = 1000


class DownloadRow(QWidget):
    """Shows `Progress`, a failure, or that it was paused. What has come stays on disk, so going on is cheap."""

    cancel_requested = Signal()
    resume_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bar = QProgressBar(self)
        self._bar.setRange(0, _STEPS)
        self._bar.setAccessibleName(tr("Download"))
        self._text = QLabel(self)
        self._text.setProperty("kind", "caption")
        self._text.setWordWrap(True)
        self._cancel = QPushButton(tr("Pause"), self)
        self._resume = QPushButton(tr("Go on"), self)
        for button in (self._cancel, self._resume):
            button.setProperty("kind", "quiet")
        self._cancel.clicked.connect(self.cancel_requested)
        self._resume.clicked.connect(self.resume_requested)
        self._line = QHBoxLayout()
        self._line.addWidget(self._text, 1)
        self._line.addWidget(self._cancel)
        self._line.addWidget(self._resume)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._bar)
        self._column.addLayout(self._line)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_progress(self, progress: Progress) -> None:
        self._bar.setVisible(True)
        # An endless bar while nothing can be measured.
        self._bar.setRange(0, 0 if progress.stage is Stage.CONNECTING and not progress.received_bytes else _STEPS)
        self._bar.setValue(round(_STEPS * progress.fraction))
        self._say(progress_text(progress), danger=False)
        self._cancel.setVisible(progress.stage is not Stage.CHECKING)
        self._resume.setVisible(False)

    def show_paused(self) -> None:
        """The person stopped it; it can go on where it was."""
        self._bar.setRange(0, _STEPS)
        self._say(tr("Paused. What has come is kept."), danger=False)
        self._offer_resume(tr("Go on"))

    def show_failed(self, message: str) -> None:
        """It ended; `message` is the sentence that says why."""
        self._bar.setVisible(False)
        self._say(message, danger=True)
        self._offer_resume(tr("Try again"))

    def _offer_resume(self, label: str) -> None:
        self._resume.setText(label)
        self._resume.setVisible(True)
        if self._cancel.hasFocus():
            self._resume.setFocus()
        self._cancel.setVisible(False)

    def _say(self, text: str, *, danger: bool) -> None:
        self._text.setText(text)
        self._text.setStyleSheet(f"color: {self._theme.colors.danger};" if danger else "")

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(1.5))
        self._line.setSpacing(self._theme.space(2))
