"""Positions as Qt counts them: in UTF-16 units, where Python counts characters. Knows no widget."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QTextCharFormat, QTextLayout

_SHOWN_AS = {ord("\r"): " ", 0x2028: " ", 0x2029: " ", 0xFDD0: "\ufffd", 0xFDD1: "\ufffd", 0: "\ufffd"}
"""What a QTextDocument takes for ends of blocks and marks of frames."""


def units(text: str) -> int:
    """How many UTF-16 units `text` takes."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def first_units(text: str, count: int) -> str:
    """The beginning of `text` that takes at most `count` units."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, count)].decode("utf-16-le", "ignore")


def plain_for_document(text: str) -> str:
    """`text`, character for character, such that only a line feed begins another block."""
    return text.translate(_SHOWN_AS)


def format_ranges(text: str, marks: Iterable[tuple[int, int]], look: QTextCharFormat) -> list[QTextLayout.FormatRange]:
    """The characters [start, end) of each mark in `look`."""
    ranges = []
    for start, end in marks:
        each = QTextLayout.FormatRange()
        each.start, each.length = units(text[:start]), units(text[start:end])
        each.format = look
        ranges.append(each)
    return ranges
