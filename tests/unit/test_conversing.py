"""A conversation by speech on a FakeEngine and a real database: what is stored of what was asked, said and heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.conversing import SpokenConversation
from app.events import MessageFinished, PathChanged, Streamed
from app.read_ahead import ReadAhead
from app.store.exporting import to_json, to_markdown
from app.store.types import MessageState, TextPart, UnspokenPart
from engine.cancel import CancelToken
from engine.engine import StreamSink
from engine.fake import FakeAnswer
from engine.types import GenerationRequest, ModelSpec, TextDelta
from tests.unit.chat_bench import WAIT_S, Bench
from tests.waiting import until
from voice.listener import QuietListener
from voice.turn_state import Phase


class Line:
    """Keeps what would be spoken."""

    def __init__(self) -> None:
        self.said: dict[int, str] = {}
        self.ended: list[int] = []
        self.weighed: dict[int, float | None] = {}
        self._changed = threading.Condition()

    def say(self, question: int, delta: str) -> None:
        with self._changed:
            self.said[question] = self.said.get(question, "") + delta
            self._changed.notify_all()

    def progressed(self, question: int) -> None:
        pass

    def end_weighed(self, question: int, probability: float | None) -> None:
        with self._changed:
            self.weighed[question] = probability
            self._changed.notify_all()

    def answer_ended(self, question: int) -> None:
        with self._changed:
            self.ended.append(question)
            self._changed.notify_all()

    def wait(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, WAIT_S), (self.said, self.ended)


class Talk(Bench):
    """A bench with a conversation by speech."""

    def __init__(self, folder: Path, script: Sequence[FakeAnswer | str]) -> None:
        super().__init__(folder, script)
        services = self.services
        self.line = Line()
        ahead = ReadAhead(services.store_call, services.engine, services.settings, pool=services.pool)
        self.spoken = SpokenConversation(services.chat, ahead, QuietListener(), self.events)
        self.spoken.line = self.line
        kept = self.events.__call__
        # As a face does: the conversation hears of each event too.
        services._publish_on = lambda event: (self.spoken.take(event), kept(event))[1]

    @property
    def messages(self) -> list[tuple[str, MessageState, str]]:
        found = self.path(self.spoken.conversation_id) if self.spoken.conversation_id else []
        return [(message.role.value, message.state, message.text) for message in found]


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Callable[..., Talk]]:
    made: list[Talk] = []

    def make(*script: FakeAnswer | str) -> Talk:
        made.append(Talk(tmp_path, script))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_question_is_stored_when_it_is_committed_and_its_answer_is_said(talk: Callable[..., Talk]) -> None:
    t = talk("It is noon.", "Twelve.")
    t.spoken.ask(1, 1, "What time")
    t.spoken.withdraw(1)
    t.spoken.ask(2, 1, "What time is it?")
    assert not t.messages
    t.spoken.commit(2, 1, "What time is it?")
    t.line.wait(lambda: t.line.ended == [2])
    assert t.line.said == {2: "It is noon."}
    assert t.chat.wait_until_idle(WAIT_S)
    t.spoken.commit(3, 2, "And in digits?")
    t.line.wait(lambda: t.line.ended == [2, 3])
    assert t.chat.wait_until_idle(WAIT_S)
    done = MessageState.COMPLETE
    assert t.messages == [
        ("user", done, "What time is it?"), ("assistant", done, "It is noon."),
        ("user", done, "And in digits?"), ("assistant", done, "Twelve."),
    ]  # fmt: skip


def test_what_was_not_heard_does_not_count_but_is_kept(talk: Callable[..., Talk]) -> None:
    t = talk("One two three four five.", "Yes.")
    t.spoken.commit(1, 1, "Count")
    t.line.wait(lambda: t.line.ended == [1])
    assert t.chat.wait_until_idle(WAIT_S)
    t.spoken.interrupted(1, 7)
    t.spoken.commit(2, 2, "Stop, is that right?")
    t.line.wait(lambda: t.line.ended == [1, 2])
    assert t.chat.wait_until_idle(WAIT_S)
    assert t.spoken.conversation_id is not None
    path = t.path(t.spoken.conversation_id)
    assert (path[1].state, path[1].parts) == (
        MessageState.STOPPED,
        (TextPart("One two"), UnspokenPart(" three four five.")),
    )
    seen = "".join(segment.text for message in t.fake.requests[-1].messages for segment in message.segments)
    assert "One two" in seen and "three four" not in seen, "the model knows what was heard"
    assert t.events.of(PathChanged)
    conversation = t.store(lambda store: store.conversation(path[0].conversation_id))
    assert "> three four five." in to_markdown(conversation, path)
    assert '"unspoken"' in to_json(conversation, path)


def test_an_interruption_stops_the_model_and_the_next_question_waits_for_that(talk: Callable[..., Talk]) -> None:
    gate = threading.Event()
    t = talk(FakeAnswer("One two three", end_gate=gate), "Yes.")
    t.spoken.commit(1, 1, "Count")
    t.line.wait(lambda: t.line.said.get(1) == "One two three")
    t.spoken.interrupted(1, 3)
    t.spoken.commit(2, 2, "Enough?")
    t.line.wait(lambda: t.line.ended == [1, 2])
    assert t.chat.wait_until_idle(WAIT_S)
    assert [text for _, _, text in t.messages] == ["Count", "One", "Enough?", "Yes."]


def test_a_question_while_another_answer_is_written_ends_that_one(talk: Callable[..., Talk]) -> None:
    gate = threading.Event()
    t = talk(FakeAnswer("A long story", end_gate=gate), "Yes.")
    t.spoken.commit(1, 1, "Tell")
    t.line.wait(lambda: t.line.said.get(1) == "A long story")
    t.spoken.done(1)  # the loudspeaker was gone: as text it went on
    t.spoken.commit(2, 2, "Still there?")
    t.line.wait(lambda: 2 in t.line.ended)
    assert t.chat.wait_until_idle(WAIT_S)
    assert [text for _, _, text in t.messages] == ["Tell", "A long story", "Still there?", "Yes."]
    stopped = t.events.of(MessageFinished)[0].message
    assert stopped.state is MessageState.STOPPED
    assert any(isinstance(event.event, TextDelta) for event in t.events.of(Streamed))


def test_what_comes_before_the_next_question_is_read_while_it_is_listened(talk: Callable[..., Talk]) -> None:
    t = talk("One two three four five.", "Yes.")

    def texts(ahead: bool) -> list[str]:
        """Of all prompts so far that are only read, or answered."""
        return [
            "\n".join(segment.text for message in request.messages for segment in message.segments)
            for request in t.fake.requests
            if request.prefill_only == ahead
        ]

    t.spoken.phase_changed(Phase.LISTENING)
    t.spoken.phase_changed(Phase.USER_SPEAKING)
    until(lambda: len(texts(ahead=True)) == 1, WAIT_S)
    t.spoken.phase_changed(Phase.THINKING)
    t.spoken.commit(1, 1, "Count")
    t.line.wait(lambda: t.line.ended == [1])
    assert t.chat.wait_until_idle(WAIT_S)
    assert texts(ahead=False)[0].startswith(texts(ahead=True)[0]), "the beginning of what is asked"
    t.spoken.phase_changed(Phase.SPEAKING)
    assert len(texts(ahead=True)) == 1, "nobody can speak yet"
    t.spoken.phase_changed(Phase.USER_SPEAKING)
    until(lambda: len(texts(ahead=True)) == 2, WAIT_S)
    assert "four five" in texts(ahead=True)[1]
    t.spoken.interrupted(1, 7)
    until(lambda: len(texts(ahead=True)) == 3, WAIT_S)
    assert "One two" in texts(ahead=True)[2] and "four" not in texts(ahead=True)[2], "what was heard"
    t.spoken.phase_changed(Phase.THINKING)
    t.spoken.commit(2, 2, "Enough?")
    t.line.wait(lambda: t.line.ended == [1, 2])
    assert t.chat.wait_until_idle(WAIT_S)
    assert texts(ahead=False)[1].startswith(texts(ahead=True)[2])
    t.spoken.leave()
    t.spoken.phase_changed(Phase.LISTENING)
    t.spoken.ask(3, 3, "Seen?")
    until(lambda: "Seen?" in texts(ahead=True)[-1], WAIT_S)
    assert len(texts(ahead=True)) == 4, "dictation has no next question"


def test_the_voice_is_told_how_likely_a_question_is_whole(talk: Callable[..., Talk]) -> None:
    t = talk("Four.")
    t.fake.end_probability = 0.7
    t.spoken.ask(1, 1, "How many")
    t.line.wait(lambda: t.line.weighed == {1: 0.7})
    assert [(request.prefill_only, request.weighs_end) for request in t.fake.requests] == [(True, True)]
    t.spoken.withdraw(1)
    t.spoken.ask(2, 1, "How many are they?")
    t.line.wait(lambda: t.line.weighed == {1: 0.7, 2: 0.7})
    t.spoken.commit(2, 1, "How many are they?")
    t.line.wait(lambda: t.line.ended == [2])
    assert t.messages[-1] == ("assistant", MessageState.COMPLETE, "Four.")


def test_who_cannot_say_whether_a_question_is_whole_says_so(talk: Callable[..., Talk]) -> None:
    t = talk("Four.")
    t.fake.unload().result(WAIT_S)
    t.spoken.ask(1, 1, "How many?")
    assert t.line.weighed == {1: None}
    t.fake.load(ModelSpec(Path("fake.gguf"))).result(WAIT_S)
    t.spoken.commit(1, 1, "How many?")
    t.line.wait(lambda: t.line.ended == [1])


def test_what_was_not_read_when_the_answer_begins_is_not_read_any_more(talk: Callable[..., Talk]) -> None:
    t = talk("Four.")
    tokens = []
    submit = t.fake.submit

    def noting(request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        tokens.append((request.prefill_only, cancel))
        submit(request, cancel, sink)

    t.fake.submit = noting  # type: ignore[method-assign]
    t.spoken.phase_changed(Phase.LISTENING)
    t.spoken.ask(1, 1, "How many are they?")
    t.line.wait(lambda: 1 in t.line.weighed)
    t.spoken.commit(1, 1, "How many are they?")
    t.line.wait(lambda: t.line.ended == [1])
    ahead = [cancel.cancelled for prefill_only, cancel in tokens[:2] if prefill_only]
    assert ahead == [True, True]
    assert [cancel.cancelled for prefill_only, cancel in tokens if not prefill_only] == [False]
