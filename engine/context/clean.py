"""The one filter at the border: makes `UntrustedText` of whatever comes from outside. Knows no source.

What a person cannot see must not speak to the model: control and ANSI sequences, tag characters, direction
overrides, zero-width characters and variation selectors go. What scripts and emoji need stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.context.segments import Origin, Segment, Trust


@dataclass(frozen=True, slots=True)
class Removed:
    """How many characters of each class the filter took away."""

    control: int = 0
    """C0 and C1 control characters except line break and tab (a lone or paired carriage return becomes a break)."""
    escape: int = 0
    """Characters of ANSI escape sequences."""
    tag: int = 0
    """Unicode tag characters: invisible letters."""
    direction: int = 0
    """Overrides, embeddings, isolates and marks of writing direction."""
    zero_width: int = 0
    """Zero-width and other invisible characters."""
    variation: int = 0
    """Variation selectors where they select nothing."""
    unpaired: int = 0
    """Halves of surrogate pairs and code points that are no characters."""
    beyond: int = 0
    """Characters beyond the cap on length."""

    @property
    def hidden(self) -> int:
        """Characters that a person could not have seen."""
        return self.escape + self.tag + self.direction + self.zero_width + self.variation

    def __bool__(self) -> bool:
        return bool(self.hidden or self.control or self.unpaired or self.beyond)


_KEY = object()


@dataclass(frozen=True, slots=True)
class UntrustedText:
    """Text that has passed `clean`, and what that took away. Only `clean` makes one."""

    text: str
    removed: Removed
    key: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.key is not _KEY:
            raise TypeError("only engine.context.clean.clean makes UntrustedText")

    def segment(self, origin: Origin, label: str = "") -> Segment:
        """As a segment of a prompt. `label` names the source to the person."""
        return Segment(self.text, origin, Trust.UNTRUSTED, label)


_BREAKS = re.compile("\r\n?|\u2028|\u2029|\x85|\x0b|\x0c")
_ESCAPE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)"  # OSC, DCS, ...: titles, links
    "|\x1b[ -/]*[0-~]"
)
_TAG = re.compile("[\U000e0000-\U000e0fff]")
"""Tags, and the variation selectors and unassigned characters of the same plane, all invisible."""
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f]")
_ZERO_WIDTH = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
_JOINER = re.compile("[\u200c\u200d]+")
_VARIATION = re.compile("[\ufe00-\ufe0f\u180b-\u180f]+")
_UNPAIRED = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

_JOINING_SCRIPTS = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e80-\u0eff\u0f00-\u109f\u1780-\u17ff\u1800-\u18af\u1a20-\u1aaf\u1b00-\u1bff"
    "\ua8e0-\ua8ff\ua980-\ua9df\uaa60-\uaa7f\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U00011fff]"
)
"""Arabic, Syriac, N'Ko, the Indic scripts, Mongolian and their like, where joiners change what is written."""
_EMOJI = re.compile("[#*0-9\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]")
_PICTOGRAPH = re.compile("[\u203c-\u3299\U0001f000-\U0001faff]")
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_STYLES = "\ufe0e\ufe0f"
_JOINERS = "\u200c\u200d"


def clean(text: str, *, max_characters: int) -> UntrustedText:
    """Filter a text and count what goes. Idempotent; the result is NFC and at most `max_characters` long."""
    if max_characters < 0:
        raise ValueError("max_characters is negative")
    text = _BREAKS.sub("\n", text)
    counts: dict[str, int] = {}
    for name, pattern in (
        ("escape", _ESCAPE),
        ("control", _CONTROL),
        ("tag", _TAG),
        ("direction", _DIRECTION),
        ("zero_width", _ZERO_WIDTH),
        ("unpaired", _UNPAIRED),
    ):
        text, counts[name] = _remove(pattern, text)
    text = unicodedata.normalize("NFC", text)
    text, counts["variation"] = _thin(_VARIATION, text, _selects)
    text, n_joiners = _thin(_JOINER, text, _joins)
    counts["zero_width"] += n_joiners
    text = unicodedata.normalize("NFC", text)
    kept = text[:max_characters]
    if len(kept) < len(text):
        kept = kept.rstrip(_JOINERS)
    counts["beyond"] = len(text) - len(kept)
    return UntrustedText(kept, Removed(**counts), _KEY)


def _remove(pattern: re.Pattern[str], text: str) -> tuple[str, int]:
    kept = pattern.sub("", text)
    return kept, len(text) - len(kept)


def _thin(pattern: re.Pattern[str], text: str, wanted: Callable[[str, str, str], bool]) -> tuple[str, int]:
    """Of each run keep the first character, and that only where it is `wanted` between its neighbours."""

    def one(match: re.Match[str]) -> str:
        first = match[0][0]
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        return first if wanted(before, first, after) else ""

    kept = pattern.sub(one, text)
    return kept, len(text) - len(kept)


def _selects(before: str, selector: str, after: str) -> bool:
    if selector in _STYLES:
        return bool(_EMOJI.match(before))
    return "\u180b" <= selector <= "\u180f" and bool(_MONGOLIAN.match(before))


def _joins(before: str, joiner: str, after: str) -> bool:
    if _JOINING_SCRIPTS.match(before):
        return bool(_JOINING_SCRIPTS.match(after))
    is_emoji = bool(_PICTOGRAPH.match(before)) or before in ("\ufe0f", "\ufe0e")
    return joiner == "\u200d" and is_emoji and bool(_PICTOGRAPH.match(after))
