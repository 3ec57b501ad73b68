"""When text in a colour cannot be seen on another; how a style sheet writes colours and lengths. Knows no format."""

from __future__ import annotations

import re

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
SAME_COLOUR = 24
"""Of 255, in the colour channel that differs most: below it, print is not seen on its ground (grey 232 on white)."""
TINY_PT = 2.0
"""Smaller print is 0.7 mm high and read by nobody."""
FAINT = 0.1
"""Opacity below which nothing is seen."""

_NAMED: dict[str, Colour] = {
    "white": WHITE,
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "ghostwhite": (248, 248, 255),
    "whitesmoke": (245, 245, 245),
    "black": BLACK,
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "darkgray": (169, 169, 169),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "lime": (0, 255, 0),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
    "purple": (128, 0, 128),
    "maroon": (128, 0, 0),
    "teal": (0, 128, 128),
    "aqua": (0, 255, 255),
    "cyan": (0, 255, 255),
    "fuchsia": (255, 0, 255),
    "magenta": (255, 0, 255),
    "olive": (128, 128, 0),
}
_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})(?:[0-9a-f]{2}|[0-9a-f])?$", re.I)
_FUNCTION = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*([\d.]{1,8})(%?)\s*)?\)$", re.I)
_LENGTH = re.compile(r"(-?\d{0,9}\.?\d{0,9})\s*(px|pt|em|rem|%|in|cm|mm|pc|vw|vh|)$", re.I)
_POINTS = {"px": 0.75, "pt": 1.0, "in": 72.0, "cm": 28.35, "mm": 2.835, "pc": 12.0, "rem": 12.0, "vw": 8.0, "vh": 6.0}


def alike(one: Colour, other: Colour) -> bool:
    """True where print of one colour cannot be seen on the other."""
    # Not by a loop: this is asked for every text of every page.
    return (
        abs(one[0] - other[0]) < SAME_COLOUR
        and abs(one[1] - other[1]) < SAME_COLOUR
        and abs(one[2] - other[2]) < SAME_COLOUR
    )


def colour_of(text: str) -> tuple[Colour, float] | None:
    """A colour of CSS or OOXML and its opacity; None for what is not a plain colour."""
    text = text.strip().lower()
    if text == "transparent":
        return WHITE, 0.0
    if text in _NAMED:
        return _NAMED[text], 1.0
    if match := _HEX.match(text):
        digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
        return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)), 1.0
    if match := _FUNCTION.match(text):
        opacity = 1.0 if match[4] is None else _number(match[4]) / (100.0 if match[5] else 1.0)
        return (min(int(match[1]), 255), min(int(match[2]), 255), min(int(match[3]), 255)), opacity
    return None


def points_of(text: str, em: float) -> float | None:
    """A length in points where `em` is the size of the font around it; None for what is none."""
    match = _LENGTH.match(text.strip())
    if match is None or not match[1].strip("-."):
        return None
    number, unit = _number(match[1]), match[2].lower()
    if unit in ("em", "%"):
        return number * em * (1.0 if unit == "em" else 0.01)
    return number * _POINTS.get(unit, 0.75)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
