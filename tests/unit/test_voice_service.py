"""Microphone and loudspeaker for one thing at a time, on a scripted voice: what is ordered, shown and survived."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from app.events import Notice, Streamed, VoiceHappened
from app.persona_voice import PersonaVoice
from app.personas.persona import Persona, SpeechStyle
from app.read_ahead import ReadAhead
from app.store.types import UnspokenPart
from app.voice import VoiceService
from app.voice_events import HeardSoFar, HeardText, SpokenSoFar, VoiceLevel, VoiceState, VoiceUse
from engine.errors import VoiceError
from engine.fake import FakeAnswer
from tests.unit.chat_bench import WAIT_S, Bench
from tests.unit.scripted_voice import ScriptedVoice, put_weights
from voice.audio.streams import DeviceError, Fault
from voice.stt.partials import Partial
from voice.turn_events import Mode, TextStatus
from voice.turn_state import Phase
from voice.types import VoiceChoice

T = TypeVar("T")


class VoiceBench(Bench):
    """A bench with a voice service on a scripted client."""

    def __init__(self, folder: Path, *script: FakeAnswer | str, weights: bool = True) -> None:
        super().__init__(folder, script)
        services = self.services
        self.clients: list[ScriptedVoice] = []
        if weights:
            put_weights(services.paths.voice)
        ahead = ReadAhead(services.store_call, services.engine, services.settings, pool=services.pool)
        heard = PersonaVoice(services.store_call, services.persona_of, lambda: services.personas.default)
        self.voice = services._voice = VoiceService(
            services.paths,
            services.settings,
            services.chat,
            ahead,
            services._publish,
            pool=services.pool,
            make_client=self._make,  # type: ignore[arg-type]
            style_of=heard.of_conversation,
            style_of_message=heard.of_message,
        )

    def _make(self, setup: object, listener: object) -> ScriptedVoice:
        self.clients.append(ScriptedVoice(setup, listener))  # type: ignore[arg-type]
        return self.clients[-1]

    @property
    def client(self) -> ScriptedVoice:
        (client,) = self.clients
        return client

    def told(self, kind: type[T]) -> list[T]:
        return [event.event for event in self.events.of(VoiceHappened) if isinstance(event.event, kind)]

    def wait(self, holds: Callable[[VoiceState], bool]) -> VoiceState:
        """Until the state that was shown last is so."""
        self.events.until(lambda: holds(self.voice.state) and self.told(VoiceState)[-1:] == [self.voice.state])
        return self.voice.state

    def converse(self, mode: Mode = Mode.HANDS_FREE, conversation_id: str | None = None) -> ScriptedVoice:
        """Begin, and open the devices."""
        self.voice.converse(conversation_id, mode)
        self.wait(lambda state: state.use is VoiceUse.CONVERSATION)
        self.client.wait("on", mode)
        self.client.listener.phase_changed(Phase.LISTENING)
        return self.client

    def say(self, text: str, question: int = 1) -> None:
        """A whole question by speech."""
        listener = self.client.listener
        listener.ask(question, question, text)
        listener.commit(question, question, text)
        listener.text(question, text, TextStatus.COMMITTED)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., VoiceBench]]:
    made: list[VoiceBench] = []

    def make(*script: FakeAnswer | str, weights: bool = True) -> VoiceBench:
        made.append(VoiceBench(tmp_path, *script, weights=weights))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_conversation_begins_with_its_first_question_and_says_where_it_stands(
    bench: Callable[..., VoiceBench],
) -> None:
    b = bench("It is noon.")
    client = b.converse()
    assert b.told(VoiceState) == [
        VoiceState(VoiceUse.CONVERSATION, Phase.OPENING, Mode.HANDS_FREE),
        VoiceState(VoiceUse.CONVERSATION, Phase.LISTENING, Mode.HANDS_FREE),
    ]
    client.listener.level(0.1, 0.0)
    client.listener.partial(1, Partial("What time", "is"))
    assert b.told(VoiceLevel) == [VoiceLevel(0.1, 0.0)] and b.told(HeardSoFar) == [HeardSoFar("What time", "is")]
    b.say("What time is it?")
    client.wait("ended", 1)
    assert b.chat.wait_until_idle(WAIT_S)
    known = b.wait(lambda state: state.conversation_id is not None).conversation_id
    assert known is not None
    asked, answer = b.path(known)
    assert (asked.text, answer.text) == ("What time is it?", "It is noon.")
    assert "".join(str(call[2]) for call in client.calls if call[0] == "say") == "It is noon."
    client.listener.spoken(1, 11)
    assert b.told(SpokenSoFar) == [SpokenSoFar(answer.id, 11)]
    assert b.told(HeardText)[-1] == HeardText("What time is it?", TextStatus.COMMITTED)


def test_an_interrupted_answer_keeps_what_was_heard(bench: Callable[..., VoiceBench]) -> None:
    b = bench("One two three.")
    client = b.converse()
    b.say("Count")
    client.wait("ended", 1)
    assert b.chat.wait_until_idle(WAIT_S)
    client.listener.interrupted(1, 3)
    known = b.wait(lambda state: state.conversation_id is not None).conversation_id
    assert known is not None
    b.events.until(lambda: UnspokenPart(" two three.") in b.path(known)[1].parts)


def test_ending_closes_the_devices_and_what_still_comes_is_of_no_matter(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse()
    b.voice.end()
    b.wait(lambda state: state == VoiceState())
    client.wait("off")
    client.listener.phase_changed(Phase.OFF)
    assert b.voice.state == VoiceState()


def test_a_question_that_waits_for_an_answer_to_end_is_asked_though_the_conversation_ends_first(
    bench: Callable[..., VoiceBench],
) -> None:
    gate, hold = threading.Event(), threading.Event()
    b = bench(FakeAnswer("A long story", end_gate=gate), "Yes.")
    b.converse()
    b.say("Tell")
    known = b.wait(lambda state: state.conversation_id is not None).conversation_id
    assert known is not None
    b.events.wait(lambda event: isinstance(event, Streamed))
    b.services.store_call(lambda _store: hold.wait(WAIT_S))
    b.say("Still there?", 2)
    b.voice.end()
    b.wait(lambda state: state.use is VoiceUse.NONE)
    hold.set()
    b.events.until(lambda: [each.text for each in b.path(known)][2:] == ["Still there?", "Yes."])


def test_nobody_is_listened_to_unseen(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse()
    b.voice.end()
    client.wait("off")
    client.listener.phase_changed(Phase.LISTENING)
    client.wait("off", count=2)
    assert b.voice.state.use is VoiceUse.NONE


def test_that_an_earlier_time_is_off_does_not_end_the_next(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse()
    b.voice.end()
    b.voice.converse(None, Mode.PUSH_TO_TALK)
    client.wait("off")
    for phase in (Phase.ERROR, Phase.OPENING, Phase.OFF):
        client.listener.phase_changed(phase)
    client.wait("on", Mode.PUSH_TO_TALK)
    assert b.voice.state.use is VoiceUse.CONVERSATION
    client.listener.phase_changed(Phase.OFF)
    assert b.voice.state.use is VoiceUse.CONVERSATION, "it has not opened yet"
    client.listener.phase_changed(Phase.LISTENING)
    client.listener.phase_changed(Phase.OFF)
    assert b.voice.state.use is VoiceUse.NONE


def test_a_crash_says_why_it_is_off(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse()
    client.pid = None
    client.listener.notice(VoiceError("It fell over."))
    client.listener.phase_changed(Phase.OFF)
    assert b.voice.state == VoiceState(problem="It fell over.")
    assert b.events.notices() == ["It fell over."]


def test_a_microphone_that_is_gone_is_named_until_it_is_back(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    listener = b.converse().listener
    gone = DeviceError(Fault.MICROPHONE_GONE)
    listener.notice(gone)
    for phase in (Phase.ERROR, Phase.OPENING, Phase.ERROR):
        listener.phase_changed(phase)
        assert (b.voice.state.phase, b.voice.state.problem) == (phase, str(gone))
    listener.phase_changed(Phase.LISTENING)
    assert b.voice.state.problem == ""
    listener.notice(DeviceError(Fault.SILENT))
    assert "silence" in b.voice.state.problem
    listener.phase_changed(Phase.USER_SPEAKING)
    assert b.voice.state.problem == ""


def test_without_weights_there_is_a_sentence_and_no_process(bench: Callable[..., VoiceBench]) -> None:
    b = bench(weights=False)
    assert not b.voice.is_ready
    b.voice.converse(None, Mode.HANDS_FREE)
    state = b.wait(lambda state: bool(state.problem))
    assert state.use is VoiceUse.NONE and b.events.notices() == [state.problem] and not b.clients


def test_a_process_that_cannot_start_is_a_sentence(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    b.converse()
    b.client.refuses = VoiceError("No room.")
    b.voice.converse(None, Mode.PUSH_TO_TALK)
    b.wait(lambda state: state == VoiceState(problem="No room."))


def test_mute_lasts_while_the_mode_changes_and_not_into_another_conversation(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse(conversation_id="one")
    b.voice.mute(True)
    assert b.voice.state.is_muted
    b.voice.converse("one", Mode.PUSH_TO_TALK)
    client.wait("on", Mode.PUSH_TO_TALK)
    assert b.voice.state.is_muted and client.calls[-2:] == [("mute", True), ("on", Mode.PUSH_TO_TALK)]
    b.voice.converse("two", Mode.HANDS_FREE)
    client.wait("on", Mode.HANDS_FREE, count=2)
    assert not b.voice.state.is_muted and client.calls[-2] == ("mute", False)


def test_a_new_chat_begun_by_writing_is_the_one_that_is_spoken_in(bench: Callable[..., VoiceBench]) -> None:
    b = bench("Typed.", "Spoken.")
    client = b.converse()
    written, _ = b.ask("Hello")
    b.voice.continue_in(written)
    assert b.voice.state.conversation_id == written
    b.voice.continue_in("another")
    assert b.voice.state.conversation_id == written
    b.say("And now?")
    client.wait("ended", 1)
    assert b.chat.wait_until_idle(WAIT_S)
    assert [message.text for message in b.path(written)] == ["Hello", "Typed.", "And now?", "Spoken."]


def test_keys_go_to_what_they_are_for(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    b.voice.key(True)
    b.voice.stop_answer()
    client = b.converse(Mode.PUSH_TO_TALK)
    b.voice.key(True)
    b.voice.stop_answer()
    b.voice.dictate()
    client.wait("on", Mode.DICTATION)
    b.voice.key(True)
    b.voice.end_dictation()
    client.wait("key", False)
    assert [call for call in client.calls if call[0] in ("key", "stop")] == [("key", True), ("stop",), ("key", False)]


def test_reading_aloud_says_what_is_read_and_makes_way(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    b.voice.read_aloud("m1", "Good morning.")
    assert b.wait(lambda state: state.use is VoiceUse.READING).message_id == "m1"
    b.client.wait("read", "Good morning.")
    b.client.readings[0].set_result(None)
    b.wait(lambda state: state == VoiceState())
    b.voice.read_aloud("m2", "Again.")
    b.client.wait("read", "Again.")
    b.client.readings[1].set_exception(VoiceError("No loudspeaker."))
    b.events.until(lambda: "No loudspeaker." in b.events.notices())
    assert b.voice.state == VoiceState()
    b.voice.read_aloud("m3", "Once more.")
    b.client.wait("read", "Once more.")
    b.voice.converse(None, Mode.HANDS_FREE)
    b.wait(lambda state: state.use is VoiceUse.CONVERSATION)
    b.client.wait("stop_reading")
    b.client.readings[2].set_result(None)
    assert b.voice.state.use is VoiceUse.CONVERSATION


def test_settings_count_at_once_or_the_next_time(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse()
    b.services.settings.set("voice.speed", 1.5)
    client.wait("choose", VoiceChoice("", 1.5), "")
    b.services.settings.set("voice.microphone", "desk")
    assert b.voice.devices().result(WAIT_S) == ()
    assert ("set_up",) not in client.calls, "the conversation goes on"
    b.voice.converse(None, Mode.HANDS_FREE)
    client.wait("on", Mode.HANDS_FREE, count=2)
    assert client.setup.microphone == "desk" and b.voice.state.use is VoiceUse.CONVERSATION


def test_a_persona_is_heard_as_it_says(bench: Callable[..., VoiceBench]) -> None:
    b = bench("Hola.")
    style = SpeechStyle(language="es", speed=1.25)
    b.services.personas.call(lambda shelf: shelf.create(Persona("tutor", "Tutor", speech=style))).result(WAIT_S)
    conversation_id = b.chat.send(None, "Hello?", persona="tutor").result(WAIT_S)
    answer = b.finished(conversation_id)
    client = b.converse(conversation_id=conversation_id)
    client.wait("choose", VoiceChoice("", 1.25), "es")
    b.voice.read_aloud(answer.id, "Good morning.")
    client.wait("read", "Good morning.")
    assert ("choose", VoiceChoice("", 1.25), None) in client.calls


def test_a_persona_whose_voice_is_missing_says_so_and_is_heard(bench: Callable[..., VoiceBench]) -> None:
    b = bench("Hello.")
    style = SpeechStyle("kokoro:nobody", speed=1.25)
    b.services.personas.call(lambda shelf: shelf.create(Persona("bella", "Bella", speech=style))).result(WAIT_S)
    conversation_id = b.chat.send(None, "Hello?", persona="bella").result(WAIT_S)
    b.finished(conversation_id)
    b.converse(conversation_id=conversation_id).wait("choose", VoiceChoice("", 1.25), "")
    [notice] = [each for each in b.events.of(Notice) if "nobody" in each.text]
    assert notice.level == "warning"


def test_a_failed_question_is_a_notice(bench: Callable[..., VoiceBench]) -> None:
    b = bench()
    client = b.converse(conversation_id="nowhere")
    b.say("Hello?")
    client.wait("ended", 1)
    assert b.events.of(Notice)


def test_the_window_can_ask_for_voice_without_loading_what_computes_with_sound() -> None:
    program = "import sys, app.voice; sys.exit(bool({'numpy', 'soxr', 'sounddevice'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
