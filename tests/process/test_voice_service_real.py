"""The voice service with a real voice process on scripted devices: reading aloud, dictation, conversation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.events import VoiceHappened
from app.read_ahead import ReadAhead
from app.voice import VoiceService
from app.voice_events import HeardText, VoiceEvent, VoiceState, VoiceUse
from tests.end2end.screen import wait_for
from tests.process import voice_children
from tests.process.test_voice_process import SETUP, clip, likeness
from tests.unit.chat_bench import Bench
from tests.voice_audio_weights import voice_audio_folder
from tests.voice_weights import voice_folder
from voice import audio_weights, weights
from voice.client import VoiceClient
from voice.speech.client import SpeechClient
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase

pytestmark = pytest.mark.weights
PATIENCE_S = 60.0
MORNING = "Good morning. The library opens at nine."


class Room(Bench):
    """A bench whose voice process hears and plays files of `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ["Yes, of course."])
        self.folder = folder
        services = self.services
        services.paths.voice.mkdir()
        for files, where in ((weights.FILES, voice_folder()), (audio_weights.FILES, voice_audio_folder())):
            for file in files:
                (services.paths.voice / file.file_name).symlink_to(where / file.file_name)
        services.settings.override("voice.language", "en")
        ahead = ReadAhead(services.store_call, services.engine, services.settings, pool=services.pool)
        entry_point = partial(voice_children.scripted, folder=folder)
        self.voice = services._voice = VoiceService(
            services.paths,
            services.settings,
            services.chat,
            ahead,
            services._publish,
            pool=services.pool,
            make_client=partial(VoiceClient, entry_point=entry_point),
        )

    def told(self) -> list[VoiceEvent]:
        return [event.event for event in self.events.of(VoiceHappened)]

    def until(self, use: VoiceUse, phase: Phase = Phase.OFF) -> None:
        self.events.until(lambda: (self.voice.state.use, self.voice.state.phase) == (use, phase), PATIENCE_S)

    def played(self) -> str:
        """What came out of the loudspeaker, once it is closed."""
        wait_for("the recording", (self.folder / voice_children.HEARD).exists)
        speech = SpeechClient(SETUP.speech)
        try:
            return speech.transcribe(np.load(self.folder / voice_children.HEARD), language="en").text
        finally:
            speech.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


def test_a_text_is_read_aloud_and_then_one_can_talk(room: Room) -> None:
    room.voice.read_aloud("m", MORNING)
    room.events.until(lambda: VoiceState(VoiceUse.READING, message_id="m") in room.told())
    room.until(VoiceUse.NONE)
    samples, text = clip("0930")
    np.save(room.folder / voice_children.QUESTION, samples)
    room.voice.converse(None, Mode.HANDS_FREE)
    room.until(VoiceUse.CONVERSATION, Phase.LISTENING)
    assert likeness(room.played(), MORNING) > 0.8, "the loudspeaker was closed after reading"
    room.until(VoiceUse.CONVERSATION, Phase.SPEAKING)
    room.until(VoiceUse.CONVERSATION, Phase.LISTENING)
    known = room.voice.state.conversation_id
    assert known is not None
    asked, answer = room.path(known)
    assert likeness(asked.text, text) > 0.9 and answer.text == "Yes, of course."
    assert not room.events.notices()


def test_what_is_dictated_is_written_down(room: Room) -> None:
    samples, text = clip("0930")
    np.save(room.folder / voice_children.QUESTION, samples)
    room.voice.dictate()

    def written() -> list[str]:
        return [e.text for e in room.told() if isinstance(e, HeardText) and e.status is TextStatus.COMMITTED]

    room.events.until(lambda: bool(written()), PATIENCE_S)
    room.voice.end_dictation()
    room.until(VoiceUse.NONE)
    assert likeness(" ".join(written()), text) > 0.9
    assert not room.events.notices()


def test_switching_on_and_off_quickly_ends_as_it_was_asked_for(room: Room) -> None:
    for _ in range(3):
        room.voice.converse(None, Mode.PUSH_TO_TALK)
        room.voice.end()
    room.voice.converse(None, Mode.HANDS_FREE)
    room.until(VoiceUse.CONVERSATION, Phase.LISTENING)
    room.voice.end()
    room.until(VoiceUse.NONE)
    assert not room.events.notices()
