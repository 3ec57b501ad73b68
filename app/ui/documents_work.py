"""The foot line of the documents: what is being read and learned, and the way to what could not be read."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.documents_view import work_sentence
from app.i18n import ntr, tr
from app.ui.amounts import count_text
from app.ui.documents_flow import DocumentsFlow
from app.ui.elided_label import ElidedLabel
from app.ui.theme import Theme
from engine.display_name import display_name

_STEPS = 1000


class WorkLine(QWidget):
    """Always there, so that nothing jumps when work begins."""

    failed_requested = Signal()
    """The next file that could not be read is wanted."""

    def __init__(self, theme: Theme, flow: DocumentsFlow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._flow = theme, flow
        self.label = ElidedLabel(parent=self)
        self.label.setProperty("kind", "caption")
        self.failed = QPushButton(self)
        self.failed.setProperty("kind", "link")
        self.failed.setAutoDefault(False)
        self.failed.hide()
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName(tr("Progress"))
        self.bar.setTextVisible(False)
        policy = self.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self._row = QHBoxLayout()
        self._row.addWidget(self.label, 1)
        self._row.addWidget(self.failed)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.bar)
        self._column.addLayout(self._row)
        self.failed.clicked.connect(self.failed_requested)
        flow.work_changed.connect(self._show)
        flow.files_changed.connect(self._on_files)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_files()

    def _on_files(self) -> None:
        count = self._flow.n_failed
        self.failed.setText(
            ntr(
                "{number} file could not be read",
                "{number} files could not be read",
                count,
                number=count_text(count),
            )
        )
        self.failed.setVisible(bool(count))
        self._show()

    def _show(self) -> None:
        flow = self._flow
        reading = next(iter(flow.reading.values()), None)
        position = flow.reading_position()
        name = display_name(position.path.name) if position is not None else ""
        words = work_sentence(name, reading, flow.n_waiting, flow.embedding, number=count_text)
        if flow.n_adding:
            words = " · ".join(each for each in (tr("Looking at what is there"), words) if each)
        if not words and flow.loaded and flow.n_files:
            words = tr("All is read, and stays on this computer.")
        self.label.setText(words)
        share = None
        if reading is not None and name and reading.of_pages:
            share = reading.n_pages / reading.of_pages
        elif flow.embedding is not None and flow.embedding.n_left and flow.embedding.n_all:
            share = 1 - flow.embedding.n_left / flow.embedding.n_all
        self.bar.setVisible(share is not None)
        if share is not None:
            self.bar.setRange(0, _STEPS)
            self.bar.setValue(round(_STEPS * min(1.0, share)))

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setContentsMargins(space(4), space(1), space(4), space(2.5))
        self._column.setSpacing(space(1.5))
        self._row.setSpacing(space(3))
