"""A chat as a PDF: what a person sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from app.ui.conversation_operations import _write_pdf


@pytest.fixture
def letters_in_pixels(qapp: QApplication) -> Iterator[None]:
    """As the theme has them."""
    before = qapp.font()
    font = QFont(before)
    font.setPixelSize(16)
    qapp.setFont(font)
    yield
    qapp.setFont(before)


@pytest.mark.usefixtures("letters_in_pixels")
def test_letters_can_be_read_and_the_page_is_used(tmp_path: Path) -> None:
    target = tmp_path / "chat.pdf"
    _write_pdf(target, "<html><body><p>Hhhh</p></body></html>")
    with pypdfium2.PdfDocument(target) as document:
        page = document[0]
        left, bottom, right, top = page.get_textpage().get_charbox(0)
        height = page.get_height()
    assert 6 < top - bottom < 16, "points"
    assert 40 < left < 80
    assert 40 < height - top < 100
    assert right > left
