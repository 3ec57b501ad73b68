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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from app.i18n import tr
from app.remote.address import parse_address
from app.remote.completions import request_body, wire_messages, without_oldest
from app.remote.connection import RemoteConnection, process_gone
from app.remote.messages import (
    Begun,
    Chat,
    Command,
    Counted,
    CountWords,
    EmbedWords,
    Ended,
    Found,
    FoundModel,
    HangUp,
    ListModels,
    Refusal,
    RemoteOrder,
    RemoteReport,
    ServerKind,
    Spent,
    Vectors,
    Words,
)
from engine.cancel import CancelToken
from engine.context.segments import PromptMessage, Role
from engine.engine import EngineState, EngineStatus, StateListener, StreamSink
from engine.errors import HearthError, ModelLoadError, PromptTooLongError, RemoteError, sentence
from engine.pages import CacheReport, PromptPage, PromptPlan, Region
from engine.streaming import iterate, iterate_many
from engine.types import (
    Failed,
    Finished,
    FinishReason,
    GenerationRequest,
    LoadedModel,
    ModelSpec,
    OverflowPolicy,
    ReasoningDelta,
    Started,
    StreamEvent,
    TextDelta,
    Usage,
)
from engine.worker.protocol import error_of, fault_of

T = TypeVar("T")
_NAMES_TOLD = 8


@dataclass(slots=True)
class _Answering:
    """An open request. `messages` are those that are left of it, `dropped` the ids of those left out."""

    request: GenerationRequest
    cancel: CancelToken
    sink: StreamSink
    messages: tuple[PromptMessage, ...]
    dropped: tuple[str, ...] = ()
    text: bool = False


@dataclass(slots=True)
class _Asked:
    """An open question: what its answer becomes, and who is told that it failed."""

    done: Callable[[Any], None]
    failed: Callable[[HearthError], None]


