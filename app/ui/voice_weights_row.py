"""A line of the voice settings that says whether the models that hear, or a voice, are here, and fetches them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.amounts import bytes_text
from app.ui.dialogs import line
from app.ui.download_row import DownloadRow
from app.ui.theme import Theme
from app.ui.weights_fetch import WeightsFetch


@dataclass(frozen=True, slots=True)
class WeightsWords:
    """What is said of a bundle: its title, and a sentence while it is not on this computer and one while it is."""

    title: str
    missing: str
    here: str


class VoiceWeightsRow(QWidget):
    """Follows a download that began elsewhere, too."""

    changed = Signal(bool)
    """Whether they are all here."""

    def __init__(self, theme: Theme, fetch: WeightsFetch, words: WeightsWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fetch, self._words = fetch, words
        space = theme.space
        self.about = QLabel()
        self.about.setProperty("kind", "caption")
        self.about.setWordWrap(True)
        self.fetch_button = QPushButton()
        self.fetch_button.setAutoDefault(False)
        self.download = DownloadRow(theme)
        title = QLabel(words.title)
        title.setBuddy(self.fetch_button)
        lines = QVBoxLayout()
        lines.setSpacing(space(0.5))
        lines.addWidget(title)
        lines.addWidget(self.about)
        row = QHBoxLayout()
        row.setSpacing(space(3))
        row.addLayout(lines, 1)
        row.addWidget(self.fetch_button, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, space(3), 0, 0)
        column.setSpacing(space(2))
        column.addLayout(row)
        column.addWidget(self.download)
        column.addSpacing(space(1))
        column.addWidget(line())
        self.fetch_button.clicked.connect(fetch.start)
        self.download.cancel_requested.connect(fetch.pause)
        self.download.resume_requested.connect(fetch.start)
        fetch.progressed.connect(self.refresh)
        fetch.paused.connect(self.download.show_paused)
        fetch.failed.connect(self.download.show_failed)
        fetch.fetched.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Look at the disk."""
        fetch = self._fetch
        missing = fetch.missing_bytes
        self.about.setText(self._words.missing if missing else self._words.here)
        self.fetch_button.setText(tr("Fetch ({size})", size=bytes_text(missing)))
        self.fetch_button.setVisible(bool(missing) and not fetch.is_running)
        self.download.setVisible(bool(missing) and fetch.is_running)
        if fetch.progress is not None:
            self.download.show_progress(fetch.progress)
        self.changed.emit(not missing)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
