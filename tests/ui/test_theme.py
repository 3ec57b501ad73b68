"""Colours that can be read, one type scale, and a style sheet that Qt accepts."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtGui import QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.fonts import load_fonts
from app.ui.icons import IconButton, icon_names, tinted_pixmap
from app.ui.style import apply_style, build_palette, build_sheet
from app.ui.theme import DARK, LIGHT, Colors, TextSize, Theme, ThemeChoice

READABLE = 4.5
VISIBLE = 3.0


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2."""
    one, two = _luminance(first), _luminance(second)
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


def test_the_contrast_measure_knows_black_and_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") < READABLE  # the classic grey that just fails


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_can_be_read_where_it_stands(colors: Colors) -> None:
    grounds = {name: getattr(colors, name) for name in ("window", "surface", "raised", "code_background")}
    texts = {
        name: getattr(colors, name) for name in ("text", "text_muted", "text_faint", "accent", "danger", "warning")
    }
    poor = {
        (text, ground): round(contrast(texts[text], grounds[ground]), 2)
        for text in texts
        for ground in grounds
        if contrast(texts[text], grounds[ground]) < READABLE
    }
    assert not poor
    assert contrast(colors.text, colors.pressed) >= READABLE
    assert contrast(colors.text, colors.selection) >= READABLE
    assert contrast(colors.on_accent, colors.accent) >= READABLE
    assert contrast(colors.on_accent, colors.accent_hover) >= READABLE
    assert contrast(colors.focus, colors.surface) >= VISIBLE


@pytest.mark.parametrize("choice", [ThemeChoice.LIGHT, ThemeChoice.DARK])
@pytest.mark.parametrize("zoom", [0.8, 1.0, 2.0])
def test_qt_understands_the_whole_sheet(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, choice: ThemeChoice, zoom: float
) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    with _NoQtWarnings():
        widget.setStyleSheet(build_sheet(Theme(choice, zoom), tmp_path))
        widget.ensurePolished()


def test_a_broken_sheet_is_noticed(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    with pytest.raises(AssertionError), _NoQtWarnings():
        widget.setStyleSheet("QLabel { color: ")
        widget.ensurePolished()


class _NoQtWarnings:
    def __init__(self) -> None:
        self._seen: list[str] = []

    def __enter__(self) -> None:
        self._old = qInstallMessageHandler(lambda _kind, _context, text: self._seen.append(text))

    def __exit__(self, *_error: object) -> None:
        qInstallMessageHandler(self._old)
        assert not self._seen


def test_the_application_can_change_theme_while_it_runs(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    theme = Theme(ThemeChoice.LIGHT)
    apply_style(qapp, theme, tmp_path)
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(QLabel("Words"))
    button = QPushButton("Do it")
    button.setProperty("kind", "primary")
    column.addWidget(button)
    window.show()
    theme.changed.connect(lambda: apply_style(qapp, theme, tmp_path))
    before = button.grab().toImage().pixelColor(8, button.height() // 2)
    with qtbot.waitSignal(theme.changed):
        theme.choose(ThemeChoice.DARK)
    after = button.grab().toImage().pixelColor(8, button.height() // 2)
    assert before.name() == LIGHT.accent
    assert after.name() == DARK.accent
    assert qapp.palette().window().color().name() == DARK.window
    qapp.setStyleSheet("")


def test_zoom_is_clamped_and_scales_type_and_space() -> None:
    theme = Theme(ThemeChoice.LIGHT)
    normal, step = theme.font(TextSize.BODY).pixelSize(), theme.space(4)
    theme.set_zoom(2.0)
    assert theme.font(TextSize.BODY).pixelSize() == 2 * normal
    assert theme.space(4) == 2 * step
    theme.set_zoom(17)
    assert theme.zoom == 3.0


def test_our_typefaces_are_used(qapp: QApplication) -> None:
    assert load_fonts() == []
    theme = Theme(ThemeChoice.LIGHT)
    assert QFontInfo(theme.font()).family() == "Inter"
    assert QFontInfo(theme.font(code=True)).family() == "JetBrains Mono"
    assert "SemiBold" in QFontDatabase.styles("Inter")


def test_every_icon_can_be_drawn_and_takes_the_colour(qapp: QApplication) -> None:
    theme = Theme(ThemeChoice.LIGHT)
    assert len(icon_names()) > 40
    for name in icon_names():
        image = tinted_pixmap(theme, name, color="danger", size=24).toImage()
        drawn = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 200
        ]
        assert drawn, name
        if name != "hearth":
            assert all(color.name() == LIGHT.danger for color in drawn if color.alpha() == 255), name


def test_an_icon_button_says_its_name_and_follows_the_theme(qtbot: QtBot) -> None:
    theme = Theme(ThemeChoice.LIGHT)
    button = IconButton(theme, "settings", "Settings")
    qtbot.addWidget(button)
    button.set_label("Settings", shortcut="Ctrl+,")
    assert button.accessibleName() == "Settings"
    assert "Ctrl+," in button.toolTip()
    before = button.icon().pixmap(18).toImage()
    theme.choose(ThemeChoice.DARK)
    assert button.icon().pixmap(18).toImage() != before


def test_every_colour_has_a_place_in_both_themes() -> None:
    assert {field.name for field in fields(LIGHT)} == {field.name for field in fields(DARK)}
    palette = build_palette(Theme(ThemeChoice.DARK))
    assert palette.base().color().name() == DARK.surface
