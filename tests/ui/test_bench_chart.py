"""The benchmark's picture: bars are as long as their numbers, beside the line of what the memory allows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from app.bench.report import Kind, Measured, Report
from app.ui import bench_chart
from app.ui.bench_chart import SHARP, WIDTH, chart_png, draw_chart
from app.ui.theme import LIGHT
from tests.unit.bench_reports import BUSY, FULL, ON_GPU, WITHOUT_VOICE

ACCENT = QColor(LIGHT.accent)


def longest_runs(image: QImage) -> list[int]:
    """Of each bar, from top to bottom, the longest row of its colour, in logical pixels."""
    bars: list[int] = []
    inside = False
    for y in range(0, image.height(), SHARP):
        run = best = 0
        for x in range(0, image.width(), SHARP):
            run = run + 1 if image.pixelColor(x, y) == ACCENT else 0
            best = max(best, run)
        if best < 12:
            inside = False
        elif inside:
            bars[-1] = max(bars[-1], best)
        else:
            inside = True
            bars.append(best)
    return bars


def only(report: Report, *lines: Measured) -> Report:
    return replace(report, measured=lines)


@pytest.mark.usefixtures("qapp")
def test_bars_are_as_long_as_their_numbers() -> None:
    image = draw_chart(only(FULL, Measured(Kind.DECODE, (8.0,)), Measured(Kind.PARALLEL, (4.0,))))
    first, second = longest_runs(image)
    assert first == pytest.approx(2 * second, rel=0.05)
    room = WIDTH - 2 * bench_chart._MARGIN - bench_chart._LABEL - bench_chart._NUMBERS
    assert first == pytest.approx(room * 8 / (16 * bench_chart._HEADROOM), rel=0.05), "half of the limit's length"


@pytest.mark.usefixtures("qapp")
def test_every_line_of_a_full_report_is_there() -> None:
    full, quiet = draw_chart(FULL), draw_chart(only(FULL, Measured(Kind.DECODE, (12.0,))))
    assert len(longest_runs(full)) == len(bench_chart.WRITING) + len(bench_chart.SPEECH)
    assert full.width() == WIDTH * SHARP
    assert full.height() > quiet.height()
    assert draw_chart(BUSY).height() > full.height(), "the warning takes a line"
    for report in (ON_GPU, WITHOUT_VOICE, only(FULL, Measured(Kind.QUERY, (5.0,))), only(FULL)):
        assert draw_chart(report).height() > 0


def test_it_is_a_png_file(qapp: QApplication) -> None:
    data = chart_png(FULL)
    assert QImage.fromData(data, "PNG").width() == WIDTH * SHARP
