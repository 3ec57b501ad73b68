"""The worker's main loop: jobs become generations, generations become events, one batch after another.

Knows jobs and the outbox, and of the model only what `Answers` says. Runs on the worker's main thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from engine.errors import HearthError
from engine.pages import CacheReport, PromptPlan
from engine.types import Failed, Finished, FinishReason, GenerationRequest, LoadedModel
from engine.worker.envelope import fault_of
from engine.worker.jobs import Job, Jobs
from engine.worker.outbox import Outbox, Stream
from engine.worker.protocol import Taken

if TYPE_CHECKING:
    from engine.model.generation import Generation
    from engine.model.scheduler import Ended
    from engine.model.text_pipeline import Hooks


class Answers(Protocol):
    """A loaded model, as the worker sees it. What a model cannot do raises `HearthError`.

    The first block may be called by any thread, the rest by the main thread.
    """

    @property
    def loaded(self) -> LoadedModel: ...

    @property
    def beats(self) -> int: ...

    def abort(self) -> None: ...

    def clear_abort(self) -> None: ...

    def count(self, texts: Sequence[str]) -> tuple[int, ...]: ...

    def plan(self, request: GenerationRequest) -> PromptPlan: ...

    @property
    def busy(self) -> bool: ...

    def cache(self) -> CacheReport: ...

    def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]: ...

    def forget(self, key: str) -> None: ...

    def save(self, within_s: float) -> None: ...

    def begin(self, request: GenerationRequest, hooks: Hooks) -> Generation: ...

    def step(self) -> Sequence[Ended]: ...

    def idle(self) -> bool:
        """Do a small piece of work that nobody waits for; False if there is none left."""
        ...


class ChatLoop:
    """Never ends by itself."""

    def __init__(self, model: Answers, jobs: Jobs, outbox: Outbox) -> None:
        self._model = model
        self._jobs = jobs
        self._outbox = outbox
        self._open: dict[Generation, tuple[Job, Stream]] = {}

    def run(self) -> None:
        """Answer until the process is ended."""
        while True:
            if not self._model.busy and not self._jobs.wait(0 if self._model.idle() else None):
                continue
            for errand in self._jobs.errands():
                errand()
            for job in self._jobs.take():
                self._begin(job)
            self._step()

    def _begin(self, job: Job) -> None:
        request_id = job.request.request_id
        stream = Stream(self._outbox, request_id)
        self._outbox.post(Taken(request_id))
        if job.cancelled:
            stream.event(Finished(request_id, FinishReason.CANCELLED))
            self._jobs.done(job)
            return
        try:
            self._open[self._model.begin(job.request, _JobHooks(job, stream))] = job, stream
        except HearthError as error:
            self._fail(job, stream, error)

    def _step(self) -> None:
        for ended in self._model.step():
            job, stream = self._open.pop(ended.generation)
            if ended.error is not None:
                self._fail(job, stream, ended.error)
            else:
                self._jobs.done(job)

    def _fail(self, job: Job, stream: Stream, error: HearthError) -> None:
        fault = fault_of(error)
        stream.event(Failed(job.request.request_id, fault.code, fault.template, fault.fields))
        self._jobs.done(job)


class _JobHooks:
    """Implements `engine.model.text_pipeline.Hooks` for one job."""

    def __init__(self, job: Job, stream: Stream) -> None:
        self._job = job
        self.event = stream.event
        self.text = stream.text
        self.reasoning = stream.reasoning

    def cancelled(self) -> bool:
        return self._job.cancelled
