"""The engine as routes use it: requests stand in line, go to the model they name, and their events come as an iterator.

What a request holds (its place in line, its sequences in the KV cache) is let go by its own terminal events, which the
engine promises, not by whoever reads them: a client that is gone cancels, and its place is free once the engine has
stopped. One event loop; the engine's threads only hand events over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from starlette.types import Receive

from app.api.admission import Admission
from app.api.faults import ApiError, BusyError, EngineError
from app.api.ports import Models
from engine.cancel import CancelToken
from engine.engine import Engine
from engine.streaming import variants
from engine.types import (
    TERMINAL,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    PromptProgress,
    Started,
    StreamEvent,
)

T = TypeVar("T")
MakeRequest = Callable[[LoadedModel], GenerationRequest]
"""The request for the model that will answer it. Raises `ApiError` where that cannot."""


class ClientGoneError(Exception):
    """Whoever asked has left; nobody will read an answer."""


class Answers:
    """`n` answers to one request, from `Kernel.answer`; each event comes with its answer's index."""

    def __init__(self, model: LoadedModel, n: int, when_ended: Callable[[], None]) -> None:
        self.model = model
        self.n = n
        self.started: Started | None = None
        """Of the first answer, whose prompt is that of all."""
        self._when_ended = when_ended
        self._left = n
        self._token = CancelToken()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[int, StreamEvent]] = asyncio.Queue()
        self._seen: list[tuple[int, StreamEvent]] = []

    def submit(self, engine: Engine, request: GenerationRequest) -> None:
        """Ask the engine."""
        for index, variant in enumerate(variants(request, self.n)):
            engine.submit(variant, self._token, partial(self._hand_over, index))

    async def begin(self) -> None:
        """Wait until a prompt is accepted. Raises `ApiError` where it is not."""
        while self.started is None:
            index, event = await self._events.get()
            if isinstance(event, Failed):
                raise fault_of(event)
            if isinstance(event, Started):
                self.started = event
            self._seen.append((index, event))
            if isinstance(event, Finished):
                return

    async def events(self) -> AsyncIterator[tuple[int, StreamEvent]]:
        """Everything, up to the last terminal event. Once."""
        left = self.n
        while left:
            index, event = self._seen.pop(0) if self._seen else await self._events.get()
            left -= isinstance(event, TERMINAL)
            yield index, event

    def close(self) -> None:
        """Nobody reads on: whatever is still written is cancelled. May be called more than once."""
        if self._left:
            self._token.cancel()

    def _hand_over(self, index: int, event: StreamEvent) -> None:
        """On the engine's thread."""
        try:
            self._loop.call_soon_threadsafe(self._take, index, event)
        except RuntimeError:
            return  # the server has ended

    def _take(self, index: int, event: StreamEvent) -> None:
        if isinstance(event, TERMINAL):
            self._left -= 1
            if not self._left:
                self._when_ended()
        self._events.put_nowait((index, event))


class Kernel:
    """One for a server."""

    def __init__(self, engine: Engine, models: Models, admission: Admission | None = None) -> None:
        self._engine = engine
        self._models = models
        self.admission = admission or Admission()
        self._choosing = asyncio.Lock()

    async def answer(
        self, model: str, make: MakeRequest, n: int = 1, when_ended: Callable[[], None] = lambda: None
    ) -> Answers:
        """Have a request answered `n` times by the model of that name; returns once its prompt is accepted.

        Close what comes back. `when_ended` is called once the engine writes no more of it; where this fails, perhaps
        never. Raises `ApiError`, `HearthError`.
        """
        place = await self.admission.enter(n)

        def ended() -> None:
            place.leave()
            when_ended()

        try:
            # A request goes to the engine's present model, so nobody may change it in between.
            async with self._choosing:
                loaded = await self._loaded(model)
                request = make(loaded)
                answers = Answers(loaded, n, ended)
                answers.submit(self._engine, request)
        except BaseException:
            place.leave()
            raise
        try:
            await answers.begin()
        except BaseException:
            answers.close()
            raise
        return answers

    async def _loaded(self, name: str) -> LoadedModel:
        loading = await self._used(name)
        if loading.done():
            return loading.result()
        # Shielded: others wait for the same model.
        return await asyncio.shield(asyncio.wrap_future(loading))

    async def _used(self, name: str) -> Future[LoadedModel]:
        choosing = asyncio.ensure_future(asyncio.to_thread(self._models.use, name))
        try:
            return await asyncio.shield(choosing)
        except asyncio.CancelledError:
            # Its client is gone, its thread goes on: until that has ended nobody else may choose.
            await asyncio.wait((choosing,))
            choosing.exception()  # nobody is told of it any more
            raise


def fault_of(event: Failed) -> ApiError:
    """A failure of the engine as one of the API's."""
    return EngineError(event.message, event.code)


def check_end(event: Finished) -> None:
    """Raises `BusyError` for an answer that was stopped by something else than its client."""
    if event.reason is FinishReason.CANCELLED:
        raise BusyError("The answer was stopped on this computer.", retry_after_s=1)


def is_progress(event: StreamEvent) -> bool:
    """Whether there is still something of the prompt to be read."""
    return isinstance(event, PromptProgress) and event.processed < event.total


async def while_connected(receive: Receive, work: Awaitable[T]) -> T:
    """The work's result; it is cancelled when the client leaves before. Raises `ClientGoneError` then.

    The request's body must have been read.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
