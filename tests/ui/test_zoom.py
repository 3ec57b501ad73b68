"""What must follow the zoom although Qt does not do it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFontInfo
from PySide6.QtWidgets import QApplication, QSlider, QStyle, QStyleOptionSlider
from pytestqt.qtbot import QtBot

from app.ui.composer_text import ComposerText
from app.ui.style import apply_style
from app.ui.theme import Theme, ThemeChoice

ZOOMS = (0.8, 1.0, 1.1, 1.25, 1.5, 1.7, 2.0)


@pytest.fixture
def theme(qapp: QApplication, tmp_path: Path) -> Iterator[Theme]:
    made = Theme(ThemeChoice.LIGHT)
    made.changed.connect(partial(apply_style, qapp, made, tmp_path))
    apply_style(qapp, made, tmp_path)
    yield made
    qapp.setStyleSheet("")


def test_the_composers_placeholder_has_the_size_of_its_text(qtbot: QtBot, theme: Theme) -> None:
    field = ComposerText(theme, lambda: True)
    qtbot.addWidget(field)
    field.setPlaceholderText("Message Hearth")
    field.show()
    for zoom in ZOOMS:
        theme.set_zoom(zoom)
        # Qt draws the placeholder with the viewport's font.
        assert QFontInfo(field.viewport().font()).pixelSize() == theme.font().pixelSize(), zoom


@pytest.mark.parametrize("zoom", ZOOMS)
def test_a_sliders_handle_is_round(qtbot: QtBot, theme: Theme, zoom: float) -> None:
    theme.set_zoom(zoom)
    slider = QSlider(Qt.Orientation.Horizontal)
    qtbot.addWidget(slider)
    slider.resize(200, 60)
    slider.setValue(50)
    slider.show()
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    rect = slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
    )
    assert rect.width() == rect.height()
    image = slider.grab().toImage()
    around = QColor(image.pixelColor(rect.center().x(), 1))
    for corner in (rect.topLeft(), rect.topRight(), rect.bottomLeft(), rect.bottomRight()):
        assert image.pixelColor(corner) == around, corner
    assert image.pixelColor(QPoint(rect.center().x(), rect.top())) != around
