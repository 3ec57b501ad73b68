"""What the form of a persona is made of: labelled fields, lines that grow, and groups that are folded at first.

Knows no persona.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.limits import PERSONA_LIST_ITEMS
from app.ui.icons import IconButton, themed_icon
from app.ui.plain_label import plain_label
from app.ui.theme import Theme


def text_field(theme: Theme, name: str, hint: str = "", *, height: float) -> QPlainTextEdit:
    """Several lines of plain text; `height` in spacing units."""
    field = QPlainTextEdit()
    field.setProperty("kind", "field")
    field.setTabChangesFocus(True)
    field.setAccessibleName(name)
    field.setPlaceholderText(hint)

    def dress() -> None:
        field.setMinimumHeight(theme.space(height))
        field.setMaximumHeight(theme.space(height))

    theme.changed.connect(dress)
    dress()
    return field


def line_field(name: str, hint: str = "", *, most: int) -> QLineEdit:
    """One line of at most `most` characters."""
    field = QLineEdit()
    field.setMaxLength(most)
    field.setAccessibleName(name)
    field.setPlaceholderText(hint)
    return field


def caption(text: str) -> QLabel:
    """A small explanation."""
    return plain_label(text, "caption")


class Labelled(QVBoxLayout):
    """A label above a control, an explanation below it, and room at the label's right."""

    def __init__(self, theme: Theme, label: str, control: QWidget, help_text: str = "") -> None:
        super().__init__()
        self._theme = theme
        self.label = QLabel(label)
        self.label.setBuddy(control)
        self.head = QHBoxLayout()
        self.head.addWidget(self.label)
        self.head.addStretch(1)
        self.addLayout(self.head)
        self.addWidget(control)
        if help_text:
            self.addWidget(caption(help_text))
            control.setAccessibleDescription(help_text)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.setSpacing(self._theme.space(1.5))


class Fold(QWidget):
    """A heading that opens and closes what is below it: fill `inside`."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.button = QToolButton(self)
        self.button.setText(title)
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.content = QWidget(self)
        self.content.hide()
        self.inside = QVBoxLayout(self.content)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(self.content)
        self.button.toggled.connect(self._on_toggled)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def open(self) -> None:
        """Unfold it."""
        self.button.setChecked(True)

    def _on_toggled(self, opened: bool) -> None:
        self.content.setVisible(opened)
        self._show()

    def _show(self) -> None:
        opened = self.button.isChecked()
        side = round(16 * self._theme.zoom)
        self.button.setIcon(themed_icon(self._theme, "chevron-down" if opened else "chevron-right", size=side))
        # A checked button would look pressed.
        self.button.setStyleSheet(f"QToolButton:checked {{ background: transparent; }} QToolButton:checked:hover "
                                  f"{{ background: {self._theme.colors.raised}; }}")  # fmt: skip

    def _on_theme_changed(self) -> None:
        space = self._theme.space
        self._column.setSpacing(space(1))
        self.inside.setContentsMargins(space(6), space(1), 0, space(3))
        self.inside.setSpacing(space(4))
        self.button.setFont(self._theme.font(bold=True))
        self._show()


class LineList(QWidget):
    """Any number of lines of text, with an empty one at the end to write the next one in."""

    changed = Signal()

    def __init__(
        self, theme: Theme, name: str, hint: str, *, most_characters: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._name, self._hint, self._most = theme, name, hint, most_characters
        self._rows: list[tuple[QWidget, QLineEdit]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setAccessibleName(name)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_lines(())

    @property
    def lines(self) -> tuple[str, ...]:
        """Those that say something."""
        return tuple(field.text() for _row, field in self._rows if field.text().strip())

    @property
    def fields(self) -> tuple[QLineEdit, ...]:
        """The lines on show, the last one empty."""
        return tuple(field for _row, field in self._rows)

    def show_lines(self, lines: Iterable[str]) -> None:
        """Show these; says nothing."""
        for row, _field in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = []
        for each in (*lines, ""):
            self._add(each)

    def _add(self, text: str) -> None:
        if len(self._rows) >= PERSONA_LIST_ITEMS:
            return
        row = QWidget(self)
        field = line_field(f"{self._name} {len(self._rows) + 1}", self._hint, most=self._most)
        field.setText(text)
        field.setCursorPosition(0)
        remove = IconButton(self._theme, "x", tr("Remove"), size=14)
        policy = remove.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        remove.setSizePolicy(policy)
        remove.setVisible(bool(text))
        across = QHBoxLayout(row)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(self._theme.space(1))
        across.addWidget(field, 1)
        across.addWidget(remove)
        pair = (row, field)
        field.textChanged.connect(lambda words: self._on_edited(pair, remove, words))
        remove.clicked.connect(lambda: self._remove(pair))
        self._rows.append(pair)
        self._column.addWidget(row)

    def _on_edited(self, pair: tuple[QWidget, QLineEdit], remove: IconButton, words: str) -> None:
        remove.setVisible(bool(words))
        if words and pair == self._rows[-1]:
            self._add("")
        self.changed.emit()

    def _remove(self, pair: tuple[QWidget, QLineEdit]) -> None:
        place = self._rows.index(pair)
        self._rows.remove(pair)
        pair[0].hide()
        pair[0].deleteLater()
        if not self._rows or self._rows[-1][1].text():
            self._add("")
        self._rows[min(place, len(self._rows) - 1)][1].setFocus()
        self.changed.emit()

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.space(1.5))
