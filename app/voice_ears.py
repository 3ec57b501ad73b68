"""What hears recordings for the library: the light recogniser, in a speech process of its own, behind all other work.

Knows no library and no window. Runs in the library process; the speech process ends when there is nothing to hear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from engine.cancel import CancelToken
from engine.display_name import display_name
from engine.errors import VoiceError, sentence
from engine.worker.child import EntryPoint
from engine.worker.settle import give_way
from voice.files import transcribe_file
from voice.speech.child import run_speech
from voice.speech.choice import SpeechChoice
from voice.speech.client import SpeechClient
from voice.types import Segment
from voice.weights import WHISPER_TINY

_MISSING = sentence(
    "“{name}” is a recording, and the models that hear are not on this computer yet. Fetch them with “hearth fetch "
    "voice”, and try again."
)


def run_patient_speech(connection: Connection) -> None:
    """The speech process's entry point: whoever speaks or reads is served first."""
    give_way()
    run_speech(connection)


class VoiceEars:
    """A `rag.recordings.Ears` with the models in `folder`, which are looked for each time: they may be fetched late."""

    def __init__(self, folder: Path, *, entry_point: EntryPoint = run_patient_speech) -> None:
        self._folder = folder
        self._entry_point = entry_point
        self._speech: SpeechClient | None = None

    def hear(
        self, path: Path, *, on_progress: Callable[[float, float | None], None], cancel: CancelToken
    ) -> Iterator[Segment]:
        """As `voice.files.transcribe_file`; also raises `VoiceError` while the models are not there."""
        if not WHISPER_TINY.is_whole(self._folder):
            raise VoiceError(_MISSING, name=display_name(path.name))
        if self._speech is None:
            choice = SpeechChoice(self._folder / WHISPER_TINY.file_name)
            self._speech = SpeechClient(choice, entry_point=self._entry_point)
        return transcribe_file(path, self._speech, on_progress=on_progress, cancel=cancel)

    def rest(self) -> None:
        """End the speech process; the next recording starts another."""
        speech, self._speech = self._speech, None
        if speech is not None:
            speech.close()
