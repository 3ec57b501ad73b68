"""FakeEngine: a scripted, deterministic `Engine` for tests and for looking at the window without a model.

Answers come from one thread of its own, as the real engine's do. Knows no process and no llama.cpp.
Nothing here waits unless a delay or a gate is given.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from engine.cancel import CancelToken
from engine.context.segments import Role
from engine.engine import EngineState, EngineStatus, StateListener, StreamSink
from engine.errors import HearthError, ModelLoadError, WorkerCrashedError, sentence
from engine.pages import CacheReport, PageState, PromptPage, PromptPlan, Region, RegionUse
from engine.streaming import Streaming
from engine.types import (
    EndWeighed,
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    PromptLogprobs,
    PromptProgress,
    QuestionScored,
    ReasoningDelta,
    Started,
    StreamEvent,
    TextDelta,
    TokenLogprob,
    Usage,
)

PREFILL_BLOCK = 32
"""Fake tokens that one `PromptProgress` stands for."""


@dataclass(frozen=True, slots=True)
class FakeAnswer:
    """One scripted answer. Text is streamed word by word.

    `error` ends it as `Failed` after the text; `crash` also takes the engine through CRASHED and back to
    READY. `gate` is waited for before the first delta, `end_gate` before the terminal event (a cancel
    opens both). `logprobs` reports one for each delta. `pages` and `regions` are those of its `Started`; without
    pages every segment is one. The other numbers are reported as they are.
    """

    text: str
    reasoning: str = ""
    reason: FinishReason = FinishReason.STOP
    error: HearthError | None = None
    crash: bool = False
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    dropped: tuple[str, ...] = ()
    gate: threading.Event | None = None
    end_gate: threading.Event | None = None
    logprobs: bool = False
    pages: tuple[PromptPage, ...] = ()
    regions: tuple[RegionUse, ...] = ()
    restored_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    request: GenerationRequest
    cancel: CancelToken
    sink: StreamSink


_STOP = object()


def fake_tokens(text: str) -> list[str]:
    """Words with the space before them: what the fake calls tokens. Joined, they are the text."""
    return re.findall(r"\s*\S+|\s+", text)


def fake_model(path: Path, *, n_ctx: int = 4096) -> LoadedModel:
    """A plausible `LoadedModel` for `path`."""
    return LoadedModel(
        path=path,
        name=path.stem or "fake",
        architecture="fake",
        quantisation="Q4_K_M",
        n_ctx=n_ctx,
        n_ctx_train=n_ctx,
        n_vocab=32_000,
        n_params=1_500_000_000,
        weights_bytes=1_000_000_000,
        kv_bytes=100_000_000,
        compute_bytes=200_000_000,
        backend="CPU",
        n_gpu_layers=0,
        backend_note="",
        template="chatml",
        can_think=False,
        load_s=0.0,
    )


class FakeEngine(Streaming):
    """Implements `engine.engine.Engine`.

    Answers are taken from `script` in order; after that, and without one, the last user message is echoed.
    `token_delay_s` paces deltas, `prefill_delay_s` each prefill block, `load_delay_s` a load. `load_error`
    fails every load. `loaded` starts the engine READY. `requests` keeps what was submitted. `planned` and `cached`,
    where set, are what `plan` and `cache` tell, `end_probability` what `EndWeighed` tells,
    `question_logprobs` what `QuestionScored` does, in order.
    """

    def __init__(
        self,
        script: Sequence[FakeAnswer | str] = (),
        *,
        token_delay_s: float = 0.0,
        prefill_delay_s: float = 0.0,
        load_delay_s: float = 0.0,
        load_error: HearthError | None = None,
        loaded: bool = True,
        n_ctx: int = 4096,
    ) -> None:
        self._script = [FakeAnswer(answer) if isinstance(answer, str) else answer for answer in script]
        self._token_delay_s = token_delay_s
        self._prefill_delay_s = prefill_delay_s
        self._load_delay_s = load_delay_s
        self._load_error = load_error
        self._n_ctx = n_ctx
        self._listeners: list[StateListener] = []
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._open: dict[str, _Job] = {}
        self._halt = CancelToken()
        self._state = EngineState(EngineStatus.EMPTY)
        if loaded:
            self._state = EngineState(EngineStatus.READY, fake_model(Path("fake.gguf"), n_ctx=n_ctx), 1.0)
        self.requests: list[GenerationRequest] = []
        self.end_probability = 0.0
        self.question_logprobs: list[float] = []
        self.forgotten: list[str] = []
        self.planned: PromptPlan | None = None
        self.cached: CacheReport | None = None
        self._thread = threading.Thread(target=self._work, name="fake-engine", daemon=True)
        self._thread.start()

    @property
    def state(self) -> EngineState:
        return self._state

    def subscribe(self, listener: StateListener) -> None:
        self._listeners.append(listener)

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        future: Future[LoadedModel] = Future()
        token = cancel or CancelToken()
        self._jobs.put(lambda: self._load(spec, token, future))
        return future

    def unload(self) -> Future[None]:
        future: Future[None] = Future()

        def unload() -> None:
            self._set_state(EngineState(EngineStatus.EMPTY))
            future.set_result(None)

        self._jobs.put(unload)
        return future

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        job = _Job(request, cancel, sink)
        with self._lock:
            self.requests.append(request)
            self._open[request.request_id] = job
        self._jobs.put(job)

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        future: Future[PromptPlan] = Future()
        if self._state.model is None:
            future.set_exception(ModelLoadError(sentence("No model is loaded.")))
        else:
            future.set_result(self.planned or _plan(request, self._n_ctx))
        return future

    def cache(self) -> Future[CacheReport]:
        future: Future[CacheReport] = Future()
        future.set_result(self.cached or CacheReport((), 0, self._n_ctx, 0, 0))
        return future

    def forget(self, cache_key: str) -> None:
        with self._lock:
            self.forgotten.append(cache_key)
            if self.cached is not None:
                kept = tuple(entry for entry in self.cached.entries if cache_key not in ("", entry.key))
                self.cached = replace(self.cached, entries=kept)

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        future: Future[list[tuple[float, ...]]] = Future()
        future.set_exception(HearthError(sentence("This model makes no embeddings.")))
        return future

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        future: Future[list[int]] = Future()
        future.set_result([len(fake_tokens(text)) for text in texts])
        return future

    def force_stop(self) -> None:
        with self._lock:
            jobs = list(self._open.values())
        for job in jobs:
            job.cancel.cancel()

    def close(self) -> None:
        if self._state.status is EngineStatus.CLOSED:
            return
        self._halt.cancel()
        self.force_stop()
        self._jobs.put(_STOP)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._set_state(EngineState(EngineStatus.CLOSED))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not _STOP:
            if isinstance(job, _Job):
                self._answer(job)
            elif callable(job):
                job()

    def _set_state(self, state: EngineState) -> None:
        self._state = state
        for listener in list(self._listeners):
            listener(state)

    def _load(self, spec: ModelSpec, cancel: CancelToken, future: Future[LoadedModel]) -> None:
        self._set_state(EngineState(EngineStatus.LOADING))
        for step in (0.25, 0.5, 0.75):
            cancel.wait(self._load_delay_s / 4)
            self._set_state(EngineState(EngineStatus.LOADING, progress=step))
        error = self._load_error
        if cancel.cancelled:
            error = ModelLoadError(sentence("Loading the model was stopped."))
        if error is not None:
            self._set_state(EngineState(EngineStatus.EMPTY, message=str(error)))
            future.set_exception(error)
            return
        model = fake_model(spec.path, n_ctx=spec.n_ctx or self._n_ctx)
        self._set_state(EngineState(EngineStatus.READY, model, 1.0))
        future.set_result(model)

    def _answer(self, job: _Job) -> None:
        with self._lock:
            if job.request.prefill_only:
                answer = FakeAnswer("", reason=FinishReason.LENGTH)
            else:
                answer = self._script.pop(0) if self._script else FakeAnswer(_echo(job.request))
        for event in self._events(job, answer):
            if isinstance(event, Finished | Failed):
                with self._lock:
                    self._open.pop(job.request.request_id, None)
                if answer.crash:
                    self._crash_and_recover()
            job.sink(event)

    def _crash_and_recover(self) -> None:
        model = self._state.model
        error = _crash_error()
        self._set_state(EngineState(EngineStatus.CRASHED, message=str(error)))
        self._set_state(EngineState(EngineStatus.LOADING))
        self._set_state(EngineState(EngineStatus.READY, model, 1.0))

    def _read_events(self, request: GenerationRequest) -> Iterator[StreamEvent]:
        """What reading a prompt tells of it."""
        request_id = request.request_id
        if request.bare is not None and request.bare.score:
            text = request.bare.text.encode("utf-8", "replace").decode("utf-8")
            tokens = fake_tokens(text) or [str(token) for token in request.bare.tokens]
            yield PromptLogprobs(
                request_id, 0, tuple(TokenLogprob(token, -0.5 if at else 0.0) for at, token in enumerate(tokens))
            )
        if request.weighs_end:
            yield EndWeighed(request_id, self.end_probability)
        if request.scores_question and self.question_logprobs:
            yield QuestionScored(request_id, self.question_logprobs.pop(0))

    def _events(self, job: _Job, answer: FakeAnswer) -> Iterator[StreamEvent]:
        request, cancel = job.request, job.cancel
        request_id = request.request_id
        if self._state.model is None:
            yield failed(request_id, ModelLoadError(sentence("No model is loaded.")))
            return
        total = answer.prompt_tokens
        if total is None:
            total = sum(len(fake_tokens(message.text)) + 4 for message in request.messages)
        seed = request.sampling.seed if request.sampling.seed is not None else 0
        yield Started(
            request_id,
            total,
            answer.cached_tokens,
            self._n_ctx,
            seed,
            answer.dropped,
            _origins(request, total),
            answer.restored_tokens,
            answer.pages or _pages(request, total),
            answer.regions,
        )
        yield from self._read_events(request)
        for processed in range(answer.cached_tokens, total, PREFILL_BLOCK):
            if not cancel.cancelled:
                cancel.wait(self._prefill_delay_s)
                yield PromptProgress(request_id, min(processed + PREFILL_BLOCK, total), total)
        _pass(answer.gate, cancel)
        made = 0
        reason = answer.reason
        for delta in _deltas(request_id, answer):
            if request.sampling.max_tokens is not None and made >= request.sampling.max_tokens:
                reason = FinishReason.LENGTH
                break
            if cancel.wait(self._token_delay_s):
                break
            made += 1
            yield delta
        _pass(answer.end_gate, cancel)
        yield Usage(
            request_id,
            total,
            answer.cached_tokens,
            made,
            self._n_ctx,
            0.01,
            0.01 * made,
            answer.restored_tokens,
            answer.drafted_tokens,
            answer.accepted_tokens,
        )
        if answer.crash:
            yield failed(request_id, answer.error or _crash_error())
        elif cancel.cancelled:
            yield Finished(request_id, FinishReason.CANCELLED)
        elif answer.error is not None:
            yield failed(request_id, answer.error)
        else:
            yield Finished(request_id, reason)


def failed(request_id: str, error: HearthError) -> Failed:
    """The terminal event for an error."""
    return Failed(request_id, error.code, error.template, tuple((k, str(v)) for k, v in error.fields.items()))


def _crash_error() -> HearthError:
    return WorkerCrashedError(sentence("The model stopped unexpectedly. It is being loaded again."))


def _echo(request: GenerationRequest) -> str:
    users = [message.text for message in request.messages if message.role is Role.USER]
    return f"You said: {users[-1]}" if users else "Hello."


def _plan(request: GenerationRequest, n_ctx: int) -> PromptPlan:
    """Every segment a page; nothing is left out but what the person excluded."""
    pages = tuple(
        PromptPage(
            segment.origin.value,
            len(fake_tokens(segment.text)),
            Region.SYSTEM if message.role is Role.SYSTEM else Region.PINNED if message.pinned else Region.RECENT,
            PageState.OUT if message.excluded else PageState.IN_WINDOW,
            message_id=message.message_id,
            label=segment.label,
            pinned=message.pinned,
        )
        for message in request.messages
        for segment in message.segments
    )
    inside = sum(page.tokens for page in pages if page.state is not PageState.OUT)
    dropped = tuple(message.message_id for message in request.messages if message.excluded)
    return PromptPlan(pages, (), inside, 0, n_ctx, dropped)


def _pages(request: GenerationRequest, total: int) -> tuple[PromptPage, ...]:
    """As `_plan`, and the template's words at the end, so that all add up to `total`."""
    pages = _plan(request, total).pages
    rest = total - sum(page.tokens for page in pages if page.state is not PageState.OUT)
    return (*pages, PromptPage("app", rest, Region.RECENT)) if rest > 0 else pages


def _origins(request: GenerationRequest, total: int) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for message in request.messages:
        for segment in message.segments:
            counts[segment.origin.value] = counts.get(segment.origin.value, 0) + len(fake_tokens(segment.text))
    counts["app"] = counts.get("app", 0) + total - sum(counts.values())
    return tuple(sorted(counts.items()))


def _deltas(request_id: str, answer: FakeAnswer) -> Iterator[StreamEvent]:
    for word in fake_tokens(answer.reasoning):
        yield ReasoningDelta(request_id, word)
    for word in fake_tokens(answer.text):
        logprobs = (TokenLogprob(word, -0.1, ((word, -0.1), ("other", -2.5))),) if answer.logprobs else ()
        yield TextDelta(request_id, word, logprobs)


def _pass(gate: threading.Event | None, cancel: CancelToken) -> None:
    """Wait until the gate opens; a cancelled request opens it."""
    if gate is not None:
        cancel.on_cancel(gate.set)
        gate.wait()
