"""A voice process on scripted devices that is spoken to from outside, in real time, and what its loudspeaker played.

All of it is real but the sound card: the process, its detectors, canceller, recogniser and voice. What is to be said
lies in numbered files; when its last sample was heard, and every block that sounded, are lines of text beside them.
Times are the system's monotonic clock, which all processes share; a device's own latency is not in them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil

from tests.process.conversation import Companion
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import whisper_tiny
from tests.waiting import until
from voice.audio.resampling import resample
from voice.audio.scripted import RecordingSink, ScriptedSource, SimulatedRoom, room_impulse
from voice.client import VoiceClient
from voice.listener import Listener
from voice.process import Audio, serve
from voice.protocol import VoiceSetup
from voice.speech.choice import SpeechChoice
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import RATE, Samples

DEVICE_RATE = 48_000
PATIENCE_S = 60.0
_SAID, _SOUNDED = "said.txt", "sounded.txt"
_AUDIBLE = 10 ** (-50 / 20)
"""-50 dB: what is softer is silence."""


@dataclass(frozen=True, slots=True)
class Block:
    """What the loudspeaker played for 20 ms from `at_s` on; `level` is its root mean square."""

    at_s: float
    level: float


class _Source(ScriptedSource):
    def __init__(self, folder: Path, room: SimulatedRoom | None) -> None:
        super().__init__(DEVICE_RATE, room=room)
        self._folder = folder
        self._n_said = 0

    def read(self, timeout_s: float) -> Samples | None:
        wanted = self._folder / f"{self._n_said + 1}.npy"
        if wanted.exists():
            self._n_said += 1
            end_s = self.say(np.load(wanted))
            with (self._folder / _SAID).open("a") as said:
                said.write(f"{end_s}\n")
        return super().read(timeout_s)


class _Sink(RecordingSink):
    def __init__(self, folder: Path, room: SimulatedRoom | None) -> None:
        super().__init__(DEVICE_RATE, room=room)
        self._sounded = (folder / _SOUNDED).open("a", buffering=1)

    def _play(self, now_s: float) -> None:
        super()._play(now_s)
        played, self._played = self._played, []
        for block in played:
            self._sounded.write(f"{block.at_s} {np.sqrt(np.mean(np.square(block.samples)))}\n")


def scripted(connection: Connection, folder: Path, echo: bool) -> None:
    """The process's entry point; with `echo` the loudspeaker is heard by the microphone, 10 dB softer."""
    impulse = room_impulse(DEVICE_RATE, gain_db=-10, delay_s=0.03, tail_s=0.25)

    def open_audio(_setup: VoiceSetup) -> Audio:
        room = SimulatedRoom(impulse, DEVICE_RATE) if echo else None
        return _Source(folder, room), _Sink(folder, room)

    serve(connection, open_audio)


class Booth:
    """Hands-free and listening, once it is made. `folder` is for its files."""

    def __init__(
        self, folder: Path, companion: Companion, listener: Listener | None = None, *, echo: bool = False
    ) -> None:
        self.folder = folder
        self.companion = companion
        self._n_said = 0
        setup = VoiceSetup(voice_audio_folder(), SpeechChoice(whisper_tiny()))
        entry_point = partial(scripted, folder=folder, echo=echo)
        self.voice = VoiceClient(setup, listener or companion, entry_point=entry_point)
        companion.pipeline = self.voice
        self.voice.choose(language="en")

    def listen(self) -> None:
        """Begin, and load what hears and speaks."""
        self.voice.turn_on(Mode.HANDS_FREE)
        self.companion.wait("phase", Phase.LISTENING, timeout_s=PATIENCE_S)
        self.voice.voices().result(PATIENCE_S)

    def say(self, samples: Samples) -> float:
        """Into the microphone (`RATE` hertz); the time at which its last sample is heard."""
        self._n_said += 1
        path = self.folder / f"{self._n_said}.npy"
        half = path.with_suffix(".half")
        with half.open("wb") as file:
            np.save(file, resample(samples, RATE, DEVICE_RATE))
        half.rename(path)
        said = self.folder / _SAID
        until(lambda: said.exists() and len(said.read_text().splitlines()) >= self._n_said, PATIENCE_S)
        return float(said.read_text().splitlines()[self._n_said - 1])

    def sounded(self, since_s: float = 0.0) -> list[Block]:
        """What could be heard from then on."""
        found = self.folder / _SOUNDED
        if not found.exists():
            return []
        lines = found.read_text().splitlines(keepends=True)
        pairs = [line.split() for line in lines if line.endswith("\n")]
        blocks = [Block(float(at_s), float(level)) for at_s, level in pairs]
        return [block for block in blocks if block.at_s >= since_s and block.level > _AUDIBLE]

    def first_sound(self, since_s: float) -> Block:
        """Waits for it."""
        until(lambda: bool(self.sounded(since_s)), PATIENCE_S)
        return self.sounded(since_s)[0]

    def processes(self) -> list[psutil.Process]:
        """The voice process and the one that hears and speaks."""
        voice = psutil.Process(self.voice.pid)
        return [voice, *voice.children(recursive=True)]

    def close(self) -> None:
        self.voice.close()


def load() -> float:
    """Programs that want a core, over the last minute: others may work here too."""
    return os.getloadavg()[0]
