"""Keyed knowledge of a persona in its form: entries at the left, the chosen one's words and text at the right.

An entry joins the prompt while one of its words is talked of. What a foreign format says of it beyond that stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.limits import PERSONA_KEYED_ENTRIES, PERSONA_LIST_ITEMS
from app.personas.persona import KeyedEntry
from app.ui.persona_form_pieces import Labelled, caption, text_field
from app.ui.theme import Theme


class KeyedField(QWidget):
    """Feed it a persona's entries; `entries` gives them as they stand here."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._entries: list[KeyedEntry] = []
        self._showing = False
        self.list = QListWidget(self)
        self.list.setAccessibleName(tr("Entries"))
        self.list.setProperty("kind", "field")
        self.add_button = QPushButton(tr("Add an entry"), self)
        self.remove_button = QPushButton(tr("Remove"), self)
        self.remove_button.setProperty("kind", "quiet")
        for button in (self.add_button, self.remove_button):
            button.setAutoDefault(False)
        self.words = text_field(theme, tr("Words"), tr("One word or phrase a line"), height=17)
        self.text = text_field(theme, tr("What the model is told then"), height=27)
        self.enabled = QCheckBox(tr("In use"))
        self.constant = QCheckBox(tr("Always, whatever is talked of"))
        self._lay_out()
        self.list.currentRowChanged.connect(self._on_row)
        self.add_button.clicked.connect(self._on_add)
        self.remove_button.clicked.connect(self._on_remove)
        for field in (self.words, self.text):
            field.textChanged.connect(self._on_edited)
        for box in (self.enabled, self.constant):
            box.toggled.connect(self._on_edited)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._show_entry()

    @property
    def entries(self) -> tuple[KeyedEntry, ...]:
        """Those that say something."""
        return tuple(each for each in self._entries if each.text.strip() or each.keys)

    def show_entries(self, entries: Iterable[KeyedEntry]) -> None:
        """Show these; says nothing."""
        self._entries = list(entries)
        self.list.blockSignals(True)
        self.list.clear()
        for each in self._entries:
            self.list.addItem(_label(each))
        self.list.setCurrentRow(0 if self._entries else -1)
        self.list.blockSignals(False)
        self._show_entry()

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.add_button)
        self._buttons.addWidget(self.remove_button)
        self._buttons.addStretch(1)
        left.addLayout(self._buttons)
        self._right = QVBoxLayout()
        self._right.addLayout(Labelled(self._theme, tr("Words"), self.words))
        self._right.addLayout(Labelled(self._theme, tr("What the model is told then"), self.text))
        self._right.addWidget(self.constant)
        self._right.addWidget(self.enabled)
        self._row = QHBoxLayout()
        self._row.addLayout(left, 2)
        self._row.addLayout(self._right, 3)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(
            caption(tr("Knowledge that the model gets when one of its words is talked of, such as names and places."))
        )
        self._column.addLayout(self._row)

    def _show_entry(self) -> None:
        row = self.list.currentRow()
        entry = self._entries[row] if 0 <= row < len(self._entries) else None
        self._showing = True
        _put(self.words, "\n".join(entry.keys) if entry is not None else "")
        _put(self.text, entry.text if entry is not None else "")
        self.enabled.setChecked(entry is not None and entry.enabled)
        self.constant.setChecked(entry is not None and entry.constant)
        self._showing = False
        for widget in (self.words, self.text, self.enabled, self.constant, self.remove_button):
            widget.setEnabled(entry is not None)

    def _on_row(self, _row: int) -> None:
        self._show_entry()

    def _on_add(self) -> None:
        if len(self._entries) >= PERSONA_KEYED_ENTRIES:
            return
        self._entries.append(KeyedEntry((), ""))
        self.list.addItem(_label(self._entries[-1]))
        self.list.setCurrentRow(len(self._entries) - 1)
        self.words.setFocus()
        self.changed.emit()

    def _on_remove(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._entries):
            del self._entries[row]
            self.list.blockSignals(True)
            self.list.takeItem(row)
            self.list.setCurrentRow(min(row, len(self._entries) - 1))
            self.list.blockSignals(False)
            self._show_entry()
            (self.list if self._entries else self.add_button).setFocus()
            self.changed.emit()

    def _on_edited(self) -> None:
        row = self.list.currentRow()
        if self._showing or not 0 <= row < len(self._entries):
            return
        keys = tuple(each.strip() for each in self.words.toPlainText().split("\n") if each.strip())
        entry = self._entries[row] = replace(
            self._entries[row],
            keys=keys[:PERSONA_LIST_ITEMS],
            text=self.text.toPlainText(),
            enabled=self.enabled.isChecked(),
            constant=self.constant.isChecked(),
        )
        item: QListWidgetItem = self.list.item(row)
        item.setText(_label(entry))
        self.changed.emit()

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setSpacing(space(2))
        self._row.setSpacing(space(3))
        self._right.setSpacing(space(2))
        self._buttons.setSpacing(space(1))
        self.list.setStyleSheet(
            f"QListWidget {{ border: 1px solid {self._theme.colors.border}; border-radius: {space(2)}px; }}"
            f"QListWidget:focus {{ border-color: {self._theme.colors.focus}; }}"
        )
        self.list.setMinimumHeight(space(30))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


def _label(entry: KeyedEntry) -> str:
    return entry.name or ", ".join(entry.keys) or " ".join(entry.text.split())[:60] or tr("New entry")


def _put(field: QPlainTextEdit, text: str) -> None:
    if field.toPlainText() != text:
        field.setPlainText(text)
