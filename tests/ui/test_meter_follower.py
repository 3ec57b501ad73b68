"""What keeps the status bar and the context panel on the answer in view."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pytestqt.qtbot import QtBot

from app.store.types import MessageUsage
from app.ui.answer_meter import AnswerMeter, Phase
from app.ui.meter_follower import MeterFollower
from engine.fake import FakeEngine
from engine.types import Finished, FinishReason, PromptProgress, Started, TextDelta, Usage
from tests.unit.test_whole_documents import Seen, Shelf, book, pool, read, ready  # noqa: F401  # a fixture


def test_a_change_of_phase_is_told_at_once_and_a_word_by_the_timer(qtbot: QtBot) -> None:
    follower = MeterFollower()
    told: list[int] = []
    follower.changed.connect(lambda: told.append(follower.meter.completion_tokens))
    follower.observe(Started("r", 100, 0, 256, 1))
    assert told == [0]
    follower.observe(PromptProgress("r", 50, 100))
    assert told == [0]
    follower.observe(TextDelta("r", "One"))
    follower.observe(TextDelta("r", " two"))
    assert told == [0, 1]
    qtbot.waitUntil(lambda: told[-1] == 2)
    follower.observe(Finished("r", FinishReason.STOP))
    assert follower.meter.phase is Phase.IDLE


def test_a_copy_counts_on_by_itself(qtbot: QtBot) -> None:
    meter = AnswerMeter()
    meter.observe(Started("r", 1000, 0, 4096, 1))
    meter.observe(TextDelta("r", "Hi"))
    follower = MeterFollower()
    follower.show_live(meter)
    follower.observe(TextDelta("r", "there"))
    assert (follower.meter.used, meter.used) == (1002, 1001)


def test_what_was_followed_is_not_forgotten_for_what_the_store_knows(qtbot: QtBot) -> None:
    follower = MeterFollower()
    follower.observe(Started("r", 100, 60, 256, 1, restored_tokens=60))
    follower.observe(Usage("r", 100, 60, 7, 256, 0.5, 1.5, 60, 16, 12))
    follower.observe(Finished("r", FinishReason.STOP))
    follower.show_usage(MessageUsage(100, 60, 7, 256, 0.5, 1.5))
    assert (follower.meter.restored_tokens, follower.meter.drafted_tokens, follower.meter.accepted_tokens) == (
        60,
        16,
        12,
    )
    follower.show_usage(MessageUsage(90, 60, 7, 256, 0.5, 1.5))
    assert follower.meter.restored_tokens == 0
    assert follower.meter.started is None
    follower.show_usage(None)
    assert follower.meter.used == 0


def test_the_meter_counts_live_and_corrects_itself() -> None:
    now = 0.0
    meter = AnswerMeter(lambda: now)
    meter.observe(Started("r", 50, 20, 100, 1, ("m1",), (("user", 30), ("assistant", 20))))
    phases = [meter.phase]
    for step in range(11):
        now = step / 10
        meter.observe(TextDelta("r", "x"))
    assert meter.decode_rate == pytest.approx(10)
    assert meter.used == 61
    assert meter.parts == (("user", 30), ("assistant", 31))
    assert meter.dropped == ("m1",)
    meter.observe(Usage("r", 50, 20, 12, 100, 0.5, 2.0))
    meter.observe(Finished("r", FinishReason.STOP))
    assert [*phases, meter.phase] == [Phase.READING, Phase.IDLE]
    assert (meter.used, meter.decode_rate, meter.prefill_rate) == (62, 6.0, 60.0)


def test_the_live_speed_forgets_the_past() -> None:
    now = 0.0
    meter = AnswerMeter(lambda: now)
    meter.observe(Started("r", 1, 0, 100, 1))
    for step in range(10):
        now = step
        meter.observe(TextDelta("r", "slow"))
    for step in range(40):
        now = 10 + step / 10
        meter.observe(TextDelta("r", "fast"))
    assert meter.decode_rate == pytest.approx(10, rel=0.1)


def test_each_part_of_a_document_is_counted_by_itself(pool: ThreadPoolExecutor) -> None:  # noqa: F811
    engine = ready(FakeEngine(["The river grows wider here."] * 30))
    events = read(engine, pool, Shelf(book(8)), Seen()).events
    engine.close()
    now = 0.0
    meter = AnswerMeter(lambda: now)
    meter.show(MessageUsage(100, 60, 7, 2048, 0.5, 1.5))
    prompts, rates, phases = [], [], []
    for event in events:
        now += 1.0
        meter.observe(event)
        phases += [meter.phase] if meter.phase not in phases[-1:] else []
        prompts += [meter.prompt_tokens] if isinstance(event, Started) else []
        rates += [meter.decode_rate] if prompts else []
        assert meter.completion_tokens < 30, "what was noted of other parts is no longer in the window"
    assert len(prompts) > 2
    assert all(100 < tokens <= 1024 + 200 for tokens in prompts)
    assert phases == [Phase.WRITING, *[Phase.READING, Phase.WRITING] * len(prompts)]
    assert max(rates) <= 2.0, "a word a second"
