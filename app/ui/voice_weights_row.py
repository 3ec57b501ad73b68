"""The line of the voice settings that says whether the models that hear are here, and fetches them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.amounts import bytes_text
from app.ui.dialogs import line
from app.ui.download_row import DownloadRow
from app.ui.theme import Theme
from app.ui.weights_fetch import WeightsFetch


class VoiceWeightsRow(QWidget):
    """Follows a download that began elsewhere, too."""

    changed = Signal(bool)
    """Whether they are all here."""

    def __init__(self, theme: Theme, fetch: WeightsFetch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fetch = fetch
        space = theme.space
        self.about = QLabel()
        self.about.setProperty("kind", "caption")
        self.about.setWordWrap(True)
        self.fetch_button = QPushButton()
        self.fetch_button.setAutoDefault(False)
        self.download = DownloadRow(theme)
        title = QLabel(tr("Models that hear"))
        title.setBuddy(self.fetch_button)
        words = QVBoxLayout()
        words.setSpacing(space(0.5))
        words.addWidget(title)
        words.addWidget(self.about)
        row = QHBoxLayout()
        row.setSpacing(space(3))
        row.addLayout(words, 1)
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
        missing, name = fetch.missing_bytes, fetch.bundle.name
        if missing:
            words = tr("{name}. Needed for dictation and conversation; not on this computer yet.", name=name)
        else:
            words = tr("{name}. On this computer; nothing that is said leaves it.", name=name)
        self.about.setText(words)
        self.fetch_button.setText(tr("Fetch ({size})", size=bytes_text(missing)))
        self.fetch_button.setVisible(bool(missing) and not fetch.is_running)
        self.download.setVisible(bool(missing) and fetch.is_running)
        if fetch.progress is not None:
            self.download.show_progress(fetch.progress)
        self.changed.emit(not missing)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
