"""A few wrapped rows of text with marked words, the last one cut with "…". Knows no list."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QPainter, QTextLayout, QTextOption

from app.ui.text_units import first_units, units


def draw_wrapped(
    painter: QPainter, layout: QTextLayout, area: QRect, lines: int, direction: Qt.LayoutDirection
) -> None:
    """At most `lines` rows, in the painter's pen; `layout` holds text, font and marks."""
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    if direction is Qt.LayoutDirection.RightToLeft:
        option.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
    layout.setTextOption(option)
    text, cut = layout.text(), _laid_out(layout, area.width(), lines)
    while cut > 0:
        # Less and less of it, until the "…" stands on the last row and not behind it.
        cut -= 1
        layout.setText(first_units(text, cut).rstrip() + "…")
        if not _laid_out(layout, area.width(), lines):
            break
    layout.draw(painter, area.topLeft().toPointF())


def _laid_out(layout: QTextLayout, width: int, lines: int) -> int:
    """Break into rows; where the text was cut, 0 if all of it is there."""
    y = 0.0
    end = 0
    layout.beginLayout()
    for _row in range(lines):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
        end = line.textStart() + line.textLength()
    layout.endLayout()
    return end if end < units(layout.text()) else 0
