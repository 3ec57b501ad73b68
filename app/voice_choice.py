"""What the settings say of voice, as the voice process takes it. Opens nothing; knows no window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.paths import Paths
from app.personas.persona import SpeechStyle
from app.settings import Settings
from app.voice_setup import speech_choice, voice_setup, voices_of
from engine.errors import VoiceError, sentence
from voice.protocol import VoiceSetup
from voice.speech.choice import Speaking
from voice.types import VoiceChoice, VoiceName

PREFIX = "voice."
_MISSING = sentence(
    "The voice “{name}” of this persona is not on this computer, so another one speaks. See the voices in the settings."
)
OWN = SpeechStyle()
"""The person's own settings."""


def chosen_setup(paths: Paths, settings: Settings, style: SpeechStyle = OWN) -> VoiceSetup:
    """Devices, echo cancellation and backends; what a persona's `style` says of them comes first."""
    setup = voice_setup(paths)
    speaking, _voice = _parted(style.voice or settings.text("voice.voice"))
    return replace(
        setup,
        speech=replace(setup.speech, speaking=speaking),
        microphone=settings.text("voice.microphone"),
        loudspeaker=settings.text("voice.loudspeaker"),
        cancels_echo=settings.flag("voice.cancels_echo"),
    )


def chosen_voice(settings: Settings, style: SpeechStyle = OWN) -> VoiceChoice:
    """Which voice of the backend, and its speed."""
    _speaking, voice = _parted(style.voice or settings.text("voice.voice"))
    return VoiceChoice(voice, style.speed or settings.number("voice.speed"))


class KnownVoices:
    """The voices of this computer, looked for when a persona names one that is not known. One thread."""

    def __init__(self, paths: Paths, on_missing: Callable[[VoiceError], None]) -> None:
        """`on_missing` is told once of each voice that a persona asks for in vain."""
        self._paths = paths
        self._on_missing = on_missing
        self._values: frozenset[str] = frozenset()
        self._missed: set[str] = set()

    def usable(self, style: SpeechStyle) -> SpeechStyle:
        """Without a voice that this computer does not have. May block."""
        wanted = style.voice
        if wanted and wanted not in self._values:
            self._values = frozenset(value for value, _voice in all_voices(self._paths))
        if not wanted or wanted in self._values:
            return style
        if wanted not in self._missed:
            self._missed.add(wanted)
            self._on_missing(VoiceError(_MISSING, name=_parted(wanted)[1] or wanted))
        return replace(style, voice="")


def all_voices(paths: Paths) -> tuple[tuple[str, VoiceName], ...]:
    """Each voice with its value for the setting `voice.voice`: Hearth's own, then this computer's. Blocks.

    A backend that is not to be had on this computer has no voices.
    """
    choice = speech_choice(paths)
    return tuple(
        (f"{speaking.value}:{voice.id}", voice) for speaking in Speaking for voice in voices_of(choice, speaking)
    )


def _parted(value: str) -> tuple[Speaking, str]:
    """Backend and voice id; Hearth's own where the value is "" or unknown."""
    backend, _, voice = value.partition(":")
    return (Speaking(backend), voice) if backend in list(Speaking) else (Speaking.HIBARI, "")
