"""Words that stay while somebody still speaks: LocalAgreement-2 over successive re-decodings. Knows no model.

After Macháček, Dabre and Bojar, "Turning Whisper into Real-Time Transcription System" (2023): what two decodings in a
row agree on is stable, and stable words never change again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partial:
    """`stable` only ever grows within an utterance; `tail` may still change."""

    stable: str = ""
    tail: str = ""

    @property
    def text(self) -> str:
        return f"{self.stable} {self.tail}".strip()


class LocalAgreement:
    """One for each utterance. `heard` gets each new decoding of the whole utterance so far."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._before: list[str] = []

    def heard(self, text: str) -> Partial:
        """What to show after this decoding."""
        words = text.split()
        agreed = _common(words, self._before)
        self._before = words
        if agreed > len(self._stable):
            self._stable += words[len(self._stable) : agreed]
        return Partial(" ".join(self._stable), " ".join(words[len(self._stable) :]))


def _common(these: list[str], those: list[str]) -> int:
    """How many words the two begin with alike; case and punctuation may still move."""
    for number, (this, that) in enumerate(zip(these, those, strict=False)):
        if _bare(this) != _bare(that):
            return number
    return min(len(these), len(those))


def _bare(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum()) or word
