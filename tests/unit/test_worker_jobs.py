"""Order, cancelling and giving way of a worker's requests; crash budget; heartbeat; exits in words."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from engine.fake import fake_model
from engine.types import GenerationRequest, ModelSpec
from engine.worker.exits import crash_error
from engine.worker.heartbeat import Heartbeat, Patience, Pulse
from engine.worker.jobs import Job, Jobs
from engine.worker.restart import CrashBudget


def request(name: str, *, background: bool = False) -> GenerationRequest:
    return GenerationRequest(name, (), background=background)


class Aborts:
    """Stands where llama.cpp's abort flag is."""

    def __init__(self, jobs: Jobs) -> None:
        self._raised = False
        jobs.connect(abort=self.set, clear_abort=self.clear)

    def raised(self) -> bool:
        return self._raised

    def set(self) -> None:
        self._raised = True

    def clear(self) -> None:
        self._raised = False


def ahead(name: str, key: str) -> GenerationRequest:
    return GenerationRequest(name, (), background=True, prefill_only=True, cache_key=key)


def names(taken: list[Job]) -> list[str]:
    return [job.request.request_id for job in taken]


def test_all_that_a_person_waits_for_begins_and_background_comes_last() -> None:
    jobs = Jobs()
    for name, background in (("title", True), ("a", False), ("b", False)):
        jobs.put(request(name, background=background))
    first = jobs.take()
    assert names(first) == ["a", "b"]
    assert jobs.take() == []
    jobs.done(first[0])
    assert not jobs.news
    assert jobs.take() == []
    jobs.done(first[1])
    assert jobs.news
    assert names(jobs.take()) == ["title"]


def test_a_background_job_is_interrupted_by_one_that_a_person_waits_for() -> None:
    jobs = Jobs()
    aborts = Aborts(jobs)
    jobs.put(request("title", background=True))
    (title,) = jobs.take()
    jobs.put(request("another title", background=True))
    assert not aborts.raised()
    assert not jobs.news, "one background job at a time"
    jobs.put(request("a"))
    assert aborts.raised()
    assert jobs.news
    assert names(jobs.take()) == ["a"]
    assert not aborts.raised()
    jobs.cancel("title")
    assert aborts.raised()
    assert title.cancelled


@pytest.mark.parametrize(("key", "is_kept"), [("chat", True), ("", True), ("another", False)])
def test_what_is_read_ahead_for_a_conversation_is_read_to_its_end(key: str, is_kept: bool) -> None:
    jobs = Jobs()
    aborts = Aborts(jobs)
    jobs.put(ahead("ahead", key))
    jobs.take()
    jobs.put(GenerationRequest("question", (), cache_key="chat"))
    assert aborts.raised() is not is_kept
    assert names(jobs.take()) == ["question"]


def test_a_second_request_does_not_interrupt_the_first() -> None:
    jobs = Jobs()
    aborts = Aborts(jobs)
    jobs.put(request("a"))
    jobs.take()
    jobs.put(request("b"))
    jobs.put(request("title", background=True))
    assert not aborts.raised()
    assert jobs.news


def test_cancel_waiting_running_and_unknown() -> None:
    jobs = Jobs()
    aborts = Aborts(jobs)
    jobs.put(request("a"))
    (first,) = jobs.take()
    jobs.put(request("b"))
    jobs.cancel("b")
    jobs.cancel("gone")
    assert not aborts.raised()
    jobs.cancel("a")
    assert aborts.raised()
    assert first.cancelled
    jobs.done(first)
    (second,) = jobs.take()
    assert second.cancelled
    assert not aborts.raised()


def test_errands_wake_the_main_thread_and_come_in_order() -> None:
    jobs = Jobs()
    done: list[int] = []
    assert not jobs.wait(0)
    jobs.run(lambda: done.append(1))
    jobs.run(lambda: done.append(2))
    assert jobs.wait(0)
    assert jobs.news
    for errand in jobs.errands():
        errand()
    assert done == [1, 2]
    jobs.take()
    assert not jobs.news
    assert not jobs.wait(0)


SPEC = ModelSpec(Path("a.gguf"))


def test_three_crashes_in_ten_minutes_quarantine() -> None:
    now = [0.0]
    budget = CrashBudget(clock=lambda: now[0])
    for moment in (0.0, 100.0):
        now[0] = moment
        budget.record(SPEC)
    assert not budget.quarantined(SPEC)
    now[0] = 200.0
    budget.record(SPEC)
    assert budget.quarantined(SPEC)
    assert not budget.quarantined(ModelSpec(Path("b.gguf")))
    assert not budget.quarantined(ModelSpec(Path("a.gguf"), n_gpu_layers=0)), "the processor may be tried"
    now[0] = 599.9
    assert budget.quarantined(SPEC)
    now[0] = 600.0
    assert not budget.quarantined(SPEC)


def test_crashes_far_apart_do_not_quarantine() -> None:
    now = [0.0]
    budget = CrashBudget(clock=lambda: now[0])
    for moment in (0.0, 300.0, 601.0):
        now[0] = moment
        budget.record(SPEC)
    assert not budget.quarantined(SPEC)


def test_heartbeat_silent_stalled_and_fine() -> None:
    heart = Heartbeat(Patience(silent_ticks=3, loading_ticks=5))
    heart.heard()
    assert [heart.tick() for _ in range(4)] == [Pulse.FINE, Pulse.FINE, Pulse.FINE, Pulse.SILENT]
    heart.begin()
    pulses = []
    for _ in range(6):
        pulses.append(heart.tick())
        heart.heard()
        heart.pong(7, busy=True)
    assert pulses[-1] is Pulse.FINE, "the first pong moved the beats"
    assert heart.tick() is Pulse.STALLED
    heart.begin()
    for beats in range(20):
        assert heart.tick() is Pulse.FINE
        heart.heard()
        heart.pong(beats, busy=True)


def test_a_process_that_is_only_starting_is_not_silent() -> None:
    heart = Heartbeat(Patience(silent_ticks=1, loading_ticks=4))
    assert [heart.tick() for _ in range(5)] == [Pulse.FINE] * 4 + [Pulse.STALLED]


def test_an_idle_worker_is_not_stalled() -> None:
    heart = Heartbeat(Patience(silent_ticks=3, loading_ticks=2))
    for _ in range(10):
        assert heart.tick() is Pulse.FINE
        heart.heard()
        heart.pong(1, busy=False)


def test_a_larger_model_is_given_more_time() -> None:
    model = fake_model(Path("m.gguf"))
    assert Patience().for_model(model, 512) > Patience().for_model(model, 64) > 60


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-signal.SIGKILL, "memory ran out"),
        (-signal.SIGSEGV, "memory error"),
        (-signal.SIGABRT, "internal error"),
        (-signal.SIGILL, "instruction"),
        (-250, "code -250"),
        (7, "code 7"),
        (0, "code 0"),
        (0xC0000005, "memory error"),
        (-1073741819, "memory error"),
        (None, "code 0"),
    ],
)
def test_exits_in_words(code: int | None, words: str) -> None:
    assert words in str(crash_error(code))
