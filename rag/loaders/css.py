"""What a web page's styles hide: enough of CSS to tell whether text is seen. Knows no tree.

Understood are declarations, and rules whose selectors are one tag, class, id or tag with class; whatever else a sheet
says is left alone, so that a style too clever for this reader hides nothing from the reader of the page either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rag.loaders.sight import BLACK, FAINT, TINY_PT, WHITE, Colour, alike, colour_of, points_of
from rag.types import HiddenReason

Declarations = dict[str, str]

_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.S)
_RULE = re.compile(r"([^{}@;]{1,2000})\{([^{}]{0,4000})\}")
_MEDIA = re.compile(r"@(?:media|supports)[^{]{0,400}\{(?:[^{}]{0,2000}\{[^{}]{0,4000}\}\s*){0,2000}\}")
_SELECTOR = re.compile(r"(\*|[a-z][a-z0-9]*)?(?:([.#])(-?[_a-z][\w-]*))?$", re.I)
_FAR_PT = 375.0
"""Further left or up than this, a block was moved out of the window on purpose (500 pixels)."""
_RULES = 5_000
_KNOWN = frozenset(
    {"display", "visibility", "opacity", "color", "background", "background-color", "background-image", "font-size"}
    | {"position", "left", "top", "text-indent", "clip", "clip-path", "font"}
)
_BODY_PT = 12.0


@dataclass(frozen=True, slots=True)
class Look:
    """How text looks at one place of a page; `ground` None where a picture may lie behind it."""

    reason: HiddenReason | None = None
    """Why nothing inside can be seen, whatever it says itself."""
    is_visible: bool = True
    """Of `visibility`, which an element inside may turn back."""
    colour: Colour = BLACK
    ground: Colour | None = WHITE
    size_pt: float = _BODY_PT

    @property
    def hidden(self) -> HiddenReason | None:
        """Why text here is not seen, None where it is."""
        if self.reason is not None:
            return self.reason
        if not self.is_visible:
            return HiddenReason.INVISIBLE
        if self.size_pt < TINY_PT:
            return HiddenReason.TINY
        if self.ground is not None and alike(self.colour, self.ground):
            return HiddenReason.SAME_COLOUR
        return None


def declarations(style: str) -> Declarations:
    """Those of a style attribute that this module understands, in lower case."""
    found: Declarations = {}
    for each in style[:10_000].split(";"):
        name, colon, value = each.partition(":")
        if colon and (name := name.strip().lower()) in _KNOWN:
            found[name] = value.replace("!important", "").strip().lower()
    return found


def rules(sheet: str) -> Mapping[str, Declarations]:
    """Selector ("p", ".note", "#x", "p.note") -> declarations of a style sheet; conditional rules are left out."""
    found: dict[str, Declarations] = {}
    for match in _RULE.finditer(_MEDIA.sub(" ", _COMMENT.sub(" ", sheet[:1_000_000]))):
        body = declarations(match[2])
        if not body:
            continue
        for selector in match[1].split(","):
            if len(found) < _RULES and (plain := selector.strip()) and _SELECTOR.match(plain):
                found.setdefault(plain.lower(), {}).update(body)
    return found


def matching(sheet: Mapping[str, Declarations], tag: str, identity: str, classes: list[str]) -> Declarations:
    """What the rules say of an element, weaker selectors first (CSS 2.2, section 6.4.3, within one sheet)."""
    if not sheet:
        return {}
    found: Declarations = {}
    keys = ["*", tag, *(f".{name}" for name in classes), *(f"{tag}.{name}" for name in classes)]
    if identity:
        keys += [f"#{identity}", f"{tag}#{identity}"]
    for key in keys:
        found.update(sheet.get(key.lower(), {}))
    return found


def inside(look: Look, own: Declarations) -> Look:
    """How text looks within an element that declares `own`."""
    if not own:
        return look
    size = look.size_pt
    if "font-size" in own:
        told = points_of(own["font-size"], look.size_pt)
        size = look.size_pt if told is None else told
    reason = look.reason or _gone(own, size)
    is_visible = look.is_visible
    if "visibility" in own:
        is_visible = own["visibility"] not in ("hidden", "collapse")
    colour, ground = look.colour, look.ground
    behind = own.get("background-color") or own.get("background") or ""
    if behind or "background-image" in own:
        ground = _ground(behind, own.get("background-image", ""), look.ground)
    if "color" in own and (told_colour := colour_of(own["color"])):
        colour = told_colour[0]
        if told_colour[1] < FAINT and reason is None:
            return replace(look, colour=colour, ground=colour, size_pt=size, is_visible=is_visible)
    return Look(reason, is_visible, colour, ground, size)


def _gone(own: Declarations, size_pt: float) -> HiddenReason | None:
    if own.get("display") == "none":
        return HiddenReason.INVISIBLE
    try:
        if "opacity" in own and float(own["opacity"].rstrip("%") or 1) < FAINT:
            return HiddenReason.INVISIBLE
    except ValueError:
        pass  # a calculation: not known
    clipped = own.get("clip", "").replace(" ", "")
    if clipped in ("rect(0,0,0,0)", "rect(0000)", "rect(0px,0px,0px,0px)") and own.get("position") in (
        "absolute",
        "fixed",
    ):
        return HiddenReason.OFF_PAGE
    for side in ("left", "top", "text-indent"):
        moved = points_of(own[side], size_pt) if side in own else None
        if moved is not None and moved <= -_FAR_PT and (side == "text-indent" or own.get("position", "") != "static"):
            return HiddenReason.OFF_PAGE
    return None


def _ground(behind: str, image: str, before: Colour | None) -> Colour | None:
    if "url(" in behind or "gradient(" in behind or (image and image != "none"):
        return None
    for word in (behind, *re.findall(r"rgba?\([^)]*\)|[#\w]+", behind)):
        if found := colour_of(word):
            return found[0] if found[1] > 0.5 else before
    return before
