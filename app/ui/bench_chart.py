"""A benchmark's report as a picture: bars against what this computer can do at most, on light paper.

Draws where there is no display too. Knows no terminal and measures nothing. Main thread only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QImage, QPainter, QPen

from app.bench import words
from app.bench.report import Kind, Measured, Report
from app.bootstrap import why_no_window
from app.i18n import tr
from app.ui.fonts import load_fonts
from app.ui.image_bytes import encoded
from app.ui.theme import TextSize, Theme, ThemeChoice
from engine.errors import ChartError

WIDTH = 960
"""Logical pixels; the picture has `SHARP` times as many."""
SHARP = 2
_TALLEST = 2000
_MARGIN, _GAP = 44, 28
_LABEL, _NUMBERS = 250, 224
"""Widths of what stands left and right of a bar."""
_ROW, _BAR, _TILE = 46, 20, 86
_HEADROOM = 1.06
WRITING = (Kind.DECODE, Kind.LOOKUP, Kind.PARALLEL)
SPEECH = (Kind.HEARING, Kind.SPEAKING)
TILES = (Kind.MODEL, Kind.PREFILL, Kind.INGEST, Kind.QUERY)


def chart_png(report: Report) -> bytes:
    """The picture as a PNG file. Starts Qt without a window where it does not run yet. Raises `ChartError`."""
    if (reason := why_no_window({"QT_QPA_PLATFORM": "offscreen"})) is not None:
        raise ChartError(reason)
    application = QGuiApplication.instance()
    if application is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        application = QGuiApplication([])
        load_fonts()
    return encoded(draw_chart(report), "PNG")


def draw_chart(report: Report) -> QImage:
    """The picture. Qt runs already."""
    image = QImage(WIDTH * SHARP, _TALLEST * SHARP, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SHARP)
    theme = Theme(ThemeChoice.LIGHT)
    image.fill(theme.color("surface"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    height = _Chart(painter, theme, report).draw()
    painter.end()
    theme.deleteLater()
    cut = image.copy(0, 0, WIDTH * SHARP, height * SHARP)
    cut.setDevicePixelRatio(1)
    return cut


class _Chart:
    """Draws from top to bottom; `_y` is where the next thing begins."""

    def __init__(self, painter: QPainter, theme: Theme, report: Report) -> None:
        self._painter = painter
        self._theme = theme
        self._report = report
        self._y = _MARGIN

    def draw(self) -> int:
        """The height that it took, in logical pixels."""
        report = self._report
        self._text(tr("How fast Hearth is on this computer"), TextSize.DISPLAY, "text")
        for fact in (words.machine_text(report), words.model_text(report)):
            if fact:
                self._text(fact, TextSize.BODY, "text_muted")
        if (busy := words.busy_text(report)) != "":
            self._text(busy, TextSize.BODY, "warning")
        writing, speech, tiles = (self._those(kinds) for kinds in (WRITING, SPEECH, TILES))
        if writing:
            self._bars(
                tr("Writing, in tokens a second"),
                writing,
                report.limit,
                "" if report.limit is None else tr("what the memory allows: {n}", n=words.number_text(report.limit)),
            )
        if speech:
            self._bars(tr("Speech, compared with people talking"), speech, 1.0, tr("as fast as people talk"))
        if tiles:
            self._tiles(tiles)
        self._y += _GAP
        skipped = [f"{words.part_label(each.part)}: {each.reason}" for each in report.skipped]
        for text in (words.limit_text(report), words.method_text(report), *skipped):
            if text:
                self._text(text, TextSize.CAPTION, "text_muted")
        return self._y + _MARGIN - _GAP // 2

    def _those(self, kinds: Sequence[Kind]) -> list[Measured]:
        return [found for kind in kinds if (found := self._report.of(kind)) is not None]

    def _text(self, text: str, size: TextSize, color: str) -> None:
        """A paragraph over the whole width."""
        self._y += self._write(QRect(_MARGIN, self._y, WIDTH - 2 * _MARGIN, _TALLEST), text, size, color) + 8

    def _write(
        self,
        place: QRect,
        text: str,
        size: TextSize,
        color: str,
        *,
        bold: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> int:
        """Wrapped, from the top of `place`; the height that it took."""
        painter = self._painter
        painter.setFont(self._theme.font(size, bold=bold or size is TextSize.DISPLAY))
        painter.setPen(self._theme.color(color))
        flags = int(Qt.TextFlag.TextWordWrap) | int(align)
        return painter.drawText(place, flags, text).height()

    def _heading(self, text: str) -> None:
        self._y += _GAP
        place = QRect(_MARGIN, self._y, WIDTH - 2 * _MARGIN, _ROW)
        self._y += self._write(place, text, TextSize.HEADING, "text", bold=True) + 12

    def _bars(self, title: str, lines: Sequence[Measured], limit: float | None, limit_words: str) -> None:
        """Bars of one scale, and a dashed line at `limit` (None: none), which says what it is."""
        self._heading(title)
        left, right = _MARGIN + _LABEL, WIDTH - _MARGIN - _NUMBERS
        most = _HEADROOM * max(limit or 0.0, *(each.highest for each in lines))
        scale = (right - left) / most if most else 0.0
        if limit is not None:
            self._y += self._caption(left + limit * scale, limit_words, left, right)
        top = self._y
        for each in lines:
            self._bar(each, left, scale)
            self._y += _ROW
        if limit is not None:
            pen = QPen(self._theme.color("text"), 1.5, Qt.PenStyle.DashLine)
            self._painter.setPen(pen)
            at = left + limit * scale
            self._painter.drawLine(QPointF(at, top - 2), QPointF(at, self._y - (_ROW - _BAR) / 2 + 4))

    def _caption(self, at: float, text: str, left: int, right: int) -> int:
        """Words above a line at `at`, moved aside where they would leave the picture; the height that they took."""
        font = self._theme.font(TextSize.CAPTION)
        metrics = QFontMetrics(font)
        width = metrics.horizontalAdvance(text)
        start = min(max(left, at - width / 2), right + _NUMBERS - width)
        self._painter.setFont(font)
        self._painter.setPen(self._theme.color("text"))
        self._painter.drawText(QPointF(start, self._y + metrics.ascent()), text)
        return metrics.height() + 4

    def _bar(self, line: Measured, left: int, scale: float) -> None:
        painter, theme = self._painter, self._theme
        middle = self._y + _ROW / 2
        label = QRect(_MARGIN, self._y, _LABEL - 12, _ROW)
        self._write(label, words.label(line.kind), TextSize.BODY, "text", align=Qt.AlignmentFlag.AlignVCenter)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(QRectF(left, middle - _BAR / 2, max(2.0, line.median * scale), _BAR), 4, 4)
        if line.highest > line.lowest:
            painter.setPen(QPen(theme.color("text"), 1.5))
            low, high = left + line.lowest * scale, left + line.highest * scale
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for end in (low, high):
                painter.drawLine(QPointF(end, middle - 5), QPointF(end, middle + 5))
        numbers = QRect(WIDTH - _MARGIN - _NUMBERS + 16, self._y, _NUMBERS - 16, _ROW // 2 + 2)
        bottom, top = Qt.AlignmentFlag.AlignBottom, Qt.AlignmentFlag.AlignTop
        self._write(numbers, words.value_text(line), TextSize.BODY, "text", bold=True, align=bottom)
        below = words.held_against(line, self._report) or words.range_text(line)
        numbers.translate(0, numbers.height())
        self._write(numbers, below, TextSize.CAPTION, "text_muted", align=top)

    def _tiles(self, lines: Sequence[Measured]) -> None:
        """Numbers that have nothing to be held against, side by side."""
        self._heading(tr("And besides"))
        width = (WIDTH - 2 * _MARGIN - (len(TILES) - 1) * 12) // len(TILES)
        for number, line in enumerate(lines):
            place = QRect(_MARGIN + number * (width + 12), self._y, width, _TILE)
            self._painter.setPen(Qt.PenStyle.NoPen)
            self._painter.setBrush(self._theme.color("window"))
            self._painter.drawRoundedRect(QRectF(place), 8, 8)
            inside = place.adjusted(14, 12, -14, -10)
            used = self._write(inside, words.label(line.kind), TextSize.CAPTION, "text_muted")
            inside.adjust(0, used + 6, 0, 0)
            used = self._write(inside, words.value_text(line), TextSize.HEADING, "text", bold=True)
            inside.adjust(0, used + 2, 0, 0)
            self._write(inside, words.range_text(line), TextSize.CAPTION, "text_faint")
        self._y += _TILE
