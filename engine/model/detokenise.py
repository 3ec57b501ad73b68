"""From token bytes to whole characters, and the watch for stop strings.

Knows no vocabulary and no model.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextDecoder:
    """UTF-8 bytes in pieces to text: only whole code points come out; what is not UTF-8 becomes U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> str:
        return self._decoder.decode(piece)

    def finish(self) -> str:
        """What is left of a character that never became whole."""
        return self._decoder.decode(b"", final=True)


class StopStrings:
    """Finds the first stop string in a stream of text, across its pieces.

    Text that could be the beginning of a stop string is held back until that is decided.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """Return the text that is safe to show, and whether a stop string was met (it is not shown)."""
        if not self._stops:
            return text, False
        whole = self._held + text
        hits = [index for stop in self._stops if (index := whole.find(stop)) >= 0]
        if hits:
            self._held = ""
            return whole[: min(hits)], True
        keep = max(_overlap(whole, stop) for stop in self._stops)
        self._held = whole[len(whole) - keep :]
        return whole[: len(whole) - keep], False

    def finish(self) -> str:
        """The text still held back, at the end of the answer."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
