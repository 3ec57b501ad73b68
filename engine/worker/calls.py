"""Questions to a worker and the futures that wait for their answers. Knows no process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from engine.errors import HearthError
from engine.worker.envelope import error_of
from engine.worker.protocol import Answer, Answered, Ask, Question, Refused

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


class OpenCalls:
    """The questions that one worker has not answered yet. The control thread's alone."""

    def __init__(self) -> None:
        self._waiting: dict[int, Future[Answer]] = {}
        self._asked = 0

    def ask(self, question: Question, future: Future[Answer], send: Callable[[Ask], None]) -> None:
        """Whatever `send` raises is passed on, and the question is then not open."""
        self._asked += 1
        send(Ask(self._asked, question))
        self._waiting[self._asked] = future

    def settle(self, message: Answered | Refused) -> None:
        """The worker's word on a question."""
        future = self._waiting.pop(message.call_id, None)
        if future is None:
            return
        if isinstance(message, Answered):
            future.set_result(message.answer)
        else:
            future.set_exception(error_of(message.fault))

    def fail_all(self, reason: HearthError) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(reason)


def unpacked(raw: Future[R], kind: type[A], unpack: Callable[[A], T]) -> Future[T]:
    """A future for what is inside an answer; an answer of another kind is the worker's bug."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def answered(ended: Future[R]) -> None:
        error = ended.exception()
        if error is not None:
            future.set_exception(error)
            return
        answer = ended.result()
        assert isinstance(answer, kind)
        future.set_result(unpack(answer))

    raw.add_done_callback(answered)
    return future


def gathered(parts: Sequence[Future[list[T]]]) -> Future[list[T]]:
    """The lists of all parts as one, in order; the first error to come is the error of all."""
    whole: Future[list[T]] = Future()
    whole.set_running_or_notify_cancel()
    lock, open_parts = threading.Lock(), len(parts)

    def ended(part: Future[list[T]]) -> None:
        nonlocal open_parts
        with lock:
            open_parts -= 1
            error = part.exception()
            if error is not None and not whole.done():
                whole.set_exception(error)
            elif not open_parts and not whole.done():
                whole.set_result([item for each in parts for item in each.result()])

    if not parts:
        whole.set_result([])
    for part in parts:
        part.add_done_callback(ended)
    return whole
