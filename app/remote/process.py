"""The process that talks to another computer: takes commands from the window's side, reports what comes back.

It is bound to one address before it connects (`app.remote.guard`) and reads nothing of the person's but what it is
sent. Foreign JSON is parsed here; what leaves by the pipe is typed. Each call has a thread and a connection.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from app.remote import completions, transfer
from app.remote.address import ServerAddress, parse_address
from app.remote.guard import allow_only
from app.remote.messages import (
    MESSAGE_BYTES,
    Begun,
    Chat,
    Command,
    Counted,
    CountWords,
    EmbedWords,
    Ended,
    Found,
    HangUp,
    ListModels,
    Refusal,
    RemoteOrder,
    RemoteReport,
    ServerKind,
    Spent,
    Vectors,
    Words,
    command_of,
    encoded,
    order_of,
)
from engine.errors import HearthError, RemoteError, sentence
from engine.types import FinishReason
from engine.worker.envelope import fault_of, receive

_MODELS, _CHAT, _EMBEDDINGS = "/v1/models", "/v1/chat/completions", "/v1/embeddings"


class Talk:
    """Everything that goes on with one server. `tell` hands a report home, from any thread."""

    def __init__(self, order: RemoteOrder, address: ServerAddress, endpoints: list[transfer.Endpoint],
                 tell: Callable[[RemoteReport], None]) -> None:  # fmt: skip
        self._order, self._address, self._endpoints, self._tell = order, address, endpoints, tell
        self._lock = threading.Lock()
        self._calls: dict[int, list[transfer.Call]] = {}

    def take(self, command: Command) -> None:
        """Begin what is asked for, or end it."""
        if isinstance(command, HangUp):
            with self._lock:
                calls = self._calls.get(command.call_id, [])
            for call in calls:
                call.hang_up()
            return
        with self._lock:
            self._calls[command.call_id] = []
        threading.Thread(target=self._run, args=(command,), name="remote-call", daemon=True).start()

    def _run(self, command: ListModels | Chat | CountWords | EmbedWords) -> None:
        try:
            match command:
                case Chat():
                    self._chat(command)
                case ListModels():
                    self._tell(self._found(command))
                case CountWords():
                    self._tell(self._counted(command))
                case EmbedWords():
                    self._tell(self._vectors(command))
        except HearthError as error:
            self._tell(Refusal(command.call_id, fault_of(error)))
        except completions.NoAnswerError:
            self._tell(Refusal(command.call_id, fault_of(completions.strange_answer(self._address.host))))
        except completions.ServerFault as said:
            reason = transfer.reason_of(said.event) or "?"
            self._tell(Refusal(command.call_id, fault_of(transfer.refusal(self._address.host, reason))))
        finally:
            with self._lock:
                self._calls.pop(command.call_id, None)

    def _call(self, call_id: int) -> transfer.Call:
        order = self._order
        call = transfer.Call(
            self._address, self._endpoints, order.key,
            connect_s=order.connect_s, answer_s=order.answer_s, stall_s=order.stall_s,
        )  # fmt: skip
        with self._lock:
            self._calls[call_id].append(call)
        return call

    def _found(self, command: ListModels) -> Found:
        kind, models = completions.found_models(self._call(command.call_id).reply(_MODELS))
        window = 0
        if kind is ServerKind.LLAMA:
            try:
                window = completions.window_of(self._call(command.call_id).reply("/props"))
            except HearthError:
                window = 0  # It can be switched off there.
        known = models if not window else tuple(replace(model, n_ctx=window) for model in models)
        return Found(command.call_id, kind, known)

    def _chat(self, command: Chat) -> None:
        call_id = command.call_id
        began = time.monotonic()
        first = 0.0
        reason: FinishReason | None = None
        usage: completions.StreamUsage | None = None
        lines = self._call(call_id).lines(_CHAT, command.body)
        next(lines)
        self._tell(Begun(call_id))
        for piece in completions.pieces(lines):
            if piece.text or piece.reasoning:
                first = first or time.monotonic()
                self._tell(Words(call_id, piece.text, piece.reasoning))
            reason, usage = piece.reason or reason, piece.usage or usage
            if piece.last:
                break
        now = time.monotonic()
        if reason is None:
            raise RemoteError(sentence("The connection to {host} broke off."), host=self._address.host)
        if usage is not None:
            prefill_s = (first or now) - began if usage.prefill_s is None else usage.prefill_s
            decode_s = now - (first or now) if usage.decode_s is None else usage.decode_s
            self._tell(
                Spent(
                    call_id, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, prefill_s, decode_s
                )
            )  # fmt: skip
        self._tell(Ended(call_id, reason))

    def _counted(self, command: CountWords) -> Counted:
        ask = partial(self._tokens, command.call_id)
        prompt = 0
        if command.messages:
            body = json.dumps({"messages": json.loads(command.messages)})
            rendered = self._call(command.call_id).reply("/apply-template", body)
            prompt = ask(rendered.get("prompt") if isinstance(rendered, dict) else None, special=True)
        return Counted(command.call_id, tuple(ask(text, special=False) for text in command.texts), prompt)

    def _tokens(self, call_id: int, text: Any, *, special: bool) -> int:
        if not isinstance(text, str):
            raise completions.NoAnswerError("no text")
        body = json.dumps({"content": text, "add_special": special, "parse_special": special})
        value = self._call(call_id).reply("/tokenize", body)
        tokens = value.get("tokens") if isinstance(value, dict) else None
        if not isinstance(tokens, list):
            raise completions.NoAnswerError("no tokens")
        return len(tokens)

    def _vectors(self, command: EmbedWords) -> Vectors:
        body = json.dumps({"model": command.model, "input": list(command.texts), "encoding_format": "float"})
        value = self._call(command.call_id).reply(_EMBEDDINGS, body)
        return Vectors(command.call_id, completions.vectors_of(value, len(command.texts)))


def main(connection: Connection, order_json: bytes) -> None:
    """Entry of the process. It lives until the pipe closes."""
    lock = threading.Lock()

    def tell(report: RemoteReport) -> None:
        with lock:
            connection.send_bytes(encoded(report))

    talk: Talk | None = None
    fault: HearthError | None = None
    order = order_of(order_json)
    try:
        address = parse_address(order.address)
        endpoints = transfer.resolve(address)
        allow_only(frozenset((where[0], where[1]) for _family, where in endpoints))
        talk = Talk(order, address, endpoints, tell)
    except HearthError as error:
        allow_only(frozenset())
        fault = error
    try:
        while True:
            command = command_of(receive(connection, MESSAGE_BYTES))
            if talk is not None:
                talk.take(command)
            elif fault is not None and not isinstance(command, HangUp):
                tell(Refusal(command.call_id, fault_of(fault)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # The program that asked is gone, or wants nothing more.
    # Threads that wait for a silent server must not keep the process alive.
    os._exit(0)
