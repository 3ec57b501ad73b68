"""What is known of languages where answers are spoken: a protocol, and the least that does. Knows no voice."""

from __future__ import annotations

from typing import Protocol

from voice.tts.speakable import ENGLISH, Phrases


class Languages(Protocol):
    """Any thread. Languages are ISO 639-1."""

    def of(self, text: str) -> str:
        """The language of a piece of Markdown, "" where it cannot be told. The first time may take a second."""
        ...

    def phrases(self, language: str) -> Phrases:
        """What is said there instead of what cannot be read aloud."""
        ...


class OnlyEnglish:
    """See `Languages`: knows no other."""

    def of(self, text: str) -> str:
        """See `Languages`."""
        return ""

    def phrases(self, language: str) -> Phrases:
        """See `Languages`."""
        return ENGLISH
