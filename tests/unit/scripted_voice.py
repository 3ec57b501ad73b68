"""A voice client for tests: keeps what it is told to do; the test tells its listener what the voice would."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

from app.weights_bundle import VOICE
from engine.errors import VoiceError
from voice.audio.devices import AudioDevice
from voice.listener import Listener
from voice.protocol import VoiceSetup
from voice.turn_events import Mode
from voice.turn_state import Phase
from voice.types import VoiceChoice

WAIT_S = 20.0


class ScriptedVoice:
    """See `voice.client.VoiceClient`."""

    def __init__(self, setup: VoiceSetup, listener: Listener) -> None:
        self.setup, self.listener = setup, listener
        self.pid: int | None = 1
        self.calls: list[tuple[object, ...]] = []
        self.refuses: VoiceError | None = None
        self.readings: list[Future[None]] = []
        self.waits_for_name = False
        self._changed = threading.Condition()

    def wait(self, *call: object, count: int = 1) -> None:
        """Until it was told that, so many times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.calls.count(call) >= count, WAIT_S), (call, self.calls)

    def wait_for(self, name: str, count: int = 1) -> None:
        def found() -> bool:
            return [call[0] for call in self.calls].count(name) >= count

        with self._changed:
            assert self._changed.wait_for(found, WAIT_S), (name, self.calls)

    def _note(self, *call: object) -> None:
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()

    def turn_on(self, mode: Mode, *, half_duplex: bool | None = None, waits_for_name: bool = False) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.waits_for_name = waits_for_name
        self._note("on", mode)

    def turn_off(self) -> None:
        self._note("off")

    def key(self, down: bool) -> None:
        self._note("key", down)

    def mute(self, muted: bool) -> None:
        self._note("mute", muted)

    def pause(self, paused: bool) -> None:
        self._note("pause", paused)

    def stop(self) -> None:
        self._note("stop")

    def choose(self, *, voice: VoiceChoice | None = None, language: str | None = None) -> None:
        self._note("choose", voice, language)

    def say(self, question: int, delta: str) -> None:
        self._note("say", question, delta)

    def progressed(self, question: int) -> None:
        pass

    def end_weighed(self, question: int, probability: float | None) -> None:
        pass

    def answer_ended(self, question: int) -> None:
        self._note("ended", question)

    def devices(self) -> Future[tuple[AudioDevice, ...]]:
        future: Future[tuple[AudioDevice, ...]] = Future()
        future.set_result(())
        return future

    def read(self, text: str) -> Future[None]:
        self.readings.append(Future())
        self._note("read", text)
        return self.readings[-1]

    def stop_reading(self) -> None:
        self._note("stop_reading")

    def set_up(self, setup: VoiceSetup) -> None:
        self.setup = setup
        self._note("set_up")
        if self.pid is not None:
            self.listener.phase_changed(Phase.OFF)

    def close(self) -> None:
        self._note("close")


def put_weights(folder: Path) -> None:
    """Files of the right size, which is all that is looked at before the voice process starts."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in VOICE.files:
        with (folder / file.file_name).open("wb") as empty:
            empty.truncate(file.size_bytes)
