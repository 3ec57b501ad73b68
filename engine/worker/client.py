"""`EngineClient`: the real engine. Spawns the worker, watches it, restarts it, and keeps every promise of `Engine`.

This is the side that any thread may call; what the calls do is done by `engine.worker.control`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from engine.cancel import CancelToken
from engine.engine import EngineState, StateListener, StreamSink
from engine.pages import CacheReport, PromptPlan
from engine.streaming import Streaming
from engine.types import Finished, FinishReason, GenerationRequest, LoadedModel, ModelSpec
from engine.worker.calls import gathered, unpacked
from engine.worker.child import EntryPoint
from engine.worker.control import EngineControl
from engine.worker.door import Door
from engine.worker.exits import no_model
from engine.worker.heartbeat import Patience
from engine.worker.open_requests import OpenRequest
from engine.worker.protocol import (
    EMBED_TEXTS,
    Answer,
    CountTokens,
    Embeddings,
    EmbedTexts,
    PlanPrompt,
    Question,
    ReportCache,
    TokenCounts,
)
from engine.worker.restart import CrashBudget
from engine.worker.worker import worker_main

T = TypeVar("T")
A = TypeVar("A")


class EngineClient(Streaming):
    """Implements `engine.engine.Engine`.

    A worker that crashes is restarted with the same model, unless it crashed while loading, or too often
    (`CrashBudget`). Requests it had not taken up yet are answered by the new one. Background requests wait
    inside the worker while others run; they need not be asked for again.

    A worker that keeps snapshots (`ModelSpec.snapshot_folder`) and has no request open is given up to
    `control.LEAVE_S` seconds to write them when its model is unloaded, replaced or the engine is closed. Calls made
    meanwhile wait that long; `close` itself takes at most so long, mostly the time to write what is new, and without
    snapshots a few milliseconds.
    """

    def __init__(
        self,
        *,
        patience: Patience | None = None,
        budget: CrashBudget | None = None,
        entry_point: EntryPoint = worker_main,
    ) -> None:
        self._control = EngineControl(patience or Patience(), budget or CrashBudget(), entry_point)
        self._door = Door(self._control.call)

    @property
    def state(self) -> EngineState:
        return self._control.state

    @property
    def recent_log(self) -> tuple[str, ...]:
        """llama.cpp's last warnings and errors, oldest first; never prompt text."""
        return tuple(self._control.log)

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, for diagnosis; None if there is none."""
        worker = self._control.worker
        return worker.process.pid if worker is not None else None

    def subscribe(self, listener: StateListener) -> None:
        self._control.listeners.append(listener)

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        future: Future[LoadedModel] = self._door.promise(lambda future: self._control.load(spec, future))
        if cancel is not None:
            cancel.on_cancel(partial(self._door.tell, partial(self._control.cancel_load, future)))
        return future

    def unload(self) -> Future[None]:
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        if not self._door.post(lambda: self._control.unload(future)):
            future.set_result(None)
        return future

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        job = OpenRequest(request, cancel, sink)
        if self._door.post(lambda: self._control.submit(job)):
            cancel.on_cancel(partial(self._door.tell, partial(self._control.cancel, job)))
        else:
            sink(Finished(request.request_id, FinishReason.CANCELLED))

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        return self._asked(CountTokens(tuple(texts)), TokenCounts, lambda answer: list(answer.counts))

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        return self._asked(PlanPrompt(request), PromptPlan, lambda plan: plan)

    def cache(self) -> Future[CacheReport]:
        return self._asked(ReportCache(), CacheReport, lambda report: report)

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        # In parts: an answer's vectors must fit into one message, and requests should find gaps.
        parts = [tuple(texts[start : start + EMBED_TEXTS]) for start in range(0, len(texts), EMBED_TEXTS)]
        return gathered(
            [self._asked(EmbedTexts(part), Embeddings, lambda answer: list(answer.vectors)) for part in parts]
        )

    def forget(self, cache_key: str) -> None:
        self._door.tell(lambda: self._control.forget(cache_key))

    def force_stop(self) -> None:
        self._door.tell(self._control.force_stop)

    def close(self) -> None:
        self._door.close(self._control.close)
        self._control.join()

    def _asked(self, question: Question, kind: type[A], unpack: Callable[[A], T]) -> Future[T]:
        raw: Future[Answer] = Future()
        future = unpacked(raw, kind, unpack)
        if not self._door.post(lambda: self._control.ask(question, raw)):
            raw.set_exception(no_model())
        return future
