"""Hearing and speaking for other programs: which voice a name stands for, and the processes that do the work.

The processes start with the first request that needs them and end with `close`. Knows no server and no sound format.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.api.faults import BusyError, InvalidRequestError
from app.api.transcripts import Heard
from app.paths import Paths
from app.settings import Settings
from app.spoken_languages import SpokenLanguages
from app.voice_choice import all_voices, chosen_setup, chosen_voice
from app.voice_setup import require_weights, speech_choice
from engine.cancel import CancelToken
from voice.files import transcribe_file
from voice.speech.choice import Speaking, SpeechChoice
from voice.speech.client import SpeechClient
from voice.tts.other_voices import OtherVoices
from voice.tts.sentences import Chunk, spoken_sentences
from voice.types import Samples, Segment, Sound, Transcript, VoiceChoice, VoiceName

OPENAI_VOICES = frozenset(
    ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse")
)
"""Names that clients have built in; here each of them is the voice of the settings."""


class LocalSpeech:
    """A `app.api.ports.Speech` by the recogniser and the voices of this computer."""

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        *,
        make_client: Callable[[SpeechChoice], SpeechClient] = SpeechClient,
        list_voices: Callable[[Paths], Sequence[tuple[str, VoiceName]]] = all_voices,
    ) -> None:
        self._paths = paths
        self._settings = settings
        self._make_client = make_client
        self._list_voices = list_voices
        self._lock = threading.Lock()
        self._choosing = threading.Lock()
        self._clients: dict[Speaking, SpeechClient] = {}
        self._voices: Sequence[tuple[str, VoiceName]] | None = None
        self._others: OtherVoices | None = None
        self._closed = False

    def hear(self, recording: Path, *, language: str = "", cancel: CancelToken | None = None) -> Heard:
        require_weights(self._paths)
        noted = _Noting(self._client(Speaking.HIBARI))
        length = 0.0

        def note_length(heard_s: float, _all_s: float | None) -> None:
            nonlocal length
            length = heard_s

        segments: tuple[Segment, ...] = tuple(
            transcribe_file(recording, noted, language=language, on_progress=note_length, cancel=cancel)
        )
        return Heard(segments, length, language or noted.language)

    def speak(
        self, text: str, *, voice: str = "", speed: float = 1.0, cancel: CancelToken | None = None
    ) -> Iterator[Sound]:
        speaking, chosen = self._chosen(voice)
        sentences = spoken_sentences(text, languages=SpokenLanguages())
        if not sentences:
            raise InvalidRequestError("There is nothing to say in this text.", param="input")
        speed *= chosen.speed
        self._client(speaking)  # tells before the first sound that nothing can be spoken any more

        def said(sentence: Chunk) -> Sound:
            # Hearth's own voice speaks one language; one of this computer speaks everything, as in a conversation.
            other = self._voice_in(sentence.language) if speaking.is_english else None
            client = self._client(speaking if other is None else Speaking.SYSTEM)
            return client.synthesize(sentence.text, voice=other or chosen.voice, speed=speed, cancel=cancel)

        return map(said, sentences)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _chosen(self, name: str) -> tuple[Speaking, VoiceChoice]:
        """The named voice, else that of the settings. Blocks while voices are asked for."""
        if not name or name.casefold() in OPENAI_VOICES:
            return chosen_setup(self._paths, self._settings).speech.speaking, chosen_voice(self._settings)
        with self._choosing:  # voices are asked for once
            if self._voices is None:
                self._voices = self._list_voices(self._paths)
            voices = self._voices
        for value, known in voices:
            if name.casefold() in (value.casefold(), known.id.casefold(), known.name.casefold()):
                return Speaking(value.partition(":")[0]), VoiceChoice(known.id)
        names = ", ".join(known.name for _value, known in voices)
        raise InvalidRequestError(
            "There is no voice “{name}”. There are: {voices}", param="voice", name=name, voices=names
        )

    def _voice_in(self, language: str) -> str | None:
        with self._choosing:
            self._others = self._others or OtherVoices(self._client(Speaking.SYSTEM))
            return self._others.voice_in(language)

    def _client(self, speaking: Speaking) -> SpeechClient:
        with self._lock:
            if self._closed:
                raise BusyError("Hearth is closing.")
            if speaking not in self._clients:
                self._clients[speaking] = self._make_client(replace(speech_choice(self._paths), speaking=speaking))
            return self._clients[speaking]


class _Noting:
    """A transcriber that remembers the language of the first words."""

    def __init__(self, inner: SpeechClient) -> None:
        self._inner = inner
        self.language = ""

    @property
    def name(self) -> str:
        return self._inner.name

    def transcribe(self, samples: Samples, *, language: str = "", cancel: CancelToken | None = None) -> Transcript:
        heard = self._inner.transcribe(samples, language=language, cancel=cancel)
        if heard.text and not self.language:
            self.language = heard.language
        return heard

    def close(self) -> None:
        """The client stays: it is not this one's."""
