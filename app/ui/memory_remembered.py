"""The other conversations that the engine still knows: a line each, with a way to let it forget them.

Shows what it is given; asks for nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.memory_view import Remembered
from app.ui.amounts import bytes_text
from app.ui.elided_label import ElidedLabel
from app.ui.icons import IconButton
from app.ui.memory_words import tokens_text
from app.ui.theme import Theme

AT_FIRST = 6
"""So many lines before one asks for all."""


class RememberedList(QWidget):
    """Hidden while there is nothing to show."""

    forget_requested = Signal(str)
    """The key of a `Remembered`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[Sequence[Remembered], list[str], bool] | None = None
        self._all = False
        self._disk_bytes = 0
        title = QLabel(tr("Also remembered"))
        title.setProperty("kind", "large")
        about = QLabel(tr("Other chats that the model can go on with without reading them again."))
        about.setProperty("kind", "caption")
        about.setWordWrap(True)
        self._rows = QVBoxLayout()
        self._disk = QLabel()
        self._disk.setProperty("kind", "caption")
        self.more = QPushButton()
        self.more.setProperty("kind", "link")
        self.more.clicked.connect(self._on_more)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for widget in (title, about):
            self._column.addWidget(widget)
        self._column.addLayout(self._rows)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self._disk)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_entries((), lambda _key: "")

    def show_entries(self, entries: Sequence[Remembered], title_of: Callable[[str], str], disk_bytes: int = 0) -> None:
        """Show these. `title_of` gives a conversation's title, "" for one that is gone."""
        titles = [title_of(entry.key) or tr("A chat that is gone") for entry in entries]
        self._disk_bytes = disk_bytes
        self._disk.setText(tr("{size} on the disk", size=bytes_text(disk_bytes)))
        self._disk.setVisible(disk_bytes > 0)
        self.setVisible(bool(entries))
        if self._shown == (entries, titles, self._all):
            return
        self._shown = (entries, titles, self._all)
        had_focus = self.isAncestorOf(focus) if (focus := QApplication.focusWidget()) is not None else False
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.setParent(None)
                widget.deleteLater()
        count = len(entries) if self._all else AT_FIRST
        for entry, title in list(zip(entries, titles, strict=True))[:count]:
            self._rows.addWidget(self._row(entry, title))
        self.more.setText(tr("Show all {count}", count=len(entries)))
        self.more.setVisible(len(entries) > count)
        if had_focus and (first := self.findChild(IconButton)) is not None:
            first.setFocus()

    def _row(self, entry: Remembered, title: str) -> QWidget:
        row = QWidget()
        name = ElidedLabel()
        name.setText(title)
        place = tr("in memory and on disk") if entry.on_disk else tr("in memory")
        if not entry.in_memory:
            place = tr("on disk")
        detail = QLabel(f"{tokens_text(entry.tokens)} · {place}")
        detail.setProperty("kind", "caption")
        forget = IconButton(self._theme, "x", tr("Forget"), size=14)
        forget.setAccessibleName(tr("Forget {title}", title=title))
        forget.clicked.connect(lambda: self.forget_requested.emit(entry.key))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(detail)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addLayout(words, 1)
        line.addWidget(forget)
        return row

    def _on_more(self) -> None:
        self._all = True
        if self._shown is not None:
            entries, titles, _ = self._shown
            keys = dict(zip((entry.key for entry in entries), titles, strict=True))
            self.show_entries(entries, lambda key: keys[key], self._disk_bytes)

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(2))
        self._rows.setSpacing(self._theme.space(1.5))
