"""Where messages stand in a long transcript: estimated heights, positions, and what is in sight. Arithmetic only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from app.store.types import AttachmentPart, ImagePart, MessageState, ReasoningPart, StoredMessage, UnspokenPart
from app.ui.message_entry import Entry
from app.ui.message_widget import GUTTER, MEASURE
from app.ui.picture_tile import tile_size
from app.ui.theme import TextSize, Theme
from engine.context.segments import Role


def estimate_height(message: StoredMessage, width: int, theme: Theme) -> int:
    """How high a message will probably be at that width."""
    space = theme.space
    pixels = theme.font(TextSize.LARGE).pixelSize()
    measure = max(120, min(space(MEASURE), width - 2 * space(GUTTER)))
    own = message.role is Role.USER
    if own:
        measure = round(measure * 0.86) - space(8)
    text = message.text
    if own and len(text) > 1800:
        text = text[:1800]
    lines = text.count("\n") + 1 + round(len(text) / (measure / (pixels * 0.5)) * 0.85)
    height = round(lines * pixels * 1.5) + space(14) + (space(6) if own else 0)
    height += sum(space(8) for part in message.parts if isinstance(part, (AttachmentPart, ReasoningPart, UnspokenPart)))
    height += max((tile_size(theme, part).height() for part in message.parts if isinstance(part, ImagePart)), default=0)
    if message.state in (MessageState.STOPPED, MessageState.FAILED, MessageState.INTERRUPTED):
        height += space(10)
    return height


def place(entries: Sequence[Entry], top: int) -> int:
    """Set every entry's top; return where the last one ends."""
    for entry in entries:
        entry.top = top
        top += entry.height
    return top


def index_at(entries: Sequence[Entry], y: int) -> int:
    """The entry that covers `y` (the nearest one beyond the ends)."""
    return max(0, bisect_right(entries, y, key=lambda entry: entry.top) - 1)


def in_sight(entries: Sequence[Entry], top: int, bottom: int) -> range:
    """The entries that reach into the stretch."""
    if not entries:
        return range(0)
    return range(index_at(entries, top), index_at(entries, bottom) + 1)
