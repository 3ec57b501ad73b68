"""What was heard in a recording, in the forms that OpenAI's clients ask for. Knows no recogniser and no server.

Follows OpenAI's "Create transcription", which names languages in English words where it is verbose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voice.files import srt, vtt
from voice.types import Segment

_LANGUAGES = {
    "ar": "arabic", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "he": "hebrew", "hi": "hindi", "hu": "hungarian", "id": "indonesian",
    "it": "italian", "ja": "japanese", "ko": "korean", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish", "uk": "ukrainian",
    "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole recording: `seconds` long, `language` ISO 639-1, "" unknown."""

    segments: tuple[Segment, ...]
    seconds: float
    language: str = ""

    @property
    def text(self) -> str:
        return " ".join(segment.text.strip() for segment in self.segments if segment.text.strip())


def as_json(heard: Heard) -> dict[str, object]:
    """The body of `json`."""
    return {"text": heard.text, "usage": {"type": "duration", "seconds": round(heard.seconds)}}


def as_verbose_json(heard: Heard) -> dict[str, object]:
    """The body of `verbose_json`.

    Clients with strict types insist on what Whisper's decoder thinks of each segment. That is not known here: it is
    given as of a segment that is surely speech, so that nobody sorts it out.
    """
    return {
        "task": "transcribe",
        "language": _LANGUAGES.get(heard.language, heard.language),
        "duration": round(heard.seconds, 3),
        "segments": [
            {
                "id": number,
                "start": round(segment.start_s, 3),
                "end": round(segment.end_s, 3),
                "text": segment.text,
                "seek": 0,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": 0.0,
                "compression_ratio": 1.0,
                "no_speech_prob": 0.0,
            }
            for number, segment in enumerate(heard.segments)
        ],
        **as_json(heard),
    }


PLAIN: dict[str, tuple[Callable[[Heard], str], str]] = {
    "text": (lambda heard: heard.text + "\n", "text/plain"),
    "srt": (lambda heard: srt(heard.segments), "application/x-subrip"),
    "vtt": (lambda heard: vtt(heard.segments), "text/vtt"),
}
"""How the other formats are written, and their media types."""
