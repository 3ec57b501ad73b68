"""What hears and speaks, by way of the speech process: starts it, asks it, ends it when it must. Loads no model.

What speaks otherwise than hibari, which takes milliseconds, gets a second process of the same kind: the system's
voices hang now and then, and to end them must not cost the recogniser, which takes a while to load; Kokoro takes more
than half as long as it speaks, and what is heard meanwhile must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from engine.cancel import CancelToken
from engine.errors import VoiceError, VoiceWeightsError, sentence
from engine.worker.child import EntryPoint
from voice.speech.child import Answer, SpeechChild, run_speech
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.messages import (
    LONGEST_S,
    LONGEST_TEXT,
    Heard,
    Job,
    ListVoices,
    Prepare,
    Spoken,
    Synthesize,
    Transcribe,
    Voices,
)
from voice.types import RATE, Samples, Sound, Transcript, VoiceName

LIMIT_S = 30.0
"""For a job, the loading of its model included."""
_LIMIT_FACTOR = 4.0
"""For each second of sound as much again: the slowest recogniser on a busy machine."""
_LIMIT_A_CHARACTER_S = 0.3
"""To speak it: likewise."""
_TOO_LONG = sentence("That is more than {minutes} minutes of speech at once. Record less, or add it as a file.")
_TOO_MUCH_TEXT = sentence("That is too much text to speak at once ({characters} characters).")
_NONE: Samples = np.zeros(0, np.float32)


class SpeechClient:
    """A `Transcriber` and a `Synthesizer` that any thread may use, also several at once. `close` ends its processes.

    `limit_s` is what a job may take. After a crash or an end by force the next job starts a new process. With
    `on_own_voice`, Hearth's own voice speaks from then on where the files of the one that was chosen cannot be used;
    it is called with why, once, by whoever wanted something spoken.
    """

    def __init__(
        self,
        choice: SpeechChoice,
        *,
        entry_point: EntryPoint = run_speech,
        limit_s: float = LIMIT_S,
        on_own_voice: Callable[[VoiceError], None] | None = None,
    ) -> None:
        self._choice = choice
        self._limit_s = limit_s
        self._on_own_voice = on_own_voice
        self._ears = SpeechChild(replace(choice, speaking=Speaking.HIBARI), entry_point)
        self._mouth = self._ears if choice.speaking is Speaking.HIBARI else SpeechChild(choice, entry_point)

    @property
    def name(self) -> str:
        return f"{self._choice.hearing}, {self._choice.model.stem}; {self._choice.speaking}"

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that run now."""
        found = dict.fromkeys((self._ears.pid, self._mouth.pid))
        return tuple(pid for pid in found if pid is not None)

    def prepare(self, *, hearing: bool = True, speaking: bool = True, cancel: CancelToken | None = None) -> None:
        """Load the models now rather than with the first word. Blocks. Raises `VoiceError`, `CancelledError`."""
        if self._mouth is not self._ears and speaking:
            self._asked_to_speak(lambda job: Prepare(job, False, True), self._limit_s, cancel)
            speaking = False
        if hearing or speaking:
            self._ears.ask(lambda job: Prepare(job, hearing, speaking), _NONE, limit_s=self._limit_s, cancel=cancel)

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        """As `Transcriber.transcribe`; also raises `VoiceError` where it takes too long."""
        seconds = len(samples) / RATE
        if seconds > LONGEST_S:
            raise VoiceError(_TOO_LONG, minutes=LONGEST_S // 60)
        limit_s = self._limit_s + _LIMIT_FACTOR * seconds
        report, _ = self._ears.ask(lambda job: Transcribe(job, language), samples, limit_s=limit_s, cancel=cancel)
        assert isinstance(report, Heard)
        return Transcript(report.text, report.segments, report.language)

    def voices(self) -> Sequence[VoiceName]:
        """The first is the default. Blocks while the synthesizer loads. Raises `VoiceError`."""
        report, _ = self._mouth.ask(ListVoices, _NONE, limit_s=self._limit_s)
        assert isinstance(report, Voices)
        return report.voices

    def synthesize(self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None) -> Sound:
        """As `Synthesizer.synthesize`; also raises `VoiceError` where it takes too long."""
        if len(text) > LONGEST_TEXT:
            raise VoiceError(_TOO_MUCH_TEXT, characters=len(text))
        limit_s = self._limit_s + _LIMIT_A_CHARACTER_S * len(text)
        report, samples = self._asked_to_speak(lambda job: Synthesize(job, text, voice, speed), limit_s, cancel)
        assert isinstance(report, Spoken)
        return Sound(samples, report.rate)

    def _asked_to_speak(self, job: Callable[[int], Job], limit_s: float, cancel: CancelToken | None) -> Answer:
        try:
            return self._mouth.ask(job, _NONE, limit_s=limit_s, cancel=cancel)
        except VoiceWeightsError as error:
            if self._on_own_voice is None:
                raise
            unused, self._mouth = self._mouth, self._ears
            if unused is not self._ears:
                unused.close()
                self._on_own_voice(error)
            return self._mouth.ask(job, _NONE, limit_s=limit_s, cancel=cancel)

    def close(self) -> None:
        """End the processes; what is under way fails with a sentence. May be called again."""
        self._ears.close()
        self._mouth.close()
