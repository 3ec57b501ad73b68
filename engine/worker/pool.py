"""`EnginePool`: several models in memory at once behind one `Engine`, one worker process each.

The model loaded last is the current one: requests go to it, and its states are the pool's. A model that is still in
memory becomes current again at once, with its KV cache as it was. The others stay while there is room
(`engine.worker.residents`), leave after a time without a request, and come back by themselves with the next one.
An embedding model lives beside them.

This is the side that any thread may call; what the calls do is done on one control thread, by
`engine.worker.pool_control` (models) and `engine.worker.pool_requests` (what is asked of them).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from engine.cancel import CancelToken
from engine.engine import Engine, EngineState, EngineStatus, StateListener, StreamSink
from engine.pages import CacheReport, PromptPlan
from engine.streaming import Streaming
from engine.types import Finished, FinishReason, GenerationRequest, LoadedModel, ModelSpec
from engine.worker.door import Door
from engine.worker.pool_control import PoolControl
from engine.worker.pool_requests import PoolRequests
from engine.worker.residents import HeldJob, Room, available_bytes, needed_bytes

IDLE_LOOK_S = 15.0
"""How often the pool looks for models that nobody uses."""

_logger = logging.getLogger(__name__)


class EnginePool(Streaming):
    """Implements `engine.engine.Engine`; `make` gives an engine without a model for each spec.

    `idle_s` is the time without a request after which a model leaves memory, None for never. The state is then
    EMPTY with the model's name still in it, and the next `submit` loads it again. `load` never ends an answer that
    is under way on another model; where memory is too short for both, it waits for that answer. `needed`,
    `available` and `free_gpu` are in bytes, see `Room`; they are called on the control thread.
    """

    def __init__(
        self,
        make: Callable[[ModelSpec], Engine],
        *,
        max_resident: int = 2,
        idle_s: float | None = None,
        needed: Callable[[ModelSpec], int] = needed_bytes,
        available: Callable[[], int] = available_bytes,
        free_gpu: Callable[[], int | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        room = Room(max_resident, needed, available, free_gpu)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._door = Door(self._inbox.put)
        self._control = PoolControl(make, room, idle_s, clock, self._door.tell)
        self._requests = PoolRequests(self._control)
        self._thread = threading.Thread(target=self._run, name="engine-pool", daemon=True)
        self._thread.start()

    @property
    def state(self) -> EngineState:
        return self._control.state

    def subscribe(self, listener: StateListener) -> None:
        self._control.listeners.append(listener)

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        return self._door.promise(lambda future: self._control.load(spec, future, cancel or CancelToken()))

    def load_embedder(self, spec: ModelSpec) -> Future[LoadedModel]:
        """Have `embed` answered by this model, beside the current one. It may leave and come back by itself."""
        return self._door.promise(partial(self._requests.load_embedder, spec))

    def unload(self) -> Future[None]:
        """Stop a load under way, and go back to the model before it; else free the memory of all chat models."""
        return self._door.promise(self._control.unload)

    def drop(self, spec: ModelSpec) -> Future[None]:
        """Unload one model, whether it answers or not, and remember it no more."""
        return self._door.promise(partial(self._control.drop, spec))

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        job = HeldJob(request, cancel, sink)
        if not self._door.post(lambda: self._requests.submit(job)):
            sink(Finished(request.request_id, FinishReason.CANCELLED))

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        return self._door.promise(lambda future: self._requests.ask(lambda engine: engine.plan(request), future))

    def cache(self) -> Future[CacheReport]:
        return self._door.promise(lambda future: self._requests.ask(lambda engine: engine.cache(), future))

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        return self._door.promise(lambda future: self._requests.ask(lambda engine: engine.count_tokens(texts), future))

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        return self._door.promise(partial(self._requests.embed, tuple(texts)))

    def forget(self, cache_key: str) -> None:
        self._door.tell(lambda: self._requests.forget(cache_key))

    def force_stop(self) -> None:
        """End the workers that answer now, or else the current one; each loads its model again."""
        self._door.tell(self._requests.force_stop)

    def close(self) -> None:
        """Close all engines side by side: it takes as long as the slowest of them."""
        self._door.close(self._control.close)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def configure(self, *, max_resident: int, idle_s: float | None) -> None:
        """Take other limits into force."""
        self._door.tell(lambda: self._control.configure(max_resident, idle_s))

    def resident(self, path: Path) -> LoadedModel | None:
        """The model of this file, if it is in memory."""
        residents = list(self._control.residents)
        return next((each.model for each in residents if each.spec.path == path and each.ready), None)

    @property
    def held_bytes(self) -> int:
        """What all models in memory take: what a new one could have if it needed all."""
        return sum(each.held_bytes for each in list(self._control.residents))

    def check_idle(self) -> Future[None]:
        """Unload what nobody has used for `idle_s`. The pool does so by itself now and then."""

        def check(future: Future[None]) -> None:
            self._control.check_idle()
            future.set_result(None)

        return self._door.promise(check)

    def _run(self) -> None:
        """The control thread."""
        control = self._control
        while control.state.status is not EngineStatus.CLOSED:
            watched = control.idle_s is not None and control.residents
            try:
                call = self._inbox.get(timeout=IDLE_LOOK_S if watched else None)
            except queue.Empty:
                call = control.check_idle
            try:
                call()
            except Exception:
                _logger.exception("the pool of engines failed at something")
