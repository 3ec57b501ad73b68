"""Text to speech by `pyttsx3`: the voices that the system has (macOS, Windows; espeak-ng on Linux).

It can hang: so it is given a sentence at a time, what it wrote is looked at, and it has a process of its own, which
can be killed. Knows no process itself.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np

from engine.cancel import CancelToken
from engine.errors import VoiceError, sentence
from voice.tts.trim import trimmed
from voice.types import Sound, VoiceName

_NO_VOICE = sentence(
    "This computer has no voice installed. On Linux install “espeak-ng”; elsewhere add a voice in the system's "
    "settings."
)
_SILENT = sentence("The system's voice said nothing. Choose another voice.")
_SLOWEST, _FASTEST = 0.5, 3.0


class SystemVoice:
    """A `Synthesizer`. Raises `VoiceError` where the system has no voice."""

    def __init__(self) -> None:
        import pyttsx3  # noqa: PLC0415  # loads the system's speech

        try:
            self._engine: Any = pyttsx3.init()
            own = self._engine.getProperty("voice")
            voices = [_voice_name(voice) for voice in self._engine.getProperty("voices") or ()]
            self._rate = float(self._engine.getProperty("rate") or 200)
        except (OSError, RuntimeError, ImportError, AttributeError) as error:
            raise VoiceError(_NO_VOICE) from error
        if not voices:
            raise VoiceError(_NO_VOICE)
        self._voices = tuple(sorted(voices, key=lambda voice: voice.id != own))
        if sys.platform == "linux":
            # The first loop of pyttsx3 (2.99) returns before it has spoken; later ones wait.
            self._engine.runAndWait()

    @property
    def name(self) -> str:
        return f"pyttsx3, {self._engine}"

    def voices(self) -> Sequence[VoiceName]:
        return self._voices

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        if cancel is not None and cancel.cancelled:
            raise CancelledError
        known = {each.id for each in self._voices}
        self._engine.setProperty("voice", voice if voice in known else self._voices[0].id)
        self._engine.setProperty("rate", int(self._rate * min(max(speed, _SLOWEST), _FASTEST)))
        _wait_for_espeak()
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, "sentence.wav")
            self._engine.save_to_file(text, str(written))
            self._engine.runAndWait()
            _wait_for_espeak()
            if cancel is not None and cancel.cancelled:
                raise CancelledError
            return trimmed(_read(written))

    def close(self) -> None:
        self._engine = None


def _wait_for_espeak() -> None:
    """Until espeak-ng has nothing more to do: it works in a thread of its own, even where only its speed is set.

    The loop of pyttsx3 (2.99) begins with a stop of what is under way, which would be just that, or the sentence.
    """
    if sys.platform != "linux":
        return
    from pyttsx3.drivers import _espeak  # noqa: PLC0415  # loads the system's speech

    _espeak.Synchronize()


def _read(path: Path) -> Sound:
    """A WAV file (AIFF on macOS), as mono. Raises `VoiceError` where there is none, or nothing in it."""
    import soundfile  # noqa: PLC0415  # loads libsndfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise VoiceError(_SILENT) from error
    if not len(samples):
        raise VoiceError(_SILENT)
    return Sound(np.ascontiguousarray(samples.mean(axis=1), np.float32), int(rate))


def _voice_name(voice: Any) -> VoiceName:
    languages = list(voice.languages or ())
    spoken = languages[0] if languages else ""
    tag = spoken.decode("ascii", "ignore") if isinstance(spoken, bytes) else str(spoken)
    letters = "".join(character for character in tag if character.isalpha() or character in "-_")
    language = letters.replace("_", "-").split("-")[0].lower()
    return VoiceName(str(voice.id), str(voice.name), language if len(language) == 2 else "")
