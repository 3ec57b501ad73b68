"""`EnginePool`: several models in memory at once behind one `Engine`, one worker process each.

The model loaded last is the current one: requests go to it, and its states are the pool's. A model that is still in
memory becomes current again at once, with its KV cache as it was. The others stay while there is room
(`engine.worker.residents`), leave after a time without a request, and come back by themselves with the next one.
An embedding model lives beside them. One control thread owns all of this. Knows no llama.cpp and no process.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine.cancel import CancelToken
from engine.engine import Engine, EngineState, EngineStatus, StateListener, StreamSink
from engine.errors import HearthError, ModelLoadError, sentence
from engine.pages import CacheReport, PromptPlan
from engine.streaming import iterate, iterate_many
from engine.types import (
    TERMINAL,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    StreamEvent,
)
from engine.worker.residents import HeldJob, Resident, Room, Step, available_bytes, needed_bytes, next_step

IDLE_LOOK_S = 15.0
"""How often the pool looks for models that nobody uses."""

_logger = logging.getLogger(__name__)
T = TypeVar("T")


class EnginePool:
    """Implements `engine.engine.Engine`; `make` gives an engine without a model for each spec.

    `idle_s` is the time without a request after which a model leaves memory, None for never. The state is then
    EMPTY with the model's name still in it, and the next `submit` loads it again. `load` never ends an answer that
    is under way on another model; where memory is too short for both, it waits for that answer.
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
        self._make = make
        self._room = Room(max_resident, needed, available, free_gpu)
        self._idle_s = idle_s
        self._clock = clock
        self._state = EngineState(EngineStatus.EMPTY)
        self._listeners: list[StateListener] = []
        self._residents: list[Resident] = []
        self._current: Resident | None = None
        self._asleep: ModelSpec | None = None
        self._embedder_spec: ModelSpec | None = None
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._control, name="engine-pool", daemon=True)
        self._thread.start()

    # Engine: any thread

    @property
    def state(self) -> EngineState:
        return self._state

    def subscribe(self, listener: StateListener) -> None:
        self._listeners.append(listener)

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        return self._promise(lambda future: self._load(spec, future, cancel or CancelToken()))

    def load_embedder(self, spec: ModelSpec) -> Future[LoadedModel]:
        """Have `embed` answered by this model, beside the current one. It may leave and come back by itself."""
        return self._promise(lambda future: self._load_embedder(spec, future))

    def unload(self) -> Future[None]:
        """Stop a load under way, and go back to the model before it; else free the memory of all chat models."""
        return self._promise(self._unload)

    def drop(self, spec: ModelSpec) -> Future[None]:
        """Unload one model, whether it answers or not, and remember it no more."""
        return self._promise(lambda future: self._drop(spec, future))

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        job = HeldJob(request, cancel, sink)
        if not self._post(lambda: self._submit(job)):
            sink(Finished(request.request_id, FinishReason.CANCELLED))

    def generate(self, request: GenerationRequest, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        return iterate(self, request, cancel)

    def generate_many(
        self, request: GenerationRequest, n: int, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, StreamEvent]]:
        return iterate_many(self, request, n, cancel)

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        return self._promise(partial(self._ask, lambda engine: engine.plan(request)))

    def cache(self) -> Future[CacheReport]:
        return self._promise(partial(self._ask, lambda engine: engine.cache()))

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        return self._promise(partial(self._ask, lambda engine: engine.count_tokens(texts)))

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        return self._promise(lambda future: self._embed(tuple(texts), future))

    def forget(self, cache_key: str) -> None:
        def forget() -> None:
            for resident in self._residents:
                resident.engine.forget(cache_key)

        self._post(forget)

    def force_stop(self) -> None:
        """End the workers that answer now, or else the current one; each loads its model again."""

        def stop() -> None:
            answering = [each for each in self._residents if each.open]
            for resident in answering or [each for each in self._residents if each is self._current]:
                resident.engine.force_stop()

        self._post(stop)

    def close(self) -> None:
        with self._closing:
            if not self._closed:
                self._closed = True
                self._inbox.put(self._close)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def configure(self, *, max_resident: int, idle_s: float | None) -> None:
        """Take other limits into force."""

        def configure() -> None:
            room = self._room
            self._room = Room(max_resident, room.needed_bytes, room.available_bytes, room.free_gpu_bytes)
            self._idle_s = idle_s
            self._trim()

        self._post(configure)

    def resident(self, path: Path) -> LoadedModel | None:
        """The model of this file, if it is in memory."""
        return next((each.model for each in list(self._residents) if each.spec.path == path and each.ready), None)

    @property
    def held_bytes(self) -> int:
        """What all models in memory take: what a new one could have if it needed all."""
        return sum(each.held_bytes for each in list(self._residents))

    def check_idle(self) -> Future[None]:
        """Unload what nobody has used for `idle_s`. The pool does so by itself now and then."""

        def check(future: Future[None]) -> None:
            self._check_idle()
            future.set_result(None)

        return self._promise(check)

    # The control thread

    def _post(self, call: Callable[[], None]) -> bool:
        with self._closing:
            if not self._closed:
                self._inbox.put(call)
            return not self._closed

    def _tell(self, call: Callable[[], None]) -> None:
        """As `_post`, where a closed pool has nothing more to do."""
        self._post(call)

    def _promise(self, begin: Callable[[Future[T]], None]) -> Future[T]:
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        if not self._post(lambda: begin(future)):
            future.set_exception(_no_model())
        return future

    def _control(self) -> None:
        while self._state.status is not EngineStatus.CLOSED:
            watched = self._idle_s is not None and self._residents
            try:
                call = self._inbox.get(timeout=IDLE_LOOK_S if watched else None)
            except queue.Empty:
                call = self._check_idle
            try:
                call()
            except Exception:
                _logger.exception("the pool of engines failed at something")

    def _set_state(self, state: EngineState) -> None:
        self._state = state
        for listener in list(self._listeners):
            try:
                listener(state)
            except Exception:
                _logger.exception("a listener of the engine raised")

    def _load(self, spec: ModelSpec, future: Future[LoadedModel], cancel: CancelToken) -> None:
        self._asleep = None
        here = next((each for each in self._residents if not each.embeds and each.serves(spec)), None)
        if here is not None and here.ready and here.model is not None:
            self._abandon_loading()
            self._make_current(here)
            future.set_result(here.model)
            return
        if here is not None and here is self._current and here.loading:
            here.waiting.append(future)
            return
        self._abandon_loading()
        for each in list(self._residents):
            if each.dead or (not each.embeds and each.spec.path == spec.path):  # the same model with other options
                self._let_go(each)
        new = self._admit(spec, future, cancel)
        self._make_current(new)
        self._settle()

    def _load_embedder(self, spec: ModelSpec, future: Future[LoadedModel]) -> None:
        self._embedder_spec = spec
        here = self._embedder()
        if here is not None and not here.serves(spec):
            self._let_go(here)
            here = None
        if here is None:
            self._admit(spec, future, CancelToken(), embeds=True)
            self._settle()
        elif here.ready and here.model is not None:
            future.set_result(here.model)
        else:
            here.waiting.append(future)

    def _admit(
        self, spec: ModelSpec, future: Future[LoadedModel], cancel: CancelToken, *, embeds: bool = False
    ) -> Resident:
        new = Resident(self._make(spec), spec, self._clock(), embeds, cancel, waiting=[future])
        new.engine.subscribe(lambda state: self._tell(lambda: self._on_state(new, state)))
        cancel.on_cancel(lambda: self._tell(lambda: self._cancel_waiting(new)))
        self._residents.append(new)
        return new

    def _make_current(self, resident: Resident) -> None:
        self._current = resident
        resident.leaving = False
        resident.used_at = self._clock()
        self._set_state(resident.engine.state if resident.started else EngineState(EngineStatus.LOADING))

    def _settle(self) -> None:
        """Begin the loads there is room for, or make room for them."""
        for newcomer in [each for each in self._residents if not each.started and not each.going]:
            step = next_step(newcomer, self._residents, self._current, self._room)
            if isinstance(step, Resident):
                self._dismiss(step)
            elif step is Step.START:
                newcomer.started = True
                loading = newcomer.engine.load(newcomer.spec, newcomer.cancel)
                loading.add_done_callback(partial(self._on_load_ended, newcomer))
                held, newcomer.held = newcomer.held, []
                for job in held:
                    self._give(newcomer, job)

    def _trim(self) -> None:
        """Back under the cap, where answers had kept it exceeded."""
        chat = [each for each in self._residents if not each.embeds and not each.going and each.spec.remote is None]
        idle = sorted((each for each in chat if not each.busy), key=lambda each: each.used_at)
        spare = [each for each in idle if each is not self._current and each.started]
        for each in spare[: max(0, len(chat) - self._room.max_resident)]:
            self._dismiss(each)

    def _let_go(self, resident: Resident) -> None:
        """Out of memory, now or when its answers have ended."""
        resident.leaving = True
        if not resident.open:
            self._dismiss(resident)

    def _dismiss(self, resident: Resident) -> None:
        """Unload: what was being read is snapshotted by the engine, then its process ends."""
        if resident.going:
            return
        resident.going = True
        if resident is self._current:
            self._current = None
        for job in resident.held:
            job.sink(Finished(job.request.request_id, FinishReason.CANCELLED))
        resident.held = []
        resident.engine.unload().add_done_callback(lambda _ended: self._tell(lambda: self._gone(resident)))

    def _gone(self, resident: Resident) -> None:
        resident.engine.close()
        self._residents.remove(resident)
        resident.gone.set_result(None)
        self._settle()

    def _abandon_loading(self) -> None:
        """The model on its way is not wanted any more."""
        resident = self._current
        if resident is not None and resident.loading:
            _fail(resident, ModelLoadError(sentence("Another model was chosen.")))
            self._dismiss(resident)

    def _cancel_waiting(self, resident: Resident) -> None:
        """Cancelled before it began; later its engine hears the token itself."""
        if not resident.started and not resident.going:
            self._give_up(resident, ModelLoadError(sentence("Loading the model was stopped.")))

    def _give_up(self, resident: Resident, error: BaseException) -> None:
        """No model came of this load: the one before it is current again, if it is still here."""
        _fail(resident, error)
        if resident is not self._current:
            self._dismiss(resident)
            return
        ready = [each for each in self._residents if each.ready and not each.embeds and not each.leaving]
        if ready:
            self._dismiss(resident)
            self._make_current(max(ready, key=lambda each: each.used_at))
        elif not resident.started:
            self._dismiss(resident)
            self._set_state(EngineState(EngineStatus.EMPTY))

    def _unload(self, future: Future[None]) -> None:
        if self._current is not None and self._current.loading:
            stopped = self._current
            self._give_up(stopped, ModelLoadError(sentence("Loading the model was stopped.")))
            self._when_gone([stopped], future)
            return
        self._asleep = None
        chat = [each for each in self._residents if not each.embeds]
        self._when_gone(chat, future)

    def _drop(self, spec: ModelSpec, future: Future[None]) -> None:
        if self._asleep is not None and self._asleep == spec:
            self._asleep = None
            self._set_state(EngineState(EngineStatus.EMPTY))
        self._when_gone([each for each in self._residents if each.spec == spec], future)

    def _when_gone(self, residents: Sequence[Resident], future: Future[None]) -> None:
        """Dismiss all; the future ends when their memory is free."""
        had_current = self._current in residents
        left = [each for each in residents if each in self._residents]
        pending = len(left)
        if not pending:
            future.set_result(None)

        def one_gone() -> None:
            nonlocal pending
            pending -= 1
            if not pending:
                future.set_result(None)

        for each in left:
            _fail(each, ModelLoadError(sentence("Loading the model was stopped.")))
            self._dismiss(each)
            each.gone.add_done_callback(lambda _ended: one_gone())
        if had_current:
            self._set_state(EngineState(EngineStatus.EMPTY))

    # Requests

    def _submit(self, job: HeldJob) -> None:
        if self._current is None and self._asleep is not None:
            self._load(self._asleep, Future(), CancelToken())
        resident = self._current
        if resident is None:
            error = _no_model()
            job.sink(Failed(job.request.request_id, error.code, error.template))
        elif resident.started:
            self._give(resident, job)
        else:
            resident.held.append(job)
            job.cancel.on_cancel(lambda: self._tell(lambda: self._cancel_held(resident, job)))

    def _cancel_held(self, resident: Resident, job: HeldJob) -> None:
        if job in resident.held:
            resident.held.remove(job)
            job.sink(Finished(job.request.request_id, FinishReason.CANCELLED))

    def _give(self, resident: Resident, job: HeldJob) -> None:
        def sink(event: StreamEvent) -> None:  # the engine's thread
            try:
                job.sink(event)
            finally:
                if isinstance(event, TERMINAL):
                    self._tell(lambda: self._ended(resident))

        resident.open += 1
        resident.used_at = self._clock()
        resident.engine.submit(job.request, job.cancel, sink)

    def _ended(self, resident: Resident) -> None:
        resident.open -= 1
        resident.used_at = self._clock()
        if resident.leaving and not resident.open:
            self._dismiss(resident)
        self._trim()
        self._settle()

    def _ask(self, question: Callable[[Engine], Future[T]], future: Future[T]) -> None:
        if self._current is None:
            future.set_exception(_no_model())
        else:
            question(self._current.engine).add_done_callback(partial(_copy, future))

    def _embed(self, texts: tuple[str, ...], future: Future[list[tuple[float, ...]]]) -> None:
        resident = self._embedder()
        if resident is None and self._embedder_spec is not None:
            self._load_embedder(self._embedder_spec, Future())
            resident = self._embedder()
        if resident is None:
            self._ask(lambda engine: engine.embed(texts), future)
        elif resident.ready:
            self._ask_embedder(resident, texts, future)
        else:
            loaded: Future[LoadedModel] = Future()
            resident.waiting.append(loaded)
            there = resident

            def on_loaded(ended: Future[LoadedModel]) -> None:  # the control thread
                if (error := ended.exception()) is not None:
                    future.set_exception(error)
                else:
                    self._ask_embedder(there, texts, future)

            loaded.add_done_callback(on_loaded)

    def _ask_embedder(
        self, resident: Resident, texts: tuple[str, ...], future: Future[list[tuple[float, ...]]]
    ) -> None:
        resident.open += 1
        resident.used_at = self._clock()
        asked = resident.engine.embed(texts)
        asked.add_done_callback(partial(_copy, future))
        asked.add_done_callback(lambda _ended: self._tell(lambda: self._ended(resident)))

    def _embedder(self) -> Resident | None:
        return next((each for each in self._residents if each.embeds and not each.going and not each.leaving), None)

    # From the engines

    def _on_state(self, resident: Resident, state: EngineState) -> None:
        if resident.going:
            return
        if state.status is EngineStatus.READY:
            resident.model = state.model
        elif state.status is EngineStatus.CRASHED and resident is not self._current:
            _logger.warning("a model in the background stopped: %s", state.message)
        if resident is self._current and resident.started:
            self._set_state(state)

    def _on_load_ended(self, resident: Resident, loaded: Future[LoadedModel]) -> None:
        self._tell(lambda: self._load_ended(resident, loaded))

    def _load_ended(self, resident: Resident, loaded: Future[LoadedModel]) -> None:
        if resident.going:
            return
        if (error := loaded.exception()) is not None:
            self._give_up(resident, error)
        else:
            resident.model = loaded.result()
            resident.used_at = self._clock()
            waiting, resident.waiting = resident.waiting, []
            for future in waiting:
                future.set_result(resident.model)
            self._trim()
        self._settle()

    def _check_idle(self) -> None:
        if self._idle_s is None:
            return
        now = self._clock()
        for each in [each for each in self._residents if each.ready and not each.open]:
            if now - each.used_at < self._idle_s:
                continue
            asleep = each is self._current
            self._dismiss(each)
            if asleep:
                self._asleep = each.spec
                self._set_state(EngineState(EngineStatus.EMPTY, each.model))

    def _close(self) -> None:
        for resident in self._residents:
            _fail(resident, _no_model())
            for job in resident.held:
                job.sink(Finished(job.request.request_id, FinishReason.CANCELLED))
        closers = [threading.Thread(target=each.engine.close, name="engine-close") for each in self._residents]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()
        self._residents = []
        self._current = None
        self._set_state(EngineState(EngineStatus.CLOSED))


def _fail(resident: Resident, error: BaseException) -> None:
    """Everybody who waits for this load hears why nothing comes of it."""
    waiting, resident.waiting = resident.waiting, []
    for future in waiting:
        future.set_exception(error)


def _copy(future: Future[T], ended: Future[T]) -> None:
    if (error := ended.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(ended.result())


def _no_model() -> HearthError:
    return ModelLoadError(sentence("No model is loaded."))
