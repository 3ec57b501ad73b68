"""`RemoteEngine`: a model on another computer behind the `Engine` protocol. What is asked here leaves this computer.

For llama-server, vLLM, Ollama and LM Studio. What the other side does not tell is not made up: the window may be 0
(unknown), `cache` fails with a sentence, and `plan` and `count_tokens` do too unless llama-server answers, which
counts by the model's own tokeniser. There are no log-probabilities. A chat that is too long for the server loses its
oldest turns, where the server says so (Ollama cuts silently). See `app.remote.completions` for what becomes of roles.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from app.i18n import tr
from app.remote.address import parse_address
from app.remote.answer import Answer, Respondent, failed
from app.remote.calls import RemoteCalls
from app.remote.completions import wire_messages
from app.remote.messages import (
    Counted,
    CountWords,
    EmbedWords,
    Found,
    FoundModel,
    ListModels,
    RemoteOrder,
    ServerKind,
    Vectors,
)
from engine.cancel import CancelToken
from engine.context.segments import PromptMessage, Role
from engine.engine import EngineState, EngineStatus, StateListener, StreamSink
from engine.errors import HearthError, ModelLoadError, RemoteError, sentence
from engine.pages import CacheReport, PromptPage, PromptPlan, Region
from engine.streaming import Streaming
from engine.types import Finished, FinishReason, GenerationRequest, LoadedModel, ModelSpec
from engine.worker.exits import no_model

T = TypeVar("T")
_NAMES_TOLD = 8


class RemoteEngine(Streaming):
    """Implements `engine.engine.Engine` for one `ModelSpec.remote`; `key_for` gives an address's key, "" for none.

    Sinks and listeners are called from the connection's reader thread or from the caller's.
    """

    def __init__(
        self, key_for: Callable[[str], str] = lambda _address: "", *, order: RemoteOrder | None = None
    ) -> None:
        """`order` sets other patience than the usual; its address and key do not count."""
        self._key_for = key_for
        self._patience = order or RemoteOrder("")
        self._lock = threading.Lock()
        self._state = EngineState(EngineStatus.EMPTY)
        self._listeners: list[StateListener] = []
        self._spec: ModelSpec | None = None
        self._calls = RemoteCalls(self._order)
        self._respondent = Respondent("", ServerKind.OTHER, 0)

    @property
    def state(self) -> EngineState:
        return self._state

    def subscribe(self, listener: StateListener) -> None:
        self._listeners.append(listener)

    def load(self, spec: ModelSpec, cancel: CancelToken | None = None) -> Future[LoadedModel]:
        future: Future[LoadedModel] = Future()
        future.set_running_or_notify_cancel()
        began = time.monotonic()
        if spec.remote is None:
            raise ValueError("a remote engine loads remote models only")
        self._calls.cancel_all()
        remote = spec.remote
        self._spec = spec
        self._set_state(EngineState(EngineStatus.LOADING))

        def refused(error: HearthError) -> None:
            if not future.done():
                self._calls.disconnect()
                self._set_state(EngineState(EngineStatus.EMPTY, message=str(error)))
                future.set_exception(error)

        def done(found: Found) -> None:
            try:
                host = parse_address(remote.address).host
                chosen = _chosen(found, remote.name, host)
            except HearthError as error:
                refused(error)
                return
            model = _loaded(chosen, host, spec, time.monotonic() - began)
            with self._lock:
                if future.done():
                    return
                self._respondent = Respondent(chosen.name, found.server, model.n_ctx)
            self._set_state(EngineState(EngineStatus.READY, model, 1.0))
            future.set_result(model)

        self._calls.ask(ListModels, Found, done, refused)
        if cancel is not None:
            cancel.on_cancel(lambda: refused(ModelLoadError(sentence("Loading the model was stopped."))))
        return future

    def unload(self) -> Future[None]:
        self._spec = None
        self._calls.cancel_all()
        self._calls.disconnect()
        if self._state.status is not EngineStatus.CLOSED:
            self._set_state(EngineState(EngineStatus.EMPTY))
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def submit(self, request: GenerationRequest, cancel: CancelToken, sink: StreamSink) -> None:
        if self._state.status is EngineStatus.CLOSED or cancel.cancelled or request.prefill_only:
            ended = FinishReason.STOP if request.prefill_only and not cancel.cancelled else FinishReason.CANCELLED
            sink(Finished(request.request_id, ended))
        elif self._state.status is not EngineStatus.READY:
            sink(failed(request.request_id, no_model()))
        else:
            Answer(self._calls, request, cancel, sink, self._respondent).send()

    def plan(self, request: GenerationRequest) -> Future[PromptPlan]:
        segments = [(message, segment) for message in request.messages for segment in message.segments]

        def planned(counted: Counted) -> PromptPlan:
            pages = [
                PromptPage(
                    segment.origin.value, tokens, _region(message), message_id=message.message_id,
                    label=segment.label, pinned=message.pinned,
                )
                for (message, segment), tokens in zip(segments, counted.counts, strict=True)
            ]  # fmt: skip
            frame = max(0, counted.prompt - sum(counted.counts))
            pages.append(PromptPage("app", frame, Region.RECENT))
            n_ctx = self._state.model.n_ctx if self._state.model is not None else 0
            return PromptPlan(tuple(pages), (), sum(page.tokens for page in pages), 0, n_ctx)

        texts = tuple(segment.text for _message, segment in segments)
        return self._counted(texts, json.dumps(wire_messages(request.messages)), planned)

    def cache(self) -> Future[CacheReport]:
        return _refused(RemoteError(sentence("Only the other computer knows what it keeps of your chats.")))

    def forget(self, cache_key: str) -> None:
        """Nothing is kept here; what the server keeps is its own."""

    def embed(self, texts: Sequence[str]) -> Future[list[tuple[float, ...]]]:
        future: Future[list[tuple[float, ...]]] = Future()
        name = self._respondent.name
        self._calls.ask(
            lambda call_id: EmbedWords(call_id, name, tuple(texts)),
            Vectors,
            lambda answer: future.set_result(list(answer.vectors)),
            future.set_exception,
        )
        return future

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        return self._counted(tuple(texts), "", lambda counted: list(counted.counts))

    def force_stop(self) -> None:
        self._calls.cancel_all()
        self._calls.disconnect()

    def close(self) -> None:
        if self._state.status is not EngineStatus.CLOSED:
            self.unload()
            self._set_state(EngineState(EngineStatus.CLOSED))

    def _set_state(self, state: EngineState) -> None:
        self._state = state
        for listener in list(self._listeners):
            listener(state)

    def _order(self) -> RemoteOrder:
        """Whom to connect to. Raises `ModelLoadError` where nothing is loaded any more."""
        spec = self._spec
        if spec is None or spec.remote is None:
            raise no_model()
        patience, address = self._patience, spec.remote.address
        return RemoteOrder(address, self._key_for(address), patience.connect_s, patience.answer_s, patience.stall_s)

    def _counted(self, texts: tuple[str, ...], messages: str, become: Callable[[Counted], T]) -> Future[T]:
        if self._respondent.server is not ServerKind.LLAMA:
            return _refused(RemoteError(sentence("This server does not tell how many tokens a text has.")))
        future: Future[T] = Future()
        self._calls.ask(
            lambda call_id: CountWords(call_id, texts, messages),
            Counted,
            lambda counted: future.set_result(become(counted)),
            future.set_exception,
        )
        return future


def _chosen(found: Found, wanted: str, host: str) -> FoundModel:
    """The model of that name, or the only or first one where none is named. Raises `RemoteError`."""
    if not found.models:
        raise RemoteError(sentence("{host} answers, but has no model ready."), host=host)
    for model in found.models:
        if wanted in (model.name, "") or model.name == f"{wanted}:latest":
            return model
    names = ", ".join(model.name for model in found.models[:_NAMES_TOLD])
    raise RemoteError(
        sentence("{host} has no model called {name}. It has: {names}"), host=host, name=wanted, names=names
    )


def _loaded(model: FoundModel, host: str, spec: ModelSpec, load_s: float) -> LoadedModel:
    return LoadedModel(
        path=spec.path,
        name=model.name,
        architecture="",
        quantisation="",
        n_ctx=model.n_ctx,
        n_ctx_train=model.n_ctx_train,
        n_vocab=model.n_vocab,
        n_params=model.n_params,
        weights_bytes=0,
        kv_bytes=0,
        compute_bytes=0,
        backend=tr("on {host}", host=host),
        n_gpu_layers=0,
        backend_note=tr("Answers come from {host}: your messages leave this computer.", host=host),
        template="",
        can_think=False,
        load_s=load_s,
        n_sequences=1,
        shares_prefixes=False,
        remote_host=host,
    )


def remote_path(name: str) -> Path:
    """What stands for the path of a model that has none on this computer."""
    return Path(name or "remote")


def _region(message: PromptMessage) -> Region:
    if message.role is Role.SYSTEM:
        return Region.SYSTEM
    return Region.PINNED if message.pinned else Region.RECENT


def _refused(error: HearthError) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
