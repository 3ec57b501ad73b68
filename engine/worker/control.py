"""The state of an engine, and the worker that it has: what its one control thread does.

Every call and every message from the worker comes through `call`, in order, and every listener and sink is called
from the control thread. Knows no llama.cpp: that is in the worker's process.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from engine.engine import EngineState, EngineStatus, StateListener
from engine.errors import (
    HearthError,
    LimitError,
    ModelLoadError,
    WorkerCrashedError,
    WorkerError,
    WorkerHungError,
    sentence,
)
from engine.types import Finished, FinishReason, LoadedModel, ModelSpec
from engine.worker.calls import OpenCalls
from engine.worker.child import EntryPoint
from engine.worker.envelope import Fault, MessageTooLongError, error_of
from engine.worker.exits import crash_error, no_model, quarantine_error
from engine.worker.heartbeat import Heartbeat, Patience, Pulse
from engine.worker.open_requests import OpenRequest, OpenRequests, call_out, failed
from engine.worker.process import WorkerProcess
from engine.worker.protocol import (
    Answer,
    Answered,
    Cancel,
    Forget,
    Hello,
    Load,
    Loaded,
    LoadProgress,
    LoadRefused,
    LogLine,
    Ping,
    Pong,
    Question,
    Refused,
    Report,
    ReportMessage,
    Submit,
    Taken,
)
from engine.worker.restart import CrashBudget

LOG_LINES_KEPT = 200
LEAVE_S = 3.0
"""How long a worker may take to write its snapshots and end; then it is ended."""
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Running:
    """The present worker and what it is to hold. `load` is the call that waits for it, if one does."""

    spec: ModelSpec
    process: WorkerProcess
    heartbeat: Heartbeat
    load: Future[LoadedModel] | None
    calls: OpenCalls = field(default_factory=OpenCalls)

    def fail_all(self, reason: HearthError) -> None:
        """Everybody who waits for this worker hears why nothing comes."""
        load, self.load = self.load, None
        if load is not None:
            load.set_exception(reason)
        self.calls.fail_all(reason)


class EngineControl:
    """Any thread: `call`, `join`, and the attributes. All else is the control thread's: have it called by `call`."""

    def __init__(self, patience: Patience, budget: CrashBudget, entry_point: EntryPoint) -> None:
        self.state = EngineState(EngineStatus.EMPTY)
        self.listeners: list[StateListener] = []
        self.log: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        self.worker: Running | None = None
        self._patience = patience
        self._budget = budget
        self._entry_point = entry_point
        self._requests = OpenRequests()
        self._error: HearthError | None = None
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine-control", daemon=True)
        self._thread.start()

    def call(self, call: Callable[[], None]) -> None:
        """Have the control thread make a call, after those that were given before."""
        self._inbox.put(call)

    def join(self) -> None:
        """Wait for the end that `close` brings; the control thread itself need not."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while self.state.status is not EngineStatus.CLOSED:
            working = self.worker is not None and (self._requests or self.state.status is EngineStatus.LOADING)
            try:
                call = self._inbox.get(timeout=self._patience.tick_s if working else None)
            except queue.Empty:
                self._tick()
            else:
                call()

    def _set_state(self, state: EngineState) -> None:
        self.state = state
        for listener in list(self.listeners):
            call_out(listener, state)

    # What is asked of the engine

    def load(self, spec: ModelSpec, future: Future[LoadedModel]) -> None:
        may_leave = self._may_leave()
        if may_leave:
            self._set_state(EngineState(EngineStatus.LOADING))
        self._retire(ModelLoadError(sentence("Another model was chosen.")), in_peace=may_leave)
        self._requests.cancel_all()
        if self._budget.quarantined(spec):
            self._fail_load(quarantine_error(spec), future)
            return
        self._start(spec, future)

    def cancel_load(self, future: Future[LoadedModel]) -> None:
        if self.worker is None or self.worker.load is not future:
            return
        self._retire(ModelLoadError(sentence("Loading the model was stopped.")))
        self._requests.cancel_all()
        self._set_state(EngineState(EngineStatus.EMPTY))

    def unload(self, future: Future[None]) -> None:
        self._retire(no_model(), in_peace=self._may_leave())
        self._requests.cancel_all()
        self._set_state(EngineState(EngineStatus.EMPTY))
        future.set_result(None)

    def force_stop(self) -> None:
        self._requests.cancel_all()
        worker = self.worker
        if worker is None:
            return
        future, worker.load = worker.load, None
        self._retire(no_model())
        self._start(worker.spec, future)

    def close(self) -> None:
        self._retire(no_model(), in_peace=self._may_leave())
        self._requests.cancel_all()
        self._set_state(EngineState(EngineStatus.CLOSED))

    def submit(self, job: OpenRequest) -> None:
        if job.cancel.cancelled:
            call_out(job.sink, Finished(job.request_id, FinishReason.CANCELLED))
        elif self._requests.get(job.request_id) is not None:
            call_out(job.sink, failed(job.request_id, HearthError(sentence("This request is already under way."))))
        elif self.worker is None:
            call_out(job.sink, failed(job.request_id, self._error or no_model()))
        else:
            self._requests.add(job)
            if self.state.status is EngineStatus.READY:
                self._send_job(self.worker, job)

    def cancel(self, job: OpenRequest) -> None:
        if job not in self._requests:
            return
        if job.sent and self.worker is not None:
            self.worker.process.send(Cancel(job.request_id))
        else:
            self._requests.end(job, Finished(job.request_id, FinishReason.CANCELLED))

    def ask(self, question: Question, future: Future[Answer]) -> None:
        worker = self.worker
        if worker is None or self.state.status is not EngineStatus.READY:
            future.set_exception(no_model())
            return
        try:
            worker.calls.ask(question, future, worker.process.send)
        except MessageTooLongError:
            future.set_exception(LimitError(sentence("The text is too long.")))

    def forget(self, cache_key: str) -> None:
        if self.worker is not None:
            self.worker.process.send(Forget(cache_key))

    # The worker's life

    def _start(self, spec: ModelSpec, future: Future[LoadedModel] | None) -> None:
        try:
            process = WorkerProcess(self._entry_point, self._from_reader, self._from_reader_end)
            process.send(Load(spec))
        except OSError as reason:
            error = WorkerCrashedError(sentence("The model's process cannot be started: {reason}"), reason=str(reason))
            self._fail_load(error, future)
            return
        self._error = None
        self.worker = Running(spec, process, Heartbeat(self._patience), future)
        self._set_state(EngineState(EngineStatus.LOADING))

    def _may_leave(self) -> bool:
        """Whether there is a worker that has snapshots to write, and nothing better to do.

        A request that is cancelled already does not count.
        """
        return (
            self.worker is not None
            and self.worker.spec.snapshot_folder is not None
            and self.state.model is not None
            and all(job.sent and job.cancel.cancelled for job in self._requests)
        )

    def _retire(self, reason: HearthError, *, in_peace: bool = False) -> None:
        """End the present worker, if there is one; whoever waits for it hears `reason`.

        `in_peace` takes up to `LEAVE_S` seconds; otherwise it is killed.
        """
        worker, self.worker = self.worker, None
        if worker is None:
            return
        worker.fail_all(reason)
        if not in_peace:
            worker.process.kill()
            return
        for job in self._requests:
            worker.process.send(Cancel(job.request_id))
        worker.process.leave(LEAVE_S)

    def _send_job(self, worker: Running, job: OpenRequest) -> None:
        if not any(other.sent for other in self._requests):
            worker.heartbeat.begin()
        try:
            worker.process.send(Submit(job.request))
            job.sent = True
        except MessageTooLongError:
            error = LimitError(sentence("The conversation is too long."))
            self._requests.end(job, failed(job.request_id, error))

    # Messages from the worker

    def _from_reader(self, process: WorkerProcess, message: ReportMessage) -> None:
        self.call(lambda: self._take(process, message))

    def _from_reader_end(self, process: WorkerProcess) -> None:
        self.call(lambda: self._process_ended(process))

    def _take(self, process: WorkerProcess, message: ReportMessage) -> None:
        worker = self.worker
        if worker is None or worker.process is not process:
            return  # from a worker that was retired meanwhile
        worker.heartbeat.heard()
        match message:
            case Report(event):
                self._requests.pass_on(event)
            case Taken(request_id):
                if (job := self._requests.get(request_id)) is not None:
                    job.taken = True
            case Pong(_, beats, busy):
                worker.heartbeat.pong(beats, busy=busy)
            case LoadProgress(fraction):
                self._set_state(EngineState(EngineStatus.LOADING, progress=fraction))
            case Loaded(model):
                self._loaded(worker, model)
            case LoadRefused(fault):
                self._load_refused(worker, fault)
            case Answered() | Refused():
                worker.calls.settle(message)
            case LogLine(text):
                self.log.append(text)
            case Hello():
                pass  # it lives; that was noted above

    def _loaded(self, worker: Running, model: LoadedModel) -> None:
        worker.heartbeat.loaded(self._patience.for_model(model, worker.spec.n_batch))
        self._set_state(EngineState(EngineStatus.READY, model, 1.0))
        future, worker.load = worker.load, None
        if future is not None:
            future.set_result(model)
        for job in self._requests:
            if not job.sent:
                self._send_job(worker, job)

    def _load_refused(self, worker: Running, fault: Fault) -> None:
        future, worker.load = worker.load, None
        error = error_of(fault)
        self._retire(error)
        self._fail_load(error, future)

    def _fail_load(self, error: HearthError, future: Future[LoadedModel] | None) -> None:
        """No worker, no model: EMPTY after a load that was asked for, CRASHED after a restart."""
        status = EngineStatus.CRASHED if future is None or isinstance(error, WorkerError) else EngineStatus.EMPTY
        self._error = error
        self._requests.fail_all(error)
        self._set_state(EngineState(status, message=str(error)))
        if future is not None:
            future.set_exception(error)

    # Crashes and hangs

    def _process_ended(self, process: WorkerProcess) -> None:
        worker = self.worker
        if worker is not None and worker.process is process:
            self._lost(worker, crash_error(process.exit_code))

    def _tick(self) -> None:
        worker = self.worker
        if worker is None:
            return
        if worker.heartbeat.tick() is Pulse.FINE:
            worker.process.send(Ping(worker.heartbeat.number))
        else:
            worker.process.kill()
            self._lost(worker, WorkerHungError(sentence("The model's process stopped answering and was ended.")))

    def _lost(self, worker: Running, error: HearthError) -> None:
        """The worker is gone without having been told to go."""
        self.worker = None
        _logger.warning("engine worker lost: %s", error)
        self._budget.record(worker.spec)
        future, worker.load = worker.load, None
        was_loading = self.state.status is EngineStatus.LOADING
        worker.fail_all(error)
        if was_loading:
            self._fail_load(error, future)
            return
        self._requests.fail_all(error, only_taken=True)
        if self._budget.quarantined(worker.spec):
            self._fail_load(quarantine_error(worker.spec), None)
            return
        for job in self._requests:
            job.sent = False
        self._set_state(EngineState(EngineStatus.CRASHED, message=str(error)))
        self._start(worker.spec, None)
