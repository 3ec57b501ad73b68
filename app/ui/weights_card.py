"""What is shown in place of a view that needs weights first: what has to be fetched, and how far that is.

Fetches at a click, can be paused and gone on with; follows a download that began elsewhere, too. Knows no voice.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.ui.amounts import bytes_text
from app.ui.download_row import DownloadRow
from app.ui.plain_label import plain_label
from app.ui.theme import Theme
from app.ui.toast import announce
from app.ui.weights_fetch import WeightsFetch

_WIDTH_UNITS = 110


class WeightsCard(QWidget):
    """One sentence and a button; while it is fetched, a bar. `title` and `about` are translated."""

    def __init__(
        self, theme: Theme, fetch: WeightsFetch, *, title: str, about: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._fetch = theme, fetch
        self._title = QLabel(title, self)
        self._title.setProperty("kind", "title")
        self._about = plain_label(about, "muted")
        self.button = QPushButton(self)
        self.button.setProperty("kind", "primary")
        self.row = DownloadRow(theme, self)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._title)
        self._column.addWidget(self._about)
        self._column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self.row)
        self.button.clicked.connect(fetch.start)
        self.row.resume_requested.connect(fetch.start)
        self.row.cancel_requested.connect(fetch.pause)
        fetch.progressed.connect(self.refresh)
        fetch.paused.connect(self.row.show_paused)
        fetch.failed.connect(self._on_failed)
        fetch.fetched.connect(self.refresh)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.refresh()

    def refresh(self) -> None:
        """Look again how much is missing, and how far the download is."""
        self.button.setText(tr("Fetch {size}", size=bytes_text(self._fetch.missing_bytes)))
        self.button.setVisible(not self._fetch.is_running)
        self.row.setVisible(self._fetch.is_running)
        if self._fetch.progress is not None:
            self.row.show_progress(self._fetch.progress)

    def _on_failed(self, text: str) -> None:
        self.row.show_failed(text)
        announce(self, text)

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self.setFixedWidth(space(_WIDTH_UNITS))
        self._column.setSpacing(space(3))
