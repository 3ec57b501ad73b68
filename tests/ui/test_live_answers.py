"""An answer under way that somebody comes back to: all of it is there, once, and its clock goes on."""

from __future__ import annotations

import time

import pytest
from pytestqt.qtbot import QtBot

from app.events import ChatEvent, MessageAdded, Streamed
from app.store.types import MessageState, ReasoningPart, StoredMessage
from app.ui.bridge import EventBridge
from app.ui.live_answers import LiveAnswers
from app.ui.markdown.reader import MarkdownReader
from app.ui.message_live import LiveAnswer
from engine.context.segments import Role
from engine.types import ReasoningDelta, StreamEvent, TextDelta
from tests.ui.test_transcript import message

ANSWER = message(1, Role.ASSISTANT, state=MessageState.STREAMING)


@pytest.fixture
def bridge(qtbot: QtBot) -> EventBridge:
    return EventBridge()


@pytest.fixture
def answers(bridge: EventBridge) -> LiveAnswers:
    made = LiveAnswers(bridge, bridge)
    bridge.publish(MessageAdded(ANSWER))
    return made


def tell(bridge: EventBridge, event: StreamEvent) -> None:
    bridge.publish(Streamed("c", ANSWER.id, event))


def come_back(answers: LiveAnswers) -> StoredMessage:
    (live,) = answers.brought_up_to_date([ANSWER])
    return live


def test_the_clock_of_thoughts_goes_on(
    bridge: EventBridge, answers: LiveAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    tell(bridge, ReasoningDelta("r", "report.pdf, page 1 (part 1 of 5)\n"))
    now = 140.0  # the part is still read: nothing more has come
    back = come_back(answers)
    assert back.parts == (ReasoningPart("report.pdf, page 1 (part 1 of 5)\n", 40.0),)
    live = LiveAnswer(back, MarkdownReader())
    assert (live.is_thinking, live.thought_s) == (True, 40.0)
    now = 150.0
    live.feed(ReasoningDelta("r", "A note."))
    assert live.thought_s == 50.0
    live.feed(TextDelta("r", "So."))
    assert (live.is_thinking, live.thought_s) == (False, 50.0)


def test_thoughts_that_have_ended_stand_still(
    bridge: EventBridge, answers: LiveAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    tell(bridge, ReasoningDelta("r", "Why?"))
    now = 107.0
    tell(bridge, TextDelta("r", "So."))
    now = 130.0
    live = LiveAnswer(come_back(answers), MarkdownReader())
    assert (live.is_thinking, live.thought_s) == (False, 7.0)


def test_who_fills_a_view_is_told_of_events_that_are_known_here_already(
    bridge: EventBridge, answers: LiveAnswers
) -> None:
    seen: list[tuple[str, str]] = []

    def told(event: ChatEvent) -> None:
        if isinstance(event, Streamed) and isinstance(event.event, TextDelta):
            seen.append((event.event.text, come_back(answers).text))

    answers.followed.connect(told)
    for text in ("One", " two"):
        tell(bridge, TextDelta("r", text))
    assert seen == [("One", "One"), (" two", "One two")]
