"""What the styles of a Word document say of text: how it looks, whether it is a heading. Knows no text.

Follows ECMA-376 part 1, section 17.7: a style says what it says itself, else what the style it is based on says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W = WORD
_OFF = frozenset({"0", "false", "off", "none"})
_STYLE_DEPTH = 12
"""Styles that are based on each other in a circle exist."""


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of a run's look; None: not said here."""

    vanish: bool | None = None
    colour: str | None = None
    size_pt: float | None = None
    ground: str | None = None

    def over(self, below: Face) -> Face:
        """This face where it says something, else the one below."""
        return Face(
            below.vanish if self.vanish is None else self.vanish,
            self.colour or below.colour,
            below.size_pt if self.size_pt is None else self.size_pt,
            self.ground or below.ground,
        )


class WordStyles:
    """The styles of one document, by the `w:styles` element. Without a name, paragraphs have the default style."""

    def __init__(self, element: Any) -> None:
        self._styles: dict[str, Any] = {style.get(f"{_W}styleId"): style for style in element.iter(f"{_W}style")}
        self._default = next(
            (
                name
                for name, style in self._styles.items()
                if style.get(f"{_W}type") == "paragraph" and style.get(f"{_W}default") in ("1", "true")
            ),
            "",
        )
        self._faces: dict[str, Face] = {}
        self._levels: dict[str, int] = {}

    def face(self, name: str) -> Face:
        """How text of a style looks."""
        if name not in self._faces:
            face = Face()
            for style in self._chain(name):
                properties = style.find(f"{_W}rPr")
                if properties is not None:
                    face = face.over(face_of(properties))
                face = face.over(Face(ground=shade_of(style.find(f"{_W}pPr"))))
            self._faces[name] = face
        return self._faces[name]

    def paint(self, name: str) -> bool:
        """True where a table's style may paint cells: then their ground is not known here."""
        return any(next(style.iter(f"{_W}shd"), None) is not None for style in self._chain(name))

    def level(self, name: str, properties: Any) -> int:
        """The level of a heading by a paragraph's own properties or its style, 0 for none."""
        outline = properties.find(f"{_W}outlineLvl") if properties is not None else None
        if outline is not None:
            return _outline(outline)
        if name not in self._levels:
            self._levels[name] = next(filter(None, map(_style_level, self._chain(name))), 0)
        return self._levels[name]

    def _chain(self, name: str) -> Iterator[Any]:
        """A style, the one that it is based on, and so on."""
        name = name or self._default
        for _ in range(_STYLE_DEPTH):
            style = self._styles.get(name)
            if style is None:
                return
            yield style
            based = style.find(f"{_W}basedOn")
            name = based.get(f"{_W}val", "") if based is not None else ""


def _style_level(style: Any) -> int:
    """By its outline level, or by its name, which is English in the files of every language."""
    named = style.find(f"{_W}name")
    called = named.get(f"{_W}val", "").lower() if named is not None else ""
    outline = style.find(f"{_W}pPr/{_W}outlineLvl")
    if called == "title":
        return 1
    if outline is not None:
        return _outline(outline)
    return min(int(called[8:]), 9) if called.startswith("heading ") and called[8:].isdigit() else 0


def _outline(element: Any) -> int:
    told = element.get(f"{_W}val", "")
    return int(told) + 1 if told.isdigit() and int(told) < 9 else 0


def face_of(properties: Any) -> Face:
    """What run properties (`w:rPr`) say."""
    vanish = properties.find(f"{_W}vanish")
    colour = properties.find(f"{_W}color")
    size = properties.find(f"{_W}sz")
    half_points = size.get(f"{_W}val", "") if size is not None else ""
    highlight = properties.find(f"{_W}highlight")
    return Face(
        None if vanish is None else vanish.get(f"{_W}val", "1").lower() not in _OFF,
        None if colour is None else colour.get(f"{_W}val"),
        float(half_points) / 2 if half_points.isdigit() and len(half_points) < 6 else None,
        shade_of(properties) or (highlight.get(f"{_W}val") if highlight is not None else None),
    )


def shade_of(properties: Any) -> str | None:
    """The colour behind text by its properties, None where they do not say."""
    shade = properties.find(f"{_W}shd") if properties is not None else None
    fill = shade.get(f"{_W}fill") if shade is not None else None
    return None if fill in (None, "auto") else fill
