"""Voice processes for tests: with a microphone that plays a recording and a loudspeaker that keeps what it is given."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from voice.audio.scripted import RecordingSink, ScriptedSource
from voice.process import Audio, serve
from voice.protocol import MESSAGE_BYTES, Begin, VoiceSetup
from voice.tts.languages import Languages
from voice.types import RATE, Samples

QUESTION, HEARD = "question.npy", "heard.npy"
"""In the folder: samples of `RATE` hertz that the microphone hears once, and all that was played, at the end."""
_BEFORE_S = 0.3


class _Source(ScriptedSource):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def read(self, timeout_s: float) -> Samples | None:
        question = self._folder / QUESTION
        if question.is_file():
            self.say(np.concatenate([np.zeros(int(_BEFORE_S * RATE), np.float32), np.load(question)]))
            question.unlink()
        return super().read(timeout_s)


class _Sink(RecordingSink):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def stop(self) -> None:
        super().stop()
        if self.played:
            whole = self._folder / "heard.part.npy"
            np.save(whole, np.concatenate([block.samples for block in self.played]))
            whole.replace(self._folder / HEARD)


def scripted(connection: Connection, folder: Path, languages: Languages | None = None) -> None:
    """All real but the devices. Give it a folder by `functools.partial`."""

    def open_audio(_setup: VoiceSetup) -> Audio:
        return _Source(folder), _Sink(folder)

    serve(connection, open_audio, languages=languages)


def dies(connection: Connection) -> None:
    """Ends with the first thing it is to do."""
    from voice.protocol import decode_command

    while True:
        if not isinstance(decode_command(connection.recv_bytes(MESSAGE_BYTES)), Begin):
            os._exit(6)


def babbles(connection: Connection) -> None:
    """Sends what is no message."""
    connection.send_bytes(b"\xff" * 100)
    time.sleep(60)


def deaf(connection: Connection) -> None:
    """Obeys nothing, not even to end."""
    while True:
        connection.recv_bytes(MESSAGE_BYTES)
