"""`EngineClient`: the real engine. Spawns the worker, watches it, restarts it, and keeps every promise of `Engine`.

One control thread owns all state; every call and every message from the worker is handled there, in order,
and every listener and sink is called from there. Knows no llama.cpp: that is in the worker's process.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, TypeVar

from engine.cancel import CancelToken
from engine.engine import EngineState, EngineStatus, StateListener, StreamSink
from engine.errors import (
    HearthError,
    LimitError,
    ModelLoadError,
    WorkerCrashedError,
    WorkerError,
    WorkerHungError,
    WorkerQuarantinedError,
    sentence,
)
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
from engine.worker.exits import crash_error
from engine.worker.heartbeat import Heartbeat, Patience, Pulse
from engine.worker.process import EntryPoint, WorkerProcess
from engine.worker.protocol import (
    Answer,
    Answered,
    Ask,
    Cancel,
    CountTokens,
    Embeddings,
    EmbedTexts,
    Fault,
    Forget,
    Hello,
    Load,
    Loaded,
    LoadProgress,
    LoadRefused,
    LogLine,
    MessageTooLongError,
    Ping,
    PlanPrompt,
    Pong,
    Question,
    Refused,
    Report,
    ReportCache,
    ReportMessage,
    Submit,
    Taken,
    TokenCounts,
    error_of,
    fault_of,
)
from engine.worker.restart import CrashBudget
from engine.worker.worker import worker_main

LOG_LINES_KEPT = 200
_logger = logging.getLogger(__name__)
T = TypeVar("T")
A = TypeVar("A")


@dataclass(slots=True)
class _Job:
    """An open request. `sent` to the present worker; `taken` up by it."""

    request: GenerationRequest
    cancel: CancelToken
    sink: StreamSink
    sent: bool = False
    taken: bool = False


@dataclass(slots=True)
class _Running:
    """The present worker and what it is to hold. `load` is the call that waits for it, if one does."""

    spec: ModelSpec
    process: WorkerProcess
    heartbeat: Heartbeat
    load: Future[LoadedModel] | None
    calls: dict[int, Future[Any]] = field(default_factory=dict)


class EngineClient:
    """Implements `engine.engine.Engine`.

    A worker that crashes is restarted with the same model, unless it crashed while loading, or too often
    (`CrashBudget`). Requests it had not taken up yet are answered by the new one. Background requests wait
    inside the worker while others run; they need not be asked for again.
    """

    def __init__(
        self,
        *,
        patience: Patience | None = None,
        budget: CrashBudget | None = None,
        entry_point: EntryPoint = worker_main,
    ) -> None:
        self._patience = patience or Patience()
        self._budget = budget or CrashBudget()
        self._entry_point = entry_point
        self._state = EngineState(EngineStatus.EMPTY)
        self._listeners: list[StateListener] = []
        self._jobs: dict[str, _Job] = {}
        self._worker: _Running | None = None
        self._error: HearthError | None = None
        self._call_ids = count()
        self._log: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._control, name="engine-control", daemon=True)
        self._thread.start()

    # Engine: any thread

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def recent_log(self) -> tuple[str, ...]:
        """llama.cpp's last warnings and errors, oldest first; never prompt text."""
        return tuple(self._log)

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, for diagnosis; None if there is none."""
        worker = self._worker
        return worker.process.pid if worker is not None else None

    def subscribe(self, listener: StateListener) -> None:
        self._listeners.append(listener)

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        future: Future[LoadedModel] = Future()
        future.set_running_or_notify_cancel()
        if self._post(lambda: self._load(spec, future)):
            if cancel is not None:
                cancel.on_cancel(partial(self._tell, partial(self._cancel_load, future)))
        else:
            future.set_exception(_no_model())
        return future

    def unload(self) -> Future[None]:
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        if not self._post(lambda: self._unload(future)):
            future.set_result(None)
        return future

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        job = _Job(request, cancel, sink)
        if self._post(lambda: self._submit(job)):
            cancel.on_cancel(partial(self._tell, partial(self._cancel, job)))
        else:
            sink(Finished(request.request_id, FinishReason.CANCELLED))

    def generate(self, request: GenerationRequest, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        return iterate(self, request, cancel)

    def generate_many(
        self, request: GenerationRequest, n: int, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, StreamEvent]]:
        return iterate_many(self, request, n, cancel)

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        return self._asked(CountTokens(tuple(texts)), TokenCounts, lambda answer: list(answer.counts))

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        return self._asked(PlanPrompt(request), PromptPlan, lambda plan: plan)

    def cache(self) -> Future[CacheReport]:
        return self._asked(ReportCache(), CacheReport, lambda report: report)

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        return self._asked(EmbedTexts(tuple(texts)), Embeddings, lambda answer: list(answer.vectors))

    def forget(self, cache_key: str) -> None:
        self._post(lambda: self._send(Forget(cache_key)))

    def _asked(self, question: Question, kind: type[A], unpack: Callable[[A], T]) -> Future[T]:
        """Have a question answered by the worker; an answer of another kind is the worker's bug."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        raw: Future[Answer] = Future()

        def unpacked(answered: Future[Answer]) -> None:
            error = answered.exception()
            if error is not None:
                future.set_exception(error)
                return
            answer = answered.result()
            assert isinstance(answer, kind)
            future.set_result(unpack(answer))

        raw.add_done_callback(unpacked)
        if not self._post(lambda: self._ask(question, raw)):
            raw.set_exception(_no_model())
        return future

    def force_stop(self) -> None:
        self._post(self._force_stop)

    def close(self) -> None:
        with self._closing:
            if not self._closed:
                self._closed = True
                self._inbox.put(self._close)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # The control thread

    def _post(self, call: Callable[[], None]) -> bool:
        """Have the control thread make a call; False once the engine is closed."""
        with self._closing:
            if not self._closed:
                self._inbox.put(call)
            return not self._closed

    def _tell(self, call: Callable[[], None]) -> None:
        """As `_post`, where a closed engine has nothing more to do."""
        self._post(call)

    def _control(self) -> None:
        while self._state.status is not EngineStatus.CLOSED:
            working = self._worker is not None and (self._jobs or self._state.status is EngineStatus.LOADING)
            try:
                call = self._inbox.get(timeout=self._patience.tick_s if working else None)
            except queue.Empty:
                self._tick()
            else:
                call()

    def _set_state(self, state: EngineState) -> None:
        self._state = state
        for listener in list(self._listeners):
            _call_out(listener, state)

    def _load(self, spec: ModelSpec, future: Future[LoadedModel]) -> None:
        self._retire(ModelLoadError(sentence("Another model was chosen.")))
        self._end_jobs(FinishReason.CANCELLED)
        if self._budget.quarantined(spec):
            self._fail_load(_quarantine_error(spec), future)
            return
        self._start(spec, future)

    def _start(self, spec: ModelSpec, future: Future[LoadedModel] | None) -> None:
        try:
            process = WorkerProcess(self._entry_point, self._from_reader, self._from_reader_end)
            process.send(Load(spec))
        except OSError as reason:
            error = WorkerCrashedError(sentence("The model's process cannot be started: {reason}"), reason=str(reason))
            self._fail_load(error, future)
            return
        self._error = None
        self._worker = _Running(spec, process, Heartbeat(self._patience), future)
        self._set_state(EngineState(EngineStatus.LOADING))

    def _retire(self, reason: HearthError) -> None:
        """End the present worker, if there is one; whoever waits for it hears `reason`."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.process.kill()
        _fail_all(worker, reason)

    def _cancel_load(self, future: Future[LoadedModel]) -> None:
        if self._worker is None or self._worker.load is not future:
            return
        self._retire(ModelLoadError(sentence("Loading the model was stopped.")))
        self._end_jobs(FinishReason.CANCELLED)
        self._set_state(EngineState(EngineStatus.EMPTY))

    def _unload(self, future: Future[None]) -> None:
        self._retire(_no_model())
        self._end_jobs(FinishReason.CANCELLED)
        self._set_state(EngineState(EngineStatus.EMPTY))
        future.set_result(None)

    def _force_stop(self) -> None:
        self._end_jobs(FinishReason.CANCELLED)
        worker = self._worker
        if worker is None:
            return
        future, worker.load = worker.load, None
        self._retire(_no_model())
        self._start(worker.spec, future)

    def _close(self) -> None:
        self._retire(_no_model())
        self._end_jobs(FinishReason.CANCELLED)
        self._set_state(EngineState(EngineStatus.CLOSED))

    def _submit(self, job: _Job) -> None:
        request_id = job.request.request_id
        if job.cancel.cancelled:
            _call_out(job.sink, Finished(request_id, FinishReason.CANCELLED))
        elif request_id in self._jobs:
            _call_out(job.sink, _failed(request_id, HearthError(sentence("This request is already under way."))))
        elif self._worker is None:
            _call_out(job.sink, _failed(request_id, self._error or _no_model()))
        else:
            self._jobs[request_id] = job
            if self._state.status is EngineStatus.READY:
                self._send_job(self._worker, job)

    def _send_job(self, worker: _Running, job: _Job) -> None:
        if not any(other.sent for other in self._jobs.values()):
            worker.heartbeat.begin()
        try:
            worker.process.send(Submit(job.request))
            job.sent = True
        except MessageTooLongError:
            self._end(job, _failed(job.request.request_id, LimitError(sentence("The conversation is too long."))))

    def _cancel(self, job: _Job) -> None:
        if self._jobs.get(job.request.request_id) is not job:
            return
        if job.sent and self._worker is not None:
            self._worker.process.send(Cancel(job.request.request_id))
        else:
            self._end(job, Finished(job.request.request_id, FinishReason.CANCELLED))

    def _ask(self, question: Question, future: Future[Answer]) -> None:
        worker = self._worker
        if worker is None or self._state.status is not EngineStatus.READY:
            future.set_exception(_no_model())
            return
        call_id = next(self._call_ids)
        try:
            worker.process.send(Ask(call_id, question))
            worker.calls[call_id] = future
        except MessageTooLongError:
            future.set_exception(LimitError(sentence("The text is too long.")))

    def _send(self, command: Forget) -> None:
        if self._worker is not None:
            self._worker.process.send(command)

    def _end(self, job: _Job, event: Finished | Failed) -> None:
        """Give an open request its terminal event."""
        del self._jobs[job.request.request_id]
        _call_out(job.sink, event)

    def _end_jobs(self, reason: FinishReason) -> None:
        for job in list(self._jobs.values()):
            self._end(job, Finished(job.request.request_id, reason))

    def _fail_jobs(self, error: HearthError, *, only_taken: bool = False) -> None:
        for job in list(self._jobs.values()):
            if job.taken or not only_taken:
                self._end(job, _failed(job.request.request_id, error))

    # Messages from the worker

    def _from_reader(self, process: WorkerProcess, message: ReportMessage) -> None:
        self._inbox.put(lambda: self._take(process, message))

    def _from_reader_end(self, process: WorkerProcess) -> None:
        self._inbox.put(lambda: self._process_ended(process))

    def _take(self, process: WorkerProcess, message: ReportMessage) -> None:
        worker = self._worker
        if worker is None or worker.process is not process:
            return  # from a worker that was retired meanwhile
        worker.heartbeat.heard()
        match message:
            case Report(event):
                self._pass_on(event)
            case Taken(request_id):
                if (job := self._jobs.get(request_id)) is not None:
                    job.taken = True
            case Pong(_, beats, busy):
                worker.heartbeat.pong(beats, busy=busy)
            case LoadProgress(fraction):
                self._set_state(EngineState(EngineStatus.LOADING, progress=fraction))
            case Loaded(model):
                self._loaded(worker, model)
            case LoadRefused(fault):
                self._load_refused(worker, fault)
            case Answered(call_id, answer):
                if (future := worker.calls.pop(call_id, None)) is not None:
                    future.set_result(answer)
            case Refused(call_id, fault):
                if (future := worker.calls.pop(call_id, None)) is not None:
                    future.set_exception(error_of(fault))
            case LogLine(text):
                self._log.append(text)
            case Hello():
                pass  # it lives; that was noted above

    def _pass_on(self, event: StreamEvent) -> None:
        job = self._jobs.get(event.request_id)
        if job is None:
            return  # ended meanwhile from this side
        if isinstance(event, TERMINAL):
            del self._jobs[event.request_id]
        _call_out(job.sink, event)

    def _loaded(self, worker: _Running, model: LoadedModel) -> None:
        worker.heartbeat.loaded(self._patience.for_model(model, worker.spec.n_batch))
        self._set_state(EngineState(EngineStatus.READY, model, 1.0))
        future, worker.load = worker.load, None
        if future is not None:
            future.set_result(model)
        for job in list(self._jobs.values()):
            if not job.sent:
                self._send_job(worker, job)

    def _load_refused(self, worker: _Running, fault: Fault) -> None:
        future, worker.load = worker.load, None
        error = error_of(fault)
        self._retire(error)
        self._fail_load(error, future)

    def _fail_load(self, error: HearthError, future: Future[LoadedModel] | None) -> None:
        """No worker, no model: EMPTY after a load that was asked for, CRASHED after a restart."""
        status = EngineStatus.CRASHED if future is None or isinstance(error, WorkerError) else EngineStatus.EMPTY
        self._error = error
        self._fail_jobs(error)
        self._set_state(EngineState(status, message=str(error)))
        if future is not None:
            future.set_exception(error)

    # Crashes and hangs

    def _process_ended(self, process: WorkerProcess) -> None:
        worker = self._worker
        if worker is not None and worker.process is process:
            self._lost(worker, crash_error(process.exit_code))

    def _tick(self) -> None:
        worker = self._worker
        if worker is None:
            return
        if worker.heartbeat.tick() is Pulse.FINE:
            worker.process.send(Ping(worker.heartbeat.number))
        else:
            worker.process.kill()
            self._lost(worker, WorkerHungError(sentence("The model's process stopped answering and was ended.")))

    def _lost(self, worker: _Running, error: HearthError) -> None:
        """The worker is gone without having been told to go."""
        self._worker = None
        _logger.warning("engine worker lost: %s", error)
        self._budget.record(worker.spec)
        future, worker.load = worker.load, None
        was_loading = self._state.status is EngineStatus.LOADING
        _fail_all(worker, error)
        if was_loading:
            self._fail_load(error, future)
            return
        self._fail_jobs(error, only_taken=True)
        if self._budget.quarantined(worker.spec):
            quarantine = _quarantine_error(worker.spec)
            self._fail_load(quarantine, None)
            return
        for job in self._jobs.values():
            job.sent = False
        self._set_state(EngineState(EngineStatus.CRASHED, message=str(error)))
        self._start(worker.spec, None)


def _fail_all(worker: _Running, reason: HearthError) -> None:
    """Everybody who waits for this worker hears why nothing comes."""
    waiting = [worker.load, *worker.calls.values()]
    worker.load = None
    worker.calls.clear()
    for future in waiting:
        if future is not None:
            future.set_exception(reason)


def _call_out(listener: Callable[[T], None], value: T) -> None:
    """Call a listener or sink; one that raises is a bug of its own and must not end the control thread."""
    try:
        listener(value)
    except Exception:
        _logger.exception("a listener of the engine raised")


def _failed(request_id: str, error: HearthError) -> Failed:
    fault = fault_of(error)
    return Failed(request_id, fault.code, fault.template, fault.fields)


def _no_model() -> ModelLoadError:
    return ModelLoadError(sentence("No model is loaded."))


def _quarantine_error(spec: ModelSpec) -> WorkerQuarantinedError:
    if spec.n_gpu_layers == 0:
        return WorkerQuarantinedError(
            sentence("{name} crashed too often and is left alone for ten minutes. Choose another model."),
            name=spec.path.name,
        )
    return WorkerQuarantinedError(
        sentence("{name} crashed too often and is left alone for ten minutes. Load it on the processor instead."),
        name=spec.path.name,
    )
