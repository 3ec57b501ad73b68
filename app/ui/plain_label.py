"""A label for words that may be anybody's."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel


def plain_label(text: str, kind: str) -> QLabel:
    """A label of the style sheet's `kind` that shows its text as it stands, in as many lines as that takes."""
    label = QLabel(text)
    label.setProperty("kind", kind)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