class RemoteEngine:
    """Implements `engine.engine.Engine` for one `ModelSpec.remote`; `key_for` gives an address's key, "" for none.

    Sinks and listeners are called from the connection's reader thread or from the caller's.
    """

    def __init__(
        self, key_for: Callable[[str], str] = lambda _address: "", *, order: RemoteOrder | None = None
    ) -> None:
        """`order` sets other patience than the usual; its address and key do not count."""
        self._key_for = key_for
        self._patience = order or RemoteOrder("")
        self._lock = threading.RLock()
        self._state = EngineState(EngineStatus.EMPTY)
        self._listeners: list[StateListener] = []
        self._spec: ModelSpec | None = None
        self._connection: RemoteConnection | None = None
        self._calls: dict[int, _Answering | _Asked] = {}
        self._ids = count()
        self._name = ""
        self._kind = ServerKind.OTHER

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
        self._hang_up_all()
        remote = spec.remote
        with self._lock:
            self._spec = spec
        self._set_state(EngineState(EngineStatus.LOADING))

        def failed(error: HearthError) -> None:
            if not future.done():
                self._drop_connection()
                self._set_state(EngineState(EngineStatus.EMPTY, message=str(error)))
                future.set_exception(error)

        def done(found: Found) -> None:
            try:
                host = parse_address(remote.address).host
                chosen = _chosen(found, remote.name, host)
            except HearthError as error:
                failed(error)
                return
            model = _loaded(chosen, host, spec, time.monotonic() - began)
            with self._lock:
                if future.done():
                    return
                self._name, self._kind = chosen.name, found.server
            self._set_state(EngineState(EngineStatus.READY, model, 1.0))
            future.set_result(model)

        self._ask(ListModels, Found, done, failed)
        if cancel is not None:
            cancel.on_cancel(lambda: failed(ModelLoadError(sentence("Loading the model was stopped."))))
        return future

    def unload(self) -> Future[None]:
        self._hang_up_all()
        self._drop_connection()
        with self._lock:
            self._spec = None
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
            sink(_failed(request.request_id, _no_model()))
        else:
            self._send_chat(_Answering(request, cancel, sink, request.messages))

    def generate(self, request: GenerationRequest, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        return iterate(self, request, cancel)

    def generate_many(
        self, request: GenerationRequest, n: int, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, StreamEvent]]:
        return iterate_many(self, request, n, cancel)

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
        name = self._name
        self._ask(
            lambda call_id: EmbedWords(call_id, name, tuple(texts)),
            Vectors,
            lambda answer: future.set_result(list(answer.vectors)),
            future.set_exception,
        )
        return future

    def count_tokens(self, texts: Sequence[str]) -> Future[list[int]]:
        return self._counted(tuple(texts), "", lambda counted: list(counted.counts))

    def force_stop(self) -> None:
        self._hang_up_all()
        self._drop_connection()

    def close(self) -> None:
        if self._state.status is not EngineStatus.CLOSED:
            self.unload()
            self._set_state(EngineState(EngineStatus.CLOSED))

    # The connection

    def _set_state(self, state: EngineState) -> None:
        self._state = state
        for listener in list(self._listeners):
            listener(state)

    def _begin(self, make: Callable[[int], Command], call: _Answering | _Asked) -> int:
        """Send a command, over a new connection if there is none (it ended, or was ended by force)."""
        with self._lock:
            call_id = next(self._ids)
            spec = self._spec
            if spec is None or spec.remote is None:
                raise _no_model()
            if self._connection is None:
                patience, address = self._patience, spec.remote.address
                order = RemoteOrder(
                    address, self._key_for(address), patience.connect_s, patience.answer_s, patience.stall_s
                )
                try:
                    self._connection = RemoteConnection(order, self._on_report, self._on_end)
                except OSError:
                    raise process_gone() from None
            connection = self._connection
            self._calls[call_id] = call
        connection.send(make(call_id))
        return call_id

    def _drop_connection(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _hang_up_all(self) -> None:
        with self._lock:
            calls, self._calls = self._calls, {}
        for call_id, call in calls.items():
            if self._connection is not None:
                self._connection.send(HangUp(call_id))
            if isinstance(call, _Answering):
                call.sink(Finished(call.request.request_id, FinishReason.CANCELLED))
            else:
                call.failed(_no_model())

    def _ask(
        self,
        make: Callable[[int], Command],
        kind: type[T],
        done: Callable[[T], None],
        failed: Callable[[HearthError], None],
    ) -> None:
        def take(answer: Any) -> None:
            assert isinstance(answer, kind)
            done(answer)

        try:
            self._begin(make, _Asked(take, failed))
        except HearthError as error:
            failed(error)

    def _counted(self, texts: tuple[str, ...], messages: str, become: Callable[[Counted], T]) -> Future[T]:
        if self._kind is not ServerKind.LLAMA:
            return _refused(RemoteError(sentence("This server does not tell how many tokens a text has.")))
        future: Future[T] = Future()
        self._ask(
            lambda call_id: CountWords(call_id, texts, messages),
            Counted,
            lambda counted: future.set_result(become(counted)),
            future.set_exception,
        )
        return future

    # Answers

    def _send_chat(self, answering: _Answering) -> None:
        request = answering.request
        try:
            body = request_body(request, answering.messages, self._name, self._kind)
            call_id = self._begin(lambda call_id: Chat(call_id, body), answering)
        except HearthError as error:
            answering.sink(_failed(request.request_id, error))
            return
        answering.cancel.on_cancel(lambda: self._cancel(call_id))

    def _cancel(self, call_id: int) -> None:
        with self._lock:
            call = self._calls.pop(call_id, None)
            connection = self._connection
        if isinstance(call, _Answering):
            if connection is not None:
                connection.send(HangUp(call_id))
            call.sink(Finished(call.request.request_id, FinishReason.CANCELLED))

    def _on_report(self, report: RemoteReport) -> None:
        last = not isinstance(report, Begun | Words | Spent)
        with self._lock:
            call = self._calls.pop(report.call_id, None) if last else self._calls.get(report.call_id)
        if isinstance(call, _Answering):
            self._pass_on(call, report)
        elif isinstance(call, _Asked):
            if isinstance(report, Refusal):
                call.failed(error_of(report.fault))
            else:
                call.done(report)

    def _pass_on(self, call: _Answering, report: RemoteReport) -> None:
        request, sink = call.request, call.sink
        n_ctx = self._state.model.n_ctx if self._state.model is not None else 0
        match report:
            case Begun():
                sink(Started(request.request_id, 0, 0, n_ctx, request.sampling.seed or 0, call.dropped))
            case Words(_, text, reasoning):
                call.text = True
                if reasoning:
                    sink(ReasoningDelta(request.request_id, reasoning))
                if text:
                    sink(TextDelta(request.request_id, text))
            case Spent(_, prompt, cached, completion, prefill_s, decode_s):
                sink(Usage(request.request_id, prompt, cached, completion, n_ctx, prefill_s, decode_s))
            case Ended(_, reason):
                sink(Finished(request.request_id, reason))
            case Refusal(_, fault):
                self._refused(call, error_of(fault))

    def _refused(self, call: _Answering, error: HearthError) -> None:
        """Leave the oldest turn out and ask again, if that is what was too much and may be done."""
        if isinstance(error, PromptTooLongError) and call.request.overflow is not OverflowPolicy.STOP and not call.text:
            kept, gone = without_oldest(call.messages)
            if gone:
                dropped = call.dropped + tuple(message.message_id for message in gone if message.message_id)
                self._send_chat(_Answering(call.request, call.cancel, call.sink, tuple(kept), dropped))
                return
        call.sink(_failed(call.request.request_id, error))

    def _on_end(self, connection: RemoteConnection) -> None:
        """The process ended. If nobody wanted that, its open calls fail; the next one starts another."""
        with self._lock:
            if self._connection is not connection:
                return
            self._connection = None
            calls, self._calls = self._calls, {}
        for call in calls.values():
            if isinstance(call, _Answering):
                call.sink(_failed(call.request.request_id, process_gone()))
            else:
                call.failed(process_gone())


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


def _failed(request_id: str, error: HearthError) -> Failed:
    fault = fault_of(error)
    return Failed(request_id, fault.code, fault.template, fault.fields)


def _no_model() -> HearthError:
    return ModelLoadError(sentence("No model is loaded."))
