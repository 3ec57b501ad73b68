"""The voices of this computer, for sentences in a language that Hearth's own voice does not speak. Knows no answer."""

from __future__ import annotations

from engine.errors import VoiceError
from voice.types import Synthesizer

OWN_LANGUAGE = "en"
"""Of Hearth's own voice."""


class OtherVoices:
    """One thread at a time. Nothing is asked of `synthesizer` before the first sentence in another language."""

    def __init__(self, synthesizer: Synthesizer) -> None:
        self.synthesizer = synthesizer
        self._by_language: dict[str, str] | None = None

    def voice_in(self, language: str) -> str | None:
        """The id of a voice that speaks it; None for Hearth's own language, and where there is no such voice."""
        if language in ("", OWN_LANGUAGE):
            return None
        if self._by_language is None:
            try:
                voices = self.synthesizer.voices()
            except VoiceError:
                voices = ()  # this computer has none
            self._by_language = {voice.language: voice.id for voice in reversed(voices) if voice.language}
        return self._by_language.get(language)


def voice_for(language: str, own: Synthesizer, voice: str, others: OtherVoices | None) -> tuple[Synthesizer, str]:
    """Who says a sentence in a language, and with which voice: `own` with `voice`, unless one of `others` speaks it."""
    other = others.voice_in(language) if others is not None else None
    return (own, voice) if others is None or other is None else (others.synthesizer, other)
